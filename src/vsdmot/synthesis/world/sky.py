"""What is seen where nothing stands: sky and clouds, or, for reflections indoors, a bright ceiling."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.world.textures import noise

_SHAPE = (256, 1024)


def outdoor_sky(
    rng: np.random.Generator, zenith: tuple[float, float, float], horizon: tuple[float, float, float], clouds: float
) -> NDArray[np.float32]:
    """Paint a sky.

    Args:
        rng: Source of chance.
        zenith: Colour overhead.
        horizon: Colour at the horizon; below it the ground takes over.
        clouds: Part of it that is covered, in [0, 1].

    Returns:
        ``(256, 1024, 3)``, as `vsdmot.synthesis.world.draw.Mesh` wants it.
    """
    z = (np.arange(_SHAPE[0], dtype=np.float32) + 0.5) / _SHAPE[0] * 2 - 1
    up = np.sqrt(np.clip(z, 0, 1))[:, None, None]
    sky = np.array(horizon, np.float32) * (1 - up) + np.array(zenith, np.float32) * up
    sky = np.repeat(sky, _SHAPE[1], axis=1)
    # Clouds are flat layers: towards the horizon they are seen ever more from the side.
    shape = (512, 1024)
    layer = noise(rng, shape, 5, 6, 0.6)
    rows = 40 / np.maximum(z[:, None], 0.02) % shape[0] + np.zeros((1, _SHAPE[1]), np.float32)
    columns = np.broadcast_to(np.arange(_SHAPE[1], dtype=np.float32), rows.shape)
    seen = cv2.remap(layer, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    lower = cv2.remap(layer, columns, rows - 9, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    threshold = float(np.quantile(layer, 1 - clouds))
    cover = np.clip((seen - threshold) / 0.9, 0, 1)[..., None] * np.clip((z[:, None, None] - 0.02) / 0.12, 0, 1)
    bright = 1.06 - 0.12 * np.clip(seen - threshold, 0, 1.5)[..., None] + 0.06 * np.clip(seen - lower, -1, 1)[..., None]
    sky = sky * (1 - cover) + cover * bright * np.array((1.0, 1.0, 1.01), np.float32)
    sky[z < 0] = np.array(horizon, np.float32) * 0.5
    return np.ascontiguousarray(sky, np.float32)


def indoor_surroundings(level: float) -> NDArray[np.float32]:
    """Paint what shiny things reflect in a room: a dim floor, walls, and a ceiling with rows of lamps.

    Returns:
        ``(256, 1024, 3)``, as `vsdmot.synthesis.world.draw.Mesh` wants it.
    """
    z = (np.arange(_SHAPE[0], dtype=np.float32) + 0.5) / _SHAPE[0] * 2 - 1
    around = (np.arange(_SHAPE[1], dtype=np.float32) + 0.5) / _SHAPE[1] * 2 * np.pi
    room = 0.42 + 0.22 * z[:, None] + 0.06 * np.sin(2 * around) + 0.04 * np.sin(5 * around + 1)
    distance = np.sqrt(np.clip(1 / np.maximum(z, 0.05) ** 2 - 1, 0, None))[:, None]  # over a ceiling 1 m up
    across, along = np.abs(np.sin(around)) * distance, np.cos(around) * distance
    lamp = (np.abs(across - 0.7) < 0.12) & (np.abs(along % 1.0 - 0.5) < 0.3) & (z[:, None] > 0.12)
    room = cv2.GaussianBlur(np.where(lamp, 1.3, room).astype(np.float32), (0, 0), 2)
    return np.ascontiguousarray((level * room)[..., None] * np.ones(3, np.float32), np.float32)
