"""Value noise: smooth random numbers in space, from nothing but the coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled


@compiled
def lattice(i: int, j: int, k: int) -> float:
    """Give the random number in [0, 1] of a point of the lattice."""
    n = (i * 374761393 + j * 668265263 + k * 1442695041) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@compiled
def noise_at(x: float, y: float, z: float) -> float:
    """Give smooth noise in [0, 1] that varies over a distance of about 1."""
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    near = (lattice(i, j, k) * (1 - u) + lattice(i + 1, j, k) * u) * (1 - v)
    near += (lattice(i, j + 1, k) * (1 - u) + lattice(i + 1, j + 1, k) * u) * v
    far = (lattice(i, j, k + 1) * (1 - u) + lattice(i + 1, j, k + 1) * u) * (1 - v)
    far += (lattice(i, j + 1, k + 1) * (1 - u) + lattice(i + 1, j + 1, k + 1) * u) * v
    return near * (1 - w) + far * w


@compiled
def noise(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give smooth noise in [0, 1] at points ``(N, 3)``."""
    found = np.empty(points.shape[0])
    for n in range(points.shape[0]):
        found[n] = noise_at(points[n, 0], points[n, 1], points[n, 2])
    return found
