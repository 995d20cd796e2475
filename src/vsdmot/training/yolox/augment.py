"""From the pictures of a data set to one training picture: with mosaic, or as at inference."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from vsdmot.config import check, within
from vsdmot.degradation.frames import spoil
from vsdmot.degradation.operators import ON_VIDEO, Operator
from vsdmot.degradation.schedule import DegradeSettings, Schedule
from vsdmot.detection.yolox.letterbox import letterbox
from vsdmot.structures import Image
from vsdmot.training.yolox.mosaic import MosaicConfig, mixup, mosaic
from vsdmot.training.yolox.pictures import Picture, PictureStore

_COLOUR_STEPS = (5.0, 30.0, 30.0)  # largest change of hue (of 180), saturation and value (of 255)


@dataclass(frozen=True, kw_only=True)
class DegradationConfig:
    """Low quality made while training, beside or in place of a degraded data set.

    Numbers of operators count pixels of the network's input, so that small people suffer more than under
    `vsdmot degrade`, which works on the whole frame.

    Attributes:
        probability: Share of the training pictures that are degraded (0 to 1). Raising it makes the detector better on
            low quality and a little worse on high.
        severity: From 1 (mild) to 5 (hardly usable); null draws from the published distributions.
        only: Operators in place of the whole chain (eq17), separated by commas; h264 and dropped_frames need a video.
    """

    probability: float = 0.0
    severity: int | None = None
    only: tuple[Operator, ...] = ("eq17",)

    def __post_init__(self) -> None:
        check(self, probability=within(0, 1), severity=within(1, 5), only=_for_images)
        DegradeSettings(severity=self.severity, only=self.only)


def _for_images(operators: tuple[Operator, ...]) -> str | None:
    return f"without {' and '.join(ON_VIDEO)}" if set(operators) & set(ON_VIDEO) else None


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """What happens to pictures before the network sees them.

    Attributes:
        mosaic: How often four pictures are joined (0 to 1), until the last epochs.
        geometry: How they are joined.
        flip: How often a picture is mirrored (0 to 1); also in the last epochs.
        colour: Strength of random changes of colour, 0 for none; also in the last epochs.
        degradation: Low quality made while training; also in the last epochs.
    """

    mosaic: float = 1.0
    geometry: MosaicConfig = field(default_factory=MosaicConfig)
    flip: float = 0.5
    colour: float = 1.0
    degradation: DegradationConfig = field(default_factory=DegradationConfig)

    def __post_init__(self) -> None:
        check(self, mosaic=within(0, 1), flip=within(0, 1), colour=within(0, 4))


class Augmenter:
    """Makes training pictures; what it makes depends on its arguments alone, so threads may share it.

    Args:
        store: The pictures.
        config: What happens to them.
    """

    def __init__(self, store: PictureStore, config: AugmentConfig) -> None:
        self._store, self._config = store, config

    def make(self, index: int, shape: tuple[int, int], rng: np.random.Generator, *, augmented: bool) -> Picture:
        """Make a training picture.

        Args:
            index: Of the picture that it is made of, or begins with.
            shape: Height and width of the result.
            rng: Where all chance comes from.
            augmented: False in the last epochs: a single picture, scaled and padded as at inference.

        Raises:
            SourceError: An image cannot be read.
        """
        if augmented and rng.random() < self._config.mosaic:
            return self._spoilt(self._changed(self._mosaic(index, shape, rng), rng), rng)
        picture = self._changed(self._store.load(index, exact=not augmented), rng)
        picture = self._spoilt(picture, rng)
        image, scale = letterbox(picture.image, shape)
        clean = None if picture.clean is None else letterbox(picture.clean, shape)[0]
        return Picture(image, picture.boxes * np.float32(scale), clean)

    def _mosaic(self, index: int, shape: tuple[int, int], rng: np.random.Generator) -> Picture:
        geometry = self._config.geometry
        others = rng.integers(len(self._store), size=4).tolist()
        pictures = [self._store.load(number, exact=False) for number in (index, *others[:3])]
        joined = mosaic(pictures, shape, geometry, rng)
        if len(joined.boxes) and rng.random() < geometry.mixup:
            over = self._store.load(others[3], exact=False)
            return mixup(joined, over, geometry, rng, mirrored=bool(rng.random() < 0.5))
        return joined

    def _changed(self, picture: Picture, rng: np.random.Generator) -> Picture:
        image = change_colours(picture.image, self._config.colour, rng)
        changed = Picture(image, picture.boxes)
        return mirror(changed) if rng.random() < self._config.flip else changed

    def _spoilt(self, picture: Picture, rng: np.random.Generator) -> Picture:
        config = self._config.degradation
        if rng.random() >= config.probability:
            return picture
        settings = DegradeSettings(
            mode="per_frame", seed=int(rng.integers(2**31)), severity=config.severity, only=config.only
        )
        schedule = Schedule(settings, "picture")
        return Picture(spoil(picture.image, schedule.at(1), schedule.noise(1)), picture.boxes, picture.image)


def mirror(picture: Picture) -> Picture:
    """Exchange left and right."""
    boxes = picture.boxes.copy()
    boxes[:, [0, 2]] = picture.image.shape[1] - picture.boxes[:, [2, 0]]
    return Picture(np.ascontiguousarray(picture.image[:, ::-1]), boxes)


def change_colours(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Add random amounts to hue, saturation and value, each left alone half the time (as YOLOX since 0.2 does).

    Args:
        image: ``(H, W, 3)`` uint8 RGB; not changed.
        strength: Factor of the largest amounts (5 of 180, 30 and 30 of 255); 0 gives the image itself.
        rng: Where from.
    """
    amounts = (strength * rng.uniform(-1, 1, 3) * _COLOUR_STEPS * rng.integers(0, 2, 3)).astype(np.int64)
    if not amounts.any():
        return image
    values = np.arange(256)
    # OpenCV's 8-bit hue counts half degrees and goes around; the other two end at black and white.
    hues, others = (values + amounts[0]) % 180, [(values + amount).clip(0, 255) for amount in amounts[1:]]
    tables = np.stack([hues, *others], axis=-1)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), tables.astype(np.uint8)[None])
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
