"""Is distillation still teaching? Signs that its loss falls because it has emptied itself (see `dcsd`).

Spread is measured over frames, because a teacher that says the same of every frame teaches nothing: the root mean
square distance of rows from their mean, relative to their root mean square length, from 0 (all equal) to 1. One minus
its square is the mean cosine between frames, weighted by length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

_MEMORY_FRAMES = 64
"""Frames that are compared: a dozen clips, so that spread is over scenes and not only within one."""

_WINDOW = 50
"""Steps that are averaged before anything is said."""

_LEAST_KEPT_SPREAD = 0.2
"""Share of the teacher's spread. A projection as it is initialised keeps between 0.8 and 1.2 of it."""

_LEAST_TEACHER_SPREAD = 0.01
"""Below, frames are closer to each other than float16 features of them could be told apart with any confidence."""

_LEAST_SCALE = 0.15
"""Root mean square of projected features. The queries that semantics are mixed with are of size 1; from teacher rows of
size 1 a linear layer starts at 0.58, the fixed projection at 1."""

_LEAST_WEIGHT = 0.05
"""Of one of the two losses, which start at 0.5 each; the anchored variant keeps them at its floor of 0.1 or above."""

_LEAST_SHARE = 0.005
"""Of distillation in the whole loss (Eq. 15)."""


class FrameMemory:
    """The last frames: what the teacher said of them, and what the student.

    It is no part of a training state: a run that is gone on with fills it again within a dozen clips. Teacher rows are
    kept before they are projected, so that a projection that moves does not pass for one that tells frames apart.
    """

    def __init__(self, size: int = _MEMORY_FRAMES) -> None:
        self.teacher: deque[Tensor] = deque(maxlen=size)
        self.student: deque[Tensor] = deque(maxlen=size)

    def add(self, teacher: Tensor, student: Tensor | None) -> None:
        """Remember a frame: mean teacher row ``(width,)``, mean student row ``(D,)`` or None without queries."""
        self.teacher.append(teacher.detach())
        if student is not None:
            self.student.append(student.detach())

    @torch.no_grad()
    def monitors(self, project: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """Measure with the present projection, without waiting for the device.

        Args:
            project: Maps teacher rows ``(K, width)`` to ``(K, D)``.

        Returns:
            Scalars by name; spreads are 0 while there is one frame only.
        """
        teacher = torch.stack(tuple(self.teacher))
        projected = project(teacher)
        student = torch.stack(tuple(self.student)) if self.student else projected.new_zeros(1, 1)
        return {
            "teacher_spread": relative_spread(teacher),
            "projected_spread": relative_spread(projected),
            "projected_scale": projected.square().mean().sqrt(),
            "semantic_spread": relative_spread(student),
        }


def relative_spread(rows: Tensor) -> Tensor:
    """Say how far rows ``(K, D)`` differ, from 0 (all equal, or all zero) to 1; a scalar.

    >>> relative_spread(torch.tensor([[1.0, 0.0], [1.0, 0.0]])).item()
    0.0
    >>> round(relative_spread(torch.tensor([[1.0, 0.0], [0.0, 1.0]])).item(), 4)  # mean cosine 0.5
    0.7071
    """
    centred = (rows - rows.mean(0)).square().mean()
    return (centred / rows.square().mean().clamp_min(torch.finfo(rows.dtype).tiny)).sqrt()


class CollapseMonitor:
    """Watch the monitors of a run and say, in sentences, what has gone wrong.

    Monitors that are not there are not judged: ``plain`` distillation has no weights, and ``distill_share``, the part
    of distillation in the whole loss ``alpha L_distill / loss``, is known only to who adds the losses up.

    Args:
        settle_steps: Steps at the start that are not judged. Raising it avoids warnings about a student that has not
            begun to learn; lowering it tells sooner.
    """

    def __init__(self, settle_steps: int = 200) -> None:
        self.settle_steps = settle_steps
        self._steps = 0
        self._recent: dict[str, deque[Tensor]] = {}

    def update(self, monitors: Mapping[str, Tensor]) -> None:
        """Take the monitors of a step; does not wait for the device."""
        self._steps += 1
        for name, value in monitors.items():
            self._recent.setdefault(name, deque(maxlen=_WINDOW)).append(value.detach())

    def warnings(self) -> list[str]:
        """Judge the last steps; an empty list is good news, or too early to tell."""
        if self._steps < max(self.settle_steps, 1):
            return []
        means = {name: float(torch.stack(tuple(values)).float().mean()) for name, values in self._recent.items()}
        broken = sorted(name for name, value in means.items() if value != value or abs(value) == float("inf"))
        if broken:
            return [f"distillation is no longer finite ({', '.join(broken)}): lower the learning rate"]
        return [*_judge_features(means), *_judge_weights(means)]


def _judge_features(means: Mapping[str, float]) -> list[str]:
    """Judge the teacher, its projection and the student, in this order: each makes no sense without the one before."""
    spread = means.get("teacher_spread")
    if spread is None:
        return []
    if spread < _LEAST_TEACHER_SPREAD:
        return [
            f"the teacher says the same of every frame (spread {spread:.2g}, expected more than "
            f"{_LEAST_TEACHER_SPREAD:g}): it cannot teach; check its weights and the variety of the data"
        ]
    found = []
    scale = means.get("projected_scale", 1.0)
    if scale < _LEAST_SCALE:
        found.append(
            f"the projected teacher has nearly vanished (size {scale:.2g}, expected about 1): "
            "the student is taught to give zero; use the anchored variant"
        )
    projected = means.get("projected_spread", spread)
    if projected < _LEAST_KEPT_SPREAD * spread:
        found.append(
            f"the teacher projection has become constant: it keeps {projected / spread:.1%} of the teacher's spread "
            "over frames, so the loss falls without teaching; use the anchored variant"
        )
    semantic = means.get("semantic_spread", spread)
    if not found and semantic < _LEAST_KEPT_SPREAD * projected:
        found.append(
            f"the student says nearly the same of every frame (spread {semantic:.2g}; what it is taught has "
            f"{projected:.2g}): it learns the teacher's mean, not what tells frames apart"
        )
    return found


def _judge_weights(means: Mapping[str, float]) -> list[str]:
    found = []
    for name, ignored in (("w_local", "local loss (Eq. 10)"), ("w_global", "global loss (Eq. 11)")):
        weight = means.get(name, 0.5)
        if weight < _LEAST_WEIGHT:
            found.append(
                f"the loss weights have run away: the {ignored} counts {weight:.2g}, the other {1 - weight:.2g}; "
                "use the anchored variant"
            )
    share = means.get("distill_share", 1.0)
    if share < _LEAST_SHARE:
        found.append(f"distillation is {share:.2g} of the whole loss: it hardly moves the student any more")
    return found
