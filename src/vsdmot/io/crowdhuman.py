"""Annotations of CrowdHuman (``annotation_train.odgt``): still images of crowds, one JSON object per line.

MOTRv2 makes short clips of them by moving each image. A line names an image (``ID``, without ``.jpg``) and its boxes
(``gtboxes``), each with a tag and the box of the full body (``fbox``: left, top, width, height in pixels), which covers
hidden parts and may reach beyond the image. The boxes of heads and of what is visible are not read.
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
    """

    image_id: str
    boxes: NDArray[np.float64]
    ignored: NDArray[np.bool_]

    def image_in(self, folder: Path) -> Path:
        """Where the image lies in a folder of images."""
        return folder / f"{self.image_id}.jpg"

    def people(self) -> NDArray[np.float64]:
        """Boxes that are not ignored, ``(K, 4)`` float64 ``xyxy``; the ones that MOTRv2 trains on."""
        return self.boxes[~self.ignored]


def read_crowdhuman(path: Path) -> Iterator[CrowdImage]:
    """Read annotations, an image at a time; blank lines are passed over.

    Raises:
        FormatError: The file is missing, or a line is not such an object; with file and line number.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield _parse(line)
                except ValueError as error:
                    raise FormatError(f"{path}:{number}: {error}") from None
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
    boxes = np.array([_full_box(person) for person in people], np.float64).reshape(-1, 4)
    ignored = np.array([_is_ignored(person) for person in people], np.bool_)
    return CrowdImage(image_id=image_id, boxes=xywh_to_xyxy(boxes), ignored=ignored)


def _full_box(person: Any) -> list[float]:
    box = _member(person, "fbox", list)
    numbers = [side for side in box if isinstance(side, int | float) and abs(side) < 1e9]  # NaN fails the comparison
    if len(box) != 4 or len(numbers) != 4:
        raise ValueError(f"expected fbox to be four numbers (left, top, width, height), got {str(box)[:60]}")
    return [float(side) for side in numbers]


def _is_ignored(person: Any) -> bool:
    tag = _member(person, "tag", str)
    if tag not in ("person", "mask"):
        raise ValueError(f"expected the tag person or mask, got {tag[:60]!r}")
    extra = person.get("extra", {})
    mark = extra.get("ignore", 0) if isinstance(extra, dict) else None
    if mark not in (0, 1):
        raise ValueError(f"expected extra to be an object whose ignore, if any, is 0 or 1, got {str(extra)[:60]}")
    return bool(tag == "mask" or mark == 1)


def _member(record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get(name), kind):
        raise ValueError(f"expected an object with the field {name} ({kind.__name__}), got {str(record)[:60]!r}")
    return record[name]
