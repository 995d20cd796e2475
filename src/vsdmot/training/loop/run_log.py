"""The log of a run: ``RUN/log.jsonl``, a JSON object a line, and ``RUN/tensorboard/`` where TensorBoard is installed.

A line of ``kind`` ``train`` comes every few steps, one of ``kind`` ``validation`` after a validation. When a run is
resumed, lines that were written after its checkpoint are cut, because those steps come again.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from vsdmot.errors import OutputError
from vsdmot.io.whole_files import write_whole
from vsdmot.training.loop.checkpoints import Progress
from vsdmot.training.loop.listener import TrainLine

LOG_NAME, TENSORBOARD_NAME = "log.jsonl", "tensorboard"


class RunLog:
    """Writes the log; only the first process has one.

    Args:
        run: Folder of the run.
        progress: Where the run begins or goes on.
        note: Is told if TensorBoard is not installed.

    Raises:
        OutputError: The log cannot be written.
    """

    def __init__(self, run: Path, progress: Progress, note: Callable[[str], None]) -> None:
        self.path = run / LOG_NAME
        cut_log(self.path, progress)
        try:
            self._file = self.path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from None
        self._board = _open_tensorboard(run / TENSORBOARD_NAME, progress.total_steps, note)

    def train(self, line: TrainLine) -> None:
        """Write a line of training.

        Raises:
            OutputError: The disk is full.
        """
        self._write({"kind": "train", **asdict(line)})
        scalars = {f"loss/{name}": value for name, value in line.losses.items()}
        scalars |= {f"monitor/{name}": value for name, value in line.monitors.items()}
        scalars |= {f"lr/{name}": value for name, value in line.lr.items()}
        scalars |= {f"speed/{name}": getattr(line, name) for name in ("batches_per_second", "data_seconds")}
        self._draw({"loss": line.loss, "grad_norm": line.grad_norm, **scalars}, line.step)

    def validation(self, progress: Progress, scores: Mapping[str, float], best: bool) -> None:
        """Write what a validation gave.

        Raises:
            OutputError: The disk is full.
        """
        where = {"step": progress.total_steps, "epoch": progress.epoch + 1, "seconds": progress.seconds}
        self._write({"kind": "validation", **where, "best": best, "scores": dict(scores)})
        self._draw({f"validation/{name}": value for name, value in scores.items()}, progress.total_steps)

    def warning(self, progress: Progress, text: str) -> None:
        """Write what looks wrong.

        Raises:
            OutputError: The disk is full.
        """
        self._write({"kind": "warning", "step": progress.total_steps, "epoch": progress.epoch + 1, "text": text})

    def force_to_disk(self) -> None:
        """Make sure that the lines so far outlast a power failure, before a checkpoint relies on them."""
        os.fsync(self._file.fileno())
        if self._board is not None:
            self._board.flush()

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(_tidy(record), allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _draw(self, scalars: Mapping[str, float], step: int) -> None:
        if self._board is not None:
            for name, value in scalars.items():
                self._board.add_scalar(name, value, step)


def cut_log(path: Path, progress: Progress) -> None:
    """Remove the lines that were written after a checkpoint, and what a kill left of a last line.

    Raises:
        OutputError: The log cannot be read or written.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None
    kept = [line for line in lines if _is_before(line, progress)]
    if kept != lines:
        write_whole(path, b"".join(kept))


def peak_memory_gb(device: torch.device) -> float:
    """Give the most memory that was in use: of the GPU, else of the process; 0 where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if os.uname().sysname != "Darwin" else peak / 1e9


def _is_before(line: bytes, progress: Progress) -> bool:
    try:
        record = json.loads(line)
        step, kind = int(record["step"]), record["kind"]
    except (ValueError, TypeError, KeyError):
        return False
    if not line.endswith(b"\n"):
        return False
    if kind == "validation" and step == progress.total_steps:
        return progress.step == 0  # else the checkpoint was written before the validation, which comes again
    return step <= progress.total_steps


def _tidy(value: Any) -> Any:
    """Round to 6 digits; JSON has neither infinity nor "no number", they become null."""
    if isinstance(value, Mapping):
        return {name: _tidy(inner) for name, inner in value.items()}
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _open_tensorboard(folder: Path, total_steps: int, note: Callable[[str], None]) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        note(f"TensorBoard is not installed, so only {LOG_NAME} is written; pip install vsdmot[train]")
        return None
    # What was drawn after the checkpoint is hidden, because those steps come again.
    return SummaryWriter(str(folder), purge_step=total_steps + 1)
