"""Fit an image into the network's input: scale, pad, normalise.

The image keeps its proportions and sits at the top left; the rest is grey. Published weights come in two
conventions, and the wrong one gives garbage boxes without any error (YOLOX issues 523, 536, 577, 977):

- ``legacy``: RGB, divided by 255, ImageNet mean and standard deviation. YOLOX up to 0.1.0, ByteTrack, OC-SORT,
  DanceTrack, and the detector behind MOTRv2's proposals.
- ``current``: BGR, 0 to 255, nothing else. YOLOX since 0.1.1.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from vsdmot.structures import Image

InputConvention = Literal["legacy", "current"]

MULTIPLE = 32
"""The coarsest stride: sides of the input that it does not divide would not line up in the neck."""

_PAD_GREY = 114
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def input_shape(height: int, width: int, size: int | tuple[int, int]) -> tuple[int, int]:
    """Choose the network's input for an image.

    Args:
        height: The image's height in pixels.
        width: The image's width in pixels.
        size: The long side in pixels (the short one follows the image's proportions, rounded up to a multiple of
            32), or height and width.

    Returns:
        Height and width of the input.

    >>> input_shape(576, 768, 1024), input_shape(1920, 1080, 640), input_shape(576, 768, (800, 1440))
    ((768, 1024), (640, 384), (800, 1440))
    """
    if isinstance(size, tuple):
        return size
    long, short = max(height, width), min(height, width)
    cells = -(-size * short // (long * MULTIPLE))  # whole numbers: 640 * 480 / 640 must not become 481
    other = max(cells, 1) * MULTIPLE
    return (other, size) if width >= height else (size, other)


def letterbox(image: Image, shape: tuple[int, int]) -> tuple[Image, float]:
    """Scale an image to fit ``shape`` and pad it with grey at the right and the bottom.

    Args:
        image: ``(h, w, 3)`` uint8.
        shape: Height and width of the result.

    Returns:
        ``(H, W, 3)`` uint8, same colour order, and the scale: pixels of the result per pixel of the image.

    >>> padded, scale = letterbox(np.zeros((50, 100, 3), np.uint8), (64, 64))
    >>> padded.shape, scale, padded[:32].max().item(), padded[32:].min().item()
    ((64, 64, 3), 0.64, 0, 114)
    """
    height, width = image.shape[:2]
    scale = min(shape[0] / height, shape[1] / width)
    # Truncated, not rounded, as when the published weights were made; a sliver of an image still keeps a pixel.
    new_height, new_width = max(int(height * scale), 1), max(int(width * scale), 1)
    padded = np.full((*shape, 3), _PAD_GREY, np.uint8)
    if (new_height, new_width) == (height, width):
        padded[:height, :width] = image
    else:
        resized = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
        padded[:new_height, :new_width] = resized
    return padded, scale


def normalise(images: Tensor, convention: InputConvention) -> Tensor:
    """Bring letterboxed images to the numbers that the weights expect; the grey border is normalised with them.

    Args:
        images: ``(B, H, W, 3)`` uint8 RGB.
        convention: What the weights were trained with.

    Returns:
        ``(B, 3, H, W)`` float32.
    """
    channels_first = images.permute(0, 3, 1, 2)
    if convention == "current":
        return channels_first.flip(1).float()
    # (x / 255 - mean) / std as one multiplication and one addition.
    mean = torch.tensor(_IMAGENET_MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(_IMAGENET_STD, device=images.device).view(1, 3, 1, 1)
    return channels_first.float().mul_(1 / (255 * std)).sub_(mean / std)
