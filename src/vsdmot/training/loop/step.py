"""One optimiser step: the gradients of all batches of all processes, clipped, and the weights moved once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch

from vsdmot.errors import TrainingError
from vsdmot.training.loop.gradients import add_up_gradients, average_batch_norms, clip, worst_gradient
from vsdmot.training.loop.optimiser import set_learning_rates
from vsdmot.training.loop.processes import Processes
from vsdmot.training.loop.randomness import seed_generators
from vsdmot.training.loop.schedule import Schedule
from vsdmot.training.loop.sums import StepSums
from vsdmot.training.task import Place, Task


@runtime_checkable
class AfterStep(Protocol):
    """What a `Task` may have besides: something to do after each optimiser step.

    A running mean of the weights, for example; it is stored with the checkpoints if it is part of the task's module.
    """

    def after_step(self) -> None:
        """Hear that the weights were moved."""
        ...


@runtime_checkable
class Watchful(Protocol):
    """What a `Task` may have besides: an eye on whether the training still makes sense."""

    def warnings(self) -> list[str]:
        """Say what looks wrong by now, a plain sentence each; asked whenever a line of the log is written."""
        ...


class OptimiserStep:
    """Moves the weights of a task.

    Args:
        task: What is trained.
        optimiser: Of its parameters; its learning rates are those at the start.
        schedule: What they are multiplied by, from the epoch.
        longest: To which length the gradient is shortened; None leaves it.
        seed: Of the dropout.
        processes: Who takes part.
    """

    def __init__(
        self,
        task: Task,
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        longest: float | None,
        seed: int,
        processes: Processes,
    ) -> None:
        self._task, self._optimiser, self._schedule = task, optimiser, schedule
        self._longest, self._seed, self._processes = longest, seed, processes
        self._starts = [float(group["lr"]) for group in optimiser.param_groups]
        self._parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]

    def take(self, place: Place, batches: Sequence[Any], divisor: float, sums: StepSums) -> float:
        """Move the weights once. All processes have to call it together, also one without batches.

        Args:
            place: Which step it is.
            batches: Of this process, one after the other, so that they need the memory of one.
            divisor: What all batches of all processes weigh together.
            sums: Where the losses are added.

        Returns:
            The length of the gradient before it was clipped.

        Raises:
            TrainingError: It is not finite; the weights are as they were.
        """
        module = self._task.module
        self._optimiser.zero_grad(set_to_none=True)
        for number, batch in enumerate(batches):
            seed_generators(self._seed, place.epoch, place.step, place.rank + number * place.world)
            loss = module(batch, divisor)
            loss.total.backward()
            sums.add_loss(loss)
        add_up_gradients(self._parameters, self._processes)
        average_batch_norms(module, self._processes, took_part=bool(batches))
        norm = clip(self._parameters, self._longest)
        if not math.isfinite(norm):
            raise TrainingError(self._blame(norm, sums))
        at = place.epoch + place.step / self._task.num_steps
        set_learning_rates(self._optimiser, self._starts, self._schedule, at)
        self._optimiser.step()
        if isinstance(self._task, AfterStep):
            self._task.after_step()
        return norm

    def _blame(self, norm: float, sums: StepSums) -> str:
        names = sorted({name for names in self._processes.gather(sums.not_finite()) for name in names})
        losses = f"losses not finite: {', '.join(names)}" if names else "all losses are finite"
        return (
            f"the length of the gradient is {norm}; worst is {worst_gradient(self._task.module)}; {losses}; "
            "train in a new folder with a lower learning rate, more warm-up or more precision"
        )
