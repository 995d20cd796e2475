"""Parquet: pyarrow opens what is written, with the types that one expects, and strange files are refused."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vsdmot.errors import FormatError
from vsdmot.io.exchange.parquet import read_parquet_tracks, write_parquet_tracks
from vsdmot.io.exchange.table import TableBuilder

NAN = math.nan


def test_pyarrow_opens_it_with_types_and_empty_cells(tmp_path):
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 7, (10.5, 20.0, 30.0, 40.0), score=0.5)
    builder.add_frame("", 1, (0.0, 0.75, NAN, NAN, NAN, 0.25, 3.0))
    builder.add_frame("", 2, (0.04, 0.5, NAN, NAN, NAN, NAN, 0.0))
    path = tmp_path / "walk.parquet"
    path.write_bytes(write_parquet_tracks(builder.build(name="walk", size=(640, 480))))
    table = pq.read_table(path)
    assert {field.name: str(field.type) for field in table.schema} == {
        **dict.fromkeys(("frame", "id"), "int64"),
        **dict.fromkeys(("left", "top", "width", "height", "score"), "double"),
        **dict.fromkeys(("time", "quality", "semantic_weight", "num_proposals"), "double"),
    }
    assert table.to_pylist()[1] == {
        "frame": 2, "id": None, "left": None, "top": None, "width": None, "height": None, "score": None,
        "time": 0.04, "quality": 0.5, "semantic_weight": None, "num_proposals": 0.0,
    }  # fmt: skip


def a_file(folder: Path, **columns: list) -> Path:
    """A file of somebody else; None takes a column away."""
    usual = {"frame": [1], "id": [7], "left": [1.0], "top": [2.0], "width": [3.0], "height": [4.0]} | columns
    path = folder / "some.parquet"
    pq.write_table(pa.table({name: cells for name, cells in usual.items() if cells is not None}), path)
    return path


def test_pandas_writes_whole_numbers_with_gaps_as_floats(tmp_path):
    table = read_parquet_tracks(
        a_file(
            tmp_path,
            frame=[1, 2], id=[7.0, NAN], left=[1.0, NAN], top=[2.0, NAN], width=[3, None], height=[4.0, NAN],
            speed=[1.0, 2.0],
        )
    )  # fmt: skip
    assert table.ids.tolist() == [7]
    assert table.known_frames.tolist() == [2]
    assert table.notes == ("columns that no other format knows left out: speed",)
    assert (table.name, table.size) == ("some", None)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": None}, "expected the columns frame, id, left, top, width, height, got frame, left"),
        ({"frame": [None]}, "row 1: expected a frame, got an empty cell"),
        ({"frame": [0]}, "row 1: expected a frame number, whole and at least 1, got 0"),
        ({"frame": ["one"]}, "row 1: expected a number in the column frame, got 'one'"),
        ({"id": [1.5]}, "row 1: expected a whole number in the column id, got 1.5"),
        ({"id": [None]}, "row 1: expected an id for the box, got an empty cell"),
        ({"width": [math.inf]}, "row 1: expected a number in the column width, got inf"),
        ({"width": [None]}, "row 1: expected a number in the column width, got an empty cell"),
        ({"label": [3]}, "row 1: expected text in the column label, got 3"),
        ({"considered": ["yes"]}, "row 1: expected true or false in the column considered, got 'yes'"),
    ],
)
def test_broken_rows_are_refused_with_their_number(tmp_path, columns, message):
    with pytest.raises(FormatError, match=message):
        read_parquet_tracks(a_file(tmp_path, **columns))


@pytest.mark.parametrize("metadata", [b"[]", b"{", b'{"name": 3, "size": [1, "2"]}', b'{"size": 5}'])
def test_metadata_that_is_not_ours_says_nothing(tmp_path, metadata):
    path = a_file(tmp_path)
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"vsdmot": metadata}), path)
    table = read_parquet_tracks(path)
    assert (table.name, table.size) == ("some", None)


@pytest.mark.parametrize("contents", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused_in_one_line(tmp_path, contents):
    path = tmp_path / "some.parquet"
    path.write_bytes(contents)
    with pytest.raises(FormatError, match="not readable as Parquet") as caught:
        read_parquet_tracks(path)
    assert "\n" not in str(caught.value)


def test_without_pyarrow_the_error_says_what_to_install(tmp_path):
    """In a process of its own in which pyarrow cannot be imported; all other formats work there."""
    (tmp_path / "a.txt").write_text("1,1,2,3,4,5,0.5,-1,-1,-1\n")
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from vsdmot.cli.main import main\n"
        "print(main(['convert', 'a.txt', '-o', 'a.csv']), main(['convert', 'a.txt', '-o', 'a.parquet']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 2"
    assert done.stderr == "vsdmot: Parquet needs the package pyarrow: pip install 'vsdmot[tables]'\n"
    assert not (tmp_path / "a.parquet").exists()
