"""Pictures whose defects are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    """A picture with the spectrum of natural ones, shapes with crisp edges in every direction, and a little grain."""
    rng = np.random.default_rng(3)
    height, width = 240, 320
    radius = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / np.maximum(radius, 1) ** 1.4
    texture = np.fft.irfft2(spectrum, s=(height, width))
    image = np.clip(120 + 18 * texture / texture.std(), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    image = np.ascontiguousarray(image)
    for _ in range(40):
        x, y, across, down = (int(rng.integers(0, top)) for top in (width, height, 24, 40))
        colour = tuple(int(v) for v in rng.integers(40, 230, 3))
        cv2.ellipse(image, (x, y), (across + 4, down + 4), int(rng.integers(180)), 0, 360, colour, -1, cv2.LINE_AA)
    return np.clip(image + rng.normal(0, 1.2, image.shape), 0, 255).astype(np.uint8)
