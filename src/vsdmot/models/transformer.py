"""Deformable encoder and decoder with box refinement (Deformable DETR as MOTRv2 uses it)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.models.deformable import DeformableAttention
from vsdmot.models.positions import inverse_sigmoid, sine_embedding


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Image features of all levels, flattened level after level, row after row.

    Attributes:
        tokens: ``(B, S, D)``.
        sizes: ``(height, width)`` of each of the L levels; S is the sum of their products.
        padding_mask: ``(B, S)``, True where a cell is padding; None for images without padding.
        valid_ratios: ``(B, L, 2)``, share of width and height that is image; None without padding.
    """

    tokens: Tensor
    sizes: tuple[tuple[int, int], ...]
    padding_mask: Tensor | None = None
    valid_ratios: Tensor | None = None

    def coarsest(self) -> tuple[Tensor, Tensor | None]:
        """Give the tokens of the last level, ``(B, M, D)``, and where they are padding, ``(B, M)`` or None."""
        last = self.sizes[-1][0] * self.sizes[-1][1]
        return self.tokens[:, -last:], None if self.padding_mask is None else self.padding_mask[:, -last:]


@dataclass(frozen=True, eq=False)
class DecoderOutput:
    """Predictions of every decoder layer, the last one last.

    Attributes:
        logits: ``(layers, B, N)``, person or not.
        boxes: ``(layers, B, N, 4)``, ``cxcywh`` in [0, 1].
        embeddings: ``(B, N, D)``, output of the last layer.
    """

    logits: Tensor
    boxes: Tensor
    embeddings: Tensor


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """What every layer of encoder and decoder shares.

    Attributes:
        dim: Width D of tokens and queries.
        num_heads: Attention heads.
        num_levels: Feature maps that are read.
        num_points: Points that each head reads on each of them.
        feedforward_dim: Width of the feed-forward parts.
        dropout: Share of activations dropped in training.
    """

    dim: int
    num_heads: int
    num_levels: int
    num_points: int
    feedforward_dim: int
    dropout: float

    def image_attention(self) -> DeformableAttention:
        """Make the attention with which a layer of this size reads the feature maps."""
        return DeformableAttention(self.dim, self.num_heads, self.num_levels, self.num_points)


class Encoder(nn.Module):
    """Let every cell of every level read from cells around it on all levels."""

    def __init__(self, size: LayerSize, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(size) for _ in range(num_layers))

    def forward(self, maps: FeatureMaps, positions: Tensor) -> FeatureMaps:
        """Encode.

        Args:
            maps: Projected backbone features.
            positions: Position and level encodings, ``(B or 1, S, D)``.

        Returns:
            The memory: the same maps with encoded tokens.
        """
        references = cell_centres(maps)
        tokens = maps.tokens
        for layer in self.layers:
            tokens = layer(tokens, positions, references, maps)
        return FeatureMaps(tokens, maps.sizes, maps.padding_mask, maps.valid_ratios)


class EncoderLayer(nn.Module):
    """Deformable self-attention, then a feed-forward part, each followed by its norm."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.attention = size.image_attention()
        self.norm1 = nn.LayerNorm(size.dim)
        self.feedforward = FeedForward(size.dim, size.feedforward_dim, size.dropout)
        self.norm2 = nn.LayerNorm(size.dim)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, tokens: Tensor, positions: Tensor, references: Tensor, maps: FeatureMaps) -> Tensor:
        """Map tokens ``(B, S, D)`` to tokens of the same shape; ``references`` is ``(B, S, L, 2)``."""
        read = self.attention(tokens + positions, references, tokens, maps.sizes, maps.padding_mask)
        tokens = self.norm1(tokens + self.dropout(read))
        result: Tensor = self.norm2(tokens + self.feedforward(tokens))
        return result


class Decoder(nn.Module):
    """Turn queries into boxes: each layer moves the reference boxes and the next one starts from there.

    Every layer has a class head and a box head of its own.
    """

    def __init__(
        self, size: LayerSize, num_layers: int, *, trust_proposals: bool = False, overlap_bias: bool = False
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(size, overlap_bias=overlap_bias) for _ in range(num_layers))
        # All heads start alike, as in the published code, but for the first box head, which starts from small boxes: a
        # learned query has no useful anchor yet.
        class_head, box_head = _class_head(size.dim, 0.3 if trust_proposals else 0.01), BoxHead(size.dim)
        box_heads = [copy.deepcopy(box_head) for _ in range(num_layers)]
        if not trust_proposals:
            box_heads[0].start_small()
        self.class_heads = nn.ModuleList(copy.deepcopy(class_head) for _ in range(num_layers))
        self.box_heads = nn.ModuleList(box_heads)

    def forward(
        self, content: Tensor, anchors: Tensor, memory: FeatureMaps, attention_mask: Tensor | None = None
    ) -> DecoderOutput:
        """Decode.

        Args:
            content: Query content, ``(B, N, D)``.
            anchors: Reference boxes ``(B, N, 4)``, ``cxcywh``; values outside [0, 1] are clamped where needed.
            memory: Encoded image features.
            attention_mask: ``(N, N)``, True where row may not attend to column; None lets all attend to all.

        Returns:
            Predictions of all layers.
        """
        references, hidden = anchors, content
        logits, boxes = [], []
        for layer, class_head, box_head in zip(self.layers, self.class_heads, self.box_heads, strict=True):
            hidden = layer(hidden, references, memory, attention_mask)
            logits.append(class_head(hidden).squeeze(-1))
            boxes.append(torch.sigmoid(box_head(hidden) + inverse_sigmoid(references)))
            references = boxes[-1].detach()
        return DecoderOutput(torch.stack(logits), torch.stack(boxes), hidden)


class DecoderLayer(nn.Module):
    """Self-attention over all queries, deformable attention to the image, then a feed-forward part.

    Args:
        size: Widths and numbers.
        overlap_bias: Let self-attention see how much boxes overlap, see `OverlapBias`.
    """

    def __init__(self, size: LayerSize, *, overlap_bias: bool = False) -> None:
        super().__init__()
        self.overlap_bias = OverlapBias(size.num_heads) if overlap_bias else None
        self.self_attention = nn.MultiheadAttention(size.dim, size.num_heads, dropout=size.dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(size.dim)
        self.image_attention = size.image_attention()
        self.norm2 = nn.LayerNorm(size.dim)
        self.feedforward = FeedForward(size.dim, size.feedforward_dim, size.dropout)
        self.norm3 = nn.LayerNorm(size.dim)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, hidden: Tensor, references: Tensor, memory: FeatureMaps, attention_mask: Tensor | None) -> Tensor:
        """Map queries ``(B, N, D)`` to queries of the same shape; ``references`` is ``(B, N, 4)``."""
        positions = sine_embedding(references, hidden.shape[-1] // 4)
        located = hidden + positions
        if self.overlap_bias is not None:
            attention_mask = self.overlap_bias(references, attention_mask)
        mixed, _ = self.self_attention(located, located, hidden, attn_mask=attention_mask, need_weights=False)
        hidden = self.norm1(hidden + self.dropout(mixed))
        on_levels = references[:, :, None, :].expand(-1, -1, len(memory.sizes), -1)
        if memory.valid_ratios is not None:
            on_levels = on_levels * memory.valid_ratios.repeat(1, 1, 2)[:, None]
        read = self.image_attention(hidden + positions, on_levels, memory.tokens, memory.sizes, memory.padding_mask)
        hidden = self.norm2(hidden + self.dropout(read))
        result: Tensor = self.norm3(hidden + self.feedforward(hidden))
        return result


class OverlapBias(nn.Module):
    """Add to the self-attention of queries, head by head, a learned multiple of the IoU of their boxes.

    Whether a proposal is a person who is tracked already is decided between two queries at one place. Attention by
    content finds the other one only after long training; with the bias it starts there.

    Args:
        num_heads: Attention heads; the first starts without bias, the last with the strongest.
    """

    STRONGEST = 8.0
    """At the start: of two boxes, the one that coincides weighs ``e^8`` times as much as one far away."""

    def __init__(self, num_heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0, self.STRONGEST, num_heads))

    def forward(self, references: Tensor, mask: Tensor | None) -> Tensor:
        """Give the mask of attention ``(B * heads, N, N)``.

        Args:
            references: Boxes ``(B, N, 4)``, ``cxcywh``.
            mask: ``(N, N)``, True where row may not attend to column; None lets all attend to all.
        """
        bias = self.weight[:, None, None] * _pairwise_iou(references)[:, None]
        if mask is not None:
            bias = bias.masked_fill(mask, -torch.inf)
        return bias.flatten(0, 1)


def _pairwise_iou(boxes: Tensor) -> Tensor:
    """IoU of all boxes ``(B, N, 4)`` ``cxcywh`` with one another: ``(B, N, N)``."""
    low, high = boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2
    sides = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None])
    shared = sides.clamp(min=0).prod(dim=-1)
    areas = boxes[..., 2:].prod(dim=-1)
    return shared / (areas[:, :, None] + areas[:, None] - shared).clamp(min=1e-9)


class FeedForward(nn.Module):
    """Two linear layers with ReLU and dropout between, dropout behind."""

    def __init__(self, dim: int, width: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, width)
        self.linear2 = nn.Linear(width, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., D)`` to ``(..., D)``."""
        result: Tensor = self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x)))))
        return result


def _class_head(dim: int, probability: float) -> nn.Linear:
    """Make a class head that gives all queries this score at first."""
    head = nn.Linear(dim, 1)
    nn.init.constant_(head.bias, -math.log((1 - probability) / probability))
    return head


class BoxHead(nn.Module):
    """Three linear layers that say how far a box moves, in logits of ``cxcywh``; it starts by not moving it.

    Args:
        dim: Width D.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, 4)])
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def start_small(self) -> None:
        """Move width and height of every box down by two logits at first."""
        with torch.no_grad():
            self.layers[-1].get_parameter("bias")[2:] = -2.0

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., D)`` to ``(..., 4)``."""
        first, second, last = self.layers
        result: Tensor = last(F.relu(second(F.relu(first(x)))))
        return result


def cell_centres(maps: FeatureMaps) -> Tensor:
    """Give each cell's centre as the reference on every level.

    Returns:
        ``(B or 1, S, L, 2)``, x and y in [0, 1] of the padded map; B is 1 without padding.
    """
    device, dtype = maps.tokens.device, maps.tokens.dtype
    centres = []
    for level, (height, width) in enumerate(maps.sizes):
        y, x = torch.meshgrid(
            (torch.arange(height, device=device, dtype=dtype) + 0.5) / height,
            (torch.arange(width, device=device, dtype=dtype) + 0.5) / width,
            indexing="ij",
        )
        points = torch.stack([x, y], dim=-1).view(1, height * width, 2)
        if maps.valid_ratios is not None:
            points = points / maps.valid_ratios[:, level, None]
        centres.append(points)
    references = torch.cat(centres, dim=1)[:, :, None, :].expand(-1, -1, len(maps.sizes), -1)
    return references if maps.valid_ratios is None else references * maps.valid_ratios[:, None]
