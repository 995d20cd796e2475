"""Write detections as files that `vsdmot.detection.files.open_detections` reads back.

A file appears under its name only when it is complete: until then it grows beside it, with ``.part`` at the end. A run
that is stopped or fails thus never leaves a file that looks whole and is not, and loses nothing: the part stays, and
can be read like the whole.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import numpy as np

from vsdmot.boxes import xyxy_to_xywh
from vsdmot.errors import OutputError
from vsdmot.structures import Frame, Proposals


class DetTextWriter:
    """Write the proposals of one sequence as MOTChallenge text, ``frame,-1,left,top,width,height,score``.

    Args:
        path: File to write; it is replaced when the ``with`` block ends without an error.

    Raises:
        OutputError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = _PartFile(path)

    def write(self, frame: Frame, proposals: Proposals) -> None:
        """Write the proposals of a frame.

        Raises:
            OutputError: The disk is full.
        """
        self._file.write("".join(f"{frame.index},-1,{line}" for line in _lines(proposals)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.finish(complete=kind is None)


class DetDbWriter:
    """Write the proposals of many sequences as the JSON that MOTRv2 reads.

    Every frame gets a key, also one without proposals, because MOTRv2 fails on a missing one.

    Args:
        path: File to write; it is replaced when the ``with`` block ends without an error.
        root: Folder of the data set; keys are paths below it. None writes paths as the frames have them.
        sequence: Name of the sequence for frames of a video, which have no path.

    Raises:
        OutputError: The file cannot be opened.
    """

    def __init__(self, path: Path, *, root: Path | None = None, sequence: str | None = None) -> None:
        self._path, self._root, self._sequence = path, root, sequence
        self._keys: set[str] = set()
        self._file = _PartFile(path)
        self._file.write("{")

    def write(self, frame: Frame, proposals: Proposals) -> None:
        """Write the proposals of a frame.

        Raises:
            OutputError: The disk is full, the frame lies outside ``root`` or was written before, or a frame of a
                video comes without ``sequence``.
        """
        key = self._key(frame)
        if key in self._keys:
            raise OutputError(f"{self._path}: two frames have the key {key!r}")
        separator = ",\n" if self._keys else "\n"
        self._keys.add(key)
        self._file.write(f"{separator}{json.dumps(key)}: {json.dumps(_lines(proposals))}")

    def _key(self, frame: Frame) -> str:
        if frame.path is None:
            if self._sequence is None:
                raise OutputError(f"{self._path}: frames of a video have no file name: name the sequence")
            return f"{self._sequence}/img1/{frame.index:08d}.txt"
        image = frame.path
        if self._root is not None:
            try:
                image = image.relative_to(self._root)
            except ValueError:
                raise OutputError(f"{self._path}: {image} does not lie in the folder {self._root}") from None
        return image.with_suffix(".txt").as_posix()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.finish(complete=kind is None, ending="\n}\n")


class _PartFile:
    """Text that takes its name when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        try:
            self._file = self._part.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise OutputError(f"{path}: cannot write detections: {(error.strerror or str(error)).lower()}") from None

    def write(self, text: str) -> None:
        """Add text; it is on its way to the disk when this returns."""
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            self._give_up(error)

    def finish(self, *, complete: bool, ending: str = "") -> None:
        """Close the file, and give it its name if the run came to its end."""
        if self._file.closed:  # a write failed, and its error was raised then
            return
        try:
            self._file.write(ending)
            self._file.close()
            if complete:
                os.replace(self._part, self._path)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> NoReturn:
        with contextlib.suppress(OSError):  # closing flushes again, to the same full disk
            self._file.close()
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
        raise OutputError(
            f"{self._path}: cannot write detections: {reason}; what was written is in {self._part.name}"
        ) from None


def _lines(proposals: Proposals) -> list[str]:
    """Give ``left,top,width,height,score`` and a line end for each proposal."""
    boxes = xyxy_to_xywh(proposals.boxes.astype(np.float64)).tolist()
    return [
        f"{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f}\n"
        for (left, top, width, height), score in zip(boxes, proposals.scores.tolist(), strict=True)
    ]
