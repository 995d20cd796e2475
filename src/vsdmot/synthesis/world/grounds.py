"""Ground under the sky, what is painted on it, and street furniture put where there is room."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import Fronts, far_tree, make_fronts
from vsdmot.synthesis.world.furniture import bench, bin_, lamp_post, road_sign, table_set
from vsdmot.synthesis.world.kit import around
from vsdmot.synthesis.world.lighting import Lamp
from vsdmot.synthesis.world.materials import Colour, Material, Texture
from vsdmot.synthesis.world.place import Seat
from vsdmot.synthesis.world.plants import planter
from vsdmot.synthesis.world.site import Mood, Site, Weather, outdoor_mood
from vsdmot.synthesis.world.textures import Field, noise, picture, slabs

EDGE = (-26.0, -8.0, 26.0, 42.0)
"""Ground with fine light; people and things stand within."""
_FAR = 76.0  # up to which the ground has coarse light and shadows
_STONES: tuple[Colour, ...] = (
    (0.56, 0.54, 0.51),
    (0.50, 0.49, 0.48),
    (0.60, 0.56, 0.50),
    (0.52, 0.46, 0.42),
    (0.45, 0.45, 0.46),
)


def paving(site: Site) -> Material:
    """Draw paving: slabs, small setts or concrete blocks."""
    colour = site.one_of(_STONES)
    sizes = [(0.5, 0.5), (0.4, 0.4), (1.0, 0.5), (0.6, 0.3), (0.2, 0.1), (0.16, 0.16)]
    size = sizes[int(site.rng.integers(len(sizes)))]
    small = size[0] < 0.3
    texture = slabs(
        site.rng, colour, size=size, joint=0.012 if small else 0.009, shift=0.5 * site.chance(0.6), spread=0.045,
        joint_shade=0.55, metres=2.4 if small else 4.0,
    )  # fmt: skip
    return Material(texture=texture, spacing=0.14, wear=0.09)


def lay_ground(site: Site, near: Material, far: Material | None = None) -> None:
    """Lay the ground: fine light where people walk, coarse beyond, to the horizon."""
    x0, y0, x1, y1 = EDGE
    far = far or near
    coarse = Material(texture=far.texture, tint=far.tint, spacing=4.0, wear=far.wear)
    site.surfaces.ground(x0, y0, x1, y1, near)
    site.surfaces.ground(-400, y0, x0, y1, coarse)
    site.surfaces.ground(x1, y0, 400, y1, coarse)
    middle = Material(texture=far.texture, tint=far.tint, spacing=0.6, wear=far.wear)
    site.surfaces.ground(x0, y1, x1, _FAR, middle)
    for left, right in ((-400, x0), (x1, 400)):
        site.surfaces.ground(left, y1, right, _FAR, coarse)
    site.surfaces.ground(-3000, _FAR, 3000, 4000, coarse)


def worn_paint(rng: np.random.Generator) -> Texture:
    """Make road paint that traffic has worn off in spots."""
    shape = (256, 256)
    worn: Field = noise(rng, shape, 8, 5, 0.8) + 1.9
    value = 0.78 + 0.04 * noise(rng, shape, 60, 2)
    return Texture(picture(value[..., None] * np.ones(3, np.float32), np.clip(worn, 0, 1)), (2.0, 2.0), cut=True)


def stripe(site: Site, paint: Texture, x0: float, y0: float, x1: float, y1: float) -> None:
    """Paint a rectangle on the ground."""
    site.surfaces.ground(x0, y0, x1, y1, Material(texture=paint, layer=2, casts=False, spacing=0.4))


def strip(site: Site, x0: float, y0: float, x1: float, y1: float, material: Material) -> None:
    """Lay other ground over the ground."""
    over = Material(
        texture=material.texture, tint=material.tint, layer=1, casts=False, spacing=material.spacing, wear=material.wear
    )
    site.surfaces.ground(x0, y0, x1, y1, over)


def begin(rng: np.random.Generator, aside: float = 0.43) -> tuple[Site, Weather, Mood, Fronts]:
    """Draw the weather and the house fronts of a place in a town."""
    site = Site.begin(rng)
    weather, mood = outdoor_mood(rng, aside=aside)
    fronts = make_fronts(site, lit=0.5 if weather == "evening" else 0.0)
    return site, weather, mood, fronts


def light_lamps(site: Site, weather: Weather, spots: list[tuple[float, float]]) -> None:
    """Put street lamps, which are on in the evening."""
    for x, y in spots:
        taken = lamp_post(site.surfaces, site.kit, x, y, lit=weather == "evening")
        site.obstacles.append(taken)
        if weather == "evening":
            site.lamps.append(Lamp(position=(x, y - 1, 5.4), colour=(0.85, 0.66, 0.42), reach=5.0, downward=0.4))


def scatter(site: Site, region: tuple[float, float, float, float], number: int) -> None:
    """Put small street furniture where there is room."""
    rng, kit, surfaces = site.rng, site.kit, site.surfaces
    for _ in range(number):
        x, y = rng.uniform(region[0], region[2]), rng.uniform(region[1], region[3])
        kind = int(rng.choice(4, p=(0.37, 0.23, 0.32, 0.08)))
        if not site.is_free(around(x, y, 2.2, 1.4), 0.8):
            continue
        if kind == 0:
            angle = float(rng.choice([0, pi / 2, -pi / 2])) + rng.uniform(-0.1, 0.1)
            taken, seats = bench(surfaces, kit, x, y, angle, back=site.chance(0.7))
            site.seats += seats
        elif kind == 1:
            taken = bin_(surfaces, kit, x, y, rng)
        elif kind == 2:
            taken = planter(surfaces, kit, x, y, rng, wide=rng.uniform(1.0, 2.0))
        else:
            taken = road_sign(surfaces, kit, x, y, rng)
        site.obstacles.append(taken)


def cafe(site: Site, x: float, y: float, columns: int, rows: int, *, parasols: bool) -> None:
    """Put tables of a café in a loose grid."""
    for i in range(columns):
        for j in range(rows):
            at = x + 2.6 * i + site.pick(-0.3, 0.3), y + 2.4 * j + site.pick(-0.3, 0.3)
            if site.is_free(around(*at, 1.8, 1.8)):
                taken, seats = table_set(site.surfaces, site.kit, *at, site.rng, parasol=parasols and site.chance(0.6))
                site.obstacles.append(taken)
                site.seats += seats


def broad_steps(site: Site, front: float) -> None:
    """Add three broad steps that people sit on."""
    x0, x1 = (-14.0, -6.0) if site.chance(0.5) else (6.0, 14.0)
    y = front - 9.0
    if not site.is_free((x0, y, x1, y + 2.0)):
        return
    for k in range(3):
        stone = site.kit.stone
        site.surfaces.box((x0, y + 0.45 * k, 0), (x1, y + 2.0, 0.2 * (k + 1)), stone)
    site.obstacles.append((x0, y, x1, y + 2.0))
    for x in np.arange(x0 + 0.6, x1 - 0.4, 1.1):
        site.seats.append(Seat(x=float(x), y=y + 0.55, height=0.4, facing=-pi / 2))


def tree_line(site: Site, y: float) -> None:
    """Close the view with trees beyond the place."""
    for x in np.arange(-60, 60, 4.0):
        far_tree(site, np.array([x + site.pick(-2, 2), y + site.pick(0, 10), 0.0]), site.pick(7, 12))
