"""Where results go, and whether they can."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vsdmot.errors import OutputError
from vsdmot.io.sources import SourceInfo


def check_output(path: Path, overwrite: bool, *, source: str | Path | None = None) -> None:
    """Make sure that a result can be written, before hours of work depend on it; makes the parent folder.

    Args:
        path: The file to be written.
        overwrite: Whether a file that exists may be replaced.
        source: What is being read; a result never replaces it, not even with ``overwrite``.

    Raises:
        OutputError: The file exists and may not be replaced, is the source or a folder, or its folder cannot be made
            or written.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path}: expected a file name for the output, this is a folder")
        if path.exists():
            if source is not None and Path(source).exists() and path.samefile(source):
                raise OutputError(f"{path}: this is the source itself; choose another output")
            if not overwrite:
                raise OutputError(f"{path} exists; add --overwrite to replace it")
            if not _allowed(path, os.W_OK):
                raise OutputError(f"{path}: exists and may not be written")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _allowed(path.parent, os.W_OK | os.X_OK):
            raise OutputError(f"{path}: the folder {path.parent} may not be written")
    except (FileExistsError, NotADirectoryError):
        raise OutputError(f"{path}: a part of {path.parent} is a file, not a folder") from None
    except OSError as error:
        raise OutputError(f"{path}: the output cannot be made: {error.strerror}") from None


def default_output(info: SourceInfo, suffix: str) -> Path:
    """Name an output after its source: beside files and folders, else in the current folder.

    Args:
        info: The source. Patterns, cameras and network addresses have no place of their own.
        suffix: What follows the name, such as ``.tracked.mp4`` or ``.jsonl``.

    >>> camera = SourceInfo(
    ...     name="camera0", width=640, height=480, frame_rate=30.0, num_frames=None, live=True, location="camera 0"
    ... )
    >>> print(default_output(camera, ".tracked.mp4"))
    camera0.tracked.mp4
    """
    source = Path(info.location)
    if not info.live and source.is_dir():
        source = source.resolve()  # "." and ".." have a name only then
        return source.parent / f"{source.name}{suffix}"
    if not info.live and source.is_file():
        return source.parent / f"{source.stem}{suffix}"
    plain = re.sub(r"[^\w.-]+", "_", info.name).strip("._")  # a file name on every system
    return Path(f"{plain or 'output'}{suffix}")


def _allowed(path: Path, mode: int) -> bool:
    """Ask for the rights that writing will use, which are those of the effective user where the system knows one."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
