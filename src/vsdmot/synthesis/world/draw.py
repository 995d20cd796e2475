"""Draw flat textured surfaces into colour and inverse depth, compiled.

A convex flat surface needs no edge walking: along a picture's axes the inverse depth of its plane and the surface's own
coordinates divided by depth are affine, so it covers, in each row, the one span where its edges, the nearest depth and
the horizon all say yes. That also clips it exactly. A first pass finds the nearest surface of each pixel, with the
alpha test of cut-outs; a second one looks at it once: texture, baked light, reflection, haze.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, floor, pi, sqrt
from typing import NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled

FARTHEST = 1e5
"""Depth in metres behind which nothing is drawn; ground that reaches it meets the sky."""
_LAYER = 1e-4  # part of its depth by which one layer of a decal comes forward in the test, not in the depth given out
_RUN = 8  # pixels that share the sampling of a texture
_MOST_TAPS = 3  # samples along the long side of a pixel's footprint; fewer blur the ground
_FOOTPRINT = 0.4  # of a pixel that one sample stands for; the caller averages several
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
    inverse_depth[:] = 0
    _cover(mesh, eye, rays, nearest, planes, inverse_depth, nearest_id)
    for y in range(height):
        _look_along(mesh, rays, planes, mirrored, dither, y, nearest_id, colour, inverse_depth)


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
    skin, texels, levels = mesh.skin, mesh.texels, mesh.levels
    to_picture = np.linalg.inv(rays)
    bounds = np.empty((number, 4), np.int64)
    distance = np.empty(number)
    for k in range(number):
        distance[k] = _bounds(mesh.corners[k], eye, to_picture, nearest, height, width, bounds[k])
    edges = np.empty((6, 3))
    for k in np.argsort(distance):
        if distance[k] == np.inf:
            break
        gap = mesh.frames[k, 0, 3] - _dot(mesh.frames[k, 0], eye)
        if abs(gap) < 1e-9 or (gap > 0 and mesh.kind[k, 3] == 0):
            continue
        _affine(mesh.frames[k], eye, rays, gap, planes[k])
        for c in range(3):
            inverse, u, v = planes[k, c], planes[k, 3 + c], planes[k, 6 + c]
            for e in range(4):
                edges[e, c] = mesh.edges[k, e, 0] * u + mesh.edges[k, e, 1] * v + mesh.edges[k, e, 2] * inverse
            edges[4, c] = -inverse
            edges[5, c] = inverse
        edges[4, 2] += 1 / nearest
        edges[5, 2] -= 1 / FARTHEST
        forward = 1 + _LAYER * mesh.kind[k, 1]
        cut = mesh.kind[k, 2] != 0
        texture = mesh.kind[k, 0]
        level = 0
        wide = float(1 << mesh.levels[texture, 0]) * mesh.skin[k, 0] * _FOOTPRINT
        high = float(1 << mesh.levels[texture, 1]) * mesh.skin[k, 2] * _FOOTPRINT
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
                level, taps, _, _ = _footprint(planes, k, wide * depth, high * depth, u, v, 0.75)
                level += taps // 3
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


@compiled
def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@compiled
def _affine(
    frame: NDArray[np.float64],
    eye: NDArray[np.float64],
    rays: NDArray[np.float64],
    gap: float,
    plane: NDArray[np.float64],
) -> None:
    """Write what inverse depth, u and v over depth grow by per column and row, and are at column and row 0."""
    at_eye_u = _dot(frame[1], eye) - frame[1, 3]
    at_eye_v = _dot(frame[2], eye) - frame[2, 3]
    for c in range(3):
        inverse = _dot(frame[0], rays[:, c]) / gap
        plane[c] = inverse
        plane[3 + c] = _dot(frame[1], rays[:, c]) + at_eye_u * inverse
        plane[6 + c] = _dot(frame[2], rays[:, c]) + at_eye_v * inverse


@compiled
def _bounds(
    corners: NDArray[np.float64],
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
        px, py, pz = corners[c, 0] - eye[0], corners[c, 1] - eye[1], corners[c, 2] - eye[2]
        depth = to_picture[2, 0] * px + to_picture[2, 1] * py + to_picture[2, 2] * pz
        near, far = min(near, depth), max(far, depth)
        if depth >= nearest:
            x = (to_picture[0, 0] * px + to_picture[0, 1] * py + to_picture[0, 2] * pz) / depth
            y = (to_picture[1, 0] * px + to_picture[1, 1] * py + to_picture[1, 2] * pz) / depth
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    if far < nearest:
        return np.inf
    if near < nearest:
        bounds[:] = (0, 0, width - 1, height - 1)
        return near
    if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
        return np.inf
    bounds[0], bounds[1] = max(0.0, np.floor(left)), max(0.0, np.floor(top))
    bounds[2], bounds[3] = min(width - 1.0, np.ceil(right)), min(height - 1.0, np.ceil(bottom))
    return near


@compiled
def span(edges: NDArray[np.float64], y: int, x0: int, x1: int) -> tuple[int, int]:
    """Give the first and the last column of a row inside all edges; the last is before the first if there is none."""
    low, high = float(x0), float(x1)
    for e in range(6):
        slope = edges[e, 0]
        value = edges[e, 1] * y + edges[e, 2]
        if slope > 0:
            low = max(low, -value / slope)
        elif slope < 0:
            high = min(high, -value / slope)
        elif value < 0:
            return 0, -1
    if low > high:
        return 0, -1
    return int(np.ceil(low)), int(np.floor(high))


@compiled
def covered_at(
    texels: NDArray[np.uint32], levels: NDArray[np.int64], texture: int, level: int, s: float, t: float
) -> bool:
    """Say whether a cut-out shows something at a place of its texture, looked at coarsely from level to level."""
    level = min(level, levels[texture, 3])
    wide, high = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
    return _texel(texels, levels[texture, 4 + level], wide, high, levels[texture, 2], s, t)[1] >> 24 > _OPAQUE


@_inlined
def _footprint(
    planes: NDArray[np.float64], k: int, wide: float, high: float, u: float, v: float, dither: float
) -> tuple[int, int, float, float]:
    """Give the level to sample, how many samples to take, and their way along the footprint's long side.

    ``wide`` and ``high`` are how many texels u and v stand for, times depth; ``dither``, from 0.5 to 1, takes the
    place of a blend of two levels.
    """
    ux, vx = (planes[k, 3] - u * planes[k, 0]) * wide, (planes[k, 6] - v * planes[k, 0]) * high
    uy, vy = (planes[k, 4] - u * planes[k, 1]) * wide, (planes[k, 7] - v * planes[k, 1]) * high
    along_x, along_y = ux * ux + vx * vx, uy * uy + vy * vy
    if along_x > along_y:
        long, short, du, dv = along_x, along_y, ux, vx
    else:
        long, short, du, dv = along_y, along_x, uy, vy
    if long <= 1:
        return 0, 1, 0.0, 0.0
    taps = min(_MOST_TAPS, int(sqrt(long / max(short, 1.0))) + 1)
    # Half the logarithm to base 2, from the number's own exponent.
    exponent = int(np.float32(long * dither * dither / (taps * taps)).view(np.int32) >> 23) - 127
    return max(0, (exponent + 2) >> 1), taps, du, dv


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
    y0 = first + y0 * wide
    y1 = first + y1 * wide
    a, b, c, d = int(texels[y0 + x0]), int(texels[y0 + x1]), int(texels[y1 + x0]), int(texels[y1 + x1])
    wa, wb = (16 - right_part) * (16 - lower_part), right_part * (16 - lower_part)
    wc, wd = (16 - right_part) * lower_part, right_part * lower_part
    red_green = wa * (a & _TWO) + wb * (b & _TWO) + wc * (c & _TWO) + wd * (d & _TWO)
    blue_alpha = wa * (a >> 8 & _TWO) + wb * (b >> 8 & _TWO) + wc * (c >> 8 & _TWO) + wd * (d >> 8 & _TWO)
    return red_green, blue_alpha


@_inlined
def _lit(light: NDArray[np.float32], kind: NDArray[np.int64], k: int, u: float, v: float) -> tuple[float, float, float]:
    """Give the baked light at a place of a surface."""
    first, columns, rows = kind[k, 4], kind[k, 5], kind[k, 6]
    if columns == 1:
        return light[first, 0], light[first, 1], light[first, 2]
    x, y = min(max(u, 0.0), 1.0) * (columns - 1), min(max(v, 0.0), 1.0) * (rows - 1)
    left, top = min(int(x), columns - 2), min(int(y), rows - 2)
    fx, fy = x - left, y - top
    a = first + top * columns + left
    c = a + columns
    one = 1.0
    wa, wb, wc, wd = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
    return (
        wa * light[a, 0] + wb * light[a + 1, 0] + wc * light[c, 0] + wd * light[c + 1, 0],
        wa * light[a, 1] + wb * light[a + 1, 1] + wc * light[c, 1] + wd * light[c + 1, 1],
        wa * light[a, 2] + wb * light[a + 1, 2] + wc * light[c, 2] + wd * light[c + 1, 2],
    )


@compiled
def _look_along(
    mesh: Mesh,
    rays: NDArray[np.float64],
    planes: NDArray[np.float64],
    mirrored: NDArray[np.float32],
    dither: float,
    y: int,
    nearest_id: NDArray[np.int32],
    colour: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
) -> None:
    """Colour a row of pixels whose nearest surfaces are known, run by run of the same one."""
    width = colour.shape[1]
    start = 0
    while start < width:
        k = nearest_id[y, start]
        end = start + 1
        while end < width and nearest_id[y, end] == k and (end - start < _RUN or k < 0):
            end += 1
        if k < 0:
            for x in range(start, end):
                dx = rays[0, 0] * x + rays[0, 1] * y + rays[0, 2]
                dy = rays[1, 0] * x + rays[1, 1] * y + rays[1, 2]
                dz = rays[2, 0] * x + rays[2, 1] * y + rays[2, 2]
                colour[y, x, 0], colour[y, x, 1], colour[y, x, 2] = _towards(mesh.sky, dx, dy, dz)
        else:
            _look_at_run(mesh, rays, planes, mirrored, dither, y, start, end, k, colour, inverse_depth)
        start = end


@_inlined
def _look_at_run(
    mesh: Mesh,
    rays: NDArray[np.float64],
    planes: NDArray[np.float64],
    mirrored: NDArray[np.float32],
    dither: float,
    y: int,
    start: int,
    end: int,
    k: int,
    colour: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
) -> None:
    """Colour a few pixels of one surface; they share the sampling of its texture."""
    skin, kind, levels = mesh.skin, mesh.kind, mesh.levels
    texels, light = mesh.texels, mesh.light
    by_x, by_x_u, by_x_v = planes[k, 0], planes[k, 3], planes[k, 6]
    in_row = planes[k, 1] * y + planes[k, 2]
    in_row_u, in_row_v = planes[k, 4] * y + planes[k, 5], planes[k, 7] * y + planes[k, 8]
    texture = kind[k, 0]
    wide, high = float(1 << levels[texture, 0]), float(1 << levels[texture, 1])
    scale_s, shift_s, scale_t, shift_t = float(skin[k, 0]), float(skin[k, 1]), float(skin[k, 2]), float(skin[k, 3])

    middle = 0.5 * (start + end - 1)
    depth = 1 / (by_x * middle + in_row)
    u, v = (by_x_u * middle + in_row_u) * depth, (by_x_v * middle + in_row_v) * depth
    per_u, per_v = wide * scale_s * depth * _FOOTPRINT, high * scale_t * depth * _FOOTPRINT
    level, taps, du, dv = _footprint(planes, k, per_u, per_v, u, v, dither)
    level = min(level, levels[texture, 3])
    columns, rows = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
    first, repeats = levels[texture, 4 + level], levels[texture, 2]
    part = 1 / taps
    ds, dt = du * part / wide, dv * part / high
    shift_s -= 0.5 * (taps - 1) * ds
    shift_t -= 0.5 * (taps - 1) * dt
    scale = part / (255 * 256)
    tint_r, tint_g, tint_b = scale * skin[k, 4], scale * skin[k, 5], scale * skin[k, 6]
    gloss, mirror = float(skin[k, 7]), float(skin[k, 8])
    haze_r, haze_g, haze_b, haze = mesh.haze[0], mesh.haze[1], mesh.haze[2], mesh.haze[3]

    for x in range(start, end):
        inverse = by_x * x + in_row
        inverse_depth[y, x] = inverse
        depth = 1 / inverse
        u, v = (by_x_u * x + in_row_u) * depth, (by_x_v * x + in_row_v) * depth
        s, t = u * scale_s + shift_s, v * scale_t + shift_t
        red, green, blue, alpha = 0, 0, 0, 0
        for _ in range(taps):
            red_green, blue_alpha = _texel(texels, first, columns, rows, repeats, s, t)
            red += red_green & 0xFFFF
            green += red_green >> 16
            blue += blue_alpha & 0xFFFF
            alpha += blue_alpha >> 16
            s += ds
            t += dt
        lr, lg, lb = _lit(light, kind, k, u, v)
        r, g, b = red * tint_r * lr, green * tint_g * lg, blue * tint_b * lb
        if gloss > 0 or mirror > 0:
            dx = rays[0, 0] * x + rays[0, 1] * y + rays[0, 2]
            dy = rays[1, 0] * x + rays[1, 1] * y + rays[1, 2]
            dz = rays[2, 0] * x + rays[2, 1] * y + rays[2, 2]
            length = sqrt(dx * dx + dy * dy + dz * dz)
            nx, ny, nz = _normal(mesh.normals, k, u, v)
            facing = (dx * nx + dy * ny + dz * nz) / length
            graze = 1 - min(1.0, abs(facing))
            shine = alpha * scale
            if mirror > 0:
                shine *= mirror * (0.08 + 0.92 * graze * graze * graze)
                er, eg, eb = _between(mirrored, x, y)
            else:
                shine *= gloss * (0.25 + 0.75 * graze * graze * graze)
                back = 2 * facing * length
                er, eg, eb = _towards(mesh.sky, dx - back * nx, dy - back * ny, dz - back * nz)
            r, g, b = r + shine * (er - r), g + shine * (eg - g), b + shine * (eb - b)
        air = depth * haze
        air /= 1 + air
        colour[y, x, 0] = r + air * (haze_r - r)
        colour[y, x, 1] = g + air * (haze_g - g)
        colour[y, x, 2] = b + air * (haze_b - b)


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


@compiled
def _towards(sky: NDArray[np.float32], dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Give the colour of the sky in a direction."""
    rows, columns = sky.shape[:2]
    z = dz / sqrt(dx * dx + dy * dy + dz * dz)
    y = min(max((z * 0.5 + 0.5) * rows - 0.5, 0.0), rows - 1.001)
    x = (atan2(dx, dy) / (2 * pi) + 0.5) * columns - 0.5
    top, left = int(y), floor(x)
    lower, right = (y - top), (x - left)
    return _blend(sky, top, top + 1, left % columns, (left + 1) % columns, lower, right)


@compiled
def _between(picture: NDArray[np.float32], x: int, y: int) -> tuple[float, float, float]:
    """Give the colour of a reduced picture at a full one's pixel."""
    rows, columns = picture.shape[:2]
    px = min(max((x + 0.5) / _REDUCTION - 0.5, 0.0), columns - 1.0)
    py = min(max((y + 0.5) / _REDUCTION - 0.5, 0.0), rows - 1.0)
    left, top = int(px), int(py)
    lower, right = (py - top), (px - left)
    return _blend(picture, top, min(top + 1, rows - 1), left, min(left + 1, columns - 1), lower, right)


@compiled
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
