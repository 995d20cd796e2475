"""Reading files of weights that somebody else made, without running what is inside them."""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vsdmot.errors import CheckpointError

_STATE_KEYS = ("ema", "ema_model", "model_ema", "ema_state_dict", "model", "state_dict", "model_state_dict")
"""Under which names training codes put the state dict; averaged weights first, because they are what was evaluated."""

# Besides tensors and plain values, published files hold their settings as an argparse.Namespace, which is inert, and
# their best score as a NumPy number. The constructor of the latter goes by its name in NumPy 1 and by its present one.
_SCALAR: Any = np.float64(0).__reduce__()[0]
_HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32)),
]


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """What a file of weights holds.

    Attributes:
        path: Where it is.
        tensors: Names to tensors, on the CPU; a leading ``module.`` (DataParallel) is removed.
        metadata: Text facts of a safetensors file.
        settings: The training settings that a ``.pth`` carries, where it carries any.
    """

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def read_weights(path: Path) -> WeightsFile:
    """Read ``.safetensors``, or ``.pth`` / ``.pth.tar`` / ``.pt`` as plain data.

    Pickled files are read with torch's restricted reader, which knows tensors, plain values, NumPy numbers and an
    inert ``argparse.Namespace`` (published MOTRv2 checkpoints carry one). Anything that would run code is refused.

    Raises:
        CheckpointError: The file is missing, damaged, unsafe, or holds no weights.
    """
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a file of weights, this is a folder")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file of weights")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    content = _read_pickle(path)
    settings = content.get("args") if isinstance(content, Mapping) else None
    tensors = _state_dict(content)
    if not tensors:
        keys = ", ".join(map(str, list(content)[:5])) if isinstance(content, Mapping) else type(content).__name__
        raise CheckpointError(f"{path}: expected weights, found none (keys: {keys})")
    plain = vars(settings) if isinstance(settings, argparse.Namespace) else {}
    return WeightsFile(path, {name.removeprefix("module."): tensor for name, tensor in tensors.items()}, {}, plain)


def _read_safetensors(path: Path) -> WeightsFile:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return WeightsFile(path, tensors, dict(file.metadata() or {}))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not readable as safetensors: {_first_line(error)}") from None


def _read_pickle(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL:? (\S+)", str(error), re.IGNORECASE)
        if wanted:
            raise CheckpointError(
                f"{path}: refused, because opening it would run code ({wanted[1]}); "
                "ask for a safetensors file, or for one with tensors only"
            ) from None
        raise CheckpointError(f"{path}: not a file that torch.save wrote, or a damaged one") from None
    except (OSError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        detail = _first_line(error) if isinstance(error, OSError) else "truncated or not written by torch.save"
        raise CheckpointError(f"{path}: not a readable file of weights: {detail}") from None


def _state_dict(content: object) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    for key in _STATE_KEYS:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            content = inner
            break
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
