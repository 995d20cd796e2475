"""Read "CVAT for video 1.1": XML from a file that somebody else made, so without entities and document types."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from vsdmot.errors import FormatError
from vsdmot.io.archives import open_archive
from vsdmot.io.exchange.cvat_mot import LIMITS, the_member
from vsdmot.io.exchange.cvat_video import MOST_FRAMES
from vsdmot.io.exchange.decimals import subtract
from vsdmot.io.exchange.table import TableBuilder, TrackTable, sequence_name
from vsdmot.io.problems import counted, some

_MOST_DRAWN = 1_000_000  # boxes; with the frames, so that a small hostile file cannot fill the memory
_MOST_DEPTH = 50  # CVAT's own go 8 deep
_STEP = re.compile(r"step\s*=\s*(\d{1,6})")
_SIDES = ("xtl", "ytl", "xbr", "ybr")
_OTHER_SHAPES = frozenset({"polygon", "polyline", "points", "mask", "cuboid", "ellipse", "skeleton"})

Corners = tuple[float, float, float, float]


def read_cvat_video_tracks(path: Path) -> TrackTable:
    """Read tracks; boxes marked ``outside`` are not there.

    Between two keyframes without boxes in between, and after a last box that is not marked ``outside``, CVAT draws
    boxes: these are added, and a note says how many.

    Args:
        path: The XML, or the zip archive that CVAT exports it in.

    Raises:
        SourceError: The archive is damaged or hostile.
        FormatError: The XML is broken, declares a document type, or is not "CVAT for video".
    """
    if zipfile.is_zipfile(path):
        with open_archive(path, limits=LIMITS) as archive:
            member = the_member(path, archive, "annotations.xml")
            with archive.open(member) as file:
                return _Reader(path / member, sequence_name(path)).read(file)
    try:
        with path.open("rb") as file:
            return _Reader(path, sequence_name(path)).read(file)
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror}") from None


class _Shape:
    """A box of a track, as it stands in the file."""

    def __init__(self, place: str, frame: int, corners: Corners, outside: bool) -> None:
        self.place, self.frame, self.corners, self.outside = place, frame, corners, outside
        self.attributes: dict[str, str] = {}


class _Reader:
    """Reads one file, element by element.

    Args:
        path: The file, for messages.
        name: The sequence, where the file does not name it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._builder = TableBuilder(path)
        self._parents: list[str] = []
        self._text: list[str] = []
        self._meta: dict[str, str] = {}
        self._track: tuple[int, str] | None = None
        self._ids: set[int] = set()
        self._shapes: list[_Shape] = []
        self._attribute = ""
        self._tracks: list[tuple[int, str, list[_Shape]]] = []
        self._left_out: dict[str, int] = {}
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def read(self, file: IO[bytes]) -> TrackTable:
        """Read the file and make the table."""
        try:
            self._parser.ParseFile(file)
        except expat.ExpatError as error:
            raise FormatError(f"{self._path}:{error.lineno}: expected XML, {expat.ErrorString(error.code)}") from None
        except (ValueError, LookupError):
            raise FormatError(f"{self._path}:1: expected XML in UTF-8 or another encoding that is known") from None
        length, step = self._length(), self._step()
        # Before any is made: a few lines can ask for more than the memory holds.
        drawn = sum(
            len(_drawn(shape, following, length, step))
            for _, _, shapes in self._tracks
            for shape, following in _with_following(shapes)
        )
        if drawn > _MOST_DRAWN:
            raise self._builder.fault("", f"at most {_MOST_DRAWN} boxes between keyframes", drawn)
        for track_id, label, shapes in self._tracks:
            self._add(track_id, label, shapes, length, step)
        for frame in range(self._meta_number("start_frame", 0) + 1, length + 1, step):
            self._builder.add_frame("", frame)
        notes = [f"{counted(count, what)} left out" for what, count in self._left_out.items()]
        if drawn:
            notes.append(f"{counted(drawn, 'box', 'boxes')} between and after keyframes added, as CVAT draws them")
        name = self._meta.get("name") or self._name
        return self._builder.build(name=name, size=self._size(), notes=tuple(notes))

    def _here(self) -> str:
        return f":{self._parser.CurrentLineNumber}"

    def _refuse_doctype(self, *_: object) -> None:
        raise self._builder.fault(self._here(), "XML without a document type", "DOCTYPE, which CVAT does not write")

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._parents and name != "annotations":
            raise self._builder.fault(self._here(), "CVAT's <annotations>", f"<{name}>")
        if len(self._parents) >= _MOST_DEPTH:
            raise self._builder.fault(self._here(), f"at most {_MOST_DEPTH} elements inside each other", f"<{name}>")
        parent = "/".join(self._parents)
        if parent == "annotations" and name == "image":
            raise self._builder.fault(self._here(), '"CVAT for video 1.1"', '<image>, which is "CVAT for images"')
        if parent == "annotations" and name == "track":
            self._track = (self._whole(attributes, "id"), self._value(attributes, "label"))
            if self._track[0] in self._ids:
                raise self._builder.fault(self._here(), "each track id once", self._track[0])
            self._ids.add(self._track[0])
        elif parent == "annotations/track" and name == "box":
            self._shapes.append(self._box(attributes))
        elif parent == "annotations/track" and name in _OTHER_SHAPES:
            self._left_out[f"<{name}>"] = self._left_out.get(f"<{name}>", 0) + 1
        elif parent == "annotations/track/box" and name == "attribute":
            self._attribute = self._value(attributes, "name")
        self._parents.append(name)
        self._text = []

    def _end(self, name: str) -> None:
        self._parents.pop()
        path, text = "/".join(self._parents), "".join(self._text).strip()
        self._text = []
        if path in ("annotations/meta/task", "annotations/meta/job") or path.endswith("/original_size"):
            self._meta[name] = text
        elif name == "attribute" and path == "annotations/track/box":
            self._shapes[-1].attributes[self._attribute] = text
        elif name == "track" and path == "annotations" and self._track is not None:
            self._tracks.append((*self._track, self._shapes))
            self._shapes = []

    def _box(self, attributes: dict[str, str]) -> _Shape:
        corners = [self._number(attributes, side) for side in _SIDES]
        frame = self._whole(attributes, "frame") + 1
        if not 1 <= frame <= MOST_FRAMES:
            raise self._builder.fault(self._here(), f"a frame from 0 to {MOST_FRAMES - 1}", frame - 1)
        if attributes.get("occluded") == "1":
            self._left_out["mark of an occluded box"] = self._left_out.get("mark of an occluded box", 0) + 1
        outside = attributes.get("outside", "0") == "1"
        return _Shape(self._here(), frame, (corners[0], corners[1], corners[2], corners[3]), outside)

    def _value(self, attributes: dict[str, str], name: str) -> str:
        if name not in attributes:
            raise self._builder.fault(self._here(), f"the attribute {name}", some(attributes, 9) or "none")
        return attributes[name]

    def _number(self, attributes: dict[str, str], name: str) -> float:
        text = self._value(attributes, name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._builder.fault(self._here(), f"{name} that is a number", repr(text))
        return value

    def _whole(self, attributes: dict[str, str], name: str) -> int:
        value = self._number(attributes, name)
        if value != int(value):
            raise self._builder.fault(self._here(), f"{name} that is a whole number", attributes[name])
        return int(value)

    def _length(self) -> int:
        """Give the last frame of the task; no box lies beyond."""
        last = max((shape.frame for _, _, shapes in self._tracks for shape in shapes if not shape.outside), default=0)
        stop = self._meta_number("stop_frame", -1) + 1
        return max(stop or self._meta_number("size", 0), last)

    def _step(self) -> int:
        """Give how many frames the task goes on at a time: it may leave out all but each tenth."""
        found = _STEP.search(self._meta.get("frame_filter", ""))
        return max(1, int(found[1])) if found else 1

    def _meta_number(self, name: str, default: int) -> int:
        text = self._meta.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST_FRAMES):
            raise self._builder.fault("", f"a number of frames up to {MOST_FRAMES} in <{name}>", repr(text))
        return int(text)

    def _size(self) -> tuple[int, int] | None:
        texts = [self._meta.get(name, "") for name in ("width", "height")]
        if not all(text.isascii() and text.isdigit() and len(text) < 8 and int(text) for text in texts):
            return None
        return int(texts[0]), int(texts[1])

    def _add(self, track_id: int, label: str, shapes: list[_Shape], length: int, step: int) -> None:
        """Add the boxes of a track, and those that CVAT draws between and after them."""
        for shape, following in _with_following(shapes):
            if shape.outside:
                continue
            self._add_box(track_id, label, shape, shape.frame, shape.corners)
            for frame in _drawn(shape, following, length, step):
                corners = shape.corners
                if following is not None and not following.outside:
                    share = (frame - shape.frame) / (following.frame - shape.frame)
                    moved = [a + share * (b - a) for a, b in zip(shape.corners, following.corners, strict=True)]
                    corners = (moved[0], moved[1], moved[2], moved[3])
                self._add_box(track_id, label, shape, frame, corners)

    def _add_box(self, track_id: int, label: str, shape: _Shape, frame: int, corners: Corners) -> None:
        left, top, right, bottom = corners
        self._builder.add(
            shape.place,
            frame,
            track_id,
            (left, top, subtract(right, left), subtract(bottom, top)),
            score=self._attribute_number(shape, "score"),
            label=label,
            considered=shape.attributes.get("ignored", "false").lower() != "true",
            visibility=self._attribute_number(shape, "visibility"),
        )

    def _attribute_number(self, shape: _Shape, name: str) -> float:
        text = shape.attributes.get(name, "")
        if not text:
            return math.nan
        try:
            return float(text)
        except ValueError:
            raise self._builder.fault(shape.place, f"the attribute {name} to be a number", repr(text)) from None


def _with_following(shapes: list[_Shape]) -> Iterator[tuple[_Shape, _Shape | None]]:
    """Give each shape of a track, by rising frame, with the next one; None after the last."""
    ordered = sorted(shapes, key=lambda shape: shape.frame)
    for place, shape in enumerate(ordered, start=1):
        yield shape, ordered[place] if place < len(ordered) else None


def _drawn(shape: _Shape, following: _Shape | None, length: int, step: int) -> range:
    """Give the frames between a shape and the next, or the end, in which CVAT draws it on."""
    end = length + 1 if following is None else following.frame
    return range(0) if shape.outside else range(shape.frame + step, end, step)
