"""MOT text as the official evaluation reads it: every file gives the official value, or a line that says why not.

The other readers of this package forgive more (a byte order mark, blank lines at the end) and less (ids must be whole).
Here frames and ids lose their fraction, results need 7 columns, and what TrackEval stumbles over is refused. Two things
are read that it is not made for: ground truth of 7 columns, without classes, by the rule mot15; and ids so large that
it would run out of memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.errors import FormatError
from vsdmot.evaluation.tracked import MOST_FRAMES, TrackedBoxes
from vsdmot.io.annotations import UNKNOWN_CLASS, GroundTruth, find_layout, labels_of, translate_classes
from vsdmot.io.mot_text import MotTable, read_table

PERSON = 1
_LARGEST = 2.0**53  # beyond this a float64 no longer tells neighbouring ids apart
_CLASS_COLUMN = 7


def read_truth(path: Path, *, with_classes: bool | None = None) -> GroundTruth:
    """Read ``gt.txt``; an empty file is a sequence without people.

    Args:
        path: The file. A ``labels.txt`` beside it names its classes.
        with_classes: Whether the eighth column is a class; None decides by the number of columns (`find_layout`).

    Raises:
        FormatError: With file and line.
    """
    table = read_table(path, strict=True)
    table.require_columns(7)
    labels = labels_of(path)
    narrowest = int(table.num_columns.min(initial=_CLASS_COLUMN + 1))
    if with_classes is None:
        with_classes = find_layout(int(table.num_columns.max(initial=0)), has_labels=labels is not None) == "mot17"
    if with_classes:
        table.require_columns(8)
    frames, ids, boxes = _frames(table), _truncated(table, 1, "an id, a number"), _boxes(table)
    table.reject(np.asarray(np.isinf(boxes).any(axis=1)), "a box of finite numbers in ground truth", slice(2, 6))
    table.reject(~np.isfinite(_column(table, 6)), "a flag that is a number, 0 to ignore the box", 6)
    _refuse_ragged(table, frames)
    classes = np.full(len(table), UNKNOWN_CLASS, np.int64)
    if with_classes:
        classes = _truncated(table, _CLASS_COLUMN, "a class, a number")
        if labels is not None:
            classes = translate_classes(path, classes, table.line_numbers, labels)
    visible = np.ones(len(table))
    if with_classes and narrowest > 8:
        visible = table.values[:, 8]
    order = np.argsort(frames, kind="stable")
    return GroundTruth(
        path=path,
        frames=frames[order],
        ids=ids[order],
        boxes=boxes[order],
        considered=(np.trunc(_column(table, 6)) != 0)[order],
        classes=classes[order],
        visibility=visible[order],
        line_numbers=table.line_numbers[order],
        is_labelled=labels is not None,
    )


def read_tracks(path: Path) -> TrackedBoxes:
    """Read a tracker's results; an empty file is a tracker that saw nobody.

    Raises:
        FormatError: With file and line.
    """
    table = read_table(path, strict=True)
    table.require_columns(7)
    frames, ids, boxes = _frames(table), _truncated(table, 1, "an id, a number"), _boxes(table)
    _refuse_ragged(table, frames)
    hint = "; these look like detections, not tracks" if len(ids) and (ids == -1).all() else ""
    table.reject(ids < 0, f"an id of 0 or more{hint}", 1)
    has_class = table.num_columns > _CLASS_COLUMN
    if has_class.any():
        other = has_class & (np.trunc(_column(table, _CLASS_COLUMN)) > PERSON)
        table.reject(other, "class 1 (a person) or -1 (no class) in the eighth column", _CLASS_COLUMN)
    order = np.argsort(frames, kind="stable")
    return TrackedBoxes(frames[order], ids[order], boxes[order], path, table.line_numbers[order])


def _column(table: MotTable, column: int) -> NDArray[np.float64]:
    return table.values[:, column] if len(table) else np.empty(0)


def _frames(table: MotTable) -> NDArray[np.int64]:
    frames = _truncated(table, 0, "a frame, a number")
    table.reject(frames < 1, "a frame of 1 or more", 0)
    table.reject(frames > MOST_FRAMES, f"a frame of at most {MOST_FRAMES}", 0)
    return frames


def _truncated(table: MotTable, column: int, expected: str) -> NDArray[np.int64]:
    """Give a column as whole numbers, without their fraction."""
    values = _column(table, column)
    table.reject(~(np.abs(values) < _LARGEST), expected, column)
    return np.trunc(values).astype(np.int64)


def _boxes(table: MotTable) -> NDArray[np.float64]:
    """Give ``(N, 4)`` corners. Infinite sides are let through, as officially: such a box overlaps nothing."""
    if not len(table):
        return np.empty((0, 4))
    with np.errstate(invalid="ignore", over="ignore"):
        corners = xywh_to_xyxy(table.values[:, 2:6])
        area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    table.reject(np.isnan(area), "a box of numbers", slice(2, 6))
    return corners


def _refuse_ragged(table: MotTable, frames: NDArray[np.int64]) -> None:
    """Refuse lines of one frame that differ in their number of columns; between frames they may."""
    if not len(table) or table.num_columns.min() == table.num_columns.max():
        return
    _, first, which = np.unique(frames, return_index=True, return_inverse=True)
    ragged = np.flatnonzero(table.num_columns != table.num_columns[first][which])
    if len(ragged):
        row, other = int(ragged[0]), int(first[which[ragged[0]]])
        raise FormatError(
            f"{table.path}:{table.line_numbers[row]}: expected {table.num_columns[other]} values as in line "
            f"{table.line_numbers[other]} of the same frame, got {table.num_columns[row]}"
        )
