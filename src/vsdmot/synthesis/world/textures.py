"""Pictures of materials, made of noise and patterns; those that repeat have no seam."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.world.materials import Colour, Texture

Field = NDArray[np.float32]

_SIDE = 512
_WRAP = 3  # cells by which a lattice of noise is continued, for a cubic blend without a seam


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
    for _ in range(octaves):
        rows, columns = (max(1, round(cells * side / min(shape))) for side in shape)
        if rows >= shape[0] or columns >= shape[1]:
            total += weight * rng.standard_normal(shape, dtype=np.float32)
            power += weight**2
            break
        total += weight * _stretched(rng.standard_normal((rows, columns), dtype=np.float32), shape)
        power += (0.6 * weight) ** 2
        cells *= 2
        weight *= fall
    total /= np.sqrt(power)
    return total


def _stretched(lattice: Field, shape: tuple[int, int]) -> Field:
    wrapped = np.pad(lattice, _WRAP, mode="wrap")
    scale = shape[1] / lattice.shape[1], shape[0] / lattice.shape[0]
    matrix = np.array([[scale[0], 0, -_WRAP * scale[0]], [0, scale[1], -_WRAP * scale[1]]])
    stretched: Field = cv2.warpAffine(wrapped, matrix, shape[::-1], flags=cv2.INTER_CUBIC)
    return stretched


def picture(colour: Field, shine: Field | float = 1.0) -> NDArray[np.uint8]:
    """Pack colours in [0, 1], ``(h, w, 3)``, and gloss or coverage in [0, 1], ``(h, w)``."""
    packed = np.empty((*colour.shape[:2], 4), np.uint8)
    packed[..., :3] = np.clip(colour * 255 + 0.5, 0, 255)
    packed[..., 3] = np.clip(np.asarray(shine) * 255 + 0.5, 0, 255)
    return packed


def coloured(value: Field, colour: Sequence[float] | NDArray[np.floating]) -> Field:
    """Give a brightness one colour, ``(h, w, 3)``."""
    return value[..., None] * np.array(colour, np.float32)


def plain() -> Texture:
    """Make one even, white texture, to be tinted."""
    return Texture(np.full((1, 1, 4), 255, np.uint8))


def rough(
    rng: np.random.Generator, colour: Colour = (0.8, 0.8, 0.8), *, contrast: float = 0.05, metres: float = 3.0
) -> Texture:
    """Make plaster, concrete or paint: faintly mottled, with fine grain."""
    shape = (_SIDE, _SIDE)
    value = 1 + 0.25 * contrast * noise(rng, shape, 7, 4) + 0.7 * contrast * noise(rng, shape, 100, 3, 0.8)
    return Texture(picture(coloured(value, colour)), (metres, metres))


def asphalt(rng: np.random.Generator, colour: Colour = (0.36, 0.36, 0.37)) -> Texture:
    """Make a road's surface: grit, some cracks sealed with tar, patches."""
    shape = (_SIDE, _SIDE)
    grit = noise(rng, shape, 170, 2, 1.0)
    value = 1 + 0.08 * grit + 0.01 * noise(rng, shape, 9, 3) + 0.12 * np.clip(grit - 1.6, 0, 1)
    cracks = np.zeros(shape, np.float32)
    for _ in range(rng.integers(0, 3)):
        steps = np.cumsum(rng.normal([5, 0], 4, (60, 2)), axis=0)
        line = (rng.uniform(0, _SIDE, 2) + (steps if rng.random() < 0.5 else steps[:, ::-1])).astype(np.int32)
        for shift in ((0, 0), (-_SIDE, 0), (0, -_SIDE)):
            cv2.polylines(cracks, [line + np.array(shift, np.int32)], False, 1.0, int(rng.integers(1, 3)), cv2.LINE_AA)
    value *= 1 - 0.35 * cracks
    return Texture(picture(coloured(value, colour)), (4.0, 4.0))


def slabs(
    rng: np.random.Generator,
    colour: Colour,
    *,
    size: tuple[float, float] = (0.5, 0.5),
    joint: float = 0.008,
    shift: float = 0.0,
    spread: float = 0.06,
    grain: float = 0.05,
    joint_shade: float = 0.6,
    metres: float = 4.0,
) -> Texture:
    """Make paving, tiles or bricks.

    Args:
        rng: Source of chance.
        colour: Of a slab.
        size: Width and height of one in metres; rounded so that a whole number fits.
        joint: Width of the joint in metres.
        shift: Part of a slab by which every other row is moved.
        spread: How differently bright the slabs are.
        grain: How strongly each one is mottled.
        joint_shade: Brightness of the joints; above 1 is light mortar.
        metres: Side of the picture.
    """
    columns, rows = max(1, round(metres / size[0])), max(1, round(metres / size[1]))
    if shift and rows % 2:
        rows += 1
    shape = (_SIDE, _SIDE)
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    row = np.floor(y * rows).astype(int)
    across = x * columns + shift * (row % 2)
    column = np.floor(across).astype(int) % columns
    shades = 1 + spread * rng.standard_normal((rows, columns)).astype(np.float32)
    hues = 0.3 * spread * rng.standard_normal((rows, columns)).astype(np.float32)
    value = shades[row, column] + grain * (noise(rng, shape, 120, 3, 0.8) + 0.25 * noise(rng, shape, 9, 3))
    colours = coloured(value, colour)
    colours[..., 0] *= 1 + hues[row, column]
    colours[..., 2] *= 1 - hues[row, column]
    to_side = np.minimum(across % 1, 1 - across % 1) * metres / columns
    to_edge = np.minimum(y * rows % 1, 1 - y * rows % 1) * metres / rows
    texel = metres / _SIDE
    gap = np.clip(1.0 - (np.minimum(to_side, to_edge) - joint / 2) / texel, 0, 1) * min(1.0, joint / texel)
    level = np.array(colour, np.float32).mean() * joint_shade
    colours = colours * (1 - gap[..., None]) + level * gap[..., None]
    return Texture(picture(colours, 1 - gap), (metres, metres))


def planks(rng: np.random.Generator, colour: Colour, *, width: float = 0.1, metres: float = 2.4) -> Texture:
    """Make a wooden floor, its boards along the picture's height."""
    shape = (_SIDE, _SIDE)
    boards = round(metres / width)
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    board = np.floor(x * boards).astype(int)
    starts = rng.random(boards).astype(np.float32)
    along = (y + starts[board]) * 2
    piece = np.floor(along).astype(int) % 2
    shades = 1 + 0.07 * rng.standard_normal((2, boards)).astype(np.float32)
    grain = cv2.resize(noise(rng, (32, _SIDE), 16, 3, 0.8), (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    value = shades[piece, board] + 0.05 * grain + 0.02 * noise(rng, shape, 60, 2)
    side = np.minimum(x * boards % 1, 1 - x * boards % 1) * _SIDE / boards
    end = np.minimum(along % 1, 1 - along % 1) * _SIDE / 2
    gap = np.clip(1.4 - np.minimum(side, end), 0, 1)
    value *= 1 - 0.35 * gap
    return Texture(picture(coloured(value, colour), 1 - gap), (metres, metres))


def grass(rng: np.random.Generator, colour: Colour = (0.36, 0.42, 0.22)) -> Texture:
    """Make a lawn."""
    shape = (_SIDE, _SIDE)
    value = 1 + 0.16 * noise(rng, shape, 90, 3, 0.9) + 0.02 * noise(rng, shape, 12, 3)
    dry = np.clip(0.03 * noise(rng, shape, 16, 4), -0.1, 0.1)
    colours = coloured(value, colour)
    colours[..., 0] *= 1 + dry
    colours[..., 2] *= 1 - 0.4 * dry
    return Texture(picture(colours), (4.0, 4.0))


def curtain(rng: np.random.Generator, colour: Colour, metres: float = 3.0) -> Texture:
    """Make hanging cloth: folds along the picture's height."""
    folds = noise(rng, (1, _SIDE), 1, 1)[0] * 0
    for cells, weight in ((11, 1.0), (24, 0.6), (47, 0.25)):
        folds += weight * _stretched(rng.standard_normal((1, cells), dtype=np.float32), (1, _SIDE))[0]
    folds = np.tanh(folds)
    value = 0.78 + 0.22 * folds[None, :] + 0.02 * noise(rng, (64, _SIDE), 60, 2)
    return Texture(picture(coloured(value.astype(np.float32), colour)), (metres, 12.0))


def stripes(rng: np.random.Generator, colour: Colour, *, pitch: float = 0.1, depth: float = 0.2) -> Texture:
    """Make corrugated or slatted panels: rounded stripes along the picture's width, 16 of them."""
    y = np.arange(256, dtype=np.float32)[:, None] / 16 % 1
    value = 1 - depth * (1 - np.sqrt(np.clip(1 - (2 * y - 1) ** 2, 0, 1))) - depth * (y > 0.92)
    value = value + 0.03 * noise(rng, (256, 256), 20, 4)
    return Texture(picture(coloured(value, colour)), (16 * pitch, 16 * pitch))


def foliage(rng: np.random.Generator, *, dense: bool = False) -> Texture:
    """Make leaves, green of several shades: a clump with holes, or, dense, a hedge's face without any."""
    side = 256
    colours = np.zeros((side, side, 3), np.float32)
    colours[:] = (0.10, 0.15, 0.06)
    cover = np.ones((side, side), np.uint8) * (1 if dense else 0)
    number = 900 if dense else 420
    for k in range(number):
        if dense:
            middle = rng.uniform(0, side, 2)
        else:
            radius = 0.46 * side * np.sqrt(rng.random()) * (0.75 + 0.25 * rng.random())
            turn = rng.uniform(0, 2 * np.pi)
            middle = side / 2 + radius * np.array([np.cos(turn), np.sin(turn)])
        shade = 0.45 + 0.55 * k / number + 0.12 * rng.standard_normal()
        green = np.array((0.38, 0.48, 0.21)) + 0.03 * rng.standard_normal(3)
        axes = (int(rng.integers(5, 10)), int(rng.integers(3, 5)))
        angle = float(rng.uniform(0, 180))
        colour = tuple(float(c) for c in np.clip(green * shade, 0, 1))
        shifts = [(0, 0)] if not dense else [(i, j) for i in (-side, 0, side) for j in (-side, 0, side)]
        for shift in shifts:
            at = int(middle[0] + shift[0]), int(middle[1] + shift[1])
            if -10 <= at[0] < side + 10 and -10 <= at[1] < side + 10:
                cv2.ellipse(colours, at, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
                cv2.ellipse(cover, at, axes, angle, 0, 360, 1, -1)
    if dense:
        return Texture(picture(colours), (1.2, 1.2))
    return Texture(picture(colours, cover.astype(np.float32)), None, cut=True)


def lettering(
    rng: np.random.Generator, ground: Colour, ink: Colour, shape: tuple[int, int] = (64, 512), lines: int = 1
) -> Texture:
    """Make a sign with words of no language."""
    colours = np.empty((*shape, 3), np.float32)
    colours[:] = ground
    colours *= 1 + 0.02 * noise(rng, shape, 6, 3)[..., None]
    cover = np.zeros(shape, np.uint8)
    letters = "ABCDEFGHIJKLMNOPRSTUVZ"
    fonts = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SIMPLEX)
    for line in range(lines):
        word = "".join(rng.choice(list(letters), int(rng.integers(4, 11))))
        height = shape[0] / lines
        scale = 0.55 * height / 22
        font = fonts[int(rng.integers(len(fonts)))]
        (width, tall), _ = cv2.getTextSize(word, font, scale, 2)
        scale *= min(1.0, 0.9 * shape[1] / width)
        (width, tall), _ = cv2.getTextSize(word, font, scale, 2)
        at = int((shape[1] - width) * rng.uniform(0.2, 0.8)), int((line + 0.5) * height + tall / 2)
        cv2.putText(cover, word, at, font, scale, 255, max(1, int(scale * 2.2)), cv2.LINE_AA)
    part = (cover.astype(np.float32) / 255)[..., None]
    colours[:] = colours * (1 - part) + part * np.array(ink, np.float32)
    return Texture(picture(colours, 0.3))
