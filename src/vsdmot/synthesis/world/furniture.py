"""Things that stand about: benches, bins, lamps, tables, railings; each returns the ground it takes."""

from __future__ import annotations

from math import cos, pi, sin

import cv2
import numpy as np

from vsdmot.synthesis.world.kit import Footprint, Kit, around, block
from vsdmot.synthesis.world.materials import Colour, Material, Texture
from vsdmot.synthesis.world.place import Seat
from vsdmot.synthesis.world.surfaces import Floats, Surfaces
from vsdmot.synthesis.world.textures import picture


def bench(
    surfaces: Surfaces, kit: Kit, x: float, y: float, angle: float, *, back: bool = True
) -> tuple[Footprint, list[Seat]]:
    """Add a bench 1.8 m long, for two or three; at angle 0 one sits facing -y."""
    at = (x, y)
    for side in (-0.7, 0.62):
        block(surfaces, at, angle, (side, -0.2, 0.0), (side + 0.08, 0.2, 0.42), kit.metal.tinted((0.22, 0.23, 0.24)))
    for row in range(3):
        front = -0.22 + 0.15 * row
        block(surfaces, at, angle, (-0.9, front, 0.42), (0.9, front + 0.13, 0.46), kit.wood)
    if back:
        for side in (-0.7, 0.62):
            block(surfaces, at, angle, (side, 0.2, 0.3), (side + 0.06, 0.25, 0.82), kit.metal.tinted((0.2, 0.2, 0.22)))
        for row in range(2):
            low = 0.52 + 0.17 * row
            block(surfaces, at, angle, (-0.9, 0.18, low), (0.9, 0.22, low + 0.13), kit.wood)
    seats = [
        Seat(x=x + s * cos(angle), y=y + s * sin(angle), height=0.46, facing=angle - pi / 2) for s in (-0.5, 0.15, 0.62)
    ]
    return around(x, y, 1.9, 0.6, angle), seats


def bin_(surfaces: Surfaces, kit: Kit, x: float, y: float, rng: np.random.Generator) -> Footprint:
    """Add a litter bin, square or round."""
    tint = [(0.25, 0.28, 0.26), (0.35, 0.36, 0.37), (0.3, 0.27, 0.22)][int(rng.integers(3))]
    paint = kit.metal.tinted(tint)
    if rng.random() < 0.5:
        surfaces.column(x, y, 0.05, 0.85, 0.24, paint, sides=10, lid=kit.paint.tinted((0.08, 0.08, 0.08)))
        surfaces.column(x, y, 0.85, 0.9, 0.26, paint, sides=10)
    else:
        surfaces.box((x - 0.25, y - 0.2, 0.0), (x + 0.25, y + 0.2, 0.95), paint)
        surfaces.box((x - 0.18, y - 0.205, 0.68), (x + 0.18, y - 0.2, 0.8), kit.paint.tinted((0.05, 0.05, 0.05)))
    return around(x, y, 0.55, 0.55)


def bollards(surfaces: Surfaces, kit: Kit, x0: float, x1: float, y: float, step: float = 1.6) -> list[Footprint]:
    """Add a row of low posts."""
    taken = []
    for x in np.arange(x0, x1, step):
        surfaces.column(x, y, 0.0, 0.8, 0.06, kit.metal.tinted((0.3, 0.31, 0.32)), sides=8, lid=kit.paint)
        taken.append(around(float(x), y, 0.2, 0.2))
    return taken


def lamp_post(surfaces: Surfaces, kit: Kit, x: float, y: float, *, height: float = 5.5, lit: bool = False) -> Footprint:
    """Add a street lamp with an arm."""
    grey = kit.metal.tinted((0.36, 0.38, 0.39))
    surfaces.column(x, y, 0.0, 0.9, 0.09, grey, sides=8)
    surfaces.column(x, y, 0.9, height, 0.055, grey, sides=6)
    surfaces.box((x - 0.05, y - 1.0, height), (x + 0.05, y + 0.05, height + 0.06), grey)
    surfaces.box((x - 0.12, y - 1.3, height - 0.02), (x + 0.12, y - 0.7, height + 0.1), grey)
    glow = Material(texture=kit.paint.texture, glow=1.45 if lit else 0.75, tint=(1.0, 0.93, 0.8))
    surfaces.quad((x - 0.1, y - 0.75, height - 0.03), (0.2, 0, 0), (0, -0.5, 0), glow)
    return around(x, y, 0.3, 0.3)


def table_set(
    surfaces: Surfaces, kit: Kit, x: float, y: float, rng: np.random.Generator, *, parasol: bool = False
) -> tuple[Footprint, list[Seat]]:
    """Add a round table with two chairs, perhaps under a parasol."""
    dark = kit.metal.tinted((0.2, 0.2, 0.21))
    top = kit.paint.tinted((0.62, 0.58, 0.52))
    surfaces.column(x, y, 0.0, 0.72, 0.04, dark, sides=6)
    surfaces.column(x, y, 0.72, 0.75, 0.36, top, sides=12, lid=top)
    surfaces.column(x, y, 0.0, 0.03, 0.22, dark, sides=8, lid=dark)
    start = rng.uniform(0, pi)
    seats = []
    for k in range(2):
        turn = start + pi * k + rng.uniform(-0.3, 0.3)
        cx, cy = x + 0.72 * cos(turn), y + 0.72 * sin(turn)
        chair(surfaces, kit, cx, cy, turn - pi / 2)
        seats.append(Seat(x=cx, y=cy, height=0.45, facing=turn + pi))
    if parasol:
        surfaces.column(x, y, 0.7, 2.3, 0.025, dark, sides=6)
        tint = float(rng.uniform(0.75, 0.9))
        cloth = Material(texture=kit.paint.texture, tint=(tint, 0.95 * tint, 0.85 * tint), two_sided=True)
        surfaces.column(x, y, 2.05, 2.55, 1.3, cloth, top_radius=0.02, sides=8)
    return around(x, y, 1.9, 1.9), seats


def chair(surfaces: Surfaces, kit: Kit, x: float, y: float, angle: float, tint: Colour = (0.55, 0.53, 0.5)) -> Seat:
    """Add a chair; at angle 0 one sits facing -y."""
    frame, wood, at = kit.metal.tinted((0.5, 0.5, 0.52)), kit.paint.tinted(tint), (x, y)
    for leg_x in (-0.2, 0.17):
        for leg_y in (-0.2, 0.17):
            block(surfaces, at, angle, (leg_x, leg_y, 0.0), (leg_x + 0.03, leg_y + 0.03, 0.43), frame)
    block(surfaces, at, angle, (-0.21, -0.21, 0.43), (0.21, 0.21, 0.46), wood)
    block(surfaces, at, angle, (-0.2, 0.18, 0.46), (-0.17, 0.21, 0.66), frame)
    block(surfaces, at, angle, (0.17, 0.18, 0.46), (0.2, 0.21, 0.66), frame)
    block(surfaces, at, angle, (-0.21, 0.17, 0.62), (0.21, 0.21, 0.85), wood)
    return Seat(x=x, y=y, height=0.46, facing=angle - pi / 2)


def railing_texture(rng: np.random.Generator) -> Texture:
    """Cut a railing of 2 m by 1 m out: rails and bars."""
    cover = np.zeros((128, 256), np.float32)
    cover[2:9] = cover[112:118] = 1
    step = int(rng.choice([16, 32]))
    for x in range(0, 256, step):
        cover[:, x : x + 4] = 1
    cover[:, :7] = 1
    return Texture(picture(np.full((128, 256, 3), 0.5, np.float32), cover), (2.0, 1.0), cut=True)


def railing(
    surfaces: Surfaces,
    texture: Texture,
    start: tuple[float, float],
    end: tuple[float, float],
    tint: Colour = (0.7, 0.72, 0.74),
) -> Footprint:
    """Add a railing 1 m high between two places."""
    along = (end[0] - start[0], end[1] - start[1], 0.0)
    surfaces.quad((*start, 0.0), along, (0, 0, 1.0), Material(texture=texture, tint=tint))
    low, high = np.minimum(start, end), np.maximum(start, end)
    return float(low[0]) - 0.1, float(low[1]) - 0.1, float(high[0]) + 0.1, float(high[1]) + 0.1


def bicycle_texture(rng: np.random.Generator) -> Texture:
    """Cut a bicycle of 1.75 m by 1.05 m out."""
    shape = (256, 512)
    colours = np.full((*shape, 3), 0.12, np.float32)
    cover = np.zeros(shape, np.uint8)
    scale = 512 / 1.75
    paint = tuple(float(c) for c in rng.uniform(0.15, 0.6, 3))

    def at(x: float, z: float) -> tuple[int, int]:
        return int(x * scale), int(256 - z * 256 / 1.05)

    def line(a: tuple[float, float], b: tuple[float, float], thick: int, colour: tuple[float, ...]) -> None:
        cv2.line(cover, at(*a), at(*b), 1, thick)
        cv2.line(colours, at(*a), at(*b), colour, thick)

    for x in (0.35, 1.38):
        cv2.ellipse(cover, at(x, 0.35), (int(0.335 * scale), int(0.335 * 256 / 1.05)), 0, 0, 360, 1, 9)
        for turn in np.arange(0, pi, pi / 7):
            spoke = 0.32 * cos(turn), 0.32 * sin(turn)
            line((x - spoke[0], 0.35 - spoke[1]), (x + spoke[0], 0.35 + spoke[1]), 1, (0.4, 0.4, 0.4))
    crank, seat, head = (0.78, 0.32), (0.62, 0.88), (1.22, 0.82)
    for a, b in (
        (crank, seat),
        (crank, head),
        ((0.66, 0.76), head),
        ((0.35, 0.35), crank),
        ((0.35, 0.35), (0.66, 0.76)),
        ((1.38, 0.35), (1.2, 0.95)),
    ):
        line(a, b, 8, paint)
    line((1.06, 0.99), (1.24, 0.95), 8, (0.15, 0.15, 0.15))
    line((0.52, 0.9), (0.74, 0.9), 14, (0.1, 0.1, 0.1))
    return Texture(picture(colours, cover.astype(np.float32)), None, cut=True)


def bicycle(surfaces: Surfaces, texture: Texture, x: float, y: float, angle: float) -> Footprint:
    """Add a parked bicycle."""
    half = 0.875 * np.array([cos(angle), sin(angle), 0.0])
    middle = np.array([x, y, 0.0])
    points = np.stack([middle - half, middle + half, middle + half, middle - half])
    points[2:, 2] = 1.05
    surfaces.add(points[None], Material(texture=texture))
    return around(x, y, 1.75, 0.3, angle)


def road_sign(surfaces: Surfaces, kit: Kit, x: float, y: float, rng: np.random.Generator) -> Footprint:
    """Add a traffic sign on a thin pole: a square or an oblong plate, never a round one, which looks like a head."""
    grey = kit.metal.tinted((0.5, 0.52, 0.53))
    surfaces.column(x, y, 0.0, 2.9, 0.03, grey, sides=6)
    tint = [(0.12, 0.25, 0.55), (0.75, 0.72, 0.66), (0.1, 0.4, 0.3)][int(rng.integers(3))]
    wide = float(rng.choice([0.6, 0.9]))
    surfaces.box((x - wide / 2, y - 0.06, 2.3), (x + wide / 2, y - 0.04, 2.9), kit.paint.tinted((0.85, 0.85, 0.85)))
    surfaces.box((x - wide / 2 + 0.03, y - 0.065, 2.33), (x + wide / 2 - 0.03, y - 0.06, 2.87), kit.paint.tinted(tint))
    surfaces.box((x - 0.1, y - 0.07, 2.45), (x + 0.12, y - 0.065, 2.75), kit.paint.tinted((0.8, 0.8, 0.8)))
    return around(x, y, 0.2, 0.2)


def awning(surfaces: Surfaces, a: Floats, b: Floats, height: float, reach: float, material: Material) -> None:
    """Add a sloping cloth roof over a shop between two points of its wall, which is seen from a on the left to b."""
    along = b - a
    outwards = np.array([along[1], -along[0], 0.0]) / np.linalg.norm(along)
    low = a + reach * outwards + np.array([0, 0, height])
    surfaces.quad(low, along, -reach * outwards + np.array([0, 0, 0.45 * reach]), material)
    surfaces.quad(low - np.array([0, 0, 0.25]), along, (0, 0, 0.25), material)
