"""Which recordings a user means: one, or all that a folder, a pattern or a list holds."""

from __future__ import annotations

import glob
from pathlib import Path

from vsdmot.errors import SourceError
from vsdmot.io.images import list_images, natural_key
from vsdmot.io.sources import VIDEO_SUFFIXES

MAX_DEPTH = 6
"""How many folders deep recordings are looked for."""


def find_recordings(source: str) -> list[str]:
    """List the recordings that a source names, each to be opened by `vsdmot.io.sources.open_source`.

    A folder that is neither a sequence nor full of images gives every video, folder of images and sequence below it; a
    pattern that matches videos gives these; a ``.txt`` file gives what its lines name (relative to the file; blank
    lines and what follows ``#`` at a line's start are passed over). Everything else is a single recording.

    Raises:
        SourceError: Nothing is there.
    """
    path = Path(source)
    try:
        if path.is_file() and path.suffix.lower() == ".txt":
            return _listed(path)
        if path.is_dir() and not _is_recording(path):
            found = _below(path, MAX_DEPTH)
            if not found:
                raise SourceError(f"{path}: expected videos, images or sequences, found none in this folder or below")
            return [str(one) for one in found]
        if "://" not in source and not path.exists() and any(sign in source for sign in "*?"):
            matches = [Path(match) for match in glob.glob(source, recursive=True)]
            several = [match for match in matches if _is_video(match) or (match.is_dir() and _is_recording(match))]
            if several:
                return [str(one) for one in sorted(several, key=natural_key)]
    except OSError as error:
        raise SourceError(f"{error.filename or path}: not readable: {error.strerror or error}") from None
    return [source]


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SourceError(f"{path}: expected a text file that lists recordings, a line each") from None
    found = []
    for number, line in enumerate(lines, start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if "://" not in name and not (path.parent / name).exists():
            raise SourceError(f"{path}:{number}: {name}: no such file or folder, seen from {path.parent}")
        found.append(name if "://" in name else str(path.parent / name))
    if not found:
        raise SourceError(f"{path}: expected the path of a recording in each line, found none")
    return found


def _below(folder: Path, depth: int) -> list[Path]:
    """List the recordings in a folder, in natural order; images and sequences are not looked into."""
    found = []
    for path in sorted(folder.iterdir(), key=natural_key):
        if path.name.startswith("."):  # also the shadow files that macOS leaves on foreign disks
            continue
        if _is_video(path) or (path.is_dir() and _is_recording(path)):
            found.append(path)
        elif path.is_dir() and depth:
            found += _below(path, depth - 1)
    return found


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def _is_recording(folder: Path) -> bool:
    return any((folder / part).exists() for part in ("seqinfo.ini", "img1")) or bool(list_images(folder))
