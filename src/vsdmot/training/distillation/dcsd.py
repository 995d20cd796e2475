"""Dual-Constraint Semantic Distillation: the student learns from a frozen teacher (Sec. III-B, Fig. 3, Eq. 4-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.config import above, check, within
from vsdmot.training.distillation.collapse import FrameMemory


@dataclass(frozen=True, kw_only=True)
class DistillationConfig:
    """How the student is taught.

    Attributes:
        method: dcsd is Eq. 4-12; plain is the mean squared error to the aligned teacher alone (Table V, row 2).
        variant: literal is as printed: a trainable teacher projection and free loss weights, both of which can lower
            the loss without teaching anything; anchored fixes the projection, lets no gradient reach the teacher's
            side and keeps both weights above the floor.
        temperature: Of the attention of Eq. 8. Lowering it lets each query choose its own part of the teacher, raising
            it averages over all. none is 2.0 (Sec. III-B) for one teacher row, where it has no effect at all, and 0.1
            for patch tokens, among which 2.0 could not choose.
        floor: Least weight of each of the two losses, 0 to 0.5, when anchored. Raising it makes them more equal.
        seed: Of the fixed projection, when anchored.
    """

    method: Literal["dcsd", "plain"] = "dcsd"
    variant: Literal["literal", "anchored"] = "literal"
    temperature: float | None = None
    floor: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        check(self, temperature=above(0), floor=within(0, 0.5))


@dataclass(frozen=True, eq=False)
class DistillationLoss:
    """The loss of one frame.

    Attributes:
        total: Scalar with gradient, ``L_distill``.
        parts: Detached scalars ``distill_local`` and ``distill_global`` (Eq. 10, 11), before they are weighted.
        monitors: Detached scalars for `vsdmot.training.distillation.collapse.CollapseMonitor`; always the same names.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
    monitors: Mapping[str, Tensor] = field(default_factory=dict)


class Distiller(nn.Module):
    """Compare the student's features with the teacher's, Eq. 4-12.

    Paper note: the paper's teacher gives one row per frame (``T`` is 1 x 1024). Interpolated to n rows (Eq. 5), all
    rows are equal, so ``A T_align = T_align`` whatever the attention ``A`` (its rows sum to 1): Eq. 6-9 change neither
    the loss nor its gradient, the temperature has no effect, and Eq. 10 is ``MSE(S, T_align)``. The attention means
    something with a teacher that gives patch tokens, m > 1.

    Paper note: the teacher projection of Eq. 4 is trained by this loss alone, which is smallest when the projection
    gives what the student gives anyway: a constant. The softmax weights of Eq. 12 drift to the smaller of the two
    losses. ``literal`` does as printed, and the monitors tell; ``anchored`` closes both ways out: teacher rows are
    brought to unit variance and projected by a fixed orthogonal matrix, the teacher's side (attention included) passes
    no gradient on, and the weights are ``floor + (1 - 2 floor) softmax``. Anchored, queries attend to the m teacher
    rows themselves: interpolated to n < m rows as in Eq. 5, most patches would be lost.

    Args:
        dim: Width ``D`` of the student's features.
        teacher_width: Width of the teacher's.
        config: The method.
    """

    anchor: Tensor

    def __init__(self, dim: int, teacher_width: int, config: DistillationConfig | None = None) -> None:
        super().__init__()
        self.config = config or DistillationConfig()
        self.dim, self.teacher_width = dim, teacher_width
        self.anchored = self.config.variant == "anchored"
        if self.anchored:
            self.register_buffer("anchor", orthogonal(dim, teacher_width, self.config.seed))
        else:
            self.teacher_proj = nn.Linear(teacher_width, dim)
        if self.config.method == "dcsd":
            self.balance = nn.Parameter(torch.zeros(2))
        self.memory = FrameMemory()

    def forward(self, semantic: Tensor, teacher: Tensor) -> DistillationLoss:
        """Give the loss of one frame. Computed in float32, whatever the precision around it.

        Args:
            semantic: Student output ``S``, ``(1, N, D)``; a frame without queries (N = 0) has the loss 0.
            teacher: What the teacher says about the frame ``T``, ``(m, width)``.
        """
        if semantic.dim() != 3 or semantic.shape[0] != 1 or semantic.shape[2] != self.dim:
            raise ValueError(f"semantic must have the shape (1, N, {self.dim}), got {tuple(semantic.shape)}")
        if teacher.dim() != 2 or teacher.shape[0] == 0 or teacher.shape[1] != self.teacher_width:
            raise ValueError(f"teacher must have the shape (m, {self.teacher_width}), got {tuple(teacher.shape)}")
        with torch.autocast(semantic.device.type, enabled=False):
            student, teacher = semantic[0].float(), teacher.detach().float()
            if self.anchored:  # nothing trainable would bring a teacher of another scale to the student's
                teacher = F.layer_norm(teacher, (self.teacher_width,))
            local, overall = self._losses(student, teacher)
            total, weights = self._combine(local, overall)
            return DistillationLoss(
                total=total,
                parts={"distill_local": local.detach(), "distill_global": overall.detach()},
                monitors={**weights, **self._monitor(student, teacher)},
            )

    def project(self, teacher: Tensor) -> Tensor:
        """Bring teacher rows ``(m, width)`` to the student's width, ``T_proj`` ``(m, D)``, Eq. 4."""
        projected: Tensor = teacher @ self.anchor.T if self.anchored else self.teacher_proj(teacher)
        return projected

    def _losses(self, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Give Eq. 10 and Eq. 11; a frame without queries gives 0 and still reaches every parameter."""
        projected = self.project(teacher)
        if len(student) == 0:  # all processes of a run must see gradients for the same parameters
            nothing = student.sum() + 0 * projected.sum()
            return nothing, nothing
        if self.config.method == "plain":
            return F.mse_loss(student, align(projected, len(student))), student.new_zeros(())
        rows = projected if self.anchored else align(projected, len(student))
        temperature = self.config.temperature or (2.0 if len(teacher) == 1 else 0.1)
        weighted = attend(student, rows, temperature)
        if self.anchored:
            weighted = weighted.detach()  # otherwise the student lowers the loss by looking elsewhere
        return F.mse_loss(student, weighted), F.l1_loss(student.mean(0), rows.mean(0))

    def _combine(self, local: Tensor, overall: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Weigh the two losses, Eq. 12; gives the sum, and the weights for the log."""
        if self.config.method == "plain":
            return local, {}
        floor = self.config.floor if self.anchored else 0.0
        weights = floor + (1 - 2 * floor) * self.balance.float().softmax(0)
        total = weights[0] * local + weights[1] * overall
        return total, {"w_local": weights[0].detach(), "w_global": weights[1].detach()}

    @torch.no_grad()
    def _monitor(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """Compare this frame with those before it, as the present projection sees them."""
        self.memory.add(teacher.mean(0), student.mean(0) if len(student) else None)
        return self.memory.monitors(self.project)


def align(projected: Tensor, length: int) -> Tensor:
    """Interpolate a sequence linearly to ``length`` rows, Eq. 5.

    Paper note: "Interpolate" is PyTorch's linear mode with its default, ``align_corners=False``: row i looks at
    position ``(i + 0.5) m / n - 0.5``, held at both ends. One row is repeated.

    Args:
        projected: ``T_proj``, ``(m, D)``.
        length: n, at least 1.

    Returns:
        ``T_align``, ``(n, D)``.
    """
    return F.interpolate(projected.T[None], size=length, mode="linear")[0].T


def attend(student: Tensor, aligned: Tensor, temperature: float) -> Tensor:
    """Let each student row gather the teacher rows that resemble it, Eq. 6-9.

    Args:
        student: ``S``, ``(N, D)``.
        aligned: ``T_align``, ``(n, D)``.
        temperature: Of the softmax over the n teacher rows.

    Returns:
        ``T_weighted``, ``(N, D)``.
    """
    similarity = F.normalize(student, dim=-1) @ F.normalize(aligned, dim=-1).T
    return (similarity / temperature).softmax(-1) @ aligned


def orthogonal(dim: int, width: int, seed: int) -> Tensor:
    """Draw a matrix ``(dim, width)`` whose rows are orthonormal, or whose columns are where ``dim > width``."""
    matrix = torch.empty(dim, width)
    nn.init.orthogonal_(matrix, generator=torch.Generator().manual_seed(seed))
    return matrix
