"""Lists of sequences: written, edited, read, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsdmot.datasets.splits import SplitEntry, read_split, write_split
from vsdmot.errors import FormatError


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("train/a", "train/b c"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_what_is_written_is_read_back(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    entries = (
        SplitEntry("a", "degraded", folder / "train" / "a"),
        SplitEntry("b c", "clean", folder / "train" / "b c"),
        SplitEntry("far", "clean", elsewhere),
    )
    text = write_split(entries, folder)
    assert text.splitlines()[1:3] == ["a, degraded, train/a", "b c, clean, train/b c"]
    (folder / "train.txt").write_text(text)
    assert read_split(folder / "train.txt") == entries


def test_people_may_leave_remarks_blank_lines_and_windows_line_ends(folder):
    path = folder / "train.txt"
    path.write_bytes("﻿# mine\r\n\r\n  a ,clean,train/a  # good light\r\n".encode())
    assert read_split(path) == (SplitEntry("a", "clean", folder / "train" / "a"),)
    path.write_text("")
    assert read_split(path) == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a, clean", "expected 'sequence, clean or degraded, folder', got 'a, clean'"),
        ("a clean train/a", "expected 'sequence, clean or degraded, folder'"),
        ("a, clear, train/a", "expected 'sequence, clean or degraded, folder'"),
        (", clean, train/a", "expected 'sequence, clean or degraded, folder'"),
        ("a, clean, train/a, x", "expected 'sequence, clean or degraded, folder'"),
        ("a, clean, train/z", "expected the sequence a in"),
        ("first, clean, train/a", "first is also in line 2"),
    ],
)
def test_a_wrong_line_is_named(folder, line, message):
    path = folder / "train.txt"
    path.write_text(f"# mine\nfirst, clean, train/a\n\n{line}\n")
    with pytest.raises(FormatError) as raised:
        read_split(path)
    assert f"train.txt:4: {message}" in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"none\.txt: cannot read: No such file"):
        read_split(tmp_path / "none.txt")
    (tmp_path / "train.txt").write_bytes(b"\xff")
    with pytest.raises(FormatError, match=r"train\.txt: cannot read: expected UTF-8"):
        read_split(tmp_path / "train.txt")
