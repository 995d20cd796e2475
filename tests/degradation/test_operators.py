import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsdmot.degradation.blur import blur
from vsdmot.degradation.codec import compress_jpeg
from vsdmot.degradation.frames import spoil, transmit
from vsdmot.degradation.kernels import motion_kernel
from vsdmot.degradation.operators import (
    ON_VIDEO,
    OPERATORS,
    SEVERITIES,
    TABLES,
    apply_operator,
    values_at,
)
from vsdmot.degradation.pixels import to_bytes, to_float
from vsdmot.degradation.schedule import DegradeSettings, Schedule

ON_PICTURES = [operator for operator in TABLES if operator not in ON_VIDEO]


def psnr(first, second):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


def degraded_clip(operator, severity, clip):
    """Send a clip through one operator at a fixed severity."""
    schedule = Schedule(DegradeSettings(mode="fixed", severity=severity, only=(operator,)), "clip")
    parameters = [schedule.at(number) for number in range(1, len(clip) + 1)]
    spoilt = [(p, spoil(image, p, schedule.noise(p.frame))) for p, image in zip(parameters, clip, strict=True)]
    return [image for *_, image in transmit(spoilt, schedule)]


def test_the_documentation_has_the_same_numbers():
    page = (Path(__file__).resolve().parents[2] / "docs" / "low_quality.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    documented = {(operator, name): tuple(map(float, row.split("|"))) for operator, name, row in rows}
    assert documented == {(operator, name): row for operator, table in TABLES.items() for name, row in table.items()}
    assert ", ".join(OPERATORS) in " ".join(page.split())


def test_every_operator_has_a_table_but_the_whole_chain():
    assert set(TABLES) == set(OPERATORS) - {"eq17"}


@pytest.mark.parametrize("operator", ON_PICTURES)
def test_higher_severity_is_further_from_the_original(operator, picture):
    """At every whole severity and between them, so that a drifting severity means what it says."""
    image = picture(192, 256)
    severities = np.arange(1, 5.01, 0.5)
    values = [
        psnr(apply_operator(operator, image, values_at(operator, s), np.random.default_rng(3)), image)
        for s in severities
    ]
    assert (np.diff(values) < 0).all(), dict(zip(severities.tolist(), values, strict=True))
    assert values[0] - values[-1] > 6


@pytest.mark.parametrize("operator", ON_PICTURES)
def test_photographs_get_worse_too(operator, shared_golden):
    for name in ("astronaut", "coffee"):
        image = cv2.cvtColor(cv2.imread(str(shared_golden / "degrade/png" / f"{name}_clean.png")), cv2.COLOR_BGR2RGB)
        values = [
            psnr(apply_operator(operator, image, values_at(operator, s), np.random.default_rng(3)), image)
            for s in SEVERITIES
        ]
        assert (np.diff(values) < -0.5).all(), (name, values)


@pytest.mark.parametrize("operator", ["h264", "dropped_frames"])
def test_higher_severity_of_what_happens_to_videos_is_further_from_the_original(operator, picture):
    clip = [picture(96, 128, shift=2 * number) for number in range(96)]
    means = []
    for severity in SEVERITIES:
        result = degraded_clip(operator, severity, clip)
        errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(result, clip, strict=True)]
        means.append(10 * np.log10(255**2 / np.mean(errors)))
    assert (np.diff(means) < 0).all(), means


def test_the_whole_chain_gets_worse_with_severity(picture):
    image = picture(96, 128)
    medians = []
    for severity in SEVERITIES:
        schedule = Schedule(DegradeSettings(mode="per_frame", severity=severity), "clip")
        values = [psnr(spoil(image, schedule.at(n), schedule.noise(n)), image) for n in range(1, 61)]
        medians.append(np.median(values))
    assert (np.diff(medians) < -0.5).all(), medians


def test_values_between_severities_are_geometric_means():
    low, high = values_at("low_light", 2), values_at("low_light", 3)
    between = values_at("low_light", 2.5)
    for name, value in between.items():
        assert value == pytest.approx((low[name] * high[name]) ** 0.5)
    assert values_at("jpeg", 5.0) == {"quality": 6.0}


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2), (33, 47)])
@pytest.mark.parametrize("operator", ON_PICTURES)
@pytest.mark.parametrize("severity", [1, 5])
def test_images_of_any_size_keep_size_and_type(operator, shape, severity):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = image.copy()
    for given in (image, to_float(image)):
        result = apply_operator(operator, given, values_at(operator, severity), rng)
        assert result.shape == given.shape
        assert result.dtype == given.dtype
        assert result.min() >= 0
        assert result.max() <= (255 if given.dtype == np.uint8 else 1)
    np.testing.assert_array_equal(image, before)


def test_operators_apply_in_their_order_whatever_order_they_are_named_in(picture):
    image = picture(24, 32)
    results = []
    for only in (("jpeg", "motion_blur"), ("motion_blur", "jpeg")):
        schedule = Schedule(DegradeSettings(mode="fixed", severity=3, only=only), "a")
        results.append(spoil(image, schedule.at(1), schedule.noise(1)))
    angle = schedule.at(1).values["motion_blur"]["angle"]
    by_hand = compress_jpeg(blur(to_float(image), motion_kernel(10, angle)), 20)
    np.testing.assert_array_equal(results[0], to_bytes(by_hand))
    np.testing.assert_array_equal(results[0], results[1])


def test_the_chain_can_be_joined_by_others(picture):
    image = picture(24, 32)
    schedule = Schedule(DegradeSettings(only=("eq17", "low_light")), "a")
    dark = spoil(image, schedule.at(1), schedule.noise(1))
    alone = Schedule(DegradeSettings(), "a")
    assert schedule.at(1).eq17 == alone.at(1).eq17  # the operators beside it do not change what it draws
    assert dark.mean() < 0.8 * spoil(image, alone.at(1), alone.noise(1)).mean()


@pytest.mark.parametrize("severity", [0, 5.1, float("nan")])
def test_severities_outside_one_to_five_are_refused(severity):
    with pytest.raises(ValueError, match="severity must lie in 1 to 5"):
        values_at("blur", severity)


def test_what_is_no_operator_on_a_picture_is_refused():
    with pytest.raises(ValueError, match="operator must be one of sharpen"):
        values_at("eq17", 1)
    with pytest.raises(ValueError, match="operator must be one of sharpen"):
        apply_operator("h264", np.zeros((2, 2, 3), np.uint8), {"crf": 30.0}, np.random.default_rng(0))
