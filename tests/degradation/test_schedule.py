import json
import math

import numpy as np
import pytest
from scipy import stats

from vsdmot.config import from_mapping, to_mapping
from vsdmot.degradation.drawing import DegradationConfig, draw_parameters
from vsdmot.degradation.drifting import PATHS, Span, spans, values_of, with_values
from vsdmot.degradation.frames import spoil
from vsdmot.degradation.manifest import frame_entry
from vsdmot.degradation.operators import OPERATORS, TABLES, values_at
from vsdmot.degradation.parameters import DegradationParameters
from vsdmot.degradation.schedule import LEVEL_STEP, DegradeSettings, Schedule
from vsdmot.errors import ConfigError

ALL = tuple(OPERATORS)


def schedule(name="a", config=None, **settings):
    return Schedule(DegradeSettings(**settings), name, config)


def numbers(parameters):
    """All numbers of the chain that can drift."""
    return values_of(parameters.eq17, spans(parameters.eq17, DegradationConfig()))


@pytest.mark.parametrize("mode", ["drift", "per_frame", "fixed"])
def test_a_frame_depends_on_seed_name_and_number_alone(mode):
    first, again = (schedule(mode=mode, only=ALL) for _ in range(2))
    forwards = [first.at(frame) for frame in (1, 2, 300, 700)]
    backwards = [again.at(frame) for frame in (700, 300, 2, 1)][::-1]
    assert forwards == backwards
    assert first.noise(5).random() == again.noise(5).random()
    assert schedule(mode=mode, seed=1).at(7) != first.at(7)
    assert schedule("b", mode=mode).at(7) != schedule("a", mode=mode).at(7)
    assert schedule("caf\u00e9", mode=mode).at(7) == schedule("cafe\u0301", mode=mode).at(7)  # one name, spelled twice


def test_fixed_parameters_stay_and_per_frame_parameters_do_not():
    fixed = schedule(mode="fixed", only=ALL)
    first = fixed.at(1)
    assert all((fixed.at(n).eq17, fixed.at(n).values) == (first.eq17, first.values) for n in (2, 50, 1000))
    fresh = schedule(mode="per_frame", only=ALL)
    assert len({fresh.at(n).eq17.first.jpeg_quality for n in range(1, 50)}) == 49
    assert len({fresh.at(n).eq17.first.blur.family for n in range(1, 50)}) > 2
    assert len({fresh.at(n).values["noise"]["sigma"] for n in range(1, 50)}) == 49


def test_drifting_numbers_move_by_their_steps_and_stay_in_their_ranges():
    for seed in range(12):
        drifting = schedule(seed=seed)
        limits = spans(drifting.at(1).eq17, DegradationConfig())
        before, calm = None, 0
        for frame in range(1, 400):
            parameters = drifting.at(frame)
            now = numbers(parameters)
            for name, value in now.items():
                span = limits[name]
                assert span.low - 1e-9 <= value <= span.high + 1e-9, name
                if before and not before[0] and not parameters.bad_spell:
                    moved = abs(value - before[1][name])
                    moved = min(moved, 2 * math.pi - moved) if span.circular else moved
                    assert moved <= span.step + 1e-9, name
                    calm += 1
            before = parameters.bad_spell, now
        assert calm > 1000


def test_what_is_no_number_stays_for_the_whole_sequence():
    for seed in range(20):
        drifting = schedule(seed=seed)
        first, last = (drifting.at(frame).eq17 for frame in (1, 500))
        unmoved = with_values(last, values_of(first, spans(first, DegradationConfig())))
        assert unmoved == first
        assert last != first


def test_the_first_frame_of_a_drift_is_as_the_published_draw():
    """Out of bad spells; the walk starts at what was drawn."""
    calm = [s for s in range(40) if schedule(seed=s).at(1).bad_spell == 0]
    assert len(calm) > 20
    for seed in calm:
        assert schedule(seed=seed).at(1).eq17.first.noise == schedule(seed=seed, mode="fixed").at(1).eq17.first.noise


def test_after_a_long_drift_numbers_still_follow_the_published_law():
    """A walk that is mirrored at the ends keeps what is uniform uniform; one that is clipped would pile up there."""
    qualities, sigmas = [], []
    for seed in range(300):
        parameters = schedule(f"sequence {seed}").at(240)
        if parameters.bad_spell == 0:
            qualities.append(parameters.eq17.first.jpeg_quality)
            sigmas.append(parameters.eq17.second.noise)
    assert stats.kstest(qualities, "uniform", (30, 65)).pvalue > 0.01
    gaussian = [noise.strength for noise in sigmas if noise.kind == "gaussian"]
    assert stats.kstest(gaussian, "uniform", (1, 24)).pvalue > 0.01


def test_bad_spells_come_and_go_and_make_everything_worse():
    pushes = np.array([[schedule(f"s{k}").at(n).bad_spell for n in range(1, 601)] for k in range(10)])
    assert 0.1 < (pushes > 0).mean() < 0.25
    assert 0.9 < pushes.max() <= 1
    assert np.abs(np.diff(pushes, axis=1)).max() < 0.3  # they rise and fall; nothing jumps
    lengths = [len(run) for row in pushes for run in "".join("x" if p else " " for p in row).split()]
    assert 10 <= np.median(lengths) <= 45
    drifting = schedule("s0", only=("noise", "eq17"))
    row = pushes[0]
    peak = int(row.argmax())
    calm = next(n for n in range(peak, 0, -1) if row[n] == 0)
    at_peak, before = drifting.at(peak + 1), drifting.at(calm + 1)
    assert at_peak.values["noise"]["sigma"] > before.values["noise"]["sigma"]
    assert at_peak.eq17.first.jpeg_quality < before.eq17.first.jpeg_quality


def test_only_drift_has_bad_spells():
    for mode in ("fixed", "per_frame"):
        assert {schedule(mode=mode).at(n).bad_spell for n in range(1, 400)} == {0.0}


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_a_severity_takes_a_fifth_of_each_range(severity):
    for seed in range(30):
        drawn = numbers(schedule(seed=seed, mode="fixed").at(1))
        for frame in (1, 100):
            narrow = schedule(seed=seed, severity=severity).at(frame)
            limits = spans(narrow.eq17, DegradationConfig())
            assert set(numbers(narrow)) == set(drawn)
            for name, value in numbers(narrow).items():
                part = limits[name].fifth(severity)
                assert part.low - 1e-9 <= value <= part.high + 1e-9, name


def test_the_five_severities_together_are_the_published_distribution():
    qualities = [schedule(f"s{k}", mode="fixed", severity=1 + k % 5).at(1).eq17.second.jpeg_quality for k in range(500)]
    assert stats.kstest(qualities, "uniform", (30, 65)).pvalue > 0.01


@pytest.mark.parametrize("operator", [name for name in TABLES if name not in ("h264", "dropped_frames")])
def test_single_operators_drift_around_their_severity(operator):
    fixed = schedule(mode="fixed", severity=3, only=(operator,)).at(9)
    assert fixed.values[operator].items() >= values_at(operator, 3).items()
    drifting = schedule(severity=3, only=(operator,))
    rows = [drifting.at(n) for n in range(1, 500)]
    levels = np.array([p.values[operator]["severity"] for p in rows])
    assert 2.5 <= levels.min() < levels.max() <= 3.5
    calm = np.array([p.bad_spell == 0 for p in rows])
    steps = np.abs(np.diff(levels))[calm[1:] & calm[:-1]]
    assert steps.max() <= LEVEL_STEP + 1e-9
    free = [schedule(f"s{k}", only=(operator,)).at(1).values[operator]["severity"] for k in range(60)]
    assert min(free) < 1.6
    assert max(free) > 4.4


def test_operators_do_not_change_each_others_draws():
    alone = schedule(only=("blur",))
    together = schedule(only=("blur", "jpeg", "h264"))
    for frame in (1, 33):
        assert alone.at(frame).values["blur"] == together.at(frame).values["blur"]


def test_a_group_of_h264_has_one_factor():
    drifting = schedule(only=("h264",))
    factors = [drifting.at(n).values["h264"]["crf"] for n in range(1, 73)]
    assert [len(set(factors[k : k + 24])) for k in (0, 24, 48)] == [1, 1, 1]
    assert len(set(factors)) == 3


def test_noise_fields_do_not_repeat_between_frames_sequences_or_seeds():
    """Even shifted: the correlation of two frames' noise has no peak anywhere."""
    gray = np.full((64, 64, 3), 128, np.uint8)
    fields = []
    for seed, name, frame in [(0, "a", 1), (0, "a", 2), (0, "a", 258), (0, "b", 1), (1, "a", 1)]:
        s = schedule(name, seed=seed, mode="fixed", severity=3, only=("noise",))
        fields.append(spoil(gray, s.at(frame), s.noise(frame))[..., 1].astype(float) - 128)
    spectra = [np.fft.fft2(field / field.std()) for field in fields]
    for i, first in enumerate(spectra):
        for j, second in enumerate(spectra):
            correlation = np.abs(np.fft.ifft2(first * second.conj()).real / 64**2).max()
            assert correlation == pytest.approx(1, abs=0.05) if i == j else correlation < 0.12


def test_noise_is_fresh_in_every_frame_of_the_chain_too(picture):
    s = schedule(mode="fixed")
    image = picture(40, 60)
    frames = [spoil(image, s.at(n), s.noise(n)) for n in (1, 2, 3)]
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])
    np.testing.assert_array_equal(frames[1], spoil(image, s.at(2), s.noise(2)))


def test_the_record_of_a_frame_is_json_and_gives_the_chain_back():
    for seed in range(20):
        parameters = schedule(seed=seed, only=ALL).at(17)
        entry = json.loads(json.dumps(frame_entry(parameters, 17), allow_nan=False))
        assert from_mapping(DegradationParameters, entry["eq17"]) == parameters.eq17
        assert entry["noise"]["sigma"] == parameters.values["noise"]["sigma"]
        assert (entry["frame"], entry["shows"]) == (17, 17)


def test_every_number_of_the_chain_has_a_span():
    """Whatever is drawn from a range, and only that."""
    seen = set()
    for seed in range(300):
        drawn = draw_parameters(np.random.default_rng(seed))
        found = spans(drawn, DegradationConfig())
        seen |= set(found)
        assert with_values(drawn, values_of(drawn, found)) == drawn
        for name, value in values_of(drawn, found).items():
            assert found[name].low <= value <= found[name].high
    assert seen == set(PATHS)


def test_other_distributions_bound_the_drift():
    config = from_mapping(DegradationConfig, {"first": {"jpeg_quality": [80, 82]}})
    drifting = schedule(config=config)
    assert all(80 <= drifting.at(n).eq17.first.jpeg_quality <= 82 for n in range(1, 300))
    assert to_mapping(config)["first"]["jpeg_quality"] == [80, 82]


@pytest.mark.parametrize(
    ("span", "value", "expected"),
    [
        (Span(low=2, high=2, step=1), 7, 2),  # a range of one number
        (Span(low=0, high=10, step=1), -3, 3),
        (Span(low=0, high=10, step=1), 23, 3),
        (Span(low=0, high=10, step=1, circular=True), 23, 3),
        (Span(low=0, high=10, step=1, circular=True), -3, 7),
    ],
)
def test_numbers_are_mirrored_at_the_ends_of_their_span(span, value, expected):
    assert span.fold(value) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "seed: must be at least 0"),
        ({"severity": 6}, "severity: must be from 1 to 5"),
        ({"only": ()}, "only: must be one or more of sharpen"),
        ({"only": ("blur", "blur")}, "only: must be without repetition"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        DegradeSettings(**settings)
