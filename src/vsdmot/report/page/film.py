"""A video as the page holds it: a small H.264 copy in which seeking is quick, and thumbnails cut on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from vsdmot.io.sources import SourceInfo
from vsdmot.io.video_writer import VideoWriter
from vsdmot.report.page.thumbnails import Thumbnail, cut
from vsdmot.structures import Frame

KEY_FRAME_SECONDS = 1.0
"""A jump decodes at most this much; of shorter intervals the file grows, at half a second by a fifth."""


class Film:
    """Take the frames of a video one after another; a context manager. Memory grows with the thumbnails only.

    Args:
        path: Where the small copy is written; the file is closed and complete when the context ends.
        info: What is known of the video.
        longest_side: Pixels of the copy's longer side; a smaller video keeps its size.
        crf: Quality of x264, as `VideoWriter` takes it.
        thumbnails: What is to be cut out of it.

    Raises:
        OutputError: The copy cannot be written.
    """

    def __init__(
        self, path: Path, info: SourceInfo, *, longest_side: int, crf: int, thumbnails: Iterable[Thumbnail]
    ) -> None:
        shrink = min(1.0, longest_side / max(info.width, info.height))
        self.path = path
        # Even sides, as H.264 has them: a padded line would shift boxes that are drawn over the picture.
        self.size = (max(2, 2 * round(info.width * shrink / 2)), max(2, 2 * round(info.height * shrink / 2)))
        self.indices: list[int] = []
        self.times: list[float] = []
        self.images: dict[Thumbnail, bytes] = {}
        self._wanted: defaultdict[int, list[Thumbnail]] = defaultdict(list)
        for one in thumbnails:
            self._wanted[one.frame].append(one)
        self._writer = VideoWriter(
            path,
            width=self.size[0],
            height=self.size[1],
            frame_rate=info.frame_rate,
            crf=crf,
            key_frame_seconds=KEY_FRAME_SECONDS,
        )

    def add(self, frame: Frame) -> None:
        """Take the next frame.

        Raises:
            OutputError: The copy cannot be written.
        """
        image = frame.image
        if (frame.width, frame.height) != self.size:
            image = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
        self._writer.write(image, frame.time)
        self.indices.append(frame.index)
        self.times.append(frame.time)
        for one in self._wanted.pop(frame.index, ()):
            self.images[one] = cut(frame.image, one)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
