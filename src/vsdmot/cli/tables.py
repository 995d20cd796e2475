"""Tables as the commands print them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from vsdmot.cli.console import say
from vsdmot.report.tables import Table, to_text

NO_STYLES: Mapping[str, str] = MappingProxyType({})


def show_table(table: Table, *, first_to_go: Sequence[str] = (), styles: Mapping[str, str] = NO_STYLES) -> None:
    """Print a table: drawn on a terminal, plain and aligned elsewhere; then an empty line.

    Args:
        table: What to print.
        first_to_go: Names of columns that a narrow terminal does without, which is said below the table; the first
            goes first, and only as many go as must. The rows' names always stay.
        styles: Names of columns to rich's styles for their cells, on a terminal; "-", which stands for nothing, and
            totals are left plain.
    """
    if not sys.stdout.isatty():
        say(to_text(table))
        return
    from vsdmot.cli.drawn_tables import draw_table  # rich takes a tenth of a second to load

    draw_table(table, first_to_go=first_to_go, styles=styles)
