"""Tracks of one sequence as columns: the value that every format is read into and written from."""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import FormatError
from vsdmot.io.annotations import PERSON_LABELS

PERSON = "person"
"""What a box shows where the format says nothing."""
FRAME_COLUMNS = ("time", "quality", "clarity", "noise", "contrast", "semantic_weight", "num_proposals")
"""What may be known of a whole frame; the time is in seconds."""

_LARGEST = 2**53  # beyond this a float64 no longer tells neighbours apart, and several formats hold numbers as such


@dataclass(frozen=True, eq=False, kw_only=True)
class TrackTable:
    """Boxes of tracks, by rising frame and, within a frame, rising id. The arrays are read-only.

    Widths and heights are kept in place of right and bottom, because most formats hold them and a sum of two numbers
    does not give them back to the last digit.

    Attributes:
        name: The sequence.
        size: Width and height of the picture in pixels; None where it is not known.
        frames: ``(N,)`` int64, from 1.
        ids: ``(N,)`` int64, at least 0; none twice in a frame.
        boxes: ``(N, 4)`` float64: left, top, width, height in pixels.
        scores: ``(N,)`` float64; NaN where there is none.
        considered: ``(N,)`` bool; False where ground truth says that evaluation leaves the box out.
        visibility: ``(N,)`` float64, visible share of the person; NaN where there is none.
        classes: ``(N,)`` int64, places in ``labels``.
        labels: What boxes can show.
        known_frames: ``(F,)`` int64, rising: frames that the source speaks of, with or without boxes. Empty where a
            source, like MOTChallenge text, holds boxes only.
        frame_values: ``(F, 7)`` float64, the columns `FRAME_COLUMNS`; NaN where one is not known.
        notes: What the source holds and this table does not, a sentence each.
    """

    name: str
    size: tuple[int, int] | None
    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    considered: NDArray[np.bool_]
    visibility: NDArray[np.float64]
    classes: NDArray[np.int64]
    labels: tuple[str, ...]
    known_frames: NDArray[np.int64]
    frame_values: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.frames), 4) or self.frame_values.shape != (
            len(self.known_frames),
            len(FRAME_COLUMNS),
        ):
            raise ValueError(f"TrackTable holds {self.boxes.shape} boxes, {self.frame_values.shape} frame values")
        if len(self.known_frames) and np.any(np.diff(self.known_frames) <= 0):
            raise ValueError("TrackTable.known_frames must rise")
        columns = (self.ids, self.scores, self.considered, self.visibility, self.classes)
        for array in (self.frames, self.boxes, self.known_frames, self.frame_values, *columns):
            array.setflags(write=False)
        if any(len(column) != len(self.frames) for column in columns):
            raise ValueError(f"TrackTable holds columns of other lengths than {len(self.frames)}")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def length(self) -> int:
        """The last frame that the source speaks of; 0 for none."""
        return max(int(self.known_frames.max(initial=0)), int(self.frames.max(initial=0)))

    @property
    def row_labels(self) -> list[str]:
        """What each row shows, ``N`` texts."""
        return [self.labels[number] for number in self.classes.tolist()]

    def spans(self) -> list[slice]:
        """Rows of each frame that has any, by rising frame."""
        starts = np.flatnonzero(np.diff(self.frames, prepend=0)).tolist()
        return [slice(start, end) for start, end in itertools.pairwise([*starts, len(self)])]

    def with_length(self, length: int) -> Self:
        """Speak of all frames from 1 to ``length``.

        Raises:
            FormatError: There are later ones.
        """
        if self.length > length:
            raise FormatError(f"{self.name}: expected at most {length} frames, as the length says, got {self.length}")
        values = np.full((length, len(FRAME_COLUMNS)), np.nan)
        values[self.known_frames - 1] = self.frame_values
        return dataclasses.replace(self, known_frames=np.arange(1, length + 1), frame_values=values)

    def with_person_label(self, label: str) -> Self:
        """Call people ``label``, whatever name for a person they have."""
        names = [label if name.lower() in PERSON_LABELS else name for name in self.labels]
        labels = tuple(dict.fromkeys(names))
        places = np.array([labels.index(name) for name in names], np.int64)
        return dataclasses.replace(self, labels=labels, classes=places[self.classes])


def sequence_name(path: Path) -> str:
    """Name a sequence after its file: what comes before the suffix, and before ``.mot`` or ``.gt`` in front of it.

    >>> sequence_name(Path("results/MOT17-02.v2.mot.txt"))
    'MOT17-02.v2'
    """
    return path.stem.removesuffix(".mot").removesuffix(".gt") or path.stem


def printable(text: str) -> str:
    r"""Put a question mark in place of what would garble a terminal, a line of a message or XML.

    >>> printable("a\n\x1b[2J")
    'a??[2J'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class TableBuilder:
    """Collect rows as a file is read, and refuse broken ones with their place in the file.

    Args:
        path: The file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[tuple[int, int, float, float, float, float, float, bool, float, int]] = []
        self._labels: dict[str, int] = {}
        self._places: dict[tuple[int, int], str] = {}
        self._frames: dict[int, tuple[float, ...]] = {}

    def add(
        self,
        place: str,
        frame: int,
        track_id: int,
        box: tuple[float, float, float, float],
        *,
        score: float = math.nan,
        label: str = PERSON,
        considered: bool = True,
        visibility: float = math.nan,
    ) -> None:
        """Add a box.

        Args:
            place: Where it stands in the file, such as ``:12``, for messages.
            frame: From 1.
            track_id: At least 0.
            box: Left, top, width, height in pixels.
            score: NaN for none.
            label: What it shows.
            considered: False where evaluation leaves it out.
            visibility: NaN for none.

        Raises:
            FormatError: A number is out of range, or the id is in this frame already.
        """
        if not 1 <= frame <= _LARGEST:
            raise self.fault(place, "a frame number, whole and at least 1", frame)
        if not 0 <= track_id <= _LARGEST:
            raise self.fault(place, "an id that is whole and at least 0", track_id)
        if not all(map(math.isfinite, box)):
            raise self.fault(place, "a box of finite numbers", ", ".join(f"{side:.12g}" for side in box))
        if math.isinf(score) or math.isinf(visibility):
            raise self.fault(place, "a score and a visibility that are finite", f"{score}, {visibility}")
        label = label.strip()
        if not label or not label.isprintable():
            raise self.fault(place, "a label that can be printed", repr(label))
        first = self._places.setdefault((frame, track_id), place)
        if len(self._places) == len(self._rows):
            raise self.fault(
                place, "each id at most once in a frame", f"id {track_id} twice in frame {frame}, first{first}"
            )
        number = self._labels.setdefault(label, len(self._labels))
        self._rows.append((frame, track_id, *box, score, considered, visibility, number))

    def add_frame(self, place: str, frame: int, values: tuple[float, ...] | None = None) -> None:
        """Add a frame that the source speaks of, with what is known of it (`FRAME_COLUMNS`); None for nothing.

        Raises:
            FormatError: The frame is out of range, a value is infinite, or other values came before.
        """
        if not 1 <= frame <= _LARGEST:
            raise self.fault(place, "a frame number, whole and at least 1", frame)
        values = values or (math.nan,) * len(FRAME_COLUMNS)
        if any(map(math.isinf, values)):
            raise self.fault(place, "values that are finite", ", ".join(map(str, values)))
        before = self._frames.setdefault(frame, values)
        if any(
            old != new and not (math.isnan(old) and math.isnan(new)) for old, new in zip(before, values, strict=True)
        ):
            raise self.fault(place, f"the values of frame {frame} as before", ", ".join(map(str, values)))

    def fault(self, place: str, expected: str, found: object) -> FormatError:
        """Make the error for a place in the file."""
        text = printable(str(found))
        return FormatError(
            f"{self._path}{place}: expected {expected}, got {text if len(text) <= 80 else text[:77] + '...'}"
        )

    def build(self, *, name: str, size: tuple[int, int] | None = None, notes: tuple[str, ...] = ()) -> TrackTable:
        """Give the table of all rows; what cannot be printed in the name becomes a question mark."""
        columns: list[tuple[float, ...]] = list(zip(*self._rows, strict=True)) or [()] * 10
        order = np.lexsort((np.array(columns[1], np.int64), np.array(columns[0], np.int64)))
        known = sorted(self._frames)
        return TrackTable(
            name=printable(name.strip()),
            size=size,
            frames=np.array(columns[0], np.int64)[order],
            ids=np.array(columns[1], np.int64)[order],
            boxes=np.array(columns[2:6], np.float64).reshape(4, -1).T[order],
            scores=np.array(columns[6], np.float64)[order],
            considered=np.array(columns[7], np.bool_)[order],
            visibility=np.array(columns[8], np.float64)[order],
            classes=np.array(columns[9], np.int64)[order],
            labels=tuple(self._labels) or (PERSON,),
            known_frames=np.array(known, np.int64),
            frame_values=np.array([self._frames[frame] for frame in known], np.float64).reshape(
                len(known), len(FRAME_COLUMNS)
            ),
            notes=notes,
        )
