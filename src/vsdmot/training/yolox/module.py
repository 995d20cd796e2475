"""The network in training: images in, loss out, and the averaged weights beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vsdmot.detection.yolox.letterbox import InputConvention, normalise
from vsdmot.models.yolox.network import YOLOX, LevelOutput
from vsdmot.training.task import StepLoss
from vsdmot.training.yolox.ema import AveragedYolox
from vsdmot.training.yolox.losses import yolox_loss
from vsdmot.training.yolox.simota import AssignmentRule
from vsdmot.training.yolox.teaching import DetectorTeaching, teaching_loss

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, eq=False)
class YoloxBatch:
    """Training pictures of one size.

    Attributes:
        images: ``(B, H, W, 3)`` uint8 RGB.
        boxes: For each image ``(G, 4)`` float32 ``xyxy`` in its pixels.
        use_l1: Whether the loss includes the L1 distance of the raw outputs.
        clean: The same before they were degraded, for a teacher; None if all are as they were.
    """

    images: Tensor
    boxes: tuple[Tensor, ...]
    use_l1: bool
    clean: Tensor | None = None

    def to(self, device: torch.device) -> YoloxBatch:
        """Give the same batch with its tensors on a device."""
        boxes = tuple(box.to(device, non_blocking=True) for box in self.boxes)
        clean = None if self.clean is None else self.clean.to(device, non_blocking=True)
        return YoloxBatch(self.images.to(device, non_blocking=True), boxes, self.use_l1, clean)


class YoloxTraining(nn.Module):
    """A YOLOX network with its loss and its averaged weights.

    Args:
        network: Of one class.
        average: Its averaged weights. They are part of the state, so that they are stored and taken up with it.
        convention: How its input is normalised.
        rule: How cells are assigned.
        precision: ``bf16`` runs the convolutions in bfloat16; what comes after them is always float32.
        teaching: A detector to learn from as well; None for annotations alone.
    """

    def __init__(
        self,
        network: YOLOX,
        average: AveragedYolox,
        *,
        convention: InputConvention,
        rule: AssignmentRule,
        precision: Precision,
        teaching: DetectorTeaching | None = None,
    ) -> None:
        super().__init__()
        if network.config.num_classes != 1:
            raise ValueError(f"expected a network of one class, got {network.config.num_classes}")
        self.network, self.average = network, average
        # On a CPU a step takes half the time with channels last.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.convention: InputConvention = convention
        self.rule: AssignmentRule = rule
        self.precision: Precision = precision
        # In a tuple, so that it is no module of this one: a checkpoint needs no copy of weights that never change.
        self._teaching = (teaching,)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    def forward(self, batch: YoloxBatch, divisor: float) -> StepLoss:
        """Give the loss of a batch.

        Args:
            batch: On any device.
            divisor: Batches of the step over all processes: each batch is divided by the number of its own cells that
                answer for a person, and the step is the mean of its batches.
        """
        device = self.device
        batch = batch.to(device)
        with torch.autocast(device.type, enabled=False):
            levels = self._outputs(normalise(batch.images, self.convention))
            loss = yolox_loss(levels, batch.boxes, self.rule, use_l1=batch.use_l1)
        total = loss.total
        parts = {"boxes": loss.boxes, "objectness": loss.objectness, "classes": loss.classes}
        if loss.raw_boxes is not None:
            parts["raw_boxes"] = loss.raw_boxes
        if (teaching := self._teaching[0]) is not None:
            labels = teaching.to(device)(batch.images if batch.clean is None else batch.clean)
            parts["taught_scores"], parts["taught_boxes"] = teaching_loss(levels, labels)
            total = total + teaching.share * (parts["taught_scores"] + parts["taught_boxes"])
        people = max(sum(len(boxes) for boxes in batch.boxes), 1)
        return StepLoss(
            total=total / divisor,
            parts={name: (part / divisor).detach() for name, part in parts.items()},
            monitors={"cells_per_person": loss.total.new_tensor(loss.num_cells / people)},
        )

    def _outputs(self, images: Tensor) -> list[LevelOutput]:
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            levels: list[LevelOutput] = self.network(images)
        return levels
