"""What a test of robustness found, as tables, sentences, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from vsdmot.evaluation.robustness.conditions import CLEAN, Condition
from vsdmot.evaluation.robustness.summary import METRICS, Robustness
from vsdmot.evaluation.scores import FIELDS
from vsdmot.report.tables import Table

_NOTHING = "-"


def summary_table(found: Robustness, decimals: int) -> Table:
    """Make the table of means: for each tracker clean, under degradation, and what is left, for each metric."""
    columns = [f"{metric} {part}" for metric in METRICS for part in ("clean", "degraded", "kept")]
    rows = []
    for tracker in found.trackers:
        cells = [tracker]
        for metric in METRICS:
            cells.append(_percent(found.score(tracker, CLEAN, metric), decimals))
            cells.append(_percent(found.mean_degraded(tracker, metric), decimals))
            cells.append(_percent(found.relative(tracker, metric), 0, " %"))
        rows.append(tuple(cells))
    return Table(title=_summary_title(found), columns=("tracker", *columns), rows=tuple(rows))


def degradation_table(found: Robustness, metric: str, decimals: int) -> Table:
    """Make the table of one metric by degradation, mean over severities, a column for each tracker."""
    rows = [("clean", *(_percent(found.score(one, CLEAN, metric), decimals) for one in found.trackers))]
    for degradation in found.degradations:
        means = (found.mean_degraded(tracker, metric, degradation) for tracker in found.trackers)
        rows.append((degradation, *(_percent(mean, decimals) for mean in means)))
    total = ("MEAN DEGRADED", *(_percent(found.mean_degraded(one, metric), decimals) for one in found.trackers))
    worse = [severity for severity in found.severities if severity]
    title = f"{metric}, mean over severities {', '.join(map(str, worse))}" if worse else metric
    return Table(title=title, columns=("degradation", *found.trackers), rows=tuple(rows), totals=(total,))


def to_csv(found: Robustness) -> str:
    """Give every field of every cell, fractions in full; ``COMBINED`` are all sequences as one."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("tracker", "degradation", "severity", "sequence", *FIELDS))
    for tracker in found.trackers:
        for condition in found.conditions:
            every = {name: scores for one, at, name, scores in found.rows() if (one, at) == (tracker, condition)}
            combined = found.combined(tracker, condition)
            if combined is not None:
                every["COMBINED"] = combined
            for name, scores in every.items():
                where = (condition.degradation or "clean", condition.severity, name)
                writer.writerow((tracker, *where, *(repr(scores[field]) for field in FIELDS)))
    return text.getvalue()


def to_plain(found: Robustness, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give everything as plain values; the names are fixed, and documented in ``docs/robustness.md``."""
    return {
        "summary": {tracker: _summary(found, tracker) for tracker in found.trackers},
        "cells": [_cell(found, tracker, condition) for tracker in found.trackers for condition in found.conditions],
        "failures": [{"cell": str(failure.cell), "reason": failure.reason} for failure in found.failures],
        "settings": dict(settings),
    }


def _summary(found: Robustness, tracker: str) -> dict[str, Any]:
    return {
        metric: {
            "clean": found.score(tracker, CLEAN, metric),
            "mean_degraded": found.mean_degraded(tracker, metric),
            "relative": found.relative(tracker, metric),
            "by_degradation": {one: found.mean_degraded(tracker, metric, one) for one in found.degradations},
        }
        for metric in METRICS
    }


def _cell(found: Robustness, tracker: str, condition: Condition) -> dict[str, Any]:
    combined = found.combined(tracker, condition)
    cells = found.cells.get((tracker, condition), {})
    return {
        "tracker": tracker,
        "degradation": condition.degradation,
        "severity": condition.severity,
        "combined": None if combined is None else dict(combined.values),
        "sequences": {name: dict(one.scores.values) for name, one in cells.items()},
        "tracks": {name: None if one.tracks is None else str(one.tracks) for name, one in cells.items()},
    }


def _summary_title(found: Robustness) -> str:
    worse = [severity for severity in found.severities if severity]
    if not worse:
        return "Clean frames only"
    times = f"{len(found.degradations)} degradation{'s' * (len(found.degradations) > 1)}"
    return f"Clean, mean over {times} at severities {', '.join(map(str, worse))}, and the share that is kept"


def _percent(value: float | None, decimals: int, unit: str = "") -> str:
    return _NOTHING if value is None else f"{100 * value:.{decimals}f}{unit}"
