"""Where people are in a rendered frame, exactly: full and visible boxes, and how much of each is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class PersonTruth:
    """One person in one frame.

    Attributes:
        track_id: From 1.
        box: ``xyxy`` in pixels around the whole body, also where it is hidden or beyond the image, as MOTChallenge
            annotates; in the middle of the exposure.
        visible_box: ``xyxy`` around the pixels that show the person; None if there are none.
        visibility: Share of the body that is seen, 0 to 1. Of what lies beyond the image only the box is known, so its
            share counts by the box's area.
        motion: What the person does.
    """

    track_id: int
    box: Box
    visible_box: Box | None
    visibility: float
    motion: str


@compiled
def extents(projected: NDArray[np.float32], first_vertex: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the bounds ``xyxy`` of each person's vertices, ``(K, 4)``; NaN where one of them is behind the camera."""
    people = len(first_vertex) - 1
    boxes = np.empty((people, 4))
    for k in range(people):
        left, top, right, bottom = 1e9, 1e9, -1e9, -1e9
        for n in range(first_vertex[k], first_vertex[k + 1]):
            if projected[n, 2] <= 0:
                left = np.nan
                break
            x, y = projected[n, 0], projected[n, 1]
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3] = left, top, right, bottom
    return boxes


@compiled
def majority(owners: NDArray[np.int16], num_people: int) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Settle whom each pixel shows.

    Args:
        owners: ``(4, H, W)``, for each sub-frame the person that is seen, -1 for none.
        num_people: How many there are.

    Returns:
        ``(H, W)``, the person that at least two sub-frames show (the earlier of two pairs), else -1; and ``(K,)``, in
        how many pixels of all sub-frames each person is seen.
    """
    height, width = owners.shape[1:]
    settled = np.empty((height, width), np.int16)
    seen = np.zeros(num_people, np.int64)
    for row in range(height):
        for column in range(width):
            a, b = owners[0, row, column], owners[1, row, column]
            c, d = owners[2, row, column], owners[3, row, column]
            if a >= 0:
                seen[a] += 1
            if b >= 0:
                seen[b] += 1
            if c >= 0:
                seen[c] += 1
            if d >= 0:
                seen[d] += 1
            best = np.int16(-1)
            if a >= 0 and a in (b, c, d):
                best = a
            elif b >= 0 and b in (c, d):
                best = b
            elif c >= 0 and c == d:
                best = c
            settled[row, column] = best
    return settled, seen


@compiled
def visible_extents(owner: NDArray[np.int16], num_people: int) -> NDArray[np.float64]:
    """Give the bounds ``xyxy`` of the pixels that show each person, ``(K, 4)``; zeros where there are none."""
    boxes = np.zeros((num_people, 4))
    height, width = owner.shape
    for row in range(height):
        for column in range(width):
            k = owner[row, column]
            if k < 0:
                continue
            if boxes[k, 2] == 0:
                boxes[k, 0], boxes[k, 1] = column, row
            boxes[k, 0] = min(boxes[k, 0], column)
            boxes[k, 2] = max(boxes[k, 2], column + 1)
            boxes[k, 3] = row + 1
    return boxes
