"""Where something may stand in the picture without hiding people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import area
from vsdmot.structures import Boxes


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the image, in whole pixels."""

    left: int
    top: int
    width: int
    height: int

    def hides(self, boxes: Boxes) -> float:
        """Count the people of ``boxes`` ``(K, 4)`` xyxy that this rectangle hides, each by the hidden part of the box.

        A small person who is hidden as a whole counts as much as a large one: both are lost to the viewer.

        >>> Rectangle(0, 0, 10, 10).hides(np.array([[5, 0, 15, 10], [8, 8, 9, 9]], np.float32))
        1.5
        """
        left_top = np.maximum(boxes[:, :2].astype(np.float64), (self.left, self.top))
        right_bottom = np.minimum(boxes[:, 2:], (self.left + self.width, self.top + self.height))
        hidden = (right_bottom - left_top).clip(0).prod(axis=1)
        return float((hidden / np.maximum(area(boxes), 1e-9)).sum())

    def overlap(self, other: Rectangle) -> int:
        """Count the pixels that two rectangles share."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(0, across) * max(0, down)


def corners(height: int, width: int, size: tuple[int, int], margin: int) -> list[Rectangle]:
    """List the places for a panel in the corners of an image, best liked first.

    Args:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        size: Height and width of the panel in pixels.
        margin: Distance from the edges in pixels.
    """
    right, bottom = width - margin - size[1], height - margin - size[0]
    places = [(margin, margin), (right, margin), (right, bottom), (margin, bottom)]
    return [Rectangle(left, top, size[1], size[0]) for left, top in places]


class CornerChoice:
    """Choose the corner that hides the fewest people, and stay there.

    How much each corner would hide is averaged over about four seconds; the choice moves only when another corner is
    clearly emptier, and not again within two seconds.
    """

    _AVERAGED_SECONDS = 4.0
    _STAY_SECONDS = 2.0
    _CLEARLY = 0.35  # people: somebody who walks past under it moves nothing

    def __init__(self, frame_rate: float) -> None:
        self._frame_rate = frame_rate
        self._hidden: NDArray[np.float64] | None = None
        self._corner = 0
        self._index = 0
        self._moved_at = 0

    def update(self, index: int, hidden: list[float]) -> int:
        """Give the corner to use in a frame.

        Args:
            index: The frame's index.
            hidden: How many people a panel in each corner hides, best liked corner first.

        Returns:
            The position in ``hidden`` of the corner to use.
        """
        now = np.asarray(hidden)
        if self._hidden is None:
            self._hidden, self._corner, self._moved_at = now, int(now.argmin()), index
        else:
            passed = (index - self._index) / self._frame_rate
            self._hidden = now + (self._hidden - now) * math.exp(-passed / self._AVERAGED_SECONDS)
        self._index = index
        best = int(self._hidden.argmin())
        settled = index - self._moved_at >= self._STAY_SECONDS * self._frame_rate
        if settled and self._hidden[self._corner] - self._hidden[best] > self._CLEARLY:
            self._corner, self._moved_at = best, index
        return self._corner
