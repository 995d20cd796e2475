"""Find the nearest surface of each pixel."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled, inlined
from vsdmot.synthesis.world.mesh import Mesh
from vsdmot.synthesis.world.sampling import covered_at, level_of

FARTHEST = 1e5
"""Depth in metres behind which nothing is drawn; ground that reaches it meets the sky."""

_LAYER = 1e-4  # part of its depth by which one layer of a decal comes forward in the test, not in the depth given out


@compiled
def cover(
    mesh: Mesh,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    nearest: float,
    planes: NDArray[np.float64],
    depth_test: NDArray[np.float32],
    nearest_id: NDArray[np.int32],
) -> None:
    """Find the nearest surface of each pixel; ``planes`` gets inverse depth, u and v over depth, each affine."""
    height, width = depth_test.shape
    number = len(mesh.corners)
    skin, kind, texels, levels = mesh.skin, mesh.kind, mesh.texels, mesh.levels
    frames, borders = mesh.frames, mesh.edges
    to_picture = np.linalg.inv(rays)
    bounds = np.empty((number, 4), np.int64)
    distance = np.empty(number)
    for k in range(number):
        distance[k] = _bounds(mesh.corners, k, eye, to_picture, nearest, height, width, bounds)
    edges = np.empty((6, 3))
    for k in np.argsort(distance):
        if distance[k] == np.inf:
            break
        gap = frames[k, 0, 3] - frames[k, 0, 0] * eye[0] - frames[k, 0, 1] * eye[1] - frames[k, 0, 2] * eye[2]
        if abs(gap) < 1e-9 or (gap > 0 and kind[k, 3] == 0):
            continue
        _affine(frames, k, eye, rays, gap, planes)
        for c in range(3):
            inverse, u, v = planes[k, c], planes[k, 3 + c], planes[k, 6 + c]
            for e in range(4):
                edges[e, c] = borders[k, e, 0] * u + borders[k, e, 1] * v + borders[k, e, 2] * inverse
            edges[4, c] = -inverse
            edges[5, c] = inverse
        edges[4, 2] += 1 / nearest
        edges[5, 2] -= 1 / FARTHEST
        solve(edges)
        forward = 1 + _LAYER * kind[k, 1]
        cut = kind[k, 2] != 0
        texture = kind[k, 0]
        level = 0
        wide = float(1 << levels[texture, 0]) * skin[k, 0]
        high = float(1 << levels[texture, 1]) * skin[k, 2]
        x0, x1 = bounds[k, 0], bounds[k, 2]
        for y in range(bounds[k, 1], bounds[k, 3] + 1):
            first, last = span(edges, y, x0, x1)
            base = planes[k, 1] * y + planes[k, 2]
            base_u = planes[k, 4] * y + planes[k, 5]
            base_v = planes[k, 7] * y + planes[k, 8]
            if cut and first <= last:
                middle = 0.5 * (first + last)
                depth = 1 / (planes[k, 0] * middle + base)
                u, v = (planes[k, 3] * middle + base_u) * depth, (planes[k, 6] * middle + base_v) * depth
                level = level_of(planes, k, wide * depth, high * depth, u, v, 0.75, levels[texture, 3])
            for x in range(first, last + 1):
                inverse = planes[k, 0] * x + base
                if inverse * forward <= depth_test[y, x]:
                    continue
                if cut:
                    depth = 1 / inverse
                    u, v = (planes[k, 3] * x + base_u) * depth, (planes[k, 6] * x + base_v) * depth
                    s, t = u * skin[k, 0] + skin[k, 1], v * skin[k, 2] + skin[k, 3]
                    if not covered_at(texels, levels, texture, level, s, t):
                        continue
                depth_test[y, x] = inverse * forward
                nearest_id[y, x] = k


@inlined
def _affine(
    frames: NDArray[np.float64],
    k: int,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    gap: float,
    planes: NDArray[np.float64],
) -> None:
    """Write what inverse depth, u and v over depth grow by per column and row, and are at column and row 0."""
    at_eye_u = frames[k, 1, 0] * eye[0] + frames[k, 1, 1] * eye[1] + frames[k, 1, 2] * eye[2] - frames[k, 1, 3]
    at_eye_v = frames[k, 2, 0] * eye[0] + frames[k, 2, 1] * eye[1] + frames[k, 2, 2] * eye[2] - frames[k, 2, 3]
    for c in range(3):
        x, y, z = rays[0, c], rays[1, c], rays[2, c]
        inverse = (frames[k, 0, 0] * x + frames[k, 0, 1] * y + frames[k, 0, 2] * z) / gap
        planes[k, c] = inverse
        planes[k, 3 + c] = frames[k, 1, 0] * x + frames[k, 1, 1] * y + frames[k, 1, 2] * z + at_eye_u * inverse
        planes[k, 6 + c] = frames[k, 2, 0] * x + frames[k, 2, 1] * y + frames[k, 2, 2] * z + at_eye_v * inverse


@compiled
def _bounds(
    corners: NDArray[np.float64],
    k: int,
    eye: NDArray[np.float64],
    to_picture: NDArray[np.floating],
    nearest: float,
    height: int,
    width: int,
    bounds: NDArray[np.int64],
) -> float:
    """Bound the pixels that a surface can cover and give its nearest depth, infinite where it cannot be seen."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    near, far = np.inf, -np.inf
    for c in range(4):
        px, py, pz = corners[k, c, 0] - eye[0], corners[k, c, 1] - eye[1], corners[k, c, 2] - eye[2]
        depth = to_picture[2, 0] * px + to_picture[2, 1] * py + to_picture[2, 2] * pz
        near, far = min(near, depth), max(far, depth)
        if depth >= nearest:
            x = (to_picture[0, 0] * px + to_picture[0, 1] * py + to_picture[0, 2] * pz) / depth
            y = (to_picture[1, 0] * px + to_picture[1, 1] * py + to_picture[1, 2] * pz) / depth
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    if far < nearest:
        return np.inf
    if near < nearest:
        bounds[k, 0], bounds[k, 1], bounds[k, 2], bounds[k, 3] = 0, 0, width - 1, height - 1
        return near
    if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
        return np.inf
    bounds[k, 0], bounds[k, 1] = ceil(max(0.0, left - 1e-6)), ceil(max(0.0, top - 1e-6))
    bounds[k, 2], bounds[k, 3] = floor(min(width - 1.0, right + 1e-6)), floor(min(height - 1.0, bottom + 1e-6))
    if bounds[k, 0] > bounds[k, 2] or bounds[k, 1] > bounds[k, 3]:
        return np.inf
    return near


@inlined
def solve(edges: NDArray[np.float64]) -> None:
    """Turn each ``a x + b y + c >= 0`` into a bound of x that is affine in y: its side, slope and constant."""
    for e in range(len(edges)):
        a, b, c = edges[e, 0], edges[e, 1], edges[e, 2]
        if a == 0:
            edges[e, 1], edges[e, 2] = b, c
        else:
            edges[e, 0], edges[e, 1], edges[e, 2] = (1.0 if a > 0 else -1.0), -b / a, -c / a


@inlined
def span(edges: NDArray[np.float64], y: int, x0: int, x1: int) -> tuple[int, int]:
    """Give the first and the last column of a row inside all solved edges; the last is lower if there is none."""
    low, high = float(x0), float(x1)
    for e in range(len(edges)):
        bound = edges[e, 1] * y + edges[e, 2]
        if edges[e, 0] > 0:
            low = max(low, bound)
        elif edges[e, 0] < 0:
            high = min(high, bound)
        elif bound < 0:
            return 0, -1
    if not low <= high:
        return 0, -1
    return ceil(low), floor(high)
