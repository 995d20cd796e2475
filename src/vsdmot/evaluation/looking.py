"""Look into folders and archives that people name: what ground truth and results are found by."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vsdmot.errors import SourceError
from vsdmot.io.archives import unpack
from vsdmot.io.images import natural_key


def visible(folder: Path) -> list[Path]:
    """List a folder in natural order, without hidden files and what macOS adds to archives."""
    inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    return sorted(inside, key=natural_key)


def contents(folder: Path) -> list[str]:
    """Name what is in a folder, for messages."""
    return [path.name + ("/" if path.is_dir() else "") for path in visible(folder)]


def are(contents: str) -> str:
    """Continue "there" with what is there.

    >>> are(""), are("a.txt"), are("a.txt, b.txt"), are("no text files")
    ('is nothing', 'is a.txt', 'are a.txt, b.txt', 'are no text files')
    """
    several = "," in contents or contents.startswith("no ")
    return f"{'are' if several else 'is'} {contents or 'nothing'}"


def layers(root: Path) -> Iterator[Path]:
    """Give a folder and, as long as it holds nothing but one folder, that one: many archives are wrapped so."""
    yield root
    inside = visible(root)
    while len(inside) == 1 and inside[0].is_dir():
        yield inside[0]
        inside = visible(inside[0])


def is_archive(path: Path) -> bool:
    """Whether a file is, or claims to be, a zip archive."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def unpacked(archive: Path, folder: Path | None) -> Path:
    """Unpack an archive into a new folder.

    Raises:
        SourceError: It is damaged or hostile, or there is no folder to unpack it to.
    """
    if folder is None:
        raise SourceError(f"{archive}: a zip archive needs a folder to be unpacked to")
    return unpack(archive, folder)


def require_file(path: Path, suffixes: Sequence[str], expected: str) -> None:
    """Refuse what is no file with one of the suffixes.

    Raises:
        SourceError: Nothing is there, or something else.
    """
    if not path.exists():
        raise SourceError(f"{path}: expected {expected}, there is no such file or folder")
    if not path.is_file() or path.suffix not in suffixes:
        got = f"a file {path.suffix}" if path.suffix else "a file without suffix"
        raise SourceError(f"{path}: expected {expected}, got {got}")


def folder_name(folder: Path) -> str:
    """Name a folder as it is seen from outside, also ``.``; a link by its own name."""
    return os.path.basename(os.path.abspath(folder))


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one line, as a context manager.

    Raises:
        SourceError: Something below the path cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise SourceError(f"{error.filename or path}: not readable: {error.strerror or error}") from None
