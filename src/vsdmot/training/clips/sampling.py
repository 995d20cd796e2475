"""Which frames make a clip, which clips make an epoch, and which process gets which of them.

Everything is a function of seed, epoch and place in the epoch. So a run can go on at any step without reading what
came before, and processes agree without talking to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsdmot.config import at_least, check
from vsdmot.errors import ConfigError
from vsdmot.training.clips.sources import ClipSource
from vsdmot.training.task import Place

# What a random generator is for. Never 0, because numpy takes (seed, epoch) and (seed, epoch, 0) for the same.
_CLIP, _ITEMS, _ORDER = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How clips are cut from sequences. The defaults are the paper's.

    Note: MOTRv2 draws intervals from 1 to 11, because its upper end is counted in by mistake; the paper says 1 to 10.

    Attributes:
        length: Frames of a clip. Raising it trains on longer memory, at a cost in time and memory that grows with it.
        min_interval: Shortest distance of its frames, in frames of the video.
        max_interval: Longest distance. Raising it shows larger motion and longer gaps; lowering it, smoother motion.
        clips_per_epoch: Clips of an epoch; null means as many as there are places where a clip can begin.
    """

    length: int = 5
    min_interval: int = 1
    max_interval: int = 10
    clips_per_epoch: int | None = None

    def __post_init__(self) -> None:
        check(
            self,
            length=at_least(1),
            min_interval=at_least(1),
            max_interval=at_least(self.min_interval),
            clips_per_epoch=at_least(1),
        )

    def up_to(self, max_interval: int | None) -> SamplingConfig:
        """Give the same with another longest distance, which the shortest does not exceed; None changes nothing."""
        if max_interval is None:
            return self
        return replace(self, min_interval=min(self.min_interval, max_interval), max_interval=max_interval)


def clip_rng(seed: int, epoch: int, slot: int) -> np.random.Generator:
    """Give the source of all chance in the clip at a place of an epoch."""
    return np.random.default_rng((seed, epoch, slot, _CLIP))


def num_starts(frames: NDArray[np.int64], length: int) -> int:
    """Count the frames at which a clip can begin without standing still; at least the first.

    Args:
        frames: ``(F,)``, frame numbers, rising.
        length: Frames of a clip.

    >>> num_starts(np.arange(1, 11), 5), num_starts(np.arange(1, 4), 5)
    (6, 1)
    """
    return max(1, int(np.searchsorted(frames, frames[-1] - (length - 1), side="right")))


def draw_positions(
    frames: NDArray[np.int64], start: int, config: SamplingConfig, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw an interval and give the frames of a clip.

    Where the sequence ends too soon, the interval shrinks to what fits; only a sequence shorter than the clip repeats
    its last frame. Note: the original keeps the interval and repeats the last frame. That teaches people to stand still
    at the end of every sequence, which in one of 50 frames is most of it.
    Where an image is missing, the last one before it is shown.

    Args:
        frames: ``(F,)``, frame numbers, rising; may skip.
        start: Position of the first frame, from 0.
        config: Length and intervals.
        rng: Source of the interval.

    Returns:
        ``(length,)`` positions in ``frames``, not falling.

    >>> rng = np.random.default_rng(0)
    >>> draw_positions(np.arange(1, 8), 0, SamplingConfig(min_interval=10), rng).tolist()
    [0, 1, 2, 3, 4]
    """
    interval = int(rng.integers(config.min_interval, config.max_interval + 1))
    room = int(frames[-1] - frames[start]) // max(1, config.length - 1)
    wanted = frames[start] + min(interval, max(1, room)) * np.arange(config.length)
    positions: NDArray[np.int64] = np.searchsorted(frames, wanted, side="right") - 1
    return positions


class ClipIndex:
    """All places where a clip can begin, numbered source after source, sequence after sequence."""

    def __init__(self, sources: Sequence[ClipSource], length: int) -> None:
        starts: list[int] = []
        self.sizes: list[int] = []
        """Number of places in each source."""
        for source in sources:
            # Every still is a clip of its own, which needs no other frame.
            counts = [len(s) if s.is_still else num_starts(s.frames, length) for s in source.sequences]
            starts += counts
            self.sizes.append(sum(counts))
        self._ends = np.cumsum(starts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def find(self, item: int) -> tuple[int, int]:
        """Give the sequence, counted over all sources, and the position at which the clip begins."""
        sequence = int(np.searchsorted(self._ends, item, side="right"))
        return sequence, item - (int(self._ends[sequence - 1]) if sequence else 0)


def epoch_items(
    sizes: Sequence[int], weights: Sequence[float | None], *, seed: int, epoch: int, total: int | None = None
) -> NDArray[np.int64]:
    """Choose and shuffle the clips of an epoch.

    Without weights, clips of all sources are taken alike: each once if ``total`` is None. With weights, each source
    gives its share, rounded by largest remainder; no clip of a source comes again before all of it have come.

    Args:
        sizes: Clips of each source; their numbers follow each other.
        weights: Share of each source, or None for all.
        seed: The run's.
        epoch: From 0.
        total: Clips of the epoch; None for the sum of the sizes.

    Returns:
        ``(total,)`` numbers of clips.

    >>> items = epoch_items([4, 100], [3.0, 1.0], seed=0, epoch=0, total=8)
    >>> int((items < 4).sum()), len(set(items[items < 4].tolist()))
    (6, 4)
    """
    total = sum(sizes) if total is None else total
    if all(weight is None for weight in weights):
        groups = [(0, sum(sizes), total)]
    else:
        counts = _shares([weight or 0.0 for weight in weights], total)
        firsts = np.cumsum([0, *sizes]).tolist()
        groups = list(zip(firsts, sizes, counts, strict=False))
    chosen = [
        first + _draw(size, count, np.random.default_rng((seed, epoch, number, _ITEMS)))
        for number, (first, size, count) in enumerate(groups)
    ]
    return np.random.default_rng((seed, epoch, 0, _ORDER)).permutation(np.concatenate(chosen))


def check_weights(weights: Sequence[float | None]) -> None:
    """Make sure that weights are given for all sources or for none, and not only zeros.

    Raises:
        ConfigError: They are not.
    """
    given = [weight for weight in weights if weight is not None]
    if given and (len(given) < len(weights) or sum(given) == 0):
        shown = ", ".join("null" if weight is None else f"{weight:g}" for weight in weights)
        raise ConfigError(f"sources: expected a weight for every source, not all 0, or for none; got {shown}")


def num_steps(num_clips: int, global_batch: int) -> int:
    """Count the optimiser steps of an epoch; what is left over waits for another epoch.

    Raises:
        ConfigError: There is not one.
    """
    if num_clips < global_batch:
        raise ConfigError(
            f"an epoch has {num_clips} clips, fewer than a global batch of {global_batch}: raise "
            "sampling.clips_per_epoch or lower the batch"
        )
    return num_clips // global_batch


def steps_of(place: Place, num_clips: int, global_batch: int) -> Iterator[range]:
    """Give, for each step from ``place.step`` on, the places in the epoch that this process takes.

    The global batch of a step is a slice of the epoch; rank ``r`` of ``w`` takes every ``w``-th from its ``r``-th. So
    all processes together take the same batch whatever their number.

    Raises:
        ConfigError: The processes cannot share a batch evenly, or there is not one batch.

    >>> list(steps_of(Place(step=1, rank=1, world=2), num_clips=13, global_batch=4))
    [range(5, 8, 2), range(9, 12, 2)]
    """
    if global_batch % place.world:
        raise ConfigError(
            f"a global batch of {global_batch} clips cannot be shared evenly by {place.world} processes: make it a "
            "multiple of their number"
        )
    steps = range(place.step, num_steps(num_clips, global_batch))
    return (range(step * global_batch + place.rank, (step + 1) * global_batch, place.world) for step in steps)


def _shares(weights: list[float], total: int) -> list[int]:
    """Split a number by weights: whole parts first, then one more to the largest remainders."""
    exact = np.array(weights) / sum(weights) * total
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return [int(count) for count in counts]


def _draw(size: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``count`` of ``size`` numbers, each as often as the others or once more."""
    rounds = [rng.permutation(size) for _ in range(-(-count // size))]
    return np.concatenate([np.zeros(0, np.int64), *rounds])[:count]
