"""The losses of a frame: focal, L1 and GIoU, summed over queries or pairs and not yet divided by anything.

All frames and layers of a clip share one divisor, so that a person weighs the same in a crowd as alone ("collective
average loss" of MOTR); `vsdmot.training.objective.clip_forward` divides.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vsdmot.boxes import area, cxcywh_to_xyxy
from vsdmot.config import at_least, check

KINDS = ("ce", "l1", "giou", "denoise_l1", "denoise_giou")
"""What a decoder layer is judged by in a frame, in the order of the last dimension of all tensors of terms."""

FOCAL_ALPHA = 0.25
FOCAL_GAMMA = 2


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """What each kind of error weighs, in the loss and in the costs of matching. The defaults are MOTRv2's.

    Attributes:
        classification: Weight of the focal loss. Raising it sharpens scores, lowering it leaves more to the boxes.
        l1: Weight of the distance between boxes as shares of the image. Raising it favours large people.
        giou: Weight of 1 - GIoU. Raising it favours tight boxes on people of all sizes.
    """

    classification: float = 2.0
    l1: float = 5.0
    giou: float = 2.0

    def __post_init__(self) -> None:
        check(self, classification=at_least(0), l1=at_least(0), giou=at_least(0))

    def by_kind(self) -> tuple[float, ...]:
        """Give the weights in the order of `KINDS`."""
        return self.classification, self.l1, self.giou, self.l1, self.giou


def frame_losses(logits: Tensor, boxes: Tensor, truth: Tensor, queries: Tensor, people: Tensor) -> Tensor:
    """Judge a frame's predictions, layer by layer.

    Args:
        logits: ``(layers, N)``.
        boxes: ``(layers, N, 4)``, ``cxcywh`` in [0, 1].
        truth: ``(G, 4)``, ``cxcywh``.
        queries: ``(layers, M)`` int64, which query of the layer stands for a person.
        people: ``(layers, M)`` int64, for which person of ``truth``.

    Returns:
        ``(layers, 3)``: focal loss summed over all queries, L1 and 1 - GIoU summed over the matched pairs.
    """
    layers = torch.arange(len(logits), device=logits.device)[:, None]
    targets = torch.zeros_like(logits)
    targets[layers, queries] = 1.0
    classification = focal_loss(logits, targets).sum(-1, keepdim=True)
    return torch.cat([classification, box_losses(boxes[layers, queries], truth[people])], dim=-1)


def box_losses(boxes: Tensor, truth: Tensor) -> Tensor:
    """Compare pairs of ``cxcywh`` boxes.

    Args:
        boxes: ``(layers, M, 4)``.
        truth: ``(layers or 1, M, 4)``.

    Returns:
        ``(layers, 2)``: L1 and 1 - GIoU, summed over the M pairs.
    """
    l1 = (boxes - truth).abs().sum((-1, -2))
    distance = 1 - generalized_iou(cxcywh_to_xyxy(boxes), cxcywh_to_xyxy(truth))
    return torch.stack([l1, distance.sum(-1)], dim=-1)


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Weigh the cross-entropy so that sure and right answers hardly count (Lin et al., RetinaNet).

    Args:
        logits: Any shape.
        targets: 1 for a person, 0 for none; same shape.

    Returns:
        ``-alpha_t (1 - p_t)^gamma log(p_t)`` with ``p_t`` the probability of the right answer; same shape.
    """
    probability = logits.sigmoid()
    right = probability * targets + (1 - probability) * (1 - targets)
    balance = FOCAL_ALPHA * targets + (1 - FOCAL_ALPHA) * (1 - targets)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return balance * (1 - right) ** FOCAL_GAMMA * cross_entropy


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """Overlap of boxes that also tells how far boxes without overlap lie apart (Rezatofighi et al.).

    Args:
        first: ``xyxy`` ``(..., 4)``.
        second: ``xyxy`` ``(..., 4)``; the leading dimensions broadcast.

    Returns:
        ``IoU - (hull - union) / hull``, in [-1, 1].
    """
    overlap, union = iou_and_union(first, second)
    low, high = torch.minimum(first[..., :2], second[..., :2]), torch.maximum(first[..., 2:], second[..., 2:])
    hull = area(torch.cat([low, high], dim=-1))
    return overlap - (hull - union) / hull.clamp(min=SMALLEST_AREA)


def iou_and_union(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Give intersection over union, and the union's area, of ``xyxy`` boxes whose leading dimensions broadcast."""
    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    intersection = area(torch.cat([low, high], dim=-1))
    union = area(first) + area(second) - intersection
    return intersection / union.clamp(min=SMALLEST_AREA), union


SMALLEST_AREA = 1e-12
"""Share of the image that a box without area counts as, lest 0 / 0 reach the gradients; a pixel has 1e-8 or more."""
