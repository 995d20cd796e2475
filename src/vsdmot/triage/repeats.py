"""Frames that show nothing new though something moves: dropped, frozen, or doubled to reach a higher rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHANGED_LEVELS = 1  # grey levels; a coder skips what repeats, while even a still scene trembles with noise
CHANGED_POINTS = 3  # points of the raster that may change more, all the same
MOVED_LEVELS = 5  # grey levels that noise and coding do not reach
MOVED_POINTS = 12  # points of the raster: the least of a small person who moved
FROZEN_SECONDS = 3.0
MOST_TREMBLES = 2  # frames that a coder only refined, between repeats


class Repeats:
    """Count the frames that repeat the one before.

    Where nothing moves, repeats are the truth: a scene that stands still, coded without its noise. So a run of repeats
    counts when the picture then moves on, or when it lasts longer than scenes and coders usually stay at rest. A still
    scene that is coded without any change for longer than that is taken for a frozen one; no picture tells them apart.

    Args:
        frame_rate: Frames per second.
    """

    def __init__(self, frame_rate: float) -> None:
        self._frozen_frames = max(2, round(FROZEN_SECONDS * frame_rate))
        self._shown: NDArray[np.uint8] | None = None
        self._run = self._trembles = 0

    def update(self, raster: NDArray[np.uint8]) -> int:
        """Look at the next frame.

        Args:
            raster: ``(h, w)`` uint8, brightness of a raster of its pixels.

        Returns:
            How many frames turn out to be repeats now: none, this one, or also those before it.
        """
        shown = self._shown
        if shown is None or shown.shape != raster.shape:
            self._shown, self._run, self._trembles = raster, 0, 0
            return 0
        change = np.maximum(shown, raster) - np.minimum(shown, raster)  # unsigned: a difference would wrap around
        if np.count_nonzero(change > CHANGED_LEVELS) <= CHANGED_POINTS:
            self._run += 1
            if self._run < self._frozen_frames:
                return 0
            return self._run if self._run == self._frozen_frames else 1
        self._shown = raster
        if np.count_nonzero(change > MOVED_LEVELS) >= MOVED_POINTS:
            waiting = self._run if self._run < self._frozen_frames else 0  # a frozen run was counted already
            self._run = self._trembles = 0
            return waiting
        self._trembles += 1
        if self._trembles > MOST_TREMBLES:
            self._run = self._trembles = 0
        return 0
