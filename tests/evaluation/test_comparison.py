import numpy as np
import pytest
from scipy.stats import norm, t, ttest_ind

from vsdmot.evaluation.comparison import RESAMPLED, Comparison, Difference, compare, resample
from vsdmot.evaluation.runs import Spread
from vsdmot.evaluation.scores import ALPHAS, Scores, _gather, _metrics, combine


def scored(rng: np.random.Generator, num_people: int = 4, num_tracks: int = 5, frames: int = 15, truth_seed: int = 0):
    """Score random tracks of random people by TrackEval; ``truth_seed`` and ``frames`` fix the people."""
    truth_rng = np.random.default_rng(truth_seed)
    truth_ids = [np.flatnonzero(truth_rng.random(num_people) < 0.8) for _ in range(frames)]
    track_ids = [np.flatnonzero(rng.random(num_tracks) < 0.8) for _ in range(frames)]
    overlaps = [
        np.where(people[:, None] == tracks, 0.4, 0) + rng.uniform(0, 0.6, (len(people), len(tracks)))
        for people, tracks in zip(truth_ids, track_ids, strict=True)
    ]
    inputs = {
        "gt_ids": truth_ids,
        "tracker_ids": track_ids,
        "similarity_scores": overlaps,
        "num_gt_ids": num_people,
        "num_tracker_ids": num_tracks,
        "num_gt_dets": sum(map(len, truth_ids)),
        "num_tracker_dets": sum(map(len, track_ids)),
        "num_timesteps": frames,
    }
    return _gather([metric.eval_sequence(inputs) for metric in _metrics()])


def run(seed: int, num_sequences: int = 5) -> dict[str, Scores]:
    """A run with, from four sequences on, one that has nobody in it and one in which nobody is found."""
    rng = np.random.default_rng(seed)
    found = {f"s{i}": scored(rng, frames=6 + 4 * i, truth_seed=i) for i in range(num_sequences)}
    if num_sequences >= 4:
        found["s1"] = scored(rng, num_people=0)
        found["s2"] = scored(rng, num_tracks=0, truth_seed=2)
    return found


def invented(accuracies: np.ndarray, truth: np.ndarray | None = None) -> dict[str, Scores]:
    """A run that finds these fractions ``(S,)`` of the people, always in the right place: HOTA = DetA = MOTA."""
    truth = np.full(len(accuracies), 1000.0) if truth is None else truth
    found = {}
    for i, (accuracy, boxes) in enumerate(zip(accuracies, truth, strict=True)):
        hits = accuracy * boxes
        per_alpha = {"HOTA_TP": hits, "HOTA_FN": boxes - hits, "HOTA_FP": 0.0, "AssA": accuracy}
        counts = {"CLR_TP": hits, "CLR_FN": boxes - hits, "CLR_FP": 0, "IDSW": 0, "IDTP": 0, "IDFN": boxes, "IDFP": 0}
        found[f"s{i}"] = Scores(counts, {name: np.full(len(ALPHAS), value) for name, value in per_alpha.items()})
    return found


def copies(one_run: dict[str, Scores], draw: np.ndarray) -> Scores:
    """The slow way: TrackEval's combination of as many copies of each sequence as were drawn."""
    taken = {f"{name}#{i}": one_run[name] for name, n in zip(one_run, draw, strict=True) for i in range(n)}
    return combine(taken)


# What is drawn is scored as TrackEval scores it


def test_a_row_of_ones_is_the_official_combination():
    runs = [run(seed) for seed in range(3)]
    found = resample(runs, np.ones((1, 5), int))
    for r, one_run in enumerate(runs):
        np.testing.assert_allclose(found[r, 0], [combine(one_run)[field] for field in RESAMPLED], rtol=0, atol=1e-12)


def test_a_draw_is_the_official_combination_of_copies():
    runs = [run(0), run(1)]
    draws = np.random.default_rng(2).multinomial(5, [0.2] * 5, size=40)
    found = resample(runs, draws, ("IDF1", "HOTA", "MOTA"))
    assert found.shape == (2, 40, 3)
    for r, one_run in enumerate(runs):
        for b, draw in enumerate(draws):
            expected = [copies(one_run, draw)[field] for field in ("IDF1", "HOTA", "MOTA")]
            np.testing.assert_allclose(found[r, b], expected, rtol=0, atol=1e-12)


def test_more_draws_than_are_made_at_once_are_the_same_draws():
    draws = np.random.default_rng(0).multinomial(5, [0.2] * 5, size=2500)
    found = resample([run(0)], draws)
    np.testing.assert_array_equal(found[:, 2400:], resample([run(0)], draws[2400:]))


def test_the_interval_is_the_bootstrap_done_the_slow_way():
    first, second = [run(0), run(1), run(2)], [run(3)]
    found = compare(first, second, resamples=100, seed=7)["HOTA"]

    rng = np.random.default_rng(7)
    draws = rng.multinomial(4, [0.2] * 5, size=100)
    draws = [draw for draw in draws if sum(n for i, n in enumerate(draw) if i != 1) > 0]  # s1 has nobody in it
    run_draws = rng.multinomial(2, [1 / 3] * 3, size=len(draws))
    held, drawn = [], []
    for draw, of_runs in zip(draws, run_draws, strict=True):
        scores = [copies(one_run, draw)["HOTA"] for one_run in first]
        other = copies(second[0], draw)["HOTA"]
        held.append(np.mean(scores) - other)
        drawn.append(sum(n * score for n, score in zip(of_runs, scores, strict=True)) / 2 - other)
    of_runs = np.array([combine(one_run)["HOTA"] for one_run in first])
    difference = of_runs.mean() - combine(second[0])["HOTA"]
    between_sequences, between_runs = np.var(held), of_runs.var(ddof=1) / 3
    freedom = (between_sequences + between_runs) ** 2 / (between_sequences**2 / 3 + between_runs**2 / 2)
    stretch = t.ppf(0.975, freedom) / norm.ppf(0.975)
    expected = difference + stretch * (np.percentile(drawn, [2.5, 97.5]) - difference)
    assert found.first_minus_second == pytest.approx(difference)
    assert found.first.sd == pytest.approx(of_runs.std(ddof=1))
    assert found.second.sd is None
    np.testing.assert_allclose(found.interval, expected, rtol=0, atol=1e-10)


# The interval means what it says


@pytest.mark.parametrize(
    ("num_sequences", "num_runs", "run_noise"),
    [(4, (1, 1), 0.0), (12, (1, 1), 0.0), (12, (2, 2), 0.02), (12, (3, 3), 0.02), (12, (3, 1), 0.02)],
)
def test_equal_methods_differ_significantly_about_one_time_in_twenty(num_sequences, num_runs, run_noise):
    rng = np.random.default_rng(0)
    trials, alarms = 300, 0
    for _ in range(trials):
        hard = rng.normal(0.6, 0.1, num_sequences)  # common to both methods: pairing must remove it
        truth = rng.integers(500, 1500, num_sequences).astype(float)
        methods = []
        for runs in num_runs:
            of_method = hard + rng.normal(0, 0.02, num_sequences)
            noise = rng.normal(0, run_noise if runs > 1 else 0, (runs, 1))  # who runs once here does not train
            methods.append([invented(row, truth) for row in of_method + noise])
        alarms += compare(*methods, fields=("HOTA",), resamples=400)["HOTA"].verdict == "exceeds"
    assert 0.02 <= alarms / trials <= 0.11  # plain percentiles of four sequences, or of two runs: 0.18


def test_the_interval_holds_the_true_difference_and_a_clear_one_exceeds():
    rng = np.random.default_rng(1)
    for _ in range(20):
        hard = rng.normal(0.5, 0.1, 20)
        found = compare([invented(hard + 0.1 + rng.normal(0, 0.02, 20))], [invented(hard)], fields=("DetA",))["DetA"]
        assert found.interval[0] < found.first_minus_second < found.interval[1]
        assert found.interval[0] > 0.05
        assert found.verdict == "exceeds"


def test_noise_between_runs_widens_the_interval():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.6, 0.02, 20), rng.normal(0.6, 0.02, 20)
    widths = []
    for noise in (0.0, 0.02):
        runs = [invented(first + noise * step) for step in (-1, 0, 1)]
        low, high = compare(runs, [invented(second)])["HOTA"].interval
        widths.append(high - low)
    assert widths[1] > 1.5 * widths[0]


def test_methods_swapped_give_the_difference_swapped():
    first, second = [run(0), run(1)], [run(2), run(3)]
    one, other = compare(first, second)["HOTA"], compare(second, first)["HOTA"]
    assert one.first_minus_second == -other.first_minus_second
    np.testing.assert_allclose(one.interval, (-other.interval[1], -other.interval[0]), atol=0.02)


def test_the_seed_fixes_the_interval_and_another_moves_it_little():
    first, second = [run(0), run(1)], [run(2)]
    assert compare(first, second, seed=3) == compare(first, second, seed=3)
    one, other = (compare(first, second, seed=seed)["IDF1"].interval for seed in (3, 4))
    assert one != other
    np.testing.assert_allclose(one, other, atol=0.02)


def test_sequences_may_come_in_any_order():
    first, second = run(0), run(1)
    assert compare([first], [dict(reversed(second.items()))]) == compare([first], [second])


# Where little or nothing can be drawn


def test_one_sequence_and_one_run_leave_it_undecided():
    comparison = compare([run(0, 1)], [run(1, 1)])
    for field in RESAMPLED:
        assert comparison[field].interval is None
        assert comparison[field].verdict == "undecided"


@pytest.mark.parametrize(("gap", "verdict"), [(0.001, "within"), (0.2, "undecided")])
def test_runs_on_one_sequence_are_compared_by_welch_and_never_exceed(gap, verdict):
    values = np.array([0.60, 0.61, 0.63]), np.array([0.62, 0.58]) - gap
    first, second = ([invented(np.array([value])) for value in method] for method in values)
    found = compare(first, second, fields=("MOTA",))["MOTA"]
    expected = ttest_ind(*values, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(found.interval, (expected.low, expected.high))
    assert found.verdict == verdict


@pytest.mark.parametrize("num_sequences", [1, 2, 5])
@pytest.mark.parametrize("seeds", [[0], [0, 1], [0, 1, 2]])
def test_the_same_runs_are_equal_in_any_order(num_sequences, seeds):
    runs = [run(seed, num_sequences) for seed in seeds]
    comparison = compare(runs, runs[::-1])
    assert {comparison[field].verdict for field in RESAMPLED} == {"equal"}


def test_equal_means_of_unequal_runs_are_not_equal():
    first = [invented(np.array([value])) for value in (0.5, 0.7)]
    second = [invented(np.array([value])) for value in (0.6, 0.6)]
    assert compare(first, second, fields=("MOTA",))["MOTA"].verdict == "within"


def test_the_same_total_on_differing_sequences_is_not_equal():
    first, second = invented(np.array([0.4, 0.6, 0.5])), invented(np.array([0.6, 0.4, 0.5]))
    assert compare([first], [second], fields=("MOTA",))["MOTA"].verdict == "within"


def test_a_sequence_without_people_takes_part_but_does_not_count():
    rng = np.random.default_rng(0)
    first, second = ({"a": scored(rng), "empty": scored(rng, num_people=0, num_tracks=n)} for n in (3, 0))
    comparison = compare([first], [second])
    assert comparison.num_sequences == 1
    assert comparison["MOTA"].interval is None
    assert comparison["MOTA"].first.mean == pytest.approx(combine(first)["MOTA"])


def test_empty_sequences_do_not_blow_up_the_interval():
    first, second = run(0, 4), run(1, 4)
    low, high = compare([first], [second])["MOTA"].interval
    assert -10 < low < high < 10


@pytest.mark.parametrize("num_people", [0, 4])
def test_nobody_found_or_nobody_there_gives_numbers(num_people):
    rng = np.random.default_rng(0)
    nothing = [{name: scored(rng, num_people, num_tracks=0) for name in "abc"}] * 2
    something = [{name: scored(rng, num_people) for name in "abc"} for _ in range(2)]
    for first, second in ((nothing, nothing), (nothing, something)):
        comparison = compare(first, second)
        for field in RESAMPLED:
            found = comparison[field]
            ends = found.interval or ()
            assert np.isfinite([found.first.mean, found.second.sd, found.first_minus_second, *ends]).all()
            assert "nan" not in comparison.sentence(field)


# What is refused


def test_methods_on_different_sequences_are_refused():
    with pytest.raises(ValueError, match="run 1 of the first method and run 2 of the second method"):
        compare([run(0)], [run(1), run(2, 3)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": []}, "at least one run of each method"),
        ({"second": []}, "at least one run of each method"),
        ({"fields": ("HOTA", "MOTP")}, "cannot compare MOTP; known fields: HOTA, DetA, AssA, MOTA, IDF1"),
        ({"resamples": 99}, "at least 100 resamples"),
    ],
)
def test_bad_requests_are_refused(options, message):
    request = {"first": [run(0, 2)], "second": [run(1, 2)], **options}
    with pytest.raises(ValueError, match=message):
        compare(request.pop("first"), request.pop("second"), **request)


# What is said


ONCE = (
    " run once: where training is involved, noise between training runs is not counted here, and published trackers of "
    "this family vary by 1 to 2 HOTA between runs (MOTRv2 issue 2, MOTIP issue 84)"
)
ROUGH = "The interval is rough: 4 sequences show little of how footage varies."
OTHER_FOOTAGE = "One sequence cannot be resampled, so nothing can be said about other footage."


@pytest.mark.parametrize(
    ("first", "second", "interval", "verdict", "num_sequences", "num_runs", "finding", "cautions"),
    [
        pytest.param(
            *(Spread(0.612, 0.005), Spread(0.598, None), (-0.003, 0.031), "within", 4, (3, 1)),
            "HOTA: A 61.2 (3 runs, sd 0.5) against B 59.8 (one run): +1.4, 95 % interval -0.3 to +3.1 over "
            "4 sequences: this does not exceed the noise.",
            [ROUGH, f"B was{ONCE}: a difference below 2 points then proves little."],
            id="few sequences, one method run once",
        ),
        pytest.param(
            *(Spread(0.612, 0.005), Spread(0.55, 0.01), (0.05, 0.075), "exceeds", 8, (3, 2)),
            "HOTA: A 61.2 (3 runs, sd 0.5) against B 55.0 (2 runs, sd 1.0): +6.2, 95 % interval +5.0 to +7.5 over "
            "8 sequences: this exceeds the noise between sequences and between runs.",
            [],
            id="nothing to warn of",
        ),
        pytest.param(
            *(Spread(0.5, None), Spread(0.5612, None), (-0.09, -0.03), "exceeds", 25, (1, 1)),
            "HOTA: A 50.0 (one run) against B 56.1 (one run): -6.1, 95 % interval -9.0 to -3.0 over 25 sequences: "
            "this exceeds the noise between sequences.",
            [f"A and B were each{ONCE}."],
            id="both run once, far apart",
        ),
        pytest.param(
            *(Spread(0.5, None), Spread(0.56, 0.01), (-0.09, -0.03), "exceeds", 25, (1, 5)),
            "HOTA: A 50.0 (one run) against B 56.0 (5 runs, sd 1.0): -6.0, 95 % interval -9.0 to -3.0 over "
            "25 sequences: this exceeds the noise between sequences and between runs of B.",
            [f"A was{ONCE}."],
            id="only one method's runs in the interval",
        ),
        pytest.param(
            *(Spread(0.5, None), Spread(0.5004, None), None, "undecided", 1, (1, 1)),
            "HOTA: A 50.00 (one run) against B 50.04 (one run): -0.04 on one sequence: whether this exceeds the noise "
            "cannot be said.",
            [OTHER_FOOTAGE, f"A and B were each{ONCE}: a difference below 2 points then proves little."],
            id="one sequence, run once",
        ),
        pytest.param(
            *(Spread(0.6, 0.01), Spread(0.5, 0.01), (0.08, 0.12), "undecided", 1, (3, 3)),
            "HOTA: A 60.0 (3 runs, sd 1.0) against B 50.0 (3 runs, sd 1.0): +10.0, 95 % interval +8.0 to +12.0 between "
            "runs on one sequence: this is more than the noise between runs there.",
            [OTHER_FOOTAGE],
            id="one sequence, several runs, far apart",
        ),
        pytest.param(
            *(Spread(0.6, 0.01), Spread(0.59, 0.01), (-0.01, 0.03), "within", 1, (3, 3)),
            "HOTA: A 60.0 (3 runs, sd 1.0) against B 59.0 (3 runs, sd 1.0): +1.0, 95 % interval -1.0 to +3.0 between "
            "runs on one sequence: this does not exceed the noise between runs there.",
            [OTHER_FOOTAGE],
            id="one sequence, several runs, close",
        ),
        pytest.param(
            *(Spread(0.612, None), Spread(0.612, None), (0.0, 0.0), "equal", 4, (1, 1)),
            "HOTA: A and B are equal, 61.20, over 4 sequences.",
            [],
            id="equal",
        ),
        pytest.param(
            *(Spread(0.0, None), Spread(0.0, None), None, "equal", 0, (1, 1)),
            "HOTA: A and B are equal, 0.00, without any ground truth.",
            ["What has no ground truth cannot be resampled, so nothing can be said about other footage."],
            id="nobody there",
        ),
    ],
)
def test_the_sentence_says_what_was_found_and_only_what_holds(
    first, second, interval, verdict, num_sequences, num_runs, finding, cautions
):
    difference = Difference(first, second, first.mean - second.mean, interval, verdict)
    comparison = Comparison({"HOTA": difference}, num_sequences, num_runs)
    assert comparison.finding("HOTA", ("A", "B")) == finding
    assert list(comparison.cautions("HOTA", ("A", "B"))) == cautions
    assert comparison.sentence("HOTA", ("A", "B")) == " ".join([finding, *cautions])


def test_a_comparison_made_from_runs_can_be_said():
    sentence = compare([run(0), run(1)], [run(2)]).sentence("IDF1", ("ours", "SORT"))
    assert sentence.startswith("IDF1: ours ")
    assert "(2 runs, sd " in sentence
    assert " over 4 sequences: this " in sentence  # of five, nobody is in one
