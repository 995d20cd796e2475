"""Work on several processor cores: results in order, one line when something fails, nobody left behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self, TypeVar

import cv2

from vsdmot.errors import VsdmotError

J = TypeVar("J")
R = TypeVar("R")

_JOBS_AHEAD = 2
"""Jobs that wait for each worker: keeps it busy while results are used, and bounds the memory."""


class Workers:
    """Processes that run jobs; a context manager that can serve several sequences.

    With one worker, jobs run in this process. Each process uses one core: OpenCV's own threads are turned off, since
    frames side by side are faster than threads within a frame. Processes are started anew ("spawn"), so a script that
    uses more than one worker needs ``if __name__ == "__main__":`` around its work.
    """

    def __init__(self, count: int) -> None:
        """Prepare ``count`` workers; processes start with the first job.

        Raises:
            ValueError: The count is below 1.
        """
        if count < 1:
            raise ValueError(f"the number of workers must be at least 1, got {count}")
        self.count = count
        self._threads_before = cv2.getNumThreads()
        self._pool: ProcessPoolExecutor | None = None
        if count > 1:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_prepare_process)

    def map(self, work: Callable[[J], R], jobs: Iterable[J]) -> Iterator[R]:
        """Run ``work`` on every job; results come in the order of the jobs, which are taken as they are needed.

        Args:
            work: A function of a module, so that a process can find it.
            jobs: What it is given, one at a time.

        Raises:
            VsdmotError: A worker raised it, or was killed.
        """
        if self._pool is None:
            cv2.setNumThreads(1)
            try:
                yield from map(work, jobs)
            finally:
                cv2.setNumThreads(self._threads_before)
            return
        waiting: deque[Future[R]] = deque()
        try:
            for job in jobs:
                with _deaf_children(), _single_threaded_children():
                    waiting.append(self._pool.submit(work, job))
                if len(waiting) >= self.count * (1 + _JOBS_AHEAD):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise VsdmotError(
                "a worker process was killed, perhaps because memory ran out; run again with fewer --workers"
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the processes after the jobs they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that start meanwhile never hear Ctrl-C or SIGTERM: their parent lets jobs finish, then ends them.

    A process inherits what is blocked where it starts, so this holds from its first instruction on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Let the linear algebra of processes that start meanwhile use one thread; it asks the environment as it loads."""
    added = [name for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _prepare_process() -> None:
    """Make a new process a worker: one thread, and gone when its parent is."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where nothing can be blocked
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
