"""What a data set will consist of, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsdmot.datasets.locating import locate
from vsdmot.datasets.membership import Membership, Ratio
from vsdmot.datasets.splits import Quality
from vsdmot.errors import SourceError
from vsdmot.io.dataset_check import SequenceReport, check_folder
from vsdmot.io.image_checks import Look
from vsdmot.io.problems import ProblemKind, counted

SetName = Literal["train", "val", "val_clean"]

SETS: tuple[SetName, ...] = ("train", "val", "val_clean")

_IN_THE_WAY: frozenset[ProblemKind] = frozenset(
    {
        "unreadable seqinfo",
        "no images",
        "frame twice",
        "unreadable image",
        "damaged image",
        "no ground truth",
        "unreadable ground truth",
    }
)
"""Problems with which a sequence can be neither degraded nor trained on."""


@dataclass(frozen=True)
class PlannedSequence:
    """A sequence of the data set to be.

    Attributes:
        name: As the lists of members spell it: without the detector of MOT17. It decides the degradation.
        source: The original.
        target: Its folder below the data set.
        quality: Whether it is degraded.
    """

    name: str
    source: Path
    target: Path
    quality: Quality


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All sequences of a data set.

    Attributes:
        root: Where the originals are.
        membership: Who trains, who validates, and which training sequences are degraded.
        sets: For each set its sequences.
    """

    root: Path
    membership: Membership
    sets: dict[SetName, tuple[PlannedSequence, ...]]

    def __iter__(self) -> Iterator[PlannedSequence]:
        """Give every sequence, clean ones first: they cost little, and show early that the output can be written."""
        every = [sequence for members in self.sets.values() for sequence in members]
        return iter(sorted(every, key=lambda sequence: sequence.quality == "degraded"))


def make_plan(root: Path, membership: Membership, ratio: Ratio, seed: int) -> Plan:
    """Find all sequences and settle which are degraded.

    Args:
        root: Holds the originals.
        membership: Who trains and who validates.
        ratio: How many training sequences are degraded, unless the membership says which.
        seed: Decides which ones.

    Raises:
        SourceError: Sequences are missing or found more than once.
    """
    chosen = membership.choose(ratio, seed)
    found = locate(root, [*chosen.train, *chosen.validation])
    degraded = frozenset(chosen.degraded or ())

    def planned(set_name: SetName, name: str, quality: Quality) -> PlannedSequence:
        return PlannedSequence(name, found[name], Path(set_name) / found[name].name, quality)

    return Plan(
        root=root,
        membership=chosen,
        sets={
            "train": tuple(planned("train", n, "degraded" if n in degraded else "clean") for n in chosen.train),
            "val": tuple(planned("val", n, "degraded") for n in chosen.validation),
            "val_clean": tuple(planned("val_clean", n, "clean") for n in chosen.validation),
        },
    )


def examine(plan: Plan, look: Look) -> dict[str, SequenceReport]:
    """Check the originals before hours of work are spent on them.

    Args:
        plan: What is needed of them.
        look: How images are looked at.

    Returns:
        Name to report, without problems that make a sequence useless.

    Raises:
        SourceError: Some sequences cannot be used; all of them are told.
    """
    sources = {sequence.name: sequence.source for sequence in plan}
    reports = {name: check_folder(source, look) for name, source in sources.items()}
    useless = [
        f"{name}: {problem.message}"
        for name, report in reports.items()
        for problem in report.problems
        if problem.kind in _IN_THE_WAY
    ]
    if useless:
        raise SourceError(f"{plan.root}: {counted(len(useless), 'problem')} in the way: {'; '.join(useless)}")
    return reports
