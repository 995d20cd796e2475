"""What the commands print: results to standard output, progress and warnings to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from vsdmot.io.sources import Source

_LOG_SECONDS = 10.0


def say(line: str) -> None:
    """Print a line of result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def warn(line: str) -> None:
    """Print a line that the user should see, but that stops nothing."""
    sys.stderr.write(f"note: {line}\n")


def warn_about_reading(source: Source, *further: str) -> None:
    """Print what went wrong while a source was read, and further remarks."""
    counted = [
        (source.report.num_broken, "broken and skipped"),
        (source.report.num_dropped, "missed, because they came faster than they could be used"),
    ]
    counts = [f"{count} frame{'s' if count > 1 else ''} {what}" for count, what in counted if count]
    for remark in (*source.report.notes, *counts, *further):
        warn(f"{source.info.location}: {remark}")


def show_files(paths: Sequence[Path]) -> None:
    """Print where files are, with their sizes."""
    for path in paths:
        if path.exists():
            say(f"  {path}  ({_size(path.stat().st_size)})")


class Progress:
    """Frames done, frames per second and time left.

    On a terminal a live bar; elsewhere (a log file, a batch system) a line every ten seconds.

    Args:
        what: What is being done.
        total: Number of frames; None when unknown.
        unit: What is counted.
    """

    def __init__(self, what: str, total: int | None, *, unit: str = "frame") -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done = 0
        self._started = self._last_line = time.monotonic()
        self._bar: RichProgress | None = None
        if sys.stderr.isatty():
            self._bar = _live_bar(unit)
            self._task = self._bar.add_task(what, total=total, rate=0.0)

    def advance(self) -> None:
        """Count one."""
        self._done += 1
        now = time.monotonic()
        rate = self._done / max(now - self._started, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, advance=1, rate=rate)
        elif now - self._last_line >= _LOG_SECONDS:
            self._last_line = now
            sys.stderr.write(progress_line(self._what, self._done, self._total, rate, self._unit) + "\n")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _live_bar(unit: str) -> RichProgress:
    from rich import progress  # a tenth of a second, which what is not watched need not pay
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn(f"{{task.fields[rate]:.1f}} {unit}s/s"),
        progress.TextColumn("elapsed"),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def progress_line(what: str, done: int, total: int | None, rate: float, unit: str = "frame") -> str:
    """Put progress into one line.

    >>> progress_line("tracking", 50, 200, 12.5)
    'tracking: frame 50 of 200, 12.5 frames/s, 0:12 left'
    >>> progress_line("tracking", 50, None, 12.5)
    'tracking: frame 50, 12.5 frames/s'
    """
    if total is None:
        return f"{what}: {unit} {done}, {rate:.1f} {unit}s/s"
    left = round(max(total - done, 0) / max(rate, 1e-9))
    clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}" if left >= 3600 else f"{left // 60}:{left % 60:02d}"
    return f"{what}: {unit} {done} of {total}, {rate:.1f} {unit}s/s, {clock} left"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
