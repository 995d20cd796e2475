"""The commands that make a run of the paper's tables, from original data to results; what is done is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.report.paper_layout import SETS, Row, ValidationSet

ORIGINALS = "ORIGINALS"
"""Stands in commands for the folder of the original data sets, which only the user knows."""

_RATIO_OF_DATA = {"table6_ratio_0_1": "0:1", "table6_ratio_1_1": "1:1", "table6_ratio_1_0": "1:0"}


@dataclass(frozen=True)
class Command:
    """A command of ours.

    Attributes:
        words: What follows ``vsdmot``.
        makes: The file or folder that is there once it was run.
    """

    words: tuple[str, ...]
    makes: Path

    @property
    def is_done(self) -> bool:
        """Whether what it makes is there."""
        return self.makes.exists()


@dataclass(frozen=True)
class Places:
    """Where data, runs and recipes are.

    Attributes:
        data: ``--root``: holds the built data sets, such as ``LQMOT``.
        runs: ``--runs``.
        recipes: Folder of the recipes.
    """

    data: Path
    runs: Path
    recipes: Path

    def split(self, of: ValidationSet) -> Path:
        """Give the folder of a validation set."""
        return self.data / of.data_set / of.split

    def results(self, row: Row) -> Path:
        """Give the folder of a row's results."""
        return self.runs / row.run / row.set

    def best(self, run: str) -> Path:
        """Give the folder of a trained run's weights."""
        return self.runs / run / "best"


def commands_for(row: Row, names: Sequence[str], places: Places) -> list[Command]:
    """List what has to be run for a row, in order.

    Args:
        row: The row; none of code of others, which no command of ours makes.
        names: The sequences that have to be tracked.
        places: Where everything is.
    """
    if row.origin == "elsewhere":
        return []
    return [command for command in _all_commands(row, names, places) if not command.is_done]


def _all_commands(row: Row, names: Sequence[str], places: Places) -> Iterator[Command]:
    of = SETS[row.set]
    built = places.data / of.data_set
    yield _build(of, built, "2:1")
    detector = places.best(f"yolox_{of.built}")
    yield _train(f"yolox_{of.built}", places)
    trains = row.origin == "recipe"
    training_set = built
    if row.run in _RATIO_OF_DATA:
        ratio = _RATIO_OF_DATA[row.run]
        training_set = places.data / f"{of.data_set}-{ratio.replace(':', '_')}"
        yield _build(of, training_set, ratio)
    splits: list[tuple[Path, str]] = [(built, of.split)]
    if trains and not _is_motr(row.run):  # training looks at the validation set of poor pictures
        splits = [(training_set, "train"), *dict.fromkeys([(built, "val"), *splits])]
    for data_set, split in splits:
        yield _detect(data_set, split, detector)
    if trains:
        yield _train(row.run, places)
    for name in names:
        yield _track(row, name, built / "proposals" / of.split / f"{name}.txt", places)


def _build(of: ValidationSet, output: Path, ratio: str) -> Command:
    chosen = () if ratio == "2:1" else ("--ratio", ratio)
    return Command(("data", "build", of.built, "--root", ORIGINALS, "-o", str(output), *chosen), output / "train.txt")


def _train(run: str, places: Places) -> Command:
    recipe = places.recipes / f"{run}.yaml"
    words = ("train", str(recipe), f"root={places.data}", "-o", str(places.runs / run))
    return Command(words, places.best(run))


def _detect(data_set: Path, split: str, detector: Path) -> Command:
    output = data_set / "proposals" / split
    words = ("detect", str(data_set / f"{split}.txt"), "--detector", str(detector / "model.safetensors"))
    return Command((*words, "-o", str(output)), output)


def _track(row: Row, name: str, proposals: Path, places: Places) -> Command:
    output = places.results(row) / f"{name}.txt"
    words = ["track", str(places.split(SETS[row.set]) / name)]
    if row.origin == "association":
        words += ["--tracker", row.run]
    else:
        with_student = not row.run.startswith(("motr", "table5_1"))
        words += ["--tracker", "vsdmot" if with_student else "motrv2", "--weights", str(places.best(row.run))]
    words += ["--detections", str(proposals)]
    if _is_motr(row.run):
        words += ["--conf", "1"]  # MOTR takes no proposals, and none scores above 1
    return Command((*words, "--mot", str(output)), output)


def _is_motr(run: str) -> bool:
    """Whether a run finds people without proposals."""
    return run.startswith("motr_")
