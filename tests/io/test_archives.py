"""Archives that must not be unpacked, and those that may."""

from __future__ import annotations

import copy
import stat
import zipfile
from pathlib import Path

import PIL.Image
import pytest

from vsdmot.errors import ConfigError, OutputError, VsdmotError
from vsdmot.io.archives import ArchiveLimits, unpack

ROW = "1,1,1,1,4,4,1,1,1\n"


def make_archive(path: Path, members: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def hostile_member(name: str, mode: int = 0) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    return member


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (hostile_member("../gt.txt"), "outside the folder"),
        (hostile_member("gt/../../gt.txt"), "outside the folder"),
        (hostile_member("/etc/gt.txt"), "outside the folder"),
        (hostile_member("C:/gt.txt"), "outside the folder"),
        (hostile_member("C:gt.txt"), "outside the folder"),
        (hostile_member("..\\gt.txt"), "outside the folder"),
        (hostile_member("gt\\gt.txt"), "outside the folder"),
        (hostile_member("img1", stat.S_IFLNK | 0o777), "is a link or device"),
        (hostile_member("pipe.txt", stat.S_IFIFO | 0o644), "is a link or device"),
    ],
)
def test_an_archive_that_leads_outside_is_refused_before_anything_is_written(tmp_path, member, message):
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("gt/gt.txt", ROW)
        opened.writestr(member, "../..")
    check_refused(archive, tmp_path / "to", message)


def check_refused(archive: Path, folder: Path, message: str, limits: ArchiveLimits | None = None) -> None:
    with pytest.raises(VsdmotError) as raised:
        unpack(archive, folder, limits=limits)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(archive.parent))
    assert "\n" not in str(raised.value)
    assert not folder.exists() or not any(folder.iterdir())


def test_archives_that_grow_beyond_measure_are_refused(tmp_path):
    archive = make_archive(tmp_path / "bomb.zip", {"gt/gt.txt": b"0" * 1_000_000})
    check_refused(archive, tmp_path / "to", "expected at most 100 bytes for each byte of the archive")
    check_refused(archive, tmp_path / "to", "expected at most 999999 bytes unpacked", ArchiveLimits(max_bytes=999_999))
    many = make_archive(tmp_path / "many.zip", {f"{i}.txt": "" for i in range(5)})
    check_refused(many, tmp_path / "to", "expected at most 4 files, got 5", ArchiveLimits(max_files=4))
    assert unpack(archive, tmp_path / "to", limits=ArchiveLimits(max_ratio=2000)).is_dir()


def test_a_bomb_cannot_hide_behind_files_that_do_not_shrink(tmp_path):
    noise = PIL.Image.effect_noise((200, 200), 90).tobytes()
    archive = make_archive(tmp_path / "bomb.zip", {"img1/1.jpg": noise, "gt/gt.txt": b"0" * 1_000_000})
    assert 1_040_000 / archive.stat().st_size < 100
    check_refused(archive, tmp_path / "to", "for each byte of the archive")


def test_members_that_share_their_bytes_are_refused(tmp_path):
    archive = tmp_path / "overlap.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("gt/gt.txt", "".join(f"{i},1,1,1,4,4,1,1,1\n" for i in range(5000)))
        for number in range(40):
            again = copy.copy(opened.getinfo("gt/gt.txt"))
            again.filename = again.orig_filename = f"gt/{number}.txt"
            opened.filelist.append(again)
    with zipfile.ZipFile(archive) as opened:
        assert max(member.file_size / member.compress_size for member in opened.infolist()) < 20
    check_refused(archive, tmp_path / "to", "for each byte of the archive", ArchiveLimits(max_ratio=20))


def test_a_member_that_is_longer_than_declared_is_not_written(tmp_path):
    archive = make_archive(tmp_path / "liar.zip", {"gt/gt.txt": ROW * 40})
    size = len(ROW * 40).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(size, (10).to_bytes(4, "little")))
    check_refused(archive, tmp_path / "to", "expected an ordinary zip archive that is whole")


def test_archives_that_are_damaged_are_refused_and_leave_nothing(tmp_path):
    archive = make_archive(tmp_path / "cut.zip", {"gt/a.txt": "a", "gt/gt.txt": ROW * 9}, zipfile.ZIP_STORED)
    whole = archive.read_bytes()
    for damaged in (b"", b"text", whole[:-30], whole.replace(ROW.encode(), ROW.encode()[::-1])):
        archive.write_bytes(damaged)
        check_refused(archive, tmp_path / "to", "expected an ordinary zip archive that is whole")


def test_encrypted_unusual_and_repeated_members_are_refused(tmp_path):
    archive = make_archive(tmp_path / "odd.zip", {"gt/gt.txt": ROW})
    contents = archive.read_bytes()
    directory = contents.index(b"PK\x01\x02")
    archive.write_bytes(contents[: directory + 8] + b"\x01" + contents[directory + 9 :])
    check_refused(archive, tmp_path / "to", "is encrypted")
    archive.write_bytes(contents[: directory + 6] + bytes([99]) + contents[directory + 7 :])
    check_refused(archive, tmp_path / "to", "expected an ordinary zip archive that is whole: zip file version 9.9")
    check_refused(make_archive(archive, {"1.txt": "1"}, zipfile.ZIP_BZIP2), tmp_path / "to", "packed in an unusual way")
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("gt/gt.txt", ROW)
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.writestr("gt/gt.txt", ROW)
    check_refused(archive, tmp_path / "to", "occurs twice")


def test_what_exists_is_not_overwritten(tmp_path):
    archive = make_archive(tmp_path / "clip.zip", {"gt/gt.txt": ROW})
    unpack(archive, tmp_path / "to")
    with pytest.raises(OutputError, match=r"to/clip: exists already; remove it"):
        unpack(archive, tmp_path / "to")
    with pytest.raises(OutputError, match=r"cannot unpack clip\.zip"):
        unpack(archive, archive)


def test_limits_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="max_ratio"):
        ArchiveLimits(max_ratio=0)
