"""Who is told how a training goes: a protocol, so that the loop knows no terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class TrainLine:
    """A line of the log: means over the optimiser steps since the line before.

    Attributes:
        step: Optimiser steps that are done, since the start of the run.
        epoch: Epochs that are done, with the fraction.
        loss: What is minimised, over the whole global batch.
        losses: Its parts by name, before they are weighted.
        monitors: What was watched besides, by name; means over batches.
        lr: Learning rate by group, of the last step.
        grad_norm: Length of the gradient before it was clipped.
        batches_per_second: Of all processes together.
        step_seconds: How long a step took.
        data_seconds: How much of that the first process waited for its data.
        seconds: How long the run has taken so far, over all sessions.
        memory_gb: Most memory in use so far in the first process: of the GPU where there is one.
    """

    step: int
    epoch: float
    loss: float
    losses: Mapping[str, float] = field(default_factory=dict)
    monitors: Mapping[str, float] = field(default_factory=dict)
    lr: Mapping[str, float] = field(default_factory=dict)
    grad_norm: float = 0.0
    batches_per_second: float = 0.0
    step_seconds: float = 0.0
    data_seconds: float = 0.0
    seconds: float = 0.0
    memory_gb: float = 0.0


class Listener(Protocol):
    """Is told in the first process only."""

    def started(self, *, epochs: int, steps_per_epoch: int, total_steps: int) -> None:
        """Hear that it begins, or goes on after ``total_steps`` optimiser steps."""
        ...

    def stepped(self, *, epoch: int, step: int) -> None:
        """Hear that ``step`` optimiser steps of an epoch (from 0) are done."""
        ...

    def logged(self, line: TrainLine) -> None:
        """Hear what was written to the log."""
        ...

    def validating(self, *, epoch: int) -> None:
        """Hear that a validation begins, after an epoch (from 0)."""
        ...

    def validated(self, *, epoch: int, scores: Mapping[str, float], best: bool) -> None:
        """Hear what it gave, and whether it is the best so far."""
        ...

    def noted(self, text: str) -> None:
        """Hear something that the user should know, but that stops nothing."""
        ...


class Silent:
    """A listener that tells nobody."""

    def started(self, *, epochs: int, steps_per_epoch: int, total_steps: int) -> None:
        """Do nothing."""

    def stepped(self, *, epoch: int, step: int) -> None:
        """Do nothing."""

    def logged(self, line: TrainLine) -> None:
        """Do nothing."""

    def validating(self, *, epoch: int) -> None:
        """Do nothing."""

    def validated(self, *, epoch: int, scores: Mapping[str, float], best: bool) -> None:
        """Do nothing."""

    def noted(self, text: str) -> None:
        """Do nothing."""
