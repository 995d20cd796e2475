"""All that an evaluation found: methods, their runs, the comparison, the split by quality; and its JSON form."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsdmot.evaluation.by_quality import QualityGroup
from vsdmot.evaluation.comparison import Comparison
from vsdmot.evaluation.evaluate import Evaluation
from vsdmot.evaluation.rules import ChosenRule
from vsdmot.evaluation.runs import RunSummary, Spread, summarise
from vsdmot.version import __version__


@dataclass(frozen=True)
class Method:
    """A tracker with its runs.

    Attributes:
        name: What it is called.
        paths: Where the results of each run came from.
        runs: Each run, scored.
        summary: Means and standard deviations over the runs.
    """

    name: str
    paths: Sequence[Path]
    runs: Sequence[Evaluation]
    summary: RunSummary = field(init=False)

    def __post_init__(self) -> None:
        if len(self.paths) != len(self.runs):
            raise ValueError(f"expected a path for each run, got {len(self.paths)} and {len(self.runs)}")
        scores = [{name: one.scores for name, one in run.sequences.items()} for run in self.runs]
        object.__setattr__(self, "summary", summarise(scores))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an evaluation found.

    Attributes:
        truth: Where the ground truth came from.
        rules: Sequence to what counted, and why.
        methods: One or two.
        by_quality: Groups of frames, the poorest first, each scored for all runs of all methods in order; or empty.
        comparison: The first method against the second; None if there is only one.
    """

    truth: Path
    rules: Mapping[str, ChosenRule]
    methods: Sequence[Method]
    by_quality: Sequence[QualityGroup]
    comparison: Comparison | None

    @property
    def sequences(self) -> list[str]:
        """The names of the sequences."""
        return list(self.rules)

    def group_scores(self, group: QualityGroup, method: Method) -> dict[str, float]:
        """Average what a group of frames scored over the runs of a method."""
        first = 0
        for other in self.methods:
            if other is method:
                break
            first += len(other.runs)
        runs = group.scores[first : first + len(method.runs)]
        return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}

    def to_plain(self) -> dict[str, Any]:
        """Give everything as plain values; the names are fixed, and documented in ``docs/eval.md``.

        ``combined`` and ``sequences`` hold the first method: its only run, or the means over its runs.
        """
        plain = _method(self.methods[0])
        if len(self.methods) > 1:
            plain["against"] = _method(self.methods[1])
        if self.comparison is not None:
            names = (self.methods[0].name, self.methods[1].name)
            plain["comparison"] = {
                name: {
                    "difference": found.first_minus_second,
                    "interval": None if found.interval is None else list(found.interval),
                    "verdict": found.verdict,
                    "sentence": self.comparison.sentence(name, names),
                }
                for name, found in self.comparison.differences.items()
            }
        if self.by_quality:
            plain["by_quality"] = [
                {
                    "quality": [group.low, group.high],
                    "num_frames": group.num_frames,
                    "num_boxes": group.num_boxes,
                    **{
                        key: self.group_scores(group, method)
                        for key, method in zip(("scores", "against"), self.methods, strict=False)
                    },
                }
                for group in self.by_quality
            ]
        plain["settings"] = {
            "gt": str(self.truth),
            "rules": {name: {"rule": one.rule.name, "because": one.reason} for name, one in self.rules.items()},
            "num_frames": {name: one.num_frames for name, one in self.methods[0].runs[0].sequences.items()},
            "vsdmot": __version__,
            "trackeval": importlib.metadata.version("trackeval"),
        }
        return plain


def _method(method: Method) -> dict[str, Any]:
    runs = [run.to_plain() for run in method.runs]
    if len(runs) == 1:
        return {**runs[0], "name": method.name, "pred": str(method.paths[0])}
    summary = method.summary
    return {
        "combined": _means(summary.combined),
        "sequences": {name: _means(spreads) for name, spreads in summary.sequences.items()},
        "std": {
            "combined": _deviations(summary.combined),
            "sequences": {name: _deviations(spreads) for name, spreads in summary.sequences.items()},
        },
        "name": method.name,
        "runs": [{"pred": str(path), **run} for path, run in zip(method.paths, runs, strict=True)],
    }


def _means(spreads: Mapping[str, Spread]) -> dict[str, float]:
    return {name: spread.mean for name, spread in spreads.items()}


def _deviations(spreads: Mapping[str, Spread]) -> dict[str, float | None]:
    return {name: spread.sd for name, spread in spreads.items()}
