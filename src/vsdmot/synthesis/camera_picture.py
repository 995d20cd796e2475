"""From light to a picture: what lens, sensor and processing of an ordinary camera do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.structures import Image
from vsdmot.synthesis.compiled import compiled


@dataclass(frozen=True, kw_only=True)
class Development:
    """Settings of the camera, the same for a whole scene.

    Attributes:
        exposure: Factor on all light.
        white_balance: Factors on red, green and blue.
        softness: Width of the lens's blur, pixels.
        noise: Standard deviation of the sensor's noise in grey levels of 255.
        vignette: How much darker the corners are, 0 to 1.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    softness: float = 0.45
    noise: float = 2.5
    vignette: float = 0.0


def develop(light: NDArray[np.float32], settings: Development, rng: np.random.Generator) -> Image:
    """Make a picture of linear light.

    Args:
        light: ``(H, W, 3)``; 1 is a white surface in full light. It is changed.
        settings: The camera's.
        rng: Source of the noise.
    """
    if settings.softness > 0:
        light = cv2.GaussianBlur(light, (3, 3), settings.softness)
    grain = rng.standard_normal(light.shape, dtype=np.float32)
    image = np.empty(light.shape, np.uint8)
    gains = np.array(settings.white_balance, np.float32) * np.float32(settings.exposure)
    _tone(light, gains, settings.vignette, grain, settings.noise, image)
    return image


@compiled
def _tone(
    light: NDArray[np.float32],
    gains: NDArray[np.float32],
    vignette: float,
    grain: NDArray[np.float32],
    noise: float,
    image: NDArray[np.uint8],
) -> None:
    """Fold highlights softly, darken corners, add noise, round."""
    height, width = light.shape[:2]
    for row in range(height):
        y = (row + 0.5) / height - 0.5
        for column in range(width):
            x = (column + 0.5) / width - 0.5
            fall = 1.0 - vignette * 2.0 * (x * x + y * y)
            for channel in range(3):
                # Beyond this the curve would fall again.
                value = min(light[row, column, channel] * gains[channel] * fall, 2.5)
                value = value / (1.0 + 0.12 * value * value) * 255.0 + grain[row, column, channel] * noise
                image[row, column, channel] = np.uint8(min(255.0, max(0.0, value + 0.5)))
