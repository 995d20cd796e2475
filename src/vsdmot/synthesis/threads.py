"""Do work in several threads, with results in order and a few at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

A = TypeVar("A")
R = TypeVar("R")

_AHEAD = 2
"""Results that wait for each thread: keeps it busy while they are used, and bounds the memory."""


def in_order(work: Callable[[A], R], items: Iterable[A], threads: int) -> Iterator[R]:
    """Give ``work(item)`` for every item, in their order.

    OpenCV's own threads are off meanwhile: frames side by side are faster than threads within a frame.

    Args:
        work: Called in any thread; it should let go of Python's lock, as compiled loops and OpenCV do.
        items: Taken as they are needed.
        threads: How many work at a time.
    """
    waiting: deque[Future[R]] = deque()
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        cv2.setNumThreads(before)
