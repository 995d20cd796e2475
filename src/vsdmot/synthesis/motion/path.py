"""A smooth way over the ground and how fast it is gone: slower in turns, with waits, an end, or straight on.

path = Path([(0, 0), (4, 1), (6, 6)], speed=1.3, stop=True)
x, y = path.position(2.0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import atan2, cos, sin

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]

TIME_STEP = 0.02
"""Seconds between the entries of a path's schedule."""

_SPACING = 0.02
_ROUNDING = 0.35
"""Metres over which a corner is rounded; people cut corners by about as much."""
_SIDE_ACCELERATION = 1.0
"""m/s² towards the inside of a turn; a person slows down rather than lean in more."""
_TURN_RATE = 1.6
"""Radians per second at most."""
_ACCELERATION = 1.1
"""m/s² of starting and stopping, a comfortable change of pace."""
_SMOOTHING = 0.18
"""Seconds over which changes of pace are rounded."""


class Path:
    """A way through waypoints and the time each part of it takes.

    Before its first moment and after its last a path that does not stand still goes straight on.

    Attributes:
        length: Metres from the first to the last waypoint.
        duration: Seconds from the first to the last waypoint.
    """

    length: float
    duration: float

    def __init__(
        self,
        waypoints: Sequence[tuple[float, float]],
        *,
        speed: float,
        stop: bool = False,
        start_still: bool = False,
        waits: Mapping[int, float] | None = None,
        delay: float = 0.0,
    ) -> None:
        """Lay the path.

        Args:
            waypoints: x and y in metres, two or more; neighbours at least 5 cm apart. Corners are rounded.
            speed: Of a straight stretch, m/s.
            stop: Whether to come to rest at the last waypoint.
            start_still: Whether to begin from rest.
            waits: Seconds to stand at inner waypoints, by their index.
            delay: Seconds from the time 0 to the start: of standing, or of walking up in a straight line.
        """
        points = np.array(waypoints, np.float64)
        if points.ndim != 2 or len(points) < 2 or points.shape[1] != 2:
            raise ValueError(f"a path needs at least two waypoints (x, y), got an array of shape {points.shape}")
        chords = np.hypot(*np.diff(points, axis=0).T)
        if chords.min() < 0.05:
            raise ValueError(
                f"waypoints {int(chords.argmin())} and its next are {chords.min():.3f} m apart, less than 0.05"
            )
        self._lay(points, chords)
        self._schedule(speed, stop, start_still, waits or {}, delay)

    def _lay(self, points: Array, chords: Array) -> None:
        """Round the corners and resample the way in equal steps."""
        # The way is laid some metres beyond its ends, so that rounding leaves the ends straight.
        sides = np.diff(points, axis=0) / chords[:, None]
        margin = 5 * _ROUNDING
        longer = np.concatenate([points[:1] - margin * sides[:1], points, points[-1:] + margin * sides[-1:]])
        knots = np.concatenate([[-margin], [0.0], np.cumsum(chords), [chords.sum() + margin]])
        fine = np.arange(knots[0], knots[-1], _SPACING)
        corners = np.stack([np.interp(fine, knots, longer[:, axis]) for axis in (0, 1)], axis=1)
        dense = gaussian_filter1d(corners, _ROUNDING / _SPACING, axis=0, mode="nearest")
        walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(dense, axis=0).T))])
        start, end = np.interp([0.0, knots[-2]], fine, walked)
        self.length = float(end - start)
        distance = np.linspace(0.0, self.length, max(16, int(self.length / _SPACING)) + 1)
        self._distance = distance
        self._points = np.stack([np.interp(distance + start, walked, dense[:, axis]) for axis in (0, 1)], axis=1)
        self._knots = np.interp(knots[1:-1], fine, walked) - start
        steps = np.gradient(self._points, axis=0)
        heading = np.unwrap(np.arctan2(-steps[:, 0], steps[:, 1]))
        # People turn a little before and after the corner that their way has.
        self._heading = gaussian_filter1d(heading, 0.10 / (distance[1] - distance[0]), mode="nearest")

    def _schedule(self, speed: float, stop: bool, start_still: bool, waits: Mapping[int, float], delay: float) -> None:
        """Decide when each part of the way is gone."""
        step = self._distance[1] - self._distance[0]
        curvature = np.abs(np.gradient(self._heading, step))
        limit = np.minimum(speed, np.sqrt(_SIDE_ACCELERATION / np.maximum(curvature, 1e-6)))
        limit = np.minimum(limit, _TURN_RATE / np.maximum(curvature, 1e-6))
        rest = {0: 0.0} if start_still else {}
        rest |= {int(np.searchsorted(self._distance, self._knots[i])): wait for i, wait in waits.items()}
        if stop:
            rest[len(limit) - 1] = 0.0
        limit[list(rest)] = 0.0
        squared = limit**2
        for order in (range(1, len(limit)), range(len(limit) - 2, -1, -1)):
            for i in order:
                before = i - 1 if order.step > 0 else i + 1
                squared[i] = min(squared[i], squared[before] + 2 * _ACCELERATION * step)
        pace = np.sqrt(squared)
        spent = step / np.maximum((pace[1:] + pace[:-1]) / 2, 0.05)
        start = delay if start_still else 0.0
        moments, places = [-4.0, 0.0], [0.0, 0.0]
        if not start_still:
            moments, places = [-4.0], [-4.0 * float(pace[0])]
        moment = start
        for i in range(len(pace)):
            moments.append(moment)
            places.append(float(self._distance[i]))
            if rest.get(i, 0.0) > 0:
                moment += rest[i]
                moments.append(moment)
                places.append(float(self._distance[i]))
            if i < len(spent):
                moment += float(spent[i])
        last = float(pace[-1])
        moments.append(moment + 4.0)
        places.append(self.length + 4.0 * last)
        self.duration = moment - start
        self._first_speed, self._last_speed = float(pace[0]), last
        times = np.arange(-1.8, moment + 1.8, TIME_STEP)
        moments_array = np.array(moments) + np.arange(len(moments)) * 1e-9
        self._walked = gaussian_filter1d(
            np.interp(times, moments_array, places), _SMOOTHING / TIME_STEP, mode="nearest"
        )
        trim = int(4 * _SMOOTHING / TIME_STEP)
        # The filter bends a moving end; the schedule ends where it is still straight.
        self._times, self._walked = times[trim:-trim], self._walked[trim:-trim]
        self._shift = 0.0 if start_still else delay

    @property
    def times(self) -> Array:
        """The moments of the schedule, `TIME_STEP` apart; outside them the person goes straight on, or stands."""
        return self._times + self._shift

    def distance(self, time: float) -> float:
        """Give the metres gone; below 0 before the start."""
        moment = time - self._shift
        if moment <= self._times[0]:
            return float(self._walked[0] + self._first_speed * (moment - self._times[0]))
        if moment >= self._times[-1]:
            return float(self._walked[-1] + self._last_speed * (moment - self._times[-1]))
        at = (moment - self._times[0]) / TIME_STEP
        i = min(int(at), len(self._walked) - 2)
        return float(_hermite(self._walked, i, at - i))

    def position(self, time: float) -> tuple[float, float]:
        """Give x and y in metres."""
        return self.place_at(self.distance(time))[:2]

    def heading(self, time: float) -> float:
        """Give the direction of the way, radians counter-clockwise from +y; it does not wrap."""
        return self.place_at(self.distance(time))[2]

    def speed(self, time: float) -> float:
        """Give the pace in m/s."""
        return (self.distance(time + 0.01) - self.distance(time - 0.01)) / 0.02

    def place_at(self, distance: float) -> tuple[float, float, float]:
        """Give x, y and heading at a distance along the way; straight on beyond its ends."""
        over = min(0.0, distance) + max(0.0, distance - self.length)
        at = min(max(distance, 0.0), self.length) / (self._distance[1] - self._distance[0])
        i = min(int(at), len(self._points) - 2)
        share = at - i
        x, y = ((1 - share) * self._points[i] + share * self._points[i + 1]).tolist()
        heading = float((1 - share) * self._heading[i] + share * self._heading[i + 1])
        return x - sin(heading) * over, y + cos(heading) * over, heading


def heading_towards(x: float, y: float) -> float:
    """Give the heading that looks along a direction.

    >>> round(heading_towards(-1.0, 0.0), 3)
    1.571
    """
    return atan2(-x, y)


def _hermite(values: Array, i: int, share: float) -> float:
    """Interpolate a table between entries i and i + 1 without kinks."""
    a, b = float(values[i]), float(values[i + 1])
    before = float(values[i - 1]) if i > 0 else 2 * a - b
    after = float(values[i + 2]) if i + 2 < len(values) else 2 * b - a
    m0, m1 = (b - before) / 2, (after - a) / 2
    t2, t3 = share * share, share**3
    return (2 * t3 - 3 * t2 + 1) * a + (t3 - 2 * t2 + share) * m0 + (3 * t2 - 2 * t3) * b + (t3 - t2) * m1
