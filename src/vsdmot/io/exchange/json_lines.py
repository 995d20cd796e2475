"""JSON Lines as ``vsdmot track`` writes them, to the last digit; what is not known is null."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from vsdmot.errors import FormatError
from vsdmot.io.exchange.decimals import add, subtract
from vsdmot.io.exchange.json_values import four_numbers, number, objects, whole
from vsdmot.io.exchange.table import TableBuilder, TrackTable, sequence_name

_QUALITY = ("score", "clarity", "noise", "contrast")


def read_json_line_tracks(path: Path) -> TrackTable:
    """Read tracks and what is known of their frames.

    A last line that is cut in the middle, as a kill leaves it, is passed over and told.

    Raises:
        FormatError: The file cannot be read, or a line is not a result.
    """
    builder = TableBuilder(path)
    notes: tuple[str, ...] = ()
    last = 0
    try:
        with path.open("rb") as file:
            for line_number, line in enumerate(file, start=1):
                place = f":{line_number}"
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):  # not JSON, or not UTF-8
                    if not line.endswith(b"\n"):
                        notes = (f"line {line_number} is cut off and left out",)
                        break
                    raise builder.fault(place, "a JSON object", repr(line.decode("utf-8", "replace"))) from None
                last = _add_line(builder, place, record, last)
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror}") from None
    return builder.build(name=sequence_name(path), notes=notes)


def write_json_line_tracks(table: TrackTable) -> bytes:
    """Write a line for each frame; where the source speaks of none, for each from 1 to the last.

    Ids count from 1 in this format: where one is 0, all are raised by 1.

    Raises:
        FormatError: A score is not from 0 to 1.
    """
    scores = table.scores
    if (wrong := scores[(scores < 0) | (scores > 1)]).size:
        raise FormatError(f"{table.name}: JSON Lines hold scores from 0 to 1, got {wrong[0]:.12g}")
    raised = int((table.ids == 0).any())
    known = dict(zip(table.known_frames.tolist(), table.frame_values.tolist(), strict=True))
    unknown = [math.nan] * table.frame_values.shape[1]
    rows = {int(table.frames[span.start]): span for span in table.spans()}
    frames = sorted(known.keys() | rows.keys()) if known else range(1, table.length + 1)
    lines = []
    for frame in frames:
        time, quality, clarity, noise, contrast, weight, proposals = map(_or_null, known.get(frame, unknown))
        terms = dict(zip(_QUALITY, (quality, clarity, noise, contrast), strict=True))
        span = rows.get(frame, slice(0, 0))
        columns = (table.ids[span].tolist(), table.boxes[span].tolist(), scores[span].tolist())
        line = {
            "frame": frame,
            "time": time,
            "quality": None if all(value is None for value in terms.values()) else terms,
            "semantic_weight": weight,
            "num_proposals": None if proposals is None else int(proposals),
            "tracks": [
                {
                    "id": track_id + raised,
                    "box": [left, top, add(left, width), add(top, height)],
                    "score": _or_null(score),
                }
                for track_id, (left, top, width, height), score in zip(*columns, strict=True)
            ],
        }
        lines.append(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n")
    return "".join(lines).encode("ascii")


def _add_line(builder: TableBuilder, place: str, record: Any, last: int) -> int:
    """Add the frame of a line, and give its number."""
    if not isinstance(record, dict):
        raise builder.fault(place, "a JSON object", repr(record))
    frame = whole(builder, place, record, "frame")
    if frame <= last:
        raise builder.fault(place, f"a frame after {last}", frame)
    quality = record.get("quality")
    if quality is not None and not isinstance(quality, dict):
        raise builder.fault(place, "quality that is an object or null", repr(quality))
    terms = [number(builder, place, quality or {}, name) for name in _QUALITY]
    proposals = number(builder, place, record, "num_proposals")
    if not math.isnan(proposals) and (proposals < 0 or proposals != int(proposals)):
        raise builder.fault(place, "num_proposals that is whole and at least 0", proposals)
    time, weight = (number(builder, place, record, name) for name in ("time", "semantic_weight"))
    builder.add_frame(place, frame, (time, *terms, weight, proposals))
    for track in objects(builder, place, record, "tracks"):
        track_id = whole(builder, place, track, "id")
        left, top, right, bottom = four_numbers(builder, place, track, "box")
        size = (subtract(right, left), subtract(bottom, top))
        builder.add(place, frame, track_id, (left, top, *size), score=number(builder, place, track, "score"))
    return frame


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
