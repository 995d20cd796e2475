"""From YOLOX's raw outputs to boxes in pixels of the network's input, and scores.

A cell at column ``c``, row ``r`` of a level with stride ``s`` predicts the centre ``((x + c) s, (y + r) s)`` and the
size ``(exp(w) s, exp(h) s)``; a class's score is ``sigmoid(objectness) * sigmoid(class)``. Cells are listed level
by level (strides 8, 16, 32), row by row.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.models.yolox.network import STRIDES, LevelOutput
from vsdmot.structures import Boxes

# exp(10) cells is wider than any picture; without a bound a stray output becomes infinite, and NaN after clipping.
_LARGEST_LOG_SIZE = 10.0


def decode_boxes(levels: list[LevelOutput]) -> Tensor:
    """Decode the boxes of all cells.

    Args:
        levels: Raw outputs of the network, finest first.

    Returns:
        ``(B, A, 4)`` ``xyxy`` in pixels of the network's input, ``A`` cells in all.
    """
    decoded = []
    for level, stride in zip(levels, STRIDES, strict=True):
        raw = level.boxes.flatten(2).transpose(1, 2)
        cells = cell_positions(*level.boxes.shape[-2:]).to(raw)
        centres = (raw[..., :2] + cells) * stride
        sizes = raw[..., 2:].clamp(max=_LARGEST_LOG_SIZE).exp() * stride
        decoded.append(cxcywh_to_xyxy(torch.cat([centres, sizes], dim=-1)))
    return torch.cat(decoded, dim=1)


def decode_scores(levels: list[LevelOutput]) -> Tensor:
    """Give the score of every class in every cell.

    Args:
        levels: Raw outputs of the network, finest first.

    Returns:
        ``(B, A, C)`` in [0, 1].
    """
    products = [level.objectness.sigmoid() * level.classes.sigmoid() for level in levels]
    return torch.cat([product.flatten(2).transpose(1, 2) for product in products], dim=1)


def cell_positions(height: int, width: int) -> Tensor:
    """List the cells of a level, row by row.

    Returns:
        ``(height * width, 2)`` float32: column, row.

    >>> cell_positions(2, 2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([columns, rows], dim=-1).reshape(-1, 2).float()


def to_image(boxes: Boxes, scale: float | tuple[float, float]) -> Boxes:
    """Bring boxes from the network's input back to the image; they may reach beyond it.

    Args:
        boxes: ``(N, 4)`` ``xyxy`` in pixels of the input.
        scale: Pixels of the input per pixel of the image; two where across and down differ.
    """
    across, down = scale if isinstance(scale, tuple) else (scale, scale)
    in_image: Boxes = np.divide(boxes, np.array([across, down, across, down], np.float32))
    return in_image
