"""Going quickly through a source: frames that become images only if somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vsdmot.io.sources import Source
from vsdmot.structures import Frame, Image

RASTER_STEP = 4
"""Every so many pixels, across and down, one is in the raster of a glance."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A frame that was decoded, but not converted.

    Attributes:
        index: Its place in the source, from 1.
        time: Seconds since the first frame.
        raster: Gives the brightness of every `RASTER_STEP`-th pixel, ``(h, w)`` uint8, as the file stores them.
        image: Gives the image, ``(H, W, 3)`` uint8 RGB, upright.
    """

    index: int
    time: float
    raster: Callable[[], NDArray[np.uint8]]
    image: Callable[[], Image]


def skim(source: Source, *, key_frames_only: bool = False) -> Iterator[Glance]:
    """Go through the frames of a source.

    Args:
        source: Any; video files are the ones that it makes faster.
        key_frames_only: Decode only the pictures of a video file that stand for themselves, one in 10 to 300. Indices
            then follow from times.

    Raises:
        ValueError: ``key_frames_only`` for a source that is no video file.
    """
    from vsdmot.io.video import VideoFile

    if isinstance(source, VideoFile):
        yield from source.skim(key_frames_only=key_frames_only)
        return
    if key_frames_only:
        raise ValueError(f"{source.info.location}: only video files have key frames")
    for frame in source:
        yield Glance(frame.index, frame.time, partial(_raster, frame), partial(_image, frame))


def _raster(frame: Frame) -> NDArray[np.uint8]:
    return np.ascontiguousarray(frame.image[::RASTER_STEP, ::RASTER_STEP, 1])  # green is most of brightness


def _image(frame: Frame) -> Image:
    return frame.image
