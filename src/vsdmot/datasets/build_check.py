"""Find what is wrong with a data set that was built: not finished, lists that lead nowhere, boxes that differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsdmot.datasets.build import LISTS
from vsdmot.datasets.manifest import NAME, Manifest
from vsdmot.datasets.splits import SplitEntry, read_split
from vsdmot.errors import FormatError
from vsdmot.io.box_checks import problem_of
from vsdmot.io.problems import Problem, counted, some


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What the lists of a data set hold and what is wrong.

    Attributes:
        num_degraded: Name of each list to its degraded sequences.
        num_clean: Name of each list to its clean sequences.
        problems: What is likely to be wrong.
    """

    num_degraded: dict[str, int]
    num_clean: dict[str, int]
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        """Say in a line for each list what it holds."""
        return [f"{name}: {self._shares(name)}" for name in self.num_clean]

    def _shares(self, name: str) -> str:
        degraded, clean = self.num_degraded[name], self.num_clean[name]
        every = counted(degraded + clean, "sequence")
        if degraded and clean:
            return f"{every}, {degraded} degraded and {clean} clean"
        if not degraded and not clean:
            return every
        return f"{every}, {'degraded' if degraded else 'clean'}"


def check_build(folder: Path) -> BuildReport:
    """Check a data set that `vsdmot.datasets.build.build` made.

    Raises:
        FormatError: The folder holds no such data set.
    """
    problems = []
    if not Manifest.read(folder).complete:
        message = "the build was not finished; the command that began it goes on with it"
        problems.append(Problem("unfinished build", message, str(folder / NAME)))
    lists: dict[str, tuple[SplitEntry, ...]] = {}
    for name in LISTS:
        try:
            lists[name] = read_split(folder / name)
        except FormatError as error:
            problems.append(problem_of(error, "unreadable split file"))
    problems += _compare(lists.get("val.txt", ()), lists.get("val_clean.txt", ()), folder / "val.txt")
    return BuildReport(
        num_degraded={name: sum(entry.quality == "degraded" for entry in entries) for name, entries in lists.items()},
        num_clean={name: sum(entry.quality == "clean" for entry in entries) for name, entries in lists.items()},
        problems=tuple(problems),
    )


def _compare(degraded: tuple[SplitEntry, ...], clean: tuple[SplitEntry, ...], path: Path) -> list[Problem]:
    originals = {entry.name: entry.folder for entry in clean}
    differ = [entry.name for entry in degraded if entry.name in originals and not _same(entry, originals[entry.name])]
    if not differ:
        return []
    message = f"expected gt/gt.txt as in val_clean, byte for byte; it differs for {some(differ)}"
    return [Problem("ground truth differs", message, str(path))]


def _same(entry: SplitEntry, original: Path) -> bool:
    try:
        return (entry.folder / "gt/gt.txt").read_bytes() == (original / "gt/gt.txt").read_bytes()
    except OSError:
        return False
