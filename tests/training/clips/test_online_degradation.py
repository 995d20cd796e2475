"""Degradation while clips are drawn, and proposals that get worse with it."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.boxes import iou
from vsdmot.errors import ConfigError
from vsdmot.quality import assess
from vsdmot.training.clips.online_degradation import OnlineDegradationConfig, draw_degradation, imitate_proposals

rng = np.random.default_rng


def _picture():
    picture = np.full((240, 320, 3), 90, np.uint8)
    for left, top, width, height in rng(0).integers((0, 0, 9, 9), (300, 220, 80, 60), (60, 4)):
        picture[top : top + height, left : left + width] = rng(left).integers(0, 256, 3)
    return picture


def test_the_share_of_degraded_clips_is_the_probability():
    assert all(draw_degradation(OnlineDegradationConfig(), rng(seed)) is None for seed in range(50))
    config = OnlineDegradationConfig(probability=0.3)
    assert 240 < sum(draw_degradation(config, rng(seed)) is not None for seed in range(1000)) < 360
    assert all(draw_degradation(OnlineDegradationConfig(probability=1.0), rng(seed)) for seed in range(50))


def test_frames_keep_their_size_lose_quality_and_are_the_same_again():
    image = _picture()
    before = image.copy()
    for seed in range(5):
        degradation = draw_degradation(OnlineDegradationConfig(probability=1.0), rng(seed))
        assert degradation is not None
        first, second = degradation.apply(image, 0), degradation.apply(image, 9)
        assert first.shape == second.shape == image.shape
        assert first.dtype == np.uint8
        assert assess(first).score < assess(image).score
        assert (first != second).any()
        again = draw_degradation(OnlineDegradationConfig(probability=1.0), rng(seed))
        assert again is not None
        np.testing.assert_array_equal(again.apply(image, 9), second)
        assert again.label(9) == degradation.label(9) != degradation.label(0)
    np.testing.assert_array_equal(image, before)


def test_it_drifts_over_the_clip():
    """Parameters of neighbours are nearer to each other than those of two clips."""
    config = OnlineDegradationConfig(probability=1.0, only=("motion_blur",))

    def levels(seed):
        degradation = draw_degradation(config, rng(seed))
        assert degradation is not None
        first = degradation.first_frame
        return [degradation.schedule.at(first + t).values["motion_blur"]["severity"] for t in range(5)]

    drawn = np.array([levels(seed) for seed in range(40)])
    within = np.abs(np.diff(drawn, axis=1)).mean()
    between = np.abs(np.diff(drawn, axis=0)).mean()
    assert 0 < within < between / 5


def test_operators_that_need_a_whole_video_are_refused():
    with pytest.raises(ConfigError, match=r"only: h264 needs every frame of a video"):
        OnlineDegradationConfig(only=("motion_blur", "h264"))
    with pytest.raises(ConfigError, match="severity: must be from 1 to 5"):
        OnlineDegradationConfig(severity=9)


def test_imitated_proposals_get_worse_with_the_frame():
    image = np.zeros((400, 600, 3), np.uint8)
    people = np.array([[50 + 90 * k, 100, 100 + 90 * k, 250] for k in range(6)], np.float32)

    def recall_and_fit(quality):
        overlaps = [iou(people, imitate_proposals(people, image, quality, rng(seed)).boxes) for seed in range(60)]
        best = np.array([overlap.max(axis=1, initial=0) for overlap in overlaps])
        return (best > 0.5).mean(), best[best > 0.5].mean()

    good, fair, poor = (recall_and_fit(quality) for quality in (0.82, 0.4, 0.1))
    assert good[0] > 0.97
    assert good[0] > fair[0] > poor[0] > 0.4
    assert good[1] > fair[1] > poor[1]


def test_nobody_to_imitate_is_legal():
    proposals = imitate_proposals(np.zeros((0, 4), np.float32), np.zeros((40, 60, 3), np.uint8), 0.8, rng(0))
    assert proposals.boxes.shape[1] == 4
