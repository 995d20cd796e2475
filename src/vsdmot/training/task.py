"""What the training loop knows of what it trains: nothing but this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class StepLoss:
    """The loss of a batch.

    Attributes:
        total: Scalar with gradient.
        parts: Detached scalars by name, whose weighted sum it is; the log shows them.
        monitors: Detached scalars that are no part of it, such as the spread of the teacher's features.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
    monitors: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where in a run we are, and which of its processes this is.

    Attributes:
        epoch: From 0.
        step: Optimiser steps of this epoch that are done.
        rank: This process, from 0.
        world: Number of processes.
    """

    epoch: int = 0
    step: int = 0
    rank: int = 0
    world: int = 1


class Task(Protocol):
    """What is trained.

    The gradient of a step must not depend on how its batches are spread over processes: each process adds up what its
    batches weigh (`weight`), all processes add up their sums, and each batch's loss is divided by that total.
    """

    @property
    def module(self) -> nn.Module:
        """What holds the parameters; ``module(batch, divisor)`` gives a `StepLoss`, its sums divided by ``divisor``."""
        ...

    @property
    def num_steps(self) -> int:
        """Optimiser steps of an epoch."""
        ...

    def batches(self, place: Place) -> Iterable[Sequence[Any]]:
        """Give, for each optimiser step from ``place.step`` on, the batches of this process.

        What comes depends on the seed, the epoch, the step and the rank alone, so that a run that is gone on with sees
        the same. The processes together take the same batches whatever their number, if it divides the global batch.
        """
        ...

    def weight(self, batch: Any) -> float:
        """Say what a batch adds to the divisor."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the groups for the optimiser, each with its own ``lr`` at the start and ``weight_decay``."""
        ...

    def validate(self) -> Mapping[str, float]:
        """Measure on validation data with the present weights; higher is better for the first entry.

        By it the best checkpoint is chosen. May be empty.
        """
        ...

    def export(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write ``model.safetensors`` and ``config.json`` for inference.

        Raises:
            OutputError: The folder cannot be written.
        """
        ...
