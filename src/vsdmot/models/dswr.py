"""Dynamic Semantic Weight Regulation: semantics count more when the frame is poor (Sec. III-C, Eq. 13-14)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.config import check


@dataclass(frozen=True, kw_only=True)
class DSWRConfig:
    """The mapping from frame quality to semantic weight, ``sigmoid(W Q + b)``.

    The starting point gives a semantic weight of 0.80 to a useless frame (Q = 0), 0.5 at Q = 0.35 and 0.07 to a
    perfect one, so that a clean frame starts close to plain MOTRv2.

    Attributes:
        slope: Start of W. More negative makes the weight fall faster as quality rises.
        bias: Start of b. Raising it gives semantics more weight at every quality.
        sign: negative keeps W below 0 for ever, so that lower quality always means more semantic weight, which the
            paper demands in words; free lets training choose the sign, which is all that Eq. 13 says.
    """

    slope: float = -4.0
    bias: float = 1.4
    sign: Literal["negative", "free"] = "negative"

    def __post_init__(self) -> None:
        check(
            self,
            slope=lambda slope: "below 0 when sign is negative" if self.sign == "negative" and slope >= 0 else None,
        )


class DSWR(nn.Module):
    """Fuse semantic and query features; lower quality gives more semantic weight.

    Paper note: Eq. 13 leaves the sign of ``W`` free, so it does not by itself enforce "lower quality, higher semantic
    weight". Here ``W = -softplus(v)``, which does; ``sign="free"`` is the literal reading.
    """

    def __init__(self, config: DSWRConfig | None = None) -> None:
        super().__init__()
        config = config or DSWRConfig()
        self.negative = config.sign == "negative"
        # log(exp(x) - 1) undoes softplus
        start = math.log(math.expm1(-config.slope)) if self.negative else config.slope
        self.slope = nn.Parameter(torch.tensor(start))
        self.bias = nn.Parameter(torch.tensor(config.bias))

    def semantic_weight(self, quality: Tensor) -> Tensor:
        """Weigh semantics by frame quality, Eq. 13.

        Args:
            quality: ``Q`` in [0, 1], ``(B,)``; 0 is worst.

        Returns:
            ``w_semantic`` in (0, 1), ``(B,)``.
        """
        slope = -F.softplus(self.slope) if self.negative else self.slope
        return torch.sigmoid(slope * quality + self.bias)

    def forward(self, semantic: Tensor, query: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        """Blend the two feature sets, Eq. 14.

        Args:
            semantic: Student output ``F_semantic``, ``(B, N, D)``.
            query: Query content ``F_query``, ``(B, N, D)``.
            quality: Frame quality ``Q`` in [0, 1], ``(B,)``; 0 is worst.

        Returns:
            Fused features ``(B, N, D)`` and the semantic weight ``(B,)``.
        """
        weight = self.semantic_weight(quality)
        return blend(semantic, query, weight), weight


def blend(semantic: Tensor, query: Tensor, weight: Tensor) -> Tensor:
    """Mix ``(B, N, D)`` features, ``weight`` ``(B,)`` of the semantic ones and the rest of the query's, Eq. 14."""
    share = weight[:, None, None].to(semantic.dtype)
    return share * semantic + (1 - share) * query
