"""What a source of frames is, and which kind a path, URL or number names."""

from __future__ import annotations

import glob
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from vsdmot.errors import SourceError
from vsdmot.structures import Frame

DEFAULT_FRAME_RATE = 25.0
MAX_NOTES = 20

VIDEO_SUFFIXES = frozenset(
    {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)
"""Videos that are found by the name of their sequence; a video that is named itself may have any suffix."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD = re.compile(r"(?<=://)([^/:]*):[^/]*@")


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """What is known about a source before its frames are read.

    Attributes:
        name: Short name for outputs and tables, such as ``clip`` for ``clip.mp4``.
        width: Width of every frame in pixels, upright.
        height: Height of every frame in pixels, upright.
        frame_rate: Frames per second; the average where the rate varies.
        num_frames: How many frames there should be, by the container's own word or estimate; the frames that
            are delivered may be fewer. None when unknown or live.
        live: Whether frames arrive in real time, so that a slow reader misses some.
        location: Path or URL as given, without the password of a URL.
    """

    name: str
    width: int
    height: int
    frame_rate: float
    num_frames: int | None
    live: bool
    location: str


@dataclass
class ReadReport:
    """What happened while a source was read; it fills as frames are delivered, and its size is bounded.

    Attributes:
        num_read: Frames delivered.
        num_broken: Frames that are there but could not be used: not decodable, or not of the source's size.
            They keep their index.
        num_dropped: Frames of a live source that were replaced by a newer one before anybody took them.
        notes: Remarks of one line each for the user, at most `MAX_NOTES`.
    """

    num_read: int = 0
    num_broken: int = 0
    num_dropped: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, remark: str) -> None:
        """Add a remark, unless it is there already; the last place says that more were left out.

        >>> report = ReadReport()
        >>> for number in range(100):
        ...     report.note(f"frame {number}: broken")
        >>> len(report.notes), report.notes[-1]
        (20, 'further remarks are left out')
        """
        if remark in self.notes or len(self.notes) >= MAX_NOTES:
            return
        self.notes.append(remark if len(self.notes) < MAX_NOTES - 1 else "further remarks are left out")

    def restart(self, notes: tuple[str, ...] = ()) -> None:
        """Forget everything and begin with ``notes``, those that were known when the source was opened."""
        self.num_read = self.num_broken = self.num_dropped = 0
        self.notes[:] = notes


class Source(Protocol):
    """Frames from a file, a folder, a camera or a stream; a context manager that frees what it holds.

    Every frame has the size that ``info`` says and a higher index than the one before. Iterating again over files
    starts again from the first frame; a live source goes on with the newest.
    """

    info: SourceInfo
    report: ReadReport

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames one by one; memory does not grow with their number."""
        ...

    def close(self) -> None:
        """Free files, decoders and threads; closing twice is allowed."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(source: str | Path | int, *, frame_rate: float | None = None) -> Source:
    """Open whatever a user may name as a video.

    In this order: a camera (an int, or digits that are no file), a network stream (``scheme://``; an address that
    serves a finite file is read like a file), a MOTChallenge sequence (a folder with ``seqinfo.ini`` or ``img1``),
    a folder of images, a glob pattern, an image, a video file.

    Args:
        source: Camera index, URL, path or pattern.
        frame_rate: Frames per second, in place of what the source says. Frame times of files follow it; a live
            source keeps its clock. None: the source's own rate, `DEFAULT_FRAME_RATE` for images without one.

    Raises:
        SourceError: Nothing is there, it cannot be read, or it holds no frames.
    """
    if frame_rate is not None and not (math.isfinite(frame_rate) and frame_rate > 0):
        raise SourceError(f"{source}: frame rate must be greater than 0, got {frame_rate}")
    text = str(source)
    if not text:
        raise SourceError("expected a path, URL or camera number as the source, got nothing")
    if text.startswith("file://"):
        from urllib.request import url2pathname  # brings ssl and more, which few need

        text = url2pathname(urlsplit(text).path)
    try:
        is_there = Path(text).exists()
        if not isinstance(source, Path) and text.lstrip("-").isdecimal() and (isinstance(source, int) or not is_there):
            from vsdmot.io.live import open_camera

            return open_camera(int(text), frame_rate=frame_rate)
        if not isinstance(source, Path) and _SCHEME.match(text):
            from vsdmot.io.live import open_stream

            return open_stream(text, frame_rate=frame_rate)
        return _open_files(Path(text), is_there, frame_rate)
    except OSError as error:
        raise SourceError(f"{text}: not readable: {error.strerror or error}") from None


def hide_password(url: str) -> str:
    """Blank the password of a URL, so that it reaches neither screen nor report.

    >>> hide_password("rtsp://admin:secret@10.0.0.5:554/stream1")
    'rtsp://admin:***@10.0.0.5:554/stream1'
    """
    return _PASSWORD.sub(r"\1:***@", url)


def _open_files(path: Path, is_there: bool, frame_rate: float | None) -> Source:
    from vsdmot.io import images

    if path.is_dir():
        return images.open_folder(path, frame_rate=frame_rate)
    if not is_there and any(sign in str(path) for sign in "*?"):
        matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
        return images.open_pattern(path, matches, frame_rate=frame_rate)
    if not is_there:
        raise SourceError(f"{path}: no such file, folder or pattern")
    if path.suffix.lower() in images.IMAGE_SUFFIXES:
        return images.open_image(path, frame_rate=frame_rate)
    from vsdmot.io.video import VideoFile

    return VideoFile(path, frame_rate=frame_rate)
