"""Files damaged anywhere give a table or one clear line, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vsdmot.errors import VsdmotError
from vsdmot.io.exchange.formats import FORMATS, file_contents, format_of_source, read_tracks_of
from vsdmot.io.exchange.table import TableBuilder


def whole_file(name: str) -> bytes:
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 1, (1.0, 2.5, 3.0, 4.0), score=0.5, visibility=0.5)
    builder.add("", 3, 1, (1.0, 2.5, 3.0, 4.0), score=0.5, visibility=0.5)
    builder.add("", 3, 2, (1.0, 2.5, 3.0, 4.0), label="car", considered=False)
    builder.add_frame("", 2, (0.04, 0.5, 0.5, 0.5, 0.5, 0.5, 3.0))
    return file_contents(builder.build(name="x", size=(64, 48)), name, Path(f"x{FORMATS[name].suffix}"))


WHOLE = {name: whole_file(name) for name in FORMATS}
splinters = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"-1", b"1e999", b"nan", b"null", b"[]", b"{}", b'"', b"<box>", b"&a;", b"\n", b",", b"9" * 400]),
)


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(FORMATS)),
    cut=st.floats(0, 1),
    removed=st.integers(0, 12),
    splinter=splinters,
    to_the_end=st.booleans(),
)
def test_damage_is_survived_or_told_in_one_line(name, cut, removed, splinter, to_the_end):
    contents = WHOLE[name]
    place = int(cut * len(contents))
    damaged = contents[:place] + splinter + (b"" if to_the_end else contents[place + removed :])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{FORMATS[name].suffix}"
        path.write_bytes(damaged)
        told = None
        try:
            table = read_tracks_of(path, name)
            format_of_source(path)
        except VsdmotError as error:
            told = str(error)
        if told is None:
            assert (table.frames >= 1).all()
            assert (table.ids >= 0).all()
        else:
            assert told.startswith(str(path))
            assert len(told.splitlines()) == 1
