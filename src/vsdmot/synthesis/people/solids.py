"""Bodies as smooth unions of capsules, ellipsoids and blocks, and how far a point is from them.

Each solid belongs to a bone, which moves it, and to a material. The surface of a body is where the smooth union's
distance is 0; a point on it is made of the material whose nearest solid is nearest, so seams, hems and hairlines need
no rules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled

Vector = NDArray[np.float64] | Sequence[float]


class Material(IntEnum):
    """What a surface is made of."""

    SKIN = 0
    HAIR = 1
    TOP = 2
    BOTTOM = 3
    SHOE = 4
    ITEM = 5


NUM_MATERIALS = len(Material)
_CAPSULE, _ELLIPSOID, _BLOCK = 0.0, 1.0, 2.0


class Solids:
    """Collects the solids of a body; lengths in metres, in the rest pose."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []

    def capsule(
        self,
        bone: int,
        material: Material,
        start: Vector,
        end: Vector,
        radii: tuple[float, float],
        blend: float = 0.03,
        scale: Vector = (1.0, 1.0, 1.0),
    ) -> None:
        """Add a rod with round ends.

        Args:
            bone: The bone that moves it.
            material: What it is made of.
            start: Centre of one end.
            end: Centre of the other end.
            radii: Radius at the two ends.
            blend: How far from it other solids are drawn to it; higher rounds the joint more.
            scale: Factors along x, y, z by which the radii are flattened, about ``start``.
        """
        self._rows.append([_CAPSULE, bone, material, blend, *start, *end, *radii, *scale])

    def ellipsoid(self, bone: int, material: Material, centre: Vector, radii: Vector, blend: float = 0.04) -> None:
        """Add an ellipsoid whose axes are those of the world; the arguments are as for `capsule`."""
        self._rows.append([_ELLIPSOID, bone, material, blend, *centre, *centre, 0.0, 0.0, *radii])

    def block(self, bone: int, material: Material, centre: Vector, half_sides: Vector, blend: float = 0.01) -> None:
        """Add a block whose edges run along x, y and z; the arguments are as for `capsule`."""
        self._rows.append([_BLOCK, bone, material, blend, *centre, *centre, 0.0, 0.0, *half_sides])

    def array(self) -> NDArray[np.float64]:
        """Give the solids as ``(S, 15)``: kind, bone, material, blend, start, end, two radii, scale."""
        return np.array(self._rows, np.float64)


@compiled
def solid_distance(solids: NDArray[np.float64], i: int, x: float, y: float, z: float) -> float:
    """Estimate the distance of a point to solid ``i``; exact where it is not flattened, negative inside."""
    sx, sy, sz = solids[i, 12], solids[i, 13], solids[i, 14]
    if solids[i, 0] == 2.0:
        qx, qy, qz = abs(x - solids[i, 4]) - sx, abs(y - solids[i, 5]) - sy, abs(z - solids[i, 6]) - sz
        ox, oy, oz = max(qx, 0.0), max(qy, 0.0), max(qz, 0.0)
        inside: float = min(max(qx, max(qy, qz)), 0.0)
        return sqrt(ox * ox + oy * oy + oz * oz) + inside
    px, py, pz = (x - solids[i, 4]) / sx, (y - solids[i, 5]) / sy, (z - solids[i, 6]) / sz
    if solids[i, 0] == 1.0:
        norm = sqrt(px * px + py * py + pz * pz)
        slope = sqrt((px / sx) ** 2 + (py / sy) ** 2 + (pz / sz) ** 2) + 1e-9
        return norm * (norm - 1.0) / slope
    bx = (solids[i, 7] - solids[i, 4]) / sx
    by = (solids[i, 8] - solids[i, 5]) / sy
    bz = (solids[i, 9] - solids[i, 6]) / sz
    along = (px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz + 1e-12)
    along = min(max(along, 0.0), 1.0)
    dx, dy, dz = px - along * bx, py - along * by, pz - along * bz
    radius = solids[i, 10] + along * (solids[i, 11] - solids[i, 10])
    distance: float = (sqrt(dx * dx + dy * dy + dz * dz) - radius) * min(sx, min(sy, sz))
    return distance


@compiled
def smooth_minimum(a: float, b: float, blend: float) -> float:
    """Take the smaller of two distances, less where they are within ``blend`` of each other."""
    h = max(blend - abs(a - b), 0.0) / blend
    return min(a, b) - h * h * blend * 0.25


@compiled
def body_distance(solids: NDArray[np.float64], x: float, y: float, z: float) -> float:
    """Give the distance of a point to the smooth union of all solids."""
    nearest = 1e3
    for i in range(solids.shape[0]):
        nearest = smooth_minimum(nearest, solid_distance(solids, i, x, y, z), solids[i, 3])
    return nearest


@compiled
def body_distances(solids: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the distances of points ``(N, 3)`` to the smooth union, ``(N,)``."""
    found = np.empty(points.shape[0])
    for n in range(points.shape[0]):
        found[n] = body_distance(solids, points[n, 0], points[n, 1], points[n, 2])
    return found


@compiled
def nearest_by(
    solids: NDArray[np.float64], column: int, count: int, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give, for each value of a column (1 bone, 2 material), the distance to the nearest solid that has it.

    Returns:
        ``(N, count)``; 9 where there is no such solid.
    """
    found = np.full((points.shape[0], count), 9.0)
    for n in range(points.shape[0]):
        for i in range(solids.shape[0]):
            which = int(solids[i, column])
            distance = solid_distance(solids, i, points[n, 0], points[n, 1], points[n, 2])
            if distance < found[n, which]:
                found[n, which] = distance
    return found
