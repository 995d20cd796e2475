import math
import statistics

import numpy as np
import pytest

from vsdmot.evaluation.runs import check_sequences, summarise
from vsdmot.evaluation.scores import FIELDS, Scores, _gather, _metrics, combine


def random_scores(rng: np.random.Generator, truth_seed: int = 0, num_tracks: int = 4, num_frames: int = 12) -> Scores:
    """Score random overlaps by TrackEval; the same ``truth_seed`` gives the same people in the same frames."""
    truth_rng, num_people = np.random.default_rng(truth_seed), 3
    truth_ids = [np.flatnonzero(truth_rng.random(num_people) < 0.8) for _ in range(num_frames)]
    track_ids = [np.flatnonzero(rng.random(num_tracks) < 0.7) for _ in range(num_frames)]
    inputs = {
        "gt_ids": truth_ids,
        "tracker_ids": track_ids,
        "similarity_scores": [rng.random((len(t), len(k))) for t, k in zip(truth_ids, track_ids, strict=True)],
        "num_gt_ids": num_people,
        "num_tracker_ids": num_tracks,
        "num_gt_dets": sum(map(len, truth_ids)),
        "num_tracker_dets": sum(map(len, track_ids)),
        "num_timesteps": num_frames,
    }
    return _gather([metric.eval_sequence(inputs) for metric in _metrics()])


def random_run(seed: int) -> dict[str, Scores]:
    rng = np.random.default_rng(seed)
    return {f"seq-{i}": random_scores(rng, truth_seed=i, num_frames=8 + 3 * i) for i in range(3)}


def test_every_field_has_mean_and_sample_deviation_of_the_runs():
    runs = [random_run(seed) for seed in range(4)]
    summary = summarise(runs)
    assert summary.num_runs == 4
    assert list(summary.sequences) == ["seq-0", "seq-1", "seq-2"]
    for field in FIELDS:
        for name, found in summary.sequences.items():
            values = [float(run[name][field]) for run in runs]
            assert found[field].mean == pytest.approx(statistics.fmean(values))
            assert found[field].sd == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_a_run_is_combined_before_it_is_averaged():
    runs = [random_run(seed) for seed in range(3)]
    found = summarise(runs).combined
    for field in FIELDS:
        values = [float(combine(run)[field]) for run in runs]
        assert found[field].mean == pytest.approx(statistics.fmean(values))
        assert found[field].sd == pytest.approx(statistics.stdev(values), abs=1e-12)
    of_sequences = statistics.fmean(scores["HOTA"] for run in runs for scores in run.values())
    assert found["HOTA"].mean != pytest.approx(of_sequences, abs=1e-6)


def test_a_single_run_has_no_deviation():
    run = random_run(0)
    summary = summarise([run])
    assert {spread.sd for spread in summary.combined.values()} == {None}
    assert summary.combined["HOTA"].mean == combine(run)["HOTA"]
    assert summary.sequences["seq-1"]["IDSW"].mean == run["seq-1"]["IDSW"]


def test_the_same_run_twice_deviates_by_nothing():
    summary = summarise([random_run(0), random_run(0)])
    assert {spread.sd for spread in summary.combined.values()} == {0.0}


def test_sequences_without_a_track_give_numbers():
    rng = np.random.default_rng(0)
    runs = [{"lost": random_scores(rng, num_tracks=0)}, {"lost": random_scores(rng)}]
    summary = summarise(runs)
    assert not any(math.isnan(spread.mean) or math.isnan(spread.sd) for spread in summary.combined.values())


def test_runs_of_different_sequences_are_refused_by_name():
    first, second = random_run(0), random_run(1)
    second["seq-9"] = second.pop("seq-1")
    with pytest.raises(ValueError, match=r"run 1 and run 2 .* only run 1 has seq-1; only run 2 has seq-9"):
        summarise([first, second])


def test_runs_against_different_truth_are_refused_by_number():
    first, second = random_run(0), random_run(1)
    second["seq-1"] = second["seq-2"]
    with pytest.raises(ValueError, match=r"seq-1 has \d+ true boxes in run 1 and \d+ in run 2"):
        summarise([first, second])


@pytest.mark.parametrize(("runs", "message"), [([], "at least one run"), ([{}], "run 1 has no sequence")])
def test_nothing_cannot_be_summarised(runs, message):
    with pytest.raises(ValueError, match=message):
        summarise(runs)


def test_the_order_of_sequences_is_the_first_runs():
    first = random_run(0)
    second = dict(reversed(random_run(1).items()))
    assert check_sequences({"a": first, "b": second}) == ["seq-0", "seq-1", "seq-2"]
