"""What all frames of a clip are shown through: one draw of crop, scale, mirror and colour, and boxes moved with it.

MOTRv2's augmentation, as one cut and one resize: its chain of resize, crop and resize again is followed in the decoded
frame, so that no pixel is interpolated twice and none is scaled that is cut off later.

Note: the original scales with antialiasing (Pillow) in training and without (OpenCV) in use. Here both are OpenCV's
linear interpolation, so that the network is trained on what it is given later; with everything off, a frame is what
`vsdmot.tracking.preprocess` makes of it, bit for bit. Images are for the same reason never decoded at reduced size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xyxy_to_cxcywh
from vsdmot.config import Rule, at_least, check, within
from vsdmot.errors import ConfigError
from vsdmot.structures import Boxes, Image
from vsdmot.tracking.preprocess import PreprocessConfig, input_size

_SMALLEST = 32  # px, the least side that the network is given


def _sides(values: tuple[int, ...]) -> str | None:
    return None if values and min(values) >= _SMALLEST else f"one or more whole numbers of at least {_SMALLEST}"


_gains: Rule = lambda values: None if min(values) >= 0 and max(values) <= 255 else "three numbers from 0 to 255"  # noqa: E731


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How clips are augmented. The defaults are MOTRv2's.

    Attributes:
        flip_probability: Share of clips that are mirrored left to right.
        short_sides: Pixels that the shorter side of a clip is scaled to, one of them drawn for each clip.
        long_side: Most pixels that the longer side may get.
        multiple: Both sides are brought to the nearest multiple of so many pixels, as in use.
        crop_probability: Share of clips of which a part is cut out before it is scaled.
        crop_scales: Shorter sides of the whole frame, in pixels, in which the size of the part is measured.
        crop_sides: Least and greatest side of the part at that scale, pixels; lower cuts out smaller parts.
        hsv_probability: Chance for each of hue, saturation and value to be changed.
        hsv_gains: Largest change of hue (of 180), saturation and value (of 255); raising it gives stranger colours.
    """

    flip_probability: float = 0.5
    short_sides: tuple[int, ...] = tuple(range(608, 993, 32))
    long_side: int = 1536
    multiple: int = 1
    crop_probability: float = 0.5
    crop_scales: tuple[int, ...] = (800, 1000, 1200)
    crop_sides: tuple[int, int] = (800, 1200)
    hsv_probability: float = 0.5
    hsv_gains: tuple[float, float, float] = (5.0, 30.0, 30.0)

    def __post_init__(self) -> None:
        check(
            self,
            flip_probability=within(0, 1),
            short_sides=_sides,
            long_side=at_least(_SMALLEST),
            multiple=at_least(1),
            crop_probability=within(0, 1),
            crop_scales=_sides,
            crop_sides=lambda pair: None if 1 <= pair[0] <= pair[1] else "two whole numbers from 1, the lower first",
            hsv_probability=within(0, 1),
            hsv_gains=_gains,
        )
        if max(self.short_sides) > self.long_side:
            raise ConfigError(f"short_sides: must not exceed long_side ({self.long_side}), got {self.short_sides}")
        if min(self.crop_scales) < self.crop_sides[0]:
            raise ConfigError(
                f"crop_scales: must be at least the least of crop_sides ({self.crop_sides[0]}), got {self.crop_scales}"
            )

    @classmethod
    def around(cls, size: PreprocessConfig) -> Self:
        """Give the published augmentation in proportion to another input size than 800 x 1536, such as nano's.

        >>> AugmentConfig.around(PreprocessConfig()) == AugmentConfig()
        True
        """
        default = cls()

        def scaled(sides: tuple[int, ...], most: int) -> tuple[int, ...]:
            proportional = (round(side * size.short_side / 800) for side in sides)
            return tuple(min(max(side, _SMALLEST), most) for side in proportional)

        least, greatest = scaled(default.crop_sides, 10**6)
        return cls(
            short_sides=scaled(default.short_sides, size.long_side),
            long_side=size.long_side,
            multiple=size.multiple,
            crop_scales=scaled(default.crop_scales, 10**6),
            crop_sides=(least, greatest),
        )

    @classmethod
    def off(cls, size: PreprocessConfig) -> Self:
        """Give what shows a frame as the tracker shows it."""
        return cls(
            flip_probability=0.0,
            short_sides=(size.short_side,),
            long_side=size.long_side,
            multiple=size.multiple,
            crop_probability=0.0,
            hsv_probability=0.0,
        )


@dataclass(frozen=True)
class ClipView:
    """How all frames of a clip are shown.

    Attributes:
        window: Left, top, right, bottom of what is shown, in whole pixels of the decoded frame.
        is_cropped: Whether that is less than the frame.
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        flip: Whether it is mirrored left to right.
        hsv: What is added to hue (of 180), saturation and value (of 255).
    """

    window: tuple[int, int, int, int]
    is_cropped: bool
    height: int
    width: int
    flip: bool
    hsv: tuple[int, int, int]

    def show(self, image: Image, out: Image) -> None:
        """Cut, scale, recolour and mirror a frame.

        Args:
            image: ``(H, W, 3)`` uint8 RGB, as decoded; not changed.
            out: ``(height, width, 3)`` uint8, contiguous; takes the result.
        """
        left, top, right, bottom = self.window
        cv2.resize(image[top:bottom, left:right], (self.width, self.height), dst=out, interpolation=cv2.INTER_LINEAR)
        if any(self.hsv):
            cv2.cvtColor(out, cv2.COLOR_RGB2HSV, dst=out)
            cv2.LUT(out, _hsv_table(self.hsv), dst=out)
            cv2.cvtColor(out, cv2.COLOR_HSV2RGB, dst=out)
        if self.flip:
            cv2.flip(out, 1, dst=out)

    def move_people(self, boxes: Boxes) -> tuple[Boxes, NDArray[np.bool_]]:
        """Move the boxes of people; who is wholly outside is dropped, as absent.

        In a whole frame, boxes may reach beyond it, as annotated. In a crop they are cut at its border, as published.

        Args:
            boxes: ``(N, 4)`` ``xyxy`` in pixels of the decoded frame.

        Returns:
            ``(K, 4)`` float32 ``cxcywh`` as shares of the result, and which were kept, ``(N,)``.
        """
        inside = self._cut(boxes)
        keep: NDArray[np.bool_] = np.all(inside[:, 2:] > inside[:, :2], axis=1)
        return self._as_shares((inside if self.is_cropped else boxes)[keep]), keep

    def move_proposals(self, boxes: Boxes) -> tuple[Boxes, NDArray[np.bool_]]:
        """Move the boxes of proposals, as `move_people` does; in a whole frame all are kept, as in use."""
        if self.is_cropped:
            return self.move_people(boxes)
        return self._as_shares(boxes), np.ones(len(boxes), np.bool_)

    def _cut(self, boxes: Boxes) -> Boxes:
        left, top, right, bottom = self.window
        return boxes.clip(np.array([left, top] * 2, np.float32), np.array([right, bottom] * 2, np.float32))

    def _as_shares(self, boxes: Boxes) -> Boxes:
        left, top, right, bottom = self.window
        shares = (boxes.astype(np.float64) - [left, top] * 2) / ([right - left, bottom - top] * 2)
        if self.flip:
            shares = np.stack([1 - shares[:, 2], shares[:, 1], 1 - shares[:, 0], shares[:, 3]], axis=1)
        return xyxy_to_cxcywh(shares).astype(np.float32)


def draw_view(height: int, width: int, config: AugmentConfig, rng: np.random.Generator) -> ClipView:
    """Draw how a clip is shown.

    Args:
        height: Of the decoded frames, pixels.
        width: Of the decoded frames, pixels.
        config: From what is drawn.
        rng: Source of all chance; as many numbers are drawn from it whatever they turn out to be.
    """
    flip, crop, scale, short, *place = rng.random(8)
    changes = rng.uniform(-1, 1, 3) * config.hsv_gains * (rng.random(3) < config.hsv_probability)
    window = (0, 0, width, height)
    if crop < config.crop_probability:
        window = _crop(
            height, width, config.crop_scales[int(scale * len(config.crop_scales))], config.crop_sides, place
        )
    size = PreprocessConfig(
        short_side=config.short_sides[int(short * len(config.short_sides))],
        long_side=config.long_side,
        multiple=config.multiple,
    )
    shown_height, shown_width = input_size(window[3] - window[1], window[2] - window[0], size)
    return ClipView(
        window=window,
        is_cropped=window != (0, 0, width, height),
        height=shown_height,
        width=shown_width,
        flip=bool(flip < config.flip_probability),
        hsv=(int(changes[0]), int(changes[1]), int(changes[2])),
    )


def _crop(
    height: int, width: int, short_side: int, sides: tuple[int, int], place: list[float]
) -> tuple[int, int, int, int]:
    """Choose a part of the frame, measured where its shorter side is ``short_side``, in whole pixels of the frame."""
    scale = short_side / min(height, width)
    edges = []
    for side, share, offset in ((width, place[0], place[2]), (height, place[1], place[3])):
        scaled = round(side * scale)
        # Both ends are drawn alike often, as by the original's randint.
        length = sides[0] + int(share * (min(scaled, sides[1]) - sides[0] + 1))
        start = int(offset * (scaled - length + 1))
        first = min(round(start / scale), side - 1)
        edges.append((first, max(first + 1, min(side, round((start + length) / scale)))))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _hsv_table(changes: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Give new values for all values of hue, which goes round, and of saturation and value, which end."""
    levels = np.arange(256)
    hue, saturation, value = changes
    table = [(levels + hue) % 180, (levels + saturation).clip(0, 255), (levels + value).clip(0, 255)]
    return np.stack(table, axis=1).astype(np.uint8)[None]
