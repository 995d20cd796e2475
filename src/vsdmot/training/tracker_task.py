"""A tracker as a task of the training loop: clips, their loss, validation by HOTA, export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vsdmot.models.vsdmot import VSDMOT
from vsdmot.tracking.pretrained import TrackerConfig, save_pretrained
from vsdmot.training.clips.clip import Clip, num_boxes
from vsdmot.training.clips.data import ClipDataset
from vsdmot.training.clips.loader import make_loader
from vsdmot.training.distillation.collapse import CollapseMonitor
from vsdmot.training.distillation.dcsd import Distiller
from vsdmot.training.loop.optimiser import OptimiserConfig, published_groups
from vsdmot.training.objective.clip_forward import ClipLossConfig, ClipModel
from vsdmot.training.task import Place, StepLoss
from vsdmot.training.tracker_validation import TrackerValidation, as_scores


@dataclass(frozen=True, kw_only=True)
class ClipLoading:
    """How clips reach the network.

    Attributes:
        global_batch: Clips of an optimiser step, over all processes (the paper: 8). Fewer processes take several each.
        workers: Processes that prepare clips for each process that trains; 0 prepares them in it.
        prefetch: Clips that each worker has ready.
    """

    global_batch: int = 8
    workers: int = 2
    prefetch: int = 2


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """A clip of an optimiser step.

    Attributes:
        clip: Its frames.
        num_clips: Clips of the whole step, over all processes.
        seed: Decides all that is drawn in its forward pass, whichever process does it.
    """

    clip: Clip
    num_clips: int
    seed: int


class ClipStep(nn.Module):
    """The loss of a `ClipBatch`: what a process computes between two communications."""

    def __init__(self, clips: ClipModel) -> None:
        super().__init__()
        self.clips = clips
        self.monitors: Mapping[str, Tensor] = {}
        """Of the last clip."""

    def forward(self, batch: ClipBatch, divisor: float) -> StepLoss:
        """Compute its share of the step's loss."""
        device = next(self.parameters()).device
        clip = tuple(frame.to(device) for frame in batch.clip)
        generator = torch.Generator().manual_seed(batch.seed)
        loss: StepLoss = self.clips(clip, max(divisor, 1.0), generator, clips=float(batch.num_clips))
        self.monitors = loss.monitors
        return loss


class TrackerTask:
    """Train a tracker; a `vsdmot.training.task.Task`.

    Args:
        model: The network, on the device where it is trained.
        config: What belongs to its weights.
        loss: What it is trained for.
        dataset: Clips.
        loading: How they reach the network.
        optimiser: Learning rates.
        validation: What it is measured on; None measures nothing.
        distiller: Compares its semantics with a teacher's; None without teacher.
        seed: Of what is drawn in forward passes.
    """

    def __init__(
        self,
        model: VSDMOT,
        config: TrackerConfig,
        *,
        loss: ClipLossConfig,
        dataset: ClipDataset,
        loading: ClipLoading,
        optimiser: OptimiserConfig,
        validation: TrackerValidation | None = None,
        distiller: Distiller | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.config, self.dataset = model, config, dataset
        self.validation = validation
        self._module = ClipStep(ClipModel(model, loss, distiller, config.proposing))
        self._loading, self._optimiser, self._seed = loading, optimiser, seed
        self._collapse = CollapseMonitor()

    @property
    def module(self) -> nn.Module:
        """The network with its loss."""
        return self._module

    @property
    def num_steps(self) -> int:
        """Optimiser steps of an epoch."""
        return len(make_loader(self.dataset, Place(), global_batch=self._loading.global_batch, workers=0, pin=False))

    def batches(self, place: Place) -> Iterator[Sequence[ClipBatch]]:
        """Give the clips of this process, step by step; see `vsdmot.training.task.Task`."""
        loading = self._loading
        loader = make_loader(
            self.dataset,
            place,
            global_batch=loading.global_batch,
            workers=loading.workers,
            prefetch=loading.prefetch,
        )
        for step, clips in enumerate(loader, start=place.step):
            yield [
                ClipBatch(clip, loading.global_batch, self._draw(place.epoch, step, place.rank + j * place.world))
                for j, clip in enumerate(clips)
            ]

    def weight(self, batch: ClipBatch) -> float:
        """Count its boxes of people, by which the losses of a step are divided."""
        return float(num_boxes(batch.clip))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the groups of MOTRv2."""
        return published_groups(self._module, self._optimiser)

    def after_step(self) -> None:
        """Note what distillation looks like; the loop calls this after each step of the optimiser."""
        self._collapse.update(self._module.monitors)

    def warnings(self) -> list[str]:
        """Say if distillation teaches nothing any more."""
        return self._collapse.warnings()

    def validate(self) -> Mapping[str, float]:
        """Track the validation sequences; HOTA comes first."""
        if self.validation is None or not self.validation.sequences:
            return {}
        return as_scores(self.validation.run(self.model, self.config))

    def export(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write the network for inference; the teacher's projection stays behind in the checkpoints."""
        save_pretrained(folder, self.model, self.config, dict(provenance))

    def _draw(self, epoch: int, step: int, number: int) -> int:
        return int(np.random.SeedSequence((self._seed, epoch, step, number)).generate_state(1)[0])
