"""Detections from a file instead of a detector: MOTChallenge ``det.txt``, or a ``det_db`` JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from vsdmot.detection.det_db import DetDb
from vsdmot.detection.proposals import ProposalSource
from vsdmot.detection.rows import usable_rows
from vsdmot.errors import FormatError
from vsdmot.io.mot_text import read_mot
from vsdmot.structures import Frame, Proposals


class DetectionFile(ProposalSource, Protocol):
    """A file of detections, read and checked as a whole when it is opened."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, dropped or scaled, a sentence each, for the user."""
        ...


def open_detections(path: Path, *, sequence: str | None = None) -> DetectionFile:
    """Open a file of detections; its content decides its format, not its name.

    Args:
        path: MOTChallenge text, or a JSON mapping of image names to lists of ``left,top,width,height,score``.
        sequence: Name of the sequence, to find the frames of a video in a JSON file, whose entries have image names.

    Raises:
        FormatError: The file is missing or a part of it cannot be understood.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(256).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise FormatError(f"{path}: cannot read detections: {(error.strerror or str(error)).lower()}") from None
    if start.startswith((b"{", b"[")):
        return DetDb(path, sequence=sequence)
    return MotDetections(path)


class MotDetections:
    """Detections of one sequence as MOTChallenge text, ``frame,-1,left,top,width,height,score``.

    Args:
        path: The file; it may be empty. Without a score column every score is 1.

    Raises:
        FormatError: A line cannot be understood, or some lines have a score and others not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        rows = read_mot(path)
        without = rows.num_columns < 7
        notes: tuple[str, ...] = ()
        if len(rows) and without.all():
            notes = ("there is no score column: every score is taken as 1",)
        elif without.any():
            line = rows.line_numbers[int(np.flatnonzero(without)[0])]
            raise FormatError(f"{path}:{line}: expected a score as 7th value, as other lines have, got 6 values")
        scores = np.where(without, 1.0, rows.scores)
        broken = np.flatnonzero(~np.isfinite(scores))
        if len(broken):
            line = rows.line_numbers[int(broken[0])]
            raise FormatError(f"{path}:{line}: expected a finite score, got {scores[int(broken[0])]}")
        order = np.argsort(rows.frames, kind="stable")
        self._frames = rows.frames[order]
        self._rows = usable_rows(rows.boxes[order], scores[order])
        self.notes = notes + self._rows.notes

    def __call__(self, frame: Frame) -> Proposals:
        """Give the detections of the frame with this index; none is legal."""
        start, stop = np.searchsorted(self._frames, (frame.index, frame.index + 1)).tolist()
        return self._rows.between(start, stop)
