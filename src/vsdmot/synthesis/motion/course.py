"""Where a person goes, when it steps, and where its feet stand.

A course is a place for every moment. The phase of the gait counts cycles of two steps and runs with the way gone and
turned, so that fast people step often; footholds lie under the course, and a foot stands on its foothold until the
phase lifts it. Whatever the course does, walking, sideways, turning on the spot, stopping, no foot slides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, sin, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from vsdmot.synthesis.motion.body import Place
from vsdmot.synthesis.motion.path import TIME_STEP, Path
from vsdmot.synthesis.skeleton import SIDES

Array = NDArray[np.float64]

GRAVITY = 9.81
REST_PHASE = 0.05
"""Where in the cycle a standing person is, and half a cycle on: both feet on the ground."""

_TURN_RADIUS = 0.12
"""Metres of way that a turn by one radian counts as."""
_TURN_A_CYCLE = 2.0
"""Radians that two steps turn the body at most: a foot turns about 40 degrees in or out of the way of the hips."""
_MOVING = 0.03
"""m/s below which a person stands."""
_CLOSING = 0.30
"""Part of a cycle that is stepped after the course has come to rest, to bring the feet under the body."""
_CLOSING_SECONDS = 0.55


@dataclass(frozen=True, slots=True)
class Leg:
    """A move from rest to rest: when, in seconds, where to, and by how many metres its way bows to the right."""

    begin: float
    end: float
    to: Place
    bow: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a course.

    Attributes:
        place: Where the person is.
        phase: Cycles gone; the right heel strikes at whole numbers, the left one at halves.
        pace: Speed over the ground with turning counted in, m/s.
        turning: Radians per second to the left.
        ahead: Share of the pace that goes where the person faces: 1 forwards, 0 sideways or still, -1 backwards.
    """

    place: Place
    phase: float
    pace: float
    turning: float
    ahead: float


class Course:
    """Places over time, with the phase of the steps."""

    def __init__(self, start: float, places: Array, *, leg: float, cadence: float = 1.0, running: bool = False) -> None:
        """Count the steps of a course.

        Args:
            start: Time of the first entry in seconds.
            places: ``(N, 3)`` x, y and yaw `TIME_STEP` apart; a course that moves at an end goes straight on.
            leg: Length of the leg in metres: short legs step more often.
            cadence: Factor on how often the person steps.
            running: Whether it runs; runners quicken by longer steps, not by more.
        """
        self._start = start
        self._leg = leg
        self._cadence = cadence
        self._running = running
        places = places.copy()
        # What hardly moves at an end stands there.
        for end, inner in ((0, 1), (-1, -2)):
            if float(np.abs(places[end] - places[inner]).max()) < _MOVING * TIME_STEP:
                places[end] = places[inner]
        self._places = places
        rates = np.gradient(places, TIME_STEP, axis=0)
        ground = np.hypot(rates[:, 0], rates[:, 1])
        # The turn of a way that is walked anyway costs no steps of its own.
        pace = np.sqrt(ground**2 + (_TURN_RADIUS * rates[:, 2]) ** 2)
        ahead = (rates[:, 1] * np.cos(places[:, 2]) - rates[:, 0] * np.sin(places[:, 2])) / (ground + 0.05)
        self._ahead = gaussian_filter1d(ahead, 0.12 / TIME_STEP, mode="nearest")
        self._pace = gaussian_filter1d(pace, 0.12 / TIME_STEP, mode="nearest")
        self._turning = gaussian_filter1d(rates[:, 2], 0.12 / TIME_STEP, mode="nearest")
        self._lay_phase()
        self._holds: dict[tuple[int, int], tuple[float, float, float]] = {}

    @classmethod
    def along(cls, path: Path, *, leg: float, cadence: float = 1.0, running: bool = False) -> Course:
        """Follow a path, looking ahead."""
        times = path.times
        places = np.array([path.place_at(path.distance(float(t))) for t in times])
        return cls(float(times[0]), places, leg=leg, cadence=cadence, running=running)

    @classmethod
    def still(cls, place: Place, *, leg: float) -> Course:
        """Stay where one is."""
        return cls(0.0, np.tile(np.array([place.x, place.y, place.yaw], np.float64), (8, 1)), leg=leg)

    @classmethod
    def through(cls, start: Place, legs: Sequence[Leg], *, leg: float, cadence: float = 1.0) -> Course:
        """Go from place to place.

        Args:
            start: Where the person is before.
            legs: The moves in order; they do not overlap.
            leg: See the constructor.
            cadence: See the constructor.
        """
        begin, end = (legs[0].begin - 1.0, legs[-1].end + 1.5) if legs else (0.0, 0.2)
        times = np.arange(begin, end, TIME_STEP)
        places = np.tile(np.array([start.x, start.y, start.yaw], np.float64), (len(times), 1))
        for move in legs:
            first, last = np.searchsorted(times, [move.begin, move.end]).tolist()
            part = slice(first, last)
            share = np.clip((times[part] - move.begin) / max(move.end - move.begin, TIME_STEP), 0, 1)
            gone = share**3 * (10 - 15 * share + 6 * share**2)
            before, to = places[-1].copy(), np.array([move.to.x, move.to.y, move.to.yaw])
            way = to - before
            places[part] = before + gone[:, None] * way
            places[last:] = to
            far = float(np.hypot(way[0], way[1]))
            if far > 1e-6:
                bowed = move.bow * np.sin(np.pi * gone) ** 2
                places[part, 0] += bowed * way[1] / far
                places[part, 1] -= bowed * way[0] / far
        return cls(float(begin), places, leg=leg, cadence=cadence)

    def frequency(self, pace: float) -> float:
        """Give the cycles per second at a pace: with its root, as people split a change between length and rate."""
        return float(self._frequencies(np.array([pace]))[0])

    def stride(self, pace: float) -> float:
        """Give the metres of two steps at a pace."""
        return pace / max(self.frequency(pace), 1e-3)

    def at(self, time: float) -> Step:
        """Give a moment of the course."""
        index = (time - self._start) / TIME_STEP
        last = len(self._places) - 1
        x, y, yaw = (self._value(self._places[:, axis], index) for axis in range(3))
        inside = min(max(index, 0.0), float(last))
        pace, turning = self._value(self._pace, inside), self._value(self._turning, inside)
        ahead = self._value(self._ahead, inside)
        return Step(Place(x, y, yaw), self._value(self._phase, index), max(0.0, pace), turning, ahead)

    def foothold(self, side: int, number: int, under: float, half_width: float) -> tuple[float, float, float]:
        """Give where a foot stands.

        Args:
            side: 0 right, 1 left.
            number: Which of that foot's steps; its own cycle begins at that phase, the left foot's half a cycle before.
            under: Part of the cycle after which the course passes over the foothold.
            half_width: Metres from the course to the foot.

        Returns:
            x and y of the ankle and the yaw of the course there.
        """
        key = side, number
        if key not in self._holds:
            index = self._index_of(number + under - 0.5 * side)
            x, y, yaw = (self._value(self._places[:, axis], index) for axis in range(3))
            out = SIDES[side] * half_width
            self._holds[key] = x + out * cos(yaw), y + out * sin(yaw), yaw
        return self._holds[key]

    def _lay_phase(self) -> None:
        """Add up the phase, so that each stop finds both feet on the ground and under the body."""
        walked = np.where(self._pace > _MOVING, self._frequencies(self._pace), 0.0)
        turned = np.abs(np.gradient(self._places[:, 2], TIME_STEP)) / _TURN_A_CYCLE
        rate = np.hypot(walked, np.where(turned > 0.02, turned, 0.0))
        rate = gaussian_filter1d(rate, 0.06 / TIME_STEP, mode="nearest")
        moving = rate > 1e-4
        edges = np.flatnonzero(np.diff(np.concatenate([[False], moving, [False]]).astype(int)))
        closing = int(_CLOSING_SECONDS / TIME_STEP)
        pulse = np.sin(np.linspace(0, np.pi, closing + 2)[1:-1]) ** 2
        pulse /= pulse.sum()
        increments = rate * TIME_STEP
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if end >= len(rate):
                continue  # it does not stop
            counted = float(increments[begin:end].sum())
            steps = max(1 if begin == 0 else 2, round((counted + _CLOSING) / 0.5))
            increments[begin:end] *= (0.5 * steps - _CLOSING) / counted
            at = end - closing // 3  # the last step begins while the body is still coming to rest
            span = increments[at : at + closing]
            span += _CLOSING * pulse[: len(span)]
        self._phase = REST_PHASE + np.concatenate([[0.0], np.cumsum(increments)[:-1]])

    def _frequencies(self, paces: Array) -> Array:
        """Give the cycles per second at many paces; paces below 0 count as 0."""
        rate = sqrt(GRAVITY / self._leg) * self._cadence
        froude = np.maximum(0.0, paces) / sqrt(GRAVITY * self._leg)
        if self._running:
            return np.asarray(0.425 * rate * np.sqrt(froude) * np.maximum(froude, 0.3) ** -0.3)
        return np.asarray(0.418 * rate * np.sqrt(froude))

    def _index_of(self, phase: float) -> float:
        """Give the entry at which a phase is reached, beyond the ends where the course moves there."""
        if phase <= self._phase[0]:
            step = self._phase[1] - self._phase[0]
            return float((phase - self._phase[0]) / step) if step > 1e-6 else 0.0
        if phase >= self._phase[-1]:
            step = self._phase[-1] - self._phase[-2]
            last = len(self._phase) - 1
            return float(last + (phase - self._phase[-1]) / step) if step > 1e-6 else float(last)
        i = int(np.searchsorted(self._phase, phase, side="right")) - 1
        step = self._phase[i + 1] - self._phase[i]
        return i + float((phase - self._phase[i]) / step)

    def _value(self, table: Array, index: float) -> float:
        """Read a table between its entries, straight on beyond its ends."""
        last = len(table) - 1
        if index <= 0:
            return float(table[0] + (table[1] - table[0]) * index)
        if index >= last:
            return float(table[-1] + (table[-1] - table[-2]) * (index - last))
        i = floor(index)
        a, b = float(table[i]), float(table[i + 1])
        before = float(table[i - 1]) if i else 2 * a - b
        after = float(table[i + 2]) if i + 2 <= last else 2 * b - a
        t = index - i
        m0, m1 = (b - before) / 2, (after - a) / 2
        return (
            (2 * t**3 - 3 * t**2 + 1) * a + (t**3 - 2 * t**2 + t) * m0 + (3 * t**2 - 2 * t**3) * b + (t**3 - t**2) * m1
        )
