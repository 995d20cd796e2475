"""What people see of a training: where it is, how long it will take, and the losses by name."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vsdmot.cli.console import say, warn
from vsdmot.training.loop.listener import TrainLine

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_LOG_SECONDS = 10.0
_MOST_LOSSES = 8


class TrainProgress:
    """A `vsdmot.training.loop.listener.Listener` that shows the training; a context manager.

    On a terminal a live bar with the losses below; elsewhere (a log file, a batch system) a line every ten seconds.
    Validations are results and go to standard output.
    """

    def __init__(self) -> None:
        self._epochs = self._steps = self._done = 0
        self._spent, self._timed = 0.0, 0
        self._since: float | None = None
        self._last_line = time.monotonic()
        self._line: TrainLine | None = None
        self._bar: RichProgress | None = None

    def started(self, *, epochs: int, steps_per_epoch: int, total_steps: int) -> None:
        """Hear that it begins, or goes on after ``total_steps`` optimiser steps."""
        self._epochs, self._steps, self._done = epochs, steps_per_epoch, total_steps
        self._since = time.monotonic()
        if total_steps:
            self._tell(f"resumed after {total_steps:,} of {epochs * steps_per_epoch:,} steps")
        if self._bar is not None:
            self._task = self._bar.add_task(
                "", total=epochs * steps_per_epoch, completed=total_steps, losses="", left=""
            )

    def stepped(self, *, epoch: int, step: int) -> None:
        """Hear that ``step`` optimiser steps of an epoch (from 0) are done."""
        now = time.monotonic()
        if self._since is not None:  # validations are not steps, and would spoil the time that is left
            self._spent += now - self._since
            self._timed += 1
        self._since = now
        self._done = epoch * self._steps + step
        left = (self._epochs * self._steps - self._done) * self._spent / max(self._timed, 1)
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=self._done,
                description=f"epoch {epoch + 1} of {self._epochs}",
                left=clock(left),
                losses=losses_text(self._line),
            )
        elif now - self._last_line >= _LOG_SECONDS:
            self._last_line = now
            where = f"epoch {epoch + 1} of {self._epochs}, step {step:,} of {self._steps:,}"
            sys.stderr.write(progress_line(where, left, self._line) + "\n")

    def logged(self, line: TrainLine) -> None:
        """Hear what was written to the log."""
        self._line = line

    def validating(self, *, epoch: int) -> None:
        """Hear that a validation begins, after an epoch (from 0)."""
        self._since = None
        if self._bar is not None:
            self._bar.update(self._task, description=f"validating epoch {epoch + 1}")

    def validated(self, *, epoch: int, scores: Mapping[str, float], best: bool) -> None:
        """Hear what it gave, and whether it is the best so far."""
        text = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        line = f"epoch {epoch + 1}: {text}" + ("  (best so far)" if best else "")
        if self._bar is not None and sys.stdout.isatty():
            self._bar.console.print(line, highlight=False, markup=False)  # above the bar, where say would cut through
        else:
            say(line)

    def noted(self, text: str) -> None:
        """Hear something that the user should know, but that stops nothing."""
        self._tell(text)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _live_bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _tell(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(f"note: {text}", highlight=False, markup=False)
        else:
            warn(text)


def progress_line(where: str, left: float, line: TrainLine | None) -> str:
    """Put a training into one line.

    >>> line = TrainLine(step=40, epoch=1.4, loss=4.6182, losses={"class": 1.2, "giou": 0.41}, batches_per_second=3.12)
    >>> progress_line("epoch 2 of 5, step 40 of 100", 3723.0, line)
    'training: epoch 2 of 5, step 40 of 100, 3.1 batches/s, 1:02:03 left; loss 4.618 (class 1.2, giou 0.41)'
    """
    rate = f", {line.batches_per_second:.1f} batches/s" if line else ""
    losses = f"; {losses_text(line)}" if line else ""
    return f"training: {where}{rate}, {clock(left)} left{losses}"


def losses_text(line: TrainLine | None) -> str:
    """Write the loss and its parts by name; the first few where there are many.

    >>> losses_text(TrainLine(step=1, epoch=0.1, loss=2.0, losses={f"frame {t}": 0.5 for t in range(10)}))[-33:]
    'frame 6 0.5, frame 7 0.5, 2 more)'
    """
    if line is None:
        return ""
    parts = [f"{name} {value:.4g}" for name, value in line.losses.items()]
    if len(parts) > _MOST_LOSSES:
        parts = [*parts[:_MOST_LOSSES], f"{len(parts) - _MOST_LOSSES} more"]
    return f"loss {line.loss:.4g}" + (f" ({', '.join(parts)})" if parts else "")


def clock(seconds: float) -> str:
    """Write a length of time.

    >>> clock(59.7), clock(3600), clock(90061)
    ('1:00', '1:00:00', '25:01:01')
    """
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _live_bar() -> RichProgress:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=24),
        progress.MofNCompleteColumn(),
        progress.TextColumn("steps, {task.fields[left]} left"),
        progress.TextColumn("{task.fields[losses]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the results of validations may go into a file
    )
