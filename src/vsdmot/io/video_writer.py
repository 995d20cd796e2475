"""Write H.264 video that plays everywhere, survives a kill and keeps irregular frame times."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsdmot.errors import OutputError
from vsdmot.structures import Image

TICKS_PER_SECOND = 90_000  # the usual clock of video; frame times are kept to 0.01 ms
FRAGMENT_SECONDS = 1.0
AVX_512 = 13  # number of this feature in OpenCV's list (CV_CPU_AVX_512F), which its Python module does not name
KEY_FRAME_SECONDS = 2.0


class VideoWriter:
    """An mp4 file with H.264 (yuv420p, BT.709), which every browser plays; a context manager.

    While it is written, the file consists of fragments of about a second, so that after a kill everything up to the
    last fragment plays. `close` rewrites it, without encoding again, with its index in front ("fast start"); if the
    disk has no room for that, the fragmented file stays, which plays as well. Sides of odd length are padded by one
    pixel that repeats the edge, since H.264 needs even ones. A file that got no frames is removed.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        frame_rate: float,
        crf: int = 23,
        preset: str = "veryfast",
        key_frame_seconds: float = KEY_FRAME_SECONDS,
    ) -> None:
        """Create the file, replacing one that exists.

        Args:
            path: Where to write, whatever its suffix.
            width: Width of the images in pixels.
            height: Height of the images in pixels.
            frame_rate: Frames per second, for images without a time and for the length of the last one.
            crf: Quality of x264, 0 to 51: 18 looks lossless, 23 is usual, 6 more halve the size.
            preset: Effort of x264, ``ultrafast`` to ``veryslow``: slower gives smaller files.
            key_frame_seconds: How far a player may have to decode when somebody jumps into the video; less makes jumps
                quicker and the file larger.

        Raises:
            OutputError: The file cannot be created.
        """
        if not (math.isfinite(frame_rate) and frame_rate > 0):
            raise ValueError(f"frame_rate must be greater than 0, got {frame_rate}")
        self.path = path
        self.num_frames = 0
        self._size = (height, width)
        self._period = max(1, round(TICKS_PER_SECOND / frame_rate))
        self._start: float | None = None
        self._last_tick = -1
        self._closed = False
        options = {
            # The index of the first fragment waits for its frames, so that it can describe reordered ones.
            "movflags": "delay_moov+default_base_moof",
            "frag_duration": str(round(FRAGMENT_SECONDS * 1e6)),
            "flush_packets": "1",
            "video_track_timescale": str(TICKS_PER_SECOND),
        }
        try:
            self._container = av.open(f"file:{path}", "w", format="mp4", options=options)
            self._stream = self._add_stream(frame_rate, crf, preset, key_frame_seconds)
            self._container.start_encoding()  # creates the file
        except av.FFmpegError as error:
            raise OutputError(f"{path}: cannot be created: {error.strerror}") from None

    def write(self, image: Image, time: float | None = None) -> None:
        """Add a frame.

        Args:
            image: ``(height, width, 3)`` uint8 RGB.
            time: When it is shown, in seconds on any clock that the first frame starts; a time that does not rise
                is moved one tick after the last. None: one frame period after the last.

        Raises:
            OutputError: The disk is full or the file cannot be written; what was written before stays readable.
            ValueError: The image has another size or type than promised, or the writer is closed.
        """
        if self._closed:
            raise ValueError(f"{self.path}: the video was closed")
        if image.shape != (*self._size, 3) or image.dtype != np.uint8:
            raise ValueError(f"expected ({self._size[0]}, {self._size[1]}, 3) uint8, got {image.shape} {image.dtype}")
        height, width = self._size
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts = self._last_tick = self._tick(time)
        frame.time_base = Fraction(1, TICKS_PER_SECOND)
        frame.duration = self._period
        self._encode(frame)
        self.num_frames += 1

    def close(self) -> None:
        """Finish the file and put its index in front; closing twice is allowed.

        Raises:
            OutputError: The last frames cannot be written; what was written before stays readable.
        """
        if self._closed:
            return
        if self.num_frames:
            self._encode(None)
        self._closed = True
        try:
            self._container.close()
        except av.FFmpegError as error:
            raise OutputError(f"{self.path}: cannot be finished: {error.strerror}") from None
        if self.num_frames:
            _move_index_to_front(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_stream(self, frame_rate: float, crf: int, preset: str, key_frame_seconds: float) -> VideoStream:
        height, width = self._size
        stream = self._container.add_stream(
            "libx264",
            rate=Fraction(frame_rate).limit_denominator(1001 * 60),
            options={"crf": str(crf), "preset": preset, **_repeatable()},
        )
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS_PER_SECOND)
        stream.codec_context.gop_size = max(1, round(key_frame_seconds * frame_rate))
        # Without these tags players guess the colour matrix from the picture size.
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.color_range = 1
        return stream

    def _tick(self, time: float | None) -> int:
        if time is None:
            return self._last_tick + self._period if self.num_frames else 0
        self._start = time - (self._last_tick + 1) / TICKS_PER_SECOND if self._start is None else self._start
        return max(round((time - self._start) * TICKS_PER_SECOND), self._last_tick + 1)

    def _encode(self, frame: VideoFrame | None) -> None:
        """Encode a frame, or with None the frames that the encoder still holds."""
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            self._closed = True
            with contextlib.suppress(av.FFmpegError):  # the end cannot be written either, but the file is let go
                self._container.close()
            raise OutputError(
                f"{self.path}: cannot be written after {self.num_frames} frames: {error.strerror}; "
                "what was written before can be played"
            ) from None


def _repeatable() -> dict[str, str]:
    """Keep x264 off AVX-512, where its rate control gives other bits now and then for the same pictures.

    Measured with x264 of PyAV 18: 8 of 40 files differed, with AVX2 none of 60, at the same size.
    """
    return {"x264-params": "asm=avx2"} if cv2.checkHardwareSupport(AVX_512) else {}


def _move_index_to_front(path: Path) -> None:
    """Rewrite an mp4 with its index in front; leave it as it is if the disk has no room."""
    rewritten = path.with_name(f".{path.name}.rewriting")
    try:
        if path.is_file() and shutil.disk_usage(path.parent).free > 1.1 * path.stat().st_size:
            _copy_packets(path, rewritten)
            os.replace(rewritten, path)
    except (av.FFmpegError, OSError):
        return  # most likely the disk filled up after all; the fragmented file is complete and plays
    finally:
        rewritten.unlink(missing_ok=True)


def _copy_packets(source: Path, target: Path) -> None:
    options = {"movflags": "faststart", "video_track_timescale": str(TICKS_PER_SECOND)}
    with (
        av.open(f"file:{source}", "r") as container,
        av.open(f"file:{target}", "w", format="mp4", options=options) as output,
    ):
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
