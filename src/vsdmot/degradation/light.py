"""Too little light: a shorter exposure in linear light, photons that arrive by chance, and the sensor's own noise.

Paper note: Real-ESRGAN has no such operator; surveillance at night is full of it. It is the usual model of a sensor
(Poisson photons plus Gaussian read noise), without the gain by which a camera may brighten the picture again.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_float

READ_NOISE = 3.0
"""Standard deviation of what a sensor reads too much or too little, in electrons: that of a good camera."""

_STEPS = 4096
"""Entries of the tables between display values and linear light; between two of them values are rounded."""


def lower_light(
    image: Pixels, exposure: float, electrons: float, rng: np.random.Generator, read_noise: float = READ_NOISE
) -> Pixels:
    """Expose an image with less light.

    With ``v`` the value in linear light (sRGB undone), a pixel counts ``Poisson(v * exposure * electrons)`` electrons,
    to which read noise is added. Poisson is drawn as the normal law of the same mean and variance: where so few
    electrons come that the two differ, read noise covers the difference. The result stays dark.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32; values outside [0, 1] are clipped.
        exposure: Part of the light that is left, above 0 and at most 1; lower is darker and noisier.
        electrons: What a white pixel counts at full exposure, above 0; lower is noisier.
        rng: Source of the noise.
        read_noise: Standard deviation in electrons, at least 0; higher is noisier in the dark.

    Returns:
        The same size and type.

    Raises:
        ValueError: A number outside its range, or the image is none.
    """
    if not (0 < exposure <= 1 and electrons > 0 and read_noise >= 0):
        raise ValueError(
            f"expected exposure in (0, 1], electrons above 0 and read noise of at least 0, got {exposure}, "
            f"{electrons} and {read_noise}"
        )
    to_linear, to_display = _tables()
    values = np.clip(to_float(image), 0, 1)
    counts = to_linear.take(_index(values)) * np.float32(exposure * electrons)
    deviation = np.sqrt(counts + np.float32(read_noise**2))
    counts += deviation * rng.standard_normal(counts.shape, dtype=np.float32)
    # The table is even in the square root of light, where the eye, and sRGB, see differences of the dark.
    root = np.sqrt(np.clip(counts / np.float32(electrons), 0, 1))
    return as_given(to_display.take(_index(root)), image)


def srgb_to_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the transfer curve of sRGB (IEC 61966-2-1).

    >>> srgb_to_linear(np.array([0.0, 0.5, 1.0])).round(3).tolist()
    [0.0, 0.214, 1.0]
    """
    curve: NDArray[np.float64] = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return curve


def linear_to_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply the transfer curve of sRGB.

    >>> linear_to_srgb(np.array([0.0, 0.214, 1.0])).round(2).tolist()
    [0.0, 0.5, 1.0]
    """
    curve: NDArray[np.float64] = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve


def _index(values: FloatImage) -> NDArray[np.uint16]:
    index: NDArray[np.uint16] = (values * np.float32(_STEPS - 1) + np.float32(0.5)).astype(np.uint16)
    return index


@lru_cache(maxsize=1)
def _tables() -> tuple[FloatImage, FloatImage]:
    steps = np.linspace(0, 1, _STEPS)
    return srgb_to_linear(steps).astype(np.float32), linear_to_srgb(steps**2).astype(np.float32)
