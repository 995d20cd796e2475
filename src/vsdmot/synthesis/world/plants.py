"""Trees, bushes and hedges."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.kit import Footprint, Kit, around
from vsdmot.synthesis.world.materials import Material
from vsdmot.synthesis.world.surfaces import Floats, Surfaces


def tree(
    surfaces: Surfaces, kit: Kit, x: float, y: float, rng: np.random.Generator, *, height: float = 7.0
) -> Footprint:
    """Add a tree: a tapered trunk, some boughs and a crown of leaf clumps, lit as a round body."""
    trunk = 0.36 * height
    radius = 0.02 * height * rng.uniform(0.8, 1.3)
    surfaces.column(x, y, 0.0, trunk + 0.15 * height, radius, kit.bark, top_radius=0.6 * radius, sides=7)
    middle = np.array([x, y, trunk + 0.33 * height])
    extent = height * np.array([0.27, 0.27, 0.33]) * rng.uniform(0.85, 1.15, 3)
    number = 64
    z = 1 - 2 * (np.arange(number) + 0.5) / number
    turn = np.arange(number) * pi * (3 - 5**0.5) + rng.uniform(0, 6)
    flat = np.sqrt(1 - z**2)
    outwards = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
    depth = rng.uniform(0.5, 0.95, (number, 1))  # none strays: a dark clump that hangs alone looks like somebody
    clump = height * rng.uniform(0.15, 0.24, number)
    tint = np.array(kit.leaves.tint) * rng.uniform(0.85, 1.15) * np.array((rng.uniform(0.9, 1.15), 1.0, 1.0))
    leaves = kit.leaves.tinted((float(tint[0]), float(tint[1]), float(tint[2])))
    _clumps(surfaces, leaves, middle + outwards * extent * depth, outwards, clump, rng)
    return around(x, y, 4 * radius, 4 * radius)


def bush(
    surfaces: Surfaces,
    kit: Kit,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    rng: np.random.Generator,
) -> Footprint:
    """Fill an upright box with leaves."""
    size = np.array(high) - np.array(low)
    number = int(np.clip(14 * size[0] * size[1] / 0.5, 14, 60))
    outwards = rng.standard_normal((number, 3))
    outwards[:, 2] = np.abs(outwards[:, 2])
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    spots = np.array(low) + size * rng.uniform(0.12, 0.88, (number, 3)) * np.array([1, 1, 0.85])
    _clumps(surfaces, kit.leaves, spots, outwards, rng.uniform(0.5, 0.9, number) * min(size), rng)
    return low[0], low[1], high[0], high[1]


def _clumps(
    surfaces: Surfaces, leaves: Material, spots: Floats, outwards: Floats, sizes: Floats, rng: np.random.Generator
) -> None:
    """Add cards of leaves, upright or tilted, that take the light of the round body they are part of."""
    turn = rng.uniform(0, pi, len(spots))
    tilt = rng.uniform(-0.6, 0.6, len(spots))
    right = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    aside = np.stack([-np.sin(turn), np.cos(turn), 0 * turn], axis=1)
    up = np.cos(tilt)[:, None] * np.array([0.0, 0.0, 1.0]) + np.sin(tilt)[:, None] * aside
    half = sizes[:, None] / 2
    corners = [spots - half * right - half * up, spots + half * right - half * up]
    corners += [spots + half * right + half * up, spots - half * right + half * up]
    points = np.stack(corners, axis=1)
    normals = np.broadcast_to(outwards[:, None], points.shape)
    surfaces.add(points, leaves, normals=normals)


def hedge(surfaces: Surfaces, kit: Kit, low: tuple[float, float, float], high: tuple[float, float, float]) -> Footprint:
    """Add a clipped hedge."""
    surfaces.box(low, high, kit.hedge)
    return low[0], low[1], high[0], high[1]


def planter(surfaces: Surfaces, kit: Kit, x: float, y: float, rng: np.random.Generator, wide: float = 1.4) -> Footprint:
    """Add a stone trough with plants."""
    tint = float(rng.uniform(0.5, 0.8))
    stone = kit.stone.tinted((tint, tint * 0.98, tint * 0.94))
    earth = kit.stone.tinted((0.2, 0.16, 0.13))
    surfaces.box((x - wide / 2, y - 0.35, 0.0), (x + wide / 2, y + 0.35, 0.5), stone, earth)
    bush(surfaces, kit, (x - wide / 2, y - 0.35, 0.45), (x + wide / 2, y + 0.35, 0.45 + rng.uniform(0.4, 0.8)), rng)
    return around(x, y, wide + 0.1, 0.8)
