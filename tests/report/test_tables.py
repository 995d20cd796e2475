"""Tables: every cell is read back as it was, by a Markdown parser and by the rules of LaTeX."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from vsdmot.report.tables import Table, to_latex, to_markdown, to_text

COLUMNS = ("sequence", "HOTA", "IDSW")
TABLE = Table(
    title="Night",
    columns=COLUMNS,
    rows=(("night_01", "61.2", "1,204"), ("b", "-", "7")),
    totals=(("COMBINED", "60.04", "1,211"),),
)
WRITERS = (to_text, to_markdown, to_latex)


def table_of(*cells: str, columns: tuple[str, ...] = ("name", "number"), title: str = "") -> Table:
    """Make a table in which every cell names a row and is a number of another."""
    return Table(
        title=title, columns=columns, rows=tuple((cell, "1") for cell in cells) + tuple(("x", c) for c in cells)
    )


# The value type


def test_a_table_without_columns_is_refused():
    with pytest.raises(ValueError, match="columns: expected at least one"):
        Table(title="", columns=(), rows=())


@pytest.mark.parametrize("row", [(), ("one",), ("one", "2", "3", "4")])
@pytest.mark.parametrize("part", ["rows", "totals"])
def test_a_row_of_another_length_is_refused_and_told(part, row):
    parts = {"rows": (), "totals": (), part: (("a", "1", "2"), row)}
    message = f"{part}[1]: expected 3 cells (sequence, HOTA, IDSW), got {len(row)}: {row!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Table(title="", columns=COLUMNS, **parts)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("totals", [(), (("COMBINED", "-", "-"),)])
def test_a_table_without_rows_has_its_header_and_its_totals(write, totals):
    text = write(Table(title="", columns=COLUMNS, rows=(), totals=totals))
    assert "IDSW" in text
    assert ("COMBINED" in text) == bool(totals)


@pytest.mark.parametrize("write", WRITERS)
def test_one_column_is_enough(write):
    assert "night" in write(Table(title="", columns=("sequence",), rows=(("night",),)))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_a_line_break_is_a_space(write, break_):
    broken = Table(title=f"a{break_}b", columns=(f"c{break_}d", "n"), rows=((f"e{break_}f", "1"),))
    whole = Table(title="a b", columns=("c d", "n"), rows=(("e f", "1"),))
    assert write(broken) == write(whole)


# Plain text


def test_text_is_aligned_without_a_rule_or_trailing_spaces():
    assert to_text(TABLE).splitlines() == [
        "Night",
        "sequence   HOTA   IDSW",
        "night_01   61.2  1,204",
        "b             -      7",
        "COMBINED  60.04  1,211",
    ]
    empty_ends = Table(title="", columns=("a", "b"), rows=(("name", ""),))
    assert to_text(empty_ends) == "a     b\nname\n"


# Markdown


def parse_markdown(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def plain(inline: Token) -> str:
    """Give the text of a run in which nothing but bold may be marked up."""
    children = inline.children or []
    assert {child.type for child in children} <= {"text", "text_special", "strong_open", "strong_close"}, inline.content
    return "".join(child.content for child in children)


def markdown_rows(text: str) -> list[list[str]]:
    """Read the cells back."""
    rows: list[list[str]] = []
    for token, following in zip(tokens := parse_markdown(text), tokens[1:], strict=False):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(plain(following))
    return rows


HARD_CELLS = (
    "", " ", "|", "||", "a|b", "\\", "\\\\", "a\\b", "a\\|b", "\\|", "50%", "R&D", "&amp;", "&#38;", "_", "__x__",
    "_x_", "MOT17_02", "a__b_", "*", "*x*", "**", "`x`", "``", "~~x~~", "~", "^2", "$5$", "#1", "{x}", "<b>", "<!--",
    "<0.5", "< 0.5", ">", "[one](two)", "[0.2, 0.4)", "![x](y)", "-", "--", "---", "-3.1", "−3.1", "61.2 ± 0.4",
    "1–7", "a—b", "x↑", "≥ 0.5", "≤", "2×", "x\\_y", "\\textbf{x}", "%\\%", "'", '"', "...", "1.", "- x", ":---",
)  # fmt: skip


def test_markdown_gives_every_cell_back():
    table = table_of(*HARD_CELLS)
    text = to_markdown(table)
    assert markdown_rows(text) == [[cell.strip() for cell in row] for row in (table.columns, *table.rows)]
    assert len(text.splitlines()) == len(table.rows) + 2


@pytest.mark.parametrize("cell", HARD_CELLS)
def test_markdown_gives_titles_names_of_columns_and_bold_totals_back(cell):
    text = to_markdown(Table(title=cell, columns=("name", cell), rows=(), totals=((cell, cell),)))
    assert markdown_rows(text) == [["name", cell.strip()], [cell.strip()] * 2]
    title, *_ = (token for token in parse_markdown(text) if token.type == "inline")
    assert plain(title) == (cell.strip() or "name")
    strong = sum(child.type == "strong_open" for token in parse_markdown(text) for child in token.children or ())
    assert strong == (3 if cell.strip() else 0)


def test_markdown_is_aligned_for_those_who_read_it_as_text():
    title, empty, *lines = to_markdown(TABLE).splitlines()
    assert (title, empty) == ("**Night**", "")
    assert lines == [
        "| sequence     |      HOTA |      IDSW |",
        "| :----------- | --------: | --------: |",
        "| night_01     |      61.2 |     1,204 |",
        "| b            |         - |         7 |",
        "| **COMBINED** | **60.04** | **1,211** |",
    ]
    hard = to_markdown(table_of(*HARD_CELLS)).splitlines()
    assert len(set(map(len, hard))) == 1


def test_names_that_need_no_escape_in_markdown_stay_readable():
    for cell in ("MOT17_02-FRCNN", "[0.2, 0.4)", "R&D", "<0.5", "50%", "-3.1"):
        assert f"| {cell} " in to_markdown(table_of(cell))


# LaTeX

READ_LATEX = {
    **{f"\\{special}": special for special in "&%$#_{}"},
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textbar{}": "|",
    r"\textendash{}": "–",
    r"\textemdash{}": "—",
    "$-$": "−",
    "$<$": "<",
    "$>$": ">",
    r"$\pm$": "±",
    r"$\times$": "×",
    r"$\leq$": "≤",
    r"$\geq$": "≥",
    r"$\uparrow$": "↑",
    r"$\downarrow$": "↓",
    "{}": "",
}
ORDINARY = r"[^&%$#_{}\\~^<>|−–—±×≤≥↑↓]"
LATEX_TOKEN = re.compile("|".join(map(re.escape, sorted(READ_LATEX, key=len, reverse=True))) + f"|{ORDINARY}")


def read_latex(escaped: str) -> str:
    """Read text back; fails at any character that LaTeX would act on."""
    tokens = LATEX_TOKEN.findall(escaped)
    assert "".join(tokens) == escaped, escaped
    assert "--" not in escaped, f"a ligature: {escaped}"
    return "".join(READ_LATEX.get(token, token) for token in tokens)


def latex_rows(text: str) -> list[list[str]]:
    """Read the cells back, from the lines that end as rows do; all others must be commands."""
    rows = []
    for line in text.splitlines():
        if line.endswith(r" \\"):
            assert not line.startswith(("[", "*")), f"an option of the line before: {line}"
            cells = re.split(r"(?<!\\)&", line.removesuffix(r" \\"))
            rows.append([read_latex(cell).strip() for cell in cells])
        else:
            assert re.match(r"(% |\\(begin|end|toprule|midrule|bottomrule|caption|centering)\b)", line), line
    return rows


def as_printed(cell: str) -> str:
    """Give the cell with a minus for the hyphen of a number."""
    return f"−{cell[1:]}" if re.match(r"-[\d.]", cell) else cell.strip()


def test_latex_gives_every_cell_back():
    table = table_of(*HARD_CELLS, "[one]", "*", "* [x]")
    assert latex_rows(to_latex(table)) == [[as_printed(cell) for cell in row] for row in (table.columns, *table.rows)]


@pytest.mark.parametrize("cell", [*HARD_CELLS, "[one]"])
def test_latex_gives_captions_names_of_columns_and_totals_back(cell):
    text = to_latex(Table(title=f"in {cell}", columns=(cell, cell), rows=(), totals=((cell, cell),)))
    assert latex_rows(text) == [[as_printed(cell)] * 2] * 2
    caption = re.search(r"^\\caption\{(.*)\}$", text, re.MULTILINE)
    assert caption
    assert read_latex(caption[1]).removeprefix("in ").strip() == as_printed(cell)


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.endswith(r" \\")]


def test_latex_has_the_rules_of_booktabs_and_totals_after_a_rule_of_their_own():
    text = to_latex(TABLE)
    lines = text.splitlines()
    assert lines[0] == r"% Needs \usepackage{booktabs}"
    assert commands(text)[1:] == [
        r"\begin{table}", r"\centering", r"\caption{Night}", r"\begin{tabular}{lrr}",
        r"\toprule", r"\midrule", r"\midrule", r"\bottomrule", r"\end{tabular}", r"\end{table}",
    ]  # fmt: skip
    assert lines[lines.index(r"\toprule") + 1].startswith("sequence")
    total = next(index for index, line in enumerate(lines) if line.startswith("COMBINED"))
    assert (lines[total - 1], lines[total + 1]) == (r"\midrule", r"\bottomrule")


def test_latex_without_a_title_is_a_bare_tabular():
    assert commands(to_latex(table_of("a")))[1] == r"\begin{tabular}{lr}"
    assert "table}" not in to_latex(table_of("a"))


@pytest.mark.parametrize(("rows", "totals", "num_rules"), [(0, 0, 0), (2, 0, 1), (0, 1, 1), (2, 2, 2)])
def test_latex_has_no_rule_around_nothing(rows, totals, num_rules):
    text = to_latex(Table(title="", columns=("a", "b"), rows=(("c", "1"),) * rows, totals=(("d", "1"),) * totals))
    assert text.count(r"\midrule") == num_rules
    assert "\\midrule\n\\midrule" not in text


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        ("-3.1", "$-$3.1"),
        ("-.5", "$-$.5"),
        ("1 (-2)", "1 ($-$2)"),
        ("−3.1", "$-$3.1"),
        ("MOT17-02", "MOT17-02"),
        ("-", "-"),
        ("3-5", "3-5"),
        ("a--2", "a-{}-2"),
        ("a---b", "a-{}-{}-b"),
        ("5–7", r"5\textendash{}7"),
        ("61.2 ± 0.4", r"61.2 $\pm$ 0.4"),
    ],
)
def test_latex_tells_minus_hyphen_and_dash_apart(cell, printed):
    assert f"& {printed} " in to_latex(Table(title="", columns=("a", "b"), rows=(("x", cell),))).replace("&  ", "& ")
