"""Boxes and scores of a whole file of detections, made fit to be proposals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.structures import Boxes, Proposals

# Where scaled scores begin: above 0, so that no detection is worth nothing; the last digit that our files keep.
_LOWEST_SCALED = 1e-4


@dataclass(frozen=True, eq=False)
class DetectionRows:
    """Usable rows of a file, in its order.

    Attributes:
        index: ``(N,)`` int64, position of each row among the rows of the file; rising.
        boxes: ``(N, 4)`` float32 ``xyxy`` in pixels.
        scores: ``(N,)`` float32 in [0, 1].
        notes: What was dropped or scaled, a sentence each.
    """

    index: NDArray[np.int64]
    boxes: Boxes
    scores: NDArray[np.float32]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)

    def between(self, start: int, stop: int) -> Proposals:
        """Give the rows ``start`` to ``stop`` of the file (counted before any were dropped)."""
        first, last = np.searchsorted(self.index, (start, stop))
        return Proposals(boxes=self.boxes[first:last], scores=self.scores[first:last])


def usable_rows(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> DetectionRows:
    """Drop boxes without area and bring scores to [0, 1].

    Scores that leave [0, 1] anywhere in the file (public detections of MOT15 and MOT17 reach 100 and fall below 0) are
    scaled linearly over the whole file, the lowest to just above 0 and the highest to 1.

    Args:
        boxes: ``(N, 4)`` left, top, width, height in pixels, finite.
        scores: ``(N,)``, finite.
    """
    notes = []
    keep = (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    dropped = len(keep) - int(keep.sum())
    if dropped:
        notes.append(f"{dropped} of {len(keep)} boxes have no area (width or height not above 0) and were left out")
    boxes, scores = boxes[keep], scores[keep]
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    if len(scores) and (low < 0 or high > 1):
        notes.append(f"scores run from {low:g} to {high:g}: scaled to the range 0 to 1 over the whole file")
        share = (scores - low) / (high - low) if high > low else np.ones_like(scores)
        scores = _LOWEST_SCALED + (1 - _LOWEST_SCALED) * share
    if not len(scores):
        notes.append("the file holds no detections")
    return DetectionRows(
        index=np.flatnonzero(keep),
        boxes=xywh_to_xyxy(boxes).astype(np.float32),
        scores=scores.astype(np.float32),
        notes=tuple(notes),
    )
