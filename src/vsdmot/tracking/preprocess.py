"""From a frame to the network's input, as MOTRv2 does it at inference."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from vsdmot.config import at_least, check
from vsdmot.errors import ConfigError
from vsdmot.structures import Image

MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)
"""ImageNet's mean and standard deviation of R, G, B in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """Size of the network's input. The defaults are MOTRv2's.

    Attributes:
        short_side: Pixels that the shorter side is scaled to. Raising it finds smaller people, at a cost that grows
            with its square.
        long_side: Most pixels that the longer side may get; wins over short_side.
        multiple: Both sides are brought to the nearest multiple of so many pixels; 1 leaves them. A network whose
            backbone is a detector needs 32, at the price of proportions that change by a few percent.
    """

    short_side: int = 800
    long_side: int = 1536
    multiple: int = 1

    def __post_init__(self) -> None:
        check(self, short_side=at_least(32), long_side=at_least(32), multiple=at_least(1))
        if self.short_side > self.long_side:
            raise ConfigError(f"short_side: must not exceed long_side ({self.long_side}), got {self.short_side}")


def input_size(height: int, width: int, config: PreprocessConfig) -> tuple[int, int]:
    """Give the network's input size for a frame: height and width in pixels, aspect kept, cut to whole pixels.

    >>> input_size(1080, 1920, PreprocessConfig())
    (800, 1422)
    >>> input_size(1080, 1920, PreprocessConfig(short_side=384, long_side=640, multiple=32))
    (352, 640)
    """
    scale = config.short_side / min(height, width)
    if max(height, width) * scale > config.long_side:
        scale = config.long_side / max(height, width)
    if config.multiple == 1:
        return max(1, int(height * scale)), max(1, int(width * scale))
    down, across = (max(1, round(side * scale / config.multiple)) * config.multiple for side in (height, width))
    return down, across


def preprocess(image: Image, config: PreprocessConfig, device: torch.device) -> Tensor:
    """Scale and normalise.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        config: Target size.
        device: Where the result lives.

    Returns:
        ``(1, 3, h, w)`` float32.
    """
    height, width = input_size(image.shape[0], image.shape[1], config)
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = torch.from_numpy(np.ascontiguousarray(resized)).to(device)
    channels = pixels.permute(2, 0, 1).to(torch.float32) / 255
    mean = torch.tensor(MEAN, device=device)[:, None, None]
    spread = torch.tensor(SPREAD, device=device)[:, None, None]
    return ((channels - mean) / spread)[None]
