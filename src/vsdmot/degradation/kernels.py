"""The blur kernels of Real-ESRGAN (Wang et al., ICCV workshops 2021), and that of a motion.

Gaussians are functions of the squared Mahalanobis distance ``q = x' S^-1 x`` of a pixel from the centre, with ``S``
the covariance of widths ``sigma_x`` and ``sigma_y`` turned by ``angle``: ``exp(-q / 2)`` is the Gaussian,
``exp(-q^beta / 2)`` the generalised one, ``1 / (1 + q^beta)`` the one with a plateau. The circular sinc is an ideal
low-pass, whose ringing looks like over-sharpening. A motion's kernel is a line. All kernels are float64 and sum to 1.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

Kernel = NDArray[np.float64]
Shape = Literal["gaussian", "generalised", "plateau"]


def gaussian_kernel(
    size: int,
    sigma_x: float,
    sigma_y: float | None = None,
    angle: float = 0.0,
    shape: Shape = "gaussian",
    beta: float = 1.0,
) -> Kernel:
    """Make a Gaussian, a generalised Gaussian or a plateau kernel.

    Args:
        size: Side in pixels, odd.
        sigma_x: Width along the first axis, pixels.
        sigma_y: Width along the second axis, pixels; None makes the kernel isotropic.
        angle: Direction of the first axis, radians, counted from x (right) to y (down).
        shape: Which function of the distance.
        beta: Exponent of the distance; above 1 the flanks are steeper. The plain Gaussian has none.

    Returns:
        ``(size, size)`` float64 with sum 1.

    Raises:
        ValueError: The size is even, a width or beta is not positive, or the shape is unknown.

    >>> gaussian_kernel(3, sigma_x=1.0).round(3).tolist()
    [[0.075, 0.124, 0.075], [0.124, 0.204, 0.124], [0.075, 0.124, 0.075]]
    """
    sigma_y = sigma_x if sigma_y is None else sigma_y
    if not (sigma_x > 0 and sigma_y > 0 and beta > 0):
        raise ValueError(f"widths and beta must be positive, got {sigma_x}, {sigma_y} and {beta}")
    x, y = _grid(size)
    along = (np.cos(angle) * x + np.sin(angle) * y) / sigma_x
    across = (-np.sin(angle) * x + np.cos(angle) * y) / sigma_y
    distance = along**2 + across**2
    if shape == "gaussian":
        kernel = np.exp(-distance / 2)
    elif shape == "generalised":
        kernel = np.exp(-(distance**beta) / 2)
    elif shape == "plateau":
        kernel = 1 / (1 + distance**beta)
    else:
        raise ValueError(f"shape must be one of {', '.join(get_args(Shape))}, got {shape!r}")
    return _normalised(kernel)


def sinc_kernel(size: int, cutoff: float) -> Kernel:
    """Make a circular low-pass: ``w J1(w r) / (2 pi r)``, and ``w^2 / (4 pi)`` at the centre.

    Args:
        size: Side in pixels, odd.
        cutoff: Highest angular frequency ``w`` that passes, radians per pixel, in (0, pi]; lower blurs and rings more.

    Returns:
        ``(size, size)`` float64 with sum 1; some weights are negative.

    Raises:
        ValueError: The size is even or the cut-off outside (0, pi].

    >>> sinc_kernel(3, cutoff=2.0).round(3).tolist()
    [[0.064, 0.13, 0.064], [0.13, 0.225, 0.13], [0.064, 0.13, 0.064]]
    """
    if not 0 < cutoff <= np.pi:
        raise ValueError(f"cutoff must lie in (0, pi], got {cutoff}")
    x, y = _grid(size)
    radius = np.hypot(x, y)
    radius[size // 2, size // 2] = 1.0  # any value: the centre has a formula of its own
    kernel = cutoff * j1(cutoff * radius) / (2 * np.pi * radius)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * np.pi)
    return _normalised(kernel)


def motion_kernel(length: float, angle: float) -> Kernel:
    """Make the kernel of a straight, even motion during the exposure: a line through the centre.

    Each point of the line gives its light to the four pixels around it, by its distance from them (bilinear); the
    weights are the exact integrals of that along the line, so they change smoothly with any change of length or angle.

    Args:
        length: Length of the motion in pixels, at least 0; longer blurs more, 0 not at all.
        angle: Its direction, radians, counted from x (right) to y (down).

    Returns:
        ``(size, size)`` float64 with sum 1, as small an odd size as holds the line.

    Raises:
        ValueError: The length is negative or not finite.

    >>> motion_kernel(2.0, 0.0).tolist()
    [[0.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 0.0]]
    """
    if not 0 <= length < np.inf:
        raise ValueError(f"length must be at least 0, got {length}")
    half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    reach = int(np.ceil(np.abs(half).max() - 1e-9))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    if reach == 0:
        kernel[0, 0] = 1.0
        return kernel
    lines = np.arange(-reach, reach + 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a line along an axis crosses no line of pixels across it
        crossings = np.concatenate([lines / half[0], lines / half[1], [-1.0, 1.0]])
    edges = np.unique(crossings[np.abs(crossings) <= 1])
    middles, halves = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    for node in (-(3**-0.5), 3**-0.5):  # Gauss-Legendre: exact, because weights are quadratic between two crossings
        points = (middles + node * halves)[:, None] * half + reach
        corner = np.minimum(points.astype(int), 2 * reach - 1)
        x, y = (points - corner).T
        for row, column, share in ((0, 0, (1 - y) * (1 - x)), (0, 1, (1 - y) * x), (1, 0, y * (1 - x)), (1, 1, y * x)):
            np.add.at(kernel, (corner[:, 1] + row, corner[:, 0] + column), share * halves / 2)
    return _normalised(kernel)


def _grid(size: int) -> tuple[Kernel, Kernel]:
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size must be odd and at least 1, got {size}")
    offsets = np.arange(size, dtype=np.float64) - size // 2
    x, y = np.meshgrid(offsets, offsets)
    return x, y


def _normalised(kernel: Kernel) -> Kernel:
    scaled: Kernel = kernel / kernel.sum()
    return scaled
