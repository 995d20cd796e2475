"""Sequences in folders and archives: the layouts that are found."""

from __future__ import annotations

import zipfile
from pathlib import Path

import PIL.Image
import pytest

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.datasets import find_sequences, image_size
from vsdmot.io.images import number_images, open_folder

SEQINFO = "[Sequence]\nname=x\nimDir=img1\nframeRate=14\nseqLength=3\nimWidth=8\nimHeight=6\nimExt=.jpg\n"
ROW = "1,1,1,1,4,4,1,1,1\n"


def make_sequence(folder: Path, *, digits: int = 6, first: int = 1, seqinfo: str | None = SEQINFO) -> Path:
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text(ROW)
    for number in range(first, first + 3):
        PIL.Image.new("RGB", (8, 6)).save(folder / "img1" / f"{number:0{digits}d}.jpg")
    if seqinfo is not None:
        (folder / "seqinfo.ini").write_text(seqinfo)
    return folder


def make_archive(path: Path, members: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def names(root: Path) -> list[str]:
    return [sequence.name for sequence in find_sequences(root)]


def test_a_data_set_a_split_and_a_sequence_give_the_same_sequences(tmp_path):
    for name in ("MOT17-10", "MOT17-2"):
        make_sequence(tmp_path / "MOT17" / "train" / name)
    (tmp_path / "MOT17" / "train" / ".cache" / "img1").mkdir(parents=True)
    (tmp_path / "MOT17" / "readme").mkdir()
    for root in (tmp_path, tmp_path / "MOT17", tmp_path / "MOT17" / "train"):
        assert names(root) == ["MOT17-2", "MOT17-10"]
    assert names(tmp_path / "MOT17" / "train" / "MOT17-2") == ["MOT17-2"]


def test_a_sequence_says_what_is_there_and_what_is_promised(tmp_path):
    folder = make_sequence(tmp_path / "one", seqinfo=SEQINFO.replace("seqLength=3", "seqLength=9"))
    (sequence,) = find_sequences(folder)
    assert (sequence.num_frames, sequence.promised_length) == (3, 9)
    assert (sequence.size, sequence.promised_size, sequence.frame_rate) == ((8, 6), (8, 6), 14.0)
    assert sequence.image_folder == folder / "img1"
    assert sequence.ground_truth == folder / "gt" / "gt.txt"


def test_a_sequence_without_seqinfo_promises_nothing(tmp_path):
    (sequence,) = find_sequences(make_sequence(tmp_path / "own", seqinfo=None))
    assert (sequence.frame_rate, sequence.promised_length, sequence.promised_size) == (None, None, None)
    assert (sequence.num_frames, sequence.size) == (3, (8, 6))


def test_a_test_split_has_no_ground_truth_and_annotations_alone_have_no_images(tmp_path):
    (make_sequence(tmp_path / "test" / "a") / "gt" / "gt.txt").unlink()
    for image in (make_sequence(tmp_path / "test" / "b") / "img1").iterdir():
        image.unlink()
    first, second = find_sequences(tmp_path)
    assert first.ground_truth is None
    assert (second.num_frames, second.size, second.promised_size) == (0, None, (8, 6))


def test_the_size_is_that_of_the_first_image_that_can_be_read(tmp_path):
    folder = make_sequence(tmp_path / "one")
    (folder / "img1" / "000001.jpg").write_bytes(b"")
    (sequence,) = find_sequences(folder)
    assert (sequence.size, sequence.num_frames) == ((8, 6), 3)


@pytest.mark.parametrize(("digits", "first"), [(6, 1), (8, 1), (6, 0), (1, 9), (6, 101)])
def test_frames_have_the_indices_under_which_they_are_tracked(tmp_path, digits, first):
    folder = make_sequence(tmp_path / "one", digits=digits, first=first)
    numbered, unnumbered = number_images(folder / "img1")
    assert [index for index, _ in numbered] == [frame.index for frame in open_folder(folder)]
    assert [path for _, path in numbered] == [frame.path for frame in open_folder(folder)]
    assert unnumbered == []


def test_images_without_a_frame_number_are_told_apart(tmp_path):
    for name in ("cover.png", "00000000000000001234.png", "frame_7.png", "._000001.png", "7.txt"):
        (tmp_path / name).touch()
    numbered, unnumbered = number_images(tmp_path)
    assert [(index, path.name) for index, path in numbered] == [(7, "frame_7.png")]
    assert {path.name for path in unnumbered} == {"cover.png", "00000000000000001234.png"}


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_size_is_upright_and_read_from_the_header_alone(tmp_path, suffix):
    path = tmp_path / f"turned{suffix}"
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.effect_noise((80, 60), 50).save(path, exif=exif)
    assert image_size(path) == (60, 80)
    PIL.Image.effect_noise((80, 60), 50).save(path)
    path.write_bytes(path.read_bytes()[:700])  # most of the picture is gone
    assert image_size(path) == (80, 60)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8\xff\xe0\x00", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_header_that_cannot_be_read_is_an_error_of_one_line(tmp_path, content):
    (tmp_path / "1.jpg").write_bytes(content)
    with pytest.raises(SourceError, match=r"1\.jpg: not an image, or damaged at its start"):
        image_size(tmp_path / "1.jpg")


def test_what_holds_no_sequence_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        find_sequences(tmp_path / "nothing")
    with pytest.raises(SourceError, match="expected sequences"):
        find_sequences(tmp_path)
    make_sequence(tmp_path / "a" / "b" / "c" / "too_deep")
    with pytest.raises(SourceError, match="at most 3 folders down"):
        find_sequences(tmp_path)
    with pytest.raises(SourceError, match="a zip archive needs a folder to be unpacked to"):
        find_sequences(make_archive(tmp_path / "clip.zip", {"gt/gt.txt": ROW}))


@pytest.mark.parametrize("outside", ["../other", "/etc", "C:/images", "..\\other"])
def test_seqinfo_cannot_lead_out_of_its_sequence(tmp_path, outside):
    folder = make_sequence(tmp_path / "one", seqinfo=SEQINFO.replace("imDir=img1", f"imDir={outside}"))
    with pytest.raises(FormatError, match=r"seqinfo\.ini: imDir: expected a folder inside the sequence"):
        find_sequences(folder)


def test_an_export_of_cvat_is_unpacked_and_found(tmp_path):
    folder = make_sequence(tmp_path / "made", first=0, seqinfo=None)
    images = {f"img1/frame_{path.stem}.jpg": path.read_bytes() for path in (folder / "img1").iterdir()}
    content = {"gt/gt.txt": ROW, "gt/labels.txt": "car\nperson\n", "__MACOSX/._x.txt": "", "run.sh": "echo", **images}
    archive = make_archive(tmp_path / "task 7.zip", content)
    (sequence,) = find_sequences(archive, unpack_to=tmp_path / "new" / "place")
    assert sequence.folder == tmp_path / "new" / "place" / "task 7"
    assert (sequence.name, sequence.num_frames, sequence.size) == ("task 7", 3, (8, 6))
    unpacked = {path.relative_to(sequence.folder).as_posix() for path in sequence.folder.rglob("*") if path.is_file()}
    assert unpacked == {"gt/gt.txt", "gt/labels.txt", *images}
    assert [path.name for path in sequence.folder.parent.iterdir()] == ["task 7"]
