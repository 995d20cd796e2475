"""Resizing by area, bilinear and bicubic interpolation, as ``torch.nn.functional.interpolate`` defines them.

None of them smooths before it shrinks: aliasing is part of the degradation. OpenCV computes torch's bilinear and
bicubic (a = -0.75) exactly, but its ``INTER_AREA`` weighs partly covered pixels, whereas torch averages, with equal
weights, all pixels that an output pixel touches; that one is written here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_float

ResizeMode = Literal["area", "bilinear", "bicubic"]
MODES: tuple[ResizeMode, ...] = get_args(ResizeMode)

_OPENCV = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


def resize(image: Pixels, height: int, width: int, mode: ResizeMode) -> Pixels:
    """Resize an image; pixel centres map by the ratio of the sizes, so the image's corners stay corners.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32.
        height: New height in pixels.
        width: New width in pixels.
        mode: Which interpolation.

    Returns:
        ``(height, width, 3)`` of the same type. Bicubic float values may overshoot and are not clipped.

    Raises:
        ValueError: A size below 1, an unknown mode, or the image is none.

    >>> ramp = np.repeat(np.arange(0, 100, 10, dtype=np.uint8)[None, :, None], 3, axis=2)
    >>> resize(ramp, 1, 4, "area")[0, :, 0].tolist()
    [10, 30, 60, 80]
    """
    if height < 1 or width < 1:
        raise ValueError(f"a size must be at least 1 x 1, got {height} x {width}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    values = to_float(image)
    if (height, width) == values.shape[:2]:
        return image.copy()
    if mode == "area":
        turned = cv2.transpose(_average_rows(values, height))
        return as_given(cv2.transpose(_average_rows(turned, width)).reshape(height, width, 3), image)
    return as_given(cv2.resize(values, (width, height), interpolation=_OPENCV[mode]), image)


def _average_rows(values: FloatImage, count: int) -> FloatImage:
    """Average, for each of ``count`` output rows, the input rows that it touches."""
    rows, columns = values.shape[:2]
    if count == rows:
        return values
    averaged: FloatImage = _weights(rows, count) @ values.reshape(rows, -1)
    return averaged.reshape(count, columns, 3)


@lru_cache(maxsize=8)
def _weights(length: int, count: int) -> sparse.csr_matrix:
    """Make the matrix ``(count, length)`` of the averages, in which hardly any weight is not 0."""
    starts, ends = touched(length, count)
    widths = ends - starts
    firsts = np.concatenate([[0], np.cumsum(widths)])
    columns = np.arange(firsts[-1]) - np.repeat(firsts[:-1] - starts, widths)
    weights = np.repeat(1 / widths, widths).astype(np.float32)
    return sparse.csr_matrix((weights, columns, firsts), shape=(count, length))


def touched(length: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give first and past-the-last input that each of ``count`` equal parts of ``length`` inputs touches.

    >>> [part.tolist() for part in touched(5, 3)]
    [[0, 1, 3], [2, 4, 5]]
    """
    outputs = np.arange(count, dtype=np.int64)
    return outputs * length // count, -(-(outputs + 1) * length // count)
