"""Turn solids into a triangle mesh: surface nets on a grid, then moved onto the surface (Gibson, 1998)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.people.solids import body_distances, smooth_minimum, solid_distance

_CORNERS = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
_OCCLUSION_REACHES = (0.02, 0.05, 0.10, 0.18)  # metres along the normal at which nearby surface is looked for
_OCCLUSION_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface in the rest pose.

    Attributes:
        vertices: ``(V, 3)`` float64, metres.
        normals: ``(V, 3)`` float64, outward, unit length.
        triangles: ``(T, 3)`` int32; corners in the order in which they look clockwise from outside, in an image whose
            y points down.
        openness: ``(V,)`` float64 in [0.15, 1]: how much of its surroundings a point sees (ambient occlusion).
    """

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    openness: NDArray[np.float64]


def mesh_solids(solids: NDArray[np.float64], cell: float) -> Mesh:
    """Mesh the surface of a union of solids.

    Args:
        solids: ``(S, 15)``, from `Solids.array`.
        cell: Side of the grid's cells in metres; smaller gives more triangles and finer shapes.
    """
    low, shape = _grid_around(solids, cell)
    field = _sample(solids, low, cell, shape)
    vertices, triangles = _surface_net(field, low, cell)
    normals = _gradient(solids, vertices, cell / 2)
    vertices -= normals * np.clip(body_distances(solids, vertices), -cell, cell)[:, None]
    openness = np.ones(len(vertices))
    for reach in _OCCLUSION_REACHES:
        free = body_distances(solids, vertices + normals * reach)
        openness -= np.clip(reach - free, 0, reach) / reach * _OCCLUSION_SHARE
    return Mesh(vertices, normals, triangles, np.clip(openness, 0.15, 1))


def _grid_around(solids: NDArray[np.float64], cell: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the lowest corner of a grid that holds all solids, and its number of points along each axis."""
    ends = solids[:, 4:10].reshape(-1, 2, 3)
    reach = _reach(solids)[:, None, :]
    low, high = (ends - reach).min(axis=(0, 1)) - 3 * cell, (ends + reach).max(axis=(0, 1)) + 3 * cell
    low = np.floor(low / cell) * cell
    return low, np.ceil((high - low) / cell).astype(np.int64) + 1


def _reach(solids: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give how far each solid reaches beyond its ends along each axis, ``(S, 3)``."""
    radius = np.where(solids[:, 0] > 0, 1.0, solids[:, 10:12].max(axis=1))
    reach: NDArray[np.float64] = radius[:, None] * solids[:, 12:15]
    return reach


@compiled
def _sample(
    solids: NDArray[np.float64], low: NDArray[np.float64], cell: float, shape: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Sample the union's distance on a grid; only near the surface is it right, elsewhere just its sign.

    Each solid is looked at only where it can matter: within its blend of itself.
    """
    field = np.full((shape[0], shape[1], shape[2]), 1e3, np.float32)
    first, last = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(solids.shape[0]):
        radius = 1.0 if solids[i, 0] > 0.0 else max(solids[i, 10], solids[i, 11])
        for axis in range(3):
            # A flattened solid's estimate can be too small by its flattest scale, hence the generous margin.
            margin = radius * solids[i, 12 + axis] + 1.5 * solids[i, 3] + 3 * cell
            start, end = solids[i, 4 + axis], solids[i, 7 + axis]
            first[axis] = max(0, int(np.floor((min(start, end) - margin - low[axis]) / cell)))
            last[axis] = min(shape[axis] - 1, int(np.ceil((max(start, end) + margin - low[axis]) / cell)))
        for a in range(first[0], last[0] + 1):
            for b in range(first[1], last[1] + 1):
                for c in range(first[2], last[2] + 1):
                    distance = solid_distance(solids, i, low[0] + a * cell, low[1] + b * cell, low[2] + c * cell)
                    field[a, b, c] = smooth_minimum(field[a, b, c], distance, solids[i, 3])
    return field


def _surface_net(
    field: NDArray[np.float32], low: NDArray[np.float64], cell: float
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Put a vertex into every cell that the surface crosses, and two triangles across every edge that it crosses."""
    inside = field < 0
    cells_shape = np.array(field.shape) - 1
    count = np.zeros(cells_shape, np.int8)
    for a, b, c in _CORNERS:
        count += inside[a : a + cells_shape[0], b : b + cells_shape[1], c : c + cells_shape[2]]
    cells = np.argwhere((count > 0) & (count < 8))
    number = np.full(cells_shape, -1, np.int64)
    number[tuple(cells.T)] = np.arange(len(cells))
    vertices = low + (cells + _mean_crossing(field, cells)) * cell

    triangles = []
    for axis in range(3):
        here: list[slice] = [slice(1, n) for n in cells_shape]
        there = list(here)
        there[axis] = slice(2, int(cells_shape[axis]) + 1)
        edges = np.argwhere(inside[tuple(here)] != inside[tuple(there)]) + 1
        left, right = np.zeros(3, np.int64), np.zeros(3, np.int64)
        left[(axis + 1) % 3] = right[(axis + 2) % 3] = 1
        around = [number[tuple((edges - step).T)] for step in (left + right, right, 0 * left, left)]
        leaves = inside[tuple(edges.T)]
        quads = np.where(leaves[:, None], np.stack(around, axis=1), np.stack(around[::-1], axis=1))
        triangles += [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    return vertices, np.concatenate(triangles).astype(np.int32)


def _mean_crossing(field: NDArray[np.float32], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average, in each cell, the points where the surface crosses its edges; in parts of the cell."""
    total, crossings = np.zeros((len(cells), 3)), np.zeros(len(cells))
    for corner in _CORNERS:
        for axis in range(3):
            if corner[axis]:
                continue
            other = list(corner)
            other[axis] = 1
            at, beyond = (field[tuple((cells + np.array(place)).T)].astype(np.float64) for place in (corner, other))
            crossed = (at < 0) != (beyond < 0)
            share = np.where(crossed, at / np.where(crossed, at - beyond, 1), 0)
            point = np.tile(np.array(corner, np.float64), (len(cells), 1))
            point[:, axis] += share
            total += point * crossed[:, None]
            crossings += crossed
    mean: NDArray[np.float64] = total / crossings[:, None]
    return mean


def _gradient(solids: NDArray[np.float64], points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    slopes = [
        body_distances(solids, points + offset) - body_distances(solids, points - offset) for offset in step * np.eye(3)
    ]
    gradient = np.stack(slopes, axis=1)
    unit: NDArray[np.float64] = gradient / (np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-9)
    return unit
