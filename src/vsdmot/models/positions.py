"""Sine encodings of positions, boxes and scores (MOTRv2, after DETR): no parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TEMPERATURE = 10_000.0


def sine_embedding(values: Tensor, dim: int) -> Tensor:
    """Encode numbers as interleaved sines and cosines of falling frequency.

    Entry ``2k`` is ``sin(a)``, entry ``2k + 1`` is ``cos(a)`` with ``a = 2 pi value / 10000^(2k / dim)``.

    Args:
        values: ``(..., C)``, mostly in [0, 1].
        dim: Entries for each number; even.

    Returns:
        ``(..., C * dim)``, the encodings of the C numbers one after the other.
    """
    exponents = torch.arange(0, dim, 2, dtype=torch.float32, device=values.device) / dim
    angles = values[..., None] * (2 * math.pi / TEMPERATURE**exponents)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-3)


def sine_grid(height: int, width: int, dim: int, padding_mask: Tensor | None, device: torch.device) -> Tensor:
    """Encode the position of each cell of a feature map, relative to the part that is image.

    Args:
        height: Rows of the map.
        width: Columns of the map.
        dim: Entries for each cell; the first half encodes y, the second x.
        padding_mask: ``(B, height, width)``, True where the map is padding; None for no padding.
        device: Where to make the result when there is no mask.

    Returns:
        ``(B, height * width, dim)``; B is 1 without a mask.
    """
    image = torch.ones(1, height, width, device=device) if padding_mask is None else (~padding_mask).to(torch.float32)
    rows, columns = image.cumsum(1), image.cumsum(2)
    y = (rows - 0.5) / (rows[:, -1:, :] + 1e-6)
    x = (columns - 0.5) / (columns[:, :, -1:] + 1e-6)
    return sine_embedding(torch.stack([y, x], dim=-1), dim // 2).flatten(1, 2)


def inverse_sigmoid(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Logit of ``x`` clamped to [0, 1]; both odds are kept at or above ``eps``, so that it stays finite."""
    x = x.clamp(0, 1)
    return torch.log(x.clamp(min=eps) / (1 - x).clamp(min=eps))
