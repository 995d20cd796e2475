"""H.264, there and back: what a recorder or a line with too few bits leaves of a video.

Coding works in groups of `GROUP_FRAMES` frames that know nothing of each other: the first is coded as a picture of its
own (a key frame), the others as differences from those before them. So artefacts move, smear and build up as in real
recordings, and still any group can be made without the ones before it, on any worker.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vsdmot.errors import VsdmotError
from vsdmot.structures import Image

GROUP_FRAMES = 24
"""Frames from one key frame to the next: a second of video, as surveillance recorders have it."""


class H264Group:
    """Code the frames of one group one after another; each comes back as a player would show it."""

    def __init__(self, crf: float) -> None:
        """Start a group.

        Args:
            crf: Constant rate factor of x264, 0 (lossless) to 51; 6 more halve the bits.
        """
        if not 0 <= crf <= 51:
            raise ValueError(f"crf must lie in 0 to 51, got {crf}")
        self._crf = crf
        self._size: tuple[int, int] | None = None
        self._count = 0

    def recode(self, image: Image) -> Image:
        """Code and decode the next frame.

        Args:
            image: ``(H, W, 3)`` uint8 RGB; another size than that of the frame before starts with a key frame.
        """
        from av.video.frame import VideoFrame

        height, width = image.shape[:2]
        if self._size != (height, width):
            self._start(height, width)
        even = (
            np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if height % 2 or width % 2 else image
        )
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts = self._count
        self._count += 1
        pictures = [picture for packet in self._encoder.encode(frame) for picture in self._decoder.decode(packet)]
        if len(pictures) != 1:
            raise VsdmotError("the H.264 coder of this PyAV delays its pictures; please report its version")
        shown = pictures[0].reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
        return np.ascontiguousarray(shown[:height, :width], dtype=np.uint8)

    def _start(self, height: int, width: int) -> None:
        """Open a coder that gives every picture at once, and repeats its bits."""
        from av import CodecContext
        from av.video.codeccontext import VideoCodecContext

        self._size = (height, width)
        encoder, decoder = CodecContext.create("libx264", "w"), CodecContext.create("h264", "r")
        assert isinstance(encoder, VideoCodecContext)
        assert isinstance(decoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
        encoder.gop_size = GROUP_FRAMES
        # One thread, and no AVX-512, whose rate control gives other bits now and then (see io.video_writer).
        fixed = "asm=avx2:threads=1" if _has_avx_512() else "threads=1"
        encoder.options = {
            "crf": f"{self._crf:.2f}",
            "preset": "veryfast",
            "tune": "zerolatency",
            "x264-params": fixed,
        }
        decoder.thread_count = 1
        self._encoder, self._decoder = encoder, decoder


def group_of(frame: int) -> int:
    """Give the number, from 0, of the group that a frame (from 1) belongs to.

    >>> [group_of(frame) for frame in (1, 24, 25)]
    [0, 0, 1]
    """
    return (frame - 1) // GROUP_FRAMES


def _has_avx_512() -> bool:
    import cv2

    from vsdmot.io.video_writer import AVX_512

    return bool(cv2.checkHardwareSupport(AVX_512))
