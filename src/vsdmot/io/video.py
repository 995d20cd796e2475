"""Video files as sources, decoded by PyAV: upright RGB, honest indices and times, damage reported."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vsdmot.errors import SourceError
from vsdmot.io.glances import RASTER_STEP, Glance
from vsdmot.io.picture_order import FrameClock, PictureOrder
from vsdmot.io.sources import DEFAULT_FRAME_RATE, ReadReport, Source, SourceInfo, hide_password
from vsdmot.structures import Frame, Image

NETWORK_TIMEOUT_SECONDS = 10.0

# FFmpeg "decodes" any text file as a terminal animation; nobody means that.
_NOT_VIDEO_FORMATS = frozenset({"tty"})

# Formats whose first plane is brightness, a byte each.
_BYTES_OF_BRIGHTNESS = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"}
)


class VideoFile(Source):
    """A video file, or an address that serves a finite one.

    Frames are upright (the display matrix is applied), 8-bit RGB without alpha, in the pixels of the file (non-square
    pixels stay as they are, interlaced lines too). Pictures that cannot be decoded are counted and keep their index;
    pictures that the decoder repaired are delivered, since a damaged view beats none, and counted in a note.
    """

    def __init__(self, location: str | Path, *, frame_rate: float | None = None) -> None:
        """Open the file and decode its first picture, which tells the upright size.

        Args:
            location: A path, or a URL as text.
            frame_rate: Frames per second in place of the file's timestamps; None to believe the file.

        Raises:
            SourceError: The file cannot be opened, has no video, or not one of its pictures can be decoded.
        """
        self._location = location
        self._rate = frame_rate
        self._closed = False
        self._reading: InputContainer | None = None
        self.report = ReadReport()
        shown = hide_password(str(location))
        with open_container(location) as container:
            stream = video_stream(container, shown)
            with closing(_pictures(container, stream, _picture_order(container), ReadReport())) as pictures:
                first = next(pictures, None)
            if first is None:
                raise SourceError(f"{shown}: no frames could be decoded; the file is damaged or empty")
            self._orientation = Orientation.of(first[1])
            height, width, _ = upright_rgb(first[1], self._orientation).shape
            rate = frame_rate or average_rate(stream)
            self.info = SourceInfo(
                name=Path(shown.split("?")[0]).stem,
                width=width,
                height=height,
                frame_rate=rate,
                num_frames=_num_frames(container, stream),
                live=False,
                location=shown,
            )

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames from the first on; an iteration that was under way ends."""
        for glance in self.skim():
            yield Frame(glance.index, glance.time, glance.image())

    def skim(self, *, key_frames_only: bool = False) -> Iterator[Glance]:
        """Deliver the frames like an iteration, but convert only what is asked for; see `vsdmot.io.glances`.

        Args:
            key_frames_only: Decode only pictures that stand for themselves; their indices follow from their times.
        """
        if self._closed:
            raise ValueError(f"{self.info.location}: this source was closed")
        self._stop_reading()
        self.report.restart()
        container = self._reading = open_container(self._location)
        order = _picture_order(container)
        num_damaged = 0
        last = 0
        try:
            stream = video_stream(container, self.info.location)
            if key_frames_only:
                stream.codec_context.skip_frame = "NONKEY"
            clock = FrameClock(self.info.frame_rate, stream.time_base, from_timestamps=self._rate is None)
            for index, picture in _pictures(container, stream, order, self.report):
                num_damaged += picture.is_corrupt
                time = clock.time(index, order.timestamp, order.start)
                last = max(last + 1, round(time * self.info.frame_rate) + 1) if key_frames_only else index
                if self._accept(last, picture):
                    image = partial(upright_rgb, picture, self._orientation)
                    yield Glance(last, time, partial(_raster, picture), image)
                if self._reading is not container:  # closed, or iterated anew, while the frame was out
                    return
        finally:
            container.close()
            if num_damaged and self._reading in (container, None):  # else the report is a later iteration's
                self.report.note(f"{num_damaged} frames are damaged and were used as the decoder repaired them")

    def close(self) -> None:
        """Free the decoder; iterating afterwards is an error."""
        self._closed = True
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _accept(self, index: int, picture: VideoFrame) -> bool:
        """Count a picture as read or, if its size is not the source's, as broken."""
        width, height = picture.width, picture.height
        if self._orientation.transpose:
            width, height = height, width
        if (width, height) == (self.info.width, self.info.height):
            self.report.num_read += 1
            return True
        self.report.num_broken += 1
        self.report.note(
            f"frame {index}: the picture changes from {self.info.width}x{self.info.height} to {width}x{height}; "
            "frames of another size are left out"
        )
        return False


def open_container(location: str | Path, **options: str) -> InputContainer:
    """Open a file (`Path`) or a network address (text).

    Raises:
        SourceError: One line on why it cannot be opened.
    """
    shown = hide_password(str(location))
    is_file = isinstance(location, Path)
    timeout = None if is_file else NETWORK_TIMEOUT_SECONDS
    try:
        # "file:" keeps names such as "12:30.mp4" from being read as a protocol.
        name = f"file:{location}" if is_file else str(location)
        container = av.open(name, "r", options=options, metadata_errors="replace", timeout=timeout)
    except av.FFmpegError as error:
        raise SourceError(f"{shown}: {_why_not_open(location, error)}") from None
    if container.format.name in _NOT_VIDEO_FORMATS:
        container.close()
        raise SourceError(f"{shown}: expected a video, found a text file")
    return container


def video_stream(container: InputContainer, shown: str) -> VideoStream:
    """Find the video of a container; cover pictures of music do not count.

    Raises:
        SourceError: There is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    kinds = sorted({stream.type for stream in container.streams})
    raise SourceError(f"{shown}: expected a video, found only {' and '.join(kinds) or 'an empty container'}")


def average_rate(stream: VideoStream) -> float:
    """Frames per second of a stream: its average, else a guess, else `DEFAULT_FRAME_RATE`."""
    return float(stream.average_rate or stream.guessed_rate or DEFAULT_FRAME_RATE)


class Orientation(NamedTuple):
    """What brings a stored picture upright: first transpose, then flip."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @classmethod
    def of(cls, picture: VideoFrame) -> Orientation:
        """Read the display matrix that phones write; it holds for the whole stream.

        It says where a point ``(x, y)`` of the picture goes: ``x' = a x + c y``, ``y' = b x + d y``. Quarter turns
        and mirrors are applied; other angles go to the nearest.

        Note: PyAV ties a picture whose side data were asked for into a reference cycle, and pictures are large; so
        this is called once per stream, not once per picture.
        """
        for data in cast(Iterable[SideData], picture.side_data):  # PyAV's stub calls it a mapping of names
            if data.type.name == "DISPLAYMATRIX":
                a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
                return cls(False, d < 0, a < 0) if abs(a) >= abs(b) else cls(True, b < 0, c < 0)
        return cls()


def upright_rgb(picture: VideoFrame, orientation: Orientation) -> Image:
    """Convert a decoded picture to upright ``(H, W, 3)`` uint8 RGB."""
    image = picture.to_ndarray(format="rgb24")
    if orientation.transpose:
        image = image.transpose(1, 0, 2)
    image = image[:: -1 if orientation.flip_rows else 1, :: -1 if orientation.flip_columns else 1]
    return np.ascontiguousarray(image, dtype=np.uint8)


def _raster(picture: VideoFrame) -> NDArray[np.uint8]:
    """Take brightness from the decoder's own memory, where it lies there in bytes; converting takes much longer."""
    if picture.format.name not in _BYTES_OF_BRIGHTNESS:
        return np.ascontiguousarray(picture.to_ndarray(format="gray")[::RASTER_STEP, ::RASTER_STEP], dtype=np.uint8)
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    raster: NDArray[np.uint8] = rows[: picture.height : RASTER_STEP, : picture.width : RASTER_STEP].copy()
    return raster


def _pictures(
    container: InputContainer, stream: VideoStream, order: PictureOrder, report: ReadReport
) -> Generator[tuple[int, VideoFrame]]:
    """Decode pictures in the order of display, each with its index; count the lost ones in the report."""
    for packet in _packets(container, stream, report):
        if packet is not None:
            order.expect(packet.pts)
        try:
            decoded = stream.decode(packet)
        except av.FFmpegError:
            order.fail()
            continue
        for picture in decoded:
            before = order.num_lost
            index = order.arrive(picture.pts, picture.key_frame)
            report.num_broken += order.num_lost - before
            if index is not None:
                yield index, picture
    before = order.num_lost
    order.end()
    report.num_broken += order.num_lost - before


def _picture_order(container: InputContainer) -> PictureOrder:
    return PictureOrder(trust_timestamps=container.format.name != "avi")


def _packets(
    container: InputContainer, stream: VideoStream, report: ReadReport
) -> Iterator[Packet[VideoStream] | None]:
    """Read the packets of one stream, then None, which asks the decoder for the pictures it still holds.

    A packet cut off by the end of the file is left out, since its failure would take finished pictures with it.
    Timestamps that start anew (recordings joined end to end) are shifted to go on.
    """
    timeline = _Timeline(stream)
    cut: Packet[VideoStream] | None = None
    num_packets = 0
    reason = ""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            reason = f" ({error.strerror})"
            break
        if packet is None:
            break
        if packet.size == 0 or packet.is_discard:  # shows nothing; an empty packet would also end the decoder
            num_packets += packet.size > 0
            continue
        num_packets += 1
        if timeline.follow(packet):
            report.note(f"packet {num_packets}: the timestamps start anew; the parts are joined")
        if cut is not None:
            yield cut
        cut = packet if packet.is_corrupt else None
        if cut is None:
            yield packet
    if cut is not None:
        report.num_broken += 1
    if reason or cut is not None or num_packets < stream.frames or timeline.seconds_missing(container) > 1.0:
        report.note(_shortage(container, stream, timeline, num_packets, reason))
    yield None


class _Timeline:
    """Follow the decoding times of packets, which must rise, and remember how far they got."""

    def __init__(self, stream: VideoStream) -> None:
        self._unit = stream.time_base or Fraction(1, 90_000)
        self._period = round(1 / (Fraction(average_rate(stream)) * self._unit))
        self._first: int | None = None
        self._next = 0
        self._shift = 0

    @property
    def seconds(self) -> float:
        """Length of what was read."""
        return 0.0 if self._first is None else float((self._next - self._first) * self._unit)

    def follow(self, packet: Packet[VideoStream]) -> bool:
        """Shift a packet to where the timeline stands; True if it starts anew here."""
        if packet.dts is None:
            return False
        starts_anew = self._first is not None and packet.dts + self._shift < self._next - self._period
        if starts_anew:
            self._shift = self._next - packet.dts
        if self._shift:
            packet.pts = None if packet.pts is None else packet.pts + self._shift
            packet.dts += self._shift
        self._first = packet.dts if self._first is None else self._first
        self._next = packet.dts + (packet.duration or self._period)
        return starts_anew

    def seconds_missing(self, container: InputContainer) -> float:
        """How much shorter this is than the container promises."""
        promised = (container.duration or 0) / av.time_base
        return promised - self.seconds if self._first is not None else 0.0


def _shortage(container: InputContainer, stream: VideoStream, timeline: _Timeline, num_packets: int, why: str) -> str:
    if stream.frames > num_packets:
        return f"the file is damaged or cut off{why}: it promises {stream.frames} frames, {num_packets} are there"
    promised = (container.duration or 0) / av.time_base
    return f"the stream ended early{why}: {promised:.1f} s are promised, video is there for {timeline.seconds:.1f} s"


def _num_frames(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.frames:
        return stream.frames
    return round(container.duration / av.time_base * average_rate(stream)) if container.duration else None


def _why_not_open(location: str | Path, error: av.FFmpegError) -> str:
    if not isinstance(error, av.error.InvalidDataError):
        return f"cannot be opened: {error.strerror}"
    if isinstance(location, Path):
        if location.stat().st_size == 0:
            return "expected a video, found an empty file"
        if _lacks_index(location):
            return "the recording was cut off before its index (moov atom) was written; it needs repair or re-recording"
    return "expected a video, found something that cannot be decoded as one"


def _lacks_index(path: Path) -> bool:
    """Whether an mp4 or mov file has no ``moov`` atom among its outermost atoms."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return False
        file.seek(0)
        while len(header := file.read(16)) >= 8:
            size, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if kind == b"moov":
                return False
            size = int.from_bytes(header[8:16], "big") if size == 1 else size
            if size < 8:  # 0: reaches to the end of the file
                return True
            file.seek(size - len(header), 1)
    return True
