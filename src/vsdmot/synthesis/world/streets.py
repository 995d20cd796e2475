"""Streets and squares of a town: a street seen across, a pedestrian zone, a plaza."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import BAY, far_town, house, row_of_houses
from vsdmot.synthesis.world.cars import Cars
from vsdmot.synthesis.world.furniture import bicycle, bicycle_texture, bollards
from vsdmot.synthesis.world.grounds import (
    EDGE,
    begin,
    broad_steps,
    cafe,
    lay_ground,
    light_lamps,
    paving,
    scatter,
    strip,
    stripe,
    worn_paint,
)
from vsdmot.synthesis.world.materials import Material
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.plants import tree
from vsdmot.synthesis.world.textures import asphalt, grass, slabs


def street(rng: np.random.Generator) -> Place:
    """Make a street seen across: pavement, a road with parked cars and perhaps a crossing, shops on the other side."""
    site, weather, mood, fronts = begin(rng)
    kerb = site.pick(12.0, 15.0)
    road = site.pick(6.0, 7.5)
    front = kerb + road + site.pick(3.5, 5.0)
    slab, tar = paving(site), Material(texture=asphalt(rng), spacing=0.14, wear=0.12)
    lay_ground(site, slab)
    strip(site, EDGE[0], kerb, EDGE[2], kerb + road, tar)
    strip(site, -300, kerb, EDGE[0], kerb + road, Material(texture=tar.texture, spacing=4.0))
    strip(site, EDGE[2], kerb, 300, kerb + road, Material(texture=tar.texture, spacing=4.0))
    stone = Material(texture=slabs(rng, (0.62, 0.61, 0.59), size=(1.0, 4.0)), layer=1, spacing=0.3)
    for y in (kerb - 0.25, kerb + road):
        strip(site, -60, y, 60, y + 0.25, stone)
    paint = worn_paint(rng)
    zebra = site.pick(-6, 6) if site.chance(0.7) else None
    for x in np.arange(-45, 45, 4.0):
        if zebra is None or abs(x - zebra) > 5:
            stripe(site, paint, x, kerb + road / 2 - 0.06, x + 1.8, kerb + road / 2 + 0.06)
    if zebra is not None:
        for x in np.arange(zebra - 2, zebra + 2, 1.0):
            stripe(site, paint, x, kerb + 0.3, x + 0.5, kerb + road - 0.3)
    row_of_houses(site, fronts, np.array([-42.0, front, 0]), np.array([1.0, 0, 0]), 84)
    far_town(site, fronts)
    cars = [Cars(rng, site.kit) for _ in range(2)]
    for y, side in ((kerb + road - 1.15, 0.0), (kerb + 1.2, pi)):
        x = -24 + site.pick(0, 4)
        while x < 22:
            car = cars[int(rng.integers(2))]
            clear = zebra is None or abs(x - zebra) > 5.5
            if clear and site.chance(0.62 if side == 0 else 0.3):
                site.obstacles.append(car.park(site.surfaces, x, y + site.pick(-0.1, 0.1), side, rng))
            x += 5.6 + site.pick(0, 1.2)
    spacing = site.pick(7, 10)
    offset = site.pick(0, spacing)
    if site.chance(0.75):
        for x in np.arange(-24 + offset, 24, spacing):
            y = float(kerb - 1.0 if site.chance(0.4) else kerb + road + 1.0)
            site.obstacles.append(tree(site.surfaces, site.kit, x, y, rng, height=site.pick(5, 8)))
    light_lamps(site, weather, [(-14 + offset, kerb - 0.7), (4 + offset, kerb - 0.7), (-5 + offset, front - 1)])
    scatter(site, (-12, 9.0, 12, kerb - 1.2), 6)
    if site.chance(0.5):
        cafe(site, site.pick(-10, 4), front - 2.2, 3, 1, parasols=True)
    if site.chance(0.4):
        texture = bicycle_texture(rng)
        start = site.pick(-9, 6)
        for k in range(int(rng.integers(2, 5))):
            site.obstacles.append(bicycle(site.surfaces, texture, start + 0.8 * k, kerb - 1.3, 1.35))
    return site.finish("street", mood, (-14.0, 2.0, 14.0, min(front - 0.6, 28.0)), front)


def pedestrian_zone(rng: np.random.Generator) -> Place:
    """Make a shopping street without cars, seen along."""
    site, weather, mood, fronts = begin(rng, aside=0.14)
    half = site.pick(7.5, 11.0)
    slab = paving(site)
    lay_ground(site, slab)
    middle = paving(site)
    if site.chance(0.6):
        strip(site, -half + 2.5, -8, half - 2.5, 42, middle)
    gutter = Material(texture=slabs(rng, (0.42, 0.42, 0.42), size=(0.2, 0.1), metres=2.4), spacing=0.3)
    for x in (-half + 2.5, half - 2.5):
        strip(site, x - 0.15, -8, x + 0.15, 60, gutter)
    left, right = np.array([-half, -6.0, 0]), np.array([half, 60.0, 0])
    row_of_houses(site, fronts, left, np.array([0, 1.0, 0]), 62)
    row_of_houses(site, fronts, right, np.array([0, -1.0, 0]), 62)
    end = site.pick(50, 75)
    house(site, fronts, np.array([-3 * BAY, end, 0]), np.array([3 * BAY, end, 0]), floors=4)
    far_town(site, fronts, nearest=90)
    side = float(rng.choice([-1, 1]))
    for y in np.arange(site.pick(6, 9), 40, site.pick(6, 9)):
        if site.chance(0.75):
            site.obstacles.append(tree(site.surfaces, site.kit, side * (half - 3.2), y, rng, height=site.pick(4.5, 7)))
    light_lamps(site, weather, [(-side * (half - 2.8), y) for y in (7.0, 19.0, 31.0)])
    scatter(site, (-half + 1.5, 6.0, half - 1.5, 30.0), 9)
    if site.chance(0.6):
        cafe(site, -side * (half - 1.6), site.pick(7, 14), 1, 4, parasols=site.chance(0.5))
    if site.chance(0.4):
        site.obstacles += bollards(site.surfaces, site.kit, -half + 1, half - 1, site.pick(18, 28), 2.0)
    return site.finish("pedestrian zone", mood, (-half + 0.8, 1.5, half - 0.8, 30.0), end)


def plaza(rng: np.random.Generator) -> Place:
    """Make an open square with houses around it."""
    site, weather, mood, fronts = begin(rng)
    slab = paving(site)
    lay_ground(site, slab)
    other = paving(site)
    if site.chance(0.6):
        step = site.pick(4, 7)
        for x in np.arange(-24, 24, step):
            strip(site, x, -8, x + 0.5, 40, other)
        for y in np.arange(-4, 40, step):
            strip(site, -26, y, 26, y + 0.5, other)
    front = site.pick(22, 34)
    row_of_houses(site, fronts, np.array([-35.0, front, 0]), np.array([1.0, 0, 0]), 70, shops=site.chance(0.8))
    side = site.pick(18, 24)
    if site.chance(0.7):
        row_of_houses(site, fronts, np.array([-side, 2.0, 0]), np.array([0, 1.0, 0]), front - 6)
    if site.chance(0.7):
        row_of_houses(site, fronts, np.array([side, front - 4, 0]), np.array([0, -1.0, 0]), front - 6)
    far_town(site, fronts, nearest=85)
    for x in np.arange(-15, 16, site.pick(5, 8)):
        if site.chance(0.6):
            y = front - site.pick(4, 7)
            site.obstacles.append(tree(site.surfaces, site.kit, x, y, rng, height=site.pick(5, 8)))
            if site.chance(0.5):
                tile = Material(texture=grass(rng), spacing=0.3)
                strip(site, x - 0.7, y - 0.7, x + 0.7, y + 0.7, tile)
    light_lamps(site, weather, [(-8.5, 16.0), (9.0, 17.0)])
    scatter(site, (-14, 9.0, 14, front - 3), 7)
    if site.chance(0.6):
        cafe(site, site.pick(-14, 2), front - 6.5, 4, 2, parasols=True)
    if site.chance(0.4):
        broad_steps(site, front)
    return site.finish("plaza", mood, (-15.0, 1.5, 15.0, front - 1.5), front)
