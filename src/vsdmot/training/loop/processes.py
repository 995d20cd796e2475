"""The processes that train together: one, or as many as ``torchrun`` has started, on one machine or many.

Start several with ``torchrun --nproc_per_node 8 -m vsdmot.cli.main train ...``; ``accelerate`` finds the devices and
connects them. ``accelerate launch --cpu --num_processes 2`` silently runs a single process: use ``torchrun`` there. And
``torchrun`` refuses words that begin several of its own flags, such as ``--run`` or ``--log``, even behind the command.
A single process needs neither.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from vsdmot.devices import resolve_device
from vsdmot.errors import TrainingError

T = TypeVar("T")

_PATIENCE = timedelta(hours=12)
"""How long processes wait for each other: the first validates alone, which may take hours."""


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: This process, from 0; the first writes files and speaks to people.
        world: How many there are.
        device: Where this one computes.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls, device: str | torch.device = "auto") -> Processes:
        """Meet the other processes; to be called once, by all of them.

        Args:
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``. With several processes each takes the GPU of its
                number on its machine.

        Raises:
            DeviceError: The device is not there.
            TrainingError: Several processes were started, but accelerate is not installed.
        """
        resolved = resolve_device(str(device))
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls(device=resolved)
        try:
            from accelerate import PartialState
        except ImportError:
            raise TrainingError(
                "training on several processes needs accelerate, which is not installed; pip install vsdmot[train]"
            ) from None
        state = PartialState(cpu=resolved.type == "cpu", timeout=_PATIENCE)
        return cls(rank=state.process_index, world=state.num_processes, device=state.device)

    @property
    def first(self) -> bool:
        """True in the process that writes files and speaks to people."""
        return self.rank == 0

    def total(self, values: Sequence[float]) -> list[float]:
        """Add up numbers over all processes, entry by entry."""
        if self.world == 1:
            return [float(value) for value in values]
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(sums)
        return [float(value) for value in sums.tolist()]

    def add(self, tensor: Tensor) -> Tensor:
        """Add up a tensor over all processes, in place."""
        if self.world > 1:
            distributed.all_reduce(tensor)
        return tensor

    def gather(self, item: T) -> list[T]:
        """Give every process what each of them has, in order of rank."""
        if self.world == 1:
            return [item]
        items: list[Any] = [None] * self.world
        distributed.all_gather_object(items, item)
        return items

    def share(self, item: T) -> T:
        """Give every process what the first one has."""
        if self.world == 1:
            return item
        items: list[Any] = [item]
        distributed.broadcast_object_list(items, src=0, device=self.device)
        shared: T = items[0]
        return shared

    def spread(self, tensor: Tensor) -> None:
        """Overwrite a tensor with that of the first process."""
        if self.world > 1:
            whole = tensor.contiguous()  # gloo sends nothing else
            distributed.broadcast(whole, src=0)
            tensor.copy_(whole)

    def leave(self) -> None:
        """Part from the others when all is done.

        After an error it is not called: the others may be waiting, and ``torchrun`` ends them.
        """
        if self.world > 1:
            from accelerate import PartialState

            distributed.barrier()
            PartialState().destroy_process_group()
            PartialState._reset_state()
