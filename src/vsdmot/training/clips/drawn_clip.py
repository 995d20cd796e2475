"""A clip as it travels from the process that drew it: 8-bit pictures, a quarter of the bytes of the network's input."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsdmot.structures import Boxes, Image
from vsdmot.tracking.preprocess import MEAN, SPREAD
from vsdmot.training.clips.clip import Clip, ClipFrame


@dataclass(frozen=True, eq=False)
class DrawnFrame:
    """What is known about a frame of a drawn clip; see `vsdmot.training.clips.clip.ClipFrame`."""

    boxes: Boxes
    ids: NDArray[np.int64]
    proposals: Boxes
    scores: NDArray[np.float32]
    quality: float
    teacher: Tensor | None
    name: str


@dataclass(frozen=True, eq=False)
class DrawnClip:
    """A clip before its pictures are normalised.

    Attributes:
        pictures: ``(T, h, w, 3)`` uint8 RGB; one tensor, so that one block of shared memory carries a clip.
        frames: What is known about each.
        skipped: Why other clips that were drawn in its place could not be read.
    """

    pictures: Tensor
    frames: tuple[DrawnFrame, ...]
    skipped: tuple[str, ...] = ()

    def finish(self, *, pin: bool = False) -> Clip:
        """Give the clip as the network sees it.

        Args:
            pin: Put tensors into page-locked memory, from which a GPU takes them while it computes; needs CUDA.
        """

        def tensor(values: NDArray[np.generic]) -> Tensor:
            made = torch.from_numpy(values.copy())
            return made.pin_memory() if pin else made

        _, height, width, _ = self.pictures.shape
        return tuple(
            ClipFrame(
                image=normalise(picture, torch.empty((3, height, width), pin_memory=pin)),
                boxes=tensor(frame.boxes),
                ids=tensor(frame.ids),
                proposals=tensor(frame.proposals),
                scores=tensor(frame.scores),
                quality=frame.quality,
                teacher=frame.teacher.pin_memory() if pin and frame.teacher is not None else frame.teacher,
                name=frame.name,
            )
            for picture, frame in zip(self.pictures.numpy(), self.frames, strict=True)
        )


def normalise(image: Image, out: Tensor) -> Tensor:
    """Bring 8-bit pixels to the network's input, each bit as `vsdmot.tracking.preprocess.preprocess` does.

    A table of the 256 levels of each channel takes a fifth of the time that arithmetic takes.

    Args:
        image: ``(h, w, 3)`` uint8 RGB, contiguous.
        out: ``(3, h, w)`` float32 to write to, on the CPU; returned.
    """
    for plane, levels, channel in zip(out.numpy(), _LEVELS, cv2.split(image), strict=True):
        cv2.LUT(channel, levels, dst=plane)
    return out


def _level_tables() -> NDArray[np.float32]:
    levels = torch.arange(256, dtype=torch.float32) / 255
    mean, spread = (torch.tensor(values)[:, None] for values in (MEAN, SPREAD))
    return ((levels - mean) / spread).numpy()


_LEVELS = _level_tables()
