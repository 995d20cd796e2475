"""Choosing where the networks run."""

from __future__ import annotations

import torch

from vsdmot.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` into a device that is there.

    Args:
        name: ``auto`` takes the first CUDA GPU where there is one, else the CPU.

    Raises:
        DeviceError: The name is not a device, or this machine does not have it.

    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"device must be auto, cpu, cuda:N or mps, got {name!r}") from None
    if device.type == "cpu":
        return device
    if device.type == "mps" and torch.backends.mps.is_available():
        return device
    if device.type != "cuda":
        raise DeviceError(f"device {name!r} is not available here; use cpu, or cuda:N where there is an NVIDIA GPU")
    found = torch.cuda.device_count()
    if (device.index or 0) >= found:
        raise DeviceError(f"device {name!r} is not available: {found} CUDA GPUs found; use --device cpu or auto")
    return device
