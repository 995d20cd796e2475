"""``vsdmot paper``: the tables and figures of the paper, of our runs."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from vsdmot.cli.arguments import Parser, make_parser, parse
from vsdmot.cli.console import Progress, say, show_files
from vsdmot.cli.paper_figures import PaperFigureSettings, paper_figure
from vsdmot.cli.paper_table8 import Table8Settings, table8
from vsdmot.cli.tables import show_table
from vsdmot.config import check, within
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted
from vsdmot.io.whole_files import write_whole
from vsdmot.report.paper_commands import Command, Places
from vsdmot.report.paper_layout import FIGURES, TABLES, FigureName, TableName
from vsdmot.report.paper_runs import Filled, Missing, RunCollector
from vsdmot.report.paper_tables import quote_line, scores_table, to_csv
from vsdmot.report.tables import to_latex, to_markdown

RECIPES = Path("configs") / "train"

SUBVERBS: dict[str, str] = {str(name): f"Table {of.number}: {of.title}" for name, of in TABLES.items()}
SUBVERBS |= {
    "table8": "Table VIII: Parameters and speed, measured here",
    "fig6": "Fig. 6: Frames of LQDanceTrack, MOTRv2 above VSD-MOT",
    "fig7": "Fig. 7: Frames of DanceTrack, MOTRv2 above VSD-MOT",
}
"""Second word of the command to summary."""


@dataclass(frozen=True, kw_only=True)
class PaperTableSettings:
    """Fill a table of the paper with your own runs: HOTA, DetA, AssA, MOTA, IDF1.

    A row's results are RUNS/RUN/SET/SEQUENCE.txt, as `vsdmot track --mot` writes them, or RUNS/RUN/SET.json, as `vsdmot
    eval --json` writes it; SET is LQDanceTrack, DanceTrack, LQMOT or MOT, and RUN is named like the recipe that trains
    it (docs/paper.md lists all). Rows that have not been run are named, with the commands that make them. What the
    paper prints never stands in our columns; --with-paper shows it beside them, marked as quoted.

    Attributes:
        root: Folder of the data that `vsdmot data build` made: LQDanceTrack, LQMOT.
        runs: Folder of the runs.
        recipes: Folder of the recipes, for the commands that are named.
        with_paper: Also show the paper's numbers, marked as quoted.
        decimals: Decimals of percentages.
        commands: Write all commands of the missing rows to this file, a shell script.
        csv: Also write the table to this file, our fractions in full.
        markdown: Also write the table to this file.
        latex: Also write the table to this file, for the package booktabs.
        overwrite: Replace files that exist.
    """

    root: Path
    runs: Path
    recipes: Path = RECIPES
    with_paper: bool = False
    decimals: int = 1
    commands: Path | None = None
    csv: Path | None = None
    markdown: Path | None = None
    latex: Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(self, decimals=within(0, 6))


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot paper``."""
    word, *rest = arguments or ["--help"]
    if word in TABLES:
        name = next(one for one in get_args(TableName) if one == word)
        parser = make_parser(PaperTableSettings, prog=f"vsdmot paper {word}")
        paper_table(name, parse(parser, PaperTableSettings, rest))
    elif word == "table8":
        parser = make_parser(Table8Settings, prog="vsdmot paper table8")
        table8(parse(parser, Table8Settings, rest))
    elif word in FIGURES:
        figure = next(one for one in get_args(FigureName) if one == word)
        parser = make_parser(PaperFigureSettings, prog=f"vsdmot paper {word}", short={"output": "-o"})
        paper_figure(figure, parse(parser, PaperFigureSettings, rest))
    else:
        _top_level().parse_args([word])


def paper_table(name: TableName, settings: PaperTableSettings) -> list[Filled | Missing]:
    """Fill one of Tables I to VII, print it and what is missing, and write files.

    Raises:
        VsdmotError: Results cannot be read, or a file cannot be written.
    """
    outputs = [
        path for path in (settings.commands, settings.csv, settings.markdown, settings.latex) if path is not None
    ]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ConfigError("--commands, --csv, --markdown and --latex must name different files")
    for path in outputs:
        check_output(path, settings.overwrite)
    for folder, flag in ((settings.root, "--root"), (settings.runs, "--runs")):
        if folder.exists() and not folder.is_dir():
            raise SourceError(f"{flag}: expected a folder, {folder} is a file")
    places = Places(data=settings.root, runs=settings.runs, recipes=settings.recipes)
    with Progress("scoring", None, unit="sequence") as progress:
        collector = RunCollector(places, progress.advance)
        rows = [collector.fill(row) for row in TABLES[name].rows]
    table = scores_table(name, rows, settings.decimals, with_paper=settings.with_paper)
    show_table(table)
    notes = [quote_line(TABLES[name].number)] if settings.with_paper else []
    missing = [row for row in rows if isinstance(row, Missing)]
    say("\n".join([*notes, *(_missing_lines(missing, places) or ["every row was run"])]))
    contents = {
        settings.commands: _script(missing),
        settings.csv: to_csv(name, rows, with_paper=settings.with_paper),
        settings.markdown: "\n".join([to_markdown(table), *(f"{note}\n" for note in notes)]),
        settings.latex: "".join([*(f"% {note}\n" for note in notes), to_latex(table)]),
    }
    for output, text in contents.items():
        if output is not None:
            write_whole(output, text.encode())
    show_files(outputs)
    return rows


def _missing_lines(missing: Sequence[Missing], places: Places) -> list[str]:
    """Name what is missing, and the command that makes each row; what all of them need comes once, at the end."""
    lines: list[str] = []
    before: dict[Command, None] = {}
    reasons = Counter((one.row.set, one.reason) for one in missing)
    shared = [reason for reason, count in reasons.items() if count > 1]
    lines += [f"{name}: {reason}" for name, reason in shared]
    for one in missing:
        why = "" if (one.row.set, one.reason) in shared else f": {one.reason}"
        lines.append(f"missing: {one.row.run} on {one.row.set}{why}")
        own = [command for command in one.commands if command.makes.is_relative_to(places.runs / one.row.run)]
        before.update(dict.fromkeys(command for command in one.commands if command not in own))
        if not own:
            place = places.runs / one.row.run / one.row.set
            what = f"SEQUENCE.txt into {place}, or let `vsdmot eval --json` write {place}.json"
            lines.append(f"  made by its authors' code: put {what}")
            continue
        lines.append(f"  vsdmot {shlex.join(own[0].words)}")
        if len(own) > 1:
            lines.append(f"  and {counted(len(own) - 1, 'command')} to track with it")
    if before:
        lines += ["before that, for all of them:", *(f"  vsdmot {shlex.join(command.words)}" for command in before)]
    if any(one.commands for one in missing):
        lines.append("--commands FILE.sh writes all of it, in order")
    return lines


def _script(missing: Sequence[Missing]) -> str:
    """Write the commands of all rows, each once, in an order in which they can run."""
    every = dict.fromkeys(command for one in missing for command in one.commands)
    lines = [f"vsdmot {shlex.join(command.words)}" for command in every]
    head = ["#!/bin/sh", "# Put the folder of the original data sets in place of ORIGINALS.", "set -e"]
    return "\n".join([*head, *lines]) + "\n"


def _top_level() -> Parser:
    width = max(map(len, SUBVERBS))
    lines = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in SUBVERBS.items())
    parser = Parser(
        prog="vsdmot paper",
        usage="vsdmot paper NAME --root DATA --runs RUNS [options]",
        description="Fill the tables and figures of the paper with your own runs.",
        epilog=f"commands:\n{lines}\n\n`vsdmot paper NAME --help` explains each.",
    )
    parser.add_argument("command", metavar="NAME", type=_unknown, help="table1 to table8, fig6 or fig7")
    return parser


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, SUBVERBS, n=1)
    raise ConfigError(f"paper {word}: " + (f"did you mean {near[0]}?" if near else f"one of {', '.join(SUBVERBS)}"))
