"""Decoded training pictures at the size of the network's input, kept in memory as far as they fit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

from vsdmot.errors import SourceError
from vsdmot.io.box_checks import wholly_outside
from vsdmot.io.images import read_image
from vsdmot.structures import Boxes, Image
from vsdmot.training.yolox.images import StillImage

_EXIF_ORIENTATION = 0x0112
_TRANSPOSED = frozenset({5, 6, 7, 8})  # orientations that swap width and height


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image and the boxes of its people.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB.
        boxes: ``(G, 4)`` float32 ``xyxy`` in its pixels; may reach beyond it.
        clean: The image before it was degraded; None for one that was not.
    """

    image: Image
    boxes: Boxes
    clean: Image | None = None


class PictureStore:
    """Reads pictures, scaled to fit the network's input, and keeps as many of them in memory as fit.

    They are scaled as at inference: straight from full size and bilinear. Nothing is ever thrown out for another
    picture: an epoch uses each once, so that the new one would be no more useful than the old.

    Args:
        images: What there is.
        shape: Height and width of the input that pictures are scaled to fit, in pixels.
        limit: Bytes that may be kept.
        clip: Cut boxes at the border of their image.
        fast: Decode JPEG at an eighth, quarter or half of its size where that is no smaller than what is needed: this
            smooths, which inference does not. ``exact`` pictures are always decoded in full.
    """

    def __init__(
        self,
        images: Sequence[StillImage],
        shape: tuple[int, int],
        *,
        limit: int,
        clip: bool = False,
        fast: bool = False,
    ) -> None:
        self.images = images
        self.shape = shape
        self._clip, self._fast = clip, fast
        self._free = limit
        self._kept: dict[int, tuple[Picture, bool]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int, *, exact: bool = True) -> Picture:
        """Give a picture; nobody may write to it.

        Raises:
            SourceError: The image cannot be read.
        """
        with self._lock:
            kept = self._kept.get(index)
        if kept is not None and (kept[1] or not exact):
            return kept[0]
        still = self.images[index]
        fast = self._fast and not exact
        image, full = read_reduced(still.path, self.shape) if fast else _read_full(still.path)
        picture = _fit(image, full, self._people(still, full), self.shape)
        with self._lock:
            if index in self._kept or picture.image.nbytes <= self._free:
                self._free -= 0 if index in self._kept else picture.image.nbytes
                self._kept[index] = picture, not fast
        return picture

    def _people(self, still: StillImage, size: tuple[int, int]) -> Boxes:
        boxes = still.boxes[~wholly_outside(still.boxes.astype(np.float64), size)]
        return boxes.clip(0, np.array([*size, *size], np.float32)) if self._clip else boxes


def read_reduced(path: Path, shape: tuple[int, int]) -> tuple[Image, tuple[int, int]]:
    """Decode an image, a JPEG at the smallest of 1/8, 1/4, 1/2 and 1 of its size that is at least what ``shape`` needs.

    Args:
        path: The image.
        shape: Height and width that it is to fit into.

    Returns:
        ``(h, w, 3)`` uint8 RGB, and width and height of the whole image.

    Raises:
        SourceError: The image cannot be read.
    """
    try:
        with PIL.Image.open(path) as picture:
            width, height = picture.size
            scale = min(shape[0] / height, shape[1] / width)
            # Turned images are upright only later, so this may ask for more pixels than are needed, never for fewer.
            scale = max(scale, min(shape[0] / width, shape[1] / height))
            reduced = picture.format == "JPEG" and scale <= 0.5
            turned = picture.getexif().get(_EXIF_ORIENTATION) in _TRANSPOSED
            if reduced:
                picture.draft(None, (int(np.ceil(width * scale)), int(np.ceil(height * scale))))
                PIL.ImageOps.exif_transpose(picture, in_place=True)
                image = np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise SourceError(f"{path}: not readable as an image: {' '.join(str(error).split())}") from None
    if not reduced:
        return _read_full(path)
    return image, (height, width) if turned else (width, height)


def _read_full(path: Path) -> tuple[Image, tuple[int, int]]:
    image = read_image(path)
    return image, (image.shape[1], image.shape[0])


def _fit(image: Image, full: tuple[int, int], boxes: Boxes, shape: tuple[int, int]) -> Picture:
    """Scale as `vsdmot.detection.yolox.letterbox.letterbox` does, without the grey."""
    width, height = full
    scale = min(shape[0] / height, shape[1] / width)
    new = max(int(height * scale), 1), max(int(width * scale), 1)
    if image.shape[:2] != new:
        image = np.asarray(cv2.resize(image, new[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    return Picture(image, boxes * np.float32(scale))
