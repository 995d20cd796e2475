"""Random numbers that depend on where in a run we are, and on nothing that came before.

Dropout and whatever else draws from the global generators gets its numbers from the seed, the epoch, the step and the
number of the batch. So a run that was killed and is gone on with draws the same numbers as one that was not, whatever
was drawn in between (a validation, say), no state of generators needs to be stored, and a batch sees the same dropout
whichever process works on it.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def seed_generators(*place: int | str) -> None:
    """Seed the generators of Python, NumPy and torch (on all devices) with what describes a place in a run.

    >>> seed_generators(42, "step", 3); first = torch.rand(1)
    >>> seed_generators(42, "step", 4); second = torch.rand(1)
    >>> seed_generators(42, "step", 3); bool(torch.rand(1) == first), bool(second == first)
    (True, False)
    """
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    seed = int.from_bytes(digest, "little") >> 1  # torch takes 63 bits everywhere
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (libraries draw from the global generator)
    torch.manual_seed(seed)
