"""Suppression against the classical definition, written as two loops."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.detection.nms import batched_nms, nms


def slow_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    intersection = max(width, 0) * max(height, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - intersection
    return intersection / union if union > 0 else 0.0


def slow_nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    waiting = sorted(range(len(boxes)), key=lambda index: (-scores[index], index))
    kept: list[int] = []
    for index in waiting:
        if all(slow_iou(boxes[index], boxes[other]) <= threshold for other in kept):
            kept.append(index)
    return kept


def scene(seed: int, count: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, spread, (count, 2)), rng.integers(1, 40, (count, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    return boxes, rng.integers(1, 20, count).astype(np.float32) / 20  # many equal scores


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("count", "spread"), [(1, 50), (60, 30), (200, 60)])
def test_nms_is_the_classical_definition(count: int, spread: float, threshold: float):
    boxes, scores = scene(count, count, spread)
    assert nms(boxes, scores, threshold).tolist() == slow_nms(boxes, scores, threshold)


def test_no_boxes():
    assert nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.7).tolist() == []


def test_equal_boxes_and_scores_keep_the_first():
    boxes = np.tile(np.array([[0, 0, 10, 10]], np.float32), (5, 1))
    assert nms(boxes, np.full(5, 0.5, np.float32), 0.7).tolist() == [0]


def test_boxes_without_area_suppress_nothing():
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [0, 0, 10, 10], [9, 9, 1, 1]], np.float32)
    assert nms(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32), 0.0).tolist() == [0, 1, 2, 3]


def test_an_overlap_of_exactly_the_threshold_stays():
    boxes = np.array([[0, 0, 2, 1], [0, 0, 1, 1]], np.float32)  # IoU 1/2
    scores = np.array([0.9, 0.8], np.float32)
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms(boxes, scores, 0.49).tolist() == [0]


def test_a_limit_gives_the_first_of_all():
    boxes, scores = scene(0, 200, 60)
    everything = nms(boxes, scores, 0.5).tolist()
    assert len(everything) > 10
    assert nms(boxes, scores, 0.5, limit=10).tolist() == everything[:10]


def test_groups_do_not_suppress_one_another():
    boxes, scores = scene(3, 120, 40)
    groups = np.random.default_rng(0).integers(0, 3, 120)
    expected = []
    for group in range(3):
        members = np.flatnonzero(groups == group)
        expected += [int(members[k]) for k in slow_nms(boxes[members], scores[members], 0.3)]
    expected.sort(key=lambda index: (-scores[index], index))
    assert batched_nms(boxes, scores, groups, 0.3).tolist() == expected
    none = np.zeros(0, np.int64)
    assert batched_nms(boxes[:0], scores[:0], none, 0.3).tolist() == []
