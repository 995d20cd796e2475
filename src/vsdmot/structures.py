"""The values that flow from a source to a result: one type per stage, checked when made, never changed.

Frame -> FrameQuality, Proposals -> Tracks -> FrameResult. Boxes are ``xyxy`` in pixels of the original frame,
frame indices and track ids start at 1, images are RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import supervision

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        index: Position in the source, from 1. Frames that could not be decoded keep their index, so that
            results stay aligned with ground truth: indices rise, but may skip.
        time: Seconds since the first frame, from the container's timestamps where there are any.
        image: ``(H, W, 3)`` uint8, RGB, upright.
        path: The image file, where the source is a folder; None for video.
    """

    index: int
    time: float
    image: Image
    path: Path | None = None

    def __post_init__(self) -> None:
        if self.index < 1:
            raise ValueError(f"Frame.index starts at 1, got {self.index}")
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"Frame.image must be (H, W, 3) uint8 RGB, got {self.image.shape} {self.image.dtype}")

    @property
    def height(self) -> int:
        """Height of the image in pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Width of the image in pixels."""
        return int(self.image.shape[1])


@dataclass(frozen=True, slots=True)
class FrameQuality:
    """How good a frame is (Sec. III-C, stage 1); every value lies in [0, 1].

    Attributes:
        clarity: Sharp detail that is not noise; 1 is crisp, 0 is featureless.
        noise: Noise level; 0 is clean, 1 is nothing but noise.
        contrast: Tonal range; 1 is full, 0 is flat or black.
        score: The quality ``Q`` that drives DSWR; 0 is worst.
    """

    clarity: float
    noise: float
    contrast: float
    score: float

    def __post_init__(self) -> None:
        for name in ("clarity", "noise", "contrast", "score"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:  # also catches NaN
                raise ValueError(f"FrameQuality.{name} must lie in [0, 1], got {value}")


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Boxes of a frame that may hold a person, from a detector or a file.

    Attributes:
        boxes: ``(P, 4)`` float32 ``xyxy`` in pixels; may reach beyond the image.
        scores: ``(P,)`` float32 in [0, 1].
    """

    boxes: Boxes
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_boxes("Proposals", self.boxes)
        _check_scores("Proposals", self.scores, len(self.boxes))

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> Proposals:
        """No proposals, which is a legal frame."""
        return cls(boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32))

    def above(self, threshold: float) -> Proposals:
        """Keep the proposals whose score exceeds ``threshold`` (strictly), in order."""
        keep = self.scores > threshold
        return Proposals(boxes=self.boxes[keep], scores=self.scores[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The people that a tracker reports in a frame.

    Attributes:
        ids: ``(K,)`` int64, each at least 1, no id twice.
        boxes: ``(K, 4)`` float32 ``xyxy`` in pixels.
        scores: ``(K,)`` float32 in [0, 1].
    """

    ids: NDArray[np.int64]
    boxes: Boxes
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_boxes("Tracks", self.boxes)
        _check_scores("Tracks", self.scores, len(self.boxes))
        if self.ids.shape != (len(self.boxes),) or self.ids.dtype != np.int64:
            raise ValueError(f"Tracks.ids must be ({len(self.boxes)},) int64, got {self.ids.shape} {self.ids.dtype}")
        if len(self.ids) and self.ids.min() < 1:
            raise ValueError(f"Tracks.ids start at 1, got {self.ids.min()}")
        if len(np.unique(self.ids)) != len(self.ids):
            raise ValueError(f"Tracks.ids holds an id twice: {self.ids.tolist()}")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls) -> Tracks:
        """Nobody in the frame."""
        return cls(ids=np.zeros(0, np.int64), boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32))

    def to_supervision(self) -> supervision.Detections:
        """Give the same tracks as ``supervision.Detections`` with ``tracker_id``, class 0 (person)."""
        import supervision

        return supervision.Detections(
            xyxy=self.boxes, confidence=self.scores, tracker_id=self.ids, class_id=np.zeros(len(self), int)
        )


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """All that is known about a frame after it was tracked; it does not hold the image.

    Attributes:
        index: The frame's index, from 1.
        time: The frame's time in seconds.
        tracks: The people reported.
        quality: The frame's quality.
        semantic_weight: ``w_semantic`` of DSWR (Eq. 13) in (0, 1); None for a tracker without DSWR.
        num_proposals: How many proposals the tracker was given.
    """

    index: int
    time: float
    tracks: Tracks
    quality: FrameQuality
    semantic_weight: float | None
    num_proposals: int


def _check_boxes(owner: str, boxes: Boxes) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype != np.float32:
        raise ValueError(f"{owner}.boxes must be (N, 4) float32, got {boxes.shape} {boxes.dtype}")
    if not np.isfinite(boxes).all():
        raise ValueError(f"{owner}.boxes holds values that are not finite")


def _check_scores(owner: str, scores: NDArray[np.float32], count: int) -> None:
    if scores.shape != (count,) or scores.dtype != np.float32:
        raise ValueError(f"{owner}.scores must be ({count},) float32, got {scores.shape} {scores.dtype}")
    if count and not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(f"{owner}.scores must lie in [0, 1], got {scores.min()} to {scores.max()}")
