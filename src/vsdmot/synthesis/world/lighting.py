"""Compute the light on the surfaces of a place once: shadows of the far source, light from all sides, near lamps.

The far source's shadows come from one fine parallel view along its direction, the part of the sky that a place sees
from a few dozen coarse ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.mesh import Mesh
from vsdmot.synthesis.world.shadows import (
    COARSE,
    FINE,
    NUM_DIRECTIONS,
    add_key,
    add_seen,
    directions,
    parallel_view,
    view_from,
)


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
        lamps: ``(L, 3)`` light of the near sources.
    """

    places: NDArray[np.float64]
    normals: NDArray[np.float64]
    key: NDArray[np.float64]
    sky: NDArray[np.float64]
    lamps: NDArray[np.float64]


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
    for direction in directions(NUM_DIRECTIONS):
        axes, origin, shape = view_from(direction, COARSE)
        nearest = np.full(shape, -np.inf, np.float32)
        parallel_view(mesh, casts, axes, origin, COARSE, nearest)
        add_seen(places, normals, axes, origin, COARSE, nearest, seen, possible)
    axes, origin, shape = view_from(light.direction, FINE)
    nearest = np.full(shape, -np.inf, np.float32)
    parallel_view(mesh, casts, axes, origin, FINE, nearest)
    key = np.zeros(samples)
    add_key(places, normals, axes, origin, FINE, nearest, softness, key)
    open_part = np.where(possible > 1e-6, seen / np.maximum(possible, 1e-6), 0.5)
    upward = 0.5 + 0.5 * normals[:, 2]
    mesh.light[:] = key[:, None] * light.key
    # What is hidden from the sky still gets light that others throw back.
    mesh.light[:] += (upward * (0.22 + 0.78 * open_part))[:, None] * light.sky
    mesh.light[:] += ((1 - upward) * (0.35 + 0.65 * open_part))[:, None] * light.ground
    near = np.zeros((samples, 3))
    for lamp in lamps:
        way = np.array(lamp.position) - places
        distance = np.maximum(np.linalg.norm(way, axis=1), 1e-6)
        facing = (way * normals).sum(axis=1) / distance
        strength = np.maximum(0.25 + 0.75 * facing, 0) / (1 + (distance / lamp.reach) ** 2)
        strength *= 1 - lamp.downward + lamp.downward * np.clip(way[:, 2] / distance, 0, 1) ** 3
        near += (strength * (0.4 + 0.6 * open_part))[:, None] * np.array(lamp.colour)
    mesh.light[:] += near
    _add_wear(mesh, wear, places)
    for k in np.nonzero(glow > 0)[0]:
        mesh.light[mesh.kind[k, 4]] = glow[k]
    facing = np.maximum(normals @ light.direction, 1e-6)
    return Exposure(places, normals, key / facing, open_part, near)


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
