"""Rooms: studio, stage, gym, mall, station hall, corridor, entrance hall."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import pi

import cv2
import numpy as np

from vsdmot.synthesis.world.buildings import wall
from vsdmot.synthesis.world.facades import shop_front
from vsdmot.synthesis.world.lighting import Lamp
from vsdmot.synthesis.world.objects import (
    around,
    bench,
    bin_,
    block,
    chair,
    planter,
    railing,
    railing_texture,
)
from vsdmot.synthesis.world.place import Place, Seat
from vsdmot.synthesis.world.site import Mood, Site, indoor_mood
from vsdmot.synthesis.world.surfaces import Colour, Material, Texture
from vsdmot.synthesis.world.textures import Field, curtain, lettering, noise, picture, planks, rough, slabs

_BEHIND = -7.0  # y at which rooms end behind the viewer


@dataclass(frozen=True, kw_only=True)
class Room:
    """Inner measures of a room in metres: x from -half to half, y up to back, z up to height."""

    half: float
    back: float
    height: float


def _floor(site: Site, room: Room, material: Material, beyond: float = 0.0) -> None:
    site.surfaces.ground(-room.half - beyond, _BEHIND, room.half + beyond, room.back + beyond, material)


def _ceiling(site: Site, room: Room, material: Material) -> None:
    z = room.height
    wide, deep = 2 * room.half, room.back - _BEHIND
    site.surfaces.quad((-room.half, room.back, z), (wide, 0, 0), (0, -deep, 0), material)


def _ceiling_lamps(
    site: Site, room: Room, *, columns: int, step: float, size: tuple[float, float], tone: Colour, drop: float = 0.02
) -> None:
    """Hang rows of flat lamps."""
    glow = Material(texture=site.kit.paint.texture, tint=tone, glow=1.35, casts=False)
    z = room.height - drop
    for x in np.linspace(-room.half, room.half, columns + 2)[1:-1]:
        for y in np.arange(-2.0, room.back - 0.5, step):
            site.surfaces.quad((x - size[0] / 2, y + size[1], z), (size[0], 0, 0), (0, -size[1], 0), glow)


def ceiling_tiles(rng: np.random.Generator) -> Texture:
    """Make a suspended ceiling, tiles of 0.6 m."""
    return slabs(
        rng, (0.8, 0.8, 0.78), size=(0.6, 0.6), joint=0.02, spread=0.01, grain=0.03, joint_shade=0.85, metres=2.4
    )


def _walls(site: Site, room: Room, sides: Material, back: Material | None = None) -> None:
    left_near, left_far = np.array([-room.half, _BEHIND, 0]), np.array([-room.half, room.back, 0])
    right_near, right_far = np.array([room.half, _BEHIND, 0]), np.array([room.half, room.back, 0])
    wall(site, left_near, left_far, 0, room.height, sides)
    wall(site, right_far, right_near, 0, room.height, sides)
    wall(site, left_far, right_far, 0, room.height, back or sides)
    board = site.kit.paint.tinted((0.3, 0.29, 0.28))
    for a, b, shift in (
        (left_near, left_far, (0.02, 0)), (right_far, right_near, (-0.02, 0)), (left_far, right_far, (0, -0.02)),
    ):  # fmt: skip
        offset = np.array([*shift, 0.0])
        wall(site, a + offset, b + offset, 0, 0.1, board)


def _painted(site: Site, colours: tuple[Colour, ...], contrast: float = 0.012) -> Material:
    return Material(texture=rough(site.rng, site.one_of(colours), contrast=contrast), casts=False, wear=0.04)


_PALE: tuple[Colour, ...] = (
    (0.78, 0.77, 0.74),
    (0.74, 0.72, 0.66),
    (0.70, 0.73, 0.74),
    (0.76, 0.70, 0.64),
    (0.66, 0.70, 0.66),
)


def daylight_windows(rng: np.random.Generator) -> Texture:
    """Paint a front of tall windows, 4 m by 4 m, with bright sky and blurred green behind."""
    side = 256
    y = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    view = np.array((0.86, 0.92, 0.98), np.float32) * (1 - 0.1 * y) * np.ones((side, side, 1), np.float32)
    skyline = 0.5 + 0.03 * noise(rng, (1, side), 5, 3)[0][None, :, None]
    far = np.clip((y - skyline) * 12, 0, 1) * (0.75 + 0.1 * noise(rng, (side, side), 12, 2)[..., None])
    view = view * (1 - far) + far * np.array((0.42, 0.48, 0.36), np.float32)
    colours = cv2.GaussianBlur(view, (0, 0), 4)
    for k in range(0, side, side // 3):
        colours[:, k : k + 7] = 0.7
    colours[:8] = colours[-60:] = 0.72
    colours[90:96] = 0.7
    return Texture(picture(colours), (4.0, 4.0))


def mirror_panels(rng: np.random.Generator, height: float) -> Texture:
    """Paint a wall of mirrors as it looks from afar: a dull, bluish room with blurred lamps, and joints."""
    shape = (256, 512)
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    value: Field = 0.62 + 0.1 * np.cos(5 * y) + 0.04 * noise(rng, shape, 3, 3)
    for _ in range(7):
        x, row = int(rng.integers(0, shape[1])), int(rng.uniform(0.03, 0.25) * shape[0])
        cv2.ellipse(value, (x, row), (22, 4), 0, 0, 360, 1.1, -1)
    value = cv2.GaussianBlur(value, (0, 0), 5)
    value[int(0.7 * shape[0]) :] *= 0.8
    value = cv2.GaussianBlur(value, (0, 0), 3)
    colours = value[..., None] * np.array((0.86, 0.93, 0.97), np.float32)
    colours[:, ::128] *= 0.6
    colours[:, 1::128] *= 1.1
    return Texture(picture(colours, 0.3), (8.0, height))


def studio(rng: np.random.Generator) -> Place:
    """Make a dance studio: wooden floor, mirrors with a barre, windows or a curtain at the side."""
    site = Site.begin(rng)
    room = Room(half=site.pick(6.6, 10.0), back=site.pick(11.0, 17.0), height=site.pick(3.4, 4.8))
    mood = indoor_mood(rng, key=site.pick(0.3, 0.5))
    wood = site.one_of(((0.58, 0.42, 0.28), (0.66, 0.52, 0.36), (0.50, 0.37, 0.26), (0.46, 0.44, 0.42)))
    _floor(
        site,
        room,
        Material(
            texture=planks(rng, wood, width=site.pick(0.08, 0.16)), mirror=site.pick(0.5, 0.8), spacing=0.14, wear=0.06
        ),
    )
    _ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    plain_wall = _painted(site, _PALE)
    _walls(site, room, plain_wall)
    _ceiling_lamps(site, room, columns=int(rng.integers(2, 4)), step=2.4, size=(0.25, 1.4), tone=(1.0, 0.98, 0.93))
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
        _poster(site, room)
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
    near, far = np.array([x, _BEHIND, 0]), np.array([x, room.back - 0.6, 0])
    a, b = (near, far) if left else (far, near)
    if site.chance(0.7):
        wall(site, a, b, 0.5, min(room.height - 0.3, 3.4), glass)
    other = -x
    if site.chance(0.4):
        near, far = np.array([other * 0.985, _BEHIND, 0]), np.array([other * 0.985, room.back, 0])
        a, b = (far, near) if left else (near, far)
        cloth = site.one_of(((0.45, 0.2, 0.2), (0.3, 0.32, 0.38), (0.6, 0.56, 0.5)))
        wall(site, a, b, 0.02, room.height - 0.1, Material(texture=curtain(rng, cloth), casts=False, layer=2))
    _studio_things(site, room)
    walkable = (-room.half + 0.8, 1.5, room.half - 0.8, room.back - 0.7)
    return site.finish("studio", mood, walkable, room.back)


def _poster(site: Site, room: Room) -> None:
    """Hang abstract prints and a board with letters."""
    rng = site.rng
    for k in range(int(rng.integers(1, 4))):
        x = -room.half + (k + 0.5) * room.half / 1.6 + site.pick(-0.5, 0.5)
        shape = (128, 128)
        bands = np.sort(rng.uniform(0, shape[0], 5)).astype(int)
        colours = np.ones((*shape, 3)) * rng.uniform(0.45, 0.8, 3)
        for low, high in itertools.pairwise(bands):
            colours[low:high] = colours[low:high] * 0.6 + 0.4 * rng.uniform(0.2, 0.8, 3)
        colours[:5] = colours[-5:] = colours[:, :5] = colours[:, -5:] = 0.25
        wide = site.pick(0.8, 1.6)
        print_ = Material(texture=Texture(picture(colours.astype(np.float32))), layer=1, casts=False)
        a = np.array([x, room.back - 0.04, 0])
        wall(site, a, a + np.array([wide, 0, 0]), 1.3, 1.3 + site.pick(0.7, 1.2), print_)


def _speaker(site: Site, x: float, y: float, wide: float, height: float) -> None:
    shape = (128, 64)
    colours = np.full((*shape, 3), 0.1, np.float32)
    for row, radius in ((30, 14), (85, 24)):
        cv2.circle(colours, (32, row), radius, (0.17, 0.17, 0.18), -1)
        cv2.circle(colours, (32, row), radius // 2, (0.07, 0.07, 0.07), -1)
    front = Material(texture=Texture(picture(colours)))
    site.surfaces.box(
        (x - wide / 2, y - 0.25, 0), (x + wide / 2, y + 0.25, height), front, site.kit.paint.tinted((0.1, 0.1, 0.1))
    )
    site.obstacles.append(around(x, y, wide, 0.5))


def _studio_things(site: Site, room: Room) -> None:
    rng = site.rng
    if site.chance(0.6):
        _speaker(site, float(rng.choice([-1, 1])) * (room.half - 0.6), room.back - 0.6, 0.5, site.pick(0.7, 1.1))
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
    _floor(site, room, Material(texture=boards, mirror=site.pick(0.4, 0.8), spacing=0.14, wear=0.08))
    black = site.kit.paint.tinted((0.07, 0.07, 0.075))
    black = Material(texture=black.texture, tint=black.tint, casts=False)
    _walls(site, room, black)
    _ceiling(site, room, black)
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
            _speaker(site, side * (room.half - 1.9), 6.0, 0.7, 1.4)
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
    _floor(site, room, Material(texture=boards, mirror=site.pick(0.5, 0.85), spacing=0.14, wear=0.05))
    _lines(site, room)
    _ceiling(site, room, Material(texture=rough(rng, (0.7, 0.7, 0.7)), casts=False, spacing=1.0))
    upper = _painted(site, _PALE)
    _walls(site, room, upper)
    timber = Material(
        texture=planks(rng, site.one_of(((0.56, 0.42, 0.28), (0.5, 0.5, 0.48))), width=0.2), casts=False, layer=1
    )
    for a, b in (
        ((-room.half + 0.03, _BEHIND), (-room.half + 0.03, room.back)),
        ((room.half - 0.03, room.back), (room.half - 0.03, _BEHIND)),
        ((-room.half, room.back - 0.03), (room.half, room.back - 0.03)),
    ):
        wall(site, np.array([*a, 0.0]), np.array([*b, 0.0]), 0.1, 2.4, timber)
    glass = Material(texture=daylight_windows(rng), glow=1.1, casts=False, layer=1)
    if site.chance(0.75):
        x = -room.half + 0.05
        wall(site, np.array([x, _BEHIND, 0.0]), np.array([x, room.back, 0.0]), 3.2, room.height - 0.3, glass)
    _ceiling_lamps(site, room, columns=3, step=3.5, size=(0.5, 1.2), tone=(1.0, 1.0, 0.97), drop=0.3)
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


def floor_tiles(site: Site) -> Texture:
    """Draw polished tiles."""
    colour = site.one_of(
        ((0.7, 0.68, 0.63), (0.62, 0.62, 0.62), (0.56, 0.52, 0.47), (0.75, 0.73, 0.7), (0.45, 0.45, 0.46))
    )
    side = float(site.rng.choice([0.4, 0.6, 0.8, 1.2]))
    return slabs(
        site.rng, colour, size=(side, side), joint=0.006, spread=0.025, grain=0.02, joint_shade=0.75, metres=4.8
    )


def mall(rng: np.random.Generator) -> Place:
    """Make a shopping mall, seen along: shops at both sides on two floors, a polished floor, an escalator."""
    site = Site.begin(rng)
    room = Room(half=site.pick(7.5, 11), back=site.pick(36, 48), height=site.pick(8.0, 9.5))
    mood = indoor_mood(rng, level=1.0, key=site.pick(0.2, 0.35))
    _floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.6, 0.95), spacing=0.16, wear=0.04))
    band = Material(
        texture=site.kit.paint.texture, tint=(0.4, 0.37, 0.34), layer=1, casts=False, mirror=0.6, spacing=0.5
    )
    for x in (-room.half + 2.4, room.half - 2.6):
        site.surfaces.ground(x, _BEHIND, x + 0.2, room.back, band)
    pale = _painted(site, _PALE)
    _walls(site, room, pale)
    _ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.5))
    _ceiling_lamps(site, room, columns=3, step=3.2, size=(1.1, 1.1), tone=(1.0, 0.98, 0.94))
    shops = [Material(texture=shop_front(rng, site.one_of(_PALE), lit=1.7), gloss=0.25, casts=False) for _ in range(4)]
    signs = []
    for _ in range(4):
        dark = site.one_of(((0.2, 0.2, 0.22), (0.45, 0.2, 0.18), (0.2, 0.32, 0.38), (0.75, 0.73, 0.7)))
        ink = (0.9, 0.88, 0.85) if dark[0] < 0.6 else (0.25, 0.25, 0.28)
        signs.append(Material(texture=lettering(rng, dark, ink), layer=1, casts=False, spacing=1.0))
    y = _BEHIND
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
        site.surfaces.quad((x0, room.back, deck - 0.4), (x1 - x0, 0, 0), (0, _BEHIND - room.back, 0), slab)
        near, far = (
            np.array([side * (room.half - reach), _BEHIND, 0]),
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
    _floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.4, 0.8), spacing=0.16, wear=0.06))
    lower = slabs(
        rng, site.one_of(_PALE), size=(0.3, 0.15), joint=0.008, shift=0.5, spread=0.03, grain=0.02, metres=2.4
    )
    _walls(site, room, Material(texture=lower, gloss=0.12, casts=False))
    _ceiling(site, room, Material(texture=rough(rng, (0.66, 0.66, 0.65), contrast=0.02), casts=False, spacing=1.5))
    _ceiling_lamps(site, room, columns=4, step=3.0, size=(0.3, 2.0), tone=(1.0, 1.0, 0.96))
    tactile = slabs(rng, (0.62, 0.56, 0.36), size=(0.1, 0.1), joint=0.03, metres=2.4)
    line = Material(texture=tactile, layer=1, casts=False, spacing=0.4)
    shift = site.pick(-5, 5)
    site.surfaces.ground(shift, _BEHIND, shift + 0.4, room.back, line)
    pillar = Material(texture=slabs(rng, site.one_of(_PALE), size=(0.3, 0.3), spread=0.03, metres=2.4), spacing=0.3)
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
    _floor(site, room, Material(texture=ground, mirror=site.pick(0.5, 0.95), spacing=0.14, wear=0.05))
    pale = _painted(site, _PALE)
    _walls(site, room, pale)
    _ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    _ceiling_lamps(site, room, columns=2, step=2.4, size=(0.58, 1.18), tone=(1.0, 1.0, 0.97))
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
        a, b = np.array([-room.half + 0.04, _BEHIND, 0.0]), np.array([-room.half + 0.04, room.back, 0.0])
        wall(site, a, b, 3.4, 5.8, glass)
    ledge = Material(texture=site.kit.paint.texture, tint=(0.5, 0.49, 0.47), casts=False)
    for side in (-1, 1):
        low, high = sorted((side * room.half, side * (room.half - 0.12)))
        site.surfaces.box((low, _BEHIND, 2.75), (high, room.back, 2.95), ledge)
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
    _floor(site, room, Material(texture=floor_tiles(site), mirror=site.pick(0.6, 0.95), spacing=0.14, wear=0.04))
    _walls(site, room, _painted(site, _PALE))
    _ceiling(site, room, Material(texture=ceiling_tiles(rng), casts=False, spacing=1.0))
    _ceiling_lamps(site, room, columns=4, step=3.0, size=(0.6, 0.6), tone=(1.0, 0.98, 0.94))
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
