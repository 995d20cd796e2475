"""What an evaluation found, as tables and sentences for people."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence

from vsdmot.evaluation.outcome import Method, Outcome
from vsdmot.evaluation.runs import Spread
from vsdmot.evaluation.scores import COUNTS, FIELDS, Scores
from vsdmot.io.problems import some
from vsdmot.report.tables import Table

COMBINED = "COMBINED"
QUALITY_COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
LITTLE_VARIATION = 0.1
"""Range of Q below which frames differ by what they show: people are detail and contrast (``docs/benchmarks.md``)."""
_VERDICTS = {"exceeds": "yes", "within": "no", "equal": "no", "undecided": "-"}
_NO_FRACTION = frozenset({"FP_per_frame", "MOTP_sum"})


def tables(outcome: Outcome, columns: Sequence[str], decimals: int) -> list[Table]:
    """Make the tables: by run where there are several, by sequence, the comparison, by quality.

    Args:
        outcome: What was found.
        columns: Fields, in order.
        decimals: Decimals of percentages.
    """
    named = len(outcome.methods) > 1
    made = []
    if any(len(method.runs) > 1 for method in outcome.methods):
        made.append(_by_run(outcome, columns, decimals))
    made += [_by_sequence(method, columns, decimals, named) for method in outcome.methods]
    if outcome.comparison is not None:
        made.append(_compared(outcome, decimals))
    if outcome.by_quality:
        made += [_by_quality(outcome, method, decimals, named) for method in outcome.methods]
        if named:
            made.append(_quality_differences(outcome, decimals))
    return made


def rule_lines(outcome: Outcome) -> list[str]:
    """Say by which rule the sequences were judged, and why; one line for each rule and reason.

    A sequence is named only where rules differ.
    """
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, chosen in outcome.rules.items():
        groups[chosen.rule.name, chosen.reason].append(name)
    if len(groups) == 1:
        (rule, reason) = next(iter(groups))
        return [f"rule {rule}, because {reason}"]
    return [f"rule {rule} for {some(names)}, because {reason}" for (rule, reason), names in groups.items()]


def comparison_lines(outcome: Outcome) -> list[str]:
    """Say what the comparison found for HOTA, and what it cannot show; nothing without a comparison."""
    if outcome.comparison is None:
        return []
    names = (outcome.methods[0].name, outcome.methods[1].name)
    return [outcome.comparison.finding("HOTA", names), *outcome.comparison.cautions("HOTA", names)]


def quality_lines(outcome: Outcome) -> list[str]:
    """Warn where the split by quality is likely to show something else; nothing without a split."""
    if not outcome.by_quality:
        return []
    low, high = outcome.by_quality[0].low, outcome.by_quality[-1].high
    if high - low >= LITTLE_VARIATION:
        return []
    return [
        f"Q hardly varies here ({low:.3f} to {high:.3f}): what differs between the quarters is more likely the scene, "
        "such as how many people there are, than the picture's quality."
    ]


def to_csv(outcome: Outcome) -> str:
    """Give every field of every sequence and run, fractions in full: a line each, and one for all sequences."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", "run", "sequence", *FIELDS))
    for method in outcome.methods:
        for path, run in zip(method.paths, method.runs, strict=True):
            every: dict[str, Scores] = {name: one.scores for name, one in run.sequences.items()}
            every[COMBINED] = run.combined
            for name, scores in every.items():
                writer.writerow((method.name, path, name, *(repr(scores[field]) for field in FIELDS)))
    return text.getvalue()


def cell(field: str, value: float, decimals: int, sd: float | None = None) -> str:
    """Write a number as people read it: percentages, whole counts; with a standard deviation where there is one.

    >>> cell("HOTA", 0.61234, 2), cell("HOTA", 0.6, 1, 0.005), cell("IDSW", 1234, 2), cell("IDSW", 1.5, 2)
    ('61.23', '60.0 ± 0.5', '1,234', '1.5')
    """
    factor, places = (100, decimals) if field not in COUNTS | _NO_FRACTION else (1, decimals)
    if field in COUNTS:
        places = 0 if float(value).is_integer() and not sd else 1
    text = f"{factor * value:,.{places}f}"
    return text if sd is None else f"{text} ± {factor * sd:,.{places}f}"


def _row(spreads: Mapping[str, Spread], columns: Sequence[str], decimals: int) -> tuple[str, ...]:
    return tuple(cell(field, spreads[field].mean, decimals, spreads[field].sd) for field in columns)


def _by_run(outcome: Outcome, columns: Sequence[str], decimals: int) -> Table:
    rows = [
        (str(path), *(cell(field, run.combined[field], decimals) for field in columns))
        for method in outcome.methods
        for path, run in zip(method.paths, method.runs, strict=True)
    ]
    totals = [(method.name, *_row(method.summary.combined, columns, decimals)) for method in outcome.methods]
    title = "Runs, all sequences together; mean and standard deviation"
    return Table(title=title, columns=("run", *columns), rows=tuple(rows), totals=tuple(totals))


def _by_sequence(method: Method, columns: Sequence[str], decimals: int, named: bool) -> Table:
    rows = [(name, *_row(spreads, columns, decimals)) for name, spreads in method.summary.sequences.items()]
    totals = [(COMBINED, *_row(method.summary.combined, columns, decimals))] if len(rows) > 1 else []
    several = f"mean and standard deviation of {len(method.runs)} runs" if len(method.runs) > 1 else ""
    title = ": ".join(part for part in (method.name if named else "", several) if part)
    return Table(
        title=title[:1].upper() + title[1:] if not named else title,
        columns=("sequence", *columns),
        rows=tuple(rows),
        totals=tuple(totals),
    )


def _compared(outcome: Outcome, decimals: int) -> Table:
    assert outcome.comparison is not None, "only called with a comparison"
    first, second = outcome.methods
    rows = []
    for field, found in outcome.comparison.differences.items():
        interval = "-"
        if found.interval is not None:
            interval = " to ".join(f"{100 * end:+z.{decimals}f}" for end in found.interval)
        rows.append(
            (
                field,
                cell(field, found.first.mean, decimals, found.first.sd),
                cell(field, found.second.mean, decimals, found.second.sd),
                f"{100 * found.first_minus_second:+z.{decimals}f}",
                interval,
                _VERDICTS[found.verdict],
            )
        )
    columns = ("", first.name, second.name, "difference", "95 % interval", "exceeds noise")
    return Table(title=f"{first.name} against {second.name}", columns=columns, rows=tuple(rows))


def _by_quality(outcome: Outcome, method: Method, decimals: int, named: bool) -> Table:
    rows = []
    for group in outcome.by_quality:
        scores = outcome.group_scores(group, method)
        counts = (f"{group.num_frames:,}", f"{group.num_boxes:,}")
        accuracies = (cell(field, scores[field], decimals) for field in (*QUALITY_COLUMNS, "IDSW"))
        rows.append((_range(group.low, group.high), *counts, *accuracies))
    title = f"{method.name}, by frame quality Q" if named else "By frame quality Q, the poorest quarter first"
    return Table(title=title, columns=("Q", "frames", "boxes", *QUALITY_COLUMNS, "IDSW"), rows=tuple(rows))


def _quality_differences(outcome: Outcome, decimals: int) -> Table:
    first, second = outcome.methods
    rows = []
    for group in outcome.by_quality:
        ours, theirs = outcome.group_scores(group, first), outcome.group_scores(group, second)
        change = (f"{100 * (ours[field] - theirs[field]):+z.{decimals}f}" for field in QUALITY_COLUMNS)
        rows.append((_range(group.low, group.high), f"{group.num_frames:,}", f"{group.num_boxes:,}", *change))
    title = f"{first.name} minus {second.name}, by frame quality Q"
    return Table(title=title, columns=("Q", "frames", "boxes", *QUALITY_COLUMNS), rows=tuple(rows))


def _range(low: float, high: float) -> str:
    return f"{low:.3f} - {high:.3f}"
