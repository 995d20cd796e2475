"""Tracking by query propagation: MOTRv2 and VSD-MOT, frame after frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsdmot.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from vsdmot.detection.yolox.proposing import ProposingConfig, propose
from vsdmot.errors import CheckpointError
from vsdmot.models.backbone import YoloxBackbone
from vsdmot.models.queries import Queries
from vsdmot.models.transformer import FeatureMaps
from vsdmot.models.vsdmot import VSDMOT, FramePrediction
from vsdmot.structures import Frame, FrameQuality, Proposals, Tracks
from vsdmot.tracking.lifecycle import NO_TRACK, Ids, LifecycleConfig, advance, reported, seen
from vsdmot.tracking.method import StepResult
from vsdmot.tracking.preprocess import PreprocessConfig, preprocess
from vsdmot.tracking.pretrained import TrackerConfig


@dataclass(frozen=True, eq=False)
class TrackState:
    """The people that a video has shown so far, K of them alive.

    Attributes:
        ids: ``(K,)``.
        missed: ``(K,)``, frames in a row that each was not seen.
        queries: Their content and anchors for the next frame, ``(1, K, ...)``.
        next_id: Number of the next birth.
        was_full: Whether there ever were as many people as are followed at most.
    """

    ids: Ids
    missed: Ids
    queries: Queries
    next_id: int
    was_full: bool = False


@dataclass(frozen=True, eq=False)
class Step:
    """One frame in the network's own terms; `QueryTracking` makes a result of it.

    Attributes:
        prediction: Of all N queries.
        ids: ``(N,)``, after births, losses and deaths.
        missed: ``(N,)``.
        kept: ``(K,)``, which of the N queries are alive.
        scores: ``(N,)`` float32.
        state: For the next frame.
    """

    prediction: FramePrediction
    ids: Ids
    missed: Ids
    kept: NDArray[np.int64]
    scores: NDArray[np.float32]
    state: TrackState


class QueryTracking:
    """Follow people with track queries (a `TrackingMethod`).

    Args:
        model: MOTRv2 or VSD-MOT; used in evaluation mode, on the device where it is.
        lifecycle: When tracks are born and end.
        preprocessing: Size of the network's input.
        proposing: Which finds of its own detector become proposals, where the network has one.
    """

    def __init__(
        self,
        model: VSDMOT,
        lifecycle: LifecycleConfig | None = None,
        preprocessing: PreprocessConfig | None = None,
        proposing: ProposingConfig | None = None,
    ) -> None:
        self.model = model.eval()
        self.lifecycle = lifecycle or LifecycleConfig()
        self.preprocessing = preprocessing or PreprocessConfig(multiple=model.config.multiple)
        self.proposing = proposing or ProposingConfig()
        self.device = next(model.parameters()).device

    @classmethod
    def of(cls, model: VSDMOT, config: TrackerConfig) -> QueryTracking:
        """Follow people with the settings that belong to a network's weights."""
        return cls(model, config.lifecycle, config.preprocessing, config.proposing)

    @property
    def proposes(self) -> bool:
        """Whether the network has a detector."""
        return isinstance(self.model.backbone, YoloxBackbone)

    def start(self) -> TrackState:
        """Make the state before the first frame: nobody, ids from 1."""
        return empty_state(self.model)

    def notes(self, state: TrackState) -> tuple[str, ...]:
        """Tell when the bound on tracks was reached; see `TrackingMethod.notes`."""
        if not state.was_full:
            return ()
        bound = self.lifecycle.max_tracks
        return (f"{bound} people were followed at a time, which is the bound (max_tracks); others may be missing",)

    @torch.inference_mode()
    def step(
        self, state: TrackState, frame: Frame, proposals: Proposals | None, quality: FrameQuality
    ) -> tuple[TrackState, StepResult]:
        """Follow people into the next frame; see `TrackingMethod.step`."""
        images = preprocess(frame.image, self.preprocessing, self.device)
        features = self.model.backbone(images)
        memory = self.model.encode_features(features)
        if proposals is None:
            proposals = self._propose(features, frame, images)
        size = np.array([frame.width, frame.height] * 2, np.float32)
        boxes = torch.from_numpy(xyxy_to_cxcywh(proposals.boxes) / size).to(self.device)[None]
        scores = torch.from_numpy(proposals.scores).to(self.device)[None]
        score = torch.tensor([quality.score], dtype=torch.float32, device=self.device)
        step = follow(self.model, state, memory, Proposed(boxes, scores), score, self.lifecycle)
        if not np.isfinite(step.scores).all():
            raise CheckpointError(
                f"frame {frame.index}: the network gives scores that are not finite; its weights are damaged"
            )

        decoded = step.prediction.decoded
        found = cxcywh_to_xyxy(decoded.boxes[-1, 0, step.kept].cpu().numpy()) * size
        show = reported(step.scores[step.kept], found, self.lifecycle)
        tracks = Tracks(ids=step.ids[step.kept][show], boxes=found[show], scores=step.scores[step.kept][show])
        weight = step.prediction.semantic_weight
        return step.state, StepResult(tracks, len(proposals), None if weight is None else float(weight[0]))

    @torch.inference_mode()
    def detect(self, frame: Frame) -> Proposals:
        """Find people in a frame with the network's own detector, as `step` does: a source of proposals for others."""
        images = preprocess(frame.image, self.preprocessing, self.device)
        return self._propose(self.model.backbone(images), frame, images)

    def _propose(self, features: tuple[Tensor, ...], frame: Frame, images: Tensor) -> Proposals:
        assert isinstance(self.model.backbone, YoloxBackbone), "see proposes"
        scale = images.shape[3] / frame.width, images.shape[2] / frame.height
        return propose(self.model.backbone.detect(features), scale, self.proposing)


@dataclass(frozen=True, eq=False)
class Proposed:
    """Proposals as the network takes them: boxes ``(1, P, 4)`` ``cxcywh`` in [0, 1], scores ``(1, P)``."""

    boxes: Tensor
    scores: Tensor


def empty_state(model: VSDMOT) -> TrackState:
    """Make the state of a video that has shown nobody yet."""
    like = model.query_source.learned_content
    nothing = Queries(like.new_zeros(1, 0, like.shape[1]), like.new_zeros(1, 0, 4))
    return TrackState(np.zeros(0, np.int64), np.zeros(0, np.int64), nothing, next_id=1)


def follow(
    model: VSDMOT,
    state: TrackState,
    memory: FeatureMaps,
    proposed: Proposed,
    quality: Tensor,
    lifecycle: LifecycleConfig,
) -> Step:
    """Decode one frame and apply the life cycle: all of MOTRv2's inference behind the encoder.

    Args:
        model: The network.
        state: From the frame before.
        memory: Of the frame, from `VSDMOT.encode`.
        proposed: Proposals of the frame.
        quality: ``Q``, ``(1,)``.
        lifecycle: Thresholds.

    Returns:
        Predictions, ids and the state for the next frame.
    """
    fresh = model.query_source(proposed.boxes, proposed.scores)
    queries = Queries.join(fresh, state.queries)
    prediction = model.decode(memory, queries, quality)
    logits, boxes = prediction.decoded.logits[-1], prediction.decoded.boxes[-1]
    scores = logits[0].sigmoid().cpu().numpy()

    before = np.concatenate([np.full(len(fresh), NO_TRACK), state.ids])
    missed = np.concatenate([np.zeros(len(fresh), np.int64), state.missed])
    ids, missed, next_id = advance(before, missed, scores, state.next_id, lifecycle)
    kept = np.flatnonzero(ids != NO_TRACK)
    index = torch.from_numpy(kept).to(logits.device)
    tracks = queries.take(index)
    if len(kept):
        updated = torch.from_numpy(seen(scores[kept], lifecycle)).to(logits.device)[None]
        embeddings = prediction.decoded.embeddings[:, index]
        tracks = model.query_interaction(tracks, embeddings, boxes[:, index], updated)
    was_full = state.was_full or len(kept) >= lifecycle.max_tracks
    following = TrackState(ids[kept], missed[kept], tracks, next_id, was_full)
    return Step(prediction, ids, missed, kept, scores, following)
