"""CVAT's "MOT 1.1": a zip archive with ``gt/gt.txt`` (ground truth) and ``gt/labels.txt``."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path, PurePosixPath
from typing import cast

from vsdmot.errors import FormatError
from vsdmot.io.archives import ArchiveLimits, open_archive
from vsdmot.io.exchange.decimals import text
from vsdmot.io.exchange.mot import read_label_names, table_of_text
from vsdmot.io.exchange.table import TrackTable, printable, sequence_name
from vsdmot.io.problems import some

LIMITS = ArchiveLimits(max_ratio=1100)
"""XML of people who stand still packs a hundredfold, and zip at most 1032-fold; nothing is unpacked to the disk."""
_MOST_BYTES = 2**28  # of a text that is read: more than a million boxes
_OLDEST_DATE = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever they are written


def read_cvat_mot_tracks(path: Path) -> TrackTable:
    """Read tracks from the archive; images in it are not looked at.

    Raises:
        SourceError: The archive is damaged or hostile.
        FormatError: It holds no ``gt.txt``, or several, or a line is broken.
    """
    with open_archive(path, limits=LIMITS) as archive:
        member = the_member(path, archive, "gt.txt")
        # It reads and names itself as a path does, which is all that a reader of text asks for.
        file = cast(Path, zipfile.Path(archive, member))
        beside = str(PurePosixPath(member).with_name("labels.txt"))
        labels = None
        if beside in archive.namelist():
            labels = read_label_names(cast(Path, zipfile.Path(archive, beside)))
        return table_of_text(file, name=sequence_name(path), labels=labels)


def write_cvat_mot_tracks(table: TrackTable) -> bytes:
    """Write ground truth; a visibility that is not known is 1, as CVAT itself writes it."""
    lines = []
    columns = (table.frames, table.ids, table.boxes, table.considered, table.classes, table.visibility)
    for frame, track_id, box, considered, number, seen in zip(*(column.tolist() for column in columns), strict=True):
        rest = (str(int(considered)), str(number + 1), "1" if math.isnan(seen) else text(seen))
        lines.append(",".join([str(frame), str(track_id), *map(text, box), *rest]) + "\n")
    labels = "".join(f"{label}\n" for label in table.labels)
    return zipped({"gt/gt.txt": "".join(lines).encode("ascii"), "gt/labels.txt": labels.encode("utf-8")})


def the_member(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    """Find the only member whose name ends in ``name``.

    Raises:
        FormatError: There is none, there are several, or it is longer than any annotation.
    """
    members = [member for member in archive.namelist() if not member.endswith("/")]
    found = [member for member in members if PurePosixPath(member).name == name and not member.startswith("__MACOSX")]
    if len(found) != 1:
        there = printable(some(found or members, 5))
        raise FormatError(f"{path}: expected one {name} in the archive, got {there or 'nothing'}")
    if (size := archive.getinfo(found[0]).file_size) > _MOST_BYTES:
        raise FormatError(f"{path}: expected at most {_MOST_BYTES} bytes in {found[0]}, it declares {size}")
    return found[0]


def zipped(files: dict[str, bytes]) -> bytes:
    """Pack files into a zip archive; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in files.items():
            info = zipfile.ZipInfo(name, _OLDEST_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, contents)
    return packed.getvalue()
