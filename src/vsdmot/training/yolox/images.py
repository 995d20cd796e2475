"""Still images with the boxes of their people: frames of MOT sequences (rendered ones too) and CrowdHuman."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from vsdmot.datasets.splits import read_split
from vsdmot.errors import FormatError, SourceError
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.box_checks import wholly_outside, without_area
from vsdmot.io.crowdhuman import read_crowdhuman
from vsdmot.io.crowdhuman_check import list_images
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.images import number_images, read_image
from vsdmot.structures import Boxes, Image

_EXIF_ORIENTATION = 0x0112
_TRANSPOSED = frozenset({5, 6, 7, 8})  # orientations that swap width and height


@dataclass(frozen=True, eq=False)
class StillImage:
    """An image on disk and who is in it.

    Attributes:
        path: The image.
        group: The sequence that it belongs to, or the file of annotations.
        boxes: ``(G, 4)`` float32 ``xyxy`` in pixels of the image: people who are to be found. May reach beyond it.
        ignored: ``(I, 4)`` float32 ``xyxy``: crowds, and people who are hardly seen. Nobody is asked to find them,
            nor punished for it.
    """

    path: Path
    group: str
    boxes: Boxes
    ignored: Boxes


def read_images(path: Path, *, every: int = 1, min_visibility: float = 0.0) -> list[StillImage]:
    """List the images of a data set.

    Args:
        path: A folder of sequences with ground truth, one sequence, a list of sequences (as `vsdmot data build` writes
            them, ``.txt``), or annotations of CrowdHuman (``.odgt``).
        every: Take every so-manieth frame of a sequence, from its first; CrowdHuman is taken whole.
        min_visibility: People of whom a smaller share is visible are ignored. 0 takes all.

    Raises:
        SourceError: Nothing is there, a sequence has no images, or an image of CrowdHuman is missing.
        FormatError: Annotations are missing or cannot be read.
    """
    if path.suffix == ".odgt":
        return list(_crowdhuman(path))
    folders = [entry.folder for entry in read_split(path)] if path.suffix == ".txt" else sequence_folders(path)
    return [image for folder in folders for image in _sequence(folder, every, min_visibility)]


def _sequence(folder: Path, every: int, min_visibility: float) -> Iterator[StillImage]:
    sequence = describe_sequence(folder)
    if sequence.ground_truth is None:
        raise FormatError(f"{folder}: expected ground truth in gt/gt.txt to train or validate on, it is not there")
    numbered, _ = number_images(sequence.image_folder)
    if not numbered:
        raise SourceError(f"{sequence.image_folder}: expected images named by frame, such as 000001.jpg, found none")
    truth = read_ground_truth(sequence.ground_truth).people()
    for index, path in numbered[::every]:
        yield StillImage(path, sequence.name, *_of_frame(truth.on_frame(index), sequence.size, min_visibility))


def _of_frame(rows: GroundTruth, size: tuple[int, int] | None, min_visibility: float) -> tuple[Boxes, Boxes]:
    """Give the boxes of a frame that are to be found, and those that are ignored; some are neither."""
    usable = ~without_area(rows.boxes)
    if size is not None:
        usable &= ~wholly_outside(rows.boxes, size)
    boxes, seen = rows.boxes.astype(np.float32), rows.visibility >= min_visibility
    return boxes[usable & seen], boxes[usable & ~seen]


def _crowdhuman(path: Path) -> Iterator[StillImage]:
    files = list_images(path.parent)
    for image in read_crowdhuman(path):
        file = files.get(image.image_id)
        if file is None:
            raise SourceError(f"{path}: the image {image.image_id} is not in {path.parent} or below it")
        whole = ~without_area(image.boxes)
        boxes = image.boxes.astype(np.float32)
        yield StillImage(file, path.stem, boxes[whole & ~image.ignored], boxes[whole & image.ignored])


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image and the boxes of its people.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB.
        boxes: ``(G, 4)`` float32 ``xyxy`` in its pixels; may reach beyond it.
    """

    image: Image
    boxes: Boxes


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


def num_people(images: Iterable[StillImage]) -> int:
    """Count the people who are to be found."""
    return sum(len(image.boxes) for image in images)


def sequence_names(images: Iterable[StillImage]) -> tuple[str, ...]:
    """List the sequences that the images are of, each once, in order of their names."""
    return tuple(sorted({image.group for image in images}))


def corners_of(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the four corners of ``xyxy`` boxes ``(G, 4)``, in order around them: ``(G, 4, 2)``."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
