"""Who trained a set of weights, with what and on what: facts that go into every checkpoint."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from vsdmot.version import versions

_ANNOTATIONS = frozenset({".txt", ".json", ".jsonl", ".odgt", ".ini", ".csv", ".yaml", ".yml"})
_MOST_SAMPLES = 256
_SAMPLE_BYTES = 4096


def collect(
    *,
    settings: Mapping[str, Any],
    seed: int,
    data: Mapping[str, Mapping[str, Any]],
    trained_by: str | None = None,
    num_processes: int = 1,
    device: torch.device | None = None,
) -> dict[str, Any]:
    """Put together the provenance of a training.

    Args:
        settings: All settings of the command, as plain values.
        seed: Of the run.
        data: What `hash_files` says of each set of data, by name.
        trained_by: A person or group, as they want to be named; None leaves it out.
        num_processes: How many processes train together.
        device: What the first of them computes on; None is the CPU.
    """
    return {
        "trained": True,
        **({"trained_by": trained_by} if trained_by else {}),
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "settings": dict(settings),
        "data": {name: dict(facts) for name, facts in data.items()},
        "versions": versions(),
        "commit": package_commit(),
        "hardware": f"{num_processes} x {device_name(device or torch.device('cpu'))}",
    }


def hash_files(root: Path, files: Iterable[Path]) -> dict[str, Any]:
    """Say in a few letters which files a training saw: the same files give the same hash, wherever they lie.

    Of all files names and sizes count, of annotations (text, JSON) the whole contents, of the others (images, video)
    the first bytes of at most 256, spread evenly. So it takes seconds where reading everything would take hours, and
    notices another annotation, another degradation and a missing file, but not a single changed pixel.

    Args:
        root: Names count from here.
        files: Below it, in any order.

    Returns:
        ``files`` and ``bytes``, their number and size, and ``sha256``.

    Raises:
        OSError: A file cannot be read.
    """
    found = sorted((file.relative_to(root).as_posix(), file) for file in files)
    others = [name for name, file in found if file.suffix.lower() not in _ANNOTATIONS]
    sampled = set(others[:: -(-len(others) // _MOST_SAMPLES) or 1])
    digest, size = hashlib.sha256(), 0
    for name, file in found:
        length = file.stat().st_size
        size += length
        digest.update(f"{name}\0{length}\0".encode())
        if name in sampled:
            with file.open("rb") as opened:
                digest.update(opened.read(_SAMPLE_BYTES))
        elif file.suffix.lower() in _ANNOTATIONS:
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return {"files": len(found), "bytes": size, "sha256": digest.hexdigest()}


def package_commit() -> str | None:
    """Give the git commit of this package where it runs from a checkout, with ``+`` where files were changed."""
    package = Path(__file__).resolve().parents[2]
    try:
        # A virtual environment inside some other repository is no checkout of ours, so our file has to be tracked.
        _git(package, "ls-files", "--error-unmatch", "version.py")
        commit = _git(package, "rev-parse", "HEAD")
        return commit + ("+" if _git(package, "status", "--porcelain", "--untracked-files=no", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def device_name(device: torch.device) -> str:
    """Give the name of a GPU or of the processor.

    >>> device_name(torch.device("cpu")) != ""
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "CPU"


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip()
