"""Tables of results as text: for a paper, for a page on GitHub, for a log.

A `Table` holds cells as they are to be read; what they mean, and how numbers are rounded, is up to whoever makes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells in rows and columns.

    A line break within a cell or the title is written as a space, whatever the format.

    Attributes:
        title: One line of plain text that says what the table shows; may be empty.
        columns: Names of the columns. The first holds the rows' names, aligned left; the others are aligned right.
        rows: The cells of each row, as many as there are columns.
        totals: Rows that are set off at the bottom, because they sum up the others.

    Raises:
        ValueError: There is no column, or a row is not as long as the columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns: expected at least one, for the names of the rows")
        for name, rows in (("rows", self.rows), ("totals", self.totals)):
            for index, row in enumerate(rows):
                if len(row) != len(self.columns):
                    wanted = f"{len(self.columns)} cells ({', '.join(self.columns)})"
                    raise ValueError(f"{name}[{index}]: expected {wanted}, got {len(row)}: {row!r}")


def to_text(table: Table) -> str:
    """Write a table as plain lines, two spaces between its columns.

    >>> print(to_text(_EXAMPLE), end="")
    Night
    sequence   HOTA
    night_01   61.2
    COMBINED  60.04
    """
    every = (table.columns, *table.rows, *table.totals)
    lines = ["  ".join(row).rstrip() for row in _aligned(every, 0)]
    return _joined([one_line(table.title)] if table.title else [], lines)


def to_markdown(table: Table) -> str:
    """Write a table in GitHub's Markdown, aligned for those who read it as text; totals are bold.

    >>> print(to_markdown(_EXAMPLE), end="")
    **Night**
    <BLANKLINE>
    | sequence     |      HOTA |
    | :----------- | --------: |
    | night_01     |      61.2 |
    | **COMBINED** | **60.04** |
    """
    rows = [[_markdown(cell) for cell in row] for row in (table.columns, *table.rows)]
    rows += [[_bold(_markdown(cell)) for cell in row] for row in table.totals]
    header, *body = _aligned(rows, 3)
    name, *numbers = (len(cell) for cell in header)
    rule = (":" + "-" * (name - 1), *("-" * (width - 1) + ":" for width in numbers))
    lines = [f"| {' | '.join(row)} |" for row in (header, rule, *body)]
    return _joined([_bold(_markdown(table.title)), ""] if table.title else [], lines)


def to_latex(table: Table) -> str:
    r"""Write a table in LaTeX; with a title it floats and has a caption, without one it is a bare ``tabular``.

    >>> print(to_latex(_EXAMPLE), end="")
    % Needs \usepackage{booktabs}
    \begin{table}
    \centering
    \caption{Night}
    \begin{tabular}{lr}
    \toprule
    sequence  &  HOTA \\
    \midrule
    night\_01 &  61.2 \\
    \midrule
    COMBINED  & 60.04 \\
    \bottomrule
    \end{tabular}
    \end{table}
    """
    every = (table.columns, *table.rows, *table.totals)
    escaped = [(_latex_start(_latex(row[0])), *map(_latex, row[1:])) for row in every]
    header, *body = (f"{' & '.join(row)} \\\\" for row in _aligned(escaped, 0))
    rows, totals = body[: len(table.rows)], body[len(table.rows) :]
    lines = [f"\\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}", r"\toprule", header]
    for part in (rows, totals):
        lines += [r"\midrule", *part] if part else []
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.title:
        lines = [r"\begin{table}", r"\centering", f"\\caption{{{_latex(table.title)}}}", *lines, r"\end{table}"]
    return _joined([r"% Needs \usepackage{booktabs}"], lines)


def one_line(text: str) -> str:
    """Write a space for each line break."""
    return " ".join(text.splitlines())


_EXAMPLE = Table(
    title="Night", columns=("sequence", "HOTA"), rows=(("night_01", "61.2"),), totals=(("COMBINED", "60.04"),)
)


def _joined(*parts: Sequence[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)


def _aligned(rows: Sequence[Sequence[str]], least: int) -> list[tuple[str, ...]]:
    """Pad the cells of each column to the same width, ``least`` or more."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(least, *map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))) for row in rows
    ]


# Only where the character would act, so that names such as MOT17_02 and intervals such as [0.2, 0.4) stay readable.
_MARKDOWN_ACTS = re.compile(
    r"[\\|*`~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # not within a word
    r"|<(?=[a-zA-Z/!?])"  # a tag
    r"|&(?=#?\w+;)"  # a named character
    r"|(?<=\])\("  # a link
)


def _markdown(text: str) -> str:
    return _MARKDOWN_ACTS.sub(r"\\\g<0>", one_line(text))


def _bold(text: str) -> str:
    return f"**{text.strip()}**" if text.strip() else ""


_LATEX = str.maketrans(
    {
        **{special: f"\\{special}" for special in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        # what the default font encoding prints as something else
        "<": "$<$",
        ">": "$>$",
        "|": r"\textbar{}",
        # what pdfLaTeX does not know
        "−": "$-$",
        "–": r"\textendash{}",
        "—": r"\textemdash{}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
    }
)


def _latex(text: str) -> str:
    text = re.sub(r"(?<![\w-])-(?=\.?\d)", "−", one_line(text))  # a hyphen before a number is a minus
    return re.sub("-(?=-)", "-{}", text.translate(_LATEX))  # two hyphens would become a dash


def _latex_start(cell: str) -> str:
    r"""Keep the name of a row from being read as an option of the ``\\`` or the rule before it."""
    return "{}" + cell if cell.startswith(("[", "*")) else cell
