"""Carry out a test of robustness: degrade, propose, track and score, cell by cell.

A cell is a tracker on a sequence under a condition. It is kept on disk under everything that it depends on, so a run
that was killed goes on where it stopped, and another tracker, degradation or severity costs only what is new. All
trackers that lack a cell go through the frames side by side, so that each frame is degraded, read and assessed once.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.degradation.sequences import iterate_sequence
from vsdmot.degradation.workers import Workers
from vsdmot.detection.files import open_detections
from vsdmot.detection.writers import DetTextWriter
from vsdmot.errors import OutputError, SourceError, VsdmotError
from vsdmot.evaluation.evaluate import evaluate_sequence
from vsdmot.evaluation.result_files import find_results
from vsdmot.evaluation.robustness.conditions import Condition
from vsdmot.evaluation.robustness.entrants import Entrant, Submitted
from vsdmot.evaluation.robustness.footage import Footage
from vsdmot.evaluation.robustness.grid import Cell, RobustnessTest
from vsdmot.evaluation.robustness.passing import TrackersSideBySide
from vsdmot.evaluation.scores import Scores
from vsdmot.evaluation.tracked_files import read_tracked
from vsdmot.io.hashes import hash_file
from vsdmot.io.problems import counted
from vsdmot.io.sources import open_source


@dataclass(frozen=True)
class FrameDone:
    """A frame was degraded, searched for people, or tracked."""


@dataclass(frozen=True, eq=False)
class CellDone:
    """A cell is scored.

    Attributes:
        cell: Which.
        scores: Its scores.
        tracks: The tracks that were scored; None where somebody removed them.
        kept: Whether an earlier run had scored it.
    """

    cell: Cell
    scores: Scores
    tracks: Path | None
    kept: bool


@dataclass(frozen=True)
class CellFailed:
    """A cell could not be scored; ``reason`` is one line."""

    cell: Cell
    reason: str


Event = FrameDone | CellDone | CellFailed


def carry_out(test: RobustnessTest, workers: Workers) -> Generator[Event]:
    """Do what a test asks for; yields after each frame and each cell. A later run goes on where this one stops.

    What goes wrong with a tracker, its results or a sequence costs the cells concerned; the rest goes on.

    Raises:
        OutputError: What was found cannot be kept.
        FormatError: Something that was kept is damaged.
    """
    for condition in test.conditions:
        for footage in test.footage:
            missing = test.missing(footage, condition)
            names = {one.name for one in missing}
            failed: set[str] = set()
            try:
                yield from _run(test, footage, condition, missing, workers, failed)
            except OutputError:
                raise
            except VsdmotError as error:
                for name in sorted(names - failed):
                    yield CellFailed(Cell(name, footage.name, condition), _one_line(error))
                failed |= names
            for entrant in test.entrants:
                kept = test.store.find(test.depends_on(footage, condition, entrant))
                if kept is not None:
                    cell = Cell(entrant.name, footage.name, condition)
                    yield CellDone(cell, kept.scores, kept.tracks, entrant.name not in names)
            for submitted in test.submitted:
                yield _score_submitted(test, footage, condition, submitted)


def _run(
    test: RobustnessTest,
    footage: Footage,
    condition: Condition,
    missing: Sequence[Entrant],
    workers: Workers,
    failed: set[str],
) -> Iterator[Event]:
    """Run the trackers that lack a cell, and keep what they score."""
    folder = footage.folder
    if condition.degradation is not None and (missing or test.is_degraded_for_others(footage, condition)):
        folder = (test.degraded or test.folder / "degraded") / condition.folder / footage.name
        settings = condition.settings(test.seed)
        yield from _degrade(footage, folder, settings, workers)
    if missing:
        shared = None
        if any(one.takes_proposals for one in missing):
            yield from _propose(test, footage, condition, folder)
            shared = open_detections(test.proposals_file(footage, condition))
        yield from _track(test, footage, condition, folder, missing, shared, failed)
    if folder != footage.folder and test.degraded is None:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # others may be there
            for above in list(folder.parents)[:3]:  # severity, operator, and the folder of them all
                above.rmdir()


def _degrade(footage: Footage, folder: Path, settings: DegradeSettings, workers: Workers) -> Iterator[Event]:
    for _ in iterate_sequence(footage.folder, folder, settings, name=footage.name, workers=workers):
        yield FrameDone()


def _propose(test: RobustnessTest, footage: Footage, condition: Condition, folder: Path) -> Iterator[Event]:
    """Make the shared proposals, unless they are there; trackers read them from the file, whoever made it when."""
    path = test.proposals_file(footage, condition)
    if path.is_file():
        return
    assert test.proposals is not None, "a tracker takes proposals"
    _make_folder(path.parent)
    with open_source(folder) as frames, DetTextWriter(path) as writer:
        for frame in frames:
            writer.write(frame, test.proposals.detect(frame))
            yield FrameDone()


def _track(
    test: RobustnessTest,
    footage: Footage,
    condition: Condition,
    folder: Path,
    missing: Sequence[Entrant],
    shared: Any,
    failed: set[str],
) -> Iterator[Event]:
    """Track, score and keep; ``failed`` collects the names of trackers that could not."""
    parts = test.folder / "tracking"
    shutil.rmtree(parts, ignore_errors=True)
    _make_folder(parts)
    least = None if test.proposals is None else test.proposals.least
    with ExitStack() as stack:
        frames = stack.enter_context(open_source(folder))
        passing = stack.enter_context(TrackersSideBySide(missing, footage.frame_rate, parts, shared, least))
        for frame in frames:
            for name, reason in passing.step(frame):
                failed.add(name)
                yield CellFailed(Cell(name, footage.name, condition), reason)
            yield FrameDone()
        if frames.report.num_broken:
            count, first = frames.report.num_broken, frames.report.notes[0]
            raise SourceError(f"{folder}: {counted(count, 'frame')} could not be read: {first}")
    for entrant, path in passing.finished():
        try:
            scores = _score(footage, path)
        except OutputError:
            raise
        except VsdmotError as error:
            failed.add(entrant.name)
            yield CellFailed(Cell(entrant.name, footage.name, condition), _one_line(error))
        else:
            test.store.keep(test.depends_on(footage, condition, entrant), scores, path)
    shutil.rmtree(parts, ignore_errors=True)


def _score(footage: Footage, tracks: Path) -> Scores:
    return evaluate_sequence(
        footage.name, footage.truth, read_tracked(tracks).tracks, footage.rule, footage.num_frames
    ).scores


def _score_submitted(
    test: RobustnessTest, footage: Footage, condition: Condition, submitted: Submitted
) -> CellDone | CellFailed:
    """Score a result file, unless this very file was scored before."""
    cell = Cell(submitted.name, footage.name, condition)
    try:
        folder = submitted.folder / condition.folder
        path = find_results(folder, [footage.name]).files[footage.name]
        depends_on = {**footage.identity(), "results": hash_file(path), "suffix": path.suffix}
        kept = test.store.find(depends_on)
        if kept is None:
            scores = _score(footage, path)
            test.store.keep(depends_on, scores)
            return CellDone(cell, scores, path, kept=False)
        return CellDone(cell, kept.scores, path, kept=True)
    except OutputError:
        raise
    except VsdmotError as error:
        return CellFailed(cell, _one_line(error))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())
