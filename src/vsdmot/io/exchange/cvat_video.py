"""Write "CVAT for video 1.1": XML with a ``track`` for each id and a ``box`` for each of its frames, from 0.

Structure: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ and CVAT's page "XML annotation format".
"""

from __future__ import annotations

import math
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from vsdmot.errors import FormatError
from vsdmot.io.exchange.decimals import add, text
from vsdmot.io.exchange.table import TrackTable

MOST_FRAMES = 1_000_000
"""Longest video, 11 hours at 25 frames per second."""


def write_cvat_video_tracks(table: TrackTable) -> bytes:
    """Write every box as a keyframe, and where a track pauses or ends an ``outside`` one, which stops CVAT's drawing.

    Scores, visibility and the mark that evaluation leaves a box out become attributes of the label.

    Raises:
        FormatError: The picture's size is not known, the video is longer than `MOST_FRAMES`, or a track changes its
            label, which CVAT does not allow.
    """
    if table.length > MOST_FRAMES:
        raise FormatError(f"{table.name}: expected at most {MOST_FRAMES} frames for CVAT's XML, got {table.length}")
    if table.size is None:
        raise FormatError(f"{table.name}: CVAT's XML holds the picture's size, which is not known here")
    lines = _head(table, table.size)
    for track_id in np.unique(table.ids).tolist():
        lines += _track(table, track_id, np.flatnonzero(table.ids == track_id).tolist())
    return ('<?xml version="1.0" encoding="utf-8"?>\n' + "\n".join([*lines, "</annotations>"]) + "\n").encode("utf-8")


def _head(table: TrackTable, size: tuple[int, int]) -> list[str]:
    """Describe the task; its dates and people are left empty, because there are none."""
    labels = [line for label in table.labels for line in _label(table, label)]
    length = table.length
    return [
        "<annotations>",
        "  <version>1.1</version>",
        "  <meta>",
        "    <task>",
        "      <id>0</id>",
        f"      <name>{escape(table.name)}</name>",
        f"      <size>{length}</size>",
        "      <mode>interpolation</mode>",
        "      <overlap>0</overlap>",
        "      <bugtracker></bugtracker>",
        "      <flipped>False</flipped>",
        "      <created></created>",
        "      <updated></updated>",
        "      <labels>",
        *labels,
        "      </labels>",
        "      <segments>",
        f"        <segment><id>0</id><start>0</start><stop>{max(0, length - 1)}</stop><url></url></segment>",
        "      </segments>",
        "      <owner><username></username><email></email></owner>",
        f"      <original_size><width>{size[0]}</width><height>{size[1]}</height></original_size>",
        "    </task>",
        "    <dumped></dumped>",
        "  </meta>",
    ]


def _label(table: TrackTable, label: str) -> list[str]:
    kinds = [("score", "text", "")] if not np.isnan(table.scores).all() else []
    kinds += [("visibility", "text", "")] if not np.isnan(table.visibility).all() else []
    kinds += [("ignored", "checkbox", "false")] if not table.considered.all() else []
    attributes = [
        f"<attribute><name>{name}</name><mutable>True</mutable><input_type>{kind}</input_type>"
        f"<default_value>{default}</default_value><values>{default}</values></attribute>"
        for name, kind, default in kinds
    ]
    return [
        "        <label>",
        f"          <name>{escape(label)}</name>",
        "          <type>bbox</type>",
        f"          <attributes>{''.join(attributes)}</attributes>",
        "        </label>",
    ]


def _track(table: TrackTable, track_id: int, rows: list[int]) -> list[str]:
    labels = sorted({table.labels[number] for number in table.classes[rows].tolist()})
    if len(labels) > 1:
        raise FormatError(
            f"{table.name}: CVAT's XML holds one label for each track, track {track_id} has {', '.join(labels)}"
        )
    lines = [f'  <track id="{track_id}" label={quoteattr(labels[0])} source="auto">']
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        frame = int(table.frames[row])
        lines += _box(table, row, frame, outside=False)
        # Without this CVAT would draw the box on, to the next keyframe or to the end of the video.
        next_frame = table.length + 1 if following is None else int(table.frames[following])
        if next_frame > frame + 1:
            lines += _box(table, row, frame + 1, outside=True)
    return [*lines, "  </track>"]


def _box(table: TrackTable, row: int, frame: int, *, outside: bool) -> list[str]:
    left, top, width, height = table.boxes[row].tolist()
    sides = {"xtl": left, "ytl": top, "xbr": add(left, width), "ybr": add(top, height)}
    places = " ".join(f'{name}="{text(side)}"' for name, side in sides.items())
    start = f'    <box frame="{frame - 1}" outside="{int(outside)}" occluded="0" keyframe="1" {places} z_order="0">'
    score, seen = float(table.scores[row]), float(table.visibility[row])
    attributes = [] if math.isnan(score) else [("score", text(score))]
    attributes += [] if math.isnan(seen) else [("visibility", text(seen))]
    attributes += [] if table.considered.all() else [("ignored", str(not table.considered[row]).lower())]
    if not attributes:
        return [start.removesuffix(">") + "/>"]
    return [start, *(f'      <attribute name="{name}">{value}</attribute>' for name, value in attributes), "    </box>"]
