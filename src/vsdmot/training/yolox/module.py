"""The network in training: images in, loss out, and the averaged weights beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vsdmot.detection.yolox.letterbox import InputConvention, normalise
from vsdmot.detection.yolox.network import YOLOX, LevelOutput
from vsdmot.training.task import StepLoss
from vsdmot.training.yolox.ema import AveragedYolox
from vsdmot.training.yolox.losses import yolox_loss
from vsdmot.training.yolox.simota import AssignmentRule

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, eq=False)
class YoloxBatch:
    """Training pictures of one size.

    Attributes:
        images: ``(B, H, W, 3)`` uint8 RGB.
        boxes: For each image ``(G, 4)`` float32 ``xyxy`` in its pixels.
        use_l1: Whether the loss includes the L1 distance of the raw outputs.
    """

    images: Tensor
    boxes: tuple[Tensor, ...]
    use_l1: bool

    def to(self, device: torch.device) -> YoloxBatch:
        """Give the same batch with its tensors on a device."""
        boxes = tuple(box.to(device, non_blocking=True) for box in self.boxes)
        return YoloxBatch(self.images.to(device, non_blocking=True), boxes, self.use_l1)


class YoloxTraining(nn.Module):
    """A YOLOX network with its loss and its averaged weights.

    Args:
        network: Of one class.
        average: Its averaged weights. They are part of the state, so that they are stored and taken up with it.
        convention: How its input is normalised.
        rule: How cells are assigned.
        precision: ``bf16`` runs the convolutions in bfloat16; what comes after them is always float32.
    """

    def __init__(
        self,
        network: YOLOX,
        average: AveragedYolox,
        *,
        convention: InputConvention,
        rule: AssignmentRule,
        precision: Precision,
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
        parts = {"boxes": loss.boxes, "objectness": loss.objectness, "classes": loss.classes}
        if loss.raw_boxes is not None:
            parts["raw_boxes"] = loss.raw_boxes
        people = max(sum(len(boxes) for boxes in batch.boxes), 1)
        return StepLoss(
            total=loss.total / divisor,
            parts={name: (part / divisor).detach() for name, part in parts.items()},
            monitors={"cells_per_person": loss.total.new_tensor(loss.num_cells / people)},
        )

    def _outputs(self, images: Tensor) -> list[LevelOutput]:
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            levels: list[LevelOutput] = self.network(images)
        return levels
