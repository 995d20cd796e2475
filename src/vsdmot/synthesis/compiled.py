"""Loops that numba compiles when they are first called, and keeps on disk for the next time.

They let go of Python's lock, so frames can be drawn by several threads. Neither ``fastmath`` nor ``parallel`` is on:
both change the order of sums, and the same seed must give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays on its first call."""
    return cast(Callable[P, R], njit(nogil=True, cache=True)(function))
