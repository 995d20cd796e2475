"""Write files that are there in full or not at all, whenever the program is killed.

A file is written under a name that begins with a dot and ends in the number of the process and ``.part``, and takes its
own name when it is complete.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from vsdmot.errors import OutputError


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file, replacing one that exists; makes its folder.

    Raises:
        OutputError: The disk is full, or the file cannot be written there.
    """
    _fill(path, lambda part: part.write_bytes(contents))


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file's contents byte for byte, replacing a target that exists; makes its folder.

    Raises:
        OutputError: The source cannot be read, the disk is full, or the target cannot be written there.
    """
    _fill(target, lambda part: shutil.copyfile(source, part))


def remove_parts(folder: Path) -> None:
    """Remove what runs that were killed left unfinished in a folder and below it."""
    for part in folder.rglob(".*.part"):
        if not part.name.split(".")[-2].isdigit():  # a file of somebody else; ours have the number of a process there
            continue
        with contextlib.suppress(OSError):
            part.unlink()


def _fill(path: Path, fill: Callable[[Path], object]) -> None:
    # The process's number keeps a worker that outlives a killed run by a moment from spoiling the file of the next run.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fill(part)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        about = f" ({error.filename})" if error.filename and str(error.filename) not in (str(part), str(path)) else ""
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}{about}") from None
