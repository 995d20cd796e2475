"""``vsdmot data``: what users see of checks and builds, and every flag."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import PIL.Image
import pytest

from vsdmot.cli import data
from vsdmot.datasets.splits import read_split
from vsdmot.io.images import read_image


def problems_in(out: str) -> dict[str, int]:
    """Kinds of problems in the output and how many there are of each."""
    return {kind: int(count) for kind, count in re.findall(r"^([a-z ]+) \((\d+)\)$", out, re.MULTILINE)}


# The real layouts: what the issue asks for


@pytest.mark.parametrize("part", ["DanceTrack", "MOT17", "MOT20", "CrowdHuman", "."])
def test_the_published_layouts_have_no_problems(vsdmot, originals, part):
    outcome = vsdmot("data", "check", originals / part, "--strict", "--decode")
    assert outcome.code == 0, outcome.out
    assert outcome.out.rstrip().endswith("; no problems")


@pytest.mark.parametrize(
    ("name", "num_train", "num_degraded", "num_validation"), [("lqdancetrack", 40, 27, 25), ("lqmot", 7, 5, 4)]
)
def test_the_papers_data_sets_are_built_from_the_published_layouts(
    vsdmot, originals, tmp_path, name, num_train, num_degraded, num_validation
):
    output = tmp_path / name
    outcome = vsdmot("data", "build", name, "--root", originals, "-o", output, "--workers", 1)
    assert outcome.code == 0, outcome.err
    assert (
        f"train.txt: {num_train} sequences, {num_degraded} degraded and {num_train - num_degraded} clean" in outcome.out
    )
    train, val, clean = (read_split(output / f"{part}.txt") for part in ("train", "val", "val_clean"))
    assert [entry.quality for entry in train].count("degraded") == num_degraded
    assert (len(train), len(val), len(clean)) == (num_train, num_validation, num_validation)
    assert [entry.name for entry in val] == [entry.name for entry in clean]
    assert {entry.quality for entry in val} == {"degraded"}
    assert {entry.quality for entry in clean} == {"clean"}
    sources = {path.parent.name: path for path in originals.rglob("gt")}
    for entry in (*train, *val, *clean):
        source = sources[entry.name]
        assert (entry.folder / "gt" / "gt.txt").read_bytes() == (source / "gt.txt").read_bytes()
        image = next((source.parent / "img1").iterdir())
        same = (read_image(image) == read_image(entry.folder / "img1" / image.name)).all()
        assert same == (entry.quality == "clean")
    checked = vsdmot("data", "check", output, "--strict", "--decode")
    assert checked.code == 0, checked.out
    assert f"val.txt: {num_validation} sequences, degraded" in checked.out


# check


@pytest.fixture
def sequence(draw_sequence, tmp_path) -> Path:
    return draw_sequence(tmp_path / "set" / "train" / "one", num_frames=4)


def test_the_table_is_plain_and_aligned_when_it_is_not_on_a_terminal(vsdmot, sequence, tmp_path):
    (sequence / "img1" / "000004.jpg").unlink()
    outcome = vsdmot("data", "check", tmp_path / "set")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert re.split(" {2,}", lines[0])[4:] == ["boxes", "of people", "ids", "gaps", "outside", "detections", "problems"]
    assert lines[1].split() == ["train/one", "3", "of", "4", "48x36", "20", "8", "8", "2", "0", "0", "8", "3"]
    assert len(lines[0]) == len(lines[1])
    assert "\x1b" not in outcome.out
    assert problems_in(outcome.out) == {"length differs": 1, "boxes without image": 1, "detections without image": 1}
    assert "  train/one/gt/gt.txt:4: 2 boxes in frames that have no image: 4" in lines
    assert lines[-1].endswith("set: 1 sequence, 3 frames, 8 boxes, 2 people; 3 problems of 3 kinds")


@pytest.mark.parametrize(("width", "left_out"), [(200, set()), (80, {"outside", "detections"}), (45, {"gaps", "fps"})])
def test_a_terminal_gets_a_drawn_table_that_fits_it(vsdmot, draw_sequence, tmp_path, monkeypatch, width, left_out):
    for name in ("[one]", "two"):
        draw_sequence(tmp_path / "set" / name)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    out = vsdmot("data", "check", tmp_path / "set").out
    table = [re.sub("\x1b[^m]*m", "", line) for line in out.splitlines()[:-1]]
    told = [line for line in table if line.startswith(" left out on this narrow terminal: ")]
    assert set(told[0].partition(": ")[2].split(", ")) >= left_out if left_out else not told
    table = [line for line in table if line not in told]
    assert max(map(len, table)) <= width
    assert "─" in out
    header = set(" ".join(table).split())
    assert not header & left_out
    assert {"frames", "boxes", "problems", "[one]", "total"} <= header  # rich takes no part of a name for markup


def test_strict_has_a_code_of_its_own_when_there_are_problems(vsdmot, sequence, tmp_path):
    assert vsdmot("data", "check", sequence, "--strict").code == 0
    (sequence / "gt" / "gt.txt").unlink()
    assert vsdmot("data", "check", sequence).code == 0
    assert vsdmot("data", "check", sequence, "--strict").code == data.PROBLEMS_FOUND == 3


def test_decode_finds_what_headers_hide(vsdmot, sequence):
    image = sequence / "img1" / "000002.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    assert problems_in(vsdmot("data", "check", sequence).out) == {}
    out = vsdmot("data", "check", sequence, "--decode", "--workers", 2).out
    assert problems_in(out) == {"damaged image": 1}
    assert "000002.jpg" in out


def test_json_holds_all_that_is_printed_under_fixed_names(vsdmot, refused, originals, sequence, tmp_path):
    path = tmp_path / "check.json"
    (sequence / "img1" / "000003.jpg").write_bytes(b"")
    assert vsdmot("data", "check", tmp_path / "set", "--json", path).code == 0
    found = json.loads(path.read_text())
    assert found["format"] == "vsdmot data check 1"
    assert found["totals"] == {
        "sequences": 1, "frames": 4, "boxes": 8, "people_boxes": 8, "ids": 2, "images": 0, "people": 0, "problems": 1,
    }  # fmt: skip
    assert found["sequences"] == [
        {
            "name": "one", "folder": "train/one", "frames": 4, "promised_frames": 4, "size": [48, 36],
            "frame_rate": 20.0, "boxes": 8, "people_boxes": 8, "ids": 2, "partly_outside": 0, "gaps": 0,
            "detections": 8, "problems": 1,
        }
    ]  # fmt: skip
    assert found["problems"] == [
        {
            "kind": "unreadable image",
            "where": "train/one/img1",
            "message": "1 of 4 images cannot be read: 000003.jpg",
        }
    ]
    assert "add --overwrite to replace it" in refused("data", "check", tmp_path / "set", "--json", path)
    crowd = originals / "CrowdHuman" / "annotation_train.odgt"
    assert vsdmot("data", "check", crowd, "--json", path, "--overwrite").code == 0
    assert json.loads(path.read_text())["crowdhuman"] == [
        {
            "annotations": "annotation_train.odgt", "annotated_images": 2, "images": 2, "people": 2, "heads": 2,
            "ignored": 2, "smallest": [64, 48], "largest": [64, 48], "problems": 0,
        }
    ]  # fmt: skip


def test_settings_of_a_check_come_from_a_file(vsdmot, sequence, tmp_path):
    (sequence / "gt" / "gt.txt").unlink()
    (tmp_path / "check.yaml").write_text(f"path: {sequence}\nstrict: true\nworkers: 1\n")
    assert vsdmot("data", "check", "--config", tmp_path / "check.yaml").code == 3


def test_an_export_of_cvat_is_checked_without_leaving_a_trace(vsdmot, cvat_export, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = sorted(cvat_export.parent.rglob("*"))
    outcome = vsdmot("data", "check", cvat_export, "--strict")
    assert outcome.code == 0, outcome.out
    assert outcome.out.splitlines()[1].split()[:6] == ["task_7.zip", "4", "48x36", "-", "8", "8"]
    assert sorted(cvat_export.parent.rglob("*")) == before
    assert not any(temporary.iterdir())


def test_wrong_columns_in_an_archive_are_told_with_their_line(vsdmot, tmp_path):
    with zipfile.ZipFile(tmp_path / "columns.zip", "w") as archive:
        archive.writestr("gt/gt.txt", "1,1,1,1,4,4,1,1,1\n1,1,1\n")
    out = vsdmot("data", "check", tmp_path / "columns.zip").out
    assert problems_in(out) == {"no images": 1, "unreadable ground truth": 1}
    assert "  gt/gt.txt:2: expected at least 7 values" in out


def test_archives_that_are_not_to_be_trusted_are_refused_in_one_line(refused, sequence, tmp_path):
    def archive(name: str, member: zipfile.ZipInfo | str, content: bytes | str = "x") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("gt/gt.txt", "1,1,1,1,4,4,1,1,1\n")
            opened.writestr(member, content)
        return tmp_path / name

    link = zipfile.ZipInfo("img1")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    cut = archive("cut.zip", "img1/1.jpg", bytes(range(256)))
    cut.write_bytes(cut.read_bytes()[:-30])
    for path, message in (
        (archive("out.zip", "../gt.txt"), "would be unpacked outside the folder"),
        (archive("link.zip", link, "/etc"), "is a link or device"),
        (archive("bomb.zip", "gt/other.txt", b"0" * 10_000_000), "bytes for each byte of the archive"),
        (cut, "expected an ordinary zip archive that is whole"),
        (archive("none.zip", "readme.md"), ""),
    ):
        if message:
            assert message in refused("data", "check", path)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"no video")
    assert refused("data", "check", clip) == f"{clip}: expected a folder, a zip archive or an .odgt file"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "PATH: missing, and there is no default"),
        (["nothing"], "nothing: no such folder"),
        (["."], "expected sequences (folders with seqinfo.ini, img1/ or gt/gt.txt)"),
        ([".", "--workers", "0"], "--workers: must be at least 1, got 0"),
        ([".", "--stict"], "--stict: unknown flag; did you mean --strict?"),
    ],
)
def test_what_cannot_be_checked_is_one_clear_line(refused, tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    assert expected in refused("data", "check", *words)


def test_the_second_word_is_explained(vsdmot, refused, capsys):
    for words in ((), ("--help",)):
        with pytest.raises(SystemExit) as ended:
            data.main(words)
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert all(word in out for word in data.SUBVERBS)
    assert refused("data", "chekc") == "data chekc: did you mean check?"
    assert refused("data", "weigh") == "data weigh: expected check or build"


def test_the_known_faults_of_real_folders_are_told(vsdmot, shared_data):
    outcome = vsdmot("data", "check", shared_data / "mot17_mini", "--decode")
    assert problems_in(outcome.out) == {"length differs": 6, "detections without image": 6}
    assert "train/MOT17-05-FRCNN/img1: seqinfo.ini promises 837 frames, 6 are there" in outcome.out
    assert "3,822 of 3,848 detections in frames that have no image: 7-837" in outcome.out
    outcome = vsdmot("data", "check", shared_data / "mot15", "--strict")
    assert outcome.code == 0
    assert "4 sequences, 1,399 frames, 8,066 boxes, 67 people; no problems" in outcome.out


# build


@pytest.fixture
def split(tmp_path) -> Path:
    path = tmp_path / "split.yaml"
    path.write_text("train: [MOT17-02, MOT17-04, MOT20-01]\nvalidation: [MOT17-09]\n")
    return path


@pytest.fixture
def base(originals, split) -> list[object]:
    return ["data", "build", "lqmot", "--root", originals, "--split", split, "--workers", 1]


def pixels(output: Path) -> dict[str, bytes]:
    entries = (*read_split(output / "train.txt"), *read_split(output / "val.txt"))
    images = {f"{entry.name}/{image.name}": image for entry in entries for image in (entry.folder / "img1").iterdir()}
    return {name: image.read_bytes() for name, image in images.items()}


@pytest.mark.parametrize(
    "words",
    [("--seed", 7), ("--mode", "per_frame"), ("--severity", 5), ("--only", "blur,noise"), ("--ratio", "0:1")],
    ids=lambda words: words[0],
)
def test_each_setting_changes_the_pixels(vsdmot, base, tmp_path, words):
    assert vsdmot(*base, "-o", tmp_path / "a").code == 0
    assert vsdmot(*base, "--output", tmp_path / "b", *words).code == 0
    assert pixels(tmp_path / "a") != pixels(tmp_path / "b")


@pytest.mark.parametrize(("ratio", "num_degraded"), [("0:1", 0), ("1:1", 2), ("2:1", 2), ("1:0", 3)])
def test_ratios_of_table_vi(vsdmot, base, tmp_path, ratio, num_degraded):
    assert vsdmot(*base, "-o", tmp_path / "a", "--ratio", ratio).code == 0
    entries = read_split(tmp_path / "a" / "train.txt")
    assert [entry.quality for entry in entries].count("degraded") == num_degraded
    assert [entry.quality for entry in read_split(tmp_path / "a" / "val.txt")] == ["degraded"]


def test_a_dry_run_prints_a_split_that_builds_the_same(vsdmot, base, originals, tmp_path):
    outcome = vsdmot(*base, "-o", tmp_path / "a", "--dry-run", "--seed", 3)
    assert outcome.code == 0
    assert not (tmp_path / "a").exists()
    assert vsdmot(*base, "-o", tmp_path / "a", "--seed", 3).code == 0
    assert (tmp_path / "a" / "split.yaml").read_text() == outcome.out
    (tmp_path / "mine.yaml").write_text(outcome.out)
    again = ["data", "build", "lqmot", "--root", originals, "--split", tmp_path / "mine.yaml", "--seed", 3]
    assert vsdmot(*again, "-o", tmp_path / "b", "--workers", 1).code == 0
    assert pixels(tmp_path / "a") == pixels(tmp_path / "b")


def test_a_split_may_say_who_is_degraded(vsdmot, refused, base, split, tmp_path):
    with split.open("a") as file:
        file.write("degraded: [MOT20-01]\n")
    assert vsdmot(*base, "-o", tmp_path / "a").code == 0
    qualities = {entry.name: entry.quality for entry in read_split(tmp_path / "a" / "train.txt")}
    assert qualities == {"MOT17-02-FRCNN": "clean", "MOT17-04-FRCNN": "clean", "MOT20-01": "degraded"}
    line = refused(*base, "-o", tmp_path / "b", "--ratio", "2:1")
    assert line == f"--ratio: {split} says which sequences are degraded; leave out one of the two"


@pytest.mark.parametrize(("link", "is_link"), [("auto", True), ("symlink", True), ("hardlink", False), ("copy", False)])
def test_clean_sequences_are_linked_or_copied(vsdmot, base, originals, tmp_path, link, is_link):
    assert vsdmot(*base, "-o", tmp_path / "a", "--link", link).code == 0
    images = tmp_path / "a" / "val_clean" / "MOT17-09-FRCNN" / "img1"
    assert images.is_symlink() == is_link
    source = originals / "MOT17" / "train" / images.parent.name / "img1" / "000001.jpg"
    assert source.samefile(images / "000001.jpg") == (link != "copy")


def test_a_build_goes_on_or_refuses_or_begins_anew(vsdmot, refused, base, tmp_path):
    assert vsdmot(*base, "-o", tmp_path / "a").code == 0
    assert vsdmot(*base, "-o", tmp_path / "a").out == f"{tmp_path / 'a'} is complete already; nothing to do\n"
    line = refused(*base, "-o", tmp_path / "a", "--ratio", "1:0")
    assert line.startswith(f"{tmp_path / 'a'}: was built with other settings: ratio 2:1 there, 1:0 now; ")
    assert vsdmot(*base, "-o", tmp_path / "a", "--ratio", "1:0", "--overwrite").code == 0
    assert {entry.quality for entry in read_split(tmp_path / "a" / "train.txt")} == {"degraded"}


def test_settings_of_a_build_come_from_a_file(vsdmot, refused, originals, split, tmp_path):
    path = tmp_path / "build.yaml"
    common = f"name: lqmot\nroot: {originals}\noutput: {tmp_path / 'a'}\nsplit: {split}\nworkers: 1\n"
    path.write_text(common + "ratio: 1:1\n")
    assert "in a YAML file it needs quotes" in refused("data", "build", "--config", path)
    path.write_text(common + "ratio: '1:1'\n")
    assert vsdmot("data", "build", "--config", path).code == 0


def test_originals_with_small_faults_are_used_and_told(vsdmot, base, originals, tmp_path):
    shutil.copytree(originals / "MOT17" / "train", tmp_path / "root" / "MOT17" / "train")
    shutil.copytree(originals / "MOT20" / "train", tmp_path / "root" / "MOT20" / "train")
    (tmp_path / "root" / "MOT20" / "train" / "MOT20-01" / "img1" / "000003.jpg").unlink()
    outcome = vsdmot(*base, "--root", tmp_path / "root", "-o", tmp_path / "a")
    assert outcome.code == 0
    assert "note: 1 original sequence with problems that do not stand in the way; `vsdmot data check" in outcome.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["lqkitti", "-o", "out"], "NAME: expected one of lqdancetrack, lqmot, got 'lqkitti'"),
        (["lqmot", "-o", "root"], "root: these are the originals themselves; choose another output"),
        (["lqmot", "-o", "root/out"], "root/out: lies inside --root root; choose an output elsewhere"),
        (["lqmot", "-o", "."], ".: holds --root root; choose an output elsewhere"),
        (["lqmot", "-o", "full"], "full: holds other things; choose a new or empty folder"),
        (["lqmot", "-o", "full/file"], "full/file: expected a folder for the data set, this is a file"),
        (["lqmot", "-o", "full/file/out"], "full/file/out"),
        (["lqmot", "-o", "out", "--ratio", "2"], "--ratio: must be LOW:HIGH, two whole numbers such as 2:1"),
        (["lqmot", "-o", "out", "--severity", "6"], "--severity: must be from 1 to 5, got 6"),
        (["lqmot", "-o", "out", "--workers", "0"], "--workers: must be at least 1, got 0"),
        (["lqmot", "-o", "out", "--split", "none.yaml"], "none.yaml: no such file"),
        (["lqdancetrack", "-o", "out"], "root: none of the sequences (dancetrack0001, dancetrack0002, "),
    ],
)
def test_what_cannot_be_built_is_one_clear_line(refused, originals, tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "root").mkdir()
    for part in ("MOT17", "MOT20"):
        (tmp_path / "root" / part).symlink_to(originals / part)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert expected in refused("data", "build", *words, "--root", "root")
    assert not (tmp_path / "out").exists()


def test_unreadable_images_are_refused_before_anything_is_written(refused, base, originals, tmp_path):
    root = tmp_path / "root"
    for part in ("MOT17", "MOT20"):
        shutil.copytree(originals / part, root / part)
    (root / "MOT20" / "train" / "MOT20-01" / "img1" / "000002.jpg").write_bytes(b"not an image")
    line = refused(*base, "--root", root, "-o", tmp_path / "a")
    assert line == f"{root}: 1 problem in the way: MOT20-01: 1 of 3 images cannot be read: 000002.jpg"
    assert not (tmp_path / "a").exists()
    PIL.Image.new("RGB", (48, 36)).save(root / "MOT20" / "train" / "MOT20-01" / "img1" / "000002.jpg")


def test_a_disk_that_will_be_too_small_is_told_in_time(vsdmot, base, tmp_path, monkeypatch):
    monkeypatch.setattr(data.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 0, 100))
    outcome = vsdmot(*base, "-o", tmp_path / "new" / "a")
    assert outcome.code == 0
    assert f"note: {tmp_path / 'new' / 'a'}: about 0.0 GB will be written, 0.0 GB are free\n" in outcome.err
    monkeypatch.undo()
    assert "are free" not in vsdmot(*base, "-o", tmp_path / "b").err


def test_a_stopped_build_can_be_gone_on_with(vsdmot, base, tmp_path, monkeypatch):
    from vsdmot.cli.console import Progress

    calls: list[None] = []

    def stop(self):
        calls.append(None)
        if len(calls) == 12:  # nine originals are checked, then frames are degraded
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "advance", stop)
    outcome = vsdmot(*base, "-o", tmp_path / "a")
    assert outcome.code == 130
    checked = vsdmot("data", "check", tmp_path / "a", "--strict")
    assert checked.code == 3
    assert "build.json: the build was not finished; the command that began it goes on with it" in checked.out
    monkeypatch.undo()
    assert vsdmot(*base, "-o", tmp_path / "a").code == 0
    assert vsdmot("data", "check", tmp_path / "a", "--strict").code == 0


def test_a_reader_that_has_seen_enough_is_no_traceback(originals):
    """``vsdmot data check FOLDER | head -1``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vsdmot.cli.main", "data", "check", str(originals)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
