"""From samples to stretches: which parts of a recording can be used, and what spoils each part."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.triage.defects import DEFECTS, Defect, main_defect, strengths
from vsdmot.triage.measures import PictureMeasures
from vsdmot.triage.scanning import MEASURES, Record

FROZEN_SHARE = 0.5  # of the frames: with fewer new ones, a recording shows less than half of what happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a recording of one kind.

    Attributes:
        start: Seconds since the first frame.
        end: Where the next stretch begins, or the recording ends.
        first_frame: Frame of the first sample in it, from 1.
        num_samples: How many pictures were measured.
        usable: Whether its quality is high enough, and its frames show something new.
        quality: Median ``Q``.
        lowest_quality: ``Q`` that one picture in twenty does not reach.
        defect: What spoils it most; None where nothing does.
        strengths: How far each defect goes, from the medians of what was measured; 1 is where it begins.
        repeated: Share of frames that show nothing new.
    """

    start: float
    end: float
    first_frame: int
    num_samples: int
    usable: bool
    quality: float
    lowest_quality: float
    defect: Defect | None
    strengths: dict[Defect, float]
    repeated: float

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end - self.start

    @property
    def others(self) -> list[Defect]:
        """Further defects, the furthest first."""
        found = [name for name in DEFECTS if self.strengths[name] >= 1.0 and name != self.defect]
        return sorted(found, key=lambda name: -self.strengths[name])


def find_stretches(record: Record, *, end: float, least_quality: float, shortest: float) -> list[Stretch]:
    """Cut a recording into stretches.

    Each sample is judged by the medians around it; then those cuts are made that disagree with the fewest samples,
    where a stretch must win as many samples as ``shortest`` seconds hold to be worth its two cuts.

    Args:
        record: The samples, by rising time.
        end: When the recording ends, in seconds.
        least_quality: ``Q`` from which on a picture can be used.
        shortest: Seconds below which a change is passed over.
    """
    if not len(record):
        return []
    rows, times = record.rows(), record.column("time")
    rows[:, 3] = put_back(rows[:, 3], rows[:, 2])
    pace = float(np.median(np.diff(times))) if len(times) > 1 else shortest
    reach = max(0, round(shortest / max(pace, 1e-6) / 2))
    smooth = np.stack([_median_around(record.column(name), reach) for name in MEASURES], axis=1)
    repeated = _repeated_around(rows[:, 3], rows[:, 2], reach)
    kinds: list[tuple[bool, Defect | None]] = []
    for values, share in zip(smooth.tolist(), repeated.tolist(), strict=True):
        found = _measures(values)
        usable = found.score >= least_quality and share < FROZEN_SHARE
        kinds.append((usable, main_defect(strengths(found, share))))
    known = list(dict.fromkeys(kinds))
    path = cheapest_path(np.array([known.index(kind) for kind in kinds]), len(known), cost=reach)
    starts = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    stretches = []
    for start, stop in itertools.pairwise(starts):
        usable, defect = known[path[start]]
        part = rows[start:stop]
        frames, again = part[:, 2].sum(), part[:, 3].sum()
        share = float(again / max(frames, 1.0))
        found = _measures(np.median(part[:, 4:], axis=0).tolist())
        stretches.append(
            Stretch(
                start=float(times[start]) if start else 0.0,
                end=float(times[stop]) if stop < len(times) else max(end, float(times[-1])),
                first_frame=int(part[0, 0]),
                num_samples=stop - start,
                usable=usable,
                quality=found.score,
                lowest_quality=float(np.percentile(part[:, 4], 5)),
                defect=defect,
                strengths=strengths(found, share),
                repeated=share,
            )
        )
    return stretches


def cheapest_path(kinds: NDArray[np.int64], num_kinds: int, *, cost: float) -> NDArray[np.int64]:
    """Give each sample a kind so that the samples that differ from their own, plus the changes, cost least (Viterbi).

    Args:
        kinds: ``(N,)``, the kind of each sample alone.
        num_kinds: How many kinds there are.
        cost: Of a change, in samples.

    >>> cheapest_path(np.array([0, 0, 1, 0, 0, 1, 1, 1, 1]), 2, cost=1.5).tolist()
    [0, 0, 0, 0, 0, 1, 1, 1, 1]
    """
    best = np.zeros(num_kinds)
    came_from = np.zeros((len(kinds), num_kinds), np.int64)
    every = np.arange(num_kinds)
    for number, kind in enumerate(kinds):
        cheapest = int(best.argmin())
        change = best[cheapest] + cost < best
        came_from[number] = np.where(change, cheapest, every)
        best = np.where(change, best[cheapest] + cost, best) + (every != kind)
    path = np.empty(len(kinds), np.int64)
    at = int(best.argmin())
    for number in range(len(kinds) - 1, -1, -1):
        path[number] = at
        at = int(came_from[number, at])
    return path


def _measures(values: Sequence[float]) -> PictureMeasures:
    return PictureMeasures(**dict(zip(MEASURES, values, strict=True)))


def _median_around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Median of each value and up to ``reach`` on either side."""
    reach = min(reach, len(values) - 1)
    padded = np.pad(values, reach, mode="reflect")
    smooth: NDArray[np.float64] = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=-1)
    return smooth


def put_back(repeated: NDArray[np.float64], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move repeats to where they were: a run is counted where it ends, and may have begun some samples before.

    Args:
        repeated: ``(N,)``, repeats counted with each sample.
        frames: ``(N,)``, frames since the sample before.

    >>> put_back(np.array([0.0, 0, 0, 9]), np.array([5.0, 5, 5, 5])).tolist()
    [0.0, 0.0, 4.0, 5.0]
    """
    placed = repeated.copy()
    for number in range(len(placed) - 1, 0, -1):
        excess = max(0.0, placed[number] - frames[number])
        placed[number] -= excess
        placed[number - 1] += excess
    placed[:1] = np.minimum(placed[:1], frames[:1])
    return placed


def _repeated_around(repeated: NDArray[np.float64], frames: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Share of repeated frames among those of each sample and ``reach`` on either side."""
    sums = np.pad(np.cumsum(np.stack([repeated, frames]), axis=1), ((0, 0), (1, 0)))
    places = np.arange(len(frames))
    low, high = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(frames))
    again, of = sums[:, high] - sums[:, low]
    share: NDArray[np.float64] = again / np.maximum(of, 1)
    return share
