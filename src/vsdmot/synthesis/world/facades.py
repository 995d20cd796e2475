"""Pictures of what buildings show to the street: windows, shop fronts, doors."""

from __future__ import annotations

import cv2
import numpy as np

from vsdmot.synthesis.world.materials import Colour, Texture
from vsdmot.synthesis.world.textures import Field, coloured, noise, picture, slabs

_BAYS = 4  # windows beside each other and above each other in one picture
_SIDE = 1024


def wall_pixels(rng: np.random.Generator, colour: Colour, kind: str) -> Field:
    """Paint a wall of plaster, brick or panels, ``(1024, 1024, 3)``."""
    if kind == "brick":
        bricks = slabs(rng, colour, size=(0.27, 0.09), joint=0.014, shift=0.5, spread=0.1, joint_shade=1.15, metres=3.2)
        tile = bricks.pixels[..., :3].astype(np.float32) / 255
        half = cv2.resize(tile, (256, 256), interpolation=cv2.INTER_AREA)
        return np.tile(half, (4, 4, 1))
    value = 1 + 0.015 * noise(rng, (_SIDE, _SIDE), 5, 4) + 0.02 * noise(rng, (_SIDE, _SIDE), 250, 2, 0.9)
    streaks = cv2.resize(noise(rng, (8, _SIDE), 8, 4, 0.8), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    value -= 0.025 * np.clip(streaks, 0, 2)
    if kind == "panels":
        step = _SIDE // 8
        value[::step] *= 0.75
        value[:, ::step] *= 0.75
        value *= np.kron(1 + 0.02 * rng.standard_normal((8, 8)), np.ones((step, step))).astype(np.float32)
    return coloured(value, colour)


def windows(rng: np.random.Generator, colour: Colour, *, kind: str, metres: float = 12.8, lit: float = 0.0) -> Texture:
    """Paint upper floors: 4 by 4 windows in a wall.

    Args:
        rng: Source of chance.
        colour: Of the wall.
        kind: "plaster", "brick", "panels" or "glass".
        metres: Side of the picture.
        lit: Part of the windows with a lamp on.
    """
    cell = _SIDE // _BAYS
    colours = wall_pixels(rng, colour, kind)
    shine = np.zeros((_SIDE, _SIDE), np.float32)
    if kind == "glass":
        width, height, frame = cell - 10, int(cell * rng.uniform(0.6, 0.8)), 3
        colours *= 0.6
    else:
        width, height = int(cell * rng.uniform(0.34, 0.5)), int(cell * rng.uniform(0.46, 0.62))
        frame = int(rng.integers(4, 7))
    sash = [(1,), (2,), (2, 1), (3,)][int(rng.integers(4))]
    frame_colour = float(rng.choice([0.85, 0.8, 0.3, 0.22])) * np.array((1.0, 0.98, 0.95))
    dressed = kind != "glass" and rng.random() < 0.5
    if kind != "glass" and rng.random() < 0.5:  # a string course at each floor
        for row in range(_BAYS):
            y = row * cell + cell - 12
            colours[y : y + 8] = colours[y : y + 8] * 0.8 + 0.2
            colours[y + 8 : y + 12] *= 0.65
    for row in range(_BAYS):
        for column in range(_BAYS):
            x, y = column * cell + (cell - width) // 2, row * cell + (cell - height) // 2 - 4
            if dressed:
                colours[y - 10 : y + height + 6, x - 10 : x + width + 10] = colours[0:1, 0:1] * 0 + np.clip(
                    np.array(colour) * 1.2, 0, 0.92
                )
            window(
                rng,
                colours[y : y + height, x : x + width],
                shine[y : y + height, x : x + width],
                frame,
                sash,
                frame_colour,
                rng.random() < lit,
            )
            if kind != "glass":
                colours[y + height : y + height + 5, x - 6 : x + width + 6] = 0.78
                colours[y + height + 5 : y + height + 13, x - 4 : x + width + 4] *= 0.72
    return Texture(picture(colours, shine), (metres, metres))


def window(
    rng: np.random.Generator,
    colours: Field,
    shine: Field,
    frame: int,
    sash: tuple[int, ...],
    frame_colour: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    lit: bool,
) -> None:
    """Paint one window in place: a dim room with blinds or curtains behind glass, in the wall's reveal."""
    height, width = shape = colours.shape[:2]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    room = (0.10 + 0.07 * y + 0.02 * noise(rng, (height, width), 3, 3)) * rng.uniform(0.7, 1.4)
    glass = coloured(room.astype(np.float32), (0.92, 1.0, 1.06))
    if lit:
        glass = coloured((0.75 + 0.2 * (1 - y) + 0.05 * noise(rng, shape, 4, 2)).astype(np.float32), (1.15, 0.95, 0.65))
    choice = rng.random()
    if choice < 0.3:  # blind, partly down
        rows = int(height * rng.uniform(0.15, 0.8))
        glass[:rows] = np.array((0.62, 0.6, 0.55)) * rng.uniform(0.7, 1.1)
        glass[:rows:5] *= 0.85
    elif choice < 0.6:  # curtains at both sides
        part = int(width * rng.uniform(0.1, 0.3))
        folds = 0.6 + 0.15 * np.sin(np.arange(part) * rng.uniform(0.6, 1.2))[None, :, None]
        cloth = folds * np.array((1.0, 0.97, 0.9))
        glass[:, :part] = cloth
        glass[:, width - part :] = cloth
    colours[:] = glass
    shine[:] = 1
    bars = np.zeros(shape, bool)
    bars[:frame] = bars[-frame:] = bars[:, :frame] = bars[:, -frame:] = True
    for k in range(1, sash[0]):
        x = width * k // sash[0]
        bars[:, x - frame // 2 : x + (frame + 1) // 2] = True
    if len(sash) > 1:
        bars[int(height * 0.3) : int(height * 0.3) + frame - 1] = True
    colours[bars] = frame_colour
    shine[bars] = 0
    # The reveal keeps light off the upper and the left part.
    deep = max(2, frame + 2)
    colours[:deep] *= 0.5
    colours[:, :deep] *= 0.7
    shine[:deep] *= 0.3


def shop_front(rng: np.random.Generator, colour: Colour, *, lit: float = 1.0) -> Texture:
    """Paint a shop's ground floor, 512 by 256: plinth, large panes with a room behind, a door."""
    height, width = 256, 512
    colours = coloured(1 + 0.04 * noise(rng, (height, width), 6, 4), colour)
    shine = np.zeros((height, width), np.float32)
    dark = np.array(colour) * 0.45
    door = int(rng.integers(0, 4))
    panes = 4
    step = width // panes
    for k in range(panes):
        low = 8 if k == door else int(height * rng.uniform(0.1, 0.16))
        x0, x1, y0, y1 = k * step + 6, (k + 1) * step - 6, 14, height - low
        pane = shop_window(rng, (y1 - y0, x1 - x0), lit)
        colours[y0 - 4 : y1 + 4, x0 - 4 : x1 + 4] = dark
        colours[y0:y1, x0:x1] = pane
        shine[y0:y1, x0:x1] = 0.8
        if k == door:
            colours[y0 + 40 : y0 + 46, x0:x1] = dark
            colours[y0 + 46 : y1, (x0 + x1) // 2 - 2 : (x0 + x1) // 2 + 2] = dark
            colours[y1 - 20 : y1, x0:x1] = dark * 1.4
            cv2.line(colours, (x0 + 40, y0 + 120), (x0 + 40, y0 + 160), (0.7, 0.7, 0.7), 2)
        if rng.random() < 0.4:  # a poster of plain blocks, stuck to the pane
            w, h = int(rng.integers(18, 36)), int(rng.integers(20, 40))
            x, y = int(rng.integers(x0 + 4, x1 - w - 4)), int(rng.integers(y0 + 30, y1 - h - 20))
            colours[y : y + h, x : x + w] = rng.uniform(0.3, 0.8, 3) * 0.6 + 0.25
            colours[y + h // 3 : y + h // 2, x + 3 : x + w - 3] *= 0.6
    colours[:10] *= 0.6
    return Texture(picture(colours, shine))


def shop_window(rng: np.random.Generator, shape: tuple[int, int], lit: float) -> Field:
    """Paint the room behind a pane: back wall, floor, ceiling lamps, shelves with blurred goods."""
    height, width = shape
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    tone = np.array((1.0, rng.uniform(0.88, 0.97), rng.uniform(0.7, 0.95)), np.float32)
    room = coloured((0.34 - 0.18 * np.abs(y - 0.4)).astype(np.float32) * rng.uniform(0.6, 1.2), tone)
    floor = int(height * 0.78)
    room[floor:] *= 0.75
    for _ in range(int(rng.integers(2, 5))):  # shelves
        top = int(rng.uniform(0.3, 0.72) * height)
        left, right = sorted(rng.integers(0, width, 2))
        for x in range(left, right - 4, int(rng.integers(5, 10))):
            tall = int(rng.integers(5, 15))
            room[top - tall : top, x : x + 4] = rng.uniform(0.12, 0.5) * (0.7 + 0.3 * rng.random(3))
        room[top : top + 2, left:right] = 0.2
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, width)), int(rng.integers(8, height // 4))
        cv2.ellipse(room, at, (7, 2), 0, 0, 360, [float(v) for v in np.array(tone) * 1.0], -1, cv2.LINE_AA)
    blurred: Field = cv2.GaussianBlur(room, (0, 0), 1.6) * lit
    return blurred
