"""The queries of a frame: learned, proposal and track queries, and denoising queries in training (MOTRv2).

Their order is fixed, because new tracks are numbered in it: learned, then proposals as given, then tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vsdmot.models.motion import Motion
from vsdmot.models.positions import sine_embedding


@dataclass(frozen=True, eq=False)
class Queries:
    """What the decoder starts from.

    Attributes:
        content: ``(B, N, D)``.
        anchors: ``(B, N, 4)``, ``cxcywh`` in [0, 1].
        motion: How the anchors move; None where nothing is known of any.
    """

    content: Tensor
    anchors: Tensor
    motion: Motion | None = None

    def __len__(self) -> int:
        return self.content.shape[1]

    @staticmethod
    def join(*groups: Queries) -> Queries:
        """Put groups of queries one after the other."""
        content, anchors = torch.cat([g.content for g in groups], dim=1), torch.cat([g.anchors for g in groups], dim=1)
        if all(group.motion is None for group in groups):
            return Queries(content, anchors)
        motion = Motion.join(*[group.motion or Motion.unknown(group.anchors) for group in groups])
        return Queries(content, anchors, motion)

    def take(self, index: Tensor) -> Queries:
        """Give some of the queries, by their numbers ``(K,)``."""
        motion = None if self.motion is None else self.motion.take(index)
        return Queries(self.content[:, index], self.anchors[:, index], motion)


class QuerySource(nn.Module):
    """Make the queries of a frame that no track owns yet.

    Args:
        dim: Width D.
        num_learned: Learned anchor queries; they catch people without a proposal.
        denoising: Hold the content vector of denoising queries, which training uses.
    """

    def __init__(self, dim: int, num_learned: int, denoising: bool) -> None:
        super().__init__()
        self.dim = dim
        self.learned_anchors = nn.Parameter(torch.rand(num_learned, 4))
        self.learned_content = nn.Parameter(torch.randn(num_learned, dim))
        self.proposal_content = nn.Parameter(torch.randn(1, dim))
        self.denoising_content = nn.Parameter(torch.randn(1, dim)) if denoising else None

    def forward(self, boxes: Tensor, scores: Tensor) -> Queries:
        """Make learned queries, then proposal queries.

        A proposal's content is one shared vector plus an encoding of its score.

        Args:
            boxes: Proposals ``(B, P, 4)``, ``cxcywh`` in [0, 1]; P may be 0.
            scores: ``(B, P)`` in [0, 1].

        Returns:
            ``num_learned + P`` queries.
        """
        B = boxes.shape[0]
        learned = Queries(self.learned_content.expand(B, -1, -1), self.learned_anchors.expand(B, -1, -1))
        content = self.proposal_content + sine_embedding(scores[..., None], self.dim)
        return Queries.join(learned, Queries(content, boxes))

    def denoise(self, boxes: Tensor) -> Queries:
        """Make denoising queries at jittered ground-truth boxes ``(B, G, 4)``, ``cxcywh`` (training only)."""
        assert self.denoising_content is not None, "made without denoising"
        return Queries(self.denoising_content.expand(boxes.shape[0], boxes.shape[1], -1), boxes)


def denoising_mask(num_queries: int, num_denoising: int, device: torch.device) -> Tensor:
    """Hide denoising queries, which know the answer, from all others; they themselves see everything.

    Returns:
        ``(N, N)`` with ``N = num_queries + num_denoising``, True where row may not attend to column.
    """
    total = num_queries + num_denoising
    mask = torch.zeros(total, total, dtype=torch.bool, device=device)
    mask[:num_queries, num_queries:] = True
    return mask
