"""What a test of robustness found: scores by tracker and condition, and their means as such benchmarks define them.

For a score ``P`` of a tracker, with degradations ``D`` and severities ``S`` (without clean):

- mean under degradation: ``mean over D of the mean over S of P``. It is mPC of Michaelis et al. 2019 ("Benchmarking
  Robustness in Object Detection", arXiv:1907.07484), who average over corruptions and severities as Hendrycks and
  Dietterich do with errors (2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations");
- relative: that mean divided by ``P`` on clean frames, rPC of Michaelis et al.: what is left under degradation. A
  tracker that is poor everywhere can have a high one, so the two are read together.

A mean over cells of which some are missing would compare unlike things, so it is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vsdmot.degradation.operators import Operator
from vsdmot.evaluation.robustness.conditions import CLEAN, Condition
from vsdmot.evaluation.robustness.run import CellDone, CellFailed
from vsdmot.evaluation.scores import Scores, combine

METRICS = ("HOTA", "DetA", "AssA", "IDF1")
"""What robustness is told in."""


@dataclass
class Robustness:
    """Scores by tracker, condition and sequence; it fills while a test is carried out.

    Attributes:
        trackers: Their names, in order.
        conditions: Under which they are tested.
        sequences: On which.
        cells: What is scored so far.
        failures: What could not be scored.
    """

    trackers: Sequence[str]
    conditions: Sequence[Condition]
    sequences: Sequence[str]
    cells: dict[tuple[str, Condition], dict[str, CellDone]] = field(default_factory=dict)
    failures: list[CellFailed] = field(default_factory=list)
    _combined: dict[tuple[str, Condition], Scores] = field(default_factory=dict)

    def add(self, done: CellDone) -> None:
        """Take in a cell."""
        cell = done.cell
        self.cells.setdefault((cell.tracker, cell.condition), {})[cell.sequence] = done

    @property
    def degradations(self) -> list[Operator]:
        """The degradations, in order."""
        return list(dict.fromkeys(one.degradation for one in self.conditions if one.degradation is not None))

    @property
    def severities(self) -> list[int]:
        """The severities, clean as 0, rising."""
        return sorted({one.severity for one in self.conditions})

    def combined(self, tracker: str, condition: Condition) -> Scores | None:
        """Give the scores of all sequences as one; None while one is missing."""
        key = (tracker, condition)
        found = self.cells.get(key, {})
        if set(found) != set(self.sequences):
            return None
        if key not in self._combined:
            self._combined[key] = combine({name: found[name].scores for name in self.sequences})
        return self._combined[key]

    def score(self, tracker: str, condition: Condition, metric: str) -> float | None:
        """Give one number of all sequences as one; None while one is missing."""
        scores = self.combined(tracker, condition)
        return None if scores is None else scores[metric]

    def curve(self, tracker: str, degradation: Operator | None, metric: str) -> list[float | None]:
        """Give a number at each of `severities`; for None the mean over all degradations."""
        return [self._at(tracker, degradation, severity, metric) for severity in self.severities]

    def _at(self, tracker: str, degradation: Operator | None, severity: int, metric: str) -> float | None:
        if not severity:
            return self.score(tracker, CLEAN, metric)
        degradations = self.degradations if degradation is None else [degradation]
        return _mean([self.score(tracker, Condition(one, severity), metric) for one in degradations])

    def mean_degraded(self, tracker: str, metric: str, degradation: Operator | None = None) -> float | None:
        """Give the mean over severities, of one degradation or of all; None where a cell is missing."""
        degradations = self.degradations if degradation is None else [degradation]
        worse = [severity for severity in self.severities if severity]
        return _mean([_mean([self._at(tracker, one, severity, metric) for severity in worse]) for one in degradations])

    def relative(self, tracker: str, metric: str) -> float | None:
        """Give what is left under degradation: the mean divided by the score on clean frames."""
        clean, degraded = self.score(tracker, CLEAN, metric), self.mean_degraded(tracker, metric)
        return None if clean is None or degraded is None or clean <= 0 else degraded / clean

    def rows(self) -> Iterator[tuple[str, Condition, str, Scores]]:
        """Give tracker, condition, sequence and scores of every cell, in order."""
        for tracker in self.trackers:
            for condition in self.conditions:
                found: Mapping[str, CellDone] = self.cells.get((tracker, condition), {})
                for name in self.sequences:
                    if name in found:
                        yield tracker, condition, name, found[name].scores


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
