"""Leave one fold out: the proposals of a sequence come from a detector that never saw it.

A detector finds the people of its own training frames far better than those of new video. A tracker that learns from
such proposals relies on them too much. So the training sequences are parted into folds, one detector is trained on all
but each, and proposes for the one that it did not see.

    >>> names = [SplitEntry(f"s{number}", "clean", Path(f"s{number}")) for number in range(4)]
    >>> for fold in split_folds(names, 2):
    ...     print(fold.name, [entry.name for entry in fold.held_out], [entry.name for entry in fold.seen])
    fold1of2 ['s0', 's3'] ['s1', 's2']
    fold2of2 ['s1', 's2'] ['s0', 's3']
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from vsdmot.datasets.locating import DETECTORS
from vsdmot.datasets.splits import SplitEntry, write_split
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.errors import ConfigError
from vsdmot.io.whole_files import write_whole
from vsdmot.training.yolox.proposing import Proposer, left_to_do, open_proposer, propose

_SAME_PLACE = {"MOT20-02": "MOT20-01"}  # the same hall from the same camera


@dataclass(frozen=True)
class Fold:
    """A part of the sequences.

    Attributes:
        name: Of the fold and of its detector, such as ``fold1of3``.
        held_out: Sequences that its detector must not see, and proposes for.
        seen: All others; its detector is trained on them.
    """

    name: str
    held_out: tuple[SplitEntry, ...]
    seen: tuple[SplitEntry, ...]


def split_folds(entries: Sequence[SplitEntry], num_folds: int, *, seed: int = 0) -> tuple[Fold, ...]:
    """Part sequences into folds, by their names and the seed alone.

    What shows the same footage or place is never parted: the three copies of a MOT17 sequence, MOT20-01 and MOT20-02.

    Args:
        entries: Sequences; the order does not matter, and is kept within a fold.
        num_folds: How many folds.
        seed: Another seed parts them otherwise.

    Raises:
        ConfigError: There are fewer footages than folds, or fewer folds than two.
    """
    footages = sorted(
        {footage_of(entry.name) for entry in entries},
        key=lambda footage: hashlib.sha256(f"{seed}/{footage}".encode()).digest(),
    )
    if not 2 <= num_folds <= len(footages):
        raise ConfigError(
            f"folds: must be from 2 to the number of different sequences ({len(footages)}), got {num_folds}"
        )
    fold_of = {footage: number % num_folds for number, footage in enumerate(footages)}
    parts: defaultdict[int, list[SplitEntry]] = defaultdict(list)
    for entry in entries:
        parts[fold_of[footage_of(entry.name)]].append(entry)
    return tuple(
        Fold(
            name=f"fold{number + 1}of{num_folds}",
            held_out=tuple(parts[number]),
            seen=tuple(entry for entry in entries if fold_of[footage_of(entry.name)] != number),
        )
        for number in range(num_folds)
    )


def footage_of(name: str) -> str:
    """Give what sequences of the same footage, or place, have in common.

    >>> footage_of("MOT17-02-SDP"), footage_of("MOT20-02"), footage_of("dancetrack0001")
    ('MOT17-02', 'MOT20-01', 'dancetrack0001')
    """
    plain = re.sub(rf"-(?:{'|'.join(DETECTORS)})$", "", name)
    return _SAME_PLACE.get(plain, plain)


def write_folds(folds: Sequence[Fold], folder: Path) -> dict[str, Path]:
    """Write two lists for each fold: ``NAME.train.txt`` to train its detector on, and ``NAME.held_out.txt``.

    Returns:
        The name of each fold's detector, to the list that it is to be trained on.

    Raises:
        OutputError: The folder cannot be written.
    """
    lists = {}
    for fold in folds:
        lists[fold.name] = folder / f"{fold.name}.train.txt"
        write_whole(lists[fold.name], write_split(fold.seen, folder).encode())
        write_whole(folder / f"{fold.name}.held_out.txt", write_split(fold.held_out, folder).encode())
    return lists


def propose_by_folds(
    folds: Sequence[Fold],
    weights: Mapping[str, Path],
    output: Path,
    *,
    config: DetectorConfig,
    device: str | torch.device = "cpu",
    overwrite: bool = False,
    warn: Callable[[str], None],
) -> Iterator[int]:
    """Make the proposals of every fold by the detector that did not see it; yields the number of boxes of each frame.

    All detectors are looked at before the first of them begins. What is done already is not done again.

    Args:
        folds: From `split_folds`.
        weights: Name of each fold to the weights of its detector.
        output: Folder of the proposals, see `vsdmot.training.yolox.proposing`.
        config: Settings of the detectors.
        device: Where they run.
        overwrite: Whether to begin anew, whatever is there.
        warn: Is told what went wrong while images were read, and which weights do not say what they were trained on.

    Raises:
        ConfigError: A fold has no detector, or its detector was trained on a sequence of the fold.
        CheckpointError: Weights cannot be used.
        OutputError: The output cannot be written, or holds proposals that were made otherwise.
    """
    missing = [fold.name for fold in folds if fold.name not in weights]
    if missing:
        raise ConfigError(f"weights: expected a detector for every fold, there is none for {', '.join(missing)}")
    work = []
    for fold in folds:
        proposer = open_proposer(weights[fold.name], config=config, device=device)
        refuse_seen(fold, proposer, weights[fold.name], warn)
        work.append((left_to_do(fold.held_out, proposer, output, overwrite=overwrite), proposer))
    for entries, proposer in work:
        yield from propose(entries, proposer, output, warn=warn)


def refuse_seen(fold: Fold, proposer: Proposer, weights: Path, warn: Callable[[str], None]) -> None:
    """Make sure that a fold's detector was not trained on what it is to propose for.

    Raises:
        ConfigError: It was.
    """
    if proposer.trained_on is None:
        warn(f"{weights}: does not say what it was trained on; expected weights that did not see {fold.name}")
        return
    known = set(map(footage_of, proposer.trained_on))
    seen = [entry.name for entry in fold.held_out if footage_of(entry.name) in known]
    if seen:
        raise ConfigError(
            f"{weights}: was trained on {seen[0]}, which {fold.name} holds out ({len(seen)} of "
            f"{len(fold.held_out)} sequences); expected the detector that was trained on {fold.name}.train.txt"
        )
