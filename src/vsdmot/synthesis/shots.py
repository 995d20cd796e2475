"""How the camera of a scene moves: still, held by hand, panning, travelling, or circling."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.camera import Camera, orientation

Move = Literal["still", "handheld", "pan", "travel", "orbit"]

_SHAKE_HERTZ = (0.35, 0.8, 1.9, 3.7)
_SHAKE_SHARE = (1.0, 0.6, 0.25, 0.1)  # slow sway is larger than fast tremor


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """A camera and its movement.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels.
        position: ``(3,)``, where it is in the middle of the shot, metres.
        yaw: Radians to the right of +y, in the middle of the shot.
        pitch: Radians up.
        move: Kind of movement.
        speed: Of a pan in radians per second, of travelling in m/s, of an orbit in radians per second.
        centre: ``(2,)``, what an orbit circles and keeps in view.
        shake: Size of the hand's unrest in radians; 0 on a tripod.
        middle: Moment of the middle of the shot, seconds.
        phases: ``(4, 6)``, of the unrest.
    """

    width: int
    height: int
    focal: float
    position: NDArray[np.float64]
    yaw: float
    pitch: float
    move: Move
    speed: float
    centre: NDArray[np.float64]
    shake: float
    middle: float
    phases: NDArray[np.float64]

    @property
    def is_still(self) -> bool:
        """Whether every frame has the same view."""
        return self.move == "still" and self.shake == 0

    def at(self, time: float) -> Camera:
        """Give the camera at a moment in seconds."""
        offset = time - self.middle
        position, yaw = self.position.copy(), self.yaw
        if self.move == "pan":
            # Forth and back, so that a long shot does not leave the scene.
            yaw += 0.30 * sin(self.speed / 0.30 * offset)
        elif self.move == "travel":
            position[0] += 2.5 * sin(self.speed / 2.5 * offset)
            position[1] += 0.15 * self.speed * sin(offset / 3)
        elif self.move == "orbit":
            angle = 0.45 * sin(self.speed / 0.45 * offset)
            arm = position[:2] - self.centre
            position[0] = self.centre[0] + cos(angle) * arm[0] - sin(angle) * arm[1]
            position[1] = self.centre[1] + sin(angle) * arm[0] + cos(angle) * arm[1]
            yaw -= angle
        sway = self._sway(time)
        position = position + self.shake * np.array([0.9, 0.4, 0.5]) * sway[3:]
        yaw, pitch, roll = yaw + self.shake * sway[0], self.pitch + self.shake * sway[1], 0.4 * self.shake * sway[2]
        return Camera(
            width=self.width,
            height=self.height,
            focal=self.focal,
            position=position,
            rotation=orientation(yaw, pitch, roll),
        )

    def _sway(self, time: float) -> NDArray[np.float64]:
        """Give six smooth signals of about unit size."""
        angles = 2 * pi * np.array(_SHAKE_HERTZ)[:, None] * time + self.phases
        signals: NDArray[np.float64] = (np.array(_SHAKE_SHARE)[:, None] * np.sin(angles)).sum(axis=0)
        return signals


def aim(position: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    """Give yaw and pitch that look from a position to a target, both ``(3,)``.

    >>> aim(np.array([0.0, 0, 2]), np.array([0.0, 2, 0]))[1] / pi
    -0.25
    """
    x, y, z = (target - position).tolist()
    return atan2(x, y), atan2(z, hypot(x, y))
