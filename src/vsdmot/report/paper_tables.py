"""The paper's tables of our runs, and beside them, if asked for, what the paper prints, marked as quoted."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from vsdmot.evaluation.efficiency import Efficiency
from vsdmot.report.paper_layout import COLUMNS, TABLES, TableName
from vsdmot.report.paper_quotes import QUOTED, QUOTED_EFFICIENCY
from vsdmot.report.paper_runs import Filled, Missing
from vsdmot.report.score_tables import cell
from vsdmot.report.tables import Table

NOT_RUN = "not run"
_EFFICIENCY_TICKS = (("1", "yes", "", ""), ("2", "yes", "yes", ""), ("3", "yes", "yes", "yes"))


def scores_table(name: TableName, rows: Sequence[Filled | Missing], decimals: int, *, with_paper: bool) -> Table:
    """Make one of Tables I to VII."""
    of = TABLES[name]
    cells = []
    for number, found in enumerate(rows):
        ours = [NOT_RUN, *["-"] * (len(COLUMNS) - 1)]
        if isinstance(found, Filled):
            ours = [cell(column, found.scores[column], decimals) for column in COLUMNS]
        quoted = [f"{value:.1f}" for value in QUOTED[name][number]] if with_paper else []
        cells.append((*found.row.cells, *ours, *quoted))
    columns = (*of.names, *COLUMNS, *(_quoted(column) for column in COLUMNS if with_paper))
    return Table(title=_title(of.title, of.number, with_paper), columns=columns, rows=tuple(cells))


def efficiency_table(found: Efficiency | None, *, with_paper: bool) -> Table:
    """Make Table VIII; None where nothing was measured."""
    rows = []
    for number, ticks in enumerate(_EFFICIENCY_TICKS):
        ours = [NOT_RUN, "-", "-", "-"]
        if found is not None:
            one = found.variants[number]
            ours = [f"{one.parameters / 1e6:.1f}", f"{one.fps:.2f}", f"{one.seconds:.3f}", f"{one.relative_speed:.3f}"]
        quoted = [f"{value:.1f}" for value in QUOTED_EFFICIENCY[number]] if with_paper else []
        rows.append((*ticks, *ours, *quoted))
    quotes = tuple(_quoted(name) for name in ("parameters (M)", "FPS") if with_paper)
    columns = ("No.", "baseline", "student", "DSWR", "parameters (M)", "FPS", "s/frame", "relative speed", *quotes)
    title = _title("Parameters and speed", "VIII", with_paper)
    return Table(title=title, columns=columns, rows=tuple(rows))


def to_csv(name: TableName, rows: Sequence[Filled | Missing], *, with_paper: bool) -> str:
    """Give a table for programs: our fractions in full, empty where a run is missing; quoted numbers in percent."""
    of = TABLES[name]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    quotes = [f"quoted_{column}_percent" for column in COLUMNS] if with_paper else []
    writer.writerow(("table", *of.names, "run", "set", "source", *COLUMNS, *quotes))
    for number, found in enumerate(rows):
        ours = [repr(found.scores[column]) for column in COLUMNS] if isinstance(found, Filled) else [""] * len(COLUMNS)
        source = found.source if isinstance(found, Filled) else ""
        quoted = QUOTED[name][number] if with_paper else ()
        writer.writerow((of.number, *found.row.cells, found.row.run, found.row.set, source, *ours, *quoted))
    return text.getvalue()


def efficiency_csv(found: Efficiency | None, *, with_paper: bool) -> str:
    """Give Table VIII for programs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    quotes = ["quoted_parameters_millions", "quoted_FPS"] if with_paper else []
    names = ("parameters", "fps", "seconds", "relative_speed")
    writer.writerow(("table", "number", "baseline", "student", "dswr", *names, *quotes))
    for number, ticks in enumerate(_EFFICIENCY_TICKS):
        ours = [""] * len(names) if found is None else [repr(getattr(found.variants[number], name)) for name in names]
        writer.writerow(("VIII", *ticks, *ours, *(QUOTED_EFFICIENCY[number] if with_paper else ())))
    return text.getvalue()


def quote_line(number: str) -> str:
    """Say what quoted numbers are."""
    return (
        f'quoted: Table {number} of Du, "VSD-MOT", as printed there, trained and measured by its author; '
        "no number of ours"
    )


def _quoted(column: str) -> str:
    return f"{column} (quoted)"


def _title(title: str, number: str, with_paper: bool) -> str:
    return f"{title} (as Table {number}" + (", whose own numbers are quoted on the right)" if with_paper else ")")
