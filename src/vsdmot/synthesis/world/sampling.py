"""Look up textures: how coarse, between which texels, and whether a cut-out shows something."""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import inlined

_OF_LONG, _OF_SHORT = 0.25**2, 0.5**2  # of a pixel's footprint in a texture, squared, that one sample stands for
_OPAQUE = 127  # least alpha of what a cut-out shows
_TWO = 0xFF00FF  # two of the four bytes of a texel, with room between them


@inlined
def covered_at(
    texels: NDArray[np.uint32], levels: NDArray[np.int64], texture: int, level: int, s: float, t: float
) -> bool:
    """Say whether a cut-out shows something at a place of its texture."""
    level = min(level, levels[texture, 3])
    wide, high = 1 << max(0, levels[texture, 0] - level), 1 << max(0, levels[texture, 1] - level)
    return texel(texels, levels[texture, 4 + level], wide, high, levels[texture, 2], s, t)[1] >> 24 > _OPAQUE


@inlined
def level_of(
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


@inlined
def texel(
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
