"""What is measured on a sampled picture, so that its defects can be named: raw numbers, without any threshold."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot.quality import combine, measure
from vsdmot.structures import Image
from vsdmot.triage.edges import measure_edges
from vsdmot.triage.grids import measure_grids

PATCH = 8  # px: side of the patches among which the calmest are found
CALM_PERCENT = 10.0
CLIPPED_BELOW, CLIPPED_ABOVE = 4.0, 248.0  # grey levels: beyond them a patch lost its texture to clipping


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMeasures:
    """Numbers of one picture; grey levels run from 0 to 255.

    Attributes:
        score: The quality ``Q`` (Sec. III-C), as `vsdmot.quality.assess` gives it.
        side: Square root of the area, pixels.
        level: Mean grey level.
        span: Grey levels between the 2nd and the 98th percentile.
        fine_noise: Noise sigma, grey levels.
        coarse_noise: Noise sigma of the picture shrunk by 4, grey levels.
        steps: Steps across the lines of JPEG's grid beyond those beside them, grey levels.
        calm: Root mean square of the Laplacian in the calmest patches that are not clipped, grey levels. Rounding alone
            gives 1.3 on a slope; less means that coding has wiped patches clean.
        edge: Width of edges, pixels.
        least_edge: Width in the direction of the narrowest edges, pixels.
        greatest_edge: Width in the direction of the widest edges, pixels.
        blocks: How far the period of coding blocks stands out.
        enlargement: How far the period of an enlargement stands out, but for those by 2 and 4.
        doubling: How far that of an enlargement by 2 or 4 stands out; blocks give it too.
    """

    score: float
    side: float
    level: float
    span: float
    fine_noise: float
    coarse_noise: float
    steps: float
    calm: float
    edge: float
    least_edge: float
    greatest_edge: float
    blocks: float
    enlargement: float
    doubling: float


def measure_picture(image: Image) -> PictureMeasures:
    """Measure ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: The picture is empty or of another kind.
    """
    raw = measure(image)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    edges, grids = measure_edges(grey), measure_grids(grey)
    counts = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    return PictureMeasures(
        score=combine(raw).score,
        side=raw.side,
        level=float(grey.mean()),
        span=float(np.searchsorted(counts, 0.98) - np.searchsorted(counts, 0.02)),
        fine_noise=raw.fine_noise,
        coarse_noise=raw.coarse_noise,
        steps=raw.grid,
        calm=_calm(grey),
        edge=edges.typical,
        least_edge=edges.least,
        greatest_edge=edges.greatest,
        blocks=grids.blocks,
        enlargement=grids.enlargement,
        doubling=grids.doubling,
    )


def _calm(grey: np.ndarray) -> float:
    rows, columns = grey.shape[0] // PATCH, grey.shape[1] // PATCH
    if not rows or not columns:
        return 0.0
    inner = grey[: rows * PATCH, : columns * PATCH]
    squared = np.square(cv2.Laplacian(inner, cv2.CV_32F))
    energy = cv2.resize(squared, (columns, rows), interpolation=cv2.INTER_AREA)
    level = cv2.resize(inner.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    usable = (level > CLIPPED_BELOW) & (level < CLIPPED_ABOVE)
    return float(np.sqrt(np.percentile(energy[usable] if usable.mean() >= 0.1 else energy, CALM_PERCENT)))
