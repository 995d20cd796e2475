"""Several runs of one method: mean and standard deviation of every number.

A tracker that is trained gives other numbers with another seed. What is reported is then the mean over runs, each run
combined over its sequences first, as the official evaluation does: the combined row of a run is the number that a paper
prints, and the standard deviation is that of such numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vsdmot.evaluation.scores import FIELDS, Scores, combine

Run = Mapping[str, Scores]
"""One result of a method: sequence name to scores."""


@dataclass(frozen=True)
class Spread:
    """One number over several runs.

    Attributes:
        mean: Over the runs, in the field's own unit (accuracies are fractions of 1).
        sd: Sample standard deviation (divisor: runs - 1); None with a single run, which shows no spread.
    """

    mean: float
    sd: float | None

    @classmethod
    def over(cls, values: ArrayLike) -> Spread:
        """Make it from one value a run, ``(R,)``.

        >>> Spread.over([0.5, 0.75, 1.0])
        Spread(mean=0.75, sd=0.25)
        """
        found = np.asarray(values, float)
        return cls(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else None)


@dataclass(frozen=True)
class RunSummary:
    """What the runs of one method have in common.

    Attributes:
        num_runs: How many runs there are.
        combined: Every one of `FIELDS`, over all sequences as one.
        sequences: The same for each sequence, in the order of the first run.
    """

    num_runs: int
    combined: Mapping[str, Spread]
    sequences: Mapping[str, Mapping[str, Spread]]


def summarise(runs: Sequence[Run]) -> RunSummary:
    """Give mean and standard deviation over the runs of one method.

    Raises:
        ValueError: There is no run or no sequence, the runs speak of different sequences, or were scored against
            different ground truth.
    """
    names = check_sequences({f"run {number}": run for number, run in enumerate(runs, 1)})
    return RunSummary(
        num_runs=len(runs),
        combined=_spreads([combine(run) for run in runs]),
        sequences={name: _spreads([run[name] for run in runs]) for name in names},
    )


def check_sequences(runs: Mapping[str, Run]) -> list[str]:
    """Give the sequences that all runs speak of, in the order of the first run.

    Args:
        runs: By the words that an error calls them by.

    Raises:
        ValueError: There is no run or no sequence, or two runs differ in their sequences or in the number of true
            boxes of one, which no tracker can change.
    """
    if not runs:
        raise ValueError("expected at least one run, got none")
    (label, reference), *others = runs.items()
    if not reference:
        raise ValueError(f"{label} has no sequence")
    for other_label, other in others:
        if reference.keys() != other.keys():
            parts = ((label, reference.keys() - other.keys()), (other_label, other.keys() - reference.keys()))
            alone = "; ".join(f"only {who} has {', '.join(sorted(names))}" for who, names in parts if names)
            raise ValueError(f"{label} and {other_label} speak of different sequences: {alone}")
        for name in reference:
            boxes, other_boxes = num_true_boxes(reference[name]), num_true_boxes(other[name])
            if boxes != other_boxes:
                raise ValueError(
                    f"sequence {name} has {boxes} true boxes in {label} and {other_boxes} in {other_label}: "
                    "score all runs against the same ground truth, by the same rules"
                )
    return list(reference)


def num_true_boxes(scores: Scores) -> int:
    """Count the boxes of the ground truth that took part, the same for every tracker."""
    return int(scores["CLR_TP"] + scores["CLR_FN"])


def _spreads(results: Sequence[Scores]) -> dict[str, Spread]:
    return {field: Spread.over([scores[field] for scores in results]) for field in FIELDS}
