"""The loss of YOLOX: boxes and classes of the cells that answer for somebody, objectness of all cells.

    (5 * sum(1 - IoU^2) + sum BCE(objectness) + sum BCE(class, IoU) [+ sum |raw - raw target|]) / F

with ``F`` the cells of the whole batch that answer for a person. ``F`` is known only after assignment, so a batch is
divided by its own, as the published code does on each GPU; see `vsdmot.training.yolox.task` for what this means when a
step has several batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vsdmot.boxes import area, xyxy_to_cxcywh
from vsdmot.detection.yolox.decoding import decode_boxes
from vsdmot.models.yolox.network import LevelOutput
from vsdmot.training.yolox.simota import AssignmentRule, Cells, assign

_BOX_WEIGHT = 5.0


@dataclass(frozen=True, eq=False)
class YoloxLoss:
    """The parts of the loss, weighted and divided; their sum is the loss.

    Attributes:
        boxes: ``5 (1 - IoU^2)``.
        objectness: Of all cells.
        classes: Its target is the IoU of the box.
        raw_boxes: L1 on the raw outputs; None while it is not used.
        num_cells: Cells that answer for a person, at least 1: the divisor.
    """

    boxes: Tensor
    objectness: Tensor
    classes: Tensor
    raw_boxes: Tensor | None
    num_cells: int

    @property
    def total(self) -> Tensor:
        """Scalar with gradient."""
        total = self.boxes + self.objectness + self.classes
        return total if self.raw_boxes is None else total + self.raw_boxes


def yolox_loss(levels: list[LevelOutput], truth: Sequence[Tensor], rule: AssignmentRule, *, use_l1: bool) -> YoloxLoss:
    """Assign the cells of each image and compare them with what they should say, all in float32.

    Args:
        levels: Raw outputs of a network of one class, for ``B`` images.
        truth: For each image ``(G, 4)`` ``xyxy`` in pixels of the network's input; may be empty.
        rule: How cells are assigned.
        use_l1: Whether to add the L1 distance of the raw outputs.
    """
    levels = [LevelOutput(*(output.float() for output in level)) for level in levels]
    cells = Cells.of(levels)
    predicted = decode_boxes(levels)
    raw = torch.cat([level.boxes.flatten(2).transpose(1, 2) for level in levels], dim=1)
    objectness = torch.cat([level.objectness.flatten(1) for level in levels], dim=1)
    classes = torch.cat([level.classes[:, 0].flatten(1) for level in levels], dim=1)
    images, indices, targets, overlaps = [], [], [], []
    for image, boxes in enumerate(truth):
        found = assign(predicted[image], objectness[image], classes[image], boxes, cells, rule)
        images.append(torch.full_like(found.cells, image))
        indices.append(found.cells)
        targets.append(boxes.float()[found.people])
        overlaps.append(found.overlaps)
    where = torch.cat(images), torch.cat(indices)
    target, overlap = torch.cat(targets), torch.cat(overlaps)
    divisor = max(len(target), 1)
    answers = torch.zeros_like(objectness)
    answers[where] = 1.0
    box_loss = _BOX_WEIGHT * (1 - paired_iou(predicted[where], target) ** 2).sum()
    objectness_loss = functional.binary_cross_entropy_with_logits(objectness, answers, reduction="sum")
    class_loss = functional.binary_cross_entropy_with_logits(classes[where], overlap, reduction="sum")
    l1 = (raw[where] - raw_targets(target, cells, where[1])).abs().sum() if use_l1 else None
    return YoloxLoss(
        boxes=box_loss / divisor,
        objectness=objectness_loss / divisor,
        classes=class_loss / divisor,
        raw_boxes=None if l1 is None else l1 / divisor,
        num_cells=divisor,
    )


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of each ``xyxy`` box with the box of the same row, ``(F, 4)`` each: ``(F,)``."""
    low, high = first[:, :2].maximum(second[:, :2]), first[:, 2:].minimum(second[:, 2:])
    intersection = (high - low).clamp(min=0).prod(dim=1)
    union = area(first) + area(second) - intersection
    return intersection / union.clamp(min=1e-9)


def raw_targets(boxes: Tensor, cells: Cells, indices: Tensor) -> Tensor:
    """What a cell would have to put out for a box, before it is decoded.

    Args:
        boxes: ``(F, 4)`` ``xyxy`` in pixels.
        cells: All cells.
        indices: ``(F,)``, the cell of each box.

    Returns:
        ``(F, 4)``: centre offset from the cell in cells, logarithm of the size in cells.
    """
    scaled = xyxy_to_cxcywh(boxes) / cells.strides[indices, None]
    return torch.cat([scaled[:, :2] - cells.corners[indices], (scaled[:, 2:] + 1e-8).log()], dim=1)
