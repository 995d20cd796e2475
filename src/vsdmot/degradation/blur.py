"""Convolution with a blur kernel, and unsharp masking; borders are mirrored without repeating the edge pixel.

A dense 21 x 21 convolution of a 1080p frame is the dearest step of the published pipeline. Here a kernel is first
replaced by a cheaper one whose weights differ by at most `TOLERANCE` in sum. On an image in [0, 1] that sum bounds
the error of every pixel, so no pixel moves by more than half a grey level.
"""

from __future__ import annotations

import cv2
import numpy as np

from vsdmot.degradation.kernels import Kernel
from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_float

TOLERANCE = 0.5 / 255
"""Largest sum of absolute changes of a kernel's weights, and so of a pixel in [0, 1]: half a grey level."""

_DIRECT_SIDE = 11
"""Largest kernel that OpenCV convolves pixel by pixel; larger ones go through a Fourier transform."""

_FOURIER_COST = 115
"""Cost of that transform in multiplications per pixel of a separable pass (measured: 60 ms against 0.5 ms per tap)."""


def blur(image: Pixels, kernel: Kernel) -> Pixels:
    """Correlate with a kernel of odd sides; the three channels alike.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32; may be smaller than the kernel.
        kernel: ``(k, k)``, odd.

    Returns:
        The same size and type. Float values are not clipped: a sinc kernel overshoots at edges.

    Raises:
        ValueError: The kernel is not square with an odd side, or the image is none.

    >>> dot = np.zeros((3, 3, 3), np.uint8)
    >>> dot[1, 1] = 90
    >>> blur(dot, np.full((3, 3), 1 / 9))[..., 0].tolist()
    [[40, 20, 40], [20, 10, 20], [40, 20, 40]]
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise ValueError(f"kernel must be square with an odd side, got {kernel.shape}")
    values = to_float(image)
    trimmed = trim(kernel, TOLERANCE / 2)
    passes = separable_passes(trimmed, TOLERANCE / 2)
    side = len(trimmed)
    dense_cost = side * side if side <= _DIRECT_SIDE else _FOURIER_COST
    if 2 * side * len(passes) >= dense_cost:
        return as_given(cv2.filter2D(values, -1, trimmed, borderType=cv2.BORDER_REFLECT_101), image)
    blurred = np.zeros(0, np.float32)
    for row, column in passes:
        part = cv2.sepFilter2D(values, -1, row, column, borderType=cv2.BORDER_REFLECT_101)
        blurred = part if not blurred.size else cv2.add(blurred, part, dst=blurred)
    return as_given(blurred, image)


def trim(kernel: Kernel, tolerance: float) -> Kernel:
    """Cut the rings around a kernel whose absolute weights together stay within half of ``tolerance``.

    The rest is scaled to the old sum, so that brightness is kept; that is the other half.

    >>> trim(np.array([[0, 0, 0], [0, 1.0, 0], [0, 0, 0]]), 0.002)
    array([[1.]])
    """
    total, centre = kernel.sum(), len(kernel) // 2
    for radius in range(centre + 1):
        inner = kernel[centre - radius : centre + radius + 1, centre - radius : centre + radius + 1]
        scaled: Kernel = inner * (total / inner.sum()) if inner.sum() > 0 else inner
        outside = np.abs(kernel).sum() - np.abs(inner).sum()
        if outside + np.abs(scaled - inner).sum() <= tolerance:
            return scaled
    return kernel


def separable_passes(kernel: Kernel, tolerance: float) -> list[tuple[Kernel, Kernel]]:
    """Write a kernel as a sum of products of rows and columns, as few as ``tolerance`` (sum of weights) allows.

    Returns:
        Pairs of a row and a column filter, strongest first, from the singular value decomposition.

    >>> len(separable_passes(np.outer([1, 2, 1], [1, 2, 1]) / 16, 0.001))
    1
    """
    columns, strengths, rows = np.linalg.svd(kernel)
    rest = kernel.copy()
    passes: list[tuple[Kernel, Kernel]] = []
    for column, strength, row in zip(columns.T, strengths, rows, strict=True):
        passes.append((row * np.sqrt(strength), column * np.sqrt(strength)))
        rest -= strength * np.outer(column, row)
        if np.abs(rest).sum() <= tolerance:
            break
    return passes


def sharpen(image: Pixels, amount: float = 0.5, radius: int = 50, threshold: float = 10.0) -> Pixels:
    """Sharpen by unsharp masking where the image differs from its blur (Real-ESRGAN sharpens its clean images so).

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1].
        amount: Share of the difference that is added; 0 changes nothing.
        radius: Side of the Gaussian in pixels, made odd; its sigma is ``0.3 * ((radius - 1) / 2 - 1) + 0.8``.
        threshold: Differences up to this many grey levels (of 255) are left alone; higher sharpens fewer edges.

    Returns:
        The same size and type, within [0, 1] where the image was.

    Raises:
        ValueError: The radius is not positive, or the image is none.
    """
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel, got {radius}")
    values = to_float(image)
    side = radius + 1 - radius % 2
    residual = values - _gaussian(values, side)
    mask = _gaussian((np.abs(residual) * 255 > threshold).astype(np.float32), side)
    sharp = np.clip(cv2.scaleAdd(residual, amount, values).reshape(values.shape), 0, 1)
    return as_given(values + mask * (sharp - values), image)


def _gaussian(values: FloatImage, side: int) -> FloatImage:
    blurred: FloatImage = cv2.GaussianBlur(values, (side, side), 0, borderType=cv2.BORDER_REFLECT_101)
    return blurred
