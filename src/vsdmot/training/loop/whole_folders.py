"""Write folders that are there in full or not at all, whenever the program is killed.

A folder is filled under a name that begins with a dot and ends in ``.part``, forced to the disk, and takes its own name
when it is complete. One that it replaces steps aside as ``.old`` for that moment; `recover` puts it back if the program
was killed just then. One that is removed is called ``.gone`` first, so that no half of it is ever taken for a whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsdmot.errors import OutputError


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill; when it is filled it takes the place of ``folder``.

    Raises:
        OutputError: It cannot be written there.
    """
    part, old = _beside(folder, "part"), _beside(folder, "old")
    try:
        _remove(part)
        part.mkdir(parents=True)
        yield part
        _force_to_disk(part)
        if folder.exists():
            _remove(old)
            os.rename(folder, old)
        os.rename(part, folder)
        _sync(folder.parent)
        _remove(old)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def discard(folder: Path) -> None:
    """Remove a folder so that a kill in the middle does not leave one that looks whole.

    Raises:
        OutputError: It cannot be removed.
    """
    gone = _beside(folder, "gone")
    try:
        _remove(gone)
        os.rename(folder, gone)
        _remove(gone)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be removed: {error.strerror or error}") from None


def recover(parent: Path) -> None:
    """Finish in a folder what a killed program left undone with the folders directly in it.

    Raises:
        OutputError: What is there cannot be changed.
    """
    try:
        for left in sorted(parent.glob(".*")):
            name, _, kind = left.name[1:].rpartition(".")
            if kind not in ("part", "old", "gone") or not left.is_dir():
                continue
            whole = parent / name
            if kind == "old" and not whole.exists():
                os.rename(left, whole)
            else:
                _remove(left)
    except OSError as error:
        raise OutputError(f"{parent}: cannot be put in order: {error.strerror or error}") from None


def _beside(folder: Path, kind: str) -> Path:
    return folder.with_name(f".{folder.name}.{kind}")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _force_to_disk(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows does not let folders be opened
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
