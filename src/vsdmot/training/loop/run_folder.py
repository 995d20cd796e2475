"""The folder of a run: checkpoints to resume from, weights for inference, and where they come from.

``RUN/checkpoints/`` is for this program, ``RUN/best/`` and ``RUN/last/`` are for users: weights and settings in the
form that ``from_pretrained`` loads, with their provenance. ``RUN/provenance.json`` says how the run was begun.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vsdmot.errors import OutputError, TrainingError
from vsdmot.io.whole_files import write_whole
from vsdmot.training.loop.checkpoints import Checkpoints, Progress, restore
from vsdmot.training.loop.processes import Processes
from vsdmot.training.loop.run_log import LOG_NAME, TENSORBOARD_NAME
from vsdmot.training.loop.settings_check import plain, refuse_other_settings
from vsdmot.training.loop.whole_folders import recover, whole_folder
from vsdmot.training.task import Task
from vsdmot.version import versions

CHECKPOINTS, BEST, LAST, PROVENANCE_NAME = "checkpoints", "best", "last", "provenance.json"

_BEFORE_THE_FIRST_CHECKPOINT = frozenset({CHECKPOINTS, PROVENANCE_NAME, LOG_NAME, TENSORBOARD_NAME})
"""What a run that was killed at its very beginning may leave; a new one may be begun over it."""


class RunFolder:
    """Begins, stores and takes up a run; only the first process has one.

    Args:
        path: Folder of the run.
        keep: How many checkpoints to keep.
        settings: What must not change when the run is resumed, as plain values.
        provenance: From `vsdmot.training.loop.provenance.collect`.
    """

    def __init__(self, path: Path, keep: int, settings: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
        self.path = path
        self._checkpoints = Checkpoints(path / CHECKPOINTS, keep)
        self._settings, self._provenance = settings, provenance

    def begin(self) -> Progress:
        """Begin a run in a folder that is new or empty.

        Raises:
            TrainingError: There is something in it.
            OutputError: It cannot be written.
        """
        try:
            present = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be used for a run: {error.strerror}") from None
        if self._checkpoints.exist():
            raise TrainingError(f"{self.path}: already holds a run; go on with --resume, or train in a new folder")
        if present - _BEFORE_THE_FIRST_CHECKPOINT:
            found = min(present - _BEFORE_THE_FIRST_CHECKPOINT)
            raise TrainingError(f"{self.path}: expected a new or empty folder for a run, but it holds {found}")
        write_whole(self.path / PROVENANCE_NAME, (json.dumps(plain(self._provenance), indent=2) + "\n").encode())
        return Progress(settings=self._settings, versions=versions())

    def resume(self, module: nn.Module, optimiser: torch.optim.Optimizer, note: Callable[[str], None]) -> Progress:
        """Put everything back into the state of the newest checkpoint that is whole.

        Raises:
            CheckpointError: There is none, or it is of another network.
            TrainingError: The run was begun with other settings.
        """
        folder, stored = self._checkpoints.newest(note)
        refuse_other_settings(str(self.path), stored.settings, self._settings)
        for name, now in versions().items():
            before = stored.versions.get(name)
            if before != now:
                note(f"{self.path}: {name} was {before} and is now {now}; numbers may differ in their last digits")
        restore(folder, module, optimiser)
        recover(self.path)
        return replace(stored, settings=self._settings, versions=versions())

    def store(self, progress: Progress, task: Task, optimiser: torch.optim.Optimizer) -> None:
        """Write a checkpoint, and ``last/`` beside it.

        Raises:
            OutputError: The disk is full, or it cannot be written there.
        """
        if progress.total_steps:  # before the first step there is nothing worth using
            self.export(LAST, progress, task)  # first, because a checkpoint says that all before it is done
        self._checkpoints.save(progress, task.module, optimiser)

    def export(self, name: str, progress: Progress, task: Task, scores: Mapping[str, float] | None = None) -> None:
        """Write weights for inference, in the place of those that were there.

        Raises:
            OutputError: The disk is full, or it cannot be written there.
        """
        facts: dict[str, Any] = {
            "epoch": progress.epoch,
            "step": progress.total_steps,
            "seconds": round(progress.seconds),
        }
        if scores is not None:
            facts["validation"] = dict(scores)
        with whole_folder(self.path / name) as part:
            task.export(part, {**plain(self._provenance), "progress": facts})


def agree_on_state(
    module: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress, processes: Processes
) -> Progress:
    """Give all processes the weights, the state of the optimiser and the progress of the first.

    The folder of the run need not be visible to the others, which may be other machines.
    """
    if processes.world == 1:
        return progress
    for tensor in module.state_dict().values():
        processes.spread(tensor)
    file = io.BytesIO()
    if processes.first:
        torch.save(optimiser.state_dict(), file)
    state = processes.share(file.getvalue())
    if not processes.first:
        optimiser.load_state_dict(torch.load(io.BytesIO(state), map_location="cpu", weights_only=True))
    return processes.share(progress)
