import os

import pytest

from vsdmot.errors import OutputError
from vsdmot.io import whole_files
from vsdmot.io.whole_files import copy_whole, remove_parts, write_whole


def test_a_file_is_there_in_full_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "ä b.bin"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "replace", full)
    with pytest.raises(OutputError, match=r"ä b.bin: cannot be written: No space left on device$"):
        write_whole(path, b"newest")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == [path.name]


def test_a_copy_has_the_same_bytes_and_leaves_the_original(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(256)))
    copy_whole(tmp_path / "a", tmp_path / "b" / "c")
    assert (tmp_path / "b" / "c").read_bytes() == (tmp_path / "a").read_bytes() == bytes(range(256))


def test_the_file_that_cannot_be_read_or_the_folder_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"b: cannot be written: No such file or directory \(.*a\)"):
        copy_whole(tmp_path / "a", tmp_path / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / "file" / "c", b"")


def test_only_our_own_leftovers_are_removed(tmp_path):
    (tmp_path / "deep").mkdir()
    ours = [tmp_path / ".a.jpg.123.part", tmp_path / "deep" / ".b.4.part"]
    others = [tmp_path / name for name in (".download.part", "c.5.part", "d")]
    for path in (*ours, *others):
        path.write_text("")
    remove_parts(tmp_path)
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others)
