"""Degrade a whole data set: its tree is mirrored, every sequence in it degraded, every other file carried along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vsdmot.degradation import manifest
from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.degradation.sequences import (
    SequencePlan,
    carry_along,
    carry_out,
    check_apart,
    folder_name,
    holds_something,
    plan_sequence,
)
from vsdmot.degradation.workers import Workers
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.datasets import find_sequences
from vsdmot.io.whole_files import remove_parts


@dataclass(frozen=True, kw_only=True)
class TreePlan:
    """A data set that can be degraded: everything was checked, nothing written yet.

    Attributes:
        source: The data set, split or sequence.
        output: Where its copy goes.
        sequences: Its sequences.
    """

    source: Path
    output: Path
    sequences: tuple[SequencePlan, ...]

    def num_missing(self) -> int:
        """Count the frames that have to be made."""
        return sum(len(plan.missing()) for plan in self.sequences)

    def num_frames(self) -> int:
        """Count all frames."""
        return sum(len(plan.files) for plan in self.sequences)


def plan_tree(source: Path, output: Path, settings: DegradeSettings, *, overwrite: bool = False) -> TreePlan:
    """Check that a folder of images, a sequence or a whole data set can be degraded.

    A sequence is drawn for by the name of its folder, so it is degraded alike alone and within a data set.

    Raises:
        SourceError: There are neither images nor sequences, or a sequence has no images.
        OutputError: The output holds something else or the output of other settings.
    """
    folders = _folders(source)
    check_apart(source, output)
    places = [output / folder.relative_to(source) for folder in folders]
    begun = any(manifest.was_begun(place / manifest.NAME) for place in places)
    if holds_something(output) and not begun and not overwrite:
        raise OutputError(f"{output}: exists and holds other files; {manifest.ADVICE}")
    plans = [
        plan_sequence(folder, place, settings, name=folder_name(folder), overwrite=overwrite)
        for folder, place in zip(folders, places, strict=True)
    ]
    return TreePlan(source=source, output=output, sequences=tuple(plans))


def carry_out_tree(plan: TreePlan, workers: Workers) -> Iterator[int]:
    """Do what a plan says; yields a frame's number once it is there. A later run goes on where this one stops.

    Raises:
        SourceError: An image cannot be read.
        OutputError: A file cannot be written.
    """
    for sequence in plan.sequences:
        yield from carry_out(sequence, workers)
    if plan.sequences[0].source != plan.source:
        remove_parts(plan.output)
        carry_along(plan.source, plan.output, besides=frozenset(sequence.source for sequence in plan.sequences))


def _folders(source: Path) -> list[Path]:
    """Find the sequences; a folder of images that is no data set counts as one."""
    try:
        return [sequence.folder for sequence in find_sequences(source)]
    except SourceError:
        return [source]  # whose images are looked for next
