"""Measure a detector on validation images: the same path as at inference, then AP and recall."""

from __future__ import annotations

from collections.abc import Sequence

from vsdmot.detection.proposals import ProposalSource
from vsdmot.io.images import read_image
from vsdmot.structures import Frame, Proposals
from vsdmot.synthesis.threads import in_order
from vsdmot.training.yolox.coco_ap import average_precision
from vsdmot.training.yolox.images import StillImage
from vsdmot.training.yolox.recall import match

LEAST_SCORE = 0.01
"""Detections that score no more than this are not looked at; AP also counts those that are too weak to be proposals."""

PROPOSAL_SCORE = 0.05
"""Proposals must score above this (Sec. IV-C)."""


def detect_all(detector: ProposalSource, images: Sequence[StillImage]) -> list[Proposals]:
    """Run a detector on images; the next ones are decoded meanwhile.

    Raises:
        SourceError: An image cannot be read.
    """
    pictures = in_order(lambda image: read_image(image.path), images, 2)
    return [detector(Frame(number, 0.0, picture)) for number, picture in enumerate(pictures, start=1)]


def measure(
    detections: Sequence[Proposals], images: Sequence[StillImage], *, with_average_precision: bool
) -> dict[str, float]:
    """Score the detections of images.

    Returns:
        AP and AP50 if asked for; recall of the proposals (score above 0.05), also by height; and recall where there is
        one false detection per image.
    """
    people = [image.boxes for image in images]
    ignored = [image.ignored for image in images]
    scores: dict[str, float] = {}
    if with_average_precision:
        precision = average_precision(detections, people, ignored)
        scores |= {"AP": precision.ap, "AP50": precision.ap50}
    matches = match(detections, people, ignored)
    scores["recall"] = matches.recall(PROPOSAL_SCORE)
    scores["recall_at_1_false"] = matches.recall_at(1.0)
    return scores | {f"recall_{name}": value for name, value in matches.recall_by_height(PROPOSAL_SCORE).items()}
