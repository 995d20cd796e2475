"""From the words after ``--trackers`` to those who take part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from vsdmot.cli.named_weights import find_detector
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.devices import resolve_device
from vsdmot.errors import CheckpointError, ConfigError, SourceError
from vsdmot.evaluation.robustness.entrants import (
    Entrant,
    SharedProposals,
    Submitted,
    association_entrant,
    network_entrant,
)
from vsdmot.tracking.association import AssociationName
from vsdmot.tracking.pretrained import CONFIG_NAME, Pretrained, load_pretrained
from vsdmot.training.yolox.proposing import open_proposer

ASSOCIATION: tuple[AssociationName, ...] = get_args(AssociationName)


@dataclass(frozen=True, kw_only=True, eq=False)
class Taking:
    """Who takes part.

    Attributes:
        names: All of them, in the order given.
        entrants: Trackers that run here.
        submitted: Trackers by their results.
        proposals: Proposals for those that need some; None if none does.
        notes: What the user should know, a line each.
    """

    names: tuple[str, ...]
    entrants: tuple[Entrant, ...]
    submitted: tuple[Submitted, ...]
    proposals: SharedProposals | None
    notes: tuple[str, ...]


def take_part(words: Sequence[str], detector: Path, yolox: DetectorConfig, conf: float | None, device: str) -> Taking:
    """Load the trackers that are named, and the detector if one of them needs proposals.

    Raises:
        VsdmotError: A tracker, its results or the detector cannot be used, or two have the same name.
    """
    entrants: list[Entrant] = []
    submitted: list[Submitted] = []
    names: list[str] = []
    notes: list[str] = []
    for word in words:
        name, separator, location = word.partition("=")
        name, location = (name.strip(), location.strip()) if separator else (_plain_name(word), word)
        if not name or not location or "/" in name or name in names:
            raise ConfigError(f"trackers: expected NAME=FOLDER with a name of its own, or a tracker, got {word!r}")
        names.append(name)
        if location in ASSOCIATION and not Path(location).exists():
            entrants.append(association_entrant(name, ASSOCIATION[ASSOCIATION.index(location)]))
        elif separator and _holds_results(Path(location)):
            submitted.append(Submitted(name=name, folder=Path(location)))
        else:
            loaded = _load(location, may_be_results=bool(separator))
            if not loaded.trained:
                notes.append(f"{name}: random weights that were never trained: expect nonsense")
            entrants.append(network_entrant(name, loaded, resolve_device(device)))
    proposals = None
    takers = [one.name for one in entrants if one.takes_proposals]
    if takers:
        path, config = find_detector(detector, yolox)
        proposer = open_proposer(path, config=config, device=resolve_device(device))
        identity = {**proposer.record, "device": resolve_device(device).type}
        proposals = SharedProposals(detect=proposer.detector, identity=identity, least=conf)
        above = "" if conf is None else f", above {conf:g}"
        notes.append(f"proposals of {detector}{above} for {', '.join(takers)}")
        notes += proposer.detector.notes
    return Taking(
        names=tuple(names),
        entrants=tuple(entrants),
        submitted=tuple(submitted),
        proposals=proposals,
        notes=tuple(notes),
    )


def _load(location: str, *, may_be_results: bool) -> Pretrained:
    try:
        return load_pretrained(location)
    except CheckpointError as error:
        if may_be_results and not Path(location).exists():
            raise CheckpointError(f"{error}; or a folder of results, which is not there either") from None
        raise


def _plain_name(word: str) -> str:
    """Name a tracker after its weights."""
    return Path(word).name or word


def _holds_results(folder: Path) -> bool:
    """Whether a folder is one of results: it is there, and no weights are in it.

    Raises:
        SourceError: It is an empty folder.
    """
    if not folder.is_dir() or (folder / CONFIG_NAME).is_file():
        return False
    if not any(folder.iterdir()):
        raise SourceError(f"{folder}: expected weights, or results as clean/SEQUENCE.txt; the folder is empty")
    return True
