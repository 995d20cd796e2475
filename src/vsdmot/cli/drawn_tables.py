"""Tables drawn on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import Box
from rich.console import Console
from rich.table import Table as DrawnTable
from rich.text import Text

from vsdmot.cli.console import say
from vsdmot.report.tables import Table, one_line, to_text


def draw_table(table: Table, *, first_to_go: Sequence[str], styles: Mapping[str, str]) -> None:
    """Draw a table as wide as the terminal allows, then an empty line; see `vsdmot.cli.tables.show_table`."""
    console = Console()
    whole, table = table, _narrowed(table, first_to_go, console.width)
    name, *numbers = _widths(table)
    if _drawn_width([min(name, _SHORTEST_NAME), *numbers]) > console.width:
        say(to_text(table))  # the terminal breaks the lines, but no number is cut
        return
    if table.title:
        console.print(Text(one_line(table.title), style="bold"))
    console.print(_drawn(table, styles))
    left_out = [name for name in whole.columns if name not in table.columns]
    if left_out:
        say(f" left out on this narrow terminal: {', '.join(left_out)}\n")


_SHORTEST_NAME = 8
"""Characters; names that find less room than this, folded into several lines, are no longer read as names."""

_RULES = Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
"""Rich's SIMPLE, which has rules only where they divide, with one between sections too."""


def _drawn(table: Table, styles: Mapping[str, str]) -> DrawnTable:
    drawn = DrawnTable(box=_RULES)
    for index, name in enumerate(table.columns):
        drawn.add_column(Text(one_line(name)), justify="right" if index else "left", overflow="fold", no_wrap=index > 0)
    for row in table.rows:
        styled = [styles.get(name, "") if cell != "-" else "" for name, cell in zip(table.columns, row, strict=True)]
        drawn.add_row(*(Text.assemble((one_line(cell), style)) for cell, style in zip(row, styled, strict=True)))
    drawn.add_section()
    for row in table.totals:
        drawn.add_row(*(Text(one_line(cell)) for cell in row), style="bold")
    return drawn


def _narrowed(table: Table, first_to_go: Sequence[str], width: int) -> Table:
    """Leave out columns, until the table fits or no more may go."""
    for name in first_to_go:
        if _drawn_width(_widths(table)) <= width:
            break
        table = _without(table, name)
    return table


def _without(table: Table, name: str) -> Table:
    kept = [index for index, column in enumerate(table.columns) if index == 0 or column != name]

    def keep(row: Sequence[str]) -> tuple[str, ...]:
        return tuple(row[index] for index in kept)

    return Table(
        title=table.title,
        columns=keep(table.columns),
        rows=tuple(map(keep, table.rows)),
        totals=tuple(map(keep, table.totals)),
    )


def _widths(table: Table) -> list[int]:
    every = (table.columns, *table.rows, *table.totals)
    return [max(map(len, column)) for column in zip(*every, strict=True)]


def _drawn_width(widths: Sequence[int]) -> int:
    return sum(widths) + 3 * len(widths) + 1  # two characters beside each cell, one between columns and at either edge
