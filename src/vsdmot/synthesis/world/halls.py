"""Halls under a roof: mall, station, corridor, entrance hall."""

from __future__ import annotations

from math import pi

import numpy as np

from vsdmot.synthesis.world.buildings import wall
from vsdmot.synthesis.world.facades import shop_front
from vsdmot.synthesis.world.furniture import bench, bin_, railing, railing_texture
from vsdmot.synthesis.world.kit import around, block
from vsdmot.synthesis.world.materials import Material
from vsdmot.synthesis.world.place import Place, Seat
from vsdmot.synthesis.world.plants import planter
from vsdmot.synthesis.world.rooms import (
    BEHIND,
    PALE,
    Room,
    ceiling_tiles,
    daylight_windows,
    floor_tiles,
    hang_ceiling,
    hang_lamps,
    lay_floor,
    painted,
    raise_walls,
)
from vsdmot.synthesis.world.site import Site, indoor_mood
from vsdmot.synthesis.world.textures import lettering, planks, rough, slabs


def mall(rng: np.random.Generator) -> Place:
    """Make a shopping mall, seen along: shops at both sides on two floors, a polished floor, an escalator."""
    site = Site.begin(rng)
    room = Room(half=site.pick(7.5, 11), back=site.pick(36, 48), height=site.pick(8.0, 9.5))
    mood = indoor_mood(rng, level=1.0, key=site.pick(0.2, 0.35))
    lay_floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.6, 0.95), spacing=0.16, wear=0.04))
    band = Material(
        texture=site.kit.paint.texture, tint=(0.4, 0.37, 0.34), layer=1, casts=False, mirror=0.6, spacing=0.5
    )
    for x in (-room.half + 2.4, room.half - 2.6):
        site.surfaces.ground(x, BEHIND, x + 0.2, room.back, band)
    pale = painted(site, PALE)
    raise_walls(site, room, pale)
    hang_ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.5))
    hang_lamps(site, room, columns=3, step=3.2, size=(1.1, 1.1), tone=(1.0, 0.98, 0.94))
    shops = [Material(texture=shop_front(rng, site.one_of(PALE), lit=1.7), gloss=0.25, casts=False) for _ in range(4)]
    signs = []
    for _ in range(4):
        dark = site.one_of(((0.2, 0.2, 0.22), (0.45, 0.2, 0.18), (0.2, 0.32, 0.38), (0.75, 0.73, 0.7)))
        ink = (0.9, 0.88, 0.85) if dark[0] < 0.6 else (0.25, 0.25, 0.28)
        signs.append(Material(texture=lettering(rng, dark, ink), layer=1, casts=False, spacing=1.0))
    y = BEHIND
    while y < room.back - 3:
        wide = site.pick(4.5, 7.0)
        for side in (-1, 1):
            x = side * (room.half - 0.05)
            near, far = np.array([x, y + 0.3, 0]), np.array([x, min(y + wide, room.back) - 0.3, 0])
            a, b = (near, far) if side < 0 else (far, near)
            for low, tall in ((0.0, 3.0), (4.2, 2.6)):
                wall(site, a, b, low, low + tall, shops[int(rng.integers(4))], once=True)
                lift = np.array([-side * 0.08, 0, 0])
                part = 0.15 * (b - a)
                wall(
                    site,
                    a + lift + part,
                    b + lift - part,
                    low + tall,
                    low + tall + 0.5,
                    signs[int(rng.integers(4))],
                    once=True,
                )
        y += wide
    deck, reach = 4.05, 2.4
    slab = Material(texture=site.kit.paint.texture, tint=(0.72, 0.71, 0.69), casts=False, spacing=0.8)
    rail = Material(texture=railing_texture(rng), tint=(1.2, 1.25, 1.3), casts=False)
    for side in (-1, 1):
        x0, x1 = sorted((side * room.half, side * (room.half - reach)))
        site.surfaces.quad((x0, room.back, deck - 0.4), (x1 - x0, 0, 0), (0, BEHIND - room.back, 0), slab)
        near, far = (
            np.array([side * (room.half - reach), BEHIND, 0]),
            np.array([side * (room.half - reach), room.back, 0]),
        )
        a, b = (near, far) if side < 0 else (far, near)
        wall(site, a, b, deck - 0.4, deck + 0.1, slab)
        points = np.array([[*a[:2], deck + 0.1], [*b[:2], deck + 0.1], [*b[:2], deck + 1.1], [*a[:2], deck + 1.1]])
        wide = float(np.linalg.norm(b - a)) / 2
        site.surfaces.add(points[None], rail, picture=np.array([[[0, 0], [wide, 0], [wide, 1], [0, 1]]], float))
        for y in np.arange(site.pick(4, 7), room.back, 8.0):
            pillar = Material(texture=site.kit.stone.texture, tint=(0.75, 0.74, 0.71), spacing=0.4)
            spot = side * (room.half - reach + 0.25)
            site.surfaces.column(spot, y, 0, room.height, 0.26, pillar, sides=12)
            site.obstacles.append(around(spot, y, 0.6, 0.6))
    if site.chance(0.6):
        _escalator(site, site.pick(-1.5, 1.5), site.pick(17, 24), deck)
    for y in np.arange(site.pick(7, 9), 26, site.pick(5, 7)):
        x = site.pick(-3.5, 3.5)
        if not site.is_free(around(x, y, 2.5, 2), 0.5):
            continue
        if site.chance(0.5):
            site.obstacles.append(planter(site.surfaces, site.kit, x, y, rng, wide=1.6))
        else:
            taken, seats = bench(site.surfaces, site.kit, x, y, float(rng.choice([0, pi / 2, -pi / 2])), back=False)
            site.obstacles.append(taken)
            site.seats += seats
        site.obstacles.append(bin_(site.surfaces, site.kit, x + 1.9, y, rng))
    if site.chance(0.4):
        _kiosk(site, site.pick(-3, 3), site.pick(28, 32), signs)
    walkable = (-room.half + 0.7, 2.0, room.half - 0.7, 32.0)
    return site.finish("mall", mood, walkable, room.back)


def _escalator(site: Site, x: float, y: float, rise: float) -> None:
    """Add a pair of moving stairs that lead up and away."""
    run = rise / 0.577
    steel = site.kit.metal.tinted((0.5, 0.51, 0.52))
    dark = site.kit.paint.tinted((0.16, 0.16, 0.17))
    for lane in (-0.75, 0.75):
        for k in range(22):
            z0, y0 = rise * k / 22, y + run * k / 22
            site.surfaces.quad((x + lane - 0.5, y0, z0), (1.0, 0, 0), (0, 0, rise / 22), dark)
            site.surfaces.quad((x + lane - 0.5, y0, z0 + rise / 22), (1.0, 0, 0), (0, run / 22, 0), steel)
        for edge in (-0.62, 0.5):
            e = x + lane + edge
            for side_x, order in ((e, 1), (e + 0.12, -1)):
                a, b = (side_x, y - 0.6, 0.0), (side_x, y + run, rise)
                points = np.array([a, b, (b[0], b[1], b[2] + 0.95), (a[0], a[1], 0.95)])
                if order == 1:
                    points = points[[1, 0, 3, 2]]
                site.surfaces.add(points[None], steel)
            top = np.array(
                [
                    (e, y - 0.6, 0.95),
                    (e + 0.12, y - 0.6, 0.95),
                    (e + 0.12, y + run, rise + 0.95),
                    (e, y + run, rise + 0.95),
                ]
            )
            site.surfaces.add(top[None], dark)
            site.surfaces.quad((e, y - 0.6, 0.0), (0.12, 0, 0), (0, 0, 0.95), dark)
    site.obstacles.append((x - 1.5, y - 0.7, x + 1.5, y + run))


def _kiosk(site: Site, x: float, y: float, signs: list[Material]) -> None:
    body = Material(texture=planks(site.rng, site.one_of(((0.55, 0.42, 0.3), (0.4, 0.4, 0.4)))), spacing=0.3)
    site.surfaces.box((x - 1.6, y - 1.0, 0), (x + 1.6, y + 1.0, 1.1), body, site.kit.stone)
    for dx in (-1.5, 1.4):
        site.surfaces.box((x + dx, y - 0.9, 1.1), (x + dx + 0.1, y - 0.8, 2.4), site.kit.metal)
    site.surfaces.box((x - 1.7, y - 1.1, 2.4), (x + 1.7, y + 1.1, 2.8), site.kit.paint.tinted((0.3, 0.3, 0.32)))
    wall(site, np.array([x - 1.2, y - 1.12, 0]), np.array([x + 1.2, y - 1.12, 0]), 2.42, 2.78, signs[0], once=True)
    site.obstacles.append((x - 1.7, y - 1.1, x + 1.7, y + 1.1))


def station(rng: np.random.Generator) -> Place:
    """Make a station hall: pillars, boards with letters, benches, ticket machines."""
    site = Site.begin(rng)
    room = Room(half=site.pick(12, 16), back=site.pick(32, 42), height=site.pick(6.6, 8.5))
    mood = indoor_mood(rng, key=site.pick(0.2, 0.4))
    lay_floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.4, 0.8), spacing=0.16, wear=0.06))
    lower = slabs(rng, site.one_of(PALE), size=(0.3, 0.15), joint=0.008, shift=0.5, spread=0.03, grain=0.02, metres=2.4)
    raise_walls(site, room, Material(texture=lower, gloss=0.12, casts=False))
    hang_ceiling(site, room, Material(texture=rough(rng, (0.66, 0.66, 0.65), contrast=0.02), casts=False, spacing=1.5))
    hang_lamps(site, room, columns=4, step=3.0, size=(0.3, 2.0), tone=(1.0, 1.0, 0.96))
    tactile = slabs(rng, (0.62, 0.56, 0.36), size=(0.1, 0.1), joint=0.03, metres=2.4)
    line = Material(texture=tactile, layer=1, casts=False, spacing=0.4)
    shift = site.pick(-5, 5)
    site.surfaces.ground(shift, BEHIND, shift + 0.4, room.back, line)
    pillar = Material(texture=slabs(rng, site.one_of(PALE), size=(0.3, 0.3), spread=0.03, metres=2.4), spacing=0.3)
    step = site.pick(5.5, 7.5)
    square = site.chance(0.5)
    for x in (-room.half + 5.5, room.half - 5.5):
        for y in np.arange(site.pick(6, 9), room.back - 1, step):
            if square:
                site.surfaces.box((x - 0.35, y - 0.35, 0), (x + 0.35, y + 0.35, room.height), pillar)
            else:
                site.surfaces.column(x, y, 0, room.height, 0.38, pillar, sides=14)
            site.obstacles.append(around(x, y, 0.9, 0.9))
    board = Material(texture=lettering(rng, (0.09, 0.1, 0.14), (0.75, 0.66, 0.4), (256, 512), lines=6), casts=False)
    for y in (12.0, 24.0):
        x = site.pick(-4, 1)
        wall(
            site, np.array([x, y, 0]), np.array([x + 3.4, y, 0]), room.height - 2.0, room.height - 0.6, board, once=True
        )
        for rod in (x + 0.3, x + 3.0):
            site.surfaces.box((rod, y, room.height - 0.6), (rod + 0.05, y + 0.05, room.height), site.kit.metal)
    for k in range(int(rng.integers(2, 6))):
        x = -6.0 + 1.4 * k
        tint = (0.25, 0.36, 0.48)
        site.surfaces.box((x, room.back - 0.9, 0), (x + 0.9, room.back - 0.2, 1.9), site.kit.metal.tinted(tint))
        front = site.kit.paint.tinted((0.55, 0.62, 0.66))
        site.surfaces.box((x + 0.15, room.back - 0.92, 1.1), (x + 0.75, room.back - 0.9, 1.6), front)
        site.obstacles.append((x, room.back - 0.9, x + 0.9, room.back - 0.2))
    for y in np.arange(site.pick(9, 12), 28, site.pick(5, 7)):
        for x in (-room.half + 7.2, room.half - 7.2):
            if site.chance(0.6) and site.is_free(around(x, y, 1.0, 2.0), 0.2):
                taken, seats = bench(site.surfaces, site.kit, x, y, float(np.sign(x)) * -pi / 2)
                site.obstacles.append(taken)
                site.seats += seats
    for _ in range(3):
        x, y = site.pick(-9, 9), site.pick(9, 26)
        if site.is_free(around(x, y, 0.6, 0.6), 0.6):
            site.obstacles.append(bin_(site.surfaces, site.kit, x, y, rng))
    walkable = (-room.half + 1.0, 2.0, room.half - 1.0, room.back - 2.0)
    return site.finish("station", mood, walkable, room.back)


def corridor(rng: np.random.Generator) -> Place:
    """Make a wide corridor of an office or a school: doors, boards, ceiling lamps."""
    site = Site.begin(rng)
    room = Room(half=site.pick(6.5, 7.5), back=site.pick(26, 36), height=site.pick(6.4, 7.2))
    mood = indoor_mood(rng, key=site.pick(0.15, 0.3))
    ground = (
        floor_tiles(site)
        if site.chance(0.6)
        else rough(rng, site.one_of(((0.5, 0.52, 0.54), (0.55, 0.5, 0.42))), contrast=0.03)
    )
    lay_floor(site, room, Material(texture=ground, mirror=site.pick(0.5, 0.95), spacing=0.14, wear=0.05))
    pale = painted(site, PALE)
    raise_walls(site, room, pale)
    hang_ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    hang_lamps(site, room, columns=2, step=2.4, size=(0.58, 1.18), tone=(1.0, 1.0, 0.97))
    door = site.kit.paint.tinted(site.one_of(((0.5, 0.36, 0.24), (0.42, 0.46, 0.5), (0.62, 0.56, 0.48))))
    frame = site.kit.paint.tinted((0.36, 0.36, 0.36))
    for side in (-1, 1):
        for y in np.arange(site.pick(2, 5), room.back - 2, site.pick(3.5, 5.5)):
            wide = 1.0 if site.chance(0.6) else 1.8
            x = side * (room.half - 0.04)
            for material, grow, lift in ((frame, 0.1, 0.0), (door, 0.0, 0.02)):
                near, far = np.array([x - side * lift, y - grow, 0]), np.array([x - side * lift, y + wide + grow, 0])
                a, b = (near, far) if side < 0 else (far, near)
                flat = Material(texture=material.texture, tint=material.tint, casts=False)
                wall(site, a, b, 0, 2.15 + grow, flat)
            if site.chance(0.5):
                near = np.array([x - side * 0.05, y + wide + 0.8, 0])
                far = near + np.array([0, site.pick(0.8, 1.4), 0])
                a, b = (near, far) if side < 0 else (far, near)
                sheet = Material(
                    texture=lettering(rng, (0.66, 0.6, 0.48), (0.4, 0.36, 0.32), (128, 128), 5), casts=False
                )
                wall(site, a, b, 1.2, 2.1, sheet, once=True)
    glass = Material(texture=daylight_windows(rng), glow=1.0, casts=False, layer=1)
    if site.chance(0.5):
        a, b = np.array([-room.half + 0.04, BEHIND, 0.0]), np.array([-room.half + 0.04, room.back, 0.0])
        wall(site, a, b, 3.4, 5.8, glass)
    ledge = Material(texture=site.kit.paint.texture, tint=(0.5, 0.49, 0.47), casts=False)
    for side in (-1, 1):
        low, high = sorted((side * room.half, side * (room.half - 0.12)))
        site.surfaces.box((low, BEHIND, 2.75), (high, room.back, 2.95), ledge)
    if site.chance(0.6):
        a, b = np.array([-room.half + 0.6, room.back - 0.03, 0]), np.array([room.half - 0.6, room.back - 0.03, 0])
        wall(site, a, b, 0.9, room.height - 0.6, glass)
    for y in np.arange(site.pick(8, 11), 26, site.pick(6, 9)):
        side = int(rng.choice([-1, 1]))
        x = side * (room.half - 0.45)
        if site.chance(0.6):
            taken, seats = bench(site.surfaces, site.kit, x, y, -side * pi / 2, back=False)
            site.obstacles.append(taken)
            site.seats += seats
        else:
            site.obstacles.append(planter(site.surfaces, site.kit, side * (room.half - 0.8), y, rng, wide=0.9))
    return site.finish("corridor", mood, (-room.half + 0.5, 2.0, room.half - 0.5, room.back - 1.5), room.back)


def entrance(rng: np.random.Generator) -> Place:
    """Make the entrance hall of an office: a desk, gates, a glass front behind."""
    site = Site.begin(rng)
    room = Room(half=site.pick(9, 12), back=site.pick(20, 28), height=site.pick(6.5, 8.0))
    mood = indoor_mood(rng, key=site.pick(0.2, 0.35))
    lay_floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.6, 0.95), spacing=0.14, wear=0.04))
    raise_walls(site, room, painted(site, PALE))
    hang_ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    hang_lamps(site, room, columns=4, step=3.0, size=(0.6, 0.6), tone=(1.0, 0.98, 0.94))
    timber = Material(
        texture=planks(rng, site.one_of(((0.5, 0.36, 0.25), (0.42, 0.4, 0.38))), width=0.3), casts=False, layer=1
    )
    left = -room.half + 0.04
    wall(site, np.array([left, 4.0, 0]), np.array([left, room.back, 0]), 0.0, room.height, timber)
    glass = Material(texture=daylight_windows(rng), glow=1.05, casts=False, layer=1)
    if site.chance(0.7):
        a, b = np.array([-room.half + 1, room.back - 0.04, 0]), np.array([room.half - 1, room.back - 0.04, 0])
        wall(site, a, b, 0.1, room.height - 0.5, glass)
    desk_y, desk_x = site.pick(12, 17), -room.half + 3.2
    stone = site.kit.stone.tinted((0.62, 0.6, 0.57))
    site.surfaces.box((desk_x - 2.0, desk_y - 0.5, 0), (desk_x + 2.0, desk_y + 0.5, 1.1), timber, stone)
    site.obstacles.append((desk_x - 2.0, desk_y - 0.5, desk_x + 2.0, desk_y + 0.5))
    gate_y = site.pick(13, 18)
    steel = site.kit.metal.tinted((0.55, 0.56, 0.57))
    for gate in range(int(rng.integers(4, 7))):
        gx = -0.5 + 1.1 * gate
        block(
            site.surfaces,
            (gx, gate_y),
            0.0,
            (-0.13, -0.7, 0),
            (0.13, 0.7, 1.0),
            steel,
            site.kit.paint.tinted((0.12, 0.12, 0.13)),
        )
        site.obstacles.append(around(gx, gate_y, 0.3, 1.4))
        if site.chance(0.6):
            block(
                site.surfaces,
                (gx, gate_y),
                0.0,
                (0.13, -0.03, 0.45),
                (0.6, 0.03, 0.95),
                site.kit.metal.tinted((0.6, 0.68, 0.7)),
            )
    for row in range(int(rng.integers(1, 4))):
        sofa_y = 7.0 + 3.2 * row
        tint = site.one_of(((0.3, 0.33, 0.4), (0.45, 0.4, 0.34), (0.3, 0.38, 0.34)))
        sofa = site.kit.paint.tinted(tint)
        sx = room.half - 1.4
        block(site.surfaces, (sx, sofa_y), -pi / 2, (-1.0, -0.4, 0.08), (1.0, 0.4, 0.42), sofa)
        block(site.surfaces, (sx, sofa_y), -pi / 2, (-1.0, 0.25, 0.42), (1.0, 0.45, 0.85), sofa)
        site.obstacles.append(around(sx, sofa_y, 2.0, 0.9, pi / 2))
        for shift in (-0.5, 0.5):
            site.seats.append(Seat(x=sx - 0.1, y=sofa_y + shift, height=0.42, facing=pi))
    for _ in range(3):
        px, py = site.pick(-room.half + 1.5, room.half - 2.5), site.pick(8, room.back - 2)
        if site.is_free(around(px, py, 1.2, 0.9), 0.5):
            site.obstacles.append(planter(site.surfaces, site.kit, px, py, rng, wide=1.0))
    if site.chance(0.4):
        bars = railing_texture(rng)
        site.obstacles.append(railing(site.surfaces, bars, (-5.0, gate_y), (-1.2, gate_y)))
    return site.finish("entrance hall", mood, (-room.half + 0.8, 2.0, room.half - 0.8, room.back - 1.0), room.back)
