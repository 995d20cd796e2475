"""A clip made of a still image: the view moves a little from frame to frame, as if the camera did."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.config import at_least, check
from vsdmot.structures import Boxes, Image


@dataclass(frozen=True, kw_only=True)
class PseudoClipConfig:
    """How still images move.

    Attributes:
        max_shift: Most pixels that the view moves by from frame to frame, each way; raising it gives faster motion.
    """

    max_shift: int = 50

    def __post_init__(self) -> None:
        check(self, max_shift=at_least(1))


def draw_windows(
    height: int, width: int, length: int, config: PseudoClipConfig, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw what each frame shows of the still: MOTRv2's ``FixedMotRandomShift``.

    One shift is drawn for the clip. Each frame is the frame before it less what the shift cuts off at one side, brought
    back to full size, so that the view moves and closes in.

    Note: here the windows are followed in the still itself, so every frame is scaled once and not up to four times. The
    view never closes in to less than half of a side, so that small images survive; those of CrowdHuman never do.

    Args:
        height: Of the still, pixels.
        width: Of the still, pixels.
        length: Frames.
        config: The largest shift.
        rng: Source of the shift.

    Returns:
        ``(length, 4)``: left, top, right, bottom in whole pixels of the still; the first is all of it.
    """
    sides = np.array([width, height])
    shift = (rng.random(2) * config.max_shift).astype(np.int64) + 1
    shift = np.minimum(shift, sides // (2 * max(1, length - 1)))
    is_forward = rng.random(2) < 0.5
    windows = [np.array([0.0, 0.0, width, height])]
    for _ in range(length - 1):
        left_top, right_bottom = windows[-1][:2], windows[-1][2:]
        cut = shift * (right_bottom - left_top) / sides  # the shift is in pixels of the frame, not of the still
        moved = (left_top + cut * is_forward, right_bottom - cut * ~is_forward)
        windows.append(np.concatenate(moved))
    return np.round(windows).astype(np.int64)


def look_through(still: Image, window: NDArray[np.int64]) -> Image:
    """Show a window ``(4,)`` of a still at the still's full size."""
    height, width = still.shape[:2]
    left, top, right, bottom = window.tolist()
    if (left, top, right, bottom) == (0, 0, width, height):
        return still
    shown: Image = cv2.resize(still[top:bottom, left:right], (width, height), interpolation=cv2.INTER_LINEAR)
    return shown


def move_boxes(boxes: Boxes, window: NDArray[np.int64], height: int, width: int) -> Boxes:
    """Give boxes of the still as they lie in the picture of a window; they may reach beyond it.

    Note: the original drops boxes by comparing pixels of the scaled frame with the size before scaling; here whatever
    is applied to the picture is applied to the boxes, and who has left the picture is dropped where all clips are cut.

    Args:
        boxes: ``(N, 4)`` ``xyxy`` in pixels of the still.
        window: ``(4,)``, what the frame shows of it.
        height: Of still and frame, pixels.
        width: Of still and frame, pixels.
    """
    left_top, right_bottom = np.tile(window[:2], 2), np.tile(window[2:], 2)
    scale = np.array([width, height] * 2) / (right_bottom - left_top)
    moved: Boxes = ((boxes - left_top) * scale).astype(np.float32)
    return moved
