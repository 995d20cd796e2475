"""What shiny surfaces show: the sky in a direction, or a mirrored picture."""

from __future__ import annotations

from math import floor, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled, inlined

REDUCTION = 4
"""By which the mirrored picture is smaller, which is also its blur."""


@inlined
def normal_at(normals: NDArray[np.float32], k: int, u: float, v: float) -> tuple[float, float, float]:
    """Blend a surface's seeming normals."""
    u, v = min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0)
    wa, wb, wc, wd = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    x = wa * normals[k, 0, 0] + wb * normals[k, 1, 0] + wc * normals[k, 2, 0] + wd * normals[k, 3, 0]
    y = wa * normals[k, 0, 1] + wb * normals[k, 1, 1] + wc * normals[k, 2, 1] + wd * normals[k, 3, 1]
    z = wa * normals[k, 0, 2] + wb * normals[k, 1, 2] + wc * normals[k, 2, 2] + wd * normals[k, 3, 2]
    length = sqrt(x * x + y * y + z * z) + 1e-9
    return x / length, y / length, z / length


@inlined
def towards(sky: NDArray[np.float32], dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Give the colour of the sky in a direction."""
    rows, columns = sky.shape[:2]
    z = dz / sqrt(dx * dx + dy * dy + dz * dz)
    y = min(max((z * 0.5 + 0.5) * rows - 0.5, 0.0), rows - 1.001)
    x = (_turn(dx, dy) + 0.5) * columns - 0.5
    top, left = int(y), floor(x)
    lower, right = (y - top), (x - left)
    return _blend(sky, top, top + 1, left % columns, (left + 1) % columns, lower, right)


@inlined
def _turn(x: float, y: float) -> float:
    """Give the direction from +y towards +x in turns, from -0.5 to 0.5, within 0.02 degrees."""
    ax, ay = abs(x), abs(y)
    part = min(ax, ay) / max(max(ax, ay), 1e-12)
    square = part * part
    turn = (((-0.0464964749 * square + 0.15931422) * square - 0.327622764) * square * part + part) / (2 * pi)
    if ax > ay:
        turn = 0.25 - turn
    if y < 0:
        turn = 0.5 - turn
    return turn if x >= 0 else -turn


@inlined
def between(picture: NDArray[np.float32], x: int, y: int) -> tuple[float, float, float]:
    """Give the colour of a reduced picture at a full one's pixel."""
    rows, columns = picture.shape[:2]
    px = min(max((x + 0.5) / REDUCTION - 0.5, 0.0), columns - 1.0)
    py = min(max((y + 0.5) / REDUCTION - 0.5, 0.0), rows - 1.0)
    left, top = int(px), int(py)
    lower, right = (py - top), (px - left)
    return _blend(picture, top, min(top + 1, rows - 1), left, min(left + 1, columns - 1), lower, right)


@inlined
def _blend(
    picture: NDArray[np.float32], y0: int, y1: int, x0: int, x1: int, lower: float, right: float
) -> tuple[float, float, float]:
    """Blend four pixels; ``lower`` and ``right`` are the parts of the second row and column."""
    one = 1.0
    wa, wb, wc, wd = (one - right) * (one - lower), right * (one - lower), (one - right) * lower, right * lower
    return (
        wa * picture[y0, x0, 0] + wb * picture[y0, x1, 0] + wc * picture[y1, x0, 0] + wd * picture[y1, x1, 0],
        wa * picture[y0, x0, 1] + wb * picture[y0, x1, 1] + wc * picture[y1, x0, 1] + wd * picture[y1, x1, 1],
        wa * picture[y0, x0, 2] + wb * picture[y0, x1, 2] + wc * picture[y1, x0, 2] + wd * picture[y1, x1, 2],
    )


@compiled
def soften(picture: NDArray[np.float32]) -> None:
    """Average each pixel with its neighbours, more of them above and below: a worn floor smears upright things."""
    rows, columns = picture.shape[:2]
    before = picture.copy()
    for y in range(rows):
        for x in range(columns):
            for c in range(3):
                total = 0.0
                for dy in range(-2, 3):
                    yy = min(max(y + dy, 0), rows - 1)
                    total += (
                        before[yy, max(x - 1, 0), c] + 2 * before[yy, x, c] + before[yy, min(x + 1, columns - 1), c]
                    )
                picture[y, x, c] = total / 20
