"""Pictures of materials, made of noise and patterns; those that repeat have no seam."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.world.surfaces import Colour, Texture

Field = NDArray[np.float32]


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: float, octaves: int = 4, fall: float = 0.55
) -> Field:
    """Make seamless noise of about unit deviation.

    Args:
        rng: Source of chance.
        shape: Rows and columns.
        cells: Blotches along the shorter side; each octave has twice as many.
        octaves: How many, at most until they are as fine as the picture.
        fall: By which each octave is weaker than the one before.
    """
    total = np.zeros(shape, np.float32)
    weight, power = 1.0, 0.0
    shorter = min(shape)
    for _ in range(octaves):
        rows, columns = (max(1, round(cells * side / shorter)) for side in shape)
        if rows >= shape[0] or columns >= shape[1]:
            total += weight * rng.standard_normal(shape, dtype=np.float32)
            power += weight**2
            break
        lattice = rng.standard_normal((rows, columns), dtype=np.float32)
        edge = 3
        wrapped = np.pad(lattice, edge, mode="wrap")
        scale = (shape[1] / columns, shape[0] / rows)
        matrix = np.array([[scale[0], 0, (0.5 - edge) * scale[0] - 0.5], [0, scale[1], (0.5 - edge) * scale[1] - 0.5]])
        matrix[:, 2] -= matrix[:, 0] * 0 + matrix[:, 1] * 0
        total += weight * cv2.warpAffine(wrapped, matrix, shape[::-1], flags=cv2.INTER_CUBIC)
        power += (0.6 * weight) ** 2
        cells *= 2
        weight *= fall
    total /= np.sqrt(power)
    return total


def picture(colour: Field, shine: Field | float = 1.0) -> NDArray[np.uint8]:
    """Pack colours in [0, 1], ``(h, w, 3)``, and gloss or coverage in [0, 1], ``(h, w)``."""
    packed = np.empty((*colour.shape[:2], 4), np.uint8)
    packed[..., :3] = np.clip(colour * 255 + 0.5, 0, 255)
    packed[..., 3] = np.clip(np.asarray(shine) * 255 + 0.5, 0, 255)
    return packed


def coloured(value: Field, colour: Sequence[float]) -> Field:
    """Give a brightness one colour, ``(h, w, 3)``."""
    return value[..., None] * np.array(colour, np.float32)


def plain() -> Texture:
    """Make one even, white texture, to be tinted."""
    return Texture(np.full((1, 1, 4), 255, np.uint8))


def rough(rng: np.random.Generator, colour: Colour, *, contrast: float = 0.08, metres: float = 3.0) -> Texture:
    """Make plaster, concrete, paint or soil: mottled, with fine grain."""
    shape = (512, 512)
    value = 1 + contrast * noise(rng, shape, 3, 4) + 0.6 * contrast * noise(rng, shape, 128, 3, 0.8)
    hue = 0.25 * contrast * noise(rng, shape, 4, 2)
    colours = coloured(value, colour)
    colours[..., 0] *= 1 + hue
    colours[..., 2] *= 1 - hue
    return Texture(picture(colours), (metres, metres))
