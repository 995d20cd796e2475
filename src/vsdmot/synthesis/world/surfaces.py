"""Collect the textured surfaces of a place, and turn them into what the compiled drawing reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.lighting import Exposure, Lamp, illuminate
from vsdmot.synthesis.world.materials import Material, pyramids
from vsdmot.synthesis.world.mesh import Mesh

Floats = NDArray[np.float64]

Vector = Sequence[float] | Floats

_MOST_LIGHT_SAMPLES = 320  # along a side; a ground of 40 m then has one every 12 cm
_SEAM = 1e-7  # by which surfaces overlap, so that no pixel falls between two that share an edge
_UNIT = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@dataclass(frozen=True, eq=False)
class _Batch:
    points: Floats  # (K, 4, 3)
    picture: Floats  # (K, 4, 2)
    normals: Floats  # (K, 4, 3)
    material: Material


@dataclass(eq=False)
class Surfaces:
    """The surfaces of a place while it is built."""

    batches: list[_Batch] = field(default_factory=list)

    def add(
        self, points: Floats, material: Material, *, picture: Floats | None = None, normals: Floats | None = None
    ) -> None:
        """Add convex flat surfaces, counter-clockwise as seen from the front.

        Args:
            points: ``(K, 4, 3)`` corners; a triangle repeats its last one.
            material: Their look.
            picture: ``(K, 4, 2)`` where each corner lies in the texture, right and up, 1 being its side; affine. None
                puts the first corner at its lower left and the second at its lower right, as often as its size says.
            normals: ``(K, 4, 3)`` unit normals that they seem to have; None is flat.
        """
        if picture is None:
            picture = np.broadcast_to(_UNIT, (*points.shape[:2], 2)).copy()
            if material.texture.size is not None:
                wide = np.linalg.norm(points[:, 1] - points[:, 0], axis=1) / material.texture.size[0]
                high = np.linalg.norm(points[:, 3] - points[:, 0], axis=1) / material.texture.size[1]
                picture *= np.stack([wide, high], axis=1)[:, None]
        if normals is None:
            flat = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
            flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
            normals = np.broadcast_to(flat[:, None], points.shape)
        self.batches.append(_Batch(points, picture, normals, material))

    def quad(self, origin: Vector, right: Vector, up: Vector, material: Material) -> None:
        """Add a parallelogram from its lower left corner; its front is where ``right`` is to the right."""
        o, r, u = np.array(origin, float), np.array(right, float), np.array(up, float)
        self.add(np.stack([o, o + r, o + r + u, o + u])[None], material)

    def ground(self, x0: float, y0: float, x1: float, y1: float, material: Material, z: float = 0.0) -> None:
        """Add level ground; a repeating texture is in step with that of ground beside it."""
        corners = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
        size = material.texture.size
        self.add(corners[None], material, picture=None if size is None else (corners[:, :2] / size)[None])

    def box(
        self,
        low: Sequence[float],
        high: Sequence[float],
        material: Material,
        top: Material | None = None,
        angle: float = 0.0,
    ) -> None:
        """Add the five visible sides of an upright box.

        Args:
            low: Least x, y, z.
            high: Greatest x, y, z.
            material: Of its sides.
            top: Of its upper side; None is the same.
            angle: By which it is turned about its middle, counter-clockwise, radians.
        """
        (x0, y0, z0), (x1, y1, z1) = low, high
        a, b, c, d = (x0, y0), (x1, y0), (x1, y1), (x0, y1)
        sides = [[(*p, z0), (*q, z0), (*q, z1), (*p, z1)] for p, q in ((a, b), (b, c), (c, d), (d, a))]
        lid = [[(*p, z1) for p in (a, b, c, d)]]
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 0.0])
        self.add(turned(np.array(sides, float), angle, middle), material)
        self.add(turned(np.array(lid, float), angle, middle), top or material)

    def column(
        self,
        x: float,
        y: float,
        z0: float,
        z1: float,
        radius: float,
        material: Material,
        *,
        top_radius: float | None = None,
        sides: int = 8,
        lid: Material | None = None,
    ) -> None:
        """Add a round column or cone, smooth to light, with an optional lid."""
        angles = np.arange(sides + 1) * 2 * np.pi / sides
        around = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
        low = np.array([x, y, z0]) + radius * around
        high = np.array([x, y, z1]) + (radius if top_radius is None else top_radius) * around
        points = np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1)
        normals = np.stack([around[:-1], around[1:], around[1:], around[:-1]], axis=1)
        picture = None
        if material.texture.size is None:
            shares = np.arange(sides + 1) / sides
            zero, one = np.zeros(sides), np.ones(sides)
            picture = np.stack(
                [np.stack([shares[i : sides + i], e], axis=1) for i, e in ((0, zero), (1, zero), (1, one), (0, one))],
                axis=1,
            )
        if top_radius is not None and top_radius != radius:  # a trapezoid's texture would not be affine
            picture = np.broadcast_to(np.array([[0.5, 0.5]]), (sides, 4, 2)) + 0.2 * (_UNIT - 0.5)
            points, normals, picture = _triangles(points, normals, picture)
        self.add(points, material, normals=normals, picture=picture)
        if lid is not None:
            middle = np.array([x, y, z1])
            fan = np.stack([np.broadcast_to(middle, (sides, 3)), high[:-1], high[1:], high[1:]], axis=1)
            flat = (fan[..., :2] - middle[:2]) / (2.01 * max(radius, top_radius or 0)) + 0.5
            self.add(fan, lid, picture=flat)

    def bake(
        self,
        light: Light,
        sky: NDArray[np.float32],
        haze: NDArray[np.float32],
        lamps: Sequence[Lamp] = (),
        softness: float = 0.0,
    ) -> tuple[Mesh, Exposure]:
        """Compute the light on everything and give the place as it will be drawn, and where the light reaches.

        Args:
            light: Far source and light from all sides.
            sky: As in `Mesh`.
            haze: As in `Mesh`.
            lamps: Near sources.
            softness: Radius in metres over which the edges of the far source's shadows are blurred.
        """
        batches = self.batches
        points = np.concatenate([b.points for b in batches])
        picture = np.concatenate([b.picture for b in batches])
        normals = np.concatenate([b.normals for b in batches])
        owner = np.repeat(np.arange(len(batches)), [len(b.points) for b in batches])
        materials = [b.material for b in batches]
        textures = list({id(m.texture): m.texture for m in materials}.values())
        index = {id(texture): i for i, texture in enumerate(textures)}
        texels, levels = pyramids(textures)

        low, high = picture.min(axis=1), picture.max(axis=1)
        span = np.maximum(high - low, 1e-9)
        own = (picture - low[:, None]) / span[:, None]  # u, v of the corners
        basis = np.concatenate([own, np.ones((*own.shape[:2], 1))], axis=2)
        inverse = np.linalg.pinv(basis)  # (N, 3, 4)
        along = inverse @ points  # rows: point at u v = 00 is the third, its growth the first two
        smooth = inverse @ normals
        growth = along[:, :2]
        duals = np.linalg.pinv(growth).transpose(0, 2, 1)  # (N, 2, 3)
        plane = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        plane /= np.maximum(np.linalg.norm(plane, axis=1, keepdims=True), 1e-12)
        frames = np.concatenate([plane[:, None], duals], axis=1)
        offsets = np.einsum("nij,nj->ni", frames, along[:, 2])
        frames = np.concatenate([frames, offsets[..., None]], axis=2)

        step = np.roll(own, -1, axis=1) - own
        inwards = np.stack([-step[..., 1], step[..., 0]], axis=-1)
        turn = np.sign(step[:, 0, 0] * step[:, 1, 1] - step[:, 0, 1] * step[:, 1, 0])
        inwards *= turn[:, None, None]
        constant = -(inwards * own).sum(axis=2) + _SEAM
        edges = np.concatenate([inwards, constant[..., None]], axis=2)

        spacing = np.array([m.spacing for m in materials])[owner]
        counts = np.ceil(np.linalg.norm(growth, axis=2) / spacing[:, None]).astype(np.int64) + 1
        counts = counts.clip(2, _MOST_LIGHT_SAMPLES)
        glow = np.array([m.glow for m in materials])[owner]
        wear = np.array([m.wear for m in materials])[owner]
        counts[glow > 0] = 1
        sizes = counts.prod(axis=1)
        kind = np.zeros((len(points), 7), np.int64)
        kind[:, 0] = np.array([index[id(m.texture)] for m in materials])[owner]
        kind[:, 1] = np.array([m.layer for m in materials])[owner]
        kind[:, 2] = np.array([m.texture.cut for m in materials])[owner]
        kind[:, 3] = np.array([m.two_sided or m.texture.cut for m in materials])[owner]
        kind[:, 4] = np.cumsum(sizes) - sizes
        kind[:, 5:] = counts
        skin = np.zeros((len(points), 9), np.float32)
        skin[:, 0], skin[:, 1] = span[:, 0], low[:, 0] % 1
        skin[:, 2], skin[:, 3] = -span[:, 1], -low[:, 1] % 1
        once = np.array([m.texture.size is None for m in materials])[owner]
        skin[once, 1], skin[once, 3] = low[once, 0], 1 - low[once, 1]
        skin[:, 4:7] = np.array([m.tint for m in materials])[owner]
        skin[:, 7] = np.array([m.gloss for m in materials])[owner]
        skin[:, 8] = np.array([m.mirror for m in materials])[owner]
        at_corners = np.stack([smooth[:, 2], smooth[:, 2] + smooth[:, 0], smooth[:, 2] + smooth[:, 1]], axis=1)
        at_corners = np.concatenate([at_corners, smooth.sum(axis=1)[:, None]], axis=1)
        at_corners /= np.maximum(np.linalg.norm(at_corners, axis=2, keepdims=True), 1e-9)
        mesh = Mesh(
            corners=np.ascontiguousarray(points),
            frames=np.ascontiguousarray(frames),
            edges=np.ascontiguousarray(edges),
            skin=skin,
            kind=kind,
            normals=at_corners.astype(np.float32),
            light=np.zeros((int(sizes.sum()), 3), np.float32),
            texels=texels,
            levels=levels,
            sky=sky,
            haze=haze,
        )
        casts = np.array([m.casts for m in materials])[owner]
        exposure = illuminate(mesh, np.ascontiguousarray(along), glow, wear, casts, light, lamps, softness)
        return mesh, exposure


def turned(points: Floats, angle: float, middle: Floats) -> Floats:
    """Turn points about an upright axis through a point, counter-clockwise as seen from above."""
    if angle == 0:
        return points
    c, s = np.cos(angle), np.sin(angle)
    turned_points: Floats = (points - middle) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + middle
    return turned_points


def _triangles(points: Floats, normals: Floats, picture: Floats) -> tuple[Floats, Floats, Floats]:
    """Split four-cornered surfaces."""
    halves = [(0, 1, 2, 2), (0, 2, 3, 3)]
    first, second, third = (np.concatenate([a[:, h] for h in halves]) for a in (points, normals, picture))
    return first, second, third
