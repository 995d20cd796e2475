"""Greedy non-maximum suppression without torchvision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsdmot.structures import Boxes


def nms(boxes: Boxes, scores: NDArray[np.float32], threshold: float, *, limit: int | None = None) -> NDArray[np.int64]:
    """Keep the best box, drop those that overlap it, and so on.

    Exact and the same on every machine: boxes are taken by falling score, equal scores by rising index.

    Args:
        boxes: ``(P, 4)`` ``xyxy``.
        scores: ``(P,)``.
        threshold: A box is dropped when its IoU with a kept box exceeds this.
        limit: Stop after this many kept boxes; None keeps all.

    Returns:
        Indices of the kept boxes, best score first.

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], np.float32)
    >>> nms(boxes, np.array([0.5, 0.9, 0.7], np.float32), threshold=0.7).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    # Coordinates as rows, so that each step works on contiguous memory and shrinks with what is left.
    left, top, right, bottom = np.ascontiguousarray(boxes[order].T)
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    remaining = np.arange(len(order))
    kept: list[int] = []
    while len(remaining) and (limit is None or len(kept) < limit):
        best, rest = remaining[0], remaining[1:]
        kept.append(best)
        width = np.minimum(right[rest], right[best]) - np.maximum(left[rest], left[best])
        height = np.minimum(bottom[rest], bottom[best]) - np.maximum(top[rest], top[best])
        intersection = np.maximum(width, 0) * np.maximum(height, 0)
        union = areas[rest] + areas[best] - intersection
        remaining = rest[~(intersection > threshold * union)]
    return order[np.array(kept, dtype=np.int64)]


def batched_nms(
    boxes: Boxes, scores: NDArray[np.float32], groups: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    """Suppress within each group only: boxes of different classes, or images, never drop one another.

    Args:
        boxes: ``(P, 4)`` ``xyxy``.
        scores: ``(P,)``.
        groups: ``(P,)`` class or image of each box.
        threshold: A box is dropped when its IoU with a kept box of its group exceeds this.

    Returns:
        Indices of the kept boxes of all groups, best score first, equal scores by rising index.
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    kept = [index[nms(boxes[index], scores[index], threshold)] for index in members]
    joined = np.sort(np.concatenate(kept)) if kept else np.zeros(0, np.int64)
    return joined[np.argsort(-scores[joined], kind="stable")]
