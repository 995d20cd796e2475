"""Real-ESRGAN's second-order degradation of one image (Eq. 17), with given parameters.

    sharpen? > blur > resize > noise > JPEG > blur? > resize > noise > { JPEG, back to full size > sinc? } > 256 levels

The braces hold two steps whose order is drawn. The image comes back at its own size, so boxes in it stay valid.
"""

from __future__ import annotations

import numpy as np

from vsdmot.degradation.blur import blur, sharpen
from vsdmot.degradation.codec import compress_jpeg
from vsdmot.degradation.noise import add_gaussian_noise, add_poisson_noise
from vsdmot.degradation.parameters import DegradationParameters, NoiseParameters, StageParameters
from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_bytes, to_float
from vsdmot.degradation.resize import resize


def apply(image: Pixels, parameters: DegradationParameters, rng: np.random.Generator) -> Pixels:
    """Degrade one image.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1]; any size from 1 x 1.
        parameters: What was drawn for this image, or for this frame of a video.
        rng: Source of the noise fields, and of nothing else.

    Returns:
        The same size and type, on 256 levels. The input is not changed.

    Raises:
        ValueError: The image is none, or became longer than the 65500 pixels that JPEG allows.

    >>> from vsdmot.degradation.drawing import draw_parameters
    >>> rng = np.random.default_rng(0)
    >>> apply(np.full((24, 32, 3), 128, np.uint8), draw_parameters(rng), rng).shape
    (24, 32, 3)
    """
    values = to_float(image)
    height, width = values.shape[:2]
    if parameters.sharpen:
        values = sharpen(values)
    values = compress_jpeg(_stage(values, (height, width), parameters.first, rng), parameters.first.jpeg_quality)
    values = _stage(values, (height, width), parameters.second, rng)
    quality = parameters.second.jpeg_quality
    if not parameters.jpeg_last:
        values = compress_jpeg(values, quality)
    values = _restore(values, (height, width), parameters)
    if parameters.jpeg_last:
        values = compress_jpeg(values, quality)
    return as_given(to_float(to_bytes(values)), image)


def _stage(values: FloatImage, full: tuple[int, int], stage: StageParameters, rng: np.random.Generator) -> FloatImage:
    """Blur, resize and add noise; the stage's JPEG is the caller's, because its place may be drawn."""
    if stage.blur is not None:
        values = blur(values, stage.blur.kernel())
    height, width = (max(1, int(side * stage.resize.scale)) for side in full)
    return _add_noise(resize(values, height, width, stage.resize.mode), stage.noise, rng)


def _add_noise(values: FloatImage, noise: NoiseParameters, rng: np.random.Generator) -> FloatImage:
    add = add_gaussian_noise if noise.kind == "gaussian" else add_poisson_noise
    return add(values, noise.strength, noise.gray, rng)


def _restore(values: FloatImage, full: tuple[int, int], parameters: DegradationParameters) -> FloatImage:
    values = resize(values, *full, parameters.final_mode)
    return blur(values, parameters.final_sinc.kernel()) if parameters.final_sinc is not None else values
