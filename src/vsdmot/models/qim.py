"""Query interaction module, version 2 (MOTRv2): how a track's query changes from frame to frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.models.motion import Motion, move_on
from vsdmot.models.positions import sine_embedding
from vsdmot.models.queries import Queries


class QueryInteraction(nn.Module):
    """Let the tracks of a frame look at each other, then update the queries of those that were seen.

    A track that was not seen keeps its old content and its old anchor: the memory of its last good frame. With motion
    the anchor goes on.

    Args:
        dim: Width D.
        num_heads: Attention heads.
        feedforward_dim: Width of the feed-forward parts.
        dropout: Share of activations dropped in training.
        motion_gain: Share of the newest sighting in a track's velocity, which moves its anchor on, see
            `vsdmot.models.motion`; 0 leaves the anchor where the person was seen.
    """

    def __init__(
        self, dim: int, num_heads: int, feedforward_dim: int, dropout: float, motion_gain: float = 0.0
    ) -> None:
        super().__init__()
        self.motion_gain = motion_gain
        self.attention = nn.MultiheadAttention(dim, num_heads, dropout=dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, feedforward_dim)
        self.linear2 = nn.Linear(feedforward_dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.content_linear1 = nn.Linear(dim, feedforward_dim)
        self.content_linear2 = nn.Linear(feedforward_dim, dim)
        self.content_norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tracks: Queries, embeddings: Tensor, boxes: Tensor, seen: Tensor) -> Queries:
        """Update track queries.

        Args:
            tracks: Queries of the K tracks that are kept, as they entered the frame (content before fusion).
            embeddings: Their decoder outputs ``(B, K, D)``.
            boxes: Their predicted boxes ``(B, K, 4)``, ``cxcywh`` in [0, 1].
            seen: ``(B, K)``, True where the track's score says that the person is there.

        Returns:
            Their queries for the next frame.
        """
        anchors = torch.where(seen[..., None], boxes.detach(), tracks.anchors)
        located = embeddings + sine_embedding(anchors, embeddings.shape[-1] // 4)
        mixed, _ = self.attention(located, located, embeddings, need_weights=False)
        x = self.norm1(embeddings + self.dropout(mixed))
        x = self.norm2(x + self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x))))))
        change = self.content_linear2(self.dropout(F.relu(self.content_linear1(x))))
        content = self.content_norm(tracks.content + self.dropout(change))
        content = torch.where(seen[..., None], content, tracks.content)
        if not self.motion_gain:
            return Queries(content, anchors)
        motion = tracks.motion or Motion.unknown(tracks.anchors)
        return Queries(content, *move_on(motion, tracks.anchors, anchors, seen, self.motion_gain))
