"""Value types refuse what could not be true."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vsdmot.structures import Frame, FrameQuality, Proposals, Tracks


def boxes(count: int) -> np.ndarray:
    return np.tile(np.array([[1, 2, 3, 4]], np.float32), (count, 1))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8)), id="frame index from 0"),
        pytest.param(lambda: Frame(1, 0.0, np.zeros((2, 2), np.uint8)), id="grey frame"),
        pytest.param(lambda: Frame(1, 0.0, np.zeros((2, 2, 3), np.float32)), id="float frame"),
        pytest.param(lambda: FrameQuality(0.1, 0.1, 0.1, 1.01), id="quality above 1"),
        pytest.param(lambda: FrameQuality(float("nan"), 0.1, 0.1, 0.1), id="quality NaN"),
        pytest.param(lambda: Proposals(boxes(2), np.ones(1, np.float32)), id="one score for two boxes"),
        pytest.param(lambda: Proposals(boxes(1), np.full(1, 1.5, np.float32)), id="score above 1"),
        pytest.param(lambda: Proposals(boxes(1), np.full(1, np.nan, np.float32)), id="score NaN"),
        pytest.param(lambda: Proposals(boxes(1) * np.nan, np.ones(1, np.float32)), id="box NaN"),
        pytest.param(lambda: Proposals(boxes(1).astype(float), np.ones(1, np.float32)), id="float64 boxes"),
        pytest.param(lambda: Tracks(np.array([0]), boxes(1), np.ones(1, np.float32)), id="track id 0"),
        pytest.param(lambda: Tracks(np.array([3, 3]), boxes(2), np.ones(2, np.float32)), id="same id twice"),
    ],
)
def test_impossible_values_are_refused_when_made(make):
    with pytest.raises(ValueError, match=r"Frame|Proposals|Tracks"):
        make()


def test_nothing_is_a_legal_value():
    assert len(Proposals.empty()) == 0
    assert len(Tracks.empty()) == 0
    assert len(Tracks.empty().to_supervision()) == 0


def test_values_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Proposals.empty().scores = np.ones(3, np.float32)


def test_above_is_strict_and_keeps_order():
    proposals = Proposals(boxes(3) + np.arange(3, dtype=np.float32)[:, None], np.array([0.9, 0.5, 0.6], np.float32))
    kept = proposals.above(0.5)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.6])
    assert kept.boxes[:, 0].tolist() == [1.0, 3.0]


def test_tracks_become_supervision_detections_with_ids():
    detections = Tracks(np.array([4, 9]), boxes(2), np.array([0.5, 1.0], np.float32)).to_supervision()
    assert detections.tracker_id.tolist() == [4, 9]
    assert detections.confidence.tolist() == [0.5, 1.0]
    assert detections.xyxy.tolist() == [[1, 2, 3, 4]] * 2
