"""A pinhole camera in the world of a rendered scene.

The world is measured in metres: x to the right, y away from the viewer, z up, the ground at z = 0. An image counts x
to the right and y down, with pixel centres at halves: the pixel in column 0 covers x from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

NEAREST = 0.3
"""Distance in metres before which nothing is drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A pinhole camera at one moment.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels.
        position: ``(3,)`` float64, metres.
        rotation: ``(3, 3)`` float64; its rows are the camera's right, down and forward axes in the world.
    """

    width: int
    height: int
    focal: float
    position: NDArray[np.float64]
    rotation: NDArray[np.float64]

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points.

        Args:
            points: ``(N, 3)`` world coordinates in metres.

        Returns:
            ``(N, 3)``: x and y in pixels, and the inverse of the depth in 1/m; that is -1 where the point is nearer
            than `NEAREST` or behind the camera, and x and y then mean nothing.
        """
        seen = (points - self.position) @ self.rotation.T
        depth = seen[:, 2]
        inverse = np.where(depth > NEAREST, 1 / np.maximum(depth, NEAREST), -1.0)
        x = seen[:, 0] * inverse * self.focal + self.width / 2
        y = seen[:, 1] * inverse * self.focal + self.height / 2
        return np.stack([x, y, inverse], axis=1)


def orientation(yaw: float, pitch: float, roll: float = 0.0) -> NDArray[np.float64]:
    """Make a camera's rotation; at 0 it looks along +y, level.

    Args:
        yaw: To the right, radians.
        pitch: Up, radians; negative looks down.
        roll: Clockwise as the picture's content sees it turn, radians.

    Returns:
        ``(3, 3)`` float64, rows right, down, forward.

    >>> orientation(0, 0).round(3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]
    """
    forward = np.array([sin(yaw) * cos(pitch), cos(yaw) * cos(pitch), sin(pitch)])
    level = np.array([cos(yaw), -sin(yaw), 0.0])
    down = -np.cross(level, forward)
    right = cos(roll) * level + sin(roll) * down
    return np.stack([right, cos(roll) * down - sin(roll) * level, forward]) + 0.0
