"""Learn from a published detector what it says of every cell: soft labels for all pictures, annotated or not.

Annotations of video leave people out (too far, too small, not of interest), and rendered pictures show little of what
the world holds that is not a person. A detector that has seen much more knows both. It is shown the clean picture, even
where its pupil sees a degraded one, so that the pupil learns to say of a poor picture what is said of a good one.

    [ sum_a |p_a - q_a| BCE(p_a, q_a) + 5 sum_{q_a > 0.05} q_a (1 - IoU(b_a, c_a)^2) ] / sum_a q_a

with ``p`` and ``b`` the pupil's score and box in cell ``a``, ``q`` and ``c`` those of the teacher. The factor
``|p - q|`` keeps the many cells in which both agree that nobody is there from outweighing the few that matter
(quality focal loss, Li et al. 2020, with exponent 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsdmot.config import above, check
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.decoding import decode_boxes, decode_scores
from vsdmot.detection.yolox.letterbox import InputConvention, normalise
from vsdmot.detection.yolox.proposing import PERSON
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX, LevelOutput
from vsdmot.training.yolox.losses import paired_iou

_BOX_WEIGHT = 5.0
_LEAST_SCORE = 0.05  # of the teacher, for its box to be worth learning


@dataclass(frozen=True, kw_only=True)
class TeachingConfig:
    """A published detector that teaches.

    Attributes:
        weights: YOLOX weights of any size, whose class 0 is people.
        share: Weight of what it says, beside the loss on annotations, which has weight 1.
    """

    weights: Path
    share: float = 1.0

    def __post_init__(self) -> None:
        check(self, share=above(0))


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """What the teacher says.

    Attributes:
        scores: ``(B, A)`` in [0, 1].
        boxes: ``(B, A, 4)`` ``xyxy`` in pixels of the input.
    """

    scores: Tensor
    boxes: Tensor


class DetectorTeaching(nn.Module):
    """A frozen detector; it is no part of the state that is stored with a training.

    Args:
        network: YOLOX; it is copied.
        convention: How its input is normalised.
        share: Weight of its loss.
        bf16: Whether to run it in bfloat16.
    """

    def __init__(self, network: YOLOX, convention: InputConvention, *, share: float = 1.0, bf16: bool = False) -> None:
        super().__init__()
        self.network = fold_batch_norm(network).requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.convention: InputConvention = convention
        self.share, self.bf16 = share, bf16

    @classmethod
    def load(cls, config: TeachingConfig, *, bf16: bool) -> DetectorTeaching:
        """Read the teacher's weights.

        Raises:
            CheckpointError: They cannot be read or are not YOLOX.
        """
        loaded = load_yolox(config.weights)
        return cls(loaded.network, loaded.convention, share=config.share, bf16=bf16)

    @torch.no_grad()
    def forward(self, images: Tensor) -> SoftLabels:
        """Say what is in pictures ``(B, H, W, 3)`` uint8 RGB."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            levels: list[LevelOutput] = self.network(normalise(images, self.convention))
        levels = [LevelOutput(*(output.float() for output in level)) for level in levels]
        return SoftLabels(decode_scores(levels)[..., PERSON], decode_boxes(levels))


def teaching_loss(levels: list[LevelOutput], labels: SoftLabels) -> tuple[Tensor, Tensor]:
    """Compare a network of one class with its teacher, in float32.

    Args:
        levels: Raw outputs for ``B`` images.
        labels: What the teacher says of the same cells.

    Returns:
        The loss of scores and of boxes, scalars, each divided by the sum of the teacher's scores (at least 1).
    """
    levels = [LevelOutput(*(output.float() for output in level)) for level in levels]
    objectness = torch.cat([level.objectness.flatten(1) for level in levels], dim=1)
    classes = torch.cat([level.classes[:, 0].flatten(1) for level in levels], dim=1)
    # log of the product of two sigmoids, which itself would round to 0.
    log_score = functional.logsigmoid(objectness) + functional.logsigmoid(classes)
    score = log_score.exp()
    log_nobody = torch.log1p(-score.clamp(max=1 - 1e-6))
    entropy = -(labels.scores * log_score + (1 - labels.scores) * log_nobody)
    divisor = labels.scores.sum().clamp(min=1.0)
    scores = ((score.detach() - labels.scores).abs() * entropy).sum() / divisor
    taught = labels.scores > _LEAST_SCORE
    overlap = paired_iou(decode_boxes(levels)[taught], labels.boxes[taught])
    boxes = _BOX_WEIGHT * (labels.scores[taught] * (1 - overlap**2)).sum() / divisor
    return scores, boxes
