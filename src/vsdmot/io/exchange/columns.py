"""A table as named columns, one row for each box, for spreadsheets, pandas and DuckDB.

Values of a frame are repeated in each of its rows. A frame without boxes has one row, whose id and box are empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vsdmot.io.exchange.table import FRAME_COLUMNS, PERSON, TableBuilder, TrackTable

NEEDED = ("frame", "id", "left", "top", "width", "height")
OPTIONAL = ("score", "label", "considered", "visibility")
COLUMNS = (*NEEDED, *OPTIONAL, *FRAME_COLUMNS)

Cell = int | float | str | bool | None


def to_columns(table: TrackTable) -> dict[str, list[Cell]]:
    """Give the columns in which anything is known, in the order of `COLUMNS`; None is an empty cell."""
    labels = table.row_labels
    rows: list[tuple[Cell, ...]] = []
    known = dict(zip(table.known_frames.tolist(), table.frame_values.tolist(), strict=True))
    nothing = [math.nan] * len(FRAME_COLUMNS)
    spans = {int(table.frames[span.start]): span for span in table.spans()}
    for frame in sorted(known.keys() | spans.keys()):
        values = tuple(map(_or_none, known.get(frame, nothing)))
        span = spans.get(frame)
        if span is None:
            rows.append((frame, *(None,) * 9, *values))
            continue
        for row in range(span.start, span.stop):
            box = tuple(table.boxes[row].tolist())
            rest = (_or_none(float(table.scores[row])), labels[row], bool(table.considered[row]))
            rows.append((frame, int(table.ids[row]), *box, *rest, _or_none(float(table.visibility[row])), *values))
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)) if rows else [[] for _ in COLUMNS], strict=True))
    if table.considered.all():
        columns["considered"] = []
    if set(labels) <= {PERSON}:
        columns["label"] = []
    return {name: cells for name, cells in columns.items() if name in NEEDED or any(x is not None for x in cells)}


def add_row(builder: TableBuilder, place: str, row: Mapping[str, Any]) -> None:
    """Add a row of cells, already of the right types; None where one is empty.

    Raises:
        FormatError: The frame or part of the box is missing, or a value is out of range.
    """
    frame, track_id = row.get("frame"), row.get("id")
    if frame is None:
        raise builder.fault(place, "a frame", "an empty cell")
    values = tuple(math.nan if (value := row.get(name)) is None else float(value) for name in FRAME_COLUMNS)
    box = [row.get(name) for name in NEEDED[2:]]
    if track_id is None:
        if any(side is not None for side in box):
            raise builder.fault(place, "an id for the box", "an empty cell")
        builder.add_frame(place, frame, values)
        return
    if not all(map(math.isnan, values)):
        builder.add_frame(place, frame, values)
    if any(side is None for side in box):
        empty = next(name for name, side in zip(NEEDED[2:], box, strict=True) if side is None)
        raise builder.fault(place, f"a number in the column {empty}", "an empty cell")
    left, top, width, height = map(float, box)  # type: ignore[arg-type]
    score, seen, considered = row.get("score"), row.get("visibility"), row.get("considered")
    builder.add(
        place,
        frame,
        track_id,
        (left, top, width, height),
        score=math.nan if score is None else float(score),
        label=row.get("label") or PERSON,
        considered=considered is None or bool(considered),
        visibility=math.nan if seen is None else float(seen),
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
