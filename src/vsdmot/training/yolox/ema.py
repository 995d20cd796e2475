"""Averaged weights: what is validated and exported, since they are better than those of any one step."""

from __future__ import annotations

import copy
import math
from typing import Self

import torch
from torch import Tensor, nn

from vsdmot.models.yolox.network import YOLOX


class AveragedYolox(nn.Module):
    """An exponential moving average of a network: all its floating-point state, running statistics included.

    After update ``t`` the old average keeps the share ``decay * (1 - exp(-t / ramp))``, so that the random weights of
    the beginning are soon forgotten. All of it is in ``state_dict``, so a run that is gone on with goes on averaging.

    Args:
        network: What is averaged; it is copied.
        decay: Share that the average keeps of itself in the long run.
        ramp: Updates until this share is nearly reached; 2000 in the published code.
    """

    num_updates: Tensor

    def __init__(self, network: YOLOX, *, decay: float = 0.9998, ramp: float = 2000.0) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay, self.ramp = decay, ramp
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, network: YOLOX) -> None:
        """Move the average towards the present weights; counters of batch normalisation are copied."""
        self.num_updates += 1
        share = 1 - decay_at(int(self.num_updates), self.decay, self.ramp)
        present = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(present[name].to(average.dtype), share)
            else:
                average.copy_(present[name])

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode: a forward pass must not change the running statistics of the average."""
        super().train(mode)
        self.network.eval()
        return self


def decay_at(update: int, decay: float, ramp: float) -> float:
    """Share that the average keeps of itself at an update, counted from 1.

    >>> [round(decay_at(update, 0.9998, 2000.0), 4) for update in (1, 2000, 20000)]
    [0.0005, 0.632, 0.9998]
    """
    return decay * (1 - math.exp(-update / ramp))
