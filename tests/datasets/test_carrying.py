"""Clean sequences: links and copies, and what is left when they fail."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from vsdmot.datasets.carrying import carry_sequence
from vsdmot.errors import OutputError
from vsdmot.io.dataset_check import check_folder


@pytest.fixture
def source(draw_sequence, tmp_path) -> Path:
    folder = draw_sequence(tmp_path / "from" / "MOT17-02-FRCNN")
    (folder / ".cache").mkdir()
    (folder / ".DS_Store").touch()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    paths = [Path(here) / name for here, _, names in os.walk(folder, followlinks=True) for name in names]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def silent(_: str) -> None:
    raise AssertionError("nothing to warn about")


@pytest.mark.parametrize("link", ["auto", "symlink", "hardlink", "copy"])
def test_every_way_gives_the_same_sequence(source, tmp_path, link):
    target = tmp_path / "to" / "MOT17-02-FRCNN"
    carry_sequence(source, target, link, silent)
    expected = {name: data for name, data in contents(source).items() if not name.startswith(".")}
    assert contents(target) == expected
    assert check_folder(target).problems == ()
    assert [path.name for path in target.parent.iterdir()] == ["MOT17-02-FRCNN"]
    image = target / "img1" / "000001.jpg"
    assert (target / "img1").is_symlink() == (link in ("auto", "symlink"))
    assert image.samefile(source / "img1" / "000001.jpg") == (link != "copy")


@pytest.mark.parametrize("link", ["auto", "hardlink", "copy"])
def test_what_is_written_beside_the_images_stays_out_of_the_originals(source, tmp_path, link):
    target = tmp_path / "to" / "one"
    carry_sequence(source, target, link, silent)
    (target / "det" / "det.txt").write_text("new")
    (target / "new.txt").touch()
    assert (source / "det" / "det.txt").read_text() != "new"
    assert not (source / "new.txt").exists()


def test_what_is_complete_is_kept_and_what_is_not_begins_anew(source, tmp_path):
    target = tmp_path / "to" / "one"
    partial = target.with_name(".one.partial")
    partial.mkdir(parents=True)
    (partial / "half").touch()
    carry_sequence(source, target, "copy", silent)
    assert not (target / "half").exists()
    (target / "mine").touch()
    carry_sequence(source, target, "copy", silent)
    assert (target / "mine").exists()


@pytest.mark.parametrize("link", ["symlink", "copy"])
def test_images_that_are_gone_come_back_and_what_else_is_there_stays(source, tmp_path, link):
    target = tmp_path / "to" / "one"
    carry_sequence(source, target, link, silent)
    (target / "det" / "mine.txt").write_text("hours of work")
    if link == "symlink":
        (target / "img1").unlink()
        (target / "img1").symlink_to(tmp_path / "moved away")
    else:
        shutil.rmtree(target / "img1")
    carry_sequence(source, target, link, silent)
    assert len(list((target / "img1").iterdir())) == 2
    assert (target / "det" / "mine.txt").read_text() == "hours of work"
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_images_may_lie_elsewhere(source, tmp_path):
    (source / "seqinfo.ini").write_text("[Sequence]\nimDir=frames/left\n")
    (source / "frames").mkdir()
    (source / "img1").rename(tmp_path / "images")
    (source / "frames" / "left").symlink_to(tmp_path / "images")
    for link in ("symlink", "hardlink", "copy"):
        carry_sequence(source, tmp_path / "to" / link, link, silent)
        assert len(list((tmp_path / "to" / link / "frames" / "left").iterdir())) == 2


def test_where_there_are_no_symbolic_links_auto_copies_and_says_so(source, tmp_path, monkeypatch):
    def unable(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", unable)
    notes: list[str] = []
    carry_sequence(source, tmp_path / "to" / "auto", "auto", notes.append)
    assert notes == [f"{source / 'img1'}: no symbolic links here (Operation not permitted); its images are copied"]
    assert not (tmp_path / "to" / "auto" / "img1").is_symlink()
    with pytest.raises(OutputError, match="Operation not permitted; use --link copy"):
        carry_sequence(source, tmp_path / "to" / "symlink", "symlink", silent)
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["auto"]


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.EXDEV, "use --link symlink or copy"), (errno.ENOSPC, "the disk is full")],
)
def test_what_fails_leaves_nothing(source, tmp_path, monkeypatch, code, message):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OutputError, match=message):
        carry_sequence(source, tmp_path / "to" / "one", "hardlink", silent)
    assert not any((tmp_path / "to").iterdir())


def test_a_full_disk_while_copying_is_told(source, tmp_path, monkeypatch):
    copied: list[object] = []
    copyfile = shutil.copyfile

    def fill(*arguments, **named):
        if len(copied) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copied.append(arguments)
        return copyfile(*arguments, **named)

    monkeypatch.setattr(shutil, "copyfile", fill)
    with pytest.raises(OutputError, match=r"one: cannot be made from .*: the disk is full$"):
        carry_sequence(source, tmp_path / "to" / "one", "copy", silent)
    assert not any((tmp_path / "to").iterdir())
