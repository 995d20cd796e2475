"""What a tracker reported over a sequence: boxes with ids, from a file or from memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vsdmot.structures import FrameResult

MOST_FRAMES = 1_000_000
"""Longest sequence that is evaluated, 11 hours at 25 frames per second: even a frame without anybody takes memory."""


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """Reported boxes, by rising frame. The arrays are read-only.

    Attributes:
        frames: ``(N,)`` int64, never falling.
        ids: ``(N,)`` int64.
        boxes: ``(N, 4)`` float64 ``xyxy`` in pixels; may reach beyond the image, may be turned inside out.
        path: The file they come from; None for results in memory.
        line_numbers: ``(N,)`` int64, lines of the file, from 1.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    path: Path | None = None
    line_numbers: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if np.any(np.diff(self.frames) < 0):
            raise ValueError("TrackedBoxes.frames must not fall; sort the rows by frame")
        if self.boxes.shape != (len(self.frames), 4) or self.ids.shape != self.frames.shape:
            raise ValueError(f"TrackedBoxes holds {len(self.frames)} frames, {self.ids.shape} ids, {self.boxes.shape}")
        for array in (self.frames, self.ids, self.boxes):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def from_results(cls, results: Iterable[FrameResult]) -> Self:
        """Collect what a tracker gives frame by frame, or what ``read_json_lines`` reads back.

        Raises:
            ValueError: The frames fall, or one comes twice.
        """
        frames, ids, boxes = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty((0, 4))]
        last = 0
        for result in results:
            if result.index <= last:
                raise ValueError(f"expected rising frames, got {result.index} after {last}")
            last = result.index
            frames.append(np.full(len(result.tracks), result.index, np.int64))
            ids.append(result.tracks.ids)
            boxes.append(result.tracks.boxes.astype(np.float64))
        return cls(np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes))

    def where(self, row: int) -> str:
        """Say where a row stands, for messages."""
        if self.path is not None and self.line_numbers is not None:
            return f"{self.path}:{self.line_numbers[row]}"
        return f"track {self.ids[row]} in frame {self.frames[row]}"
