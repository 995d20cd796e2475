"""A published detector as a teacher, where CLIP cannot be had: the features of YOLOX's neck describe the frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.letterbox import InputConvention, input_shape, letterbox, normalise
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX
from vsdmot.training.distillation.teacher import TokenKind, checked_images, identity_of, weights_digest

GRID = 12
"""Patch tokens per side. At 640 x 384 the coarsest map has 20 x 12 cells, so that rows are kept as they are."""

_FEATURES = "neck-mean-std-1"
"""Part of the identity: to be changed whenever the same picture would give other features."""


class DetectorTeacher:
    """Describe frames with the neck of YOLOX (its outputs at strides 8, 16 and 32).

    ``pooled`` is, level by level, the mean and the standard deviation of each channel over the picture, one row of
    ``2 * (256 + 512 + 1024) * w`` values (896 for YOLOX-nano). The mean says how much there is of something, the
    standard deviation whether it is in one place or everywhere; a maximum would say that too, but hangs on a single
    cell of thousands, in a noisy frame on the noise. ``patch`` is the coarsest map, averaged to a grid of 12 x 12 parts
    of the picture, so that frames of all proportions have as many tokens.

    Each of the six vectors, and each patch, is brought to mean 0 and variance 1 over its channels, as CLIP's last layer
    norm does: otherwise the level with the largest numbers would be all that counts.

    Args:
        network: YOLOX; it is copied.
        convention: How its input has to be normalised.
        tokens: One row per frame or one per part of the picture.
        size: Long side of the network's input in pixels, a multiple of 32.
        source: Where it came from, for the checkpoint.
        device: Where to run.
    """

    def __init__(
        self,
        network: YOLOX,
        convention: InputConvention,
        *,
        tokens: TokenKind,
        source: str,
        size: int = 640,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        channels = [network.config.channels(full) for full in (256, 512, 1024)]
        self.width = 2 * sum(channels) if tokens == "pooled" else channels[-1]
        self.tokens = 1 if tokens == "pooled" else GRID**2
        self._pooled = tokens == "pooled"
        self._size = size
        self._convention: InputConvention = convention
        weights = weights_digest(network.backbone.state_dict())
        self.identity = identity_of("detector", weights, convention, size, tokens, _FEATURES)
        self.provenance: dict[str, Any] = {
            "kind": "detector",
            "source": source,
            "network": network.config.name,
            "weights_sha256": weights,
            "convention": convention,
            "image_size": size,
            "features": _FEATURES,
            "tokens": tokens,
            "width": self.width,
            "identity": self.identity,
        }
        self._neck = fold_batch_norm(network).backbone.requires_grad_(False).to(self.device)

    @classmethod
    def from_checkpoint(
        cls, path: Path, *, tokens: TokenKind = "pooled", size: int = 640, device: torch.device | str = "cpu"
    ) -> DetectorTeacher:
        """Load YOLOX weights, see `vsdmot.detection.yolox.checkpoint.load_yolox`.

        Raises:
            CheckpointError: The file cannot be read or is not YOLOX.
        """
        loaded = load_yolox(path)
        return cls(loaded.network, loaded.convention, tokens=tokens, source=path.name, size=size, device=device)

    def __call__(self, images: Tensor) -> Tensor:
        """Describe frames, see `vsdmot.training.distillation.teacher.Teacher`."""
        with torch.inference_mode():
            levels: list[Tensor] = self._neck(self.prepare(images))
            if self._pooled:
                rows = torch.cat([_pool(level) for level in levels], dim=-1)[:, None]
            else:
                cells = F.adaptive_avg_pool2d(levels[-1], GRID).flatten(2).transpose(1, 2)
                rows = F.layer_norm(cells, (self.width,))
        return rows.clone()  # outside inference mode: an ordinary tensor, which autograd may keep

    def prepare(self, images: Tensor) -> Tensor:
        """Letterbox frames exactly as the detector's own input: in whole pixel values, by OpenCV.

        The input follows the picture's proportions, so that less than a cell of 32 pixels is border.
        """
        pixels = (checked_images(images).detach().cpu() * 255).round().clamp(0, 255).to(torch.uint8)
        frames = pixels.permute(0, 2, 3, 1).numpy()
        shape = input_shape(frames.shape[1], frames.shape[2], self._size)
        padded = np.stack([letterbox(np.ascontiguousarray(frame), shape)[0] for frame in frames])
        return normalise(torch.from_numpy(padded).to(self.device), self._convention)


def _pool(level: Tensor) -> Tensor:
    """Give mean and standard deviation of ``(B, C, h, w)`` over cells, each normalised over channels: ``(B, 2C)``."""
    spread, mean = torch.std_mean(level, dim=(2, 3), correction=0)
    channels = (level.shape[1],)
    return torch.cat([F.layer_norm(mean, channels), F.layer_norm(spread, channels)], dim=-1)
