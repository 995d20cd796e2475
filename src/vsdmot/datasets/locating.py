"""Find the sequences that a data set is built from in whatever folders the originals were unpacked to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from vsdmot.datasets.manifest import is_build
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.datasets import sequence_folders
from vsdmot.io.problems import counted, some

DETECTORS = ("FRCNN", "SDP", "DPM")
"""MOT17 holds each sequence once for each of these, with the same images and ground truth; the first found is taken."""


def locate(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Find sequences by name, up to `vsdmot.io.datasets.MAX_DEPTH` folders below a root.

    Data sets that were built there earlier are not searched.

    Args:
        root: A folder that holds the originals, such as ``DanceTrack/`` or the folder of ``MOT17/`` and ``MOT20/``.
        names: Names of sequences; ``MOT17-02`` also means ``MOT17-02-FRCNN``, ``-SDP`` or ``-DPM``, in this order.

    Raises:
        ConfigError: Two names mean the same footage, so that training would see what validates.
        SourceError: There are no sequences, or some are missing or there more than once; all of them are named.
    """
    names = list(names)
    _refuse_copies(names)
    by_name: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in sequence_folders(root, passed_over=is_build):
        by_name[folder.name].append(folder)
    found: dict[str, Path] = {}
    missing, doubtful = [], []
    for name in names:
        candidates = next((by_name[full] for full in _spellings(name) if full in by_name), [])
        if len(candidates) == 1:
            found[name] = candidates[0]
        elif candidates:
            doubtful.append(f"{candidates[0].name} ({', '.join(str(path.parent) for path in candidates)})")
        else:
            missing.append(name)
    if len(missing) == len(names):
        there, wanted = some(sorted(by_name)), some(names)
        raise SourceError(f"{root}: none of the sequences ({wanted}) is below this folder; there are {there}")
    if missing:
        of_all = f"{len(missing)} of {counted(len(names), 'sequence')}"
        raise SourceError(f"{root}: {of_all} are missing below this folder: {', '.join(missing)}")
    if doubtful:
        raise SourceError(f"{root}: found more than once; choose a folder that holds one copy: {'; '.join(doubtful)}")
    return found


def _refuse_copies(names: list[str]) -> None:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[re.sub(rf"-(?:{'|'.join(DETECTORS)})$", "", name)].append(name)
    if copies := [" and ".join(group) for group in alike.values() if len(group) > 1]:
        raise ConfigError(f"the split names the same footage more than once: {'; '.join(copies)}")


def _spellings(name: str) -> list[str]:
    return [name, *(f"{name}-{detector}" for detector in DETECTORS)]
