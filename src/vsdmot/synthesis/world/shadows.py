"""Parallel views of a place from where light comes: what a sample of a surface sees of the sun and of the sky."""

from __future__ import annotations

from math import ceil, floor, sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.world.covering import solve, span
from vsdmot.synthesis.world.mesh import Mesh
from vsdmot.synthesis.world.sampling import covered_at

_REGION = np.array([[-26.0, -8.0, 0.0], [26.0, 72.0, 14.0]])  # within which shadows are cast
FINE = 0.06
"""Metres between the rays of the view from the sun."""
COARSE = 0.25
"""Metres between the rays of a view from a part of the sky."""
NUM_DIRECTIONS = 32
"""Parts of the sky; fewer show as separate faint shadows."""


def directions(number: int) -> NDArray[np.float64]:
    """Spread directions evenly over the upper half, a little above level."""
    z = 0.06 + 0.93 * (np.arange(number) + 0.5) / number
    turn = np.arange(number) * np.pi * (3 - sqrt(5))
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def view_from(
    direction: NDArray[np.float64], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """Give the axes (right, up, towards the source), the corner and the shape of a parallel view of the region."""
    right = np.cross([0.0, 0.0, 1.0], direction)
    right /= np.linalg.norm(right) if np.linalg.norm(right) > 1e-6 else 1.0
    if np.linalg.norm(right) < 0.5:
        right = np.array([1.0, 0.0, 0.0])
    axes = np.stack([right, np.cross(direction, right), direction])
    corners = np.array([[_REGION[i, 0], _REGION[j, 1], _REGION[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    flat = corners @ axes[:2].T
    origin = flat.min(axis=0)
    extent = np.ceil(np.ptp(flat, axis=0) / step).astype(int)
    return axes, origin, (int(extent[1]), int(extent[0]))


@compiled
def parallel_view(
    mesh: Mesh,
    casts: NDArray[np.bool_],
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    step: float,
    nearest: NDArray[np.float32],
) -> None:
    """Write how far towards the source the first surface reaches."""
    height, width = nearest.shape
    skin, texels, levels = mesh.skin, mesh.texels, mesh.levels
    edges = np.zeros((4, 3))
    planes = np.empty((3, 3))
    for k in range(len(casts)):
        if not casts[k]:
            continue
        frame = mesh.frames[k]
        towards = frame[0, 0] * axes[2, 0] + frame[0, 1] * axes[2, 1] + frame[0, 2] * axes[2, 2]
        if abs(towards) < 1e-3:
            continue
        left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
        for c in range(4):
            p = mesh.corners[k, c]
            x = (axes[0, 0] * p[0] + axes[0, 1] * p[1] + axes[0, 2] * p[2] - origin[0]) / step
            y = (axes[1, 0] * p[0] + axes[1, 1] * p[1] + axes[1, 2] * p[2] - origin[1]) / step
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
        x0, x1 = int(max(0.0, floor(left))), int(min(width - 1.0, ceil(right)))
        y0, y1 = int(max(0.0, floor(top))), int(min(height - 1.0, ceil(bottom)))
        # A point is right * X + up * Y + towards * h, X and Y growing by one step a pixel.
        for i in range(3):
            by_x = frame[i, 0] * axes[0, 0] + frame[i, 1] * axes[0, 1] + frame[i, 2] * axes[0, 2]
            by_y = frame[i, 0] * axes[1, 0] + frame[i, 1] * axes[1, 1] + frame[i, 2] * axes[1, 2]
            by_h = frame[i, 0] * axes[2, 0] + frame[i, 1] * axes[2, 1] + frame[i, 2] * axes[2, 2]
            constant = by_x * (origin[0] + 0.5 * step) + by_y * (origin[1] + 0.5 * step) - frame[i, 3]
            planes[i, 0], planes[i, 1], planes[i, 2] = by_x * step, by_y * step, constant
            if i == 0:
                for c in range(3):
                    planes[0, c] = -planes[0, c] / by_h
            else:
                for c in range(3):
                    planes[i, c] += by_h * planes[0, c]
        for e in range(4):
            a, b = mesh.edges[k, e, 0], mesh.edges[k, e, 1]
            for c in range(3):
                edges[e, c] = a * planes[1, c] + b * planes[2, c]
            edges[e, 2] += mesh.edges[k, e, 2]
        solve(edges)
        cut = mesh.kind[k, 2] != 0
        for y in range(y0, y1 + 1):
            first, last = span(edges, y, x0, x1)
            for x in range(first, last + 1):
                h = planes[0, 0] * x + planes[0, 1] * y + planes[0, 2]
                if h <= nearest[y, x]:
                    continue
                if cut:
                    u = planes[1, 0] * x + planes[1, 1] * y + planes[1, 2]
                    v = planes[2, 0] * x + planes[2, 1] * y + planes[2, 2]
                    s, t = u * skin[k, 0] + skin[k, 1], v * skin[k, 2] + skin[k, 3]
                    if not covered_at(texels, levels, mesh.kind[k, 0], 2, s, t):
                        continue
                nearest[y, x] = h


@compiled
def add_seen(
    places: NDArray[np.float64],
    normals: NDArray[np.float64],
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    step: float,
    nearest: NDArray[np.float32],
    seen: NDArray[np.float64],
    possible: NDArray[np.float64],
) -> None:
    """Add one direction of the sky to how much of it each sample sees and could see."""
    height, width = nearest.shape
    for k in range(len(places)):
        facing = axes[2, 0] * normals[k, 0] + axes[2, 1] * normals[k, 1] + axes[2, 2] * normals[k, 2]
        if facing <= 0:
            continue
        possible[k] += facing
        px, py, pz = places[k, 0], places[k, 1], places[k, 2]
        x = (axes[0, 0] * px + axes[0, 1] * py + axes[0, 2] * pz - origin[0]) / step - 0.5
        y = (axes[1, 0] * px + axes[1, 1] * py + axes[1, 2] * pz - origin[1]) / step - 0.5
        h = axes[2, 0] * px + axes[2, 1] * py + axes[2, 2] * pz + step * 0.6 / max(facing, 0.3)
        left, top = floor(x), floor(y)
        if left < 0 or top < 0 or left >= width - 1 or top >= height - 1:
            seen[k] += facing
            continue
        fx, fy = x - left, y - top
        part = (1 - fx) * (1 - fy) * (nearest[top, left] <= h) + fx * (1 - fy) * (nearest[top, left + 1] <= h)
        part += (1 - fx) * fy * (nearest[top + 1, left] <= h) + fx * fy * (nearest[top + 1, left + 1] <= h)
        seen[k] += facing * part


@compiled
def add_key(
    places: NDArray[np.float64],
    normals: NDArray[np.float64],
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    step: float,
    nearest: NDArray[np.float32],
    softness: float,
    key: NDArray[np.float64],
) -> None:
    """Write how squarely and how much of the far source each sample sees."""
    height, width = nearest.shape
    reach = max(1, int(softness / step + 0.5))
    stride = max(1, reach // 3)
    for k in range(len(places)):
        facing = axes[2, 0] * normals[k, 0] + axes[2, 1] * normals[k, 1] + axes[2, 2] * normals[k, 2]
        if facing <= 0:
            continue
        px, py, pz = places[k, 0], places[k, 1], places[k, 2]
        column = int((axes[0, 0] * px + axes[0, 1] * py + axes[0, 2] * pz - origin[0]) / step)
        row = int((axes[1, 0] * px + axes[1, 1] * py + axes[1, 2] * pz - origin[1]) / step)
        h = axes[2, 0] * px + axes[2, 1] * py + axes[2, 2] * pz + step * (0.6 + reach) / max(facing, 0.3)
        total, count = 0, 0
        for y in range(row - reach, row + reach + 1, stride):
            for x in range(column - reach, column + reach + 1, stride):
                count += 1
                if x < 0 or y < 0 or x >= width or y >= height or nearest[y, x] <= h:
                    total += 1
        key[k] = facing * total / count
