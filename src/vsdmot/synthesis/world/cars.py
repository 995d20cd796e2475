"""Parked cars: a smooth body lofted along its length, painted from the side, front and back."""

from __future__ import annotations

from math import cos, sin

import cv2
import numpy as np

from vsdmot.synthesis.world.kit import Footprint, Kit, around, moved
from vsdmot.synthesis.world.materials import Colour, Material, Texture
from vsdmot.synthesis.world.surfaces import Floats, Surfaces
from vsdmot.synthesis.world.textures import Field, picture

# Height of roof line, of the line under the windows, and half the width at stations along the length, from the front.
_STATIONS = {
    "saloon": np.array(
        [  # along, top, belt, half width at belt, half width at top
            [0.00, 0.66, 0.56, 0.74, 0.66],
            [0.03, 0.74, 0.66, 0.82, 0.70],
            [0.12, 0.84, 0.74, 0.86, 0.72],
            [0.27, 0.96, 0.86, 0.89, 0.74],
            [0.42, 1.36, 0.92, 0.90, 0.60],
            [0.52, 1.44, 0.93, 0.90, 0.60],
            [0.66, 1.42, 0.95, 0.90, 0.59],
            [0.84, 1.06, 0.97, 0.89, 0.66],
            [0.96, 1.00, 0.92, 0.82, 0.68],
            [1.00, 0.94, 0.84, 0.76, 0.66],
        ]
    ),
    "hatchback": np.array(
        [
            [0.00, 0.68, 0.58, 0.74, 0.66],
            [0.03, 0.78, 0.70, 0.82, 0.70],
            [0.14, 0.90, 0.80, 0.86, 0.72],
            [0.25, 1.00, 0.90, 0.88, 0.74],
            [0.41, 1.42, 0.95, 0.89, 0.60],
            [0.55, 1.51, 0.97, 0.89, 0.60],
            [0.78, 1.48, 1.00, 0.89, 0.59],
            [0.92, 1.28, 1.02, 0.86, 0.58],
            [0.985, 0.98, 0.90, 0.78, 0.66],
            [1.00, 0.92, 0.82, 0.76, 0.64],
        ]
    ),
    "van": np.array(
        [
            [0.00, 0.90, 0.76, 0.82, 0.74],
            [0.03, 0.98, 0.84, 0.86, 0.76],
            [0.12, 1.16, 1.02, 0.93, 0.80],
            [0.16, 1.30, 1.08, 0.94, 0.78],
            [0.28, 1.88, 1.12, 0.95, 0.76],
            [0.36, 1.96, 1.14, 0.95, 0.78],
            [0.90, 1.96, 1.14, 0.95, 0.78],
            [0.97, 1.92, 1.14, 0.94, 0.77],
            [0.995, 1.2, 1.1, 0.92, 0.80],
            [1.00, 0.9, 0.8, 0.9, 0.82],
        ]
    ),
}
_LENGTHS = {"saloon": 4.5, "hatchback": 4.0, "van": 4.9}
_SILL = 0.2  # metres above the ground
_WHEELS = (0.185, 0.80)
_COLOURS: tuple[Colour, ...] = (
    (0.72, 0.73, 0.74),
    (0.5, 0.51, 0.53),
    (0.13, 0.14, 0.15),
    (0.8, 0.8, 0.79),
    (0.25, 0.27, 0.3),
    (0.15, 0.2, 0.33),
    (0.4, 0.1, 0.09),
    (0.32, 0.36, 0.33),
    (0.42, 0.38, 0.33),
)


class Cars:
    """A kind of car, its pictures made once.

    Args:
        rng: Source of chance.
        kit: Materials of the place.
    """

    def __init__(self, rng: np.random.Generator, kit: Kit) -> None:
        self.kit = kit
        self.kind = str(rng.choice(["saloon", "hatchback", "hatchback", "van"]))
        self.stations = _STATIONS[self.kind] * np.array([_LENGTHS[self.kind], 1, 1, 1, 1])
        self.length = _LENGTHS[self.kind] * rng.uniform(0.96, 1.04)
        self.stations[:, 0] *= self.length / _LENGTHS[self.kind]
        self.rings = np.stack([self._ring(s) for s in self.stations])  # (S, 11, 3)
        self.shell = _loft(self.rings)
        self.body = self._paint()
        self._painted: dict[Colour, Material] = {}
        self.wheel = Texture(_wheel())

    def park(self, surfaces: Surfaces, x: float, y: float, angle: float, rng: np.random.Generator) -> Footprint:
        """Add a car whose front points along -x turned by an angle."""
        colour = _COLOURS[int(rng.integers(len(_COLOURS)))]
        if colour not in self._painted:
            self._painted[colour] = Material(texture=Texture(_tinted(self.body, colour)), gloss=0.45, spacing=0.4)
        painted = self._painted[colour]
        points, normals, flat = self.shell
        points = moved(points, x, y, angle)
        c, s = cos(angle), sin(angle)
        normals = normals @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        surfaces.add(points, painted, picture=flat, normals=normals)
        self._end(surfaces, self.rings[0], (x, y, angle), colour, front=True)
        self._end(surfaces, self.rings[-1], (x, y, angle), colour, front=False)
        self._wheels(surfaces, x, y, angle)
        return around(x, y, self.length, 1.9, angle)

    def _ring(self, station: Floats) -> Floats:
        """Give the section of the body at a station, from the left sill over the roof to the right sill."""
        along, top, belt, half, half_top = station
        x = along - self.length / 2
        low = min(_SILL + 0.02, belt - 0.2)
        side = [(0.96 * half, low), (half, (low + belt) / 2), (0.985 * half, belt), (half_top, top - 0.04)]
        side.append((0.8 * half_top, top))
        left = [(x, -y, z) for y, z in side]
        right = [(x, y, z) for y, z in reversed(side)]
        return np.array([*left, (x, 0.0, top + 0.02), *right])

    def _paint(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Paint the unrolled body: columns along the length, rows around the section; red is paint, alpha is gloss."""
        height, width = 256, 512
        colours = np.ones((height, width, 3), np.float32)
        shine = np.full((height, width), 0.7, np.float32)
        stations = self.stations[:, 0] / self.length * width
        rows = np.linspace(0, height, 11)  # rings have 11 points
        glass = np.array((0.07, 0.08, 0.09))
        roof_at = np.nonzero(self.stations[:, 1] - self.stations[:, 2] > 0.3)[0]
        first, last = stations[roof_at[0]], stations[roof_at[-1]]
        start, end = stations[roof_at[0] - 1], stations[min(roof_at[-1] + 1, len(stations) - 1)]
        van = self.kind == "van"
        for low, high, lean in ((rows[2], rows[3], 1), (rows[7], rows[8], -1)):
            # Side windows, between the belt and the roof.
            a, b = (low + 3, high - 3)
            front, back = start + 0.35 * (first - start), (end + last) / 2
            if van:
                back = first + 0.22 * (last - first)
            outline = [(front, b if lean < 0 else a), (first + 6, a if lean < 0 else b)]
            outline += [(min(last, back) - 4, a if lean < 0 else b), (back, b if lean < 0 else a)]
            cv2.fillPoly(colours, [np.array(outline, np.int32)], [float(c) for c in glass], cv2.LINE_AA)
            cv2.fillPoly(shine, [np.array(outline, np.int32)], 1.0)
            for part in (0.42, 0.74):
                post = int(first + part * (last - first)) if not van else int(first + 0.12 * (last - first))
                colours[int(a) : int(b), post : post + 5] = 0.16
        # Wind screen and rear window across the roof rows.
        for x0, x1 in ((start + 3, first - 2), (last + 2, end - 3)):
            if x1 - x0 > 4 and not (van and x0 > width / 2):
                colours[int(rows[3]) + 3 : int(rows[7]) - 3, int(x0) : int(x1)] = glass
                shine[int(rows[3]) + 3 : int(rows[7]) - 3, int(x0) : int(x1)] = 1.0
        for low, high in ((rows[0], rows[2]), (rows[8], rows[10])):
            for x in np.linspace(first - 8, last - 2, 2 if van else 3):
                colours[int(low) + 4 : int(high), int(x) : int(x) + 2] *= 0.55
            outer = (int(low), int(low) + 10) if low == 0 else (int(high) - 10, int(high))
            colours[outer[0] : outer[1]] = 0.1
            for x in _WHEELS:
                at = int(x * width), int(low if low == 0 else high)
                cv2.ellipse(colours, at, (int(0.36 / self.length * width), 30), 0, 0, 360, (0.03,) * 3, -1, cv2.LINE_AA)
                cv2.ellipse(shine, at, (int(0.36 / self.length * width), 30), 0, 0, 360, 0.0, -1)
        # Lamps at the corners of both ends.
        for x0, x1, lamp in ((2, 30, (0.85, 0.86, 0.85)), (width - 26, width - 2, (0.45, 0.05, 0.04))):
            for low, high in ((rows[2] - 4, rows[3] + 6), (rows[7] - 6, rows[8] + 4)):
                colours[int(low) : int(high), x0:x1] = lamp
        return picture(colours, shine)

    def _end(
        self, surfaces: Surfaces, ring: Floats, at: tuple[float, float, float], colour: Colour, *, front: bool
    ) -> None:
        """Close the front or the back: grille or hatch, number plate, bumper."""
        colours = np.ones((64, 128, 3), np.float32) * np.array(colour)
        colours[44:] = 0.1
        if front:
            colours[8:26, 30:98] = 0.12
            colours[8:26:4, 30:98] = 0.25
        colours[30:40, 44:84] = 0.82
        colours[33:37, 48:80:4] = 0.3
        side = Material(texture=Texture(picture(colours, 0.4)), gloss=0.3, spacing=0.5)
        ring = np.concatenate([ring, ring[:1]])
        middle = ring.mean(axis=0)
        fan = np.stack([np.broadcast_to(middle, (len(ring) - 1, 3)), ring[:-1], ring[1:], ring[1:]], axis=1)
        low, high = ring.min(axis=0), ring.max(axis=0)
        flat = (fan[..., [1, 2]] - low[[1, 2]]) / (high - low)[[1, 2]]
        if not front:
            fan, flat = fan[:, [0, 2, 1, 1]], flat[:, [0, 2, 1, 1]]
            flat[..., 0] = 1 - flat[..., 0]
        surfaces.add(moved(fan, *at), side, picture=flat)

    def _wheels(self, surfaces: Surfaces, x: float, y: float, angle: float) -> None:
        rubber = self.kit.paint.tinted((0.06, 0.06, 0.065))
        radius = 0.32 if self.kind != "van" else 0.34
        turn = np.arange(13) * 2 * np.pi / 12
        circle = np.stack([np.cos(turn), 0 * turn, np.sin(turn)], axis=1) * radius
        for along in _WHEELS:
            for side in (-1, 1):
                middle = np.array([(along - 0.5) * self.length, side * 0.86, radius])
                outer, inner = middle + circle, middle + circle - np.array([0, 0.2 * side, 0])
                tread = np.stack([outer[:-1], outer[1:], inner[1:], inner[:-1]], axis=1)
                surfaces.add(moved(tread[:, ::-1] if side > 0 else tread, x, y, angle), rubber)
                fan = np.stack([np.broadcast_to(middle, (12, 3)), outer[:-1], outer[1:], outer[1:]], axis=1)
                flat = (fan[..., [0, 2]] - middle[[0, 2]]) / (2 * radius) + 0.5
                if side > 0:
                    fan, flat = fan[:, [0, 2, 1, 1]], flat[:, [0, 2, 1, 1]]
                surfaces.add(moved(fan, x, y, angle), Material(texture=self.wheel), picture=flat)


def _tinted(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], colour: Colour
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Paint what is white in a body's picture."""
    body = pixels[..., :3].min(axis=2, keepdims=True) > 245
    tinted = pixels.copy()
    tinted[..., :3] = np.where(body, np.array(colour) * 255, pixels[..., :3])
    return tinted


def _loft(rings: Floats) -> tuple[Floats, Floats, Floats]:
    """Join sections by triangles; gives corners, smooth normals and places in the picture."""
    stations, around_ = rings.shape[:2]
    along = np.gradient(rings, axis=0)
    across = np.gradient(rings, axis=1)
    normals = np.cross(along, across)
    normals[0] += np.array([-1.0, 0, 0]) * np.linalg.norm(normals[0], axis=1).max()
    normals[-1] += np.array([1.0, 0, 0]) * np.linalg.norm(normals[-1], axis=1).max()
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    length = rings[:, 0, 0]
    share = (length - length[0]) / (length[-1] - length[0])
    flat = np.stack(np.broadcast_arrays(share[:, None], 1 - np.arange(around_)[None] / (around_ - 1)), axis=2)
    corners: list[tuple[Floats, Floats, Floats]] = []
    for i in range(stations - 1):
        for j in range(around_ - 1):
            for a, b, c in (((i, j), (i + 1, j), (i + 1, j + 1)), ((i, j), (i + 1, j + 1), (i, j + 1))):
                corners.append(tuple(np.stack([f[a], f[b], f[c], f[c]]) for f in (rings, normals, flat)))  # type: ignore[arg-type]
    points, normals_, places = (np.stack(part) for part in zip(*corners, strict=True))
    flipped = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    wrong = (flipped * normals_.mean(axis=1)).sum(axis=1) < 0
    swap = [0, 2, 1, 1]
    for part in (points, normals_, places):
        part[wrong] = part[wrong][:, swap]
    size = np.linalg.norm(np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1)
    good = size > 1e-7
    return points[good], normals_[good], places[good]


def _wheel() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    colours: Field = np.full((64, 64, 3), 0.06, np.float32)
    cv2.circle(colours, (32, 32), 21, (0.5, 0.5, 0.52), -1, cv2.LINE_AA)
    for k in range(7):
        turn = k * 2 * np.pi / 7
        at = int(32 + 14 * np.cos(turn)), int(32 + 14 * np.sin(turn))
        cv2.circle(colours, at, 4, (0.12, 0.12, 0.12), -1, cv2.LINE_AA)
    cv2.circle(colours, (32, 32), 5, (0.3, 0.3, 0.3), -1, cv2.LINE_AA)
    return picture(colours)
