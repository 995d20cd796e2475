"""Degradation operators, each usable alone with a severity from 1 (mild) to 5 (hardly usable): the ``D_i`` of Eq. 17.

`TABLES` says what a severity means. Severities between the whole numbers are interpolated geometrically, so that a
video's severity can drift. H.264 and dropped frames work on a video, not on a picture; see `vsdmot.degradation.frames`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Literal, get_args

import cv2
import numpy as np

from vsdmot.degradation.blur import blur, sharpen
from vsdmot.degradation.codec import compress_jpeg
from vsdmot.degradation.kernels import gaussian_kernel, motion_kernel, sinc_kernel
from vsdmot.degradation.light import lower_light
from vsdmot.degradation.noise import add_gaussian_noise, add_poisson_noise
from vsdmot.degradation.pixels import FloatImage, Pixels, as_given, to_float
from vsdmot.degradation.resize import resize

Operator = Literal[
    "sharpen",
    "motion_blur",
    "low_light",
    "eq17",
    "blur",
    "resize",
    "noise",
    "poisson",
    "ringing",
    "jpeg",
    "h264",
    "dropped_frames",
]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
"""Every operator, in the order in which they are applied whatever order they are named in: scene, sensor, recording,
line. ``eq17`` is Real-ESRGAN's whole second-order chain."""

ON_VIDEO: tuple[Operator, ...] = ("h264", "dropped_frames")
"""Operators that see a picture only together with those before it."""

SEVERITIES = (1, 2, 3, 4, 5)

TABLES: dict[Operator, dict[str, tuple[float, float, float, float, float]]] = {
    "sharpen": {"amount": (0.5, 1.0, 2.0, 3.5, 6.0)},
    "motion_blur": {"length": (3, 6, 10, 16, 26)},
    "low_light": {"exposure": (0.5, 0.28, 0.15, 0.08, 0.04), "electrons": (4000, 3000, 2200, 1600, 1200)},
    "blur": {"sigma": (0.6, 1.0, 1.6, 2.5, 4.0)},
    "resize": {"factor": (1.5, 2, 3, 4, 6)},
    "noise": {"sigma": (5, 9, 15, 24, 38)},
    "poisson": {"scale": (0.5, 0.9, 1.5, 2.4, 3.8)},
    "ringing": {"cutoff": (1.8, 1.4, 1.1, 0.8, 0.55)},
    "jpeg": {"quality": (60, 35, 20, 12, 6)},
    "h264": {"crf": (28, 33, 38, 43, 48)},
    "dropped_frames": {"start_probability": (0.03, 0.05, 0.07, 0.09, 0.12), "longest": (1, 2, 3, 4, 6)},
}
"""Values at severities 1 to 5. Lengths and widths in pixels, sigma of noise in grey levels of 255, ``factor`` how many
times smaller, ``cutoff`` in radians per pixel, ``electrons`` of a white pixel at full exposure."""

_RINGING_SIZE = 21


def values_at(operator: Operator, severity: float) -> dict[str, float]:
    """Give an operator's numbers at a severity, between the entries of its table by geometric interpolation.

    Raises:
        ValueError: The severity lies outside 1 to 5, or the operator has no table (``eq17``).

    >>> values_at("noise", 2)
    {'sigma': 9.0}
    >>> {name: round(value, 2) for name, value in values_at("noise", 1.5).items()}
    {'sigma': 6.71}
    """
    if not 1 <= severity <= 5:
        raise ValueError(f"severity must lie in 1 to 5, got {severity}")
    if operator not in TABLES:
        raise ValueError(f"operator must be one of {', '.join(TABLES)}, got {operator!r}")
    if severity == int(severity):  # the table itself, not its logarithms
        return {name: float(row[int(severity) - 1]) for name, row in TABLES[operator].items()}
    return {name: float(np.exp(np.interp(severity, SEVERITIES, np.log(row)))) for name, row in TABLES[operator].items()}


def apply_operator(operator: Operator, image: Pixels, values: Mapping[str, float], rng: np.random.Generator) -> Pixels:
    """Apply one operator to one image.

    Args:
        operator: One that works on a picture: not ``eq17``, ``h264`` or ``dropped_frames``.
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1].
        values: Its numbers, as `values_at` gives them; ``motion_blur`` takes an ``angle`` in radians besides (0 if
            it has none).
        rng: Source of the noise.

    Returns:
        The same size and type.

    Raises:
        ValueError: The operator is none of those, or the image is none.

    >>> white = np.full((4, 6, 3), 255, np.uint8)
    >>> int(apply_operator("low_light", white, values_at("low_light", 5), np.random.default_rng(0)).max()) < 80
    True
    """
    if operator not in _ON_PICTURES:
        raise ValueError(f"operator must be one of {', '.join(_ON_PICTURES)}, got {operator!r}")
    return as_given(_ON_PICTURES[operator](to_float(image), values, rng), image)


Step = Callable[[FloatImage, Mapping[str, float], np.random.Generator], FloatImage]


def _there_and_back(image: FloatImage, factor: float) -> FloatImage:
    """Shrink by averaging, each pixel by its covered part as a sensor of fewer pixels does, and enlarge again.

    The chain's "area" (torch's) gives partly covered pixels full weight, so that 1.5 times smaller would blur more
    than 2 times smaller.
    """
    height, width = image.shape[:2]
    smaller = max(1, round(width / factor)), max(1, round(height / factor))
    small: FloatImage = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    return np.clip(resize(small, height, width, "bicubic"), 0, 1)


def _ringing(image: FloatImage, cutoff: float) -> FloatImage:
    return np.clip(blur(image, sinc_kernel(_RINGING_SIZE, min(cutoff, pi))), 0, 1)


def _gaussian_blur(image: FloatImage, sigma: float) -> FloatImage:
    return blur(image, gaussian_kernel(2 * int(np.ceil(3 * sigma)) + 1, sigma))


_ON_PICTURES: dict[Operator, Step] = {
    "sharpen": lambda image, values, _: sharpen(image, values["amount"]),
    "motion_blur": lambda image, values, _: blur(image, motion_kernel(values["length"], values.get("angle", 0.0))),
    "low_light": lambda image, values, rng: lower_light(image, values["exposure"], values["electrons"], rng),
    "blur": lambda image, values, _: _gaussian_blur(image, values["sigma"]),
    "resize": lambda image, values, _: _there_and_back(image, values["factor"]),
    "noise": lambda image, values, rng: add_gaussian_noise(image, values["sigma"], False, rng),
    "poisson": lambda image, values, rng: add_poisson_noise(image, values["scale"], False, rng),
    "ringing": lambda image, values, _: _ringing(image, values["cutoff"]),
    "jpeg": lambda image, values, _: compress_jpeg(image, values["quality"]),
}
