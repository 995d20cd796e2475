"""Checkpoints of a training: everything that is needed to go on as if nothing had happened.

``RUN/checkpoints/step_0001234/`` holds

- ``model.safetensors``: the weights of everything that is trained;
- ``optimiser.pt``: the state of the optimiser, tensors and plain values only;
- ``progress.json``: where in the run this is, its settings, and the sizes and hashes of the other two.

No state of random generators is needed, see `vsdmot.training.loop.randomness`. A checkpoint appears when it is whole;
one that was damaged later is noticed by its sizes and hashes, and the one before is taken.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vsdmot.errors import CheckpointError
from vsdmot.training.loop.whole_folders import discard, recover, whole_folder

FORMAT = "vsdmot-training/1"
WEIGHTS_NAME, OPTIMISER_NAME, PROGRESS_NAME = "model.safetensors", "optimiser.pt", "progress.json"


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        epoch: From 0; the epoch that is under way, or as many as there are when all is done.
        step: Optimiser steps of that epoch that are done. All of them: the validation after it is still to be done.
        total_steps: Optimiser steps since the start of the run.
        best: The best validation result so far, by name; None before the first.
        seconds: How long the run has taken, over all its sessions.
        sums: What the next line of the log has added up so far.
        settings: Everything that must be the same for a run to be gone on with.
        versions: Of the software; with others the numbers may differ in their last digits.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    best: Mapping[str, float] | None = None
    seconds: float = 0.0
    sums: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of a run.

    Args:
        folder: ``RUN/checkpoints``; made when the first is written.
        keep: How many to keep; the oldest go.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder, keep

    def save(self, progress: Progress, module: nn.Module, optimiser: torch.optim.Optimizer) -> Path:
        """Write a checkpoint, then remove the oldest.

        Raises:
            OutputError: The disk is full, or it cannot be written there.
        """
        target = self._folder / f"step_{progress.total_steps:07d}"
        with whole_folder(target) as part:
            _write_weights(part / WEIGHTS_NAME, module)
            torch.save(optimiser.state_dict(), part / OPTIMISER_NAME)
            facts = {"format": FORMAT, **asdict(progress), "files": {}}
            for name in (WEIGHTS_NAME, OPTIMISER_NAME):
                facts["files"][name] = {"bytes": (part / name).stat().st_size, "sha256": _sha256(part / name)}
            (part / PROGRESS_NAME).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        for old in self._all()[: -self._keep]:
            discard(old)
        return target

    def newest(self, note: Callable[[str], None]) -> tuple[Path, Progress]:
        """Find the newest checkpoint that is whole.

        Args:
            note: Is told of those that are damaged.

        Raises:
            CheckpointError: There is none.
        """
        recover(self._folder)
        found = self._all()
        for folder in reversed(found):
            try:
                return folder, _read_progress(folder)
            except CheckpointError as error:
                note(f"{error}; the checkpoint before it is taken")
        why = f"all {len(found)} are damaged" if found else "there is none"
        raise CheckpointError(
            f"{self._folder}: expected a checkpoint to resume from, {why}; train anew without --resume"
        )

    def exist(self) -> bool:
        """Say whether anything was ever stored here, whole or not (what a kill left of the very first is nothing)."""
        recover(self._folder)
        return bool(self._all())

    def _all(self) -> list[Path]:
        folders = (folder for folder in self._folder.glob("step_*") if folder.name[5:].isdigit() and folder.is_dir())
        return sorted(folders, key=lambda folder: int(folder.name[5:]))


def restore(folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Put the weights and the optimiser back into the state in which they were stored.

    Raises:
        CheckpointError: The checkpoint is of another network or optimiser.
    """
    try:
        module.load_state_dict(load_file(folder / WEIGHTS_NAME))
        state = torch.load(folder / OPTIMISER_NAME, map_location="cpu", weights_only=True)
        optimiser.load_state_dict(state)
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{folder}: does not fit what is trained: {reason}; train anew in another folder"
        ) from None


def _write_weights(path: Path, module: nn.Module) -> None:
    tensors: dict[str, Tensor] = {}
    places = set()
    for name, value in module.state_dict().items():
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{path}: {name} is no tensor ({type(value).__name__}), so it cannot be stored")
        tensor = value.detach().cpu().contiguous()
        # safetensors refuses tensors that share memory, as tied weights do; both are stored and loaded.
        shared = tensor.untyped_storage().data_ptr() in places or tensor.untyped_storage().nbytes() != tensor.nbytes
        tensors[name] = tensor.clone() if shared else tensor
        places.add(tensor.untyped_storage().data_ptr())
    save_file(tensors, path, metadata={"format": "pt"})


def _read_progress(folder: Path) -> Progress:
    """Read where a checkpoint is, after checking that all of it is there as it was written.

    Raises:
        CheckpointError: It is damaged.
    """
    try:
        facts = json.loads((folder / PROGRESS_NAME).read_text(encoding="utf-8"))
        if facts.pop("format") != FORMAT:
            raise CheckpointError(f"{folder}: expected a checkpoint of the form {FORMAT}")
        for name, expected in facts.pop("files").items():
            size = (folder / name).stat().st_size
            if size != expected["bytes"]:
                raise CheckpointError(f"{folder / name}: damaged: {size:,} bytes, expected {expected['bytes']:,}")
            if _sha256(folder / name) != expected["sha256"]:
                raise CheckpointError(f"{folder / name}: damaged: its contents are not those that were written")
        return Progress(**facts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{folder}: damaged: {type(error).__name__}: {error}") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
