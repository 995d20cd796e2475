"""Box formats and overlap, against slow loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot import boxes


def random_boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-20, 80, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(0, 60, (count, 2))], axis=1).astype(np.float32)


def slow_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    sizes = [max(0.0, float(x[2] - x[0])) * max(0.0, float(x[3] - x[1])) for x in (a, b)]
    union = sum(sizes) - width * height
    return width * height / union if union > 0 else 0.0


def test_iou_matches_a_loop_over_pairs():
    first, second = random_boxes(7, 0), random_boxes(9, 1)
    overlap = boxes.iou(first, second)
    for i in range(7):
        for j in range(9):
            assert overlap[i, j] == pytest.approx(slow_iou(first[i], second[j]), abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param([0, 0, 0, 0], [0, 0, 0, 0], 0.0, id="two empty boxes"),
        pytest.param([0, 0, 2, 2], [2, 0, 4, 2], 0.0, id="touching edges"),
        pytest.param([0, 0, 2, 2], [0, 0, 2, 2], 1.0, id="same box"),
        pytest.param([2, 2, 0, 0], [0, 0, 2, 2], 0.0, id="turned inside out"),
        pytest.param([0, 0, 4, 4], [1, 1, 3, 3], 0.25, id="one inside the other"),
    ],
)
def test_iou_edge_cases(a, b, expected):
    assert boxes.iou(np.array([a], float), np.array([b], float))[0, 0] == pytest.approx(expected)


def test_iou_of_no_boxes_has_the_right_shape():
    assert boxes.iou(np.zeros((0, 4)), np.ones((3, 4))).shape == (0, 3)


@pytest.mark.parametrize(
    ("there", "back"),
    [(boxes.xyxy_to_cxcywh, boxes.cxcywh_to_xyxy), (boxes.xyxy_to_xywh, boxes.xywh_to_xyxy)],
)
def test_conversions_round_trip_and_agree_between_numpy_and_torch(there, back):
    original = random_boxes(11, 2)
    np.testing.assert_allclose(back(there(original)), original, atol=1e-4)
    np.testing.assert_array_equal(there(torch.from_numpy(original)).numpy(), there(original))
    assert there(original).dtype == np.float32


def test_iou_agrees_between_numpy_and_torch():
    first, second = random_boxes(5, 3), random_boxes(4, 4)
    np.testing.assert_allclose(
        boxes.iou(torch.from_numpy(first), torch.from_numpy(second)).numpy(), boxes.iou(first, second), atol=1e-6
    )
