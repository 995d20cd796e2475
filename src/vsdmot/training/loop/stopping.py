"""Stopping between two optimiser steps: Ctrl-C, SIGTERM (a batch system takes the machine back), time that is up.

A signal is only noted. The loop asks before each step, all processes agree, and a checkpoint is written. A second
Ctrl-C stops at once; then what was done since the last checkpoint is lost.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_GRACE_SECONDS = 1.0


class Stopping:
    """Knows whether this process was asked to stop.

    Args:
        max_minutes: For how long to train, from now; None without end.
    """

    def __init__(self, max_minutes: float | None = None) -> None:
        self._end = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self.signalled = False

    @property
    def out_of_time(self) -> bool:
        """True when the minutes are over."""
        return self._end is not None and time.monotonic() >= self._end

    def explains_failure(self) -> bool:
        """Say whether data that could not be had is only the consequence of a request to stop.

        A signal to all processes of a job also ends those that load its data, and their end may be noticed first.
        """
        if not self.signalled:
            time.sleep(_GRACE_SECONDS)
        return self.signalled


@contextmanager
def noting_signals(stopping: Stopping, *, speak: bool) -> Iterator[None]:
    """Note SIGINT and SIGTERM instead of acting on them; in threads other than the main one they do not arrive.

    Args:
        stopping: Where they are noted.
        speak: Whether to say so to the user.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        if os.getpid() != process:  # a process that loads data has this handler too; it ends when training does
            return
        if stopping.signalled and number == signal.SIGINT:
            raise KeyboardInterrupt
        if speak and not stopping.signalled:  # not through sys.stderr, which may be in the middle of a line
            os.write(2, b"\nstopping after this step with a checkpoint; Ctrl-C once more to stop at once\n")
        stopping.signalled = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
