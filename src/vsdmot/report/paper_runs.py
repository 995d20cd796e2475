"""Collect runs into the rows of the paper's tables: score what is there, and say what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdmot.datasets.membership import PAPER
from vsdmot.errors import FormatError, SourceError
from vsdmot.evaluation.evaluate import evaluate_sequence
from vsdmot.evaluation.official_text import read_truth
from vsdmot.evaluation.result_files import Results, find_results
from vsdmot.evaluation.rules import choose_rule
from vsdmot.evaluation.score_store import ScoreStore, digest_of_truth
from vsdmot.evaluation.scores import Scores, combine
from vsdmot.evaluation.tracked_files import read_tracked
from vsdmot.evaluation.truth_files import TruthFile, find_truth
from vsdmot.io.hashes import hash_file
from vsdmot.io.problems import counted, some
from vsdmot.report.paper_commands import Command, Places, commands_for
from vsdmot.report.paper_layout import COLUMNS, SETS, Row, SetName

SCORES_KEPT = ".scores"
"""Folder in ``--runs`` where scores are kept, so that results that did not change are not scored again."""


@dataclass(frozen=True)
class Filled:
    """A row whose run is there.

    Attributes:
        row: The row.
        scores: Fractions of 1, by name.
        source: Where they come from: a folder of results, or a file of saved scores.
    """

    row: Row
    scores: dict[str, float]
    source: Path


@dataclass(frozen=True)
class Missing:
    """A row whose run is not there, or not all of it.

    Attributes:
        row: The row.
        reason: What is missing, one line.
        commands: What makes it, in order; empty for trackers of others.
    """

    row: Row
    reason: str
    commands: tuple[Command, ...]


class RunCollector:
    """Fills rows from a folder of runs.

    Args:
        places: Where everything is.
        step: Called after each sequence that was scored.
    """

    def __init__(self, places: Places, step: Callable[[], None]) -> None:
        self.places = places
        self._step = step
        self._store = ScoreStore(places.runs / SCORES_KEPT)
        self._truth: dict[SetName, list[TruthFile]] = {}
        self._filled: dict[tuple[str, SetName], Filled | Missing] = {}

    def fill(self, row: Row) -> Filled | Missing:
        """Score the run of a row, or say what is missing; a run that several rows show is looked at once.

        Raises:
            FormatError: Results, ground truth or saved scores cannot be read.
            OutputError: Scores cannot be kept.
        """
        key = (row.run, row.set)
        if key not in self._filled:
            self._filled[key] = self._look(row)
        known = self._filled[key]
        if isinstance(known, Filled):
            return Filled(row, known.scores, known.source)
        return Missing(row, known.reason, known.commands)

    def _look(self, row: Row) -> Filled | Missing:
        folder = self.places.results(row)
        saved = folder.with_name(f"{folder.name}.json")
        if not folder.is_dir() and saved.is_file():
            return Filled(row, self._read_saved(saved, row.set), saved)
        truth = self._truth_of(row.set)
        names = [file.name for file in truth] or [*PAPER[SETS[row.set].built].validation]
        there, missing = _results(folder, names)
        if missing or not truth:
            what = f"{counted(len(missing), 'result')} of {len(names)}" if there else "not run"
            reason = f"{folder}: {what}" if truth else f"{self.places.split(SETS[row.set])}: the data is not built"
            return Missing(row, reason, tuple(commands_for(row, missing or names, self.places)))
        return Filled(row, self._score(truth, there), folder)

    def _truth_of(self, name: SetName) -> list[TruthFile]:
        if name not in self._truth:
            folder = self.places.split(SETS[name])
            self._truth[name] = find_truth(folder) if folder.is_dir() else []
        return self._truth[name]

    def _score(self, truth: Sequence[TruthFile], results: dict[str, Path]) -> dict[str, float]:
        every: dict[str, Scores] = {}
        for file in truth:
            every[file.name] = self._score_sequence(file, results[file.name])
            self._step()
        combined = combine(every)
        return {name: combined[name] for name in COLUMNS}

    def _score_sequence(self, file: TruthFile, path: Path) -> Scores:
        boxes = read_truth(file.path)
        rule = choose_rule("auto", file.name, boxes)
        depends_on = {
            "sequence": file.name,
            "truth": digest_of_truth(boxes),
            "rule": rule.rule.name,
            "num_frames": file.num_frames,
            "results": hash_file(path),
            "suffix": path.suffix,
        }
        kept = self._store.find(depends_on)
        if kept is not None:
            return kept.scores
        scores = evaluate_sequence(file.name, boxes, read_tracked(path).tracks, rule, file.num_frames).scores
        self._store.keep(depends_on, scores)
        return scores

    def _read_saved(self, path: Path, name: SetName) -> dict[str, float]:
        """Read what `vsdmot eval --json` wrote, and make sure that it is of all sequences of the set."""
        expected = "expected what `vsdmot eval --json` writes"
        try:
            plain: Any = json.loads(path.read_text(encoding="utf-8"))
            scores = {column: float(plain["combined"][column]) for column in COLUMNS}
            sequences = set(plain["sequences"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path}: {expected}, got something else ({type(error).__name__}: {error})") from None
        wanted = {file.name for file in self._truth_of(name)}
        if wanted and sequences != wanted:
            raise FormatError(f"{path}: {expected} for {name} ({some(sorted(wanted))}), got {some(sorted(sequences))}")
        return scores


def _results(folder: Path, names: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """Find the results that are there, and the names of those that are not."""
    there: dict[str, Path] = {}
    if not folder.is_dir():
        return there, list(names)
    for name in names:
        try:
            found: Results = find_results(folder, [name])
        except SourceError:
            continue
        there[name] = found.files[name]
    return there, [name for name in names if name not in there]
