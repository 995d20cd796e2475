"""A sequence that clips are drawn from, held as a few arrays and not as an object for each box.

DanceTrack's 40 sequences of 1,000 frames take some megabytes, and worker processes share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsdmot.datasets.splits import Quality
from vsdmot.structures import Boxes


@dataclass(frozen=True, eq=False)
class BoxRows:
    """Boxes of many frames in one array.

    Attributes:
        starts: ``(F + 1,)`` int64: frame ``f`` has the rows ``starts[f]`` to ``starts[f + 1]``.
        boxes: ``(N, 4)`` float32 ``xyxy`` in pixels of the image.
        values: ``(N,)``: int64 ids of people, or float32 scores of proposals.
    """

    starts: NDArray[np.int64]
    boxes: Boxes
    values: NDArray[Any]

    def at(self, position: int) -> tuple[Boxes, NDArray[Any]]:
        """Boxes and values of the frame at a position, from 0."""
        rows = slice(int(self.starts[position]), int(self.starts[position + 1]))
        return self.boxes[rows], self.values[rows]


@dataclass(frozen=True, eq=False)
class ClipSequence:
    """The frames of a sequence that have an image and lie between its first and last annotation.

    Attributes:
        name: Its name, for messages.
        folder: Where its images are.
        files: ``(F,)``, names of the images.
        frames: ``(F,)`` int64, frame numbers from 1, rising; may skip.
        people: Boxes and ids.
        proposals: Boxes and scores; None if they are imitated when a clip is drawn.
        quality: Whether the images were degraded.
        max_interval: Longest distance of a clip's frames; None takes that of the sampling.
        clean_folder: Where the same images lie undegraded; None where they do not.
        is_still: Whether each image is a scene of its own, which becomes a clip by moving it.
        ground_truth: The file that people were read from, ``gt.txt``; None for still images.
    """

    name: str
    folder: Path
    files: NDArray[np.str_]
    frames: NDArray[np.int64]
    people: BoxRows
    proposals: BoxRows | None
    quality: Quality = "clean"
    max_interval: int | None = None
    clean_folder: Path | None = None
    is_still: bool = False
    ground_truth: Path | None = None

    def __len__(self) -> int:
        return len(self.files)

    def path(self, position: int) -> Path:
        """The image at a position, from 0."""
        return self.folder / str(self.files[position])

    def clean_path(self, position: int) -> Path | None:
        """The undegraded image at a position; None if it is not known."""
        folder = self.folder if self.quality == "clean" else self.clean_folder
        return None if folder is None else folder / str(self.files[position])

    def label(self, position: int) -> str:
        """Name a frame: the sequence and its image, such as ``dancetrack0001/00000001``."""
        return f"{self.name}/{Path(str(self.files[position])).stem}"
