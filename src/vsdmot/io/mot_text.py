"""MOTChallenge text: one box per line, ``frame,id,left,top,width,height,score,...``.

Reading has two layers. `read_table` turns text into numbers and knows nothing of their meaning; `read_mot` puts the
rules on top that every use shares. Evaluation, which must follow the official code in every odd case, can put its own
rules on the table. Widths and heights stay as they are in the file, float64, so that nothing is lost in conversion.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xyxy_to_xywh
from vsdmot.errors import FormatError, OutputError
from vsdmot.structures import FrameResult

COLUMNS = ("frame", "id", "left", "top", "width", "height", "score")

LONGEST_LINE = 131_072
"""Characters of a line. It is also the longest value that the official evaluation reads."""
MOST_COLUMNS = 100
"""Values of a line: a table is as wide as its widest line, so that one endless line would fill the memory."""

_LARGEST_WHOLE = 2.0**53  # beyond this a float64 no longer tells neighbours apart


@dataclass(frozen=True, eq=False)
class MotTable:
    """The numbers of a file, before any rule.

    Attributes:
        path: The file, for messages.
        values: ``(N, C)`` float64; NaN where a line has fewer columns than the longest.
        num_columns: ``(N,)`` int64, columns that each line has.
        line_numbers: ``(N,)`` int64, from 1.
    """

    path: Path
    values: NDArray[np.float64]
    num_columns: NDArray[np.int64]
    line_numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

    def require_columns(self, least: int) -> None:
        """Raise for the first line that has too few values.

        Raises:
            FormatError: A line is too short.
        """
        short = np.flatnonzero(self.num_columns < least)
        if not len(short):
            return
        row = int(short[0])
        line = self.values[row, : self.num_columns[row]]
        names = ", ".join((*COLUMNS, "class")[:least])
        raise FormatError(
            f"{self.path}:{self.line_numbers[row]}: expected at least {least} values ({names}), "
            f"got {len(line)}: '{_shortened(','.join(f'{value:.12g}' for value in line))}'"
        )

    def reject(self, broken: NDArray[np.bool_], expected: str, columns: slice | int) -> None:
        """Raise for the first line that breaks a rule.

        Args:
            broken: ``(N,)``, True where the rule is broken.
            expected: What the rule asks for, for the message.
            columns: Which values to show.

        Raises:
            FormatError: A line is broken.
        """
        if not broken.any():
            return
        row = int(np.flatnonzero(broken)[0])
        shown = np.atleast_1d(self.values[row, columns])
        found = ", ".join(f"{value:.12g}" for value in shown)
        raise FormatError(f"{self.path}:{self.line_numbers[row]}: expected {expected}, got {found}")


@dataclass(frozen=True, eq=False)
class MotRows:
    """The boxes of a file, in the file's order.

    Attributes:
        frames: ``(N,)`` int64, from 1.
        ids: ``(N,)`` int64; -1 in files of detections.
        boxes: ``(N, 4)`` float64: left, top, width, height in pixels; sizes may be zero or negative.
        scores: ``(N,)`` float64, as in the file; NaN where a line has no such column.
        rest: ``(N, R)`` float64, the columns after the score (class, visibility or a position); NaN where absent.
        num_columns: ``(N,)`` int64, columns that each line has.
        line_numbers: ``(N,)`` int64, from 1.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    rest: NDArray[np.float64]
    num_columns: NDArray[np.int64]
    line_numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)


def read_mot(path: Path, *, min_columns: int = 6) -> MotRows:
    """Read boxes.

    Args:
        path: A text file; commas, semicolons, tabs or spaces separate the values. It may be empty.
        min_columns: Values that each line must have, at least 6; 7 asks for a score.

    Raises:
        FormatError: The file is missing or no text, or a line has too few values, text, a box that is not finite, or
            a frame or id that is not a whole number; frames start at 1.
    """
    if min_columns < 6:
        raise ValueError(f"min_columns must be at least 6, the frame, id and box; got {min_columns}")
    table = read_table(path)
    table.require_columns(min_columns)
    values = np.full((len(table), max(7, table.values.shape[1])), np.nan)
    values[:, : table.values.shape[1]] = table.values
    _require_whole(table, 0, "a frame number, whole and at least 1", lowest=1)
    _require_whole(table, 1, "an id that is a whole number", lowest=-_LARGEST_WHOLE)
    table.reject(np.logical_not(np.isfinite(values[:, 2:6]).all(axis=1)), "a box of finite numbers", slice(2, 6))
    return MotRows(
        frames=values[:, 0].astype(np.int64),
        ids=values[:, 1].astype(np.int64),
        boxes=values[:, 2:6],
        scores=values[:, 6],
        rest=values[:, 7:],
        num_columns=table.num_columns,
        line_numbers=table.line_numbers,
    )


def read_table(path: Path, *, strict: bool = False) -> MotTable:
    """Read the numbers of a delimited text file.

    The first line decides the delimiter. A byte order mark, Windows line ends, a delimiter at the end of a line and
    blank lines at the end of the file are no part of the numbers. ``nan``, ``inf`` and ``1e3`` are numbers.

    Args:
        path: A UTF-8 text file; it may be empty.
        strict: Refuse what the official evaluation refuses: a byte order mark, blank lines at the end, more than one
            delimiter at the end of a line, and tabs between the values of one line with spaces between those of others.

    Raises:
        FormatError: The file is missing or no text, or a line is blank, holds something that is no number, or is longer
            than `LONGEST_LINE` or `MOST_COLUMNS`.
    """
    lines = _read_lines(path, strict=strict)
    _refuse_endless(path, list(map(len, lines)), LONGEST_LINE, "characters")
    delimiter = _delimiter(lines[0], strict=strict) if lines else None
    if delimiter is None:
        counts, tokens = [len(line.split()) for line in lines], " ".join(lines).split()
    else:
        lines = [_without_end(line, delimiter, strict=strict) for line in lines]
        counts, tokens = [line.count(delimiter) + 1 for line in lines], delimiter.join(lines).split(delimiter)
    _refuse_endless(path, counts, MOST_COLUMNS, "values")
    num_columns = np.array(counts, np.int64)
    if not all(map(str.strip, lines)) or any("_" in line for line in lines):  # Python reads 1_000 as a number
        _raise_at_first_fault(path, lines, delimiter)
    try:
        # All at once is several times faster than line by line; float() ignores spaces around a number.
        numbers = np.fromiter(map(float, tokens if lines else ()), np.float64, count=int(num_columns.sum()))
    except ValueError:
        _raise_at_first_fault(path, lines, delimiter)
    widest = int(num_columns.max(initial=0))
    values = np.full((len(lines), widest), np.nan)
    values[np.arange(widest) < num_columns[:, None]] = numbers
    return MotTable(path, values, num_columns, np.arange(1, len(lines) + 1))


class MotTextWriter:
    """Write tracks as MOTChallenge text, whole lines after every frame.

    Each line is ``frame,id,left,top,width,height,score,-1,-1,-1``. The file exists from the start, empty if nobody is
    seen, and a run that is killed leaves whole lines.

    Paper note: MOTRv2 writes 1 in place of the score; ours is the track's score, which evaluation ignores and other
    tools use.

    Args:
        path: File to write; what it held is lost.

    Raises:
        OutputError: The file cannot be opened.

    Use as a context manager::

        with MotTextWriter(Path("tracks.txt")) as writer:
            for result in tracker.stream("clip.mp4"):
                writer.write(result)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Unbuffered: each frame is one write, so there is never half a line waiting in memory.
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: cannot write tracks: {_reason(error)}") from None

    def write(self, result: FrameResult) -> None:
        """Write the tracks of a frame.

        Raises:
            OutputError: The disk is full or the file is gone; what was written before stays whole.
        """
        tracks = result.tracks
        boxes = xyxy_to_xywh(tracks.boxes.astype(np.float64))
        lines = [
            f"{result.index},{track_id},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n"
            for track_id, (left, top, width, height), score in zip(
                tracks.ids.tolist(), boxes.tolist(), tracks.scores.tolist(), strict=True
            )
        ]
        self._write_whole("".join(lines).encode("ascii"))

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_whole(self, block: bytes) -> None:
        """Write all of a block or, on a full disk, none of it."""
        start = self._file.tell() if self._file.seekable() else None
        written = 0
        try:
            while written < len(block):
                written += self._file.write(block[written:]) or 0
        except OSError as error:
            if start is not None and written:
                with contextlib.suppress(OSError):  # the error raised below is the one to report
                    os.ftruncate(self._file.fileno(), start)
                    self._file.seek(start)
            raise OutputError(f"{self.path}: cannot write tracks: {_reason(error)}") from None


def _read_lines(path: Path, *, strict: bool) -> list[str]:
    """Give the lines without line ends and, unless strict, without the blank ones at the end."""
    try:
        text = path.read_bytes().decode("utf-8" if strict else "utf-8-sig")
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {_reason(error)}") from None
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x} at {error.start}"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("\ufeff"):
        raise FormatError(
            f"{path}:1: expected numbers, got a byte order mark, which the official evaluation refuses; save the file "
            "as UTF-8 without it"
        )
    text = text if strict else text.rstrip()
    return text.removesuffix("\n").split("\n") if text else []


def _without_end(line: str, delimiter: str, *, strict: bool) -> str:
    """Take the spaces and the delimiter off the end of a line; all of them unless strict."""
    if not strict:
        return line.rstrip(" \t" + delimiter)
    if delimiter == " ":
        return " ".join(filter(None, line.split(" ")))
    return line.rstrip(" ").removesuffix(delimiter)


def _delimiter(first_line: str, *, strict: bool) -> str | None:
    """Choose the delimiter from the first line; None is any white space.

    Strict is what ``csv.Sniffer`` makes of a line of numbers, which the official evaluation asks.
    """
    if strict:
        return next((delimiter for delimiter in (",", "\t", ";", " ") if delimiter in first_line), ",")
    return next((delimiter for delimiter in (",", ";") if delimiter in first_line), None)


def _refuse_endless(path: Path, sizes: list[int], most: int, what: str) -> None:
    """Raise for the first line that is too long."""
    if max(sizes, default=0) > most:
        number = next(number for number, size in enumerate(sizes, start=1) if size > most)
        raise FormatError(f"{path}:{number}: expected at most {most} {what}, got {sizes[number - 1]}")


def _raise_at_first_fault(path: Path, lines: list[str], delimiter: str | None) -> NoReturn:
    """Find the line that is blank or not all numbers and raise."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise FormatError(f"{path}:{number}: expected numbers, got a blank line")
        for token in line.split(delimiter):
            if not _is_number(token):
                found = _shortened(token.strip(" "))
                raise FormatError(f"{path}:{number}: expected numbers, got {found!r} in {_shortened(line)!r}")
    raise AssertionError("every value is a number after all")


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return "_" not in token


def _require_whole(table: MotTable, column: int, expected: str, *, lowest: float) -> None:
    if not len(table):
        return
    values = table.values[:, column]
    # NaN fails every comparison, so it is not whole either.
    whole = (np.floor(values) == values) & (values >= lowest) & (np.abs(values) <= _LARGEST_WHOLE)
    table.reject(~whole, expected, column)


def _shortened(line: str) -> str:
    return line if len(line) <= 80 else line[:77] + "..."


def _reason(error: OSError) -> str:
    return "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
