"""How many processor cores a command may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Give the cores that the system lets this process use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
