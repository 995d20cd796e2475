"""Reading a recording as cheaply as honesty allows: every frame decoded, few of them measured."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vsdmot.io.glances import Glance
from vsdmot.triage.measures import PictureMeasures, measure_picture
from vsdmot.triage.repeats import Repeats

_GOLDEN = (math.sqrt(5) - 1) / 2

MEASURES = tuple(field.name for field in fields(PictureMeasures))


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured picture, and the frames since the one before.

    Attributes:
        index: Its frame, from 1.
        time: In seconds.
        num_frames: Frames that were decoded since the last sample, this one included.
        num_repeated: How many frames turned out to be repeats since then; a run of them is counted when it ends.
        measures: What was measured.
    """

    index: int
    time: float
    num_frames: int
    num_repeated: int
    measures: PictureMeasures


class Scanner:
    """Decide which frames are measured, and measure them.

    One picture is taken from each interval, each time at another place in it: at a fixed pace the key frames of a
    codec, which look better or worse than the frames between them, would all be met, or none.

    Args:
        every: Length of an interval in seconds; 0 measures every frame.
        frame_rate: Frames per second.
    """

    def __init__(self, every: float, *, frame_rate: float) -> None:
        self._every = every
        self._repeats = Repeats(frame_rate)
        self._interval = -1
        self._num_frames = self._num_repeated = 0

    def see(self, glance: Glance) -> Sample | None:
        """Look at the next frame, and measure it if it is its turn."""
        self._num_frames += 1
        self._num_repeated += self._repeats.update(glance.raster())
        if glance.time < self._due():
            return None
        self._interval += 1
        if self._every:  # after a gap, do not make up for what was missed; a frame that came a little late is no gap
            self._interval = max(self._interval, int(glance.time / self._every) - 1)
        sample = Sample(
            glance.index, glance.time, self._num_frames, self._num_repeated, measure_picture(glance.image())
        )
        self._num_frames = self._num_repeated = 0
        return sample

    def _due(self) -> float:
        """When the next picture is taken, in seconds."""
        following = self._interval + 1
        return (following + following * _GOLDEN % 1.0) * self._every if self._interval >= 0 else 0.0


class Record:
    """The samples of a recording in columns: 10 hours, a sample every half second, take 10 MB."""

    def __init__(self) -> None:
        self._names = ("index", "time", "num_frames", "num_repeated", *MEASURES)
        self._numbers = array("d")

    def add(self, sample: Sample) -> None:
        """Add the next sample."""
        counts = (sample.index, sample.time, sample.num_frames, sample.num_repeated)
        self._numbers.extend((*counts, *astuple(sample.measures)))

    def __len__(self) -> int:
        return len(self._numbers) // len(self._names)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self._names

    def column(self, name: str) -> NDArray[np.float64]:
        """Give a column, ``(N,)``."""
        return self.rows()[:, self._names.index(name)]

    def rows(self) -> NDArray[np.float64]:
        """Give everything, ``(N, columns)``."""
        return np.array(self._numbers, np.float64).reshape(-1, len(self._names))

    def samples(self) -> Iterator[tuple[float, PictureMeasures]]:
        """Give the time and the measures of each sample."""
        for row in self.rows().tolist():
            yield row[1], PictureMeasures(**dict(zip(MEASURES, row[4:], strict=True)))
