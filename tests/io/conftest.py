"""Small videos that the tests of this folder encode themselves."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

GREY_FIRST, GREY_STEP = 20, 3


def grey_frames(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Flat frames whose brightness tells their number."""
    return [np.full((height, width, 3), GREY_FIRST + GREY_STEP * i, np.uint8) for i in range(count)]


def number_of(image: np.ndarray) -> int:
    """Read back which of `grey_frames` an image is, from 1."""
    return round((float(image.mean()) - GREY_FIRST) / GREY_STEP) + 1


def encode(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int = 25,
    times: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    rotation: tuple[int, bool, bool] | None = None,
    color_range: int = 0,
) -> Path:
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=codec_options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if color_range:
            stream.codec_context.color_range = color_range
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None:
            stream.set_display_rotation(*rotation)
        for number, image in enumerate(images):
            frame = VideoFrame.from_ndarray(image, format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_color_range=color_range)
            if times is not None:
                frame.pts, frame.time_base = round(times[number] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def destroy_packets(path: Path, numbers: Sequence[int]) -> None:
    """Overwrite the pictures with these places in the file, from 1, with bytes that mean nothing."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    contents = bytearray(path.read_bytes())
    for number in numbers:
        start, size = places[number - 1]
        contents[start : start + size] = b"\xff" * size
    path.write_bytes(contents)


@pytest.fixture(name="grey_frames")
def grey_frames_fixture() -> Callable[..., list[np.ndarray]]:
    return grey_frames


@pytest.fixture(name="number_of")
def number_of_fixture() -> Callable[[np.ndarray], int]:
    return number_of


@pytest.fixture(name="encode")
def encode_fixture() -> Callable[..., Path]:
    return encode


@pytest.fixture(name="destroy_packets")
def destroy_packets_fixture() -> Callable[[Path, Sequence[int]], None]:
    return destroy_packets


@contextmanager
def as_ordinary_user(folder: Path) -> Iterator[None]:
    """Give up root's right to read and write everything, but let anybody reach the folder."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs POSIX permissions")
    closed = [path for path in (folder, *folder.parents) if not path.stat().st_mode & stat.S_IXOTH]
    modes = [path.stat().st_mode for path in closed]
    for path, mode in zip(closed, modes, strict=True):
        path.chmod(mode | 0o055)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        for path, mode in zip(closed, modes, strict=True):
            path.chmod(mode)


@pytest.fixture(name="as_ordinary_user")
def as_ordinary_user_fixture() -> Callable[[Path], AbstractContextManager[None]]:
    return as_ordinary_user
