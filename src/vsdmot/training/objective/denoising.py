"""Denoising queries (MOTRv2, after DN-DETR): the decoder learns to move a slightly wrong box to where it belongs.

They start from the true boxes, jittered, and are judged by their boxes alone. The other queries do not see them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def draw_noise(num_boxes: int, generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Draw ``(num_boxes, 4)`` numbers in [0, 1), on the CPU, so that a seed means the same on every device."""
    return torch.rand(num_boxes, 4, generator=generator).to(device, non_blocking=True)


def jitter(boxes: Tensor, noise: Tensor, scale: float) -> Tensor:
    """Move and scale boxes at random.

    Args:
        boxes: ``(G, 4)`` ``cxcywh``.
        noise: ``(G, 4)`` in [0, 1); 0.5 changes nothing.
        scale: Largest shift of the centre as a share of width and height, and largest change of these.

    Returns:
        ``(G, 4)``.
    """
    change = (2 * noise - 1) * scale
    centres, sizes = boxes[:, :2], boxes[:, 2:]
    return torch.cat([centres + sizes * change[:, :2], sizes * (1 + change[:, 2:])], dim=-1)
