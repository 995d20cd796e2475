"""Mosaic and mixup: one training picture out of four, or five.

Four pictures meet in a point of a canvas of twice the input's size; a random affine map takes a part of it into the
input; half transparent, a fifth picture may lie on top. Each picture is drawn straight into the result by one map,
so it is resampled once, and what the published code cuts away at the border of its canvas is still there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.config import check, within
from vsdmot.structures import Boxes, Image
from vsdmot.training.yolox.pictures import Picture

Matrix = NDArray[np.float64]
"""``(3, 3)``: where a point ``(x, y, 1)`` of a picture comes to lie. Pixel ``i`` covers ``i`` to ``i + 1``."""

_PAD_GREY = 114
_LEAST_SHARE = 0.2  # of what was seen of a person that must still be in the picture
_LEAST_SIDE = 2.0  # pixels of the result that must be seen of a person, in width and in height


@dataclass(frozen=True, kw_only=True)
class MosaicConfig:
    """How four pictures become one; the defaults are those of YOLOX and ByteTrack.

    Attributes:
        degrees: The picture is turned by at most this, in degrees. Raising it loosens the boxes, which stay upright.
        translate: It is moved by at most this share of the input.
        scale: Smallest and largest factor of size.
        shear: Its sides lean by at most this, in degrees.
        mixup: How often a further picture lies half transparent on top (0 to 1).
        mixup_scale: Smallest and largest factor of that picture's size.
    """

    degrees: float = 10.0
    translate: float = 0.1
    scale: tuple[float, float] = (0.1, 2.0)
    shear: float = 2.0
    mixup: float = 1.0
    mixup_scale: tuple[float, float] = (0.5, 1.5)

    def __post_init__(self) -> None:
        check(
            self,
            degrees=within(0, 180),
            translate=within(0, 1),
            scale=_rising,
            shear=within(0, 45),
            mixup=within(0, 1),
            mixup_scale=_rising,
        )


def _rising(bounds: tuple[float, float]) -> str | None:
    return None if 0 < bounds[0] <= bounds[1] else "two numbers greater than 0, the smaller first"


def mosaic(
    pictures: Sequence[Picture], shape: tuple[int, int], config: MosaicConfig, rng: np.random.Generator
) -> Picture:
    """Join four pictures: top left, top right, bottom left, bottom right.

    Args:
        pictures: Four.
        shape: Height and width of the result.
        config: How far it is moved.
        rng: Where from.
    """
    height, width = shape
    middle = np.array([rng.uniform(0.5, 1.5) * width, rng.uniform(0.5, 1.5) * height])
    camera = _random_affine(shape, config, rng)
    image = np.full((height, width, 3), _PAD_GREY, np.uint8)
    found = []
    for number, picture in enumerate(pictures):
        tall, wide = picture.image.shape[:2]
        scale = min(height / tall, width / wide)
        size = np.array([wide, tall]) * scale
        corner = middle - size * np.array([number % 2 == 0, number < 2])  # the picture's top left, on the canvas
        matrix = camera @ _moved(*corner) @ _scaled(scale)
        draw(picture.image, matrix, image)
        found.append(move_people(picture, matrix, shape))
    return Picture(image, np.concatenate(found))


def mixup(under: Picture, over: Picture, config: MosaicConfig, rng: np.random.Generator, *, mirrored: bool) -> Picture:
    """Lay a picture half transparent over another.

    Args:
        under: It keeps its place.
        over: It is scaled at random; where it gets larger than ``under``, a random part of it is taken.
        config: How it is scaled.
        rng: Where from.
        mirrored: Whether ``over`` is mirrored.

    Returns:
        ``under`` itself if nobody would be seen in ``over``.
    """
    height, width = under.image.shape[:2]
    tall, wide = over.image.shape[:2]
    scale = min(height / tall, width / wide) * rng.uniform(*config.mixup_scale)
    spare = np.maximum(np.array([wide, tall]) * scale - (width, height), 0)
    flip = np.array([[-1.0, 0, wide], [0, 1, 0], [0, 0, 1]]) if mirrored else np.eye(3)
    matrix = _moved(*(-spare * rng.random(2))) @ _scaled(scale) @ flip
    boxes = move_people(over, matrix, (height, width))
    if not len(boxes):
        return under
    image = np.full_like(under.image, _PAD_GREY)
    draw(over.image, matrix, image)
    blended = np.asarray(cv2.addWeighted(under.image, 0.5, image, 0.5, 0.0), np.uint8)
    return Picture(blended, np.concatenate([under.boxes, boxes]))


def draw(image: Image, matrix: Matrix, onto: Image) -> None:
    """Draw an image into another, bilinear; what it does not cover stays."""
    height, width = onto.shape[:2]
    tall, wide = image.shape[:2]
    frame = move_boxes(np.array([[0, 0, wide, tall]], np.float32), matrix)[0]
    if frame[0] >= width or frame[1] >= height or frame[2] <= 0 or frame[3] <= 0:
        return
    # OpenCV counts from the middle of the first pixel, boxes from its edge.
    centred = _moved(-0.5, -0.5) @ matrix @ _moved(0.5, 0.5)
    cv2.warpAffine(
        image, centred[:2], (width, height), dst=onto, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )


def move_boxes(boxes: Boxes, matrix: Matrix) -> Boxes:
    """Move boxes ``(G, 4)`` ``xyxy`` by an affine map; the results are upright boxes around their moved corners."""
    corners = boxes.astype(np.float64)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:2, :2].T + matrix[:2, 2]
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)


def move_people(picture: Picture, matrix: Matrix, shape: tuple[int, int]) -> Boxes:
    """Move the boxes of a picture and keep those whose people are still to be seen.

    At least a fifth of the part of a box that lay in its own picture must lie in the result, and 2 pixels of it. Boxes
    keep their full extent beyond the border.

    Args:
        picture: Where they lay.
        matrix: How it is moved.
        shape: Height and width of the result.
    """
    tall, wide = picture.image.shape[:2]
    seen = move_boxes(_cut(picture.boxes, (tall, wide)), matrix)
    left = _cut(seen, shape)
    sides = left[:, 2:] - left[:, :2]
    kept = (sides > _LEAST_SIDE).all(axis=1) & (sides.prod(axis=1) >= _LEAST_SHARE * _area(seen))
    return move_boxes(picture.boxes[kept], matrix)


def _random_affine(shape: tuple[int, int], config: MosaicConfig, rng: np.random.Generator) -> Matrix:
    """Map the canvas of ``(2 H, 2 W)`` to the input: its middle to the input's middle, turned, scaled, leant, moved."""
    height, width = shape
    angle = np.deg2rad(rng.uniform(-config.degrees, config.degrees))
    scale = rng.uniform(*config.scale)
    lean = np.tan(np.deg2rad(rng.uniform(-config.shear, config.shear, 2)))
    place = rng.uniform(0.5 - config.translate, 0.5 + config.translate, 2) * (width, height)
    turn = scale * np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1 / scale]])
    shear = np.array([[1, lean[0], 0], [lean[1], 1, 0], [0, 0, 1]])
    return cast(Matrix, _moved(*place) @ shear @ turn @ _moved(-width, -height))


def _moved(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def _scaled(factor: float) -> Matrix:
    return np.diag([factor, factor, 1.0])


def _cut(boxes: Boxes, shape: tuple[int, int]) -> Boxes:
    height, width = shape
    return boxes.clip(0, np.array([width, height, width, height], np.float32))


def _area(boxes: Boxes) -> NDArray[np.float32]:
    area: NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return area
