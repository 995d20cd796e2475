"""Draw the clips of an epoch in worker processes, ahead of the step that needs them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from vsdmot.errors import ConfigError, VsdmotError
from vsdmot.training.clips.clip import Clip
from vsdmot.training.clips.data import ClipDataset
from vsdmot.training.clips.drawn_clip import DrawnClip
from vsdmot.training.clips.sampling import steps_of
from vsdmot.training.task import Place

T = TypeVar("T")


def make_loader(
    dataset: ClipDataset,
    place: Place,
    *,
    global_batch: int = 8,
    workers: int = 2,
    prefetch: int = 2,
    pin: bool | None = None,
) -> ClipLoader:
    """Load the clips of this process from a place to the end of its epoch.

    Args:
        dataset: The clips.
        place: Epoch, step to begin with, and which process this is.
        global_batch: Clips of an optimiser step over all processes; a multiple of their number.
        workers: Processes that draw clips; 0 draws in this one. docs/benchmarks.md says what one of them gives.
        prefetch: Clips that each worker has ready. A clip of five frames of 1422x800 takes 17 MB of shared memory,
            of which a container may have little (docker run --shm-size).
        pin: Deliver in page-locked memory; None does so where there is CUDA.

    Raises:
        ConfigError: The processes cannot share a batch evenly, an epoch has less than a batch, or memory is to be
            pinned and there is no CUDA.
    """
    steps = list(steps_of(place, len(dataset), global_batch))
    if pin and not torch.cuda.is_available():
        raise ConfigError("pin: page-locked memory needs CUDA, which is not there")
    pin = torch.cuda.is_available() if pin is None else pin
    return ClipLoader(dataset, place.epoch, steps, workers=workers, prefetch=prefetch, pin=pin)


class ClipLoader:
    """For each optimiser step, the clips of this process.

    Attributes:
        skipped: Why clips were replaced by others so far, a line each (with ``skip_damaged`` only).
    """

    def __init__(
        self, dataset: ClipDataset, epoch: int, steps: list[range], *, workers: int, prefetch: int, pin: bool
    ) -> None:
        self.skipped: list[str] = []
        self._dataset, self._epoch, self._steps = dataset, epoch, steps
        self._workers, self._prefetch, self._pin = workers, prefetch, pin

    def __len__(self) -> int:
        """Steps from the first to the end of the epoch."""
        return len(self._steps)

    def __iter__(self) -> Iterator[list[Clip]]:
        """Load from the first step on.

        Raises:
            SourceError: An image cannot be read; the message names it.
        """
        places = [(self._epoch, slot) for step in self._steps for slot in step]
        deliveries = iter(
            DataLoader(
                _Deliveries(self._dataset),
                batch_size=None,  # clip by clip, so that all workers share the clips of a step
                sampler=places,
                num_workers=self._workers,
                prefetch_factor=self._prefetch if self._workers else None,
                collate_fn=_as_it_is,
                pin_memory=self._pin,
                worker_init_fn=_start_worker,
                generator=torch.Generator(),  # without one, it would draw from that which dropout uses
            )
        )
        try:
            for step in self._steps:
                yield [self._unpack(next(deliveries)) for _ in step]
        finally:
            del deliveries  # ends the workers now; the traceback of an error would keep them alive

    def _unpack(self, delivery: _Delivery) -> Clip:
        if delivery.error is not None:
            raise delivery.error
        self.skipped += delivery.skipped
        assert delivery.drawn is not None or delivery.clip is not None
        return delivery.clip if delivery.drawn is None else delivery.drawn.finish()  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class _Delivery:
    """A drawn clip, or why there is none: raised in a worker, an error would arrive as a page of tracebacks."""

    drawn: DrawnClip | None = None
    clip: Clip | None = None
    error: VsdmotError | None = None
    skipped: tuple[str, ...] = ()

    def pin_memory(self) -> _Delivery:
        """Finish the clip in page-locked memory; the loader's own thread calls this, beside the training step."""
        if self.drawn is None:
            return self
        return dataclasses.replace(self, drawn=None, clip=self.drawn.finish(pin=True))


class _Deliveries(Dataset[_Delivery]):
    def __init__(self, dataset: ClipDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, place: tuple[int, int]) -> _Delivery:
        try:
            drawn = self._dataset.draw(*place)
        except VsdmotError as error:
            return _Delivery(error=error)
        return _Delivery(drawn, skipped=drawn.skipped)


def _as_it_is(delivery: T) -> T:
    return delivery


def _start_worker(_: Any) -> None:
    """Let each worker use one core: they are the parallelism, and OpenCV's threads do not survive a fork."""
    cv2.setNumThreads(0)
