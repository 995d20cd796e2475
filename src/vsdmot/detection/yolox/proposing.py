"""From the raw outputs of YOLOX to proposals: of a detector by itself, or of one that is the backbone of a tracker."""

from __future__ import annotations

from dataclasses import dataclass

from vsdmot.config import at_least, check, within
from vsdmot.detection.nms import nms
from vsdmot.detection.yolox.decoding import decode_boxes, decode_scores, to_image
from vsdmot.models.yolox.network import LevelOutput
from vsdmot.structures import Proposals

PERSON = 0
"""The class of people, in COCO's 80 and in the one-class weights of the tracking literature."""


@dataclass(frozen=True, kw_only=True)
class ProposingConfig:
    """Which finds of a detector become proposals.

    Attributes:
        score_threshold: They must score above this (0 to 1; Sec. IV-C uses 0.05). Raising it drops weak, often blurred
            people; lowering it adds false ones and time per frame.
        nms_threshold: Of two whose IoU exceeds this (0 to 1), the weaker is dropped. Raising it keeps people who
            overlap, and duplicates.
        max_proposals: At most this many per frame, the best ones.
    """

    score_threshold: float = 0.05
    nms_threshold: float = 0.7
    max_proposals: int = 500

    def __post_init__(self) -> None:
        check(self, score_threshold=within(0, 1), nms_threshold=within(0, 1), max_proposals=at_least(1))


def propose(levels: list[LevelOutput], scale: tuple[float, float], config: ProposingConfig) -> Proposals:
    """Turn the detector's outputs for one image into proposals.

    Args:
        levels: Raw outputs for one image; class 0 is people.
        scale: Pixels of the network's input per pixel of the frame, across and down.
        config: Which are taken.

    Returns:
        Boxes in pixels of the frame, not cut at its border, best score first.
    """
    levels = [level._replace(classes=level.classes[:, PERSON : PERSON + 1]) for level in levels]
    scores = decode_scores(levels)[0, :, 0]
    candidates = scores > config.score_threshold
    boxes = decode_boxes(levels)[0][candidates].cpu().numpy()
    found = scores[candidates].cpu().numpy()
    boxes = to_image(boxes, scale)
    kept = nms(boxes, found, config.nms_threshold, limit=config.max_proposals)
    return Proposals(boxes=boxes[kept], scores=found[kept])
