"""Box formats and overlap, for NumPy arrays and torch tensors alike.

``xyxy`` is left, top, right, bottom; ``xywh`` is left, top, width, height (MOTChallenge files);
``cxcywh`` is centre and size (inside ``models/``). All functions take ``(..., 4)`` and keep dtype and device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

ArrayT = TypeVar("ArrayT", NDArray[Any], "Tensor")


def cxcywh_to_xyxy(boxes: ArrayT) -> ArrayT:
    """Convert centre and size to corners.

    >>> cxcywh_to_xyxy(np.array([[5.0, 5.0, 4.0, 2.0]])).tolist()
    [[3.0, 4.0, 7.0, 6.0]]
    """
    half = boxes[..., 2:] / 2
    return _join(boxes[..., :2] - half, boxes[..., :2] + half)


def xyxy_to_cxcywh(boxes: ArrayT) -> ArrayT:
    """Convert corners to centre and size.

    >>> xyxy_to_cxcywh(np.array([[3.0, 4.0, 7.0, 6.0]])).tolist()
    [[5.0, 5.0, 4.0, 2.0]]
    """
    return _join((boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2])


def xywh_to_xyxy(boxes: ArrayT) -> ArrayT:
    """Convert left, top, width, height to corners.

    >>> xywh_to_xyxy(np.array([[3.0, 4.0, 4.0, 2.0]])).tolist()
    [[3.0, 4.0, 7.0, 6.0]]
    """
    return _join(boxes[..., :2], boxes[..., :2] + boxes[..., 2:])


def xyxy_to_xywh(boxes: ArrayT) -> ArrayT:
    """Convert corners to left, top, width, height.

    >>> xyxy_to_xywh(np.array([[3.0, 4.0, 7.0, 6.0]])).tolist()
    [[3.0, 4.0, 4.0, 2.0]]
    """
    return _join(boxes[..., :2], boxes[..., 2:] - boxes[..., :2])


def area(boxes: ArrayT) -> ArrayT:
    """Area of ``xyxy`` boxes ``(..., 4)``, 0 for boxes turned inside out.

    >>> area(np.array([[3.0, 4.0, 7.0, 6.0], [3.0, 4.0, 1.0, 6.0]])).tolist()
    [8.0, 0.0]
    """
    sides = (boxes[..., 2:] - boxes[..., :2]).clip(0)
    areas: ArrayT = sides[..., 0] * sides[..., 1]
    return areas


def iou(first: ArrayT, second: ArrayT) -> ArrayT:
    """Intersection over union of every pair of ``xyxy`` boxes.

    Args:
        first: ``(A, 4)``.
        second: ``(B, 4)``.

    Returns:
        ``(A, B)`` in [0, 1]; 0 where both boxes are empty.

    >>> iou(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    a, b = first[:, None, :], second[None, :, :]
    left_top = _elementwise_max(a[..., :2], b[..., :2])
    right_bottom = _elementwise_min(a[..., 2:], b[..., 2:])
    sides = (right_bottom - left_top).clip(0)
    intersection = sides[..., 0] * sides[..., 1]
    union = area(first)[:, None] + area(second)[None, :] - intersection
    overlap: ArrayT = intersection / union.clip(1e-9)
    return overlap


def _join(first: ArrayT, second: ArrayT) -> ArrayT:
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second], axis=-1)
    import torch

    return torch.cat([first, second], dim=-1)


def _elementwise_max(first: ArrayT, second: ArrayT) -> ArrayT:
    larger: ArrayT = np.maximum(first, second) if isinstance(first, np.ndarray) else first.maximum(second)
    return larger


def _elementwise_min(first: ArrayT, second: ArrayT) -> ArrayT:
    smaller: ArrayT = np.minimum(first, second) if isinstance(first, np.ndarray) else first.minimum(second)
    return smaller
