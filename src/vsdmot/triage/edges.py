"""How wide the edges of a picture are, in every direction: what tells blur, motion blur and a sharp picture apart.

A step that a lens spread by a Gaussian of sigma ``s`` has, once the picture is smoothed by ``a``, a gradient of
``A / sqrt(2 pi (s^2 + a^2))`` at its middle. The ratio of the gradients at two smoothings does not know the step's
height ``A``, and gives ``s`` (after Zhuo and Sim, Pattern Recognition 2011, who smooth once). The pixels' own width is
not taken off: a perfect step between two pixels measures 0.7, and all others their ``s`` and this, added in squares.
Motion widens only edges that lie across it, so the width is taken for each direction apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FINE, COARSE = 1.0, 2.0  # px: the two smoothings; noise of single pixels is gone after the first
DIRECTIONS = 6
SHARE = 90.0  # percentile of the gradient above which there is an edge
SHARPEST = 30.0  # percentile of the widths: soft shadows and what is out of focus do not make a picture blurred
FEWEST = 30  # edge points, below which a direction says nothing
BORDER = 8  # px without edges, where smoothing has mirrored the picture
WIDEST = 20.0  # px: no edge is told to be wider


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeWidths:
    """Widths of edges: sigma, in pixels, of the Gaussian that would spread a step as much; 0 where there are none.

    Attributes:
        typical: Of all edges.
        least: In the direction where edges are narrowest.
        greatest: In the direction where they are widest; far above ``least`` where things or camera moved.
    """

    typical: float
    least: float
    greatest: float


def measure_edges(grey: NDArray[np.uint8]) -> EdgeWidths:
    """Measure the edges of an ``(H, W)`` uint8 picture."""
    if min(grey.shape) <= 2 * BORDER + 2:
        return EdgeWidths(typical=0.0, least=0.0, greatest=0.0)
    fine = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), FINE)
    # Smoothing again makes the coarse from the fine: variances of Gaussians add up.
    coarse = cv2.GaussianBlur(fine, (0, 0), float(np.sqrt(COARSE**2 - FINE**2)))
    across, down = _slopes(coarse)
    strength = cv2.magnitude(across, down)
    inner = np.zeros(grey.shape, bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    threshold = max(1.0, float(np.percentile(strength[::2, ::2], SHARE)))
    points = inner & (strength >= threshold) & (strength >= 0.97 * cv2.dilate(strength, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(points)
    if len(rows) < FEWEST:
        return EdgeWidths(typical=0.0, least=0.0, greatest=0.0)
    widths = _widths(_magnitude_at(fine, rows, columns) / strength[rows, columns])
    angles = np.arctan2(down[rows, columns], across[rows, columns])
    direction = np.rint(angles / np.pi * DIRECTIONS).astype(int) % DIRECTIONS
    counts = np.bincount(direction, minlength=DIRECTIONS)
    typical = float(np.percentile(widths, SHARPEST))
    each = [float(np.percentile(widths[direction == d], SHARPEST)) for d in np.flatnonzero(counts >= FEWEST)]
    return EdgeWidths(typical=typical, least=min(each, default=typical), greatest=max(each, default=typical))


def _slopes(plane: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    step, one = np.array([-0.5, 0, 0.5], np.float32), np.ones(1, np.float32)
    across: NDArray[np.float32] = cv2.sepFilter2D(plane, cv2.CV_32F, step, one)
    down: NDArray[np.float32] = cv2.sepFilter2D(plane, cv2.CV_32F, one, step)
    return across, down


def _magnitude_at(plane: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """Magnitude of the gradient at some points, none of them on the border."""
    across = plane[rows, columns + 1] - plane[rows, columns - 1]
    down = plane[rows + 1, columns] - plane[rows - 1, columns]
    magnitude: NDArray[np.float32] = np.hypot(across, down) / 2
    return magnitude


def _widths(ratio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Solve ``ratio^2 = (s^2 + COARSE^2) / (s^2 + FINE^2)`` for ``s``; thin lines, narrower than any step, give 0."""
    squared = np.maximum(ratio.astype(np.float64) ** 2, 1.0 + 1e-6)
    return np.sqrt(np.clip((COARSE**2 - squared * FINE**2) / (squared - 1.0), 0.0, WIDEST**2))
