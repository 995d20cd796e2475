"""The student: semantic features from the queries alone (Sec. III-A, Fig. 4, Eq. 1-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vsdmot.config import above, at_least, check, within


@dataclass(frozen=True, kw_only=True)
class StudentConfig:
    """Size of the student.

    The defaults have 726,528 parameters; with DSWR's two they make the difference between MOTRv2's 41.9 M and the
    paper's 42.6 M (Table VIII). The paper gives only the number of layers.

    Attributes:
        hidden_dim: Width inside the student. Raising it costs time with its square; lowering it narrows the semantics.
        num_layers: Transformer encoder layers (Sec. III-A: 3).
        num_heads: Attention heads; must divide hidden_dim.
        feedforward_dim: Width of the feed-forward parts.
        dropout: Share of activations dropped in training; raising it regularises, 0 is off.
        context: What it sees besides the queries: nothing (queries), as the paper draws it, or the coarsest map of the
            frame (image), so that its semantics can depend on the picture before a query has looked at it.
        taught: What distillation compares with the teacher: all that the student gives (output), as printed, or only
            what it adds to the query (addition), so that the teacher's rows, which all queries of a frame share, do
            not take the place of what tells one person from another.
    """

    hidden_dim: int = 128
    num_layers: int = 3
    num_heads: int = 4
    feedforward_dim: int = 512
    dropout: float = 0.0
    context: Literal["queries", "image"] = "queries"
    taught: Literal["output", "addition"] = "output"

    def __post_init__(self) -> None:
        check(
            self,
            hidden_dim=at_least(1),
            num_layers=at_least(1),
            num_heads=lambda heads: None if heads > 0 and self.hidden_dim % heads == 0 else "a divisor of hidden_dim",
            feedforward_dim=above(0),
            dropout=within(0, 0.9),
        )


@dataclass(frozen=True, eq=False)
class Semantics:
    """What the student says of the queries.

    Attributes:
        features: Semantic features ``X_out``, ``(B, N, D)``, for DSWR.
        taught: ``S``, ``(B, N, D)``, to compare with the teacher; the same unless ``taught="addition"``.
    """

    features: Tensor
    taught: Tensor


class Student(nn.Module):
    """Map query features to semantic features, learned from the teacher (DCSD).

    Paper note: "Residual" of Eq. 3 is not defined; here it is a linear layer that starts as the identity, which
    accounts for the paper's parameter count. What is added to it starts at zero, so that a new student gives back the
    query: the network starts as MOTRv2, and need not first unlearn noise that DSWR mixes in where the frame is poor.

    Paper note: the student sees no image, only queries, as the paper draws it. With ``context="image"`` the tokens of
    the frame's coarsest map stand beside the queries in its transformer; they are read and not given back.
    """

    def __init__(self, dim: int, config: StudentConfig) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            config.hidden_dim,
            config.num_heads,
            config.feedforward_dim,
            dropout=config.dropout,
            batch_first=True,
        )
        self.input_proj = nn.Linear(dim, config.hidden_dim)
        self.context_proj = nn.Linear(dim, config.hidden_dim) if config.context == "image" else None
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
        self.output_proj = nn.Linear(config.hidden_dim, dim)
        self.residual = nn.Linear(dim, dim)
        nn.init.eye_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)
        nn.init.zeros_(self.output_proj.weight)
        nn.init.zeros_(self.output_proj.bias)
        self.taught = config.taught

    def forward(self, queries: Tensor, context: Tensor | None = None, padding: Tensor | None = None) -> Semantics:
        """Extract semantics, Eq. 1-3.

        Args:
            queries: Query content ``X``, ``(B, N, D)``.
            context: Tokens of the frame, ``(B, M, D)``; read only by a student that was made for it.
            padding: ``(B, M)``, True where a token is padding; None for none.

        Returns:
            Semantic features ``X_out``, and what of them is taught.
        """
        tokens, hidden = self.input_proj(queries), None
        if self.context_proj is not None:
            assert context is not None, "a student with image context needs the frame's tokens"
            tokens = torch.cat([tokens, self.context_proj(context)], dim=1)
            if padding is not None:
                hidden = torch.cat([padding.new_zeros(queries.shape[:2]), padding], dim=1)
        encoded = self.encoder(tokens, src_key_padding_mask=hidden)[:, : queries.shape[1]]
        added: Tensor = self.output_proj(encoded)
        features: Tensor = added + self.residual(queries)
        return Semantics(features, added if self.taught == "addition" else features)
