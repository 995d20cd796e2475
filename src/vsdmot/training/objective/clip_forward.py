"""The loss of a clip: frame after frame through the network, tracks carried from each to the next (MOTRv2, Eq. 15)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vsdmot.boxes import xyxy_to_cxcywh
from vsdmot.config import at_least, check, within
from vsdmot.detection.yolox.proposing import ProposingConfig, propose
from vsdmot.errors import ConfigError, TrainingError
from vsdmot.models.backbone import ResNet, YoloxBackbone
from vsdmot.models.queries import Queries
from vsdmot.models.transformer import DecoderOutput, FeatureMaps
from vsdmot.models.vsdmot import VSDMOT, FramePrediction
from vsdmot.models.yolox.network import LevelOutput
from vsdmot.training.clips.clip import Clip, ClipFrame
from vsdmot.training.distillation.dcsd import DistillationLoss
from vsdmot.training.objective.criterion import ADVICE, Judged, first_not_finite, judge, named_terms
from vsdmot.training.objective.denoising import draw_noise, jitter
from vsdmot.training.objective.losses import LossWeights
from vsdmot.training.objective.matcher import NOBODY, Integers, Matches
from vsdmot.training.objective.query_update import Seen, carry
from vsdmot.training.task import StepLoss


@dataclass(frozen=True, kw_only=True)
class ClipLossConfig:
    """What a clip is trained for and how it is computed. The defaults are MOTRv2's and the paper's.

    Attributes:
        weights: Weights of the loss and of the costs of matching.
        denoising: Train the decoder on jittered true boxes as well; faster convergence for a little time.
        denoising_scale: Largest jitter as a share of a box. Raising it makes the task harder.
        drop_rate: Probability that a track is not carried to the next frame. Raising it trains births in the middle of
            a clip more, lowering it trains long tracks more. 0 is the published behaviour.
        false_positive_rate: Probability that a track gets a wrong companion, to learn to end false tracks. Raising it
            ends them sooner, at the risk of true ones. 0 is the published behaviour.
        update_matched: Update the query of a matched person however low its score; needed when training starts from
            random weights (see `vsdmot.training.objective.query_update.carry`). false is the published behaviour.
        alpha: Share of the distillation loss, where there is a teacher (Table VII). Raising it favours semantics.
        encode_together: Encode the frames of a clip in one batch, which is faster for small images and equal in result;
            false encodes frame by frame.
        propose: Take proposals from the detector that is the network's backbone, in place of those of the data: they
            are those of the augmented and degraded picture, as in use. Needs encode_together.
        checkpointing: Forget what a frame computes and compute it again for its gradient: the memory of one frame
            instead of all, for a third more time. Needs encode_together to be false.
        precision: bf16 computes backbone, neck and encoder in bfloat16; all that is delicate stays in fp32.
    """

    weights: LossWeights = field(default_factory=LossWeights)
    denoising: bool = True
    denoising_scale: float = 0.05
    drop_rate: float = 0.0
    false_positive_rate: float = 0.0
    update_matched: bool = False
    alpha: float = 0.4
    encode_together: bool = True
    propose: bool = False
    checkpointing: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        check(
            self,
            denoising_scale=at_least(0),
            drop_rate=within(0, 1),
            false_positive_rate=within(0, 1),
            alpha=within(0, 1),
            propose=lambda on: "false while encode_together is false" if on and not self.encode_together else None,
            checkpointing=lambda on: "false while encode_together is true" if on and self.encode_together else None,
        )


@dataclass(frozen=True, eq=False)
class TrackQueries:
    """The K queries that a frame hands on.

    Attributes:
        ids: ``(K,)``, `NOBODY` for queries without a person.
        queries: ``(1, K, ...)``.
    """

    ids: Integers
    queries: Queries


@dataclass(frozen=True, eq=False)
class FrameStep:
    """What happened in one frame of a clip.

    Attributes:
        name: Of the frame.
        query_ids: ``(N,)``, ids of the queries that entered, `NOBODY` for fresh ones.
        prediction: Of the N queries and, behind them, those of denoising.
        judged: Who is whom, and every single error.
        distillation: Of the frame; None without distiller.
        tracks: For the next frame; None after the last.
    """

    name: str
    query_ids: Integers
    prediction: FramePrediction
    judged: Judged
    distillation: DistillationLoss | None
    tracks: TrackQueries | None

    @property
    def monitors(self) -> dict[str, Tensor]:
        """The weight of semantics (Eq. 13), where the network has them, and what the distiller watches."""
        weight = self.prediction.semantic_weight
        own = {} if weight is None else {"semantic_weight": weight[0]}
        return own if self.distillation is None else {**own, **self.distillation.monitors}


class ClipModel(nn.Module):
    """Give the loss of a clip, so that a wrapper for many processes sees one module with one forward pass.

    Args:
        model: The network; its parameters that ask for gradients are trained.
        config: What to train for.
        distiller: Compares semantic features ``(1, N, D)`` and a teacher's ``(m, width)``; None for no distillation.
        proposing: Which finds of the network's own detector become proposals.

    Raises:
        ConfigError: The network lacks a part that the settings need.
    """

    def __init__(
        self,
        model: VSDMOT,
        config: ClipLossConfig,
        distiller: nn.Module | None = None,
        proposing: ProposingConfig | None = None,
    ) -> None:
        super().__init__()
        if config.propose and not isinstance(model.backbone, YoloxBackbone):
            raise ConfigError("propose: must be false, because the network has no detector (model.backbone)")
        if config.denoising and model.query_source.denoising_content is None:
            raise ConfigError("denoising: must be false, because the network is made without it (model.denoising)")
        if distiller is not None and model.student is None:
            raise ConfigError("distillation: needs a network with a student, and model.student is null")
        self.model, self.config, self.distiller = model, config, distiller
        self._proposing = proposing or ProposingConfig()

    def forward(
        self, clip: Clip, divisor: float, generator: torch.Generator | None = None, clips: float = 1.0
    ) -> StepLoss:
        """Compute a clip's share of the loss of an optimiser step, ``alpha L_distill + (1 - alpha) L_mot`` (Eq. 15).

        The shares of all clips of a step add up to its loss, on one process or many. Every parameter gets a gradient,
        zero if need be.

        Args:
            clip: Frames with images of one size.
            divisor: Boxes of people in all clips of the step, at least 1.
            generator: On the CPU, for denoising and options; None draws from torch's global one.
            clips: Number of clips in the step; each weighs the same in the distillation loss.

        Returns:
            The loss. ``parts`` are those of `named_terms`, and with a distiller its own and ``distill``.

        Raises:
            TrainingError: A loss is not finite, a person is there twice, or a frame lacks the teacher's features.
        """
        assert divisor >= 1
        steps = self.unroll(clip, generator)
        terms = torch.stack([step.judged.terms for step in steps]) / divisor
        total = (terms * terms.new_tensor(self.config.weights.by_kind())).sum()
        parts, monitors = named_terms(terms.detach()), _mean([step.monitors for step in steps])
        said = [step.distillation for step in steps if step.distillation is not None]
        if said:
            distill = torch.stack([frame.total for frame in said]).mean() / clips
            total = self.config.alpha * distill + (1 - self.config.alpha) * total
            parts |= {name: value / clips for name, value in _mean([frame.parts for frame in said]).items()}
            parts["distill"] = distill.detach()
            monitors["distill_share"] = (self.config.alpha * distill / total.clamp(min=1e-12)).detach()
        if not torch.isfinite(total):
            raise TrainingError(_not_finite(steps))
        return StepLoss(total + self._nothing(), parts, monitors)

    def unroll(
        self, clip: Clip, generator: torch.Generator | None = None, noise: Sequence[Tensor] | None = None
    ) -> list[FrameStep]:
        """Run the network through a clip.

        Args:
            clip: Frames with images of one size.
            generator: As in `forward`.
            noise: For each frame ``(G, 4)`` in [0, 1), in place of what would be drawn for denoising.
        """
        images = torch.stack([frame.image for frame in clip])
        nobody = Queries(images.new_zeros(1, 0, self.model.config.hidden_dim), images.new_zeros(1, 0, 4))
        tracks = TrackQueries(np.zeros(0, np.int64), nobody)
        steps = []
        clip, sources = self._prepare(clip, images)
        for t, (frame, source) in enumerate(zip(clip, sources, strict=True)):
            last = t == len(clip) - 1
            fresh = self.model.query_source(frame.proposals[None], frame.scores[None])
            queries = Queries.join(fresh, tracks.queries)
            query_ids = np.concatenate([np.full(len(fresh), NOBODY), tracks.ids])
            denoising = self._denoising_queries(frame, noise[t] if noise else None, generator)
            quality = images.new_tensor([frame.quality])
            # The gradient of the last frame is computed first, so that forgetting it would save nothing.
            if self.config.checkpointing and not last:
                prediction = checkpoint(self._predict, source, queries, quality, denoising, use_reentrant=False)
            else:
                prediction = self._predict(source, queries, quality, denoising)
            judged = judge(frame, query_ids, prediction.decoded, self.config.weights)
            distillation = self._distill(frame, prediction)
            following = None if last else self._hand_on(frame, queries, prediction.decoded, judged.matches, generator)
            steps.append(FrameStep(frame.name, query_ids, prediction, judged, distillation, following))
            tracks = following or tracks
        return steps

    def _prepare(self, clip: Clip, images: Tensor) -> tuple[Clip, Sequence[Tensor | FeatureMaps]]:
        """Give the clip with its proposals, and for each of the images ``(T, 3, H, W)`` what `_predict` starts from."""
        if not self.config.encode_together:
            return clip, torch.split(images, 1)
        features = self._extract(images)
        if self.config.propose:
            clip = self._propose(clip, features)
        memory = self._encode(features)
        # Split in one go, so that the gradient is put together in one go.
        return clip, [dataclasses.replace(memory, tokens=tokens) for tokens in torch.split(memory.tokens, 1)]

    def _propose(self, clip: Clip, features: tuple[Tensor, ...]) -> Clip:
        """Put what the network's detector finds in the place of the clip's proposals."""
        assert isinstance(self.model.backbone, YoloxBackbone), "checked at the start"
        height, width = clip[0].image.shape[1:]
        with torch.autocast(features[0].device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bf16"):
            levels = self.model.backbone.detect(features)
        found = []
        for t, frame in enumerate(clip):
            one = [LevelOutput(*(output[t : t + 1].float() for output in level)) for level in levels]
            proposals = propose(one, (width, height), self._proposing)  # as shares of the image
            boxes = torch.from_numpy(xyxy_to_cxcywh(proposals.boxes)).to(frame.boxes)
            scores = torch.from_numpy(proposals.scores).to(frame.boxes)
            found.append(dataclasses.replace(frame, proposals=boxes, scores=scores))
        return tuple(found)

    def _extract(self, images: Tensor) -> tuple[Tensor, ...]:
        """Give the backbone's maps of ``(T, 3, H, W)``, in the precision that is asked for."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bf16"):
            features: tuple[Tensor, ...] = self.model.backbone(images)
        return features

    def _encode(self, features: tuple[Tensor, ...]) -> FeatureMaps:
        """Encode the maps of frames, in the precision that is asked for; the memory itself is fp32."""
        with torch.autocast(features[0].device.type, dtype=torch.bfloat16, enabled=self.config.precision == "bf16"):
            maps, positions = self.model.neck(features, None)
            # bfloat16 has 8 bits: where tokens add up and where points are sampled, that is far too coarse.
            maps = dataclasses.replace(maps, tokens=maps.tokens.float())
            memory: FeatureMaps = self.model.encoder(maps, positions)
        return dataclasses.replace(memory, tokens=memory.tokens.float())

    def _predict(
        self, source: Tensor | FeatureMaps, queries: Queries, quality: Tensor, denoising: Queries | None
    ) -> FramePrediction:
        """Decode queries from a memory, or from an image ``(1, 3, H, W)`` that is encoded first."""
        memory = source if isinstance(source, FeatureMaps) else self._encode(self._extract(source))
        return self.model.decode(memory, queries, quality, denoising)

    def _denoising_queries(
        self, frame: ClipFrame, noise: Tensor | None, generator: torch.Generator | None
    ) -> Queries | None:
        if not self.config.denoising:
            return None
        if noise is None:
            noise = draw_noise(len(frame.boxes), generator, frame.boxes.device)
        jittered = jitter(frame.boxes, noise, self.config.denoising_scale)
        return self.model.query_source.denoise(jittered[None])

    def _hand_on(
        self,
        frame: ClipFrame,
        queries: Queries,
        decoded: DecoderOutput,
        matches: Matches,
        generator: torch.Generator | None,
    ) -> TrackQueries:
        """Choose the queries that go on to the next frame, and update them.

        Note: as in the published code, no gradient flows back through predicted boxes, but the learned anchor of a
        query that is carried without having been updated is still the parameter, and learns from later frames too.
        """
        logits, boxes = decoded.logits[-1], decoded.boxes[-1]
        seen = Seen(
            scores=logits[0, : len(queries)].detach().sigmoid().cpu().numpy(),
            boxes=boxes[0, : len(queries)].detach().cpu().numpy(),
            matches=matches,
            truth=frame.boxes.cpu().numpy(),
        )
        config = self.config
        carried = carry(
            seen, config.drop_rate, config.false_positive_rate, generator, update_matched=config.update_matched
        )
        index = torch.from_numpy(carried.index).to(boxes.device)
        tracks = queries.take(index)
        if len(index):
            updated = torch.from_numpy(carried.updated).to(boxes.device)[None]
            tracks = self.model.query_interaction(tracks, decoded.embeddings[:, index], boxes[:, index], updated)
        return TrackQueries(carried.ids, tracks)

    def _distill(self, frame: ClipFrame, prediction: FramePrediction) -> DistillationLoss | None:
        if self.distiller is None:
            return None
        if frame.teacher is None:
            raise TrainingError(f"{frame.name}: has no features of the teacher, which distillation needs")
        said: DistillationLoss = self.distiller(prediction.semantic, frame.teacher)
        return said

    def _nothing(self) -> Tensor:
        """Give a zero that depends on every parameter, whatever its value.

        A frame without people, tracks or proposals leaves parts of the network unused; a process that lacks their
        gradients would leave the others waiting.
        """
        return torch.cat([p.flatten()[:0] for p in self.parameters() if p.requires_grad]).sum()


def freeze_stem(model: VSDMOT) -> None:
    """Stop training the first layers of the backbone (stem and layer1), as MOTRv2 does with its ImageNet weights.

    Not for training from random weights, which these layers would keep.
    """
    if not isinstance(model.backbone, ResNet):
        return  # a detector is frozen altogether
    for part in (model.backbone.conv1, model.backbone.layer1):
        part.requires_grad_(False)


def _mean(frames: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average scalars of frames by name, detached."""
    return {name: torch.stack([frame[name].detach() for frame in frames]).mean() for name in frames[0]}


def _not_finite(steps: Sequence[FrameStep]) -> str:
    for step in steps:
        said = step.distillation
        if said is not None and not torch.isfinite(said.total):
            return f"{step.name}: the distillation loss is {float(said.total.detach())}; {ADVICE}"
    found = first_not_finite([(step.name, step.judged.terms) for step in steps])
    return found or f"{steps[0].name}: the sum of the clip's losses is not finite; {ADVICE}"
