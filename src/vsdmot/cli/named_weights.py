"""Weights by name on the command line: what comes with the package, and what is downloaded once."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from vsdmot.cli.console import say
from vsdmot.detection.yolox.checkpoint import weights_file
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.detection.yolox.releases import RELEASES, fetch_release
from vsdmot.tracking.model_names import shipped_folder


def find_detector(location: Path, config: DetectorConfig) -> tuple[Path, DetectorConfig]:
    """Find the file that ``--detector`` means, downloading it if need be.

    Args:
        location: A file; a folder with ``model.safetensors``; ``vsdmot-nano``; or the name of a published detector,
            which is downloaded the first time. What lies here under that name wins over the name.
        config: Settings of the detector.

    Returns:
        The file, and the settings with the input convention of a published detector, where they leave it open.

    Raises:
        CheckpointError: It cannot be had.
        OutputError: The download cannot be kept.
    """
    name = str(location)
    if location.exists():
        return weights_file(location), config
    if name in RELEASES:
        convention = RELEASES[name].convention if config.convention == "auto" else config.convention
        return _fetch(name), replace(config, convention=convention)
    shipped = shipped_folder(name)
    return (location if shipped is None else weights_file(shipped)), config


def _fetch(name: str) -> Path:
    with _Arriving(RELEASES[name].file.name) as arriving:
        fetched = fetch_release(name, arriving.note)
    if fetched.sha256 is not None:
        say(f"downloaded {fetched.path} from {RELEASES[name].file.url}")
        say(f"  sha256 {fetched.sha256}")
    return fetched.path


class _Arriving:
    """A line on a terminal that says how much of a file has arrived; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = sys.stderr.isatty()
        self._written = False
        self._last = 0.0

    def note(self, done: int, total: int | None) -> None:
        """Say how much is there, a few times a second."""
        now = time.monotonic()
        if not self._shown or (now - self._last < 0.2 and done != total):
            return
        self._last, self._written = now, True
        of = f" of {total / 1e6:.1f}" if total else ""
        sys.stderr.write(f"\r{self._name}: {done / 1e6:.1f}{of} MB")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._written:
            sys.stderr.write("\n")
