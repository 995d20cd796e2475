"""How many people a detector finds: what a tracker needs of it, since it cannot follow whom it was never shown.

Detections of an image are matched by falling score, each to the person not yet found whom it overlaps most, at IoU 0.5
or more. One that finds nobody but lies half in an ignored box is left out; all others are false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import area, iou
from vsdmot.structures import Boxes, Proposals

_IOU = 0.5
_LEAST_IGNORED = 0.5  # share of a false detection in an ignored box that excuses it

HEIGHTS: Mapping[str, tuple[float, float]] = {
    "small": (0.0, 40.0),
    "medium": (40.0, 100.0),
    "large": (100.0, float("inf")),
}
"""Height of a person's box in pixels of the original image, from and below."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Detections of many images, matched.

    Attributes:
        scores: ``(D,)`` of the detections that count.
        found: ``(D,)`` bool, whether each finds somebody.
        found_scores: ``(P,)``, the score of the detection that found each person; -1 for those not found.
        heights: ``(P,)`` height of each person's box in pixels.
        num_images: Images, those without people included.
    """

    scores: NDArray[np.float32]
    found: NDArray[np.bool_]
    found_scores: NDArray[np.float32]
    heights: NDArray[np.float64]
    num_images: int

    def recall(self, threshold: float) -> float:
        """Share of the people whom a detection that scores above ``threshold`` finds; 0 without people."""
        return _share(self.found_scores > threshold)

    def recall_by_height(self, threshold: float) -> dict[str, float]:
        """Give `recall` for people of each class of `HEIGHTS` that has people."""
        classes = {name: (self.heights >= low) & (self.heights < high) for name, (low, high) in HEIGHTS.items()}
        return {name: _share(self.found_scores[these] > threshold) for name, these in classes.items() if these.any()}

    def recall_at(self, false_per_image: float) -> float:
        """Recall at the lowest threshold that gives no more false detections per image than this."""
        order = np.argsort(-self.scores, kind="stable")
        scores = self.scores[order]
        num_false = np.cumsum(~self.found[order])
        # Detections of equal score come and go together.
        ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, np.int64)
        allowed = ends[num_false[ends] <= false_per_image * self.num_images]
        return _share(self.found_scores >= scores[allowed[-1]]) if len(allowed) else 0.0


def match(detections: Sequence[Proposals], people: Sequence[Boxes], ignored: Sequence[Boxes]) -> Matches:
    """Match the detections of each image to its people.

    Args:
        detections: For each image, in pixels of the original.
        people: ``(G, 4)`` ``xyxy`` for each image.
        ignored: ``(I, 4)`` ``xyxy`` for each image.
    """
    per_image = [_match(*image) for image in zip(detections, people, ignored, strict=True)]
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *people])
    return Matches(
        scores=np.concatenate([np.zeros(0, np.float32), *(scores for scores, _, _ in per_image)]),
        found=np.concatenate([np.zeros(0, np.bool_), *(found for _, found, _ in per_image)]),
        found_scores=np.concatenate([np.zeros(0, np.float32), *(by for _, _, by in per_image)]),
        heights=(boxes[:, 3] - boxes[:, 1]).astype(np.float64),
        num_images=len(per_image),
    )


def _match(
    detected: Proposals, people: Boxes, ignored: Boxes
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Give the scores of detections that count, whether each finds somebody, and each person's score."""
    order = np.argsort(-detected.scores, kind="stable")
    boxes, scores = detected.boxes[order].astype(np.float64), detected.scores[order]
    overlaps = iou(boxes, people.astype(np.float64))
    found_by = np.full(len(people), -1.0, np.float32)
    found = np.zeros(len(boxes), np.bool_)
    for number, score in enumerate(scores.tolist() if len(people) else []):
        best = int(overlaps[number].argmax())
        if overlaps[number, best] >= _IOU:
            found[number], found_by[best] = True, score
            overlaps[:, best] = -1.0
    counts = found | (_largest_cover(boxes, ignored.astype(np.float64)) < _LEAST_IGNORED)
    return scores[counts], found[counts], found_by


def _largest_cover(boxes: NDArray[np.float64], ignored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest share of each box, ``(D, 4)``, that lies in one ignored box: ``(D,)``."""
    low = np.maximum(boxes[:, None, :2], ignored[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], ignored[None, :, 2:])
    shares = (high - low).clip(0).prod(axis=2) / area(boxes)[:, None].clip(1e-9)
    return np.asarray(shares.max(axis=1, initial=0.0), np.float64)


def _share(these: NDArray[np.bool_]) -> float:
    return float(these.mean()) if len(these) else 0.0
