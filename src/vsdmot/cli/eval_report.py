"""What ``vsdmot eval`` prints, and the files that it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vsdmot.cli.console import say
from vsdmot.cli.tables import show_table
from vsdmot.evaluation.outcome import Outcome
from vsdmot.io.whole_files import write_whole
from vsdmot.report.score_tables import comparison_lines, quality_lines, rule_lines, tables
from vsdmot.report.tables import to_latex, to_markdown

_FIRST_TO_GO = ("CLR_FN", "CLR_FP", "ML", "MT", "Frag", "IDSW", "boxes", "frames", "IDF1", "MOTA")


def show(outcome: Outcome, columns: Sequence[str], decimals: int) -> None:
    """Print rules, tables and sentences."""
    say("\n".join([*rule_lines(outcome), ""]))
    for table in tables(outcome, columns, decimals):
        show_table(table, first_to_go=_FIRST_TO_GO)
    lines = [*quality_lines(outcome), *comparison_lines(outcome)]
    if lines:
        say("\n".join([*lines, ""]))


def to_json(outcome: Outcome) -> str:
    """Give everything as JSON, fractions in full."""
    return json.dumps(outcome.to_plain(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(outcome: Outcome, columns: Sequence[str], decimals: int) -> str:
    """Give rules, tables and sentences as a page."""
    parts = [f"{line[0].upper()}{line[1:]}.\n" for line in rule_lines(outcome)]
    parts += [to_markdown(table) for table in tables(outcome, columns, decimals)]
    lines = [*quality_lines(outcome), *comparison_lines(outcome)]
    return "\n".join([*parts, *([" ".join(lines) + "\n"] if lines else [])])


def as_latex(outcome: Outcome, columns: Sequence[str], decimals: int) -> str:
    """Give the tables for a paper."""
    return "\n".join(to_latex(table) for table in tables(outcome, columns, decimals))


def write_text(path: Path, text: str) -> None:
    """Write a file in full or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_whole(path, text.encode())


def default_names(pred: Sequence[Path], against: Sequence[Path]) -> tuple[str, ...]:
    """Name methods after their files: by the last part of the path in which they differ.

    >>> default_names([Path("runs/ocsort/data")], [Path("runs/sort/data")])
    ('ocsort', 'sort')
    >>> default_names([Path("a.mot.txt")], []), default_names([Path("seed0"), Path("seed1")], [])
    (('a',), ('mean',))
    """
    ours = _parts(pred[0])
    if not against:
        return (ours[-1],) if len(pred) == 1 else ("mean",)
    theirs = _parts(against[0])
    for one, other in zip(reversed(ours), reversed(theirs), strict=False):
        if one != other:
            return (one, other)
    return ("pred", "against")


def _parts(path: Path) -> list[str]:
    """Give the parts of a path, the last without what only says which kind of file it is."""
    *folders, last = path.absolute().parts
    for suffix in (".txt", ".jsonl", ".zip", ".mot"):
        last = last.removesuffix(suffix)
    return [*folders, last]
