"""Tracks from a file of results, MOT text or JSON Lines, as they are scored."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.evaluation.official_text import read_tracks
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.exchange.json_lines import read_json_line_tracks


class TrackedFile(NamedTuple):
    """What a file holds, and what the user should know about it, a sentence each."""

    tracks: TrackedBoxes
    notes: tuple[str, ...] = ()


def read_tracked(path: Path) -> TrackedFile:
    """Read results.

    Raises:
        FormatError: With file and line.
    """
    if path.suffix != ".jsonl":
        return TrackedFile(read_tracks(path))
    table = read_json_line_tracks(path)
    return TrackedFile(TrackedBoxes(table.frames, table.ids, xywh_to_xyxy(table.boxes)), tuple(table.notes))
