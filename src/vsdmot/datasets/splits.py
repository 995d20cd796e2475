"""Lists of the sequences of a set: what training and evaluation read, and what a person can edit.

A list is text with one sequence per line: its name, whether it is clean or degraded, and its folder, relative to the
folder of the list or absolute. ``#`` begins a remark::

    # sequence, quality, folder
    dancetrack0001, degraded, train/dancetrack0001
    dancetrack0002, clean, train/dancetrack0002
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from vsdmot.errors import FormatError

Quality = Literal["clean", "degraded"]

HEADER = "# sequence, quality, folder"


@dataclass(frozen=True)
class SplitEntry:
    """A sequence of a set.

    Attributes:
        name: Its name, once in the set.
        quality: Whether it was degraded.
        folder: Where it is.
    """

    name: str
    quality: Quality
    folder: Path


def write_split(entries: Iterable[SplitEntry], folder: Path) -> str:
    """Write a list that is to lie in ``folder``; sequences below it are named relative to it."""
    lines = [HEADER]
    for entry in entries:
        inside = entry.folder.is_relative_to(folder)
        path = entry.folder.relative_to(folder) if inside else entry.folder.absolute()
        lines.append(f"{entry.name}, {entry.quality}, {path.as_posix()}")
    return "\n".join(lines) + "\n"


def read_split(path: Path) -> tuple[SplitEntry, ...]:
    """Read a list of sequences; it may be empty.

    Raises:
        FormatError: The file is missing or no text, a line is not of this form, a name occurs twice, or a folder is
            not there; with file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "expected UTF-8 text"
        raise FormatError(f"{path}: cannot read: {reason}") from None
    entries: list[SplitEntry] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        entry = _parse(text, path, number)
        if entry.name in seen:
            raise FormatError(f"{path}:{number}: {entry.name} is also in line {seen[entry.name]}")
        if not entry.folder.is_dir():
            raise FormatError(f"{path}:{number}: expected the sequence {entry.name} in {entry.folder}, it is not there")
        seen[entry.name] = number
        entries.append(entry)
    return tuple(entries)


def _parse(text: str, path: Path, number: int) -> SplitEntry:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(parts) or parts[1] not in get_args(Quality):
        raise FormatError(f"{path}:{number}: expected 'sequence, clean or degraded, folder', got {text[:80]!r}")
    return SplitEntry(parts[0], cast(Quality, parts[1]), path.parent / parts[2])
