"""What is added up from step to step for the next line of the log, over all processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vsdmot.training.loop.listener import TrainLine
from vsdmot.training.loop.processes import Processes
from vsdmot.training.task import StepLoss

_TOTAL = ("loss", "")
"""Key of the loss itself among those of its parts (``losses``) and the monitors."""


class StepSums:
    """Sums since the last line of the log.

    Losses stay on their device as they are added up, so that no step waits for them. A loss is divided by the divisor
    of the whole step, so the sum over the batches of a step is the loss of the step.

    Args:
        stored: What `collect` gave when the checkpoint was written that the run goes on from.
    """

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        stored = stored or {}
        self._losses: dict[str, float] = dict(stored.get("losses", {}))
        self._monitors: dict[str, list[float]] = {name: list(pair) for name, pair in stored.get("monitors", {}).items()}
        self._numbers: dict[str, float] = dict(stored.get("numbers", {}))
        self._loss = float(stored.get("loss", 0.0))
        self._fresh: dict[tuple[str, str], Tensor] = {}
        self._fresh_batches: dict[str, int] = {}

    def add_loss(self, loss: StepLoss) -> None:
        """Add the loss of a batch."""
        self._add(_TOTAL, loss.total)
        for name, part in loss.parts.items():
            self._add(("losses", name), part)
        for name, monitor in loss.monitors.items():
            self._add(("monitors", name), monitor)
            self._fresh_batches[name] = self._fresh_batches.get(name, 0) + 1

    def add_step(self, **numbers: float) -> None:
        """Add what a step measured: every number once a step, alike in all processes or of this one only."""
        for name, number in {"steps": 1.0, **numbers}.items():
            self._numbers[name] = self._numbers.get(name, 0.0) + number

    def collect(self, processes: Processes) -> dict[str, Any]:
        """Bring the losses and monitors of all processes into the first, and give all sums as plain values.

        All processes have to call it together.
        """
        keys = list(self._fresh)
        values = torch.stack([self._fresh[key] for key in keys]).tolist() if keys else []
        for others_keys, others_values, others_batches in processes.gather((keys, values, self._fresh_batches)):
            if not processes.first:
                break
            for (kind, name), value in zip(others_keys, others_values, strict=True):
                if kind == "loss":
                    self._loss += value
                elif kind == "losses":
                    self._losses[name] = self._losses.get(name, 0.0) + value
                else:
                    sums = self._monitors.setdefault(name, [0.0, 0.0])
                    sums[0] += value
                    sums[1] += others_batches[name]
        self._fresh, self._fresh_batches = {}, {}
        return {
            "loss": self._loss,
            "losses": dict(self._losses),
            "monitors": {name: list(pair) for name, pair in self._monitors.items()},
            "numbers": dict(self._numbers),
        }

    def not_finite(self) -> list[str]:
        """Name the losses of this process that are infinite or no number, since the last `collect`."""
        bad = [(kind, name) for (kind, name), value in self._fresh.items() if not bool(torch.isfinite(value))]
        return [name or "the total" for kind, name in bad if kind != "monitors"]

    def _add(self, key: tuple[str, str], value: Tensor) -> None:
        value = value.detach().float()
        self._fresh[key] = self._fresh[key] + value if key in self._fresh else value


def summarise(
    sums: Mapping[str, Any], *, step: int, epoch: float, lr: Mapping[str, float], seconds: float, memory_gb: float
) -> TrainLine:
    """Turn what `StepSums.collect` gave into a line of means."""
    numbers = sums["numbers"]
    steps = numbers["steps"]
    return TrainLine(
        step=step,
        epoch=epoch,
        loss=sums["loss"] / steps,
        losses={name: value / steps for name, value in sums["losses"].items()},
        monitors={name: value / count for name, (value, count) in sums["monitors"].items()},
        lr=lr,
        grad_norm=numbers["grad_norm"] / steps,
        batches_per_second=numbers["batches"] / max(numbers["seconds"], 1e-9),
        step_seconds=numbers["seconds"] / steps,
        data_seconds=numbers["waited"] / steps,
        seconds=seconds,
        memory_gb=memory_gb,
    )
