"""MOTChallenge text, both kinds: results (``...,score,-1,-1,-1``) and ground truth (``...,flag,class,visibility``)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from vsdmot.errors import FormatError
from vsdmot.io.annotations import MOT_CLASSES, PEDESTRIAN, PERSON_LABELS
from vsdmot.io.exchange.decimals import text
from vsdmot.io.exchange.table import PERSON, TableBuilder, TrackTable, sequence_name
from vsdmot.io.images import SequenceSettings, read_seqinfo
from vsdmot.io.mot_text import MotRows, read_mot
from vsdmot.io.problems import counted

_NO_CLASS = -1


def read_mot_tracks(path: Path) -> TrackTable:
    """Read tracks of MOTChallenge text.

    A ``seqinfo.ini`` in the sequence's folder tells size and length, a ``labels.txt`` beside the file the names of
    classes.

    Args:
        path: The file, or the folder of a sequence with ``gt/gt.txt``.

    Raises:
        FormatError: A line is broken, no box has a track, or a class has no name in ``labels.txt``.
    """
    if path.is_dir():
        path = path / "gt" / "gt.txt"
    names = path.with_name("labels.txt")
    labels = read_label_names(names) if names.is_file() else None
    if path.name != "gt.txt" or path.parent.name != "gt":
        return table_of_text(path, name=sequence_name(path), labels=labels)
    folder = path.parent.parent
    info = folder / "seqinfo.ini"
    settings = read_seqinfo(info) if info.is_file() else SequenceSettings()
    size = None if settings.width is None or settings.height is None else (settings.width, settings.height)
    table = table_of_text(path, name=folder.resolve().name, labels=labels, size=size)
    return table if settings.length is None else table.with_length(max(settings.length, table.length))


def table_of_text(
    path: Path, *, name: str, labels: tuple[str, ...] | None = None, size: tuple[int, int] | None = None
) -> TrackTable:
    """Read the boxes of one text.

    With 8 or 9 values a line is ground truth: flag, class, visibility; some trackers write their score and -1 there,
    which the numbers tell. Otherwise the seventh value is the score, and -1 means that there is none.

    Args:
        path: The text.
        name: The sequence.
        labels: Names of the classes from 1 on; None for those of MOTChallenge. With them the text is ground truth.
        size: Width and height of the picture in pixels, where they are known.

    Raises:
        FormatError: As `read_mot_tracks`.
    """
    rows = read_mot(path)
    builder = TableBuilder(path)
    has_classes = is_truth(rows) or labels is not None
    flags = has_classes and bool(np.isin(rows.scores, (-1, 0, 1)).all())
    lone = 0
    for row, frame in enumerate(rows.frames.tolist()):
        if rows.ids[row] == -1:
            lone += 1
            continue
        place, score = f":{rows.line_numbers[row]}", float(rows.scores[row])
        label, visibility = PERSON, math.nan
        if has_classes and rows.rest.shape[1]:
            label = _label(builder, place, float(rows.rest[row, 0]), labels)
            seen = float(rows.rest[row, 1]) if rows.rest.shape[1] > 1 else math.nan
            visibility = math.nan if seen == -1 else seen
        left, top, width, height = rows.boxes[row].tolist()
        builder.add(
            place,
            frame,
            int(rows.ids[row]),
            (left, top, width, height),
            score=math.nan if flags or score == -1 else score,
            label=label,
            considered=not flags or score != 0,
            visibility=visibility,
        )
    if lone and lone == len(rows):
        raise FormatError(
            f"{path}: expected tracks, got detections: all {counted(lone, 'box', 'boxes')} have the id -1"
        )
    notes = (f"{counted(lone, 'box', 'boxes')} without a track (id -1) left out",) if lone else ()
    return builder.build(name=name, size=size, notes=notes)


def write_mot_tracks(table: TrackTable) -> bytes:
    """Write results where any box has a score, else ground truth, with the visibility where any box has one."""
    lines = []
    scores, seen = table.scores.tolist(), table.visibility.tolist()
    is_result, with_visibility = not np.isnan(table.scores).all(), not np.isnan(table.visibility).all()
    numbers = [class_number(label) for label in table.labels]
    for row, (frame, track_id, box) in enumerate(
        zip(table.frames.tolist(), table.ids.tolist(), table.boxes.tolist(), strict=True)
    ):
        if is_result:
            rest = [_or_minus_one(scores[row]), "-1", "-1", "-1"]
        else:
            rest = [str(int(table.considered[row])), str(numbers[table.classes[row]])]
            rest += [_or_minus_one(seen[row])] if with_visibility else []
        lines.append(",".join([str(frame), str(track_id), *map(text, box), *rest]) + "\n")
    return "".join(lines).encode("ascii")


def is_truth(rows: MotRows) -> bool:
    """Tell whether lines hold a class: all have 8 or 9 values, and not -1 throughout where the class should be."""
    widths = np.unique(rows.num_columns).tolist()
    return len(rows) > 0 and set(widths) <= {8, 9} and bool((rows.rest[:, 0] != _NO_CLASS).any())


def class_number(label: str) -> int:
    """Number a label as MOTChallenge does: 1 for a person, 0 for what it has no class for.

    >>> class_number("person"), class_number("car"), class_number("class_40"), class_number("dog")
    (1, 3, 40, 0)
    """
    if label.lower() in PERSON_LABELS:
        return PEDESTRIAN
    if label.startswith("class_") and label[6:].isdecimal() and len(label) < 16:
        return int(label[6:])
    return MOT_CLASSES.index(label) + 1 if label in MOT_CLASSES else 0


def read_label_names(path: Path) -> tuple[str, ...]:
    """Read the names of a ``labels.txt``, the first of them for class 1.

    Raises:
        FormatError: It is no text, or a line is blank.
    """
    try:
        names = tuple(line.strip() for line in path.read_bytes().decode("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError):
        raise FormatError(f"{path}: expected UTF-8 text with one label per line") from None
    while names and not names[-1]:
        names = names[:-1]
    for number, name in enumerate(names, start=1):
        if not name:
            raise FormatError(f"{path}:{number}: expected a label, got a blank line")
    return names


def _label(builder: TableBuilder, place: str, value: float, labels: tuple[str, ...] | None) -> str:
    if not (math.isfinite(value) and value == int(value)):
        raise builder.fault(place, "a class that is a whole number", f"{value:.12g}")
    number = int(value)
    if number == _NO_CLASS or (number == PEDESTRIAN and labels is None):  # one word for people in all formats
        return PERSON
    names = labels or MOT_CLASSES
    if labels is not None and not 1 <= number <= len(labels):
        raise builder.fault(place, f"a class that labels.txt names (1 to {len(labels)})", number)
    if number < 0:
        raise builder.fault(place, "a class of 0 or more, or -1 for none", number)
    return names[number - 1] if 1 <= number <= len(names) else f"class_{number}"


def _or_minus_one(value: float) -> str:
    return "-1" if math.isnan(value) else text(value)
