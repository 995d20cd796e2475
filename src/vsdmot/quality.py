"""Frame quality: clarity, noise and contrast of one picture, and the score ``Q`` made of them (Sec. III-C, stage 1).

The paper names three measures of the grey frame: Laplacian variance, high-frequency noise and standard deviation. As
they are they mislead: noise raises the Laplacian variance, and JPEG coding lowers the noise. So noise is measured where
the picture is flat, at two scales, and taken out of the other two, and the 8 x 8 grid of JPEG counts as noise.
``measure`` gives the raw numbers, ``assess`` the quality; ``docs/quality.md`` holds the evidence and the limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.config import check, within
from vsdmot.structures import Frame, FrameQuality, Image

Plane = NDArray[np.uint8] | NDArray[np.float32]

BLOCK = 16  # px of the full-size picture: side of the patches among which flat ones are found, at either scale
SHRINK = 4  # noise that was scaled, blurred or coded after it arose survives this shrinking; texture hides it before
GRID = 8  # px: JPEG codes squares of this side, counted from the top left corner
SMALLEST = 4 * GRID  # px: a shorter side is continued by reflection to this length, so that every statistic exists
FLAT_PERCENT = 10.0  # the calmest patches are taken for flat
CLIPPED_BELOW, CLIPPED_ABOVE = 4.0, 248.0  # grey levels: a patch beyond them lost its noise to clipping
# The calmest patches of pure white noise look calmer than it is; the mean over 60 fields of 640 x 480.
FINE_BIAS, COARSE_BIAS = 0.892, 0.636
WHITE_NOISE_GAIN = 20.0  # Laplacian variance of white noise of variance 1: 4 * 1^2 + 4^2


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Constants of the score; a model must be used with those it was trained with, so they belong to its checkpoint.

    Attributes:
        reference_side: Square root of the picture's area, in pixels, at which detail counts as it is (554: 640 x 480);
            a larger picture holds more of it, a smaller one less. Raising it lowers every clarity; lowering raises it.
        tone_floor: Grey levels (of 255) added to the contrast that detail and noise are compared with. Raising it makes
            noise in dark frames weigh less and their detail too; lowering it makes the measures blind to brightness.
        detail_half: Share of detail in the contrast at which clarity is 1/2. Raising it spreads clarity over sharper
            pictures; lowering it spreads it over blurred ones.
        noise_half: Share of fine noise in the contrast that alone gives noise 1/2. Raising it makes fine noise weigh
            less; lowering it, more.
        coarse_half: Share of coarse noise in the coarse detail that alone gives noise 1/2. Raising it makes rescaled,
            blurred and coded noise weigh less; lowering it makes evenly textured scenes look noisy.
        grid_half: Step of the JPEG grid as a share of the contrast that alone gives noise 1/2. Raising it makes
            blockiness weigh less; lowering it, more.
        contrast_half: Standard deviation in grey levels at which contrast is near 1/2 of its range. Raising it spreads
            contrast over bright frames; lowering it, over dark and foggy ones.
        clarity_weight: Exponent of clarity in the score. Raising it lowers the score of blurred and noisy frames;
            lowering it raises them, and 0 ignores clarity.
        noise_weight: Exponent of 1 - noise in the score, beyond its part in clarity. Raising it lowers the score of
            noisy frames; lowering it raises them, and 0 leaves noise to clarity.
        contrast_weight: Exponent of contrast in the score. Raising it lowers the score of dark frames; lowering it
            raises them, and 0 ignores contrast.
    """

    reference_side: float = 554.0
    tone_floor: float = 1.5
    detail_half: float = 0.035
    noise_half: float = 0.25
    coarse_half: float = 1.0
    grid_half: float = 0.18
    contrast_half: float = 25.0
    clarity_weight: float = 1.5
    noise_weight: float = 0.25
    contrast_weight: float = 0.5

    def __post_init__(self) -> None:
        check(
            self,
            reference_side=within(1.0, 1e5),
            tone_floor=within(0.01, 255.0),
            detail_half=within(1e-4, 100.0),
            noise_half=within(1e-3, 100.0),
            coarse_half=within(1e-3, 100.0),
            grid_half=within(1e-3, 100.0),
            contrast_half=within(0.01, 1e3),
            clarity_weight=within(0.0, 10.0),
            noise_weight=within(0.0, 10.0),
            contrast_weight=within(0.0, 10.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """Raw statistics of a grey frame, before any constant of `QualityConfig`; grey levels run from 0 to 255.

    Attributes:
        side: Square root of the picture's area, pixels.
        laplacian: Variance of the 4-neighbour Laplacian off the lines of JPEG's grid, grey levels squared.
        deviation: Standard deviation, grey levels.
        fine_noise: Noise sigma at full size in the flattest patches, grey levels; exact for white noise.
        coarse_noise: The same on the picture shrunk by 4; white noise of sigma s gives s / 4.
        coarse_detail: Laplacian of the shrunk picture, as the sigma of the white noise that would give it.
        grid: How much larger the steps across the lines of JPEG's grid are than those beside them, grey levels.
    """

    side: float
    laplacian: float
    deviation: float
    fine_noise: float
    coarse_noise: float
    coarse_detail: float
    grid: float


def assess(image: Image | Frame, config: QualityConfig = QualityConfig()) -> FrameQuality:
    """Judge one picture; pure, the same in training and in use (Sec. III-C, stage 1).

    With ``S`` the contrast without noise (grey levels), ``D`` the Laplacian detail without noise (its square root) and
    the constants of ``config``::

        noise    = x / (1 + x),  x = (fine / (S + floor) / noise_half)^2 + (grid / (S + floor) / grid_half)^2
                                     + (coarse / coarse_detail / coarse_half)^2
        clarity  = (1 - noise) * d / (d + detail_half),  d = D / (S + floor) * side / reference_side
        contrast = min(1, S / (S + contrast_half) * (1 + contrast_half / 64))
        Q        = clarity^clarity_weight * (1 - noise)^noise_weight * contrast^contrast_weight

    Paper note: the paper gives neither the normalisation nor the combination. It is a product here, because one spoilt
    term spoils the frame; Laplacian variance and standard deviation are freed from noise, since both rise with it.

    Args:
        image: ``(H, W, 3)`` uint8 RGB of any size from 1 x 1, or a `Frame`. Judge the frame as it was decoded: a frame
            enlarged, shrunk, cropped or padded before has another quality.
        config: The constants.

    Raises:
        ValueError: The picture is empty or not ``(H, W, 3)`` uint8.

    >>> rows, columns = np.mgrid[:64, :64]
    >>> squares = np.repeat((((rows // 9 + columns // 9) % 2 * 150) + 50).astype(np.uint8)[..., None], 3, axis=2)
    >>> blurred = cv2.GaussianBlur(squares, (0, 0), 3)
    >>> assess(squares).score > assess(blurred).score
    True
    """
    return combine(measure(image.image if isinstance(image, Frame) else image), config)


def combine(found: Measurements, config: QualityConfig = QualityConfig()) -> FrameQuality:
    """Map raw statistics to [0, 1] and make the score of them; the formula stands at `assess`."""
    signal = float(np.sqrt(max(found.deviation**2 - found.fine_noise**2, 0.0)))
    tone = signal + config.tone_floor
    # Where noise is all there is, the difference is nothing but estimation error: keep 2 %, so that it stays positive.
    detail = max(found.laplacian - WHITE_NOISE_GAIN * found.fine_noise**2, 0.02 * found.laplacian)
    relative = float(np.sqrt(detail)) / tone * found.side / config.reference_side
    # 0.3 grey levels is the sigma of rounding to whole levels: detail below it is not detail.
    excess = (
        (found.fine_noise / tone / config.noise_half) ** 2
        + (found.grid / tone / config.grid_half) ** 2
        + (found.coarse_noise / (found.coarse_detail + 0.3) / config.coarse_half) ** 2
    )
    kept = 1.0 / (1.0 + excess)
    clarity = kept * relative / (relative + config.detail_half)
    contrast = min(1.0, signal / (signal + config.contrast_half) * (1.0 + config.contrast_half / 64.0))
    score = clarity**config.clarity_weight * kept**config.noise_weight * contrast**config.contrast_weight
    return FrameQuality(clarity=clarity, noise=1.0 - kept, contrast=contrast, score=score)


def measure(image: Image) -> Measurements:
    """Take the raw statistics of ``(H, W, 3)`` uint8 RGB, at full size and at a quarter of it.

    Raises:
        ValueError: The picture is empty or not ``(H, W, 3)`` uint8.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"image must be (H, W, 3) uint8 RGB and not empty, got {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    if min(height, width) < SMALLEST:
        grey = np.pad(grey, [(0, max(0, SMALLEST - side)) for side in (height, width)], mode="symmetric")
    coarse = _area_means(grey.astype(np.float32), SHRINK)
    levels = _area_means(coarse, BLOCK // SHRINK)
    unclipped = (levels > CLIPPED_BELOW) & (levels < CLIPPED_ABOVE)
    if unclipped.mean() < 0.1:  # all but black or white: the patches that are left would speak for too little of it
        unclipped[:] = True
    return Measurements(
        side=float(np.sqrt(height * width)),
        laplacian=_laplacian_variance(grey, inside_grid=True),
        deviation=float(cv2.meanStdDev(grey)[1][0, 0]),
        fine_noise=_flat_noise(grey, BLOCK, unclipped) / FINE_BIAS,
        coarse_noise=_flat_noise(coarse, BLOCK // SHRINK, unclipped) / COARSE_BIAS,
        coarse_detail=float(np.sqrt(_laplacian_variance(coarse, inside_grid=False) / WHITE_NOISE_GAIN)),
        grid=_grid_step(grey),
    )


def _laplacian_variance(plane: Plane, *, inside_grid: bool) -> float:
    """Variance of ``[[0, 1, 0], [1, -4, 1], [0, 1, 0]]``, mirrored at the border without its edge.

    With ``inside_grid``, the pixels on either side of the lines of JPEG's grid are left out, because the steps there
    are no detail: in a blurred picture they would make up for all that the coding takes away.
    """
    response = cv2.Laplacian(plane, cv2.CV_16S if plane.dtype == np.uint8 else cv2.CV_32F)
    rows, columns = response.shape
    if inside_grid:
        for line in (0, GRID - 1):
            response[line::GRID] = 0
            response[:, line::GRID] = 0
        rows, columns = (rows - _num_beside_grid(rows), columns - _num_beside_grid(columns))
    # Many times faster than meanStdDev, and as exact: the mean is next to nothing.
    count = rows * columns
    return max(0.0, float(cv2.norm(response, cv2.NORM_L2SQR) / count - (cv2.sumElems(response)[0] / count) ** 2))


def _num_beside_grid(side: int) -> int:
    """Count the pixels of a row or column that touch a line of JPEG's grid, the picture's own border included."""
    return len(range(0, side, GRID)) + len(range(GRID - 1, side, GRID))


def _flat_noise(plane: Plane, block: int, usable: NDArray[np.bool_]) -> float:
    """Estimate the noise sigma in the flattest usable patches, with the operator of Immerkaer (CVIU 1996).

    The 3 x 3 operator ``[1, -2, 1]^T [1, -2, 1]`` is blind to planes and straight edges along the axes; on white noise
    its mean absolute response is ``6 sigma sqrt(2 / pi)``. The bias of taking a low percentile is left in.
    """
    kernel = np.array([1, -2, 1], np.float32)
    response = cv2.sepFilter2D(plane, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    sigma = _area_means(np.abs(response, out=response), block) * np.float32(np.sqrt(np.pi / 2) / 6)
    return float(np.percentile(sigma[usable], FLAT_PERCENT))


def _area_means(plane: Plane, size: int) -> Plane:
    """Mean of each ``size x size`` square, those that do not fit at the right and the bottom left out."""
    rows, columns = plane.shape[0] // size, plane.shape[1] // size
    means: Plane = cv2.resize(plane[: rows * size, : columns * size], (columns, rows), interpolation=cv2.INTER_AREA)
    return means


def _grid_step(grey: NDArray[np.uint8]) -> float:
    """Mean absolute step across the lines of JPEG's grid, less that beside them; both axes, not below 0."""
    across_columns = cv2.reduce(cv2.absdiff(grey[:, 1:], grey[:, :-1]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    across_rows = cv2.reduce(cv2.absdiff(grey[1:], grey[:-1]), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    excess = 0.0
    for sums, length in ((across_columns.ravel(), grey.shape[0]), (across_rows.ravel(), grey.shape[1])):
        at, before, after = sums[GRID - 1 :: GRID], sums[GRID - 2 :: GRID], sums[GRID::GRID]
        excess += float(at.mean() - (before.mean() + after.mean()) / 2) / length / 2
    return max(0.0, excess)
