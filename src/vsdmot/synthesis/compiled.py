"""Loops that numba compiles when they are first called, and keeps on disk for the next time.

They let go of Python's lock, so frames can be drawn by several threads. Neither ``fastmath`` nor ``parallel`` is on:
both change the order of sums, and the same seed must give the same bits.

Compiled loops contain those that they call, but numba looks only at a loop's own file to see whether it is still
valid. After an update that changes another file, old code would run, or crash. So the store's name is that of the
sources of all of them together.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_SOURCES = Path(__file__).parent
_config: Any = numba.config  # its settings are made when it is imported


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays on its first call."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = _store()
    try:
        return cast(Callable[P, R], numba.njit(nogil=True, cache=True)(function))
    finally:
        _config.CACHE_DIR = before


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into those that call it, for what is called once a pixel with many arrays."""
    return cast(Callable[P, R], numba.njit(nogil=True, inline="always")(function))


@cache
def _store() -> str:
    """Give the folder of these very sources' compiled loops, and remove those of other ones.

    Where the package's own folder may not be written, numba's choice is taken, in the user's cache.
    """
    folder = _SOURCES / "__pycache__"
    name = f"compiled-{fingerprint(_SOURCES)}"
    try:
        (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError:
        return str(_config.CACHE_DIR)
    if not os.access(folder / name, os.W_OK):
        return str(_config.CACHE_DIR)
    for other in folder.glob("compiled-*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)
    return str(folder / name)


def fingerprint(folder: Path) -> str:
    """Hash the names and contents of all Python files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
