"""Hashes of files, by which results know what they were made from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vsdmot.errors import SourceError


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file's bytes.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: not readable: {error.strerror}") from None
