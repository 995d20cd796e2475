"""Where people of a scene can be: in view, on walkable ground, and not in each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.motion import Motion
from vsdmot.synthesis.shots import Shot
from vsdmot.synthesis.world.place import Place

Point = tuple[float, float]

_ADULT = 1.7  # metres, to guess from how far somebody has a height in pixels
_CHECK_SECONDS = 0.2
_TRIES = 60


@dataclass
class Trial:
    """Whether to keep what was added."""

    keep: bool = False


class Stage:
    """The ground of a scene, as a camera sees it, and who is on it already."""

    def __init__(self, place: Place, shot: Shot, duration: float, rng: np.random.Generator) -> None:
        """Take the parts; ``duration`` is the length of the scene in seconds."""
        self.place, self.shot, self.duration = place, shot, duration
        self._rng = rng
        self._taken: list[NDArray[np.float64]] = []
        self._times = np.arange(0.0, duration + _CHECK_SECONDS, _CHECK_SECONDS)
        self._camera = np.array([shot.at(time).position[:2] for time in self._times])

    def point(self, time: float, smallest: float, tallest: float) -> Point:
        """Draw a point of the ground where a person is seen at a moment, ``smallest`` to ``tallest`` pixels tall.

        Every height in pixels is as likely as its double: there is far more ground far away than near.
        """
        shot, camera = self.shot, self.shot.at(time)
        forward = camera.rotation[2, :2] / hypot(*camera.rotation[2, :2])
        right = np.array([forward[1], -forward[0]])
        x0, y0, x1, y1 = self.place.walkable
        found = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        for _ in range(_TRIES):
            height = smallest * (tallest / smallest) ** self._rng.random()
            depth = shot.focal * _ADULT / height
            across = self._rng.uniform(-0.48, 0.48) * depth * shot.width / shot.focal
            found = camera.position[:2] + depth * forward + across * right
            feet = camera.project(np.array([[*found, 0.0]]))[0]
            fits = x0 <= found[0] <= x1 and y0 <= found[1] <= y1 and self.is_clear(float(found[0]), float(found[1]))
            if fits and feet[2] > 0 and feet[1] < shot.height * (1.0 if self._rng.random() < 0.85 else 1.25):
                break
        return float(found[0]), float(found[1])

    def is_clear(self, x: float, y: float, margin: float = 0.35) -> bool:
        """Whether nothing stands at a point of the walkable ground."""
        x0, y0, x1, y1 = self.place.walkable
        if not (x0 <= x <= x1 and y0 <= y <= y1):
            return False
        boxes = self.place.obstacles
        inside = (boxes[:, 0] - margin < x) & (x < boxes[:, 2] + margin)
        inside &= (boxes[:, 1] - margin < y) & (y < boxes[:, 3] + margin)
        return not inside.any()

    def try_add(self, motion: Motion, *, near: float = 0.55, on_seat: bool = False) -> bool:
        """Add a motion, unless it leads through obstacles, into somebody else or into the camera.

        Args:
            motion: What somebody does.
            near: Metres that two people keep between their middles.
            on_seat: Whether to leave out the obstacles: a seat is one.
        """
        way = self._way(motion)
        if not on_seat and not all(self.is_clear(x, y, 0.25) for x, y in way[::2].tolist()):
            return False
        if np.hypot(*(way - self._camera).T).min() < 1.3:
            return False
        if any(np.hypot(*(way - other).T).min() < near for other in self._taken):
            return False
        self._taken.append(way)
        return True

    def room_for(self, motion: Motion) -> float:
        """Give the least distance in metres that a motion leaves to everybody who is there already."""
        way = self._way(motion)
        return min((float(np.hypot(*(way - other).T).min()) for other in self._taken), default=np.inf)

    def take(self, motion: Motion) -> None:
        """Add a motion as it is."""
        self._taken.append(self._way(motion))

    def stroll(self, length: float, smallest: float, tallest: float) -> list[Point]:
        """Lay waypoints from one place in view to the next, around what stands there.

        Args:
            length: Of the whole way at least, metres.
            smallest: As for `point`.
            tallest: As for `point`.
        """
        way, walked = [self.point(0.0, smallest, tallest)], 0.0
        while walked < length:
            following = way[-1]
            for _ in range(_TRIES):
                following = self.point(0.0, smallest, tallest)
                steps = np.linspace(way[-1], following, 20)
                if np.hypot(*np.subtract(following, way[-1])) > 2 and all(self.is_clear(x, y, 0.3) for x, y in steps):
                    break
            else:  # hemmed in: go a little aside rather than stand for ever
                following = following[0] + 2.5, following[1]
            walked += float(np.hypot(*np.subtract(following, way[-1])))
            way.append(following)
        return way

    def add(self, make: Callable[[], Motion], *, near: float = 0.55) -> Motion | None:
        """Draw motions until one fits, or give up."""
        for _ in range(_TRIES):
            motion = make()
            if self.try_add(motion, near=near):
                return motion
        return None

    @contextmanager
    def trial(self) -> Iterator[Trial]:
        """Take back what is added meanwhile, unless the trial says to keep it."""
        before, trial = len(self._taken), Trial()
        yield trial
        if not trial.keep:
            del self._taken[before:]

    def way_through(self, time: float, point: Point, direction: float, speed: float, turn: float) -> list[Point]:
        """Lay waypoints that pass a point at a moment, and are long enough for the whole scene.

        Args:
            time: When the point is passed, seconds.
            point: Metres.
            direction: Towards which it is passed, radians from +y counter-clockwise.
            speed: m/s.
            turn: Radians by which the way turns at the point.
        """
        before = speed * time + 1.0
        after = speed * (self.duration - time) + 1.0
        start = point[0] + sin(direction) * before, point[1] - cos(direction) * before
        end = point[0] - sin(direction + turn) * after, point[1] + cos(direction + turn) * after
        return [start, point, end]

    def _way(self, motion: Motion) -> NDArray[np.float64]:
        """Give where a motion is at the moments that are checked, ``(T, 2)``."""
        return np.array([(spot.x, spot.y) for spot in map(motion.footprint, self._times)])
