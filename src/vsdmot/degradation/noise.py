"""Gaussian and Poisson noise, of each channel on its own or the same in all three (Real-ESRGAN)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, pdtr

from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_bytes, to_float

_QUANTILES = 4096
"""Steps in which a Poisson law is tabulated: keeps its standard deviation to 1 %, its mean to 0.0012 deviations."""

_NORMAL_QUANTILES = 1 << 16
"""Steps in which the normal law is tabulated: keeps its standard deviation to 0.001 %; nothing lies beyond 4.3."""


def add_gaussian_noise(image: Pixels, sigma: float, gray: bool, rng: np.random.Generator) -> Pixels:
    """Add white Gaussian noise, then clip to [0, 1].

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1].
        sigma: Standard deviation in grey levels of 255, at least 0; higher is noisier.
        gray: Whether all three channels get the same noise.
        rng: Source of the noise.

    Returns:
        The same size and type.

    Raises:
        ValueError: A negative sigma, or the image is none.
    """
    if sigma < 0:
        raise ValueError(f"sigma must be at least 0, got {sigma}")
    values = to_float(image)
    random = rng.integers(0, _NORMAL_QUANTILES, values.shape[:2] if gray else values.shape, dtype=np.uint16)
    noise = _normal_table().take(random)
    return as_given(_added(values, noise, sigma / 255), image)


def add_poisson_noise(image: Pixels, scale: float, gray: bool, rng: np.random.Generator) -> Pixels:
    """Add shot noise, stronger where the image is brighter, then clip to [0, 1].

    The noise of a value ``v`` is ``Poisson(v * n) / n - v``, with ``v`` rounded to 256 levels and ``n`` the number of
    distinct levels in the image, rounded up to a power of two; gray noise takes both from the image's luma.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1].
        scale: Factor on the noise, at least 0; higher is noisier.
        gray: Whether all three channels get the same noise.
        rng: Source of the noise.

    Returns:
        The same size and type.

    Raises:
        ValueError: A negative scale, or the image is none.
    """
    if scale < 0:
        raise ValueError(f"scale must be at least 0, got {scale}")
    values = to_float(image)
    levels = to_bytes(values)
    if gray:  # a grey image has this luma exactly, whatever the rounding of the weights
        levels = cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY).reshape(levels.shape[:2])
    distinct = int(np.count_nonzero(cv2.calcHist([levels.reshape(-1, 1)], [0], None, [256], [0, 256])))
    table = _poisson_table(1 << (distinct - 1).bit_length())
    index = levels.astype(np.int64)
    index *= _QUANTILES
    index += rng.integers(0, _QUANTILES, levels.shape, dtype=np.uint16)
    return as_given(_added(values, table.take(index), scale), image)


def _added(values: FloatImage, noise: FloatImage, scale: float) -> FloatImage:
    if noise.ndim == 2:
        noise = cv2.merge([noise, noise, noise])
    noisy: FloatImage = cv2.scaleAdd(noise, scale, values).reshape(values.shape)
    return np.clip(noisy, 0, 1, out=noisy)


@lru_cache(maxsize=1)
def _normal_table() -> NDArray[np.float32]:
    """Tabulate the normal law at evenly spaced quantiles; a look-up is three times faster than a draw."""
    table: NDArray[np.float32] = ndtri((np.arange(_NORMAL_QUANTILES) + 0.5) / _NORMAL_QUANTILES).astype(np.float32)
    return table


@lru_cache(maxsize=9)  # one entry for each power of two up to 256
def _poisson_table(counts: int) -> NDArray[np.float32]:
    """Tabulate the noise ``Poisson(v * counts) / counts - v`` of each of 256 levels at evenly spaced quantiles.

    A draw is then one look-up at a random index, and its law exact to 1 / `_QUANTILES` in every probability.
    """
    quantiles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    table = np.empty((256, _QUANTILES), np.float32)
    for level in range(256):
        value = level / 255
        mean = value * counts
        most = int(mean + 8 * np.sqrt(mean) + 10)
        drawn = np.searchsorted(pdtr(np.arange(most), mean), quantiles)
        table[level] = drawn / counts - value
    return table.ravel()
