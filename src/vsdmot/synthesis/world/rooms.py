"""What rooms are made of: floors, walls, ceilings with lamps, daylight, mirrors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot.synthesis.world.buildings import wall
from vsdmot.synthesis.world.kit import around
from vsdmot.synthesis.world.materials import Colour, Material, Texture
from vsdmot.synthesis.world.site import Site
from vsdmot.synthesis.world.textures import Field, noise, picture, rough, slabs

BEHIND = -7.0
"""y at which rooms end behind the viewer."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """Inner measures of a room in metres: x from -half to half, y up to back, z up to height."""

    half: float
    back: float
    height: float


def lay_floor(site: Site, room: Room, material: Material) -> None:
    """Cover the floor."""
    site.surfaces.ground(-room.half, BEHIND, room.half, room.back, material)


def hang_ceiling(site: Site, room: Room, material: Material) -> None:
    """Close the room above; from above it cannot be seen."""
    r, g, b = material.tint
    material = material.tinted((1.45 * r, 1.45 * g, 1.45 * b))  # it gets more light from its lamps than from the floor
    z = room.height
    wide, deep = 2 * room.half, room.back - BEHIND
    site.surfaces.quad((-room.half, room.back, z), (wide, 0, 0), (0, -deep, 0), material)


def hang_lamps(
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


def raise_walls(site: Site, room: Room, sides: Material, back: Material | None = None) -> None:
    """Close the room on three sides, with skirting boards."""
    left_near, left_far = np.array([-room.half, BEHIND, 0]), np.array([-room.half, room.back, 0])
    right_near, right_far = np.array([room.half, BEHIND, 0]), np.array([room.half, room.back, 0])
    wall(site, left_near, left_far, 0, room.height, sides)
    wall(site, right_far, right_near, 0, room.height, sides)
    wall(site, left_far, right_far, 0, room.height, back or sides)
    board = site.kit.paint.tinted((0.3, 0.29, 0.28))
    for a, b, shift in (
        (left_near, left_far, (0.02, 0)), (right_far, right_near, (-0.02, 0)), (left_far, right_far, (0, -0.02)),
    ):  # fmt: skip
        offset = np.array([*shift, 0.0])
        wall(site, a + offset, b + offset, 0, 0.1, board)


def painted(site: Site, colours: tuple[Colour, ...], contrast: float = 0.012) -> Material:
    """Draw one of some colours of paint; walls do not keep light from a room whose lamps hang between them."""
    return Material(texture=rough(site.rng, site.one_of(colours), contrast=contrast), casts=False, wear=0.04)


PALE: tuple[Colour, ...] = (
    (0.78, 0.77, 0.74),
    (0.74, 0.72, 0.66),
    (0.70, 0.73, 0.74),
    (0.76, 0.70, 0.64),
    (0.66, 0.70, 0.66),
)
"""Paint of walls."""


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


def hang_prints(site: Site, room: Room) -> None:
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


def speaker(site: Site, x: float, y: float, wide: float, height: float) -> None:
    """Put a loudspeaker."""
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


def floor_tiles(site: Site) -> Texture:
    """Draw polished tiles."""
    colour = site.one_of(
        ((0.7, 0.68, 0.63), (0.62, 0.62, 0.62), (0.56, 0.52, 0.47), (0.75, 0.73, 0.7), (0.45, 0.45, 0.46))
    )
    side = float(site.rng.choice([0.4, 0.6, 0.8, 1.2]))
    return slabs(
        site.rng, colour, size=(side, side), joint=0.006, spread=0.025, grain=0.02, joint_shade=0.75, metres=4.8
    )
