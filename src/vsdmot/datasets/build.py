"""Build a data set of the paper: two thirds of training degraded, validation degraded and beside it clean.

The data set holds the folders ``train``, ``val`` (degraded) and ``val_clean``, a list for each (``train.txt``) that
`vsdmot.datasets.splits.read_split` reads, ``split.yaml`` that builds it again, and ``build.json``. A sequence appears
under its name when it is complete; the lists appear when everything is. A run that was cut off is gone on with by the
same command, and the bits are the same, whatever the number of workers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdmot.config import to_mapping
from vsdmot.datasets.carrying import Link, carry_sequence, is_carried
from vsdmot.datasets.manifest import NAME, Manifest, differences, is_build, versions
from vsdmot.datasets.membership import Ratio, write_membership
from vsdmot.datasets.plan import SETS, Plan
from vsdmot.datasets.splits import SplitEntry, write_split
from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.degradation.sequences import iterate_sequence
from vsdmot.degradation.workers import Workers
from vsdmot.errors import OutputError
from vsdmot.io.whole_files import remove_parts, write_whole

LISTS = tuple(f"{name}.txt" for name in SETS)
MEMBERSHIP = "split.yaml"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a data set holds.

    Attributes:
        name: What it is called, such as ``lqmot``.
        plan: Its sequences.
        degradation: How those to be degraded are.
        ratio: The ratio by which degraded sequences were chosen; None where the members say which.
        link: How images of clean sequences get there.
    """

    name: str
    plan: Plan
    degradation: DegradeSettings
    ratio: Ratio | None = None
    link: Link = "auto"

    def settings(self) -> dict[str, Any]:
        """Give all of it as plain values."""
        ratio = None if self.ratio is None else str(self.ratio)
        rest = {**to_mapping(self.degradation), "link": self.link, **to_mapping(self.plan.membership)}
        return {"data set": self.name, "ratio": ratio, **rest}

    def sequences(self) -> dict[str, Any]:
        """Give what each set is made of; originals are named below their root, whose place is nobody's business."""
        root = self.plan.root
        return {
            name: [
                {"name": s.name, "quality": s.quality, "source": s.source.relative_to(root).as_posix()} for s in members
            ]
            for name, members in self.plan.sets.items()
        }


def check_place(root: Path, output: Path) -> None:
    """Make sure that originals and data set do not lie in each other.

    Raises:
        OutputError: They do.
    """
    inner, outer = output.resolve(), root.resolve()
    if inner == outer:
        raise OutputError(f"{output}: these are the originals themselves; choose another output")
    if inner.is_relative_to(outer):
        raise OutputError(f"{output}: lies inside --root {root}; choose an output elsewhere")
    if outer.is_relative_to(inner):
        raise OutputError(f"{output}: holds --root {root}; choose an output elsewhere")


def check_output(output: Path, recipe: Recipe, *, overwrite: bool) -> bool:
    """Find out, without writing anything, whether the data set may be built in a folder and is not there already.

    Args:
        output: The data set to be.
        recipe: What it is to hold.
        overwrite: Whether a data set that is there will be removed first. Nothing but what was built here ever is.

    Returns:
        Whether there is anything to do.

    Raises:
        OutputError: The folder holds something else, or a data set of other settings.
    """
    if not output.exists():
        return True
    if not is_build(output):
        if not output.is_dir():
            raise OutputError(f"{output}: expected a folder for the data set, this is a file")
        if any(not path.name.startswith(f".{NAME}.") for path in output.iterdir()):
            raise OutputError(f"{output}: holds other things; choose a new or empty folder")
        return True
    if overwrite:
        return True
    before = Manifest.read(output)
    changed = differences(before.settings, recipe.settings())
    if before.sequences != recipe.sequences() and not changed:
        changed.append("other originals")
    if not before.complete:  # a complete one stays what it is, whatever is installed now
        changed += differences(before.versions, versions())
    if changed:
        raise OutputError(
            f"{output}: was built with other settings: {'; '.join(changed)}; choose another output, or add "
            "--overwrite to begin anew"
        )
    return not (before.complete and _all_there(output, recipe.plan))


def begin(output: Path, recipe: Recipe, *, overwrite: bool) -> None:
    """Make a folder ready that `check_output` found fit: note what is being built, and that it is not complete.

    Raises:
        OutputError: Something there cannot be removed, or the folder cannot be written.
    """
    if is_build(output):
        _remove(output, everything=overwrite)
    Manifest(False, recipe.settings(), versions(), recipe.sequences()).write(output)


def build(recipe: Recipe, output: Path, *, workers: Workers, warn: Callable[[str], None]) -> Iterator[None]:
    """Build the data set in a folder that was begun; yields after each degraded frame.

    The caller may stop between two frames; the next run goes on.

    Args:
        recipe: What it is to hold.
        output: The folder, after `begin`.
        workers: Processes that degrade.
        warn: Told what the user should know.

    Raises:
        OutputError: The disk is full, or something cannot be written.
        SourceError: An image cannot be read.
    """
    for sequence in recipe.plan:
        target = output / sequence.target
        if sequence.quality == "clean":
            carry_sequence(sequence.source, target, recipe.link, warn)
            continue
        partial = target.with_name(f".{target.name}.partial")
        place = target if target.is_dir() else partial
        for _ in iterate_sequence(sequence.source, place, recipe.degradation, name=sequence.name, workers=workers):
            yield
        if place is partial:
            _rename(partial, target)
    for name, members in recipe.plan.sets.items():
        entries = [SplitEntry(s.target.name, s.quality, output / s.target) for s in members]
        write_whole(output / f"{name}.txt", write_split(entries, output).encode())
    write_whole(output / MEMBERSHIP, write_membership(recipe.plan.membership).encode())
    remove_parts(output)
    Manifest(True, recipe.settings(), versions(), recipe.sequences()).write(output)


def _all_there(output: Path, plan: Plan) -> bool:
    lists = all((output / name).is_file() for name in (*LISTS, MEMBERSHIP))
    return lists and all(is_carried(sequence.source, output / sequence.target) for sequence in plan)


def _remove(output: Path, *, everything: bool) -> None:
    """Remove the lists, which say that all is there, and if asked ``everything`` else; links are not followed."""
    before = Manifest.read(output)
    try:
        Manifest(False, before.settings, before.versions, before.sequences).write(output)
        for name in (*LISTS, MEMBERSHIP):
            (output / name).unlink(missing_ok=True)
        for name in SETS if everything else ():
            if (output / name).is_dir():
                shutil.rmtree(output / name)
    except OSError as error:
        raise OutputError(f"{error.filename or output}: cannot be removed: {error.strerror}") from None


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be made: {error.strerror}") from None
