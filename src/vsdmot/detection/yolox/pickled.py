"""Read what ``torch.save`` wrote, without running any code that the file may carry."""

from __future__ import annotations

import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vsdmot.errors import CheckpointError

# Training tools store their best score as a NumPy number. These rebuild numbers and nothing else; the constructor of
# scalars goes by the name it had in NumPy 1 and by its present one.
_SCALAR: Any = np.float64(0).__reduce__()[0]
_HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32)),
]

# What torch raises on damaged data, depending on where the damage is.
_DAMAGED = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    TypeError, ValueError, struct.error,
)  # fmt: skip


def read_pickled(path: Path) -> Mapping[object, object]:
    """Read a mapping of tensors and plain values from a ``.pth`` file, on the CPU.

    Args:
        path: A file that ``torch.save`` wrote, in its zip or its older format.

    Raises:
        CheckpointError: The file is damaged, is not such a file, or would have to run code to be read.
    """
    with torch.serialization.safe_globals(_HARMLESS):
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise _refusal(path, str(error)) from None
        except _DAMAGED as error:
            raise CheckpointError(f"{path}: not a readable torch checkpoint: {_first_line(error)}") from None
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: expected a mapping of weights, found {type(content).__name__}")
    return content


def _refusal(path: Path, message: str) -> CheckpointError:
    named = re.search(r"GLOBAL ([\w.]+)", message)
    if named:
        return CheckpointError(
            f"{path}: reading it would run code ({named[1]}), so it is refused; save its tensors as safetensors"
        )
    return CheckpointError(f"{path}: not a readable torch checkpoint: the data is damaged or of another format")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
