"""A training clip: frames of one video in order, as the network sees them, with all that is known about them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """One frame. All frames of a clip have images of the same size.

    Attributes:
        image: ``(3, H, W)`` float32, normalised as at inference (`vsdmot.tracking.preprocess`).
        boxes: ``(G, 4)`` float32 ``cxcywh``, as shares of the image; people who are to be found. May reach beyond it.
        ids: ``(G,)`` int64, at least 0: the same person has the same number in all frames of the clip.
        proposals: ``(P, 4)`` float32 ``cxcywh``, as shares of the image.
        scores: ``(P,)`` float32 in [0, 1], of the proposals.
        quality: ``Q`` in [0, 1], of the frame as it was decoded (and degraded), before it was cropped or scaled.
        teacher: ``(m, width)`` float32, what the teacher says about the frame; None without distillation.
        name: Sequence and frame number, for messages.
    """

    image: Tensor
    boxes: Tensor
    ids: Tensor
    proposals: Tensor
    scores: Tensor
    quality: float
    teacher: Tensor | None
    name: str

    def __post_init__(self) -> None:
        shapes = (("boxes", self.boxes, (len(self.ids), 4)), ("proposals", self.proposals, (len(self.scores), 4)))
        for name, tensor, shape in shapes:
            if tuple(tensor.shape) != shape:
                raise ValueError(f"ClipFrame.{name} must have the shape {shape}, got {tuple(tensor.shape)}")
        if self.image.dim() != 3 or self.image.shape[0] != 3:
            raise ValueError(f"ClipFrame.image must have the shape (3, H, W), got {tuple(self.image.shape)}")

    def to(self, device: torch.device) -> ClipFrame:
        """Give the same frame with its tensors on a device."""
        return dataclasses.replace(
            self,
            image=self.image.to(device, non_blocking=True),
            boxes=self.boxes.to(device, non_blocking=True),
            ids=self.ids.to(device, non_blocking=True),
            proposals=self.proposals.to(device, non_blocking=True),
            scores=self.scores.to(device, non_blocking=True),
            teacher=None if self.teacher is None else self.teacher.to(device, non_blocking=True),
        )


Clip = tuple[ClipFrame, ...]


def num_boxes(clip: Clip) -> int:
    """Count the boxes of people in all frames, by which the losses of a clip are divided."""
    return sum(len(frame.ids) for frame in clip)
