"""The worst moments of a run: seconds of the video in which most goes wrong, the worst first.

With ground truth a second costs what it costs in MOTA, people missed and false reports, and each identity switch as
much as a person who is missed for a whole second, because afterwards the number is wrong for long.

Without ground truth nobody knows what is wrong, and the cost is a suspicion: tracks that end or begin inside the
picture, where nobody comes or goes, count 1 each; a picture of no quality adds 2, tracks of no score add 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.evaluation.events import Corners, Sighting, births, losses
from vsdmot.io.problems import counted
from vsdmot.report.page.judging import Judged
from vsdmot.report.runs import Run

MOMENTS_PER_RUN = 6
EDGE = 0.02
"""A box that comes closer than this to the picture's edge, as a part of its side, may be of somebody who leaves."""
_NOTABLE = 0.3  # suspicion above that of a usual second
_POORER = 0.05  # quality below the median that is worth a word


@dataclass(frozen=True, slots=True)
class Moment:
    """A bad second.

    Attributes:
        run: Number of the run, from 0.
        first: Its first frame.
        last: Its last frame.
        worst: The frame in it that is shown.
        cost: How bad, in the terms of this module.
        reasons: What is bad, a few words each.
    """

    run: int
    first: int
    last: int
    worst: int
    cost: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Course:
    """How a run went, frame by frame; all arrays are ``(T,)``.

    Attributes:
        cost: What each frame costs.
        usual: What a usual second costs; no moment is cheaper.
        parts: Words to numbers that are added up over a second, the most telling first.
        quality: Q, NaN where it is not known.
    """

    cost: NDArray[np.float64]
    usual: float
    parts: dict[tuple[str, str], NDArray[np.float64]]
    quality: NDArray[np.float64]


def worst_moments(number: int, course: Course, window: int, most: int = MOMENTS_PER_RUN) -> list[Moment]:
    """Find the seconds that cost most, none of which share a frame.

    Args:
        number: Number of the run.
        course: How it went.
        window: Frames of a second, at least 1.
        most: How many at most.
    """
    num_frames = len(course.cost)
    window = min(window, num_frames)
    if not window:
        return []
    sums = _sums(course.cost, window)
    moments: list[Moment] = []
    while len(moments) < most:
        start = int(sums.argmax())
        cost = float(sums[start])
        if cost <= course.usual + 1e-9:
            break
        inside = course.cost[start : start + window]
        peaks = np.flatnonzero(inside >= inside.max() - 1e-9)
        worst = start + int(peaks[len(peaks) // 2])
        reasons = tuple(_reasons(course, slice(start, start + window)))
        moments.append(Moment(number, start + 1, start + window, worst + 1, cost, reasons))
        sums[max(0, start - window + 1) : start + window] = -np.inf
    return moments


def judged_course(judged: Judged, quality: NDArray[np.float64], window: int) -> Course:
    """Tell from ground truth how a run went."""
    counts = judged.counts
    misses = (counts.num_truth - counts.matches).astype(float)
    false = (counts.num_tracks - counts.matches).astype(float)
    switches = counts.switches.astype(float)
    return Course(
        cost=(misses + false + window * switches) / window,
        usual=0.0,
        parts={
            ("ID switch", "ID switches"): switches,
            ("box missed", "boxes missed"): misses,
            ("false box", "false boxes"): false,
        },
        quality=quality[: len(misses)],
    )


def suspected_course(run: Run, quality: NDArray[np.float64], size: tuple[int, int], window: int) -> Course:
    """Tell without ground truth how a run may have gone; ``quality`` is ``(T,)``."""
    length = len(quality)
    ends, starts = np.zeros((2, length))
    for one in losses(run.lives, last_frame=run.length):
        ends[one.frame - 1] += one.frame <= length and is_inside(one.box, size)
    for one in births(run.lives):
        starts[one.frame - 1] += one.frame <= length and is_inside(one.box, size)
    poor = 2 * np.nan_to_num(1 - quality)
    weak = np.nan_to_num(1 - run.mean_scores(length))
    continuous = (poor + weak) / window
    usual = float(np.median(_sums(continuous, min(window, length)))) if length else 0.0
    return Course(
        cost=ends + starts + continuous,
        usual=usual + _NOTABLE,
        parts={
            ("track ends inside the picture", "tracks end inside the picture"): ends,
            ("track begins inside the picture", "tracks begin inside the picture"): starts,
        },
        quality=quality,
    )


def is_inside(box: Corners, size: tuple[int, int]) -> bool:
    """Tell whether a box keeps clear of the picture's edge, so that its person cannot just have left.

    >>> is_inside((50, 50, 70, 90), (200, 100)), is_inside((50, 50, 70, 99), (200, 100))
    (True, False)
    """
    margin_x, margin_y = EDGE * size[0], EDGE * size[1]
    left, top, right, bottom = box
    return left > margin_x and top > margin_y and right < size[0] - margin_x and bottom < size[1] - margin_y


def marked(sightings: Sequence[Sighting], size: tuple[int, int]) -> list[tuple[int, int, bool]]:
    """Give frame, id and whether it is inside the picture, for each birth or loss."""
    return [(one.frame, one.track_id, is_inside(one.box, size)) for one in sightings]


def _reasons(course: Course, frames: slice) -> list[str]:
    found = [
        counted(round(float(values[frames].sum())), *words)
        for words, values in course.parts.items()
        if values[frames].sum() >= 0.5
    ]
    here = course.quality[frames]
    if np.isfinite(here).any():
        quality, median = float(np.nanmean(here)), float(np.nanmedian(course.quality))
        if quality < median - _POORER:
            found.append(f"Q {quality:.2f}, usually {median:.2f}")
    return found or ["low scores"]


def _sums(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Sum up every ``window`` neighbours: ``(T,)`` gives ``(T - window + 1,)``."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums: NDArray[np.float64] = total[window:] - total[:-window]
    return sums
