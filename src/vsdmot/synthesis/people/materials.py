"""What a point on a body looks like before light falls on it: colours, patterns, and the features of a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.people.appearance import Appearance, as_array
from vsdmot.synthesis.people.solids import NUM_MATERIALS

NUM_ATTRIBUTES = 5 + NUM_MATERIALS
"""Of a vertex: place on the reference body (x, y, z), openness, shade of the texture, distance to each material."""

SEAM = 0.004
"""Metres within which two materials darken each other."""

_PATTERN, _PATTERN_SCALE, _OPEN_FRONT, _BEARD, _PHASE = 21, 22, 23, 24, 25
NUM_LOOKS = 26


def look_of(appearance: Appearance) -> NDArray[np.float32]:
    """Put a person's colours and patterns into the form that `surface` reads, ``(NUM_LOOKS,)``."""
    colours = [
        appearance.skin,
        appearance.hair_colour,
        appearance.top_colour,
        appearance.bottom_colour,
        appearance.shoe_colour,
        appearance.item_colour,
        appearance.accent,
    ]
    rest = [
        float(appearance.pattern),
        0.8 + 0.6 * (appearance.seed % 7) / 6,
        float(appearance.open_front),
        float(appearance.beard),
        float(appearance.seed % 97),
    ]
    return np.concatenate([as_array(colours), np.array(rest, np.float32)])


@compiled
def surface(
    look: NDArray[np.float32], values: NDArray[np.float64], only: int, colour: NDArray[np.float64]
) -> tuple[float, float, int]:
    """Colour a point of a body.

    Args:
        look: From `look_of`.
        values: ``(NUM_ATTRIBUTES,)``, interpolated between the vertices; the distances may be left out where ``only``
            says what is there.
        only: The material, where no other is near; -1 where the distances decide.
        colour: ``(4,)``; the first three are filled with red, green, blue.

    Returns:
        How far light wraps around it (soft skin does), the strength of its shine, and how narrow that is: how often the
        cosine is squared.
    """
    x, y, z, texture = values[0], values[1], values[2], values[4]
    material, best, second = only, 0.0, 9.0
    if only < 0:
        best = 9.0
        for m in range(6):
            if values[5 + m] < best:
                material, best, second = m, values[5 + m], best
            elif values[5 + m] < second:
                second = values[5 + m]
    for channel in range(3):
        colour[channel] = look[3 * material + channel] * texture
    side = abs(x)
    if material == 0:
        if z > 1.53 and y > 0.03:
            _face(look, side, z, colour)
        return 0.25, 0.06, 4
    if material == 1:
        return 0.1, 0.10, 5
    if material == 2:
        _top(look, x, y, z, texture, colour)
    if second - best < SEAM and material != 5:  # seams, and the shadow that a hem casts
        for channel in range(3):
            colour[channel] *= 0.8
    if material == 4:
        if z < 0.022:  # the sole
            for channel in range(3):
                colour[channel] = 0.12
        return 0.08, 0.12, 5
    return 0.08, 0.0, 0


@compiled
def _top(look: NDArray[np.float32], x: float, y: float, z: float, texture: float, colour: NDArray[np.float64]) -> None:
    """Replace the colour of the top where its pattern, or what is under an open jacket, shows."""
    side = abs(x)
    shown = 0.0
    pattern = look[_PATTERN]
    scale = look[_PATTERN_SCALE]
    if look[_OPEN_FRONT] > 0:
        opening = 0.03 + 0.13 * max(0.0, z - 1.2)
        if y > 0 and side < opening:
            shown = 1.0
        elif y > 0 and side < opening + 0.012:
            for channel in range(3):
                colour[channel] *= 0.7
    elif pattern == 1.0:
        stripes = z * 14 * scale
        shown = 1.0 if stripes - np.floor(stripes) < 0.4 else 0.0
    elif pattern == 2.0:
        rows, columns = z * 20 * scale, x * 20 * scale
        shown = 0.5 * (rows - np.floor(rows) < 0.35) + 0.5 * (columns - np.floor(columns) < 0.35)
    elif pattern == 3.0:
        if y > 0.05 and side < 0.085 and abs(z - 1.29) < 0.07:
            wave = np.sin(x * 75 * scale + look[_PHASE]) + np.sin(z * 90 * scale - 2 * look[_PHASE])
            shown = 1.0 if wave + 0.5 * np.sin(160 * (x + z)) > 0.1 else 0.0
    elif pattern == 4.0:
        shown = 1.0 if z < 1.22 else 0.0
    if shown > 0:
        for channel in range(3):
            colour[channel] = colour[channel] * (1 - shown) + look[18 + channel] * texture * shown


@compiled
def _face(look: NDArray[np.float32], side: float, z: float, colour: NDArray[np.float64]) -> None:
    """Draw eyes, brows, lips, blush and beard; places are those of the reference body's head."""
    eye = side - 0.031
    if abs(eye) < 0.015 and abs(z - 1.640) < 0.0075:
        iris = abs(eye) < 0.006
        for channel in range(3):
            colour[channel] = 0.06 if iris else 0.5 - 0.02 * channel
        return
    if abs(eye) < 0.018 and abs(z - 1.6595 + 0.12 * abs(eye)) < 0.0038:  # brows
        for channel in range(3):
            colour[channel] = 0.35 * colour[channel] + 0.6 * look[3 + channel]
        return
    if side < 0.026 and abs(z - 1.578) < 0.0075:
        colour[0] *= 0.86
        colour[1] *= 0.66
        colour[2] *= 0.66
        return
    if abs(eye) < 0.024 and abs(z - 1.642) < 0.020:  # eye sockets
        colour[0] *= 0.92
        colour[1] *= 0.87
        colour[2] *= 0.86
    elif abs(side - 0.045) < 0.02 and abs(z - 1.605) < 0.02:  # cheeks
        colour[0] *= 1.03
        colour[1] *= 0.94
        colour[2] *= 0.93
    if look[_BEARD] > 0 and z < 1.600 + 0.4 * max(0.0, side - 0.03):
        for channel in range(3):
            colour[channel] = 0.55 * colour[channel] + 0.45 * look[3 + channel]


def single_materials(distances: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.int8]:
    """Tell for each triangle which material all of it is made of, -1 where there is more than one or a seam.

    Args:
        distances: ``(V, NUM_MATERIALS)``, of every vertex to each material.
        triangles: ``(T, 3)``.
    """
    nearest = distances.argmin(axis=1)
    two = np.partition(distances, 1, axis=1)
    clear = two[:, 1] - two[:, 0] > SEAM
    corners = nearest[triangles]
    single = (corners == corners[:, :1]).all(axis=1) & clear[triangles].all(axis=1)
    return np.where(single, corners[:, 0], -1).astype(np.int8)
