"""``build.json``: what a data set was built from and with, and whether it is complete."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from vsdmot.errors import FormatError
from vsdmot.io.problems import counted
from vsdmot.io.whole_files import write_whole
from vsdmot.version import __version__

NAME = "build.json"
FORMAT = "vsdmot build 1"

_DECIDING_PACKAGES = ("numpy", "opencv-python", "opencv-python-headless", "Pillow", "av")
"""Other versions of these may give other pixels."""


@dataclass(frozen=True)
class Manifest:
    """What is known about a build.

    Attributes:
        complete: Whether everything is there.
        settings: Names and plain values of all that decides what is built.
        versions: Packages whose version may change pixels.
        sequences: For each set (train, val, val_clean): name, quality and source of its sequences.
    """

    complete: bool
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    sequences: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write the manifest of a data set; it is there in full or not at all.

        Raises:
            OutputError: The disk is full, or the folder cannot be written.
        """
        contents = {
            "format": FORMAT,
            "complete": self.complete,
            "settings": self.settings,
            "versions": self.versions,
            "sequences": self.sequences,
        }
        write_whole(folder / NAME, (json.dumps(contents, indent=1, ensure_ascii=False) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a data set.

        Raises:
            FormatError: It is missing or damaged.
        """
        path = folder / NAME
        try:
            contents = json.loads(path.read_bytes())
            if contents["format"] != FORMAT:
                raise ValueError
            return cls(
                bool(contents["complete"]),
                dict(contents["settings"]),
                dict(contents["versions"]),
                dict(contents["sequences"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise FormatError(f"{path}: expected the manifest of a data set that `vsdmot data build` made") from None


def is_build(folder: Path) -> bool:
    """Whether a folder is a data set that was built, complete or not."""
    try:
        Manifest.read(folder)
    except FormatError:
        return False
    return True


def versions() -> dict[str, str]:
    """Name the packages here whose version may change pixels."""
    found = {"vsdmot": __version__}
    for package in _DECIDING_PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which values differ.

    >>> differences({"seed": 0, "mode": "drift"}, {"seed": 1, "mode": "drift"})
    ['seed 0 there, 1 now']
    """
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [f"{name} {_short(old.get(name))} there, {_short(new.get(name))} now" for name in names]


def _short(value: object) -> str:
    if isinstance(value, list):
        return counted(len(value), "name") if len(value) > 3 else ",".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
