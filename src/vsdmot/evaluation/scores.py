"""The official metrics of a sequence or of several, by the classes of TrackEval, and under its names."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vsdmot.evaluation.preprocess import SequenceData

ALPHAS: NDArray[np.float64] = np.arange(0.05, 0.99, 0.05)
"""``(19,)``: the localisation thresholds that HOTA and its parts are averaged over (Luiten et al. 2021)."""

FIELDS = (
    "HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA", "HOTA(0)", "LocA(0)", "HOTALocA(0)",
    "MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR", "sMOTA", "CLR_F1", "FP_per_frame", "MOTAL",
    "MOTP_sum", "CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "CLR_Frames",
    "IDF1", "IDR", "IDP", "IDTP", "IDFN", "IDFP",
)  # fmt: skip
"""Every number of `Scores`, in TrackEval's order and spelling."""

COUNTS = frozenset(
    ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "CLR_Frames", "IDTP", "IDFN", "IDFP")
)
"""Fields that are whole numbers; all others but ``FP_per_frame`` and ``MOTP_sum`` are fractions of 1."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What TrackEval says about one sequence, or about several together.

    ``scores["HOTA"]`` gives a field. Accuracies are fractions of 1, never percent.

    Attributes:
        values: Every one of `FIELDS`; HOTA and its parts as the mean over `ALPHAS`.
        per_alpha: ``(19,)`` each: HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr, LocA, OWTA, HOTA_TP, HOTA_FN, HOTA_FP.
    """

    values: Mapping[str, float]
    per_alpha: Mapping[str, NDArray[np.float64]]

    def __getitem__(self, field: str) -> float:
        return self.values[field]

    def to_plain(self) -> dict[str, Any]:
        """Give all numbers as plain values: the fields, and beside them ``per_alpha`` with its arrays as lists."""
        return {
            **self.values,
            "per_alpha": {
                "alpha": [round(float(alpha), 2) for alpha in ALPHAS],
                **{name: array.tolist() for name, array in self.per_alpha.items()},
            },
        }


def score(data: SequenceData) -> Scores:
    """Score one sequence by TrackEval's HOTA, CLEAR and Identity."""
    inputs = data.for_trackeval()
    return _gather([metric.eval_sequence(inputs) for metric in _metrics()])


def combine(sequences: Mapping[str, Scores]) -> Scores:
    """Score several sequences as one, as TrackEval does: counts are added, and fractions made of the sums.

    Raises:
        ValueError: There is no sequence.
    """
    if not sequences:
        raise ValueError("combine needs at least one sequence")
    results = {name: {**scores.values, **scores.per_alpha} for name, scores in sequences.items()}
    return _gather([metric.combine_sequences(results) for metric in _metrics()])


@functools.cache
def _metrics() -> tuple[Any, ...]:
    from trackeval.metrics import CLEAR, HOTA, Identity  # half a second; only who evaluates pays it

    return HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})


def _gather(results: list[dict[str, Any]]) -> Scores:
    found = {name: value for result in results for name, value in result.items()}
    arrays = {name: np.asarray(value, float) for name, value in found.items() if np.ndim(value) == 1}
    means = {name: float(array.mean()) for name, array in arrays.items()}
    numbers = {**{name: value for name, value in found.items() if name not in arrays}, **means}
    values = {name: int(numbers[name]) if name in COUNTS else float(numbers[name]) for name in FIELDS}
    return Scores(values, arrays)
