"""Houses along a street or around a square, and the far town behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsdmot.synthesis.world.facades import shop_front, windows
from vsdmot.synthesis.world.furniture import awning
from vsdmot.synthesis.world.materials import Colour, Material, Texture
from vsdmot.synthesis.world.site import Site
from vsdmot.synthesis.world.surfaces import Floats
from vsdmot.synthesis.world.textures import curtain, lettering, rough, slabs, stripes

BAY = 3.2
"""Width of a house's bay and height of its upper floors in metres."""

_WALLS: tuple[tuple[str, Colour], ...] = (
    ("plaster", (0.72, 0.68, 0.58)),
    ("plaster", (0.76, 0.74, 0.70)),
    ("plaster", (0.66, 0.58, 0.48)),
    ("plaster", (0.62, 0.64, 0.64)),
    ("plaster", (0.70, 0.62, 0.52)),
    ("brick", (0.50, 0.32, 0.25)),
    ("brick", (0.56, 0.44, 0.36)),
    ("panels", (0.62, 0.61, 0.58)),
    ("glass", (0.40, 0.44, 0.48)),
)
_SHOPS: tuple[Colour, ...] = (
    (0.32, 0.33, 0.34),
    (0.24, 0.30, 0.27),
    (0.52, 0.48, 0.42),
    (0.38, 0.24, 0.20),
    (0.22, 0.27, 0.34),
    (0.60, 0.58, 0.54),
)


@dataclass(frozen=True, eq=False)
class Fronts:
    """What the houses of a place are made of.

    Attributes:
        upper: Upper floors.
        walls: Ground floors' walls, one for each of ``upper``.
        shops: Shop fronts, 6.4 m wide.
        signs: Signs of shops.
        awnings: Cloth.
        roof: Tiles or sheets.
    """

    upper: list[Material]
    walls: list[Material]
    shops: list[Material]
    signs: list[Texture]
    awnings: list[Material]
    roof: Material


def make_fronts(site: Site, *, lit: float = 0.0, houses: int = 3) -> Fronts:
    """Paint the fronts for a place; ``lit`` is the share of windows with a lamp on."""
    rng = site.rng
    upper, walls = [], []
    for k in rng.choice(len(_WALLS), houses, replace=False):
        kind, colour = _WALLS[int(k)]
        tint = site.one_of([colour])
        upper.append(Material(texture=windows(rng, tint, kind=kind, lit=lit), gloss=0.55, spacing=0.6))
        texture = (
            rough(rng, tint, contrast=0.06)
            if kind != "brick"
            else slabs(rng, tint, size=(0.27, 0.09), joint=0.014, shift=0.5, spread=0.1, joint_shade=1.15, metres=3.2)
        )
        walls.append(Material(texture=texture, spacing=0.3))
    shops = [
        Material(texture=shop_front(rng, site.one_of(_SHOPS), lit=1.0 + 0.9 * (lit > 0.2)), gloss=0.5, spacing=0.4)
        for _ in range(3)
    ]
    signs = []
    for _ in range(4):
        ground = site.one_of(_SHOPS)
        light = site.pick(0.7, 0.85)
        signs.append(lettering(rng, ground, (light, light * 0.97, light * 0.9)))
    cloth = []
    for colour in ((0.5, 0.22, 0.18), (0.24, 0.34, 0.28), (0.72, 0.66, 0.54)):
        cloth.append(Material(texture=stripes(rng, colour, pitch=0.25, depth=0.1), two_sided=True))
    roof = stripes(rng, (0.42, 0.27, 0.21) if site.chance(0.6) else (0.3, 0.31, 0.33), pitch=0.3)
    return Fronts(upper, walls, shops, signs, cloth, Material(texture=roof, spacing=1.0))


def wall(site: Site, a: Floats, b: Floats, low: float, high: float, material: Material, *, once: bool = False) -> None:
    """Add an upright wall; its front is where ``a`` is on the left of ``b``."""
    points = np.array([[*a[:2], low], [*b[:2], low], [*b[:2], high], [*a[:2], high]])
    picture = None
    if material.texture.size is not None and not once:
        wide = float(np.linalg.norm(b[:2] - a[:2])) / material.texture.size[0]
        rise = material.texture.size[1]
        picture = np.array([[[0, low / rise], [wide, low / rise], [wide, high / rise], [0, high / rise]]])
    site.surfaces.add(points[None], material, picture=picture)


def house(
    site: Site, fronts: Fronts, a: Floats, b: Floats, *, floors: int, depth: float = 9.0, shops: bool = True
) -> None:
    """Add a house whose front goes from ``a`` on the left to ``b`` on the right."""
    rng = site.rng
    which = int(rng.integers(len(fronts.upper)))
    upper, plain_wall = fronts.upper[which], fronts.walls[which]
    along = (b - a) / np.linalg.norm(b - a)
    back = np.array([-along[1], along[0], 0.0]) * depth
    ground = 3.7
    top = ground + floors * BAY
    length = float(np.linalg.norm(b - a))
    shift = int(rng.integers(4)) / 4
    for start, end in ((a, b), (b, b + back), (a + back, a)):
        wide = float(np.linalg.norm(end - start)) / (4 * BAY)
        points = np.array([[*start[:2], ground], [*end[:2], ground], [*end[:2], top], [*start[:2], top]])
        tall = floors / 4
        flat = np.array([[shift, 0], [shift + wide, 0], [shift + wide, tall], [shift, tall]])
        site.surfaces.add(points[None], upper, picture=flat[None])
    wall(site, b, b + back, 0, ground, plain_wall)
    wall(site, a + back, a, 0, ground, plain_wall)
    _ground_floor(site, fronts, a, along, length, ground, upper, plain_wall, shops)
    out = -back / depth
    tint = site.kit.stone.tinted((0.6, 0.58, 0.55))
    _ledge(site, a, b, out, ground - 0.12, 0.2, 0.12, tint)
    _ledge(site, a, b, out, top - 0.05, 0.35, 0.3, tint)
    if site.chance(0.6):
        ridge = np.array([0, 0, 0.32 * depth])
        eaves = np.array([0, 0, top + 0.2])
        points = np.stack([a + out * 0.4 + eaves, b + out * 0.4 + eaves, b + back / 2 + eaves + ridge])
        points = np.concatenate([points, (a + back / 2 + eaves + ridge)[None]])
        site.surfaces.add(points[None], fronts.roof)


def _ledge(
    site: Site, a: Floats, b: Floats, out: Floats, low: float, height: float, reach: float, material: Material
) -> None:
    """Add a moulding along a front."""
    p, q = a + out * reach, b + out * reach
    wall(site, p, q, low, low + height, material)
    top = np.array([0, 0, low + height])
    site.surfaces.add(np.stack([p + top, q + top, b + top, a + top])[None], material)
    under = np.array([0, 0, low])
    site.surfaces.add(np.stack([a + under, b + under, q + under, p + under])[None], material)


def _ground_floor(
    site: Site,
    fronts: Fronts,
    a: Floats,
    along: Floats,
    length: float,
    ground: float,
    upper: Material,
    plain_wall: Material,
    shops: bool,
) -> None:
    rng = site.rng
    wide = 2 * BAY
    number = int(length / wide + 0.01) if shops else 0
    margin = (length - number * wide) / 2
    out = np.array([along[1], -along[0], 0.0])
    if number == 0 or margin > 0.05:
        edges = [(0.0, length)] if number == 0 else [(0.0, margin), (length - margin, length)]
        for start, end in edges:
            p, q = a + start * along, a + end * along
            if number == 0:
                _windows_below(site, p, q, ground, upper, plain_wall)
            else:
                wall(site, p, q, 0, ground, plain_wall)
    for k in range(number):
        p, q = a + (margin + k * wide) * along, a + (margin + (k + 1) * wide) * along
        wall(site, p, q, 3.1, ground, plain_wall)
        wall(site, p, p + 0.35 * along, 0, 3.1, plain_wall)
        wall(site, q - 0.35 * along, q, 0, 3.1, plain_wall)
        inner_p, inner_q = p + 0.35 * along - 0.12 * out, q - 0.35 * along - 0.12 * out
        wall(site, inner_p, inner_q, 0, 3.1, fronts.shops[int(rng.integers(len(fronts.shops)))], once=True)
        sign = Material(texture=fronts.signs[int(rng.integers(len(fronts.signs)))], spacing=0.6)
        start = site.pick(0.4, 0.8)
        s, e = p + start * along + 0.06 * out, q - start * along + 0.06 * out
        wall(site, s, e, 3.05, 3.55, sign, once=True)
        _ledge(site, s - 0.06 * out, e - 0.06 * out, out, 3.55, 0.03, 0.08, site.kit.paint.tinted((0.2, 0.2, 0.2)))
        if site.chance(0.3):
            cloth = fronts.awnings[int(rng.integers(len(fronts.awnings)))]
            awning(site.surfaces, p + 0.4 * along, q - 0.4 * along, 2.6, 1.2, cloth)


def _windows_below(site: Site, a: Floats, b: Floats, ground: float, upper: Material, plain_wall: Material) -> None:
    """Add a ground floor without shops: plinth, windows, doors."""
    length = float(np.linalg.norm(b - a))
    along, plinth = (b - a) / length, ground - BAY
    points = np.array([[*a[:2], plinth], [*b[:2], plinth], [*b[:2], ground], [*a[:2], ground]])
    wide = length / (4 * BAY)
    flat = np.array([[0.0, 0.25], [wide, 0.25], [wide, 0.5], [0.0, 0.5]])
    site.surfaces.add(points[None], upper, picture=flat[None])
    out = np.array([along[1], -along[0], 0.0])
    dark = Material(texture=plain_wall.texture, tint=(0.7, 0.7, 0.7), spacing=0.4)
    wall(site, a + 0.06 * out, b + 0.06 * out, 0, plinth, dark)
    top = np.array([0, 0, plinth])
    site.surfaces.add(np.stack([a + 0.06 * out + top, b + 0.06 * out + top, b + top, a + top])[None], dark)
    door = site.one_of(_SHOPS)
    for k in range(1, int(length / BAY), 4):
        p = a + (k * BAY - 0.65) * along + 0.08 * out
        wall(site, p, p + 1.3 * along, 0, 2.45, site.kit.stone.tinted((0.5, 0.49, 0.47)))
        p = p + 0.12 * along + 0.01 * out
        wall(site, p, p + 1.06 * along, 0, 2.3, site.kit.metal.tinted(door))
        p = p + 0.15 * along + 0.01 * out
        wall(site, p, p + 0.76 * along, 1.2, 2.1, site.kit.metal.tinted((0.1, 0.11, 0.12)))


def row_of_houses(
    site: Site, fronts: Fronts, start: Floats, along: Floats, length: float, *, shops: bool = True, low: int = 2
) -> None:
    """Add houses side by side along a line of fronts, until it is filled."""
    done = 0.0
    while done < length - 2 * BAY:
        bays = int(site.rng.integers(3, 7))
        wide = bays * BAY
        house(site, fronts, start + done * along, start + (done + wide) * along,
              floors=int(site.rng.integers(low, low + 3)), shops=shops)  # fmt: skip
        done += wide


def far_town(site: Site, fronts: Fronts, *, nearest: float = 70.0) -> None:
    """Close the horizon on all sides that a camera sees: blocks of houses and rows of trees."""
    rng = site.rng
    for turn in np.arange(-80, 81, 8):
        away = nearest * rng.uniform(1.0, 1.7)
        angle = np.deg2rad(turn + rng.uniform(-3, 3))
        x, y = away * np.sin(angle), away * np.cos(angle)
        right, forward = np.array([np.cos(angle), -np.sin(angle), 0]), np.array([np.sin(angle), np.cos(angle), 0])
        middle = np.array([x, y, 0.0])
        if rng.random() < 0.75:
            wide, floors = BAY * int(rng.integers(4, 9)), int(rng.integers(3, 7))
            a, b = middle - right * wide / 2, middle + right * wide / 2
            material = fronts.upper[int(rng.integers(len(fronts.upper)))]
            wall(site, a, b, 0, floors * BAY, material)
            wall(site, b, b + 12 * forward, 0, floors * BAY, material)
            wall(site, a + 12 * forward, a, 0, floors * BAY, material)
        for _ in range(2):
            spot = middle + right * rng.uniform(-9, 9) - forward * rng.uniform(3, 9)
            far_tree(site, spot, rng.uniform(6, 10))


def far_tree(site: Site, spot: Floats, height: float) -> None:
    """Add a tree of a few cards, for a distance."""
    for k in range(5):
        size = height * site.pick(0.45, 0.62)
        x = spot[0] + (k - 2) * 0.16 * height
        low = height * site.pick(0.18, 0.4)
        points = np.array([[x - size / 2, spot[1], low], [x + size / 2, spot[1], low]])
        points = np.concatenate([points, points[::-1] + np.array([0, 0, size])])
        normals = np.broadcast_to(np.array([(k - 2) * 0.25, -0.6, 0.6]), (1, 4, 3))
        site.surfaces.add(points[None], site.kit.leaves, normals=normals)
    foot = (spot[0] - 0.15, spot[1], 0.0)
    site.surfaces.quad(foot, (0.3, 0.0, 0.0), (0.0, 0.0, 0.5 * height), site.kit.bark)


def cloth_wall(site: Site, a: Floats, b: Floats, height: float, colour: Colour) -> None:
    """Hang a curtain along a line."""
    wall(site, a, b, 0.0, height, Material(texture=curtain(site.rng, colour)))
