"""Several videos of the same scene, frame by frame together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsdmot.io.sources import Source
from vsdmot.structures import Frame


def in_lockstep(sources: Sequence[Source]) -> Iterator[tuple[Frame, list[Frame | None]]]:
    """Go through the frames of the first video, each with those of the same index of all videos.

    Yields:
        A frame of the first video, and for each video the frame of that index; None where it has none, because it could
        not be decoded or the video has ended.
    """
    first, *others = sources
    iterators = [iter(source) for source in others]
    waiting: list[Frame | None] = [next(iterator, None) for iterator in iterators]
    for frame in first:
        found: list[Frame | None] = [frame]
        for number, iterator in enumerate(iterators):
            ahead = waiting[number]
            while ahead is not None and ahead.index < frame.index:
                ahead = next(iterator, None)
            waiting[number] = ahead
            found.append(ahead if ahead is not None and ahead.index == frame.index else None)
        yield frame, found
