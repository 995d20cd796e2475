"""Surfaces as the compiled drawing reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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
