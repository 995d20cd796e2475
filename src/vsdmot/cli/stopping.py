"""Stopping between two frames instead of in the middle of one.

Python raises Ctrl-C wherever it happens to be, also inside a callback of a decoder or encoder, where the exception is
printed and lost and the program runs on. So while frames are worked on, a signal is only noted, and acted on before
the next frame; a second signal stops at once.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def until_stopped(items: Iterable[T]) -> Iterator[T]:
    """Pass items on until Ctrl-C or SIGTERM arrives; then raise `KeyboardInterrupt` between two of them."""
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield from items
        return
    requested = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal requested
        del number, frame
        if requested:
            raise KeyboardInterrupt
        requested = True
        sys.stderr.write("stopping after this frame; once more to stop at once\n")

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for item in items:
            yield item
            if requested:
                raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
