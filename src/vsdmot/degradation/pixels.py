"""What an image is to the degradation operators: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1].

Every operator takes either and gives back the type it was given. Between operators of a chain the values stay
float32, so that nothing is rounded which the published pipeline does not round.
"""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])

_BYTE_TO_UNIT = (np.arange(256) / 255).astype(np.float32)


def to_float(image: NDArray[np.uint8] | FloatImage) -> FloatImage:
    """Give an image as float32, contiguous; a float32 image that is so already is given back, not copied.

    Raises:
        ValueError: Not ``(H, W, 3)`` with at least one pixel, or neither uint8 nor float32.

    >>> to_float(np.full((1, 1, 3), 255, np.uint8)).tolist()
    [[[1.0, 1.0, 1.0]]]
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.dtype not in (np.uint8, np.float32):
        raise ValueError(f"image must be (H, W, 3) RGB, uint8 or float32, got {image.shape} {image.dtype}")
    if image.dtype == np.float32:
        return cast(FloatImage, np.ascontiguousarray(image))  # OpenCV takes no flipped or strided views
    values: FloatImage = cv2.LUT(np.ascontiguousarray(image), _BYTE_TO_UNIT)
    return values


def to_bytes(values: FloatImage) -> NDArray[np.uint8]:
    """Round float32 values to the nearest of 256 levels; what lies outside [0, 1] becomes black or white.

    >>> to_bytes(np.array([[[-0.2, 0.5, 1.7]]], np.float32)).tolist()
    [[[0, 128, 255]]]
    """
    clipped = np.clip(values, 0, 1)
    levels: NDArray[np.uint8] = cv2.convertScaleAbs(clipped, alpha=255)
    return levels.reshape(values.shape)


def as_given(values: FloatImage, image: Pixels) -> Pixels:
    """Give ``values`` the type of ``image``: rounded to bytes where that is uint8, untouched where it is float32."""
    return cast(Pixels, to_bytes(values) if image.dtype == np.uint8 else values)
