"""Score results against ground truth, in memory: what ``vsdmot eval`` does with files, and training with its model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vsdmot.evaluation.by_frame import FrameCounts, count_by_frame
from vsdmot.evaluation.preprocess import prepare
from vsdmot.evaluation.rules import ChosenRule, RuleChoice, choose_rule
from vsdmot.evaluation.scores import Scores, combine, score
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.annotations import GroundTruth
from vsdmot.structures import FrameResult


@dataclass(frozen=True, eq=False)
class SequenceEvaluation:
    """One sequence, scored.

    Attributes:
        scores: The official metrics.
        rule: What counted, and why.
        num_frames: Its length.
        by_frame: What happened in each frame.
    """

    scores: Scores
    rule: ChosenRule
    num_frames: int
    by_frame: FrameCounts | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Sequences, scored one by one and together.

    Attributes:
        combined: The official metrics of all sequences as one.
        sequences: Each sequence, in the order given.
    """

    combined: Scores
    sequences: Mapping[str, SequenceEvaluation]

    def to_plain(self) -> dict[str, Any]:
        """Give ``{"combined": {...}, "sequences": {NAME: {...}}}`` with every field of `Scores`, as plain values."""
        return {
            "combined": self.combined.to_plain(),
            "sequences": {name: one.scores.to_plain() for name, one in self.sequences.items()},
        }


def evaluate(
    truth: Mapping[str, GroundTruth],
    tracks: Mapping[str, TrackedBoxes | Iterable[FrameResult]],
    *,
    rule: RuleChoice = "auto",
    num_frames: Mapping[str, int] | None = None,
) -> Evaluation:
    """Score a tracker on sequences by the official metrics.

    Args:
        truth: Sequence to ground truth, as `read_ground_truth` gives it.
        tracks: Sequence to what the tracker reported, with the same names: what ``Tracker.stream`` gives will do.
        rule: What counts; ``auto`` finds it from the ground truth, for each sequence.
        num_frames: Sequence to its length; for those not named it ends with the last box of either side.

    Raises:
        FormatError: Ids or frames are not what they must be, as `prepare` says.
        ValueError: The sequences of the two differ, or there is none.

    >>> import numpy as np
    >>> from pathlib import Path
    >>> walker = GroundTruth(
    ...     path=Path("gt.txt"), frames=np.array([1, 2]), ids=np.array([1, 1]), considered=np.ones(2, bool),
    ...     boxes=np.array([[0.0, 0.0, 10.0, 20.0], [2.0, 0.0, 12.0, 20.0]]), classes=np.array([1, 1]),
    ...     visibility=np.ones(2), line_numbers=np.array([1, 2]),
    ... )
    >>> seen_once = TrackedBoxes(np.array([2]), np.array([7]), np.array([[2.0, 0.0, 12.0, 20.0]]))
    >>> result = evaluate({"walk": walker}, {"walk": seen_once})
    >>> result.combined["HOTA"], result.combined["CLR_FN"]
    (0.5, 1)
    """
    if set(truth) != set(tracks):
        raise ValueError(f"expected the same sequences, got truth of {sorted(truth)} and tracks of {sorted(tracks)}")
    lengths = num_frames or {}
    sequences = {}
    for name, boxes in truth.items():
        reported = tracks[name]
        reported = reported if isinstance(reported, TrackedBoxes) else TrackedBoxes.from_results(reported)
        sequences[name] = evaluate_sequence(
            name, boxes, reported, choose_rule(rule, name, boxes), lengths.get(name), by_frame=True
        )
    return Evaluation(combine({name: one.scores for name, one in sequences.items()}), sequences)


def evaluate_sequence(
    name: str,
    truth: GroundTruth,
    tracks: TrackedBoxes,
    rule: ChosenRule,
    num_frames: int | None,
    *,
    by_frame: bool = False,
) -> SequenceEvaluation:
    """Score one sequence; ``num_frames`` None ends it with the last box of either side.

    Raises:
        FormatError: Ids or frames are not what they must be, as `prepare` says.
    """
    if num_frames is None:
        num_frames = int(max(truth.frames.max(initial=0), tracks.frames.max(initial=0)))
    data = prepare(name, truth, tracks, rule.rule, num_frames)
    return SequenceEvaluation(score(data), rule, num_frames, count_by_frame(data) if by_frame else None)
