"""Where runs differ: how much in each frame, and the moments that show it best."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsdmot.evaluation.preprocess import MATCH_IOU, box_overlaps

People = dict[int, tuple[float, float, float, float]]
"""Common id to box, in pixels of one and the same picture."""


def disagreement(frames: Sequence[People], truth: People | None = None) -> float:
    """Count the people on whom runs disagree in a frame, over all pairs of runs.

    Args:
        frames: What each run says of the frame, under common ids.
        truth: Where people really are, under the same ids. Then runs disagree on a person whom one follows under the
            right id and the other does not; without it, on one whom only one of them reports, or both in other places.
    """
    if truth is not None:
        frames = [right(people, truth) for people in frames]
    total = 0
    for first, second in itertools.combinations(frames, 2):
        total += len(first.keys() ^ second.keys())
        if truth is None:
            total += sum(not _same_place(first[person], second[person]) for person in first.keys() & second.keys())
    return float(total)


def right(people: People, truth: People) -> People:
    """Keep those who are followed under the id of the person they are on."""
    return {person: box for person, box in people.items() if person in truth and _same_place(box, truth[person])}


def choose_moments(course: NDArray[np.float64], count: int, *, frame_rate: float) -> list[int]:
    """Choose frames in which much disagrees, apart from one another.

    Args:
        course: ``(T,)``, disagreement in each frame.
        count: How many; of a short video all its frames at most.
        frame_rate: Frames per second; half a second is averaged, so that a flicker of one frame counts little.

    Returns:
        Frames, from 1, rising. Where nothing disagrees any more, the widest gaps are filled.
    """
    length = len(course)
    count = min(count, length)
    if not count:
        return []
    width = min(length, max(1, round(frame_rate / 2)))
    # The frame's own disagreement decides between neighbours whose averages are alike.
    averaged = np.convolve(course, np.full(width, 1 / width), mode="same")[:length] + 0.1 * course
    left = averaged.copy()
    apart = max(1, length // (2 * count))
    chosen: list[int] = []
    while len(chosen) < count and left.max(initial=0) > 0:
        frame = int(left.argmax())
        chosen.append(frame)
        left[max(0, frame - apart) : frame + apart + 1] = 0
    while len(chosen) < count:
        distance = np.abs(np.arange(length)[:, None] - np.array([*chosen, -1, length])).min(axis=1)
        chosen.append(int(distance.argmax()))
    return sorted(frame + 1 for frame in chosen)


def _same_place(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return bool(box_overlaps(np.array([box], np.float64), np.array([other], np.float64))[0, 0] >= MATCH_IOU)
