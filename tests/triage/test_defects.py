"""Which name a defect gets, and that what is fine gets none."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsdmot.degradation.operators import apply_operator, values_at
from vsdmot.degradation.video_codec import H264Group
from vsdmot.io.sources import open_source
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures
from vsdmot.triage.defects import DEFECTS, EXPLANATIONS, main_defect, strengths
from vsdmot.triage.measures import measure_picture


def named(image, repeated=0.0):
    return main_defect(strengths(measure_picture(image), repeated))


@pytest.fixture(scope="module")
def large(scene):
    """The scene with more pixels than make a picture small, and without the softness of an enlargement."""
    return np.ascontiguousarray(np.tile(scene, (2, 2, 1)))


def test_a_clean_picture_has_no_defect(large):
    assert named(large) is None


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("blur", "blur"),
        ("ringing", "blur"),
        ("motion_blur", "motion blur"),
        ("resize", "enlarged"),
        ("noise", "noise"),
        ("poisson", "noise"),
        ("low_light", "dark"),
        ("jpeg", "compression"),
    ],
)
@pytest.mark.parametrize("severity", [4, 5])
def test_what_an_operator_puts_in_is_named(operator, expected, severity, large):
    spoilt = apply_operator(operator, large, values_at(operator, severity), np.random.default_rng(0))
    assert named(spoilt) == expected


def test_fog_is_low_contrast_and_not_dark(large):
    assert named(np.rint(large * 0.15 + 150).astype(np.uint8)) == "low contrast"


def test_darkness_that_leaves_little_contrast_is_dark(large):
    assert named(np.rint(large * 0.1).astype(np.uint8)) == "dark"


def test_h264_at_a_usual_rate_is_no_defect(large):
    coder = H264Group(20)
    for shift in range(6):
        coded = coder.recode(np.roll(large, 2 * shift, axis=1))
    assert named(coded) is None


def test_h264_with_too_few_bits_is_compression():
    coder, grain = H264Group(48), np.random.default_rng(0)
    for drawn in draw_figures(FigureClipConfig(num_frames=6, width=640, height=480, worst_severity=0.0)):
        image = np.clip(drawn.frame.image + grain.normal(0, 3, drawn.frame.image.shape), 0, 255)
        coded = coder.recode(image.astype(np.uint8))
    assert named(coded) == "compression"


@pytest.mark.parametrize(("value", "expected"), [(0, "dark"), (150, "low contrast")])
def test_a_covered_lens_and_a_dead_camera_have_names(value, expected):
    assert named(np.full((400, 600, 3), value, np.uint8)) == expected


def test_few_pixels_are_a_defect_until_something_worse_is_there(scene):
    small = np.ascontiguousarray(scene[:200, :260])
    assert named(small) == "small picture"
    assert named(cv2.GaussianBlur(small, (0, 0), 4)) == "blur"


@pytest.mark.parametrize(("share", "expected"), [(0.0, None), (0.06, None), (0.2, "repeated frames")])
def test_repeated_frames_count_from_one_in_fifteen(share, expected, large):
    assert named(large, repeated=share) == expected


def test_strength_grows_with_severity(large):
    for operator, name in (("blur", "blur"), ("noise", "noise"), ("low_light", "dark"), ("jpeg", "compression")):
        values = [
            strengths(
                measure_picture(apply_operator(operator, large, values_at(operator, s), np.random.default_rng(0)))
            )[name]
            for s in (1, 2, 3, 4, 5)
        ]
        assert values == sorted(values), operator


def test_every_defect_is_explained_in_the_docs():
    page = (Path(__file__).resolve().parents[2] / "docs" / "triage.md").read_text(encoding="utf-8")
    for name in DEFECTS:
        assert f"| {name} | {EXPLANATIONS[name]} |" in page


# Real clips, none of which chose a limit; benchmarks/triage.py asks more of them


def first_frames(path, count):
    with open_source(path) as source:
        return [frame.image for frame in itertools.islice(source, count)]


@pytest.mark.parametrize(
    "clip", ["mot15/train/PETS09-S2L1", "mot15/train/TUD-Stadtmitte", "clips/pets09_s2l1_480x360.mp4"]
)
def test_real_clips_get_no_name_until_they_are_spoilt(clip, shared_data):
    (image,) = first_frames(shared_data / clip, 1)
    assert named(image) is None
    found = {
        operator: named(apply_operator(operator, image, values_at(operator, 4), np.random.default_rng(0)))
        for operator in ("blur", "motion_blur", "resize", "noise", "poisson", "low_light", "jpeg")
    }
    assert found == {
        "blur": "blur", "motion_blur": "motion blur", "resize": "enlarged", "noise": "noise", "poisson": "noise",
        "low_light": "dark", "jpeg": "compression",
    }  # fmt: skip
