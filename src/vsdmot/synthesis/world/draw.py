"""Draw flat textured surfaces into colour and inverse depth, compiled.

A convex flat surface needs no edge walking: along a picture's axes the inverse depth of its plane and the surface's own
coordinates divided by depth are affine, so it covers, in each row, the one span where its edges, the nearest depth and
the horizon all say yes. That also clips it exactly. A first pass finds the nearest surface of each pixel, with the
alpha test of cut-outs; a second one looks at it once: texture, baked light, reflection, haze.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled, inlined
from vsdmot.synthesis.world.covering import cover
from vsdmot.synthesis.world.mesh import Mesh
from vsdmot.synthesis.world.reflections import REDUCTION, between, normal_at, soften, towards
from vsdmot.synthesis.world.sampling import level_of, texel

_RUN = 8  # pixels that share a level of their texture
_UNIT = 1 / (255 * 256)


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
        mirrored = np.empty((height // REDUCTION + 1, width // REDUCTION + 1, 3), np.float32)
        flipped = rays.copy()
        flipped[:, 2] += (REDUCTION - 1) / 2 * (rays[:, 0] + rays[:, 1])
        flipped[:, :2] *= REDUCTION
        flipped[2] *= -1
        below = eye.copy()
        below[2] *= -1
        ignored = np.empty(mirrored.shape[:2], np.float32)
        _picture(mesh, below, flipped, nearest, np.zeros((1, 1, 3), np.float32), dither, mirrored, ignored)
        soften(mirrored)
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
    cover(mesh, eye, rays, nearest, planes, inverse_depth, nearest_id)
    for y in range(height):
        _look_along(mesh, rays, planes, mirrored, dither, y, nearest_id, scratch, colour, inverse_depth)


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
                colour[y, x, 0], colour[y, x, 1], colour[y, x, 2] = towards(mesh.sky, dx, dy, dz)
        start = end


@inlined
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


@inlined
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
        level = level_of(planes, k, per_u, per_v, scratch[1, middle], scratch[2, middle], dither, levels[texture, 3])
        columns, rows = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
        first = levels[texture, 4 + level]
        for x in range(block, last):
            s, t = scratch[1, x] * scale_s + shift_s, scratch[2, x] * scale_t + shift_t
            red_green, blue_alpha = texel(texels, first, columns, rows, repeats, s, t)
            scratch[3, x], scratch[4, x] = (red_green & 0xFFFF) * _UNIT, (red_green >> 16) * _UNIT
            scratch[5, x], scratch[6, x] = (blue_alpha & 0xFFFF) * _UNIT, (blue_alpha >> 16) * _UNIT


@inlined
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


@inlined
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
            r, g, b = between(mirrored, x, y)
        else:
            nx, ny, nz = normal_at(mesh.normals, k, scratch[1, x], scratch[2, x])
            facing = dx * nx + dy * ny + dz * nz
            graze = 1 - min(1.0, abs(facing) / length)
            fresnel = 0.25 + 0.75 * graze * graze * graze
            r, g, b = towards(mesh.sky, dx - 2 * facing * nx, dy - 2 * facing * ny, dz - 2 * facing * nz)
        shine *= fresnel
        scratch[3, x] += shine * (r - scratch[3, x])
        scratch[4, x] += shine * (g - scratch[4, x])
        scratch[5, x] += shine * (b - scratch[5, x])
