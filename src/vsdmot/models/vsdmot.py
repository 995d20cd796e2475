"""VSD-MOT (Fig. 2): MOTRv2, and the student and DSWR that make it see through poor frames.

Without student the network is MOTRv2, equal to the published one to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.config import at_least, check, within
from vsdmot.errors import ConfigError
from vsdmot.models.backbone import BackboneName, ResNet, YoloxBackbone
from vsdmot.models.deformable import DeformableAttention
from vsdmot.models.dswr import DSWR, DSWRConfig, blend
from vsdmot.models.positions import sine_grid
from vsdmot.models.qim import QueryInteraction
from vsdmot.models.queries import Queries, QuerySource, denoising_mask
from vsdmot.models.student import Student, StudentConfig
from vsdmot.models.transformer import Decoder, DecoderOutput, Encoder, FeatureMaps, LayerSize
from vsdmot.models.yolox.network import YoloxConfig


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Architecture of the tracker network. The defaults are the paper's: 42,602,248 parameters.

    Attributes:
        backbone: Feature extractor. A deeper ResNet sees more and costs more. yolox is a detector that was trained
            before: one pass serves detection and tracking, which suits a CPU.
        detector: Size of the detector that is the backbone; only with backbone yolox.
        hidden_dim: Width D of tokens and queries; a multiple of 32 (group norms), at least 64, and of num_heads.
        num_heads: Attention heads.
        num_levels: Feature maps: strides 8, 16, 32, then halved once more for each further level; at least 3.
        num_points: Points that each head reads on each level. Raising it costs time in proportion.
        encoder_layers: Encoder depth; most of the time of a frame goes here. 0 does without, which a detector's neck
            allows because it has mixed the scales already.
        decoder_layers: Decoder depth; each layer refines the boxes once.
        feedforward_dim: Width of the feed-forward parts.
        dropout: Share of activations dropped in training.
        num_learned_queries: Queries that are not tied to a proposal. Raising it finds more people that the detector
            missed, lowering it leaves detection to the proposals.
        trust_proposals: Start training from the belief that each query stands where a person may well be: scores of 0.3
            and the boxes of the anchors, in place of the published 0.01 and shrunken boxes. Without it a network that
            is trained from random weights spends its first thousands of steps on unlearning that.
        overlap_bias: Let the queries' self-attention see how much their boxes overlap, so that a proposal finds the
            track that it repeats from the start. Paper note: MOTRv2 leaves that to content and positions.
        motion_gain: Let a track's anchor move on with its person's velocity, of which the newest sighting makes up this
            share; 0, the published behaviour, leaves it where the person was seen. Raising it follows turns sooner,
            lowering it is steadier.
        denoising: Hold the vector for denoising queries in training.
        student: The semantic student; null makes plain MOTRv2.
        dswr: Quality-driven fusion; null fuses at fixed_semantic_weight. Needs a student.
        fixed_semantic_weight: Share of semantics in the fusion without DSWR, at every quality (Table V, rows 2-3).
    """

    backbone: BackboneName = "resnet50"
    detector: YoloxConfig | None = None
    hidden_dim: int = 256
    num_heads: int = 8
    num_levels: int = 4
    num_points: int = 4
    encoder_layers: int = 6
    decoder_layers: int = 6
    feedforward_dim: int = 1024
    dropout: float = 0.0
    num_learned_queries: int = 10
    trust_proposals: bool = False
    overlap_bias: bool = False
    motion_gain: float = 0.0
    denoising: bool = True
    student: StudentConfig | None = field(default_factory=StudentConfig)
    dswr: DSWRConfig | None = field(default_factory=DSWRConfig)
    fixed_semantic_weight: float = 0.5

    def __post_init__(self) -> None:
        check(
            self,
            hidden_dim=lambda dim: None if dim >= 64 and dim % 32 == 0 else "a multiple of 32, at least 64",
            num_heads=lambda heads: None if heads > 0 and self.hidden_dim % heads == 0 else "a divisor of hidden_dim",
            num_levels=at_least(3),
            num_points=at_least(1),
            encoder_layers=at_least(0),
            decoder_layers=at_least(1),
            feedforward_dim=at_least(1),
            dropout=within(0, 0.9),
            num_learned_queries=at_least(0),
            motion_gain=within(0, 1),
            fixed_semantic_weight=within(0, 1),
        )
        if self.dswr is not None and self.student is None:
            raise ConfigError("dswr: needs a student, whose semantics it weighs; set it to null as well")
        if (self.backbone == "yolox") != (self.detector is not None):
            raise ConfigError("detector: must be given with backbone: yolox, and only with that")

    @property
    def multiple(self) -> int:
        """What the sides of the network's input must be multiples of, in pixels."""
        return YoloxBackbone.MULTIPLE if self.backbone == "yolox" else 1


@dataclass(frozen=True, eq=False)
class FramePrediction:
    """What the network says about the queries of a frame.

    Attributes:
        decoded: Logits, boxes and embeddings of all queries.
        semantic: What distillation compares with the teacher, ``(B, N, D)``; None without student.
        semantic_weight: ``w_semantic`` ``(B,)``; None without student.
    """

    decoded: DecoderOutput
    semantic: Tensor | None
    semantic_weight: Tensor | None


class VSDMOT(nn.Module):
    """The network, a frame at a time: `encode` the image, `decode` the queries; `query_interaction` updates tracks."""

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
        size = LayerSize(
            dim=config.hidden_dim,
            num_heads=config.num_heads,
            num_levels=config.num_levels,
            num_points=config.num_points,
            feedforward_dim=config.feedforward_dim,
            dropout=config.dropout,
        )
        self.backbone: ResNet | YoloxBackbone
        if config.backbone == "yolox":
            assert config.detector is not None, "checked by the settings"
            self.backbone = YoloxBackbone(config.detector)
        else:
            self.backbone = ResNet(config.backbone)
        self.neck = Neck(self.backbone.channels, config.hidden_dim, config.num_levels)
        self.encoder = Encoder(size, config.encoder_layers)
        self.query_source = QuerySource(config.hidden_dim, config.num_learned_queries, config.denoising)
        self.student = Student(config.hidden_dim, config.student) if config.student else None
        self.dswr = DSWR(config.dswr) if config.dswr else None
        self.decoder = Decoder(
            size,
            config.decoder_layers,
            trust_proposals=config.trust_proposals,
            overlap_bias=config.overlap_bias,
        )
        self.query_interaction = QueryInteraction(
            config.hidden_dim, config.num_heads, config.feedforward_dim, config.dropout, config.motion_gain
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the transformer's weights as MOTRv2 does: Xavier for matrices, rings for deformable attention."""
        for part in (self.encoder, self.decoder.layers, self.query_interaction):
            for parameter in part.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
            for module in part.modules():
                if isinstance(module, DeformableAttention):
                    module.reset_parameters()

    def encode(self, images: Tensor, padding_mask: Tensor | None = None) -> FeatureMaps:
        """Turn images into memory that queries read from.

        Args:
            images: Normalised images ``(B, 3, H, W)``, any size.
            padding_mask: ``(B, H, W)``, True where the image is padding; None for none.

        Returns:
            Encoded features of all levels.
        """
        return self.encode_features(self.backbone(images), padding_mask)

    def encode_features(self, features: tuple[Tensor, ...], padding_mask: Tensor | None = None) -> FeatureMaps:
        """Do the same from the maps of the backbone, ``(B, C, H, W)`` at strides 8, 16 and 32."""
        maps, positions = self.neck(features, padding_mask)
        memory: FeatureMaps = self.encoder(maps, positions)
        return memory

    def fuse(
        self, content: Tensor, quality: Tensor, memory: FeatureMaps
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Add semantics to query content (Eq. 1-3, 13-14).

        Args:
            content: ``(B, N, D)``, all queries except those of denoising.
            quality: ``Q``, ``(B,)``.
            memory: Of the frame, from `encode`; a student with image context reads it.

        Returns:
            The content for the decoder, what of the semantics is taught, ``(B, N, D)``, and ``w_semantic``; the
            latter two None without student.
        """
        if self.student is None:
            return content, None, None
        semantic = self.student(content, *memory.coarsest())
        if self.dswr is None:
            weight = torch.full_like(quality, self.config.fixed_semantic_weight)
            return blend(semantic.features, content, weight), semantic.taught, weight
        fused, weight = self.dswr(semantic.features, content, quality)
        return fused, semantic.taught, weight

    def decode(
        self, memory: FeatureMaps, queries: Queries, quality: Tensor, denoising: Queries | None = None
    ) -> FramePrediction:
        """Locate the people that the queries ask for.

        Paper note: the fused features go to the decoder only. What a track carries on is its content before fusion,
        so that one bad frame does not rewrite what is known of a person.

        Args:
            memory: From `encode`.
            queries: Learned, proposal and track queries.
            quality: ``Q`` in [0, 1], ``(B,)``.
            denoising: Denoising queries, appended behind the others; training only.

        Returns:
            Predictions for all queries, denoising ones last.
        """
        fused, semantic, weight = self.fuse(queries.content, quality, memory)
        asked, mask = Queries(fused, queries.anchors), None
        if denoising is not None and len(denoising):
            mask = denoising_mask(len(queries), len(denoising), fused.device)
            asked = Queries.join(asked, denoising)
        return FramePrediction(self.decoder(asked.content, asked.anchors, memory, mask), semantic, weight)


class Neck(nn.Module):
    """Bring backbone maps to one width, add coarser levels and positions.

    Args:
        channels: Channels of the three backbone maps.
        dim: Width D.
        num_levels: Levels; those beyond three are strided convolutions, the first one of the raw last backbone map.
    """

    def __init__(self, channels: tuple[int, ...], dim: int, num_levels: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(c, dim, 1) for c in channels]
        for level in range(len(channels), num_levels):
            inputs = channels[-1] if level == len(channels) else dim
            convolutions.append(nn.Conv2d(inputs, dim, 3, stride=2, padding=1))
        for convolution in convolutions:
            nn.init.xavier_uniform_(convolution.weight)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
        self.projections = nn.ModuleList(nn.Sequential(conv, nn.GroupNorm(32, dim)) for conv in convolutions)
        self.level_embedding = nn.Parameter(torch.randn(num_levels, dim))

    def forward(self, features: tuple[Tensor, ...], padding_mask: Tensor | None) -> tuple[FeatureMaps, Tensor]:
        """Project and flatten.

        Args:
            features: Backbone maps ``(B, C, H, W)`` at strides 8, 16, 32.
            padding_mask: ``(B, H, W)`` of the image, True where padding; None for none.

        Returns:
            Feature maps, and position plus level encodings ``(B or 1, S, D)``.
        """
        levels: list[Tensor] = []
        for level, projection in enumerate(self.projections):
            source = (
                features[level] if level < len(features) else features[-1] if level == len(features) else levels[-1]
            )
            levels.append(projection(source))
        sizes = tuple((level.shape[2], level.shape[3]) for level in levels)
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1)
        masks = [None if padding_mask is None else _resize_mask(padding_mask, size) for size in sizes]
        positions = torch.cat(
            [
                sine_grid(*size, tokens.shape[-1], mask, tokens.device) + self.level_embedding[level]
                for level, (size, mask) in enumerate(zip(sizes, masks, strict=True))
            ],
            dim=1,
        )
        present = [mask for mask in masks if mask is not None]
        if not present:
            return FeatureMaps(tokens, sizes), positions
        flat = torch.cat([mask.flatten(1) for mask in present], dim=1)
        ratios = torch.stack([_valid_ratio(mask) for mask in present], dim=1)
        return FeatureMaps(tokens, sizes, flat, ratios), positions


def _resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(mask[:, None].float(), size=size)[:, 0] > 0.5


def _valid_ratio(mask: Tensor) -> Tensor:
    """Share of width and height that is image, ``(B, 2)``, for images in the top left corner."""
    height = (~mask[:, :, 0]).sum(1) / mask.shape[1]
    width = (~mask[:, 0, :]).sum(1) / mask.shape[2]
    return torch.stack([width, height], dim=-1)
