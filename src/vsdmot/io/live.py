"""Cameras and network streams: a thread reads, and whoever asks gets the newest frame."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.container import InputContainer

from vsdmot.config import above, at_least, check
from vsdmot.errors import SourceError
from vsdmot.io.sources import DEFAULT_FRAME_RATE, ReadReport, Source, SourceInfo, hide_password
from vsdmot.io.video import (
    NETWORK_TIMEOUT_SECONDS,
    Orientation,
    VideoFile,
    average_rate,
    open_container,
    upright_rgb,
    video_stream,
)
from vsdmot.structures import Frame, Image


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A picture that has just arrived.

    Attributes:
        convert: Gives the upright RGB image; called only for pictures that are taken, never for dropped ones. None
            for a picture that could not be decoded.
        frame_rate: What the camera or stream says about its rate, frames per second; None if nothing.
    """

    convert: Callable[[], Image] | None
    frame_rate: float | None = None


@dataclass(frozen=True, kw_only=True)
class ReconnectSettings:
    """How a live source comes back after its connection broke.

    Attributes:
        attempts: Connections tried in a row before giving up. More bridges longer outages; 0 ends at the first break.
        first_pause_seconds: Pause before the first of them, doubled each time. Less comes back sooner, more is
            gentler to a server that restarts.
        longest_pause_seconds: The pause grows no further than this.
    """

    attempts: int = 5
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 16.0

    def __post_init__(self) -> None:
        check(self, attempts=at_least(0), first_pause_seconds=above(0), longest_pause_seconds=above(0))

    def pause(self, attempt: int) -> float:
        """Seconds to wait before an attempt, counted from 1.

        >>> [ReconnectSettings().pause(attempt) for attempt in range(1, 7)]
        [1.0, 2.0, 4.0, 8.0, 16.0, 16.0]
        """
        return min(self.first_pause_seconds * 2.0 ** (attempt - 1), self.longest_pause_seconds)


class LiveSource(Source):
    """Newest-frame reading of something that does not wait.

    A thread takes every picture as it comes and keeps the newest; a picture that was not taken before the next came
    is dropped and counted. ``Frame.index`` counts all pictures that arrived, so it skips the dropped ones, and
    ``Frame.time`` is the monotonic clock at arrival. If the connection breaks, it is made again, at most
    ``reconnect.attempts`` times in a row; then the source ends and its report says why.
    """

    def __init__(
        self,
        connect: Callable[[], Generator[LivePicture]],
        *,
        name: str,
        location: str,
        frame_rate: float | None = None,
        reconnect: ReconnectSettings | None = None,
    ) -> None:
        """Connect, and wait for the first picture.

        Args:
            connect: Makes a connection: a generator of pictures that ends, or raises `SourceError`, when it breaks.
            name: For ``info.name``.
            location: For ``info.location``.
            frame_rate: For ``info.frame_rate``, in place of what the pictures say; times stay the clock's.
            reconnect: How to come back after a break.

        Raises:
            SourceError: The first connection gave no picture.
        """
        self.report = ReadReport()
        self._connect = connect
        self._reconnect = reconnect or ReconnectSettings()
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._newest: tuple[int, float, Callable[[], Image]] | None = None
        self._num_arrived = 0
        self._rate: float | None = None
        self._start: float | None = None
        self._end: str | None = None
        self._reader = threading.Thread(target=self._read, name=f"reader of {name}", daemon=True)
        self._reader.start()
        try:
            first = self._wait(take=False)
        except BaseException:  # Ctrl-C while connecting must not leave the thread behind
            self.close()
            raise
        if first is None:
            reason = (self._end or "").removeprefix(f"{location}: ")  # name the place once
            raise SourceError(f"{location}: no frames arrived; {reason}")
        height, width, _ = first[2]().shape
        self.info = SourceInfo(
            name=name,
            width=width,
            height=height,
            frame_rate=frame_rate or self._rate or DEFAULT_FRAME_RATE,
            num_frames=None,
            live=True,
            location=location,
        )

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the newest frame, again and again, until the source ends or is closed."""
        while (newest := self._wait(take=True)) is not None:
            index, arrival, convert = newest
            image = convert()
            if image.shape[:2] != (self.info.height, self.info.width):
                self.report.num_broken += 1
                self.report.note(
                    f"frame {index}: the picture changes from {self.info.width}x{self.info.height} to "
                    f"{image.shape[1]}x{image.shape[0]}; frames of another size are left out"
                )
                continue
            self.report.num_read += 1
            yield Frame(index, arrival, image)
        if self._end is not None and not self._stop.is_set():
            self.report.note(f"the live source ended after {self._num_arrived} frames: {self._end}")

    def close(self) -> None:
        """Stop the reading thread and wait for it; a connection that is stuck ends with its timeout."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._reader.join(NETWORK_TIMEOUT_SECONDS + 1)

    def _wait(self, *, take: bool) -> tuple[int, float, Callable[[], Image]] | None:
        """Wait for a picture that nobody has taken; None when no more will come."""
        with self._changed:
            while self._newest is None and self._end is None and not self._stop.is_set() and self._reader.is_alive():
                self._changed.wait(0.5)  # looks up now and then, in case the thread died
            if self._stop.is_set():
                return None
            if self._newest is None and self._end is None:
                raise RuntimeError("the reading thread died; its own error was printed above")
            newest = self._newest
            if take:
                self._newest = None
            return newest

    def _read(self) -> None:
        """Body of the thread: connect, read, and connect again until that is hopeless."""
        failures = 0
        while not self._stop.is_set():
            reason = "the stream ended"
            try:
                with contextlib.closing(self._connect()) as pictures:
                    for picture in pictures:
                        if self._stop.is_set():
                            return
                        failures = 0
                        self._offer(picture)
            except SourceError as error:
                reason = str(error)
            failures += 1
            if self._num_arrived == 0 or failures > self._reconnect.attempts:
                break
            self.report.note(f"connection lost after {self._num_arrived} frames ({reason}); connecting again")
            self._stop.wait(self._reconnect.pause(failures))
        with self._changed:
            self._end = reason
            self._changed.notify_all()

    def _offer(self, picture: LivePicture) -> None:
        """Make this the newest picture; the one before it is dropped if nobody took it."""
        now = time.monotonic()
        with self._changed:
            if picture.convert is None and self._num_arrived == 0:
                return  # who joins in the middle of a stream waits for its next key frame
            self._num_arrived += 1
            if picture.convert is None:
                self.report.num_broken += 1
                return
            self._start = now if self._start is None else self._start
            self._rate = picture.frame_rate
            if self._newest is not None:
                self.report.num_dropped += 1
            self._newest = (self._num_arrived, now - self._start, picture.convert)
            self._changed.notify_all()


def open_camera(index: int, *, frame_rate: float | None = None) -> LiveSource:
    """Open a camera by its number, 0 for the first.

    Raises:
        SourceError: There is no such camera, or it gives no pictures.
    """
    device = Path(f"/dev/video{index}")
    if index < 0 or (sys.platform == "linux" and not device.exists()):
        raise SourceError(f"camera {index}: no such camera ({device} does not exist)")
    return LiveSource(
        lambda: camera_pictures(index), name=f"camera{index}", location=f"camera {index}", frame_rate=frame_rate
    )


def open_stream(url: str, *, frame_rate: float | None = None) -> Source:
    """Open a network address: as a file if it is finite, so that no frame is dropped, else live.

    Raises:
        SourceError: It cannot be reached, or gives no video.
    """
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and _is_finite(url):
        return VideoFile(url, frame_rate=frame_rate)
    where = "_".join(filter(None, [parts.hostname, str(_port(url) or ""), parts.path]))
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", where).strip("_.") or parts.scheme
    return LiveSource(lambda: stream_pictures(url), name=name, location=hide_password(url), frame_rate=frame_rate)


def stream_pictures(url: str) -> Generator[LivePicture]:
    """Connect to a network stream and give its pictures as they arrive.

    Raises:
        SourceError: It cannot be opened, or the connection broke.
    """
    with _open_network(url) as container:
        stream = video_stream(container, hide_password(url))
        rate = average_rate(stream)
        orientation: Orientation | None = None
        try:
            for packet in container.demux(stream):
                try:
                    decoded = stream.decode(packet)
                except av.error.InvalidDataError:  # a lossy network; the decoder recovers at the next key frame
                    yield LivePicture(None, rate)
                    continue
                for picture in decoded:
                    orientation = orientation or Orientation.of(picture)
                    yield LivePicture(functools.partial(upright_rgb, picture, orientation), rate)
        except av.FFmpegError as error:
            raise SourceError(f"the connection broke: {error.strerror}") from None


def camera_pictures(index: int) -> Generator[LivePicture]:
    """Open a camera with OpenCV and give its pictures as they arrive (PyAV's wheels have no camera input on Linux).

    Raises:
        SourceError: It cannot be opened or stopped giving pictures.
    """
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        camera = cv2.VideoCapture(index)  # would print a page of warnings about every back end it tries
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not camera.isOpened():
            raise SourceError(f"camera {index}: it cannot be opened; is it in use or not allowed?")
        rate = camera.get(cv2.CAP_PROP_FPS) or None
        while True:
            there, image = camera.read()
            if not there:
                raise SourceError(f"camera {index}: it stopped giving pictures")
            yield LivePicture(functools.partial(_bgr_to_rgb, image), rate)
    finally:
        camera.release()


def _bgr_to_rgb(image: Image) -> Image:
    return np.ascontiguousarray(image[:, :, ::-1])


def _open_network(url: str) -> InputContainer:
    # RTSP over UDP loses packets, which looks like a broken camera; TCP is what the tools of the trade use.
    options = {"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {}
    return open_container(url, **options)


def _is_finite(url: str) -> bool:
    """Whether an address serves a file with an end: it knows its duration or its size."""
    with _open_network(url) as container:
        return bool(container.duration) or container.size > 0


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise SourceError(f"{hide_password(url)}: the port must be a number from 0 to 65535") from None
