"""Rooms to dance in: studio, stage, gym."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import wall
from vsdmot.synthesis.world.furniture import bench, chair
from vsdmot.synthesis.world.kit import around
from vsdmot.synthesis.world.lighting import Lamp
from vsdmot.synthesis.world.materials import Colour, Material
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.rooms import (
    BEHIND,
    PALE,
    Room,
    ceiling_tiles,
    daylight_windows,
    hang_ceiling,
    hang_lamps,
    hang_prints,
    lay_floor,
    mirror_panels,
    painted,
    raise_walls,
    speaker,
)
from vsdmot.synthesis.world.site import Mood, Site, indoor_mood
from vsdmot.synthesis.world.textures import curtain, planks, rough


def studio(rng: np.random.Generator) -> Place:
    """Make a dance studio: wooden floor, mirrors with a barre, windows or a curtain at the side."""
    site = Site.begin(rng)
    room = Room(half=site.pick(6.6, 10.0), back=site.pick(11.0, 17.0), height=site.pick(3.4, 4.8))
    mood = indoor_mood(rng, key=site.pick(0.3, 0.5))
    wood = site.one_of(((0.58, 0.42, 0.28), (0.66, 0.52, 0.36), (0.50, 0.37, 0.26), (0.46, 0.44, 0.42)))
    lay_floor(
        site,
        room,
        Material(
            texture=planks(rng, wood, width=site.pick(0.08, 0.16)), mirror=site.pick(0.5, 0.8), spacing=0.14, wear=0.06
        ),
    )
    hang_ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    plain_wall = painted(site, PALE)
    raise_walls(site, room, plain_wall)
    hang_lamps(site, room, columns=int(rng.integers(2, 4)), step=2.4, size=(0.25, 1.4), tone=(1.0, 0.98, 0.93))
    top = site.pick(2.3, 2.8)
    if site.chance(0.7):
        mirror = Material(texture=mirror_panels(rng, top), casts=False, layer=1)
        start = -room.half + site.pick(0.2, 2.5)
        wall(
            site,
            np.array([start, room.back - 0.03, 0]),
            np.array([room.half - 0.4, room.back - 0.03, 0]),
            0.12,
            top,
            mirror,
        )
    else:
        hang_prints(site, room)
    if site.chance(0.75):
        bar = site.kit.wood.tinted((1.1, 1.0, 0.9))
        for z in (0.85, 1.05):
            site.surfaces.box(
                (-room.half + 0.3, room.back - 0.3, z), (room.half - 0.3, room.back - 0.25, z + 0.05), bar
            )
        for x in np.arange(-room.half + 0.8, room.half - 0.5, 2.4):
            site.surfaces.box((x, room.back - 0.3, 0.0), (x + 0.05, room.back - 0.25, 0.9), site.kit.metal)
    glass = Material(texture=daylight_windows(rng), glow=1.05, casts=False, layer=1)
    left = site.chance(0.5)
    x = (-room.half + 0.03) if left else (room.half - 0.03)
    near, far = np.array([x, BEHIND, 0]), np.array([x, room.back - 0.6, 0])
    a, b = (near, far) if left else (far, near)
    if site.chance(0.7):
        wall(site, a, b, 0.5, min(room.height - 0.3, 3.4), glass)
    other = -x
    if site.chance(0.4):
        near, far = np.array([other * 0.985, BEHIND, 0]), np.array([other * 0.985, room.back, 0])
        a, b = (far, near) if left else (near, far)
        cloth = site.one_of(((0.45, 0.2, 0.2), (0.3, 0.32, 0.38), (0.6, 0.56, 0.5)))
        wall(site, a, b, 0.02, room.height - 0.1, Material(texture=curtain(rng, cloth), casts=False, layer=2))
    _studio_things(site, room)
    walkable = (-room.half + 0.8, 1.5, room.half - 0.8, room.back - 0.7)
    return site.finish("studio", mood, walkable, room.back)


def _studio_things(site: Site, room: Room) -> None:
    rng = site.rng
    if site.chance(0.6):
        speaker(site, float(rng.choice([-1, 1])) * (room.half - 0.6), room.back - 0.6, 0.5, site.pick(0.7, 1.1))
    for k in range(int(rng.integers(0, 4))):
        x, y = room.half - 0.5, 5.0 + 0.8 * k
        site.seats.append(chair(site.surfaces, site.kit, x, y, -pi / 2))
        site.obstacles.append(around(x, y, 0.5, 0.5))
    if site.chance(0.5):
        y = site.pick(5, room.back - 2)
        taken, seats = bench(site.surfaces, site.kit, -room.half + 0.5, y, pi / 2, back=False)
        site.obstacles.append(taken)
        site.seats += seats
    if site.chance(0.5):
        tint = site.one_of(((0.25, 0.32, 0.45), (0.45, 0.25, 0.22), (0.3, 0.4, 0.32)))
        x, y = room.half - 1.0, room.back - 1.5
        site.surfaces.box(
            (x - 0.6, y - 0.9, 0), (x + 0.6, y + 0.9, 0.1 * int(rng.integers(1, 6))), site.kit.paint.tinted(tint)
        )
        site.obstacles.append(around(x, y, 1.2, 1.8))


def stage(rng: np.random.Generator) -> Place:
    """Make a stage: dark or coloured drapes, a glossy floor, spots that pool on it."""
    site = Site.begin(rng)
    room = Room(half=site.pick(8, 11), back=site.pick(10, 15), height=site.pick(6, 8))
    bright = site.chance(0.65)
    level = site.pick(0.85, 1.1) if bright else site.pick(0.4, 0.6)
    tones: tuple[Colour, ...] = ((1.0, 0.96, 0.9), (1.0, 0.9, 0.8), (0.9, 0.94, 1.05), (1.02, 0.9, 1.0))
    mood = indoor_mood(rng, level=level, key=0.6, tone=tones[int(rng.integers(4))])
    mood = Mood(mood.light, mood.sky * 0.5, mood.haze, 0.25, 0.34 if bright else 0.2)
    wood = site.one_of(((0.2, 0.2, 0.21), (0.3, 0.25, 0.22), (0.42, 0.32, 0.24), (0.5, 0.5, 0.5)))
    boards = planks(rng, wood, width=0.16) if site.chance(0.6) else rough(rng, wood)
    lay_floor(site, room, Material(texture=boards, mirror=site.pick(0.4, 0.8), spacing=0.14, wear=0.08))
    black = site.kit.paint.tinted((0.07, 0.07, 0.075))
    black = Material(texture=black.texture, tint=black.tint, casts=False)
    raise_walls(site, room, black)
    hang_ceiling(site, room, black)
    drapes = site.one_of(
        ((0.36, 0.1, 0.1), (0.16, 0.17, 0.24), (0.22, 0.22, 0.23), (0.3, 0.26, 0.34), (0.42, 0.36, 0.3))
    )
    cloth = Material(texture=curtain(rng, drapes), casts=False, spacing=0.5)
    backdrop = Material(
        texture=rough(rng, site.one_of(((0.5, 0.52, 0.6), (0.6, 0.56, 0.5), (0.3, 0.32, 0.42)))), casts=False
    )
    y = room.back - 0.1
    wall(
        site,
        np.array([-room.half, y, 0]),
        np.array([room.half, y, 0]),
        0,
        room.height,
        cloth if site.chance(0.6) else backdrop,
    )
    for side in (-1, 1):
        for k, depth in enumerate(np.arange(3.5, room.back - 1, 3.2)):
            inner = side * (room.half - 1.6 - 0.25 * k)
            a, b = (
                np.array([min(inner, side * room.half), depth, 0]),
                np.array([max(inner, side * room.half), depth, 0]),
            )
            wall(site, a, b, 0, room.height, cloth)
    rail = Material(texture=site.kit.paint.texture, tint=(0.16, 0.16, 0.17), casts=False)
    for y in (4.0, 8.0):
        site.surfaces.box((-room.half, y, room.height - 1.0), (room.half, y + 0.15, room.height - 0.85), rail)
        for x in np.arange(-room.half + 2, room.half - 1.5, site.pick(1.2, 2.0)):
            site.surfaces.box((x - 0.15, y - 0.2, room.height - 1.4), (x + 0.15, y + 0.2, room.height - 1.0), rail)
            glow = Material(texture=site.kit.paint.texture, tint=(1.0, 0.97, 0.9), glow=1.45, casts=False)
            site.surfaces.quad((x - 0.12, y - 0.21, room.height - 1.38), (0.24, 0, 0), (0, 0, 0.3), glow)
    for _ in range(int(rng.integers(2, 6))):
        tint = np.array(tones[int(rng.integers(4))]) * site.pick(0.25, 0.7) * level
        spot = site.pick(-room.half + 2, room.half - 2), site.pick(4, room.back - 2), site.pick(3.5, 5.0)
        colour = float(tint[0]), float(tint[1]), float(tint[2])
        site.lamps.append(Lamp(position=spot, colour=colour, reach=3.0, downward=0.9))
    if site.chance(0.4):
        for side in (-1, 1):
            speaker(site, side * (room.half - 1.9), 6.0, 0.7, 1.4)
    if site.chance(0.4):
        stone = site.kit.paint.tinted(site.one_of(((0.3, 0.3, 0.32), (0.45, 0.4, 0.36))))
        x = site.pick(-3, 3)
        low = room.back - 2.2
        site.surfaces.box((x - 2, low, 0), (x + 2, low + 1.4, site.pick(0.3, 0.5)), stone)
        site.obstacles.append((x - 2, low, x + 2, low + 1.4))
    return site.finish("stage", mood, (-room.half + 2.4, 2.0, room.half - 2.4, room.back - 0.8), room.back)


def gym(rng: np.random.Generator) -> Place:
    """Make a sports hall: lines on the floor, wall bars, high windows, mats."""
    site = Site.begin(rng)
    room = Room(half=site.pick(9, 12), back=site.pick(15, 22), height=site.pick(5.5, 7.0))
    mood = indoor_mood(rng, key=0.3)
    ground = site.one_of(((0.62, 0.48, 0.32), (0.42, 0.46, 0.44), (0.36, 0.42, 0.5), (0.55, 0.42, 0.34)))
    boards = planks(rng, ground, width=0.09) if ground[0] > 0.5 else rough(rng, ground, contrast=0.02)
    lay_floor(site, room, Material(texture=boards, mirror=site.pick(0.5, 0.85), spacing=0.14, wear=0.05))
    _lines(site, room)
    hang_ceiling(site, room, Material(texture=rough(rng, (0.7, 0.7, 0.7)), casts=False, spacing=1.0))
    upper = painted(site, PALE)
    raise_walls(site, room, upper)
    timber = Material(
        texture=planks(rng, site.one_of(((0.56, 0.42, 0.28), (0.5, 0.5, 0.48))), width=0.2), casts=False, layer=1
    )
    for a, b in (
        ((-room.half + 0.03, BEHIND), (-room.half + 0.03, room.back)),
        ((room.half - 0.03, room.back), (room.half - 0.03, BEHIND)),
        ((-room.half, room.back - 0.03), (room.half, room.back - 0.03)),
    ):
        wall(site, np.array([*a, 0.0]), np.array([*b, 0.0]), 0.1, 2.4, timber)
    glass = Material(texture=daylight_windows(rng), glow=1.1, casts=False, layer=1)
    if site.chance(0.75):
        x = -room.half + 0.05
        wall(site, np.array([x, BEHIND, 0.0]), np.array([x, room.back, 0.0]), 3.2, room.height - 0.3, glass)
    hang_lamps(site, room, columns=3, step=3.5, size=(0.5, 1.2), tone=(1.0, 1.0, 0.97), drop=0.3)
    for x in np.arange(-room.half + 1, room.half - 1.5, 1.0):
        if site.chance(0.35):
            for k in range(14):
                z = 0.2 + 0.16 * k
                site.surfaces.box((x, room.back - 0.14, z), (x + 0.9, room.back - 0.1, z + 0.04), site.kit.wood)
            for post in (x, x + 0.88):
                site.surfaces.box((post, room.back - 0.12, 0), (post + 0.05, room.back - 0.06, 2.5), site.kit.wood)
    for _ in range(int(rng.integers(0, 3))):
        tint = site.one_of(((0.2, 0.28, 0.45), (0.48, 0.22, 0.2), (0.25, 0.38, 0.3)))
        x, y = float(rng.choice([-1, 1])) * (room.half - 1.3), site.pick(6, room.back - 2)
        if site.is_free(around(x, y, 1.5, 2.2)):
            site.surfaces.box(
                (x - 0.7, y - 1, 0), (x + 0.7, y + 1, 0.1 * int(rng.integers(1, 5))), site.kit.paint.tinted(tint)
            )
            site.obstacles.append(around(x, y, 1.4, 2))
    taken, seats = bench(site.surfaces, site.kit, site.pick(-4, 4), room.back - 0.9, 0.0, back=False)
    site.obstacles.append(taken)
    site.seats += seats
    return site.finish("gym", mood, (-room.half + 0.8, 1.5, room.half - 0.8, room.back - 0.9), room.back)


def _lines(site: Site, room: Room) -> None:
    """Paint the lines of a court."""
    tints: tuple[Colour, ...] = ((0.85, 0.85, 0.82), (0.25, 0.35, 0.55), (0.65, 0.28, 0.22))
    for k, tint in enumerate(tints):
        paint = Material(texture=site.kit.paint.texture, tint=tint, layer=1 + k, casts=False, spacing=0.5)
        x, y0, y1 = room.half - 1.2 - 1.4 * k, 1.0 + 1.1 * k, room.back - 1.2 - 0.9 * k
        for box in ((-x, y0, x, y0 + 0.05), (-x, y1, x, y1 + 0.05), (-x, y0, -x + 0.05, y1), (x, y0, x + 0.05, y1)):
            site.surfaces.ground(*box, paint)
        site.surfaces.ground(-x, (y0 + y1) / 2, x, (y0 + y1) / 2 + 0.05, paint)
