"""Draw flat textured surfaces into colour and inverse depth, compiled.

A convex flat surface needs no edge walking: along a picture's axes the inverse depth of its plane and the surface's own
coordinates divided by depth are affine, so it covers, in each row, the one span where its edges, the nearest depth and
the horizon all say yes. That also clips it exactly. A first pass finds the nearest surface of each pixel, with the
alpha test of cut-outs; a second one looks at it once: texture, baked light, reflection, haze.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, pi, sqrt
from typing import NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled

FARTHEST = 1e5
"""Depth in metres behind which nothing is drawn; ground that reaches it meets the sky."""
_LAYER = 1e-4  # part of its depth by which one layer of a decal comes forward in the test, not in the depth given out
_RUN = 8  # pixels that share a level of their texture
_OF_LONG, _OF_SHORT = 0.25**2, 0.5**2  # of a pixel's footprint in a texture, squared, that one sample stands for
_UNIT = 1 / (255 * 256)
_REDUCTION = 4  # the mirrored picture is this much smaller, which is also its blur
_OPAQUE = 127  # least alpha of what a cut-out shows
_TWO = 0xFF00FF  # two of the four bytes of a texel, with room between them


P = ParamSpec("P")
R = TypeVar("R")


def _inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into those that call it: arrays are handed on once a pixel, and that would cost the most."""
    return cast(Callable[P, R], njit(nogil=True, inline="always")(function))


class Mesh(NamedTuple):
    """Surfaces, ready to draw; a surface's coordinates u and v run from 0 to 1 along its two edges.

    Attributes:
        corners: ``(N, 4, 3)`` float64, metres; a triangle repeats one.
        frames: ``(N, 3, 4)`` float64: rows for the unit normal, u and v; the first three columns times a point, less
            the last one, give the distance from the plane, u, v.
        edges: ``(N, 4, 3)`` float64: inside is where ``a u + b v + c >= 0`` for all four.
        skin: ``(N, 9)`` float32: scale and shift of u, of v, in texture repeats; tint red, green, blue; gloss;
            mirror.
        kind: ``(N, 7)`` int64: texture, layer, cut-out, two-sided, first light sample, light columns, light rows.
        normals: ``(N, 4, 3)`` float32 unit normals at u v = 00, 10, 01, 11 for gloss.
        light: ``(L, 3)`` float32 baked light.
        texels: ``(M,)`` uint32, from the lowest byte: red, blue, green, and gloss or, of cut-outs, coverage.
        levels: ``(T, 16)`` int64: log2 of width and height, whether it repeats, the coarsest level, then each level's
            first texel.
        sky: ``(R, C, 3)`` float32 by direction: rows from straight down to straight up in equal steps of z, columns
            from -y over -x, +y and +x.
        haze: ``(4,)`` float32 colour of far air and the part of it per metre.
    """

    corners: NDArray[np.float64]
    frames: NDArray[np.float64]
    edges: NDArray[np.float64]
    skin: NDArray[np.float32]
    kind: NDArray[np.int64]
    normals: NDArray[np.float32]
    light: NDArray[np.float32]
    texels: NDArray[np.uint32]
    levels: NDArray[np.int64]
    sky: NDArray[np.float32]
    haze: NDArray[np.float32]


@compiled
def draw(
    mesh: Mesh,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    nearest: float,
    mirrors: bool,
    dither: float,
    colour: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
) -> None:
    """Draw surfaces.

    Args:
        mesh: What to draw.
        eye: ``(3,)`` where the camera is.
        rays: ``(3, 3)``: times (column, row, 1) it gives the ray through a pixel whose forward part is 1.
        nearest: Depth in metres before which nothing is drawn.
        mirrors: Whether a surface of the ground reflects the rest.
        dither: From 0.5 to 1; spread over several pictures that are averaged, it blends the levels of textures.
        colour: ``(H, W, 3)`` is filled.
        inverse_depth: ``(H, W)`` is filled, 1/m; 0 for the sky.
    """
    height, width = inverse_depth.shape
    mirrored = np.zeros((1, 1, 3), np.float32)
    if mirrors:
        mirrored = np.empty((height // _REDUCTION + 1, width // _REDUCTION + 1, 3), np.float32)
        flipped = rays.copy()
        flipped[:, 2] += (_REDUCTION - 1) / 2 * (rays[:, 0] + rays[:, 1])
        flipped[:, :2] *= _REDUCTION
        flipped[2] *= -1
        below = eye.copy()
        below[2] *= -1
        ignored = np.empty(mirrored.shape[:2], np.float32)
        _picture(mesh, below, flipped, nearest, np.zeros((1, 1, 3), np.float32), dither, mirrored, ignored)
        _soften(mirrored)
    _picture(mesh, eye, rays, nearest, mirrored, dither, colour, inverse_depth)


@compiled
def _picture(
    mesh: Mesh,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    nearest: float,
    mirrored: NDArray[np.float32],
    dither: float,
    colour: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
) -> None:
    height, width = inverse_depth.shape
    planes = np.empty((len(mesh.corners), 9))
    nearest_id = np.full((height, width), -1, np.int32)
    scratch = np.empty((7, width))
    inverse_depth[:] = 0
    _cover(mesh, eye, rays, nearest, planes, inverse_depth, nearest_id)
    for y in range(height):
        _look_along(mesh, rays, planes, mirrored, dither, y, nearest_id, scratch, colour, inverse_depth)


@compiled
def _cover(
    mesh: Mesh,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    nearest: float,
    planes: NDArray[np.float64],
    depth_test: NDArray[np.float32],
    nearest_id: NDArray[np.int32],
) -> None:
    """Find the nearest surface of each pixel; ``planes`` gets inverse depth, u and v over depth, each affine."""
    height, width = depth_test.shape
    number = len(mesh.corners)
    skin, kind, texels, levels = mesh.skin, mesh.kind, mesh.texels, mesh.levels
    frames, borders = mesh.frames, mesh.edges
    to_picture = np.linalg.inv(rays)
    bounds = np.empty((number, 4), np.int64)
    distance = np.empty(number)
    for k in range(number):
        distance[k] = _bounds(mesh.corners, k, eye, to_picture, nearest, height, width, bounds)
    edges = np.empty((6, 3))
    for k in np.argsort(distance):
        if distance[k] == np.inf:
            break
        gap = frames[k, 0, 3] - frames[k, 0, 0] * eye[0] - frames[k, 0, 1] * eye[1] - frames[k, 0, 2] * eye[2]
        if abs(gap) < 1e-9 or (gap > 0 and kind[k, 3] == 0):
            continue
        _affine(frames, k, eye, rays, gap, planes)
        for c in range(3):
            inverse, u, v = planes[k, c], planes[k, 3 + c], planes[k, 6 + c]
            for e in range(4):
                edges[e, c] = borders[k, e, 0] * u + borders[k, e, 1] * v + borders[k, e, 2] * inverse
            edges[4, c] = -inverse
            edges[5, c] = inverse
        edges[4, 2] += 1 / nearest
        edges[5, 2] -= 1 / FARTHEST
        solve(edges)
        forward = 1 + _LAYER * kind[k, 1]
        cut = kind[k, 2] != 0
        texture = kind[k, 0]
        level = 0
        wide = float(1 << levels[texture, 0]) * skin[k, 0]
        high = float(1 << levels[texture, 1]) * skin[k, 2]
        x0, x1 = bounds[k, 0], bounds[k, 2]
        for y in range(bounds[k, 1], bounds[k, 3] + 1):
            first, last = span(edges, y, x0, x1)
            base = planes[k, 1] * y + planes[k, 2]
            base_u = planes[k, 4] * y + planes[k, 5]
            base_v = planes[k, 7] * y + planes[k, 8]
            if cut and first <= last:
                middle = 0.5 * (first + last)
                depth = 1 / (planes[k, 0] * middle + base)
                u, v = (planes[k, 3] * middle + base_u) * depth, (planes[k, 6] * middle + base_v) * depth
                level = _level(planes, k, wide * depth, high * depth, u, v, 0.75, levels[texture, 3])
            for x in range(first, last + 1):
                inverse = planes[k, 0] * x + base
                if inverse * forward <= depth_test[y, x]:
                    continue
                if cut:
                    depth = 1 / inverse
                    u, v = (planes[k, 3] * x + base_u) * depth, (planes[k, 6] * x + base_v) * depth
                    s, t = u * skin[k, 0] + skin[k, 1], v * skin[k, 2] + skin[k, 3]
                    if not covered_at(texels, levels, texture, level, s, t):
                        continue
                depth_test[y, x] = inverse * forward
                nearest_id[y, x] = k


@_inlined
def _affine(
    frames: NDArray[np.float64],
    k: int,
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    gap: float,
    planes: NDArray[np.float64],
) -> None:
    """Write what inverse depth, u and v over depth grow by per column and row, and are at column and row 0."""
    at_eye_u = frames[k, 1, 0] * eye[0] + frames[k, 1, 1] * eye[1] + frames[k, 1, 2] * eye[2] - frames[k, 1, 3]
    at_eye_v = frames[k, 2, 0] * eye[0] + frames[k, 2, 1] * eye[1] + frames[k, 2, 2] * eye[2] - frames[k, 2, 3]
    for c in range(3):
        x, y, z = rays[0, c], rays[1, c], rays[2, c]
        inverse = (frames[k, 0, 0] * x + frames[k, 0, 1] * y + frames[k, 0, 2] * z) / gap
        planes[k, c] = inverse
        planes[k, 3 + c] = frames[k, 1, 0] * x + frames[k, 1, 1] * y + frames[k, 1, 2] * z + at_eye_u * inverse
        planes[k, 6 + c] = frames[k, 2, 0] * x + frames[k, 2, 1] * y + frames[k, 2, 2] * z + at_eye_v * inverse


@compiled
def _bounds(
    corners: NDArray[np.float64],
    k: int,
    eye: NDArray[np.float64],
    to_picture: NDArray[np.floating],
    nearest: float,
    height: int,
    width: int,
    bounds: NDArray[np.int64],
) -> float:
    """Bound the pixels that a surface can cover and give its nearest depth, infinite where it cannot be seen."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    near, far = np.inf, -np.inf
    for c in range(4):
        px, py, pz = corners[k, c, 0] - eye[0], corners[k, c, 1] - eye[1], corners[k, c, 2] - eye[2]
        depth = to_picture[2, 0] * px + to_picture[2, 1] * py + to_picture[2, 2] * pz
        near, far = min(near, depth), max(far, depth)
        if depth >= nearest:
            x = (to_picture[0, 0] * px + to_picture[0, 1] * py + to_picture[0, 2] * pz) / depth
            y = (to_picture[1, 0] * px + to_picture[1, 1] * py + to_picture[1, 2] * pz) / depth
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    if far < nearest:
        return np.inf
    if near < nearest:
        bounds[k, 0], bounds[k, 1], bounds[k, 2], bounds[k, 3] = 0, 0, width - 1, height - 1
        return near
    if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
        return np.inf
    bounds[k, 0], bounds[k, 1] = ceil(max(0.0, left - 1e-6)), ceil(max(0.0, top - 1e-6))
    bounds[k, 2], bounds[k, 3] = floor(min(width - 1.0, right + 1e-6)), floor(min(height - 1.0, bottom + 1e-6))
    if bounds[k, 0] > bounds[k, 2] or bounds[k, 1] > bounds[k, 3]:
        return np.inf
    return near


@_inlined
def solve(edges: NDArray[np.float64]) -> None:
    """Turn each ``a x + b y + c >= 0`` into a bound of x that is affine in y: its side, slope and constant."""
    for e in range(len(edges)):
        a, b, c = edges[e, 0], edges[e, 1], edges[e, 2]
        if a == 0:
            edges[e, 1], edges[e, 2] = b, c
        else:
            edges[e, 0], edges[e, 1], edges[e, 2] = (1.0 if a > 0 else -1.0), -b / a, -c / a


@_inlined
def span(edges: NDArray[np.float64], y: int, x0: int, x1: int) -> tuple[int, int]:
    """Give the first and the last column of a row inside all solved edges; the last is lower if there is none."""
    low, high = float(x0), float(x1)
    for e in range(len(edges)):
        bound = edges[e, 1] * y + edges[e, 2]
        if edges[e, 0] > 0:
            low = max(low, bound)
        elif edges[e, 0] < 0:
            high = min(high, bound)
        elif bound < 0:
            return 0, -1
    if not low <= high:
        return 0, -1
    return ceil(low), floor(high)


@_inlined
def covered_at(
    texels: NDArray[np.uint32], levels: NDArray[np.int64], texture: int, level: int, s: float, t: float
) -> bool:
    """Say whether a cut-out shows something at a place of its texture."""
    level = min(level, levels[texture, 3])
    wide, high = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
    return _texel(texels, levels[texture, 4 + level], wide, high, levels[texture, 2], s, t)[1] >> 24 > _OPAQUE


@_inlined
def _level(
    planes: NDArray[np.float64], k: int, wide: float, high: float, u: float, v: float, dither: float, coarsest: int
) -> int:
    """Choose how coarse to look at a texture.

    The pictures that are averaged have their samples in other rows and columns of a pixel, so one sample stands for
    about half of it either way, and of a long footprint, on ground seen from low, for a quarter of its length.

    ``wide`` and ``high`` are how many texels u and v stand for, times depth; ``dither``, from 0.5 to 1, takes the
    place of a blend of two levels.
    """
    ux, vx = (planes[k, 3] - u * planes[k, 0]) * wide, (planes[k, 6] - v * planes[k, 0]) * high
    uy, vy = (planes[k, 4] - u * planes[k, 1]) * wide, (planes[k, 7] - v * planes[k, 1]) * high
    along_x, along_y = ux * ux + vx * vx, uy * uy + vy * vy
    texels = max(max(along_x, along_y) * _OF_LONG, min(along_x, along_y) * _OF_SHORT)  # squared
    # Half the logarithm to base 2, from the number's own exponent.
    exponent = int(np.float32(texels * dither * dither).view(np.int32) >> 23) - 127
    return min(max(0, (exponent + 2) >> 1), coarsest)


@_inlined
def _texel(
    texels: NDArray[np.uint32], first: int, wide: int, high: int, repeats: int, s: float, t: float
) -> tuple[int, int]:
    """Sample a texture between its texels; gives red and green, and blue and alpha, each 256 times and 16 bits."""
    x, y = s * wide - 0.5, t * high - 0.5
    left, top = floor(x), floor(y)
    right_part, lower_part = int((x - left) * 16), int((y - top) * 16)
    if repeats:
        x0, x1, y0, y1 = left & (wide - 1), (left + 1) & (wide - 1), top & (high - 1), (top + 1) & (high - 1)
    else:
        x0, x1 = min(max(left, 0), wide - 1), min(max(left + 1, 0), wide - 1)
        y0, y1 = min(max(top, 0), high - 1), min(max(top + 1, 0), high - 1)
    y0, y1 = first + y0 * wide, first + y1 * wide
    a, b, c, d = int(texels[y0 + x0]), int(texels[y0 + x1]), int(texels[y1 + x0]), int(texels[y1 + x1])
    wa, wb = (16 - right_part) * (16 - lower_part), right_part * (16 - lower_part)
    wc, wd = (16 - right_part) * lower_part, right_part * lower_part
    red_green = wa * (a & _TWO) + wb * (b & _TWO) + wc * (c & _TWO) + wd * (d & _TWO)
    blue_alpha = wa * (a >> 8 & _TWO) + wb * (b >> 8 & _TWO) + wc * (c >> 8 & _TWO) + wd * (d >> 8 & _TWO)
    return red_green, blue_alpha


@compiled
def _look_along(
    mesh: Mesh,
    rays: NDArray[np.float64],
    planes: NDArray[np.float64],
    mirrored: NDArray[np.float32],
    dither: float,
    y: int,
    nearest_id: NDArray[np.int32],
    scratch: NDArray[np.float64],
    colour: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
) -> None:
    """Colour a row of pixels whose nearest surfaces are known, run by run of the same one.

    Each step goes over a whole run: one pixel's way from its depth to its colour is a long chain, and a processor
    works at several short ones at a time.
    """
    width = colour.shape[1]
    start = 0
    while start < width:
        k = nearest_id[y, start]
        end = start + 1
        while end < width and nearest_id[y, end] == k:
            end += 1
        if k >= 0:
            _locate(planes, k, y, start, end, scratch, inverse_depth)
            _sample(mesh, planes, k, start, end, dither, scratch)
            _light_up(mesh, k, start, end, scratch)
            if mesh.skin[k, 7] > 0 or mesh.skin[k, 8] > 0:
                _reflect(mesh, rays, mirrored, k, y, start, end, scratch)
            haze_r, haze_g, haze_b, haze = mesh.haze[0], mesh.haze[1], mesh.haze[2], mesh.haze[3]
            for x in range(start, end):
                air = scratch[0, x] * haze
                air /= 1 + air
                colour[y, x, 0] = scratch[3, x] + air * (haze_r - scratch[3, x])
                colour[y, x, 1] = scratch[4, x] + air * (haze_g - scratch[4, x])
                colour[y, x, 2] = scratch[5, x] + air * (haze_b - scratch[5, x])
        else:
            for x in range(start, end):
                dx = rays[0, 0] * x + rays[0, 1] * y + rays[0, 2]
                dy = rays[1, 0] * x + rays[1, 1] * y + rays[1, 2]
                dz = rays[2, 0] * x + rays[2, 1] * y + rays[2, 2]
                colour[y, x, 0], colour[y, x, 1], colour[y, x, 2] = _towards(mesh.sky, dx, dy, dz)
        start = end


@_inlined
def _locate(
    planes: NDArray[np.float64],
    k: int,
    y: int,
    start: int,
    end: int,
    scratch: NDArray[np.float64],
    inverse_depth: NDArray[np.float32],
) -> None:
    """Write depth, u and v of each pixel of a run to the first rows of the scratch."""
    by_x, by_x_u, by_x_v = planes[k, 0], planes[k, 3], planes[k, 6]
    in_row = planes[k, 1] * y + planes[k, 2]
    in_row_u, in_row_v = planes[k, 4] * y + planes[k, 5], planes[k, 7] * y + planes[k, 8]
    for x in range(start, end):
        inverse = by_x * x + in_row
        inverse_depth[y, x] = inverse
        depth = 1 / inverse
        scratch[0, x] = depth
        scratch[1, x] = (by_x_u * x + in_row_u) * depth
        scratch[2, x] = (by_x_v * x + in_row_v) * depth


@_inlined
def _sample(
    mesh: Mesh, planes: NDArray[np.float64], k: int, start: int, end: int, dither: float, scratch: NDArray[np.float64]
) -> None:
    """Write the texture's red, green, blue and alpha, in [0, 1], to the scratch."""
    skin, levels, texels = mesh.skin, mesh.levels, mesh.texels
    texture = mesh.kind[k, 0]
    repeats = levels[texture, 2]
    wide, high = float(1 << levels[texture, 0]), float(1 << levels[texture, 1])
    scale_s, shift_s, scale_t, shift_t = float(skin[k, 0]), float(skin[k, 1]), float(skin[k, 2]), float(skin[k, 3])
    for block in range(start, end, _RUN):
        last = min(block + _RUN, end)
        middle = (block + last) >> 1
        per_u, per_v = wide * scale_s * scratch[0, middle], high * scale_t * scratch[0, middle]
        level = _level(planes, k, per_u, per_v, scratch[1, middle], scratch[2, middle], dither, levels[texture, 3])
        columns, rows = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
        first = levels[texture, 4 + level]
        for x in range(block, last):
            s, t = scratch[1, x] * scale_s + shift_s, scratch[2, x] * scale_t + shift_t
            red_green, blue_alpha = _texel(texels, first, columns, rows, repeats, s, t)
            scratch[3, x], scratch[4, x] = (red_green & 0xFFFF) * _UNIT, (red_green >> 16) * _UNIT
            scratch[5, x], scratch[6, x] = (blue_alpha & 0xFFFF) * _UNIT, (blue_alpha >> 16) * _UNIT


@_inlined
def _light_up(mesh: Mesh, k: int, start: int, end: int, scratch: NDArray[np.float64]) -> None:
    """Multiply the colours in the scratch by the tint and the baked light."""
    tint_r, tint_g, tint_b = mesh.skin[k, 4], mesh.skin[k, 5], mesh.skin[k, 6]
    light, first, columns, rows = mesh.light, mesh.kind[k, 4], mesh.kind[k, 5], mesh.kind[k, 6]
    if columns == 1:
        r, g, b = tint_r * light[first, 0], tint_g * light[first, 1], tint_b * light[first, 2]
        for x in range(start, end):
            scratch[3, x] *= r
            scratch[4, x] *= g
            scratch[5, x] *= b
        return
    for x in range(start, end):
        across, along = (
            min(max(scratch[1, x], 0.0), 1.0) * (columns - 1),
            min(max(scratch[2, x], 0.0), 1.0) * (rows - 1),
        )
        left, top = min(int(across), columns - 2), min(int(along), rows - 2)
        fx, fy = across - left, along - top
        a = first + top * columns + left
        c = a + columns
        wa, wb, wc, wd = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
        r = wa * light[a, 0] + wb * light[a + 1, 0] + wc * light[c, 0] + wd * light[c + 1, 0]
        g = wa * light[a, 1] + wb * light[a + 1, 1] + wc * light[c, 1] + wd * light[c + 1, 1]
        b = wa * light[a, 2] + wb * light[a + 1, 2] + wc * light[c, 2] + wd * light[c + 1, 2]
        scratch[3, x] *= tint_r * r
        scratch[4, x] *= tint_g * g
        scratch[5, x] *= tint_b * b


@_inlined
def _reflect(
    mesh: Mesh,
    rays: NDArray[np.float64],
    mirrored: NDArray[np.float32],
    k: int,
    y: int,
    start: int,
    end: int,
    scratch: NDArray[np.float64],
) -> None:
    """Blend what shiny parts reflect into the colours in the scratch."""
    gloss, mirror = float(mesh.skin[k, 7]), float(mesh.skin[k, 8])
    seen, r, g, b, fresnel = -2, 0.0, 0.0, 0.0, 0.0
    for x in range(start, end):
        shine = (gloss + mirror) * scratch[6, x]
        if shine < 0.01:
            continue
        if x - seen == 1:  # every second pixel shows what its neighbour does
            shine *= fresnel
            scratch[3, x] += shine * (r - scratch[3, x])
            scratch[4, x] += shine * (g - scratch[4, x])
            scratch[5, x] += shine * (b - scratch[5, x])
            continue
        seen = x
        dx = rays[0, 0] * x + rays[0, 1] * y + rays[0, 2]
        dy = rays[1, 0] * x + rays[1, 1] * y + rays[1, 2]
        dz = rays[2, 0] * x + rays[2, 1] * y + rays[2, 2]
        length = sqrt(dx * dx + dy * dy + dz * dz)
        if mirror > 0:
            graze = 1 - abs(dz) / length
            fresnel = 0.08 + 0.92 * graze * graze * graze
            r, g, b = _between(mirrored, x, y)
        else:
            nx, ny, nz = _normal(mesh.normals, k, scratch[1, x], scratch[2, x])
            facing = dx * nx + dy * ny + dz * nz
            graze = 1 - min(1.0, abs(facing) / length)
            fresnel = 0.25 + 0.75 * graze * graze * graze
            r, g, b = _towards(mesh.sky, dx - 2 * facing * nx, dy - 2 * facing * ny, dz - 2 * facing * nz)
        shine *= fresnel
        scratch[3, x] += shine * (r - scratch[3, x])
        scratch[4, x] += shine * (g - scratch[4, x])
        scratch[5, x] += shine * (b - scratch[5, x])


@_inlined
def _normal(normals: NDArray[np.float32], k: int, u: float, v: float) -> tuple[float, float, float]:
    """Blend a surface's seeming normals."""
    u, v = min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0)
    wa, wb, wc, wd = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    x = wa * normals[k, 0, 0] + wb * normals[k, 1, 0] + wc * normals[k, 2, 0] + wd * normals[k, 3, 0]
    y = wa * normals[k, 0, 1] + wb * normals[k, 1, 1] + wc * normals[k, 2, 1] + wd * normals[k, 3, 1]
    z = wa * normals[k, 0, 2] + wb * normals[k, 1, 2] + wc * normals[k, 2, 2] + wd * normals[k, 3, 2]
    length = sqrt(x * x + y * y + z * z) + 1e-9
    return x / length, y / length, z / length


@_inlined
def _towards(sky: NDArray[np.float32], dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Give the colour of the sky in a direction."""
    rows, columns = sky.shape[:2]
    z = dz / sqrt(dx * dx + dy * dy + dz * dz)
    y = min(max((z * 0.5 + 0.5) * rows - 0.5, 0.0), rows - 1.001)
    x = (_turn(dx, dy) + 0.5) * columns - 0.5
    top, left = int(y), floor(x)
    lower, right = (y - top), (x - left)
    return _blend(sky, top, top + 1, left % columns, (left + 1) % columns, lower, right)


@_inlined
def _turn(x: float, y: float) -> float:
    """Give the direction from +y towards +x in turns, from -0.5 to 0.5, within 0.02 degrees."""
    ax, ay = abs(x), abs(y)
    part = min(ax, ay) / max(max(ax, ay), 1e-12)
    square = part * part
    turn = (((-0.0464964749 * square + 0.15931422) * square - 0.327622764) * square * part + part) / (2 * pi)
    if ax > ay:
        turn = 0.25 - turn
    if y < 0:
        turn = 0.5 - turn
    return turn if x >= 0 else -turn


@_inlined
def _between(picture: NDArray[np.float32], x: int, y: int) -> tuple[float, float, float]:
    """Give the colour of a reduced picture at a full one's pixel."""
    rows, columns = picture.shape[:2]
    px = min(max((x + 0.5) / _REDUCTION - 0.5, 0.0), columns - 1.0)
    py = min(max((y + 0.5) / _REDUCTION - 0.5, 0.0), rows - 1.0)
    left, top = int(px), int(py)
    lower, right = (py - top), (px - left)
    return _blend(picture, top, min(top + 1, rows - 1), left, min(left + 1, columns - 1), lower, right)


@_inlined
def _blend(
    picture: NDArray[np.float32], y0: int, y1: int, x0: int, x1: int, lower: float, right: float
) -> tuple[float, float, float]:
    """Blend four pixels; ``lower`` and ``right`` are the parts of the second row and column."""
    one = 1.0
    wa, wb, wc, wd = (one - right) * (one - lower), right * (one - lower), (one - right) * lower, right * lower
    return (
        wa * picture[y0, x0, 0] + wb * picture[y0, x1, 0] + wc * picture[y1, x0, 0] + wd * picture[y1, x1, 0],
        wa * picture[y0, x0, 1] + wb * picture[y0, x1, 1] + wc * picture[y1, x0, 1] + wd * picture[y1, x1, 1],
        wa * picture[y0, x0, 2] + wb * picture[y0, x1, 2] + wc * picture[y1, x0, 2] + wd * picture[y1, x1, 2],
    )


@compiled
def _soften(picture: NDArray[np.float32]) -> None:
    """Average each pixel with its neighbours, more of them above and below: a worn floor smears upright things."""
    rows, columns = picture.shape[:2]
    before = picture.copy()
    for y in range(rows):
        for x in range(columns):
            for c in range(3):
                total = 0.0
                for dy in range(-2, 3):
                    yy = min(max(y + dy, 0), rows - 1)
                    total += (
                        before[yy, max(x - 1, 0), c] + 2 * before[yy, x, c] + before[yy, min(x + 1, columns - 1), c]
                    )
                picture[y, x, c] = total / 20
