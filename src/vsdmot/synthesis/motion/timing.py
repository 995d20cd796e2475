"""Smooth functions of time: values that are held and changed softly, and values that wander."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import pi
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

T = TypeVar("T")

LAST = 1000.0
"""Seconds for which random sequences are drawn; their last value stays after it."""


def ease(share: float) -> float:
    """Go from 0 to 1 as the share does, with level ends.

    >>> ease(-1), ease(0.5), ease(2)
    (0.0, 0.5, 1.0)
    """
    share = min(1.0, max(0.0, share))
    return share**3 * (10 - 15 * share + 6 * share * share)


class Holds:
    """Arrays that are held, each until the next takes over."""

    def __init__(self, starts: Sequence[float], values: Sequence[Array], fades: Sequence[float]) -> None:
        """Take the values in order.

        Args:
            starts: When each value begins to take over, ascending; the first one holds before, too.
            values: The arrays, all of one shape.
            fades: Seconds each takes to do so; cut short where the next one comes sooner.
        """
        self._starts = list(starts)
        self._values = list(values)
        gaps = [*np.diff(self._starts).tolist(), np.inf]
        self._fades = [max(1e-6, min(fade, gap)) for fade, gap in zip(fades, gaps, strict=True)]

    def at(self, time: float) -> Array:
        """Give the value of a moment."""
        old, new, gone = self.between(time)
        return new if gone >= 1 else old + gone * (new - old)

    def between(self, time: float) -> tuple[Array, Array, float]:
        """Give the value before, the value that takes over, and how far it has, 0 to 1."""
        i = max(0, bisect_right(self._starts, time) - 1)
        gone = ease((time - self._starts[i]) / self._fades[i]) if i else 1.0
        return self._values[max(0, i - 1)], self._values[i], gone


class Wander:
    """Values that move about 0 with a spread near 1, never the same way twice."""

    def __init__(self, rng: np.random.Generator, num: int, *, period: float) -> None:
        """Draw the waves.

        Args:
            rng: Source of randomness.
            num: How many values.
            period: Seconds in which they typically come and go.
        """
        self._rates = 2 * pi / period * rng.uniform(0.5, 1.6, (3, num))
        self._phases = rng.uniform(0, 2 * pi, (3, num))

    def at(self, time: float) -> Array:
        """Give ``(num,)`` values."""
        values: Array = np.sin(self._rates * time + self._phases).sum(0) * 0.8
        return values


def spells(rng: np.random.Generator, shortest: float, longest: float, *, start: float = -2.0) -> list[float]:
    """Draw moments up to `LAST` whose distances lie between two lengths in seconds."""
    count = int((LAST - start) / shortest) + 2
    moments = start + np.concatenate([[0.0], np.cumsum(rng.uniform(shortest, longest, count))])
    return [float(moment) for moment in moments if moment < LAST]


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Draw one of some options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]
