"""Compute the light on the surfaces of a place once: shadows of the far source, light from all sides, near lamps.

The far source's shadows come from one fine parallel view along its direction, the part of the sky that a place sees
from a few dozen coarse ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.draw import Mesh, covered_at, solve, span

_REGION = np.array([[-26.0, -8.0, 0.0], [26.0, 72.0, 14.0]])  # within which shadows are cast
_FINE = 0.06
_COARSE = 0.25
_NUM_DIRECTIONS = 32


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A near source.

    Attributes:
        position: x, y, z in metres.
        colour: Its light at ``reach`` doubled is a quarter of what it is nearby.
        reach: In metres.
        downward: How much it shines downwards only, in [0, 1].
    """

    position: tuple[float, float, float]
    colour: tuple[float, float, float]
    reach: float
    downward: float = 0.0


class Exposure(NamedTuple):
    """What reaches the samples of light.

    Attributes:
        places: ``(L, 3)`` where they are, metres.
        normals: ``(L, 3)`` unit vectors.
        key: ``(L,)`` part of the far source that is seen.
        sky: ``(L,)`` part of the light from above that is not kept off.
    """

    places: NDArray[np.float64]
    normals: NDArray[np.float64]
    key: NDArray[np.float64]
    sky: NDArray[np.float64]


def illuminate(
    mesh: Mesh,
    along: NDArray[np.float64],
    glow: NDArray[np.float64],
    wear: NDArray[np.float64],
    casts: NDArray[np.bool_],
    light: Light,
    lamps: Sequence[Lamp],
    softness: float,
) -> Exposure:
    """Fill ``mesh.light``, and say where the sources reach.

    Args:
        mesh: All but the light.
        along: ``(N, 3, 3)``: what a point grows by along u, along v, and where u and v are 0.
        glow: ``(N,)``; above 0 it is the light itself.
        wear: ``(N,)`` how blotchy a surface is.
        casts: ``(N,)`` whether a surface keeps light off.
        light: Far source and light from all sides.
        lamps: Near sources.
        softness: Metres over which the far source's shadows are blurred.
    """
    samples = len(mesh.light)
    places, normals = np.empty((samples, 3)), np.empty((samples, 3))
    _place_samples(mesh, along, places, normals)
    seen, possible = np.zeros(samples), np.zeros(samples)
    for direction in _directions(_NUM_DIRECTIONS):
        axes, origin, shape = _view(direction, _COARSE)
        nearest = np.full(shape, -np.inf, np.float32)
        _parallel_view(mesh, casts, axes, origin, _COARSE, nearest)
        _add_seen(places, normals, axes, origin, _COARSE, nearest, seen, possible)
    axes, origin, shape = _view(light.direction, _FINE)
    nearest = np.full(shape, -np.inf, np.float32)
    _parallel_view(mesh, casts, axes, origin, _FINE, nearest)
    key = np.zeros(samples)
    _add_key(places, normals, axes, origin, _FINE, nearest, softness, key)
    open_part = np.where(possible > 1e-6, seen / np.maximum(possible, 1e-6), 0.5)
    upward = 0.5 + 0.5 * normals[:, 2]
    mesh.light[:] = key[:, None] * light.key
    # What is hidden from the sky still gets light that others throw back.
    mesh.light[:] += (upward * (0.22 + 0.78 * open_part))[:, None] * light.sky
    mesh.light[:] += ((1 - upward) * (0.35 + 0.65 * open_part))[:, None] * light.ground
    for lamp in lamps:
        way = np.array(lamp.position) - places
        distance = np.maximum(np.linalg.norm(way, axis=1), 1e-6)
        facing = (way * normals).sum(axis=1) / distance
        strength = np.maximum(0.25 + 0.75 * facing, 0) / (1 + (distance / lamp.reach) ** 2)
        strength *= 1 - lamp.downward + lamp.downward * np.clip(way[:, 2] / distance, 0, 1) ** 3
        mesh.light[:] += (strength * (0.4 + 0.6 * open_part))[:, None] * np.array(lamp.colour)
    _add_wear(mesh, wear, places)
    for k in np.nonzero(glow > 0)[0]:
        mesh.light[mesh.kind[k, 4]] = glow[k]
    facing = np.maximum(normals @ light.direction, 1e-6)
    return Exposure(places, normals, key / facing, open_part)


def _directions(number: int) -> NDArray[np.float64]:
    """Spread directions evenly over the upper half, a little above level."""
    z = 0.06 + 0.93 * (np.arange(number) + 0.5) / number
    turn = np.arange(number) * np.pi * (3 - sqrt(5))
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def _view(
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
def _place_samples(
    mesh: Mesh, along: NDArray[np.float64], places: NDArray[np.float64], normals: NDArray[np.float64]
) -> None:
    for k in range(len(along)):
        first, columns, rows = mesh.kind[k, 4], mesh.kind[k, 5], mesh.kind[k, 6]
        for row in range(rows):
            v = row / max(1, rows - 1)
            for column in range(columns):
                u = column / max(1, columns - 1)
                at = first + row * columns + column
                length = 0.0
                for c in range(3):
                    low = (1 - u) * mesh.normals[k, 0, c] + u * mesh.normals[k, 1, c]
                    high = (1 - u) * mesh.normals[k, 2, c] + u * mesh.normals[k, 3, c]
                    normals[at, c] = (1 - v) * low + v * high
                    length += normals[at, c] ** 2
                length = max(sqrt(length), 1e-9)
                # A little inwards, so that the samples at an edge do not lie in the surface that meets it there.
                inner_u, inner_v = 0.5 + 0.98 * (u - 0.5), 0.5 + 0.98 * (v - 0.5)
                for c in range(3):
                    normals[at, c] /= length
                    point = along[k, 2, c] + inner_u * along[k, 0, c] + inner_v * along[k, 1, c]
                    places[at, c] = point + 0.04 * normals[at, c]


@compiled
def _parallel_view(
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
def _add_seen(
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
def _add_key(
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


@compiled
def _add_wear(mesh: Mesh, wear: NDArray[np.float64], places: NDArray[np.float64]) -> None:
    """Darken and brighten worn surfaces in spots of half a metre to ten metres."""
    for k in range(len(wear)):
        if wear[k] <= 0:
            continue
        first = mesh.kind[k, 4]
        for at in range(first, first + mesh.kind[k, 5] * mesh.kind[k, 6]):
            x, y = places[at, 0], places[at, 1] + places[at, 2]
            total, scale, weight = 0.0, 0.11, 1.0
            for octave in range(5):
                total += weight * (_smooth_noise(x * scale + 17 * octave, y * scale) - 0.5)
                scale *= 2.1
                weight *= 0.75
            for c in range(3):
                mesh.light[at, c] *= max(0.3, 1 + wear[k] * total)


@compiled
def _smooth_noise(x: float, y: float) -> float:
    """Blend numbers of chance at whole places."""
    left, top = floor(x), floor(y)
    fx, fy = x - left, y - top
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    upper = (1 - fx) * _scrambled(left, top) + fx * _scrambled(left + 1, top)
    lower = (1 - fx) * _scrambled(left, top + 1) + fx * _scrambled(left + 1, top + 1)
    return (1 - fy) * upper + fy * lower


@compiled
def _scrambled(x: int, y: int) -> float:
    """Give a number in [0, 1) that depends on two whole numbers in no visible way."""
    bits = (x * 374761393 + y * 668265263) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((bits ^ (bits >> 16)) & 0xFFFF) / 65536
