"""Open places beside the streets: a park, a parking lot, a courtyard."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import BAY, far_town, house, make_fronts, wall
from vsdmot.synthesis.world.cars import Cars
from vsdmot.synthesis.world.furniture import bench, bicycle, bicycle_texture, railing, railing_texture
from vsdmot.synthesis.world.grounds import (
    begin,
    lay_ground,
    light_lamps,
    paving,
    scatter,
    strip,
    stripe,
    tree_line,
    worn_paint,
)
from vsdmot.synthesis.world.kit import around
from vsdmot.synthesis.world.materials import Material
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.plants import bush, hedge, tree
from vsdmot.synthesis.world.site import Site, outdoor_mood
from vsdmot.synthesis.world.textures import asphalt, grass, slabs


def park(rng: np.random.Generator) -> Place:
    """Make a path through a park."""
    site = Site.begin(rng)
    weather, mood = outdoor_mood(rng)
    fronts = make_fronts(site, houses=2)
    lawn = Material(texture=grass(rng), spacing=0.14, wear=0.2, tint=(1.0, 1.0, 1.0))
    lay_ground(site, lawn)
    sand = site.chance(0.5)
    colour = (0.62, 0.55, 0.45) if sand else (0.42, 0.41, 0.4)
    path = Material(texture=asphalt(rng, colour), spacing=0.14, wear=0.1)
    half = site.pick(2.0, 4.0)
    shift = site.pick(-2, 2)
    strip(site, shift - half, -8, shift + half, 42, path)
    cross = site.pick(10, 20)
    strip(site, -26, cross, 26, cross + site.pick(2.5, 4), path)
    kerb = Material(texture=slabs(rng, (0.55, 0.54, 0.52), size=(1.0, 4.0)), spacing=0.3)
    for x in (shift - half - 0.1, shift + half):
        strip(site, x, -8, x + 0.1, cross, kerb)
    for _ in range(18):
        x, y = rng.uniform(-22, 22), rng.uniform(7, 44)
        near = abs(x - shift) < half + 1.2 or cross - 1.5 < y < cross + 5
        if not near and site.is_free(around(x, y, 1.5, 1.5), 1.5):
            height = site.pick(5, 10)
            site.obstacles.append(tree(site.surfaces, site.kit, x, y, rng, height=height))
    back = site.pick(34, 44)
    site.obstacles.append(hedge(site.surfaces, site.kit, (-40, back, 0), (40, back + 1.2, site.pick(1.6, 2.6))))
    if site.chance(0.6):
        side = float(rng.choice([-1, 1]))
        x = shift + side * (half + 1.5)
        low, high = (x - 0.4, 8.0, 0.0), (x + 0.4, cross - 1.5, site.pick(0.7, 1.2))
        if high[1] > low[1] + 1:
            site.obstacles.append(hedge(site.surfaces, site.kit, low, high))
    for _ in range(5):
        x, y = rng.uniform(-14, 14), rng.uniform(9, 30)
        low = (x - rng.uniform(0.6, 1.6), y - 0.6, 0.0)
        high = (x + rng.uniform(0.6, 1.6), y + 0.6, rng.uniform(0.7, 1.5))
        box = (low[0], low[1], high[0], high[1])
        if abs(x - shift) > half + 2 and site.is_free(box) and not cross - 1 < y < cross + 5:
            site.obstacles.append(bush(site.surfaces, site.kit, low, high, rng))
    for y in np.arange(site.pick(8, 11), 28, site.pick(6, 9)):
        side = float(rng.choice([-1, 1]))
        x = shift + side * (half + 0.5)
        if site.is_free(around(x, y, 1.0, 2.0), 0.1) and not cross - 1.5 < y < cross + 5:
            taken, seats = bench(site.surfaces, site.kit, x, y, -side * pi / 2)
            site.obstacles.append(taken)
            site.seats += seats
    light_lamps(site, weather, [(shift + half + 0.9, 6.5), (shift - half - 0.9, cross + 5)])
    far_town(site, fronts, nearest=75)
    tree_line(site, back + 6)
    return site.finish("park path", mood, (-12.0, 1.5, 12.0, 30.0), back)


def parking(rng: np.random.Generator) -> Place:
    """Make a parking lot in front of a store."""
    site, weather, mood, fronts = begin(rng)
    tar = Material(texture=asphalt(rng, (0.42, 0.42, 0.43)), spacing=0.14, wear=0.14)
    lay_ground(site, tar)
    paint = worn_paint(rng)
    cars = [Cars(rng, site.kit) for _ in range(3)]
    rows = [site.pick(10.0, 13.0)]
    rows.append(rows[0] + 17.0)
    for row in rows:
        for x in np.arange(-23.4, 23.5, 2.6):
            for y0, y1 in ((row, row + 4.9), (row + 5.0, row + 9.9)):
                stripe(site, paint, x - 0.05, y0, x + 0.05, y1)
        stripe(site, paint, -23.4, row + 4.9, 23.4, row + 5.0)
        for x in np.arange(-22.1, 22, 2.6):
            for y, facing in ((row + 2.4, pi / 2), (row + 7.5, -pi / 2)):
                if site.chance(0.34):
                    car = cars[int(rng.integers(3))]
                    turn = facing if site.chance(0.7) else facing + pi
                    site.obstacles.append(
                        car.park(site.surfaces, x + site.pick(-0.15, 0.15), y, turn + site.pick(-0.03, 0.03), rng)
                    )
    light_lamps(site, weather, [(-9.2, rows[0] + 5.0), (8.8, rows[0] + 5.0)])
    back = rows[1] + 12
    store = Material(texture=fronts.walls[0].texture, spacing=1.0)
    wall(site, np.array([-24.0, back, 0]), np.array([24.0, back, 0]), 3.1, 6.5, store)
    for k in range(8):
        a = np.array([-25.6 + 6.4 * k, back, 0])
        wall(site, a, a + np.array([6.4, 0, 0]), 0, 3.1, fronts.shops[k % 3], once=True)
    sign = Material(texture=fronts.signs[0], spacing=2.0)
    wall(site, np.array([-5.0, back - 0.1, 0]), np.array([5.0, back - 0.1, 0]), 4.0, 5.6, sign, once=True)
    for x in np.arange(-24, 25, 6):
        if site.chance(0.7):
            site.obstacles.append(tree(site.surfaces, site.kit, float(x), rows[0] + 14, rng, height=site.pick(4, 6)))
    green = Material(texture=grass(rng), spacing=0.3)
    for x0, x1 in ((-26.0, -17.0), (17.0, 26.0)):
        strip(site, x0, 2.0, x1, 7.0, green)
    far_town(site, fronts, nearest=80)
    return site.finish("parking", mood, (-16.0, 3.0, 16.0, back - 2), back)


def courtyard(rng: np.random.Generator) -> Place:
    """Make a court between houses."""
    site, weather, mood, fronts = begin(rng, aside=0.2)
    slab = paving(site)
    lay_ground(site, slab)
    back, half = site.pick(24, 34), site.pick(11, 15)
    lawn = Material(texture=grass(rng), spacing=0.2, wear=0.15)
    for x0, x1 in ((-half + 2.0, -2.5), (2.5, half - 2.0)):
        if site.chance(0.65):
            y0, y1 = site.pick(9, 12), back - site.pick(5, 9)
            strip(site, x0, y0, x1, y1, lawn)
            stone = Material(texture=slabs(rng, (0.55, 0.54, 0.52), size=(1.0, 4.0)), spacing=0.4)
            for edge in (
                (x0, y0, x1, y0 + 0.12),
                (x0, y1, x1, y1 + 0.12),
                (x0, y0, x0 + 0.12, y1),
                (x1, y0, x1 + 0.12, y1),
            ):
                strip(site, *edge, stone)
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            site.obstacles.append(tree(site.surfaces, site.kit, x, y, rng, height=site.pick(4, 7)))
    floors = int(rng.integers(2, 5))
    house(
        site, fronts, np.array([-BAY * 6, back, 0]), np.array([BAY * 6, back, 0]), floors=floors, shops=site.chance(0.4)
    )
    length = 12 * BAY
    for start, along in ((np.array([-half, -6.0, 0]), 1.0), (np.array([half, -6.0 + length, 0]), -1.0)):
        step = np.array([0.0, along, 0.0])
        house(site, fronts, start, start + length * step, floors=floors, shops=site.chance(0.3))
    far_town(site, fronts, nearest=90)
    texture = bicycle_texture(rng)
    if site.chance(0.6):
        first = site.pick(8, 16)
        for k in range(int(rng.integers(3, 7))):
            site.obstacles.append(bicycle(site.surfaces, texture, -half + 1.2, first + 0.7 * k, 0.1))
    if site.chance(0.5):
        bars = railing_texture(rng)
        site.obstacles.append(railing(site.surfaces, bars, (2.5, 7.5), (half - 2, 7.5)))
    scatter(site, (-half + 1.5, 7.0, half - 1.5, back - 2), 8)
    light_lamps(site, weather, [(-1.9, 14.0)])
    return site.finish("courtyard", mood, (-half + 1.0, 2.0, half - 1.0, back - 1.0), back)
