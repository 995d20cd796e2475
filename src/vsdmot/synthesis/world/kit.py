"""Materials that the things of one place share, and how things are put on the ground."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import numpy as np

from vsdmot.synthesis.world.materials import Material
from vsdmot.synthesis.world.surfaces import Floats, Surfaces, turned
from vsdmot.synthesis.world.textures import foliage, plain, rough, stripes

Footprint = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Kit:
    """Materials that the things of one place share.

    Attributes:
        paint: Even colour, to be tinted.
        metal: The same, a little glossy.
        wood: Of slats.
        stone: Concrete or stone.
        bark: Of trees.
        leaves: Clumps with holes.
        hedge: Leaves without.
    """

    paint: Material
    metal: Material
    wood: Material
    stone: Material
    bark: Material
    leaves: Material
    hedge: Material


def make_kit(rng: np.random.Generator) -> Kit:
    """Draw the materials that the things of one place share."""
    blank = plain()
    rough_texture = rough(rng, (0.9, 0.9, 0.9), contrast=0.07, metres=1.5)
    season = rng.uniform(0.75, 0.95) * np.array((rng.uniform(0.85, 1.15), 1.0, rng.uniform(0.85, 1.15)))
    green = (season[0], season[1], season[2])
    return Kit(
        paint=Material(texture=blank),
        metal=Material(texture=blank, gloss=0.25),
        wood=Material(texture=stripes(rng, (0.46, 0.38, 0.30), pitch=0.12)),
        stone=Material(texture=rough_texture, tint=(0.66, 0.65, 0.62)),
        bark=Material(texture=rough(rng, (0.34, 0.29, 0.24), contrast=0.16, metres=0.8)),
        leaves=Material(texture=foliage(rng), tint=green, spacing=1.0),
        hedge=Material(texture=foliage(rng, dense=True), tint=green, spacing=0.3),
    )


def around(x: float, y: float, wide: float, deep: float, angle: float = 0.0) -> Footprint:
    """Bound a turned rectangle."""
    half_x = abs(wide / 2 * cos(angle)) + abs(deep / 2 * sin(angle))
    half_y = abs(wide / 2 * sin(angle)) + abs(deep / 2 * cos(angle))
    return x - half_x, y - half_y, x + half_x, y + half_y


def block(
    surfaces: Surfaces,
    at: tuple[float, float],
    angle: float,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    material: Material,
    top: Material | None = None,
) -> None:
    """Add a box given in a thing's own axes, which stand at a place and are turned."""
    middle = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    x = at[0] + middle[0] * cos(angle) - middle[1] * sin(angle)
    y = at[1] + middle[0] * sin(angle) + middle[1] * cos(angle)
    half = (high[0] - low[0]) / 2, (high[1] - low[1]) / 2
    surfaces.box((x - half[0], y - half[1], low[2]), (x + half[0], y + half[1], high[2]), material, top, angle)


def moved(points: Floats, x: float, y: float, angle: float) -> Floats:
    """Turn points about the origin and carry them to a place."""
    carried: Floats = turned(points, angle, np.zeros(3)) + np.array([x, y, 0.0])
    return carried
