"""Ground truth of a sequence: who is where in which frame (``gt/gt.txt`` of MOTChallenge, DanceTrack and CVAT).

All of these begin with frame, id, left, top, width, height and a flag; they differ in what follows. The layout is given
or found from the number of columns:

===========  ====================================  ========================================================
columns      layout                                who writes it
===========  ====================================  ========================================================
7            ``plain``: nothing follows            own tools
8 or 9       ``mot17``: class, visibility          MOT16, MOT17, MOT20, DanceTrack (always 1, 1), CVAT "MOT 1.1"
10 or more   ``mot15``: position in 3-D (x, y, z)  MOT15, TUD, PETS09, ETH; -1, -1, -1 where it is not known
===========  ====================================  ========================================================

A ``labels.txt`` beside the file (CVAT) names the classes, so the file then has classes whatever its width.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.errors import FormatError
from vsdmot.io.mot_text import MotRows, read_mot

Layout = Literal["plain", "mot15", "mot17"]

PEDESTRIAN = 1
UNKNOWN_CLASS = -1
OTHER_CLASS = 0
"""What ``labels.txt`` names and MOTChallenge has no class for."""
MOT_CLASSES = (
    "pedestrian", "person_on_vehicle", "car", "bicycle", "motorbike", "non_mot_vehicle", "static_person", "distractor",
    "occluder", "occluder_on_ground", "occluder_full", "reflection", "crowd",
)  # fmt: skip
"""Classes 1 to 13 of MOT16, MOT17 and MOT20."""
PERSON_LABELS = frozenset({"person", "people", "pedestrian", "human"})
"""Names that mean a person in ``labels.txt``, in lower case."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Annotated boxes, by rising frame; rows of one frame keep the file's order. The arrays are read-only.

    Attributes:
        path: The file, for messages.
        frames: ``(N,)`` int64, from 1, never falling.
        ids: ``(N,)`` int64, at least 0.
        boxes: ``(N, 4)`` float64 ``xyxy`` in pixels, as in the file: MOTChallenge counts pixels from 1, and neither the
            official evaluation nor MOTRv2 subtracts it. May reach beyond the image; may be turned inside out.
        considered: ``(N,)`` bool; False where the flag says that evaluation leaves the box out.
        classes: ``(N,)`` int64, as MOTChallenge numbers them (`MOT_CLASSES`); -1 where the file has none; translated
            where a ``labels.txt`` names them, with 0 for what is no class of MOTChallenge.
        visibility: ``(N,)`` float64, visible share of the person; 1 where the file has none.
        line_numbers: ``(N,)`` int64, from 1.
        is_labelled: Whether a ``labels.txt`` named the classes.
    """

    path: Path
    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    considered: NDArray[np.bool_]
    classes: NDArray[np.int64]
    visibility: NDArray[np.float64]
    line_numbers: NDArray[np.int64]
    is_labelled: bool = False

    def __post_init__(self) -> None:
        if np.any(np.diff(self.frames) < 0):
            raise ValueError("GroundTruth.frames must not fall; sort the rows by frame")
        arrays = (self.ids, self.boxes, self.considered, self.classes, self.visibility, self.line_numbers)
        for array in (self.frames, *arrays):
            if len(array) != len(self.frames):
                raise ValueError(f"GroundTruth holds arrays of {len(self.frames)} and {len(array)} rows")
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.frames)

    def on_frame(self, frame: int) -> Self:
        """Rows of one frame, as views: the cost grows with the rows of the frame, not of the file.

        Args:
            frame: Frame index, from 1; a frame without boxes gives no rows.
        """
        first, last = np.searchsorted(self.frames, (frame, frame + 1))
        return self._pick(slice(int(first), int(last)))

    def select(self, keep: NDArray[np.bool_]) -> Self:
        """Rows where ``keep``, ``(N,)``, is True."""
        return self._pick(keep)

    def people(self) -> Self:
        """Rows that count as a person: flag not 0, and class 1 or no class at all.

        Only class 1, pedestrian, means a person, as in the official evaluation of MOT16, MOT17, MOT20 and DanceTrack.
        Of the other classes that show people, 2 (on a vehicle), 7 (static), 8 (distractor) and 12 (reflection) are
        neither asked for nor punished by it, and 13 (crowd) is ignored. In the published files all of these have the
        flag 0, so that MOTRv2's wider rule, which also takes class 7, gives the same rows.
        """
        is_person = np.isin(self.classes, (PEDESTRIAN, UNKNOWN_CLASS))
        return self._pick(self.considered & is_person)

    def _pick(self, rows: slice | NDArray[np.bool_]) -> Self:
        return dataclasses.replace(
            self,
            frames=self.frames[rows],
            ids=self.ids[rows],
            boxes=self.boxes[rows],
            considered=self.considered[rows],
            classes=self.classes[rows],
            visibility=self.visibility[rows],
            line_numbers=self.line_numbers[rows],
        )


def read_ground_truth(path: Path, *, layout: Layout | None = None) -> GroundTruth:
    """Read the ground truth of a sequence; an empty file is a sequence without people.

    Args:
        path: ``gt.txt``. A ``labels.txt`` beside it names the classes, one per line, from 1.
        layout: What follows the flag; None finds it from the number of columns, as the module describes.

    Raises:
        FormatError: The file cannot be read as `read_mot` describes, its lines have different numbers of columns or
            fewer than the layout asks for, an id is negative, or a flag, class or visibility is no proper number;
            ``labels.txt`` names no person.
    """
    if layout is not None and layout not in get_args(Layout):
        raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}, got {layout!r}")
    rows = read_mot(path, min_columns=7)
    _require_equal_columns(path, rows)
    labels = labels_of(path)
    num_columns = int(rows.num_columns[0]) if len(rows) else 7
    layout = layout or find_layout(num_columns, has_labels=labels is not None)
    if layout == "mot17" and len(rows) and num_columns < 8:
        raise FormatError(
            f"{path}:{rows.line_numbers[0]}: expected at least 8 values, the last of them the class, got {num_columns}"
        )
    _reject(path, rows, rows.ids < 0, "an id of 0 or more in ground truth", rows.ids)
    _reject(path, rows, ~np.isfinite(rows.scores), "a flag that is a number, 0 to ignore the box", rows.scores)
    classes = np.full(len(rows), UNKNOWN_CLASS, np.int64)
    visibility = np.ones(len(rows))
    if layout == "mot17" and len(rows):
        kinds = rows.rest[:, 0]
        _reject(path, rows, ~(np.abs(kinds) < 2**31) | (np.floor(kinds) != kinds), "a class that is whole", kinds)
        classes = kinds.astype(np.int64)
        if labels is not None:
            classes = translate_classes(path, classes, rows.line_numbers, labels)
        if num_columns > 8:
            visibility = rows.rest[:, 1]
            _reject(path, rows, ~np.isfinite(visibility), "a visibility that is a number", visibility)
    order = np.argsort(rows.frames, kind="stable")
    return GroundTruth(
        path=path,
        frames=rows.frames[order],
        ids=rows.ids[order],
        boxes=xywh_to_xyxy(rows.boxes)[order],
        # The official evaluation reads the flag as a whole number, so 0.5 is 0; -1 counts.
        considered=(np.trunc(rows.scores) != 0)[order],
        classes=classes[order],
        visibility=visibility[order],
        line_numbers=rows.line_numbers[order],
        is_labelled=labels is not None,
    )


def find_layout(num_columns: int, *, has_labels: bool = False) -> Layout:
    """Tell what follows the flag from the number of columns.

    >>> find_layout(7), find_layout(9), find_layout(10), find_layout(10, has_labels=True)
    ('plain', 'mot17', 'mot15', 'mot17')
    """
    if num_columns < 8:
        return "plain"
    return "mot17" if num_columns < 10 or has_labels else "mot15"


def labels_of(path: Path) -> dict[int, int] | None:
    """Read the ``labels.txt`` beside a file of ground truth, if there is one, as `read_labels` does."""
    labels = path.with_name("labels.txt")
    return read_labels(labels) if labels.is_file() else None


def read_labels(path: Path) -> dict[int, int]:
    """Read a ``labels.txt``: number of a label, from 1, to the class of MOTChallenge that its name means.

    A name means a person if it is one of `PERSON_LABELS`. A single label means a person whatever its name: people label
    "player" or "dancer" and nothing else. Names of `MOT_CLASSES` keep their meaning; all others are `OTHER_CLASS`.

    Raises:
        FormatError: The file is no text, or it has several labels and none of them means a person.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FormatError(f"{path}: expected UTF-8 text with one label per line") from None
    labels = {number: line.strip() for number, line in enumerate(lines, start=1) if line.strip()}
    if len(labels) == 1:
        return dict.fromkeys(labels, PEDESTRIAN)
    classes = {number: _class_of(label.lower()) for number, label in labels.items()}
    if PEDESTRIAN not in classes.values():
        found = ", ".join(list(labels.values())[:5]) or "an empty file"
        raise FormatError(
            f"{path}: expected a label that means a person ({', '.join(sorted(PERSON_LABELS))}), got {found}; "
            "rename the label in this file"
        )
    return classes


def translate_classes(
    path: Path, classes: NDArray[np.int64], line_numbers: NDArray[np.int64], labels: dict[int, int]
) -> NDArray[np.int64]:
    """Turn the numbers of labels, ``(N,)``, into classes of MOTChallenge.

    Raises:
        FormatError: A number has no label.
    """
    unnamed = np.flatnonzero(~np.isin(classes, list(labels)))
    if len(unnamed):
        row = int(unnamed[0])
        raise FormatError(
            f"{path}:{line_numbers[row]}: expected a class that labels.txt names (1 to {max(labels)}), "
            f"got {classes[row]}"
        )
    return np.array([labels[number] for number in classes.tolist()], np.int64)


def _class_of(label: str) -> int:
    if label in PERSON_LABELS:
        return PEDESTRIAN
    return MOT_CLASSES.index(label) + 1 if label in MOT_CLASSES else OTHER_CLASS


def _require_equal_columns(path: Path, rows: MotRows) -> None:
    if not len(rows):
        return
    first = rows.num_columns[0]
    expected = f"{first} values as in line {rows.line_numbers[0]}"
    _reject(path, rows, rows.num_columns != first, expected, rows.num_columns)


def _reject(
    path: Path,
    rows: MotRows,
    broken: NDArray[np.bool_],
    expected: str,
    values: NDArray[np.int64] | NDArray[np.float64],
) -> None:
    """Raise for the first line that breaks a rule."""
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise FormatError(f"{path}:{rows.line_numbers[row]}: expected {expected}, got {values[row]:.12g}")
