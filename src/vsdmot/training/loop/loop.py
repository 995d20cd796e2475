"""The training loop: on one process or many, in steps of a global batch, from checkpoint to checkpoint.

What a run does depends on its settings and its data alone. Batches are spread over processes, and taken one after the
other where there are more than processes; the gradient is the same. A run that is killed and resumed goes on as if
nothing had happened: bit for bit on a CPU; a GPU adds up in an order of its own unless torch is told otherwise.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch

from vsdmot.config import to_mapping
from vsdmot.errors import TrainingError
from vsdmot.training.loop.checkpoints import Progress
from vsdmot.training.loop.config import LoopConfig
from vsdmot.training.loop.listener import Listener
from vsdmot.training.loop.optimiser import OptimiserConfig, make_optimiser
from vsdmot.training.loop.processes import Processes
from vsdmot.training.loop.randomness import seed_generators
from vsdmot.training.loop.run_folder import BEST, CHECKPOINTS, RunFolder, agree_on_state
from vsdmot.training.loop.run_log import RunLog, peak_memory_gb
from vsdmot.training.loop.schedule import Schedule
from vsdmot.training.loop.settings_check import plain
from vsdmot.training.loop.step import OptimiserStep, Watchful
from vsdmot.training.loop.stopping import Stopping, noting_signals
from vsdmot.training.loop.sums import StepSums, summarise
from vsdmot.training.task import Place, Task

Stopped = Literal["finished", "signal", "time"]


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        stopped: ``finished``; or ``signal`` (Ctrl-C, SIGTERM) or ``time`` (``max_minutes``), then it can be resumed.
        progress: How far it is.
        run: Its folder, with ``best/``, ``last/``, ``checkpoints/`` and the log.
    """

    stopped: Stopped
    progress: Progress
    run: Path


def train(
    task: Task,
    config: LoopConfig,
    optimiser: OptimiserConfig,
    run: Path,
    *,
    schedule: Schedule,
    resume: bool,
    provenance: Mapping[str, Any],
    listener: Listener,
    processes: Processes | None = None,
) -> Outcome:
    """Train until the end, or until it is asked to stop.

    Batch ``j`` of process ``r`` draws its dropout as number ``r + j * world`` of the step, so a task that deals its
    batches out in turn gets the same with any number of processes. ``task.validate`` is called in the first process
    only, with the module in evaluation mode, and ``task.export`` in the first process only.

    Args:
        task: What is trained; its module is on the device on which it is to be trained.
        config: How long, and how often to store.
        optimiser: How weights are moved; the learning rates at the start are those of ``task.parameter_groups()``.
        run: Folder of the run; must be new, or that of the run to resume.
        schedule: Epochs done, with the fraction, to what the learning rates are multiplied by.
        resume: Go on from the newest checkpoint.
        provenance: From `vsdmot.training.loop.provenance.collect`; its ``settings`` and ``data`` must not change when
            resuming.
        listener: Is told how it goes, in the first process.
        processes: From `Processes.join`, where the caller had to know the device; None joins.

    Raises:
        TrainingError: The folder holds a run and ``resume`` is False; the settings are others than before; the gradient
            is not finite.
        CheckpointError: There is nothing whole to resume from.
        OutputError: The disk is full.
    """
    joined = processes or Processes.join(next(task.module.parameters()).device)
    stopping = Stopping(config.max_minutes)
    settings = {
        **provenance.get("settings", {}),
        "loop": to_mapping(config),
        "optimiser": to_mapping(optimiser),
        "data": provenance.get("data", {}),
    }
    moving = make_optimiser(task.module, task.parameter_groups(), optimiser)
    loop = _Loop(
        task=task,
        config=config,
        optimiser=moving,
        step=OptimiserStep(task, moving, schedule, config.clip_grad_norm, config.seed, joined),
        folder=RunFolder(run, config.keep_checkpoints, plain(settings), provenance),
        listener=listener,
        processes=joined,
        stopping=stopping,
    )
    with noting_signals(stopping, speak=joined.first):
        try:
            stopped = loop.run(resume=resume)
        finally:
            loop.close()
    if processes is None:
        joined.leave()
    return Outcome(stopped, loop.progress, run)


@dataclass(kw_only=True, eq=False)
class _Loop:
    """A run under way."""

    task: Task
    config: LoopConfig
    optimiser: torch.optim.Optimizer
    step: OptimiserStep
    folder: RunFolder
    listener: Listener
    processes: Processes
    stopping: Stopping

    progress: Progress = field(default_factory=Progress)
    sums: StepSums = field(default_factory=StepSums)
    log: RunLog | None = None
    began: float = field(default_factory=time.monotonic)
    stored_at: float = field(default_factory=time.monotonic)
    stored_steps: int = 0
    stored_place: Place | None = None
    warned: set[str] = field(default_factory=set)

    def run(self, *, resume: bool) -> Stopped:
        """Take up the run and train until the end or a request to stop."""
        self._take_up(resume)
        while self.progress.epoch < self.config.epochs:
            self.task.module.train()
            stopped = self._train_epoch()
            if stopped is not None:
                self._store()
                return stopped
            self._finish_epoch()
        return "finished"

    def close(self) -> None:
        """Close the log."""
        if self.log is not None:
            self.log.close()

    def _take_up(self, resume: bool) -> None:
        """Begin the run, or go on from the newest checkpoint; all processes are then in the same state."""
        task, processes = self.task, self.processes
        _expect_alike(task, processes)
        if processes.first and resume:
            self.progress = self.folder.resume(task.module, self.optimiser, self.listener.noted)
            self.sums = StepSums(self.progress.sums)
        elif processes.first:
            self.progress = self.folder.begin()
        self.progress = agree_on_state(task.module, self.optimiser, self.progress, processes)
        self.began -= self.progress.seconds
        if self.progress.step > task.num_steps:
            raise TrainingError(
                f"{self.folder.path}: its checkpoint is at step {self.progress.step} of an epoch, which now has only "
                f"{task.num_steps}; expected the data and the global batch it was begun with"
            )
        if processes.first:
            self.log = RunLog(self.folder.path, self.progress, self.listener.noted)
            self.listener.started(
                epochs=self.config.epochs, steps_per_epoch=task.num_steps, total_steps=self.progress.total_steps
            )
        if resume:
            self.stored_place, self.stored_steps = self._place(), self.progress.total_steps
        else:
            self._store()  # before the first step, so that a disk that is full or locked shows at once

    def _train_epoch(self) -> Stopped | None:
        """Do the steps of the epoch that are left.

        Returns:
            None at its end, else why to stop.
        """
        progress, num_steps, processes = self.progress, self.task.num_steps, self.processes
        seed_generators(self.config.seed, progress.epoch, "data")
        batches: Iterator[Sequence[Any]] = iter(())
        if progress.step < num_steps:
            batches = iter(self.task.batches(self._place()))
        while True:
            began = time.monotonic()
            fetched = self._fetch(batches) if self.progress.step < num_steps else ()
            waited = time.monotonic() - began
            missing = fetched is None and not self.stopping.signalled
            weights = [self.task.weight(batch) for batch in fetched or ()]
            wishes = (self.stopping.signalled, self.stopping.out_of_time, self._checkpoint_is_due(), missing)
            # What one of the processes wants to do, all do, before the same step.
            weight, count, signalled, late, due, missing_anywhere = processes.total(
                [math.fsum(weights), len(weights), *map(float, wishes)]
            )
            if signalled or late:
                return "signal" if signalled else "time"
            if missing_anywhere:
                raise TrainingError(
                    f"epoch {progress.epoch + 1}: the data ended after {self.progress.step} of {num_steps} steps in "
                    f"{missing_anywhere:.0f} of {processes.world} processes; expected a batch list for every step"
                )
            if self.progress.step == num_steps:
                return None
            if due:
                self._store()
            norm = self._step(fetched or (), max(weight, 1.0))
            self.sums.add_step(grad_norm=norm, batches=count, waited=waited, seconds=time.monotonic() - began)
            self._advance()

    def _fetch(self, batches: Iterator[Sequence[Any]]) -> Sequence[Any] | None:
        """Give the batches of this process for the next step; None if there are none because the data ended."""
        if self.stopping.signalled:
            return ()
        try:
            return next(batches, None)
        except RuntimeError:  # as torch's loader says that a worker was ended
            if self.stopping.explains_failure():
                return ()
            raise

    def _step(self, batches: Sequence[Any], divisor: float) -> float:
        """Move the weights once; gives the length of the gradient."""
        try:
            return self.step.take(self._place(), batches, divisor, self.sums)
        except TrainingError as error:
            raise TrainingError(
                f"step {self.progress.total_steps + 1} (epoch {self.progress.epoch + 1}): {error}. The last good state "
                f"is step {self.stored_steps} in {self.folder.path / CHECKPOINTS}"
            ) from None

    def _advance(self) -> None:
        """Count a step, and tell of it."""
        self.progress = replace(self.progress, step=self.progress.step + 1, total_steps=self.progress.total_steps + 1)
        at_end = self.progress.step == self.task.num_steps and self.progress.epoch + 1 == self.config.epochs
        if self.progress.total_steps % self.config.log_every == 0 or at_end:
            self._write_line()
        if self.processes.first:
            self.listener.stepped(epoch=self.progress.epoch, step=self.progress.step)

    def _finish_epoch(self) -> None:
        """Validate if it is time, keep the best, and store."""
        config, task, epoch = self.config, self.task, self.progress.epoch
        if (epoch + 1) % config.validate_every == 0 or epoch + 1 == config.epochs:
            self._store()  # a validation may be long
            seed_generators(config.seed, epoch, "validation")
            task.module.eval()
            scores: dict[str, float] = {}
            if self.processes.first:
                self.listener.validating(epoch=epoch)
                scores = {name: float(value) for name, value in task.validate().items()}
            scores = self.processes.share(scores)
            self._keep_if_best(scores)
        self.progress = replace(self.progress, epoch=epoch + 1, step=0)
        self._store()

    def _keep_if_best(self, scores: Mapping[str, float]) -> None:
        if not scores:
            return
        score = next(iter(scores.values()))
        before = -math.inf if self.progress.best is None else next(iter(self.progress.best.values()))
        best = score > before  # False for what is no number, and for an equal one that came later
        self._note_time()
        if self.log is not None:
            self.log.validation(self.progress, scores, best)
            self.listener.validated(epoch=self.progress.epoch, scores=scores, best=best)
        if best:
            self.progress = replace(self.progress, best=dict(scores))
            if self.processes.first:
                done = replace(self.progress, epoch=self.progress.epoch + 1, step=0)
                self.folder.export(BEST, done, self.task, scores)

    def _store(self) -> None:
        """Write a checkpoint of where the run is, unless that was the last thing done."""
        if self.stored_place == self._place():
            return
        self.progress = replace(self.progress, sums=self.sums.collect(self.processes))
        self._note_time()
        if self.log is not None:
            self.log.force_to_disk()
            self.folder.store(self.progress, self.task, self.optimiser)
        self.stored_place, self.stored_steps = self._place(), self.progress.total_steps
        self.stored_at = time.monotonic()

    def _write_line(self) -> None:
        sums = self.sums.collect(self.processes)
        self.sums = StepSums()
        self._note_time()
        if self.log is None:
            return
        line = summarise(
            sums,
            step=self.progress.total_steps,
            epoch=self.progress.epoch + self.progress.step / self.task.num_steps,
            lr={group["name"]: group["lr"] for group in self.optimiser.param_groups},
            seconds=self.progress.seconds,
            memory_gb=peak_memory_gb(self.processes.device),
        )
        self.log.train(line)
        self.listener.logged(line)
        for warning in self.task.warnings() if isinstance(self.task, Watchful) else ():
            kind = re.split(r"\d", warning)[0]  # the numbers in it change from line to line
            if kind not in self.warned:
                self.warned.add(kind)
                self.log.warning(self.progress, warning)
                self.listener.noted(warning)

    def _checkpoint_is_due(self) -> bool:
        every, minutes = self.config.checkpoint_every_steps, self.config.checkpoint_every_minutes
        by_steps = every is not None and self.progress.total_steps - self.stored_steps >= every
        return by_steps or (minutes is not None and time.monotonic() - self.stored_at >= 60 * minutes)

    def _place(self) -> Place:
        return Place(self.progress.epoch, self.progress.step, self.processes.rank, self.processes.world)

    def _note_time(self) -> None:
        self.progress = replace(self.progress, seconds=time.monotonic() - self.began)


def _expect_alike(task: Task, processes: Processes) -> None:
    """Compare what the processes are about to train, since otherwise they would wait for each other for ever."""
    mine = (task.num_steps, sum(parameter.numel() for parameter in task.module.parameters()))
    if len(set(processes.gather(mine))) > 1:
        each = "; ".join(f"{steps} steps, {size:,} weights" for steps, size in processes.gather(mine))
        raise TrainingError(
            f"the processes train different things ({each}); expected the same data and settings in all"
        )
