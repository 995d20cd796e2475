"""Places under the sky: street, pedestrian zone, plaza, park, parking lot, courtyard."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import (
    BAY,
    Fronts,
    far_town,
    far_tree,
    house,
    make_fronts,
    row_of_houses,
    wall,
)
from vsdmot.synthesis.world.cars import Cars
from vsdmot.synthesis.world.lighting import Lamp
from vsdmot.synthesis.world.objects import (
    around,
    bench,
    bicycle,
    bicycle_texture,
    bin_,
    bollards,
    bush,
    hedge,
    lamp_post,
    planter,
    railing,
    railing_texture,
    road_sign,
    table_set,
    tree,
)
from vsdmot.synthesis.world.place import Place, Seat
from vsdmot.synthesis.world.site import Mood, Site, Weather, outdoor_mood
from vsdmot.synthesis.world.surfaces import Colour, Material, Texture
from vsdmot.synthesis.world.textures import Field, asphalt, grass, noise, picture, slabs

_EDGE = (-26.0, -8.0, 26.0, 42.0)  # ground with fine light; people and things stand within
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
    x0, y0, x1, y1 = _EDGE
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


def _begin(rng: np.random.Generator, aside: float = 0.43) -> tuple[Site, Weather, Mood, Fronts]:
    site = Site.begin(rng)
    weather, mood = outdoor_mood(rng, aside=aside)
    fronts = make_fronts(site, lit=0.5 if weather == "evening" else 0.0)
    return site, weather, mood, fronts


def _lamps(site: Site, weather: Weather, spots: list[tuple[float, float]]) -> None:
    for x, y in spots:
        taken = lamp_post(site.surfaces, site.kit, x, y, lit=weather == "evening")
        site.obstacles.append(taken)
        if weather == "evening":
            site.lamps.append(Lamp(position=(x, y - 1, 5.4), colour=(0.85, 0.66, 0.42), reach=5.0, downward=0.4))


def _scatter(site: Site, region: tuple[float, float, float, float], number: int) -> None:
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


def _cafe(site: Site, x: float, y: float, columns: int, rows: int, *, parasols: bool) -> None:
    """Put tables of a café in a loose grid."""
    for i in range(columns):
        for j in range(rows):
            at = x + 2.6 * i + site.pick(-0.3, 0.3), y + 2.4 * j + site.pick(-0.3, 0.3)
            if site.is_free(around(*at, 1.8, 1.8)):
                taken, seats = table_set(site.surfaces, site.kit, *at, site.rng, parasol=parasols and site.chance(0.6))
                site.obstacles.append(taken)
                site.seats += seats


def street(rng: np.random.Generator) -> Place:
    """Make a street seen across: pavement, a road with parked cars and perhaps a crossing, shops on the other side."""
    site, weather, mood, fronts = _begin(rng)
    kerb = site.pick(12.0, 15.0)
    road = site.pick(6.0, 7.5)
    front = kerb + road + site.pick(3.5, 5.0)
    slab, tar = paving(site), Material(texture=asphalt(rng), spacing=0.14, wear=0.12)
    lay_ground(site, slab)
    strip(site, _EDGE[0], kerb, _EDGE[2], kerb + road, tar)
    strip(site, -300, kerb, _EDGE[0], kerb + road, Material(texture=tar.texture, spacing=4.0))
    strip(site, _EDGE[2], kerb, 300, kerb + road, Material(texture=tar.texture, spacing=4.0))
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
    _lamps(site, weather, [(-14 + offset, kerb - 0.7), (4 + offset, kerb - 0.7), (-5 + offset, front - 1)])
    _scatter(site, (-12, 9.0, 12, kerb - 1.2), 6)
    if site.chance(0.5):
        _cafe(site, site.pick(-10, 4), front - 2.2, 3, 1, parasols=True)
    if site.chance(0.4):
        texture = bicycle_texture(rng)
        start = site.pick(-9, 6)
        for k in range(int(rng.integers(2, 5))):
            site.obstacles.append(bicycle(site.surfaces, texture, start + 0.8 * k, kerb - 1.3, 1.35))
    return site.finish("street", mood, (-14.0, 2.0, 14.0, min(front - 0.6, 28.0)), front)


def pedestrian_zone(rng: np.random.Generator) -> Place:
    """Make a shopping street without cars, seen along."""
    site, weather, mood, fronts = _begin(rng, aside=0.14)
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
    _lamps(site, weather, [(-side * (half - 2.8), y) for y in (7.0, 19.0, 31.0)])
    _scatter(site, (-half + 1.5, 6.0, half - 1.5, 30.0), 9)
    if site.chance(0.6):
        _cafe(site, -side * (half - 1.6), site.pick(7, 14), 1, 4, parasols=site.chance(0.5))
    if site.chance(0.4):
        site.obstacles += bollards(site.surfaces, site.kit, -half + 1, half - 1, site.pick(18, 28), 2.0)
    return site.finish("pedestrian zone", mood, (-half + 0.8, 1.5, half - 0.8, 30.0), end)


def plaza(rng: np.random.Generator) -> Place:
    """Make an open square with houses around it."""
    site, weather, mood, fronts = _begin(rng)
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
    _lamps(site, weather, [(-8.5, 16.0), (9.0, 17.0)])
    _scatter(site, (-14, 9.0, 14, front - 3), 7)
    if site.chance(0.6):
        _cafe(site, site.pick(-14, 2), front - 6.5, 4, 2, parasols=True)
    if site.chance(0.4):
        _steps(site, front)
    return site.finish("plaza", mood, (-15.0, 1.5, 15.0, front - 1.5), front)


def _steps(site: Site, front: float) -> None:
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
    _lamps(site, weather, [(shift + half + 0.9, 6.5), (shift - half - 0.9, cross + 5)])
    far_town(site, fronts, nearest=75)
    _tree_line(site, back + 6)
    return site.finish("park path", mood, (-12.0, 1.5, 12.0, 30.0), back)


def _tree_line(site: Site, y: float) -> None:
    """Close the view with trees beyond the place."""
    for x in np.arange(-60, 60, 4.0):
        far_tree(site, np.array([x + site.pick(-2, 2), y + site.pick(0, 10), 0.0]), site.pick(7, 12))


def parking(rng: np.random.Generator) -> Place:
    """Make a parking lot in front of a store."""
    site, weather, mood, fronts = _begin(rng)
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
    _lamps(site, weather, [(-9.2, rows[0] + 5.0), (8.8, rows[0] + 5.0)])
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
    site, weather, mood, fronts = _begin(rng, aside=0.2)
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
    _scatter(site, (-half + 1.5, 7.0, half - 1.5, back - 2), 8)
    _lamps(site, weather, [(-1.9, 14.0)])
    return site.finish("courtyard", mood, (-half + 1.0, 2.0, half - 1.0, back - 1.0), back)
