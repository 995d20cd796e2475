"""YOLOX weights for COCO as Megvii publishes them, by name; nothing of them comes with this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsdmot.detection.yolox.letterbox import InputConvention
from vsdmot.io.downloads import Progress, RemoteFile, cache_folder, fetch

_NOW = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
_FIRST = "https://github.com/Megvii-BaseDetection/storage/releases/download/0.0.1"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A published file of weights.

    Attributes:
        file: Where it is. Nobody publishes its SHA-256, so that none is known here.
        convention: How it expects its input.
        version: From which version of YOLOX it is.
        licence: Of the repository that publishes it; the weights have none of their own.
    """

    file: RemoteFile
    convention: InputConvention
    version: str
    licence: str = "Apache-2.0"

    @property
    def cached(self) -> Path:
        """Where it is once it was fetched. Both versions have files of one name, so each has a folder."""
        return cache_folder() / f"yolox-{self.version}" / self.file.name


def _now(name: str) -> Release:
    return Release(file=RemoteFile(url=f"{_NOW}/{name}"), convention="current", version="0.1.1rc0")


def _first(name: str) -> Release:
    return Release(file=RemoteFile(url=f"{_FIRST}/{name}"), convention="legacy", version="0.1.0")


RELEASES: dict[str, Release] = {
    "yolox-nano": _now("yolox_nano.pth"),
    "yolox-tiny": _now("yolox_tiny.pth"),
    "yolox-s": _now("yolox_s.pth"),
    "yolox-m": _now("yolox_m.pth"),
    "yolox-l": _now("yolox_l.pth"),
    "yolox-x": _now("yolox_x.pth"),
    "yolox-nano-legacy": _first("yolox_nano.pth"),
    "yolox-tiny-legacy": _first("yolox_tiny_32dot8.pth"),
    "yolox-s-legacy": _first("yolox_s.pth"),
    "yolox-m-legacy": _first("yolox_m.pth"),
    "yolox-l-legacy": _first("yolox_l.pth"),
    "yolox-x-legacy": _first("yolox_x.pth"),
}
"""Names to files, as ``--detector`` takes them."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Published weights that are there.

    Attributes:
        path: The file.
        sha256: Of what was downloaded just now; None where it had been there before.
    """

    path: Path
    sha256: str | None


def fetch_release(name: str, progress: Progress | None = None) -> Fetched:
    """Give the file of a published detector, downloading it the first time.

    Args:
        name: One of `RELEASES`.
        progress: Is told how far the download is.

    Raises:
        CheckpointError: It cannot be had; the message says which file to fetch and where to put it.
        OutputError: The cache folder cannot be written.
    """
    release = RELEASES[name]
    if release.cached.is_file():
        return Fetched(path=release.cached, sha256=None)
    return Fetched(path=release.cached, sha256=fetch(release.file, release.cached, progress))
