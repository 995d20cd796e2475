"""Annotations of CrowdHuman (``annotation_train.odgt``): still images of crowds, one JSON object per line.

MOTRv2 makes short clips of them by moving each image. A line names an image (``ID``, without ``.jpg``) and its boxes
(``gtboxes``), each with a tag and up to three boxes (left, top, width, height in pixels): the full body (``fbox``),
which covers hidden parts and may reach beyond the image, its visible part (``vbox``), and the head (``hbox``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.errors import FormatError


@dataclass(frozen=True, eq=False)
class CrowdImage:
    """The annotations of one image.

    Attributes:
        image_id: The name of the image without ``.jpg``, such as ``273271,c9db000d5146c15``.
        boxes: ``(P, 4)`` float64 ``xyxy`` of full bodies in pixels; may reach beyond the image.
        ignored: ``(P,)`` bool; True for groups, reflections and dummies (tag ``mask``) and for people whom the
            annotators marked with ``ignore``: neither to be found nor to be punished.
        visible: ``(P, 4)`` float64 ``xyxy`` of what is visible of each; NaN where the file does not say.
        heads: ``(P, 4)`` float64 ``xyxy`` of the heads; NaN where there is none, or it is marked with ``ignore``.
    """

    image_id: str
    boxes: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    visible: NDArray[np.float64]
    heads: NDArray[np.float64]

    def image_in(self, folder: Path) -> Path:
        """Where the image lies in a folder of images."""
        return folder / f"{self.image_id}.jpg"

    def people(self) -> NDArray[np.float64]:
        """Boxes that are not ignored, ``(K, 4)`` float64 ``xyxy``; the ones that MOTRv2 trains on."""
        return self.boxes[~self.ignored]

    def num_heads(self) -> int:
        """Heads of people that are not ignored."""
        return int(np.isfinite(self.heads[~self.ignored, 0]).sum())


def read_crowdhuman(path: Path) -> Iterator[CrowdImage]:
    """Read annotations, an image at a time; blank lines are passed over.

    Raises:
        FormatError: The file is missing, or a line is not such an object; with file and line number.
    """
    for number, image in read_crowdhuman_lines(path):
        if isinstance(image, str):
            raise FormatError(f"{path}:{number}: {image}")
        yield image


def read_crowdhuman_lines(path: Path) -> Iterator[tuple[int, CrowdImage | str]]:
    """Read annotations and go on after a line that cannot be read.

    Yields:
        The line's number, from 1, and its annotations, or what is wrong with it.

    Raises:
        FormatError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield number, _parse(line)
                except ValueError as error:
                    yield number, str(error)
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror or error}") from None


def _parse(line: bytes) -> CrowdImage:
    """Make the annotations of a line.

    Raises:
        ValueError: The line is not JSON, or a field is missing or of the wrong type or value.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"expected a JSON object, got {line[:60].decode('utf-8', 'replace').strip()!r}") from None
    image_id = _member(record, "ID", str)
    if not image_id or {"/", "\\", "\0"} & set(image_id):
        raise ValueError(f"expected an ID that is the name of an image, got {image_id!r}")
    people = _member(record, "gtboxes", list)
    return CrowdImage(
        image_id=image_id,
        boxes=_boxes([_box(person, "fbox") for person in people]),
        ignored=np.array([_is_ignored(person) for person in people], np.bool_),
        visible=_boxes([_box(person, "vbox") if "vbox" in person else _NO_BOX for person in people]),
        heads=_boxes([_head(person) for person in people]),
    )


_NO_BOX = [float("nan")] * 4


def _boxes(rows: list[list[float]]) -> NDArray[np.float64]:
    return xywh_to_xyxy(np.array(rows, np.float64).reshape(-1, 4))


def _box(person: Any, name: str) -> list[float]:
    box = _member(person, name, list)
    numbers = [side for side in box if isinstance(side, int | float) and abs(side) < 1e9]  # NaN fails the comparison
    if len(box) != 4 or len(numbers) != 4:
        raise ValueError(f"expected {name} to be four numbers (left, top, width, height), got {str(box)[:60]}")
    return [float(side) for side in numbers]


def _head(person: dict[str, Any]) -> list[float]:
    if "hbox" not in person or _mark(person, "head_attr"):
        return _NO_BOX
    return _box(person, "hbox")


def _is_ignored(person: Any) -> bool:
    tag = _member(person, "tag", str)
    if tag not in ("person", "mask"):
        raise ValueError(f"expected the tag person or mask, got {tag[:60]!r}")
    return _mark(person, "extra") or tag == "mask"


def _mark(person: dict[str, Any], name: str) -> bool:
    """Whether the annotators asked to ignore the box that these remarks belong to."""
    remarks = person.get(name, {})
    mark = remarks.get("ignore", 0) if isinstance(remarks, dict) else None
    if mark not in (0, 1):
        raise ValueError(f"expected {name} to be an object whose ignore, if any, is 0 or 1, got {str(remarks)[:60]}")
    return bool(mark)


def _member(record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get(name), kind):
        raise ValueError(f"expected an object with the field {name} ({kind.__name__}), got {str(record)[:60]!r}")
    return record[name]
