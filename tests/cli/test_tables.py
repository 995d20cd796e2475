"""Tables on a terminal: they fit it, and no number is ever cut."""

from __future__ import annotations

import re
import sys

import pytest

from vsdmot.cli.tables import show_table
from vsdmot.report.tables import Table, to_text

METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "Frag", "frames")
TABLE = Table(
    title="ByteTrack",
    columns=("sequence", *METRICS),
    rows=(
        ("dancetrack0004", "61.2", "70.1", "53.7", "-3.25", "60.4", "41", "-", "1,203"),
        ("MOT17-02_FRCNN", "41.7", "50.2", "35.1", "44.75", "48.9", "107", "252", "600"),
    ),
    totals=(("COMBINED", "52.3", "61.4", "44.9", "12.25", "55.2", "148", "252", "1,803"), ("mean", *("-",) * 8)),
)
FIRST_TO_GO = ("frames", "Frag", "IDSW", "DetA", "AssA")
FULL_WIDTH = 14 + 6 * 4 + 5 + 6 + 3 * 9 + 1


@pytest.fixture
def drawn(capsys, monkeypatch):
    """Give a function that shows a table on a terminal of some width; gives the lines, with escape sequences."""

    def show(table: Table, width: int, **further) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        show_table(table, **further)
        return capsys.readouterr().out.splitlines()

    return show


def bare(lines: list[str]) -> list[str]:
    return [re.sub("\x1b[^m]*m", "", line).rstrip() for line in lines]


def cells(lines: list[str]) -> list[list[str]]:
    """Give the cells of a drawn table, without its rules and what is said below it."""
    rows = [line.strip() for line in bare(lines) if line.strip() and "─" not in line]
    return [re.split(" {3,}", row) for row in rows if not row.startswith("left out")]


def test_elsewhere_it_is_the_plain_text_and_an_empty_line(capsys):
    show_table(TABLE, first_to_go=FIRST_TO_GO, styles={"HOTA": "red"})
    assert capsys.readouterr().out == to_text(TABLE) + "\n"


@pytest.mark.parametrize("width", [FULL_WIDTH, 200])
def test_a_terminal_that_is_wide_enough_shows_everything(drawn, width):
    title, *lines = drawn(TABLE, width, first_to_go=FIRST_TO_GO)
    assert bare([title]) == ["ByteTrack"]
    assert cells(lines) == [list(row) for row in (TABLE.columns, *TABLE.rows, *TABLE.totals)]
    assert max(map(len, bare(lines))) <= FULL_WIDTH


def test_a_rule_is_below_the_header_and_above_the_totals(drawn):
    lines = [line.split()[0] for line in bare(drawn(TABLE, 200)) if line]
    assert [line[0] if line[0] == "─" else line for line in lines[1:]] == [
        "sequence", "─", "dancetrack0004", "MOT17-02_FRCNN", "─", "COMBINED", "mean",
    ]  # fmt: skip


def test_the_title_the_header_and_totals_are_bold(drawn):
    bold = bare([line for line in drawn(TABLE, 200) if "\x1b[1m" in line])
    assert [line.split()[0] for line in bold] == ["ByteTrack", "sequence", "COMBINED", "mean"]


def test_without_totals_or_without_rows_there_is_one_rule(drawn):
    for table in (
        Table(title="", columns=("a", "b"), rows=(("c", "1"),)),
        Table(title="", columns=("a", "b"), rows=(), totals=(("c", "1"),)),
    ):
        lines = bare(drawn(table, 80))
        assert sum("─" in line for line in lines) == 1
        assert cells(lines) == [["a", "b"], ["c", "1"]]


@pytest.mark.parametrize(
    ("width", "gone"),
    [
        (FULL_WIDTH - 1, {"frames"}),
        (FULL_WIDTH - 9, {"frames"}),
        (FULL_WIDTH - 10, {"frames", "Frag"}),
        (50, {"frames", "Frag", "IDSW", "DetA"}),
    ],
)
def test_columns_go_in_their_order_and_only_as_many_as_must(drawn, width, gone):
    lines = drawn(TABLE, width, first_to_go=FIRST_TO_GO)
    left_out = [name for name in TABLE.columns if name in gone]
    assert bare(lines)[-2:] == [f" left out on this narrow terminal: {', '.join(left_out)}", ""]
    lines = lines[:-2]
    assert max(map(len, bare(lines))) <= width
    header, *rows = cells(lines[1:])
    shown = [index for index, name in enumerate(TABLE.columns) if name not in gone]
    assert header == [TABLE.columns[index] for index in shown]
    assert rows == [[row[index] for index in shown] for row in (*TABLE.rows, *TABLE.totals)]


def test_the_width_of_a_total_counts(drawn):
    table = Table(
        title="", columns=("a", "b", "c"), rows=(("x", "1", "2"),), totals=(("all", "1,000,000", "1,000,000"),)
    )
    assert cells(drawn(table, 3 + 9 + 9 + 10, first_to_go=("b",)))[-1] == ["all", "1,000,000", "1,000,000"]
    assert cells(drawn(table, 3 + 9 + 9 + 9, first_to_go=("b",)))[-1] == ["all", "1,000,000"]


def test_the_names_of_the_rows_never_go(drawn):
    assert cells(drawn(TABLE, 20, first_to_go=TABLE.columns))[1:] == [
        ["sequence"], ["dancetrack0004"], ["MOT17-02_FRCNN"], ["COMBINED"], ["mean"],
    ]  # fmt: skip


def test_names_fold_before_numbers_are_cut(drawn):
    lines = drawn(TABLE, FULL_WIDTH - 6)
    assert max(map(len, bare(lines))) <= FULL_WIDTH - 6
    numbers = [row[1:] for row in cells(lines[1:]) if len(row) > 1]
    assert numbers == [list(row[1:]) for row in (TABLE.columns, *TABLE.rows, *TABLE.totals)]


@pytest.mark.parametrize("width", [1, 20, FULL_WIDTH - 7])
def test_where_no_name_could_be_read_it_is_plain_text_so_that_no_number_is_cut(drawn, width):
    assert drawn(TABLE, width) == [*to_text(TABLE).splitlines(), ""]
    kept = drawn(TABLE, 20, first_to_go=("frames", "nothing of this name"))
    assert kept[1].split() == ["sequence", *METRICS[:-1]]


def test_styles_colour_what_is_there_and_nothing_else(drawn):
    lines = drawn(TABLE, 200, styles={"Frag": "red", "nothing of this name": "blue"})
    assert [re.sub(".*\x1b\\[31m([^\x1b]*)\x1b.*", r"\1", line) for line in lines if "\x1b[31m" in line] == ["252"]
    assert "\x1b[34m" not in "".join(lines)


def test_cells_are_not_taken_for_markup(drawn):
    table = Table(title="[bold]", columns=("[red]a", "b"), rows=(("[one]", "[/]"), ("two\nlines", ":smile:")))
    assert cells(drawn(table, 80)) == [["[bold]"], ["[red]a", "b"], ["[one]", "[/]"], ["two lines", ":smile:"]]
