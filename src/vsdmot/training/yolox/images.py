"""Still images with the boxes of their people: frames of MOT sequences (rendered ones too) and CrowdHuman."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsdmot.datasets.splits import read_split
from vsdmot.errors import FormatError, SourceError
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.box_checks import wholly_outside, without_area
from vsdmot.io.crowdhuman import read_crowdhuman
from vsdmot.io.crowdhuman_check import list_images
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.images import number_images
from vsdmot.structures import Boxes


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


def num_people(images: Iterable[StillImage]) -> int:
    """Count the people who are to be found."""
    return sum(len(image.boxes) for image in images)


def sequence_names(images: Iterable[StillImage]) -> tuple[str, ...]:
    """List the sequences that the images are of, each once, in order of their names."""
    return tuple(sorted({image.group for image in images}))
