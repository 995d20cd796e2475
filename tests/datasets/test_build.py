"""Building a data set: what is in it, the same bits always, and what is left when a build is cut off or fails."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vsdmot.datasets.build import Recipe, begin, build, check_output, check_place
from vsdmot.datasets.build_check import check_build
from vsdmot.datasets.manifest import Manifest, is_build
from vsdmot.datasets.membership import PAPER, Membership, Ratio
from vsdmot.datasets.plan import examine, make_plan
from vsdmot.datasets.splits import read_split
from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.degradation.workers import Workers
from vsdmot.errors import FormatError, OutputError, SourceError, VsdmotError
from vsdmot.io.image_checks import Look
from vsdmot.io.images import read_image

SMALL = Membership(train=("MOT17-02", "MOT17-04", "MOT20-01"), validation=("MOT17-09", "MOT20-03"))


def recipe_of(root: Path, membership: Membership = SMALL, ratio: str = "2:1", seed: int = 0, **changes) -> Recipe:
    plan = make_plan(root, membership, Ratio.parse(ratio), seed)
    degradation = DegradeSettings(seed=seed)
    return Recipe(**{"name": "small", "plan": plan, "degradation": degradation, "ratio": Ratio.parse(ratio), **changes})


def run(recipe: Recipe, output: Path, *, workers: int = 1, overwrite: bool = False) -> int:
    """Build all of it; gives the number of degraded frames, or -1 if all was there."""
    if not check_output(output, recipe, overwrite=overwrite):
        return -1
    begin(output, recipe, overwrite=overwrite)
    with Workers(workers) as pool:
        return sum(1 for _ in build(recipe, output, workers=pool, warn=pytest.fail))


def tree(folder: Path) -> dict[str, bytes | str]:
    """All there is below a folder, hidden files and the targets of links too."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = os.readlink(path)
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def built(originals, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("built") / "small"
    assert run(recipe_of(originals), output) == (2 + 3) + (2 + 3)  # MOT17 has two frames each, MOT20 three
    return output


def test_images_differ_and_boxes_do_not(originals, built):
    lists = {name: {entry.name: entry for entry in read_split(built / f"{name}.txt")} for name in ("train", "val")}
    originals_of = {
        folder.name: folder for folder in (*originals.glob("MOT17/train/*"), *originals.glob("MOT20/train/*"))
    }
    for name, entry in {**lists["train"], **lists["val"]}.items():
        source = originals_of[name]
        for other in ("gt/gt.txt", "det/det.txt", "seqinfo.ini"):
            assert (entry.folder / other).read_bytes() == (source / other).read_bytes()
        names = sorted(path.name for path in (source / "img1").iterdir())
        assert sorted(path.name for path in (entry.folder / "img1").iterdir()) == names
        for image in names:
            before, after = (read_image(folder / "img1" / image) for folder in (source, entry.folder))
            assert before.shape == after.shape
            assert (before == after).all() == (entry.quality == "clean")
    assert [entry.quality for entry in lists["train"].values()].count("degraded") == 2
    assert {entry.quality for entry in lists["val"].values()} == {"degraded"}
    clean = read_split(built / "val_clean.txt")
    assert [(entry.name, entry.quality) for entry in clean] == [(name, "clean") for name in lists["val"]]


def test_the_manifest_says_what_was_built_from_what(originals, built):
    manifest = Manifest.read(built)
    assert manifest.complete
    assert manifest.settings["seed"] == 0
    assert manifest.settings["ratio"] == "2:1"
    assert {"vsdmot", "numpy", "Pillow"} <= manifest.versions.keys()
    (first, *_) = manifest.sequences["val_clean"]
    assert first == {"name": "MOT17-09", "quality": "clean", "source": "MOT17/train/MOT17-09-FRCNN"}
    assert str(originals) not in (built / "build.json").read_text()
    assert check_build(built).problems == ()


def test_two_workers_give_the_same_bits_as_one(originals, built, tmp_path):
    run(recipe_of(originals), tmp_path / "again", workers=2)
    assert tree(tmp_path / "again") == tree(built)


def test_another_seed_and_another_detector(originals, built, tmp_path):
    run(recipe_of(originals, seed=1), tmp_path / "seed")
    image = "val/MOT17-09-FRCNN/img1/000001.jpg"
    assert (tmp_path / "seed" / image).read_bytes() != (built / image).read_bytes()
    # Whoever has only the copies of another detector gets the same pixels.
    root = tmp_path / "dpm"
    for name in SMALL.train + SMALL.validation:
        folder = name[:5] + "/train/" + name + ("-DPM" if name.startswith("MOT17") else "")
        shutil.copytree(originals / folder, root / folder)
    for source in ("02", "04", "09"):  # the drawing depends on the name
        for image_file in (originals / f"MOT17/train/MOT17-{source}-FRCNN/img1").iterdir():
            shutil.copyfile(image_file, root / f"MOT17/train/MOT17-{source}-DPM/img1/{image_file.name}")
    run(recipe_of(root), tmp_path / "detector")
    other = image.replace("FRCNN", "DPM")
    assert (tmp_path / "detector" / other).read_bytes() == (built / image).read_bytes()


KILLED = """
import os, signal, sys
import vsdmot.degradation.sequences as sequences, vsdmot.datasets.carrying as carrying
from vsdmot.cli.main import main

def counting(function):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            if function is original_copy:  # half of the file
                open(arguments[1], "wb").write(open(arguments[0], "rb").read()[:20])
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call

left = int(sys.argv[1])
original_copy = carrying.shutil.copyfile
if sys.argv[2] == "write":
    sequences.write_image = counting(sequences.write_image)
else:
    carrying.shutil.copyfile = counting(original_copy)
main(sys.argv[3:])
"""


@pytest.mark.parametrize(("what", "count"), [("copy", 7), ("write", 1), ("write", 8)])
def test_a_build_that_is_killed_and_run_again_gives_the_same_tree(originals, tmp_path, what, count):
    from vsdmot.cli.main import main

    split = tmp_path / "split.yaml"
    split.write_text("train: [MOT17-02, MOT17-04, MOT20-01]\nvalidation: [MOT17-09, MOT20-03]\n")
    words = ["data", "build", "lqmot", "--root", str(originals), "--split", str(split), "--workers", "1"]
    words += ["--link", "copy", "-o"]
    output = tmp_path / "killed"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(count), what, *words, str(output)], capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert is_build(output)
    assert not Manifest.read(output).complete
    assert not list(output.glob("*.txt"))
    assert "unfinished build" in {problem.kind for problem in check_build(output).problems}
    for name in ("killed", "whole"):
        assert main([*words, str(tmp_path / name)]) == 0
    assert tree(output) == tree(tmp_path / "whole")


def test_a_build_that_is_complete_is_left_alone_and_one_that_lost_something_is_repaired(originals, built, tmp_path):
    output = tmp_path / "copy"
    shutil.copytree(built, output, symlinks=True)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    assert run(recipe_of(originals), output) == -1
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before
    shutil.rmtree(output / "val" / "MOT20-03")
    (output / "train.txt").unlink()
    assert run(recipe_of(originals), output) == 10
    assert tree(output) == tree(built)


def test_other_settings_are_refused_and_overwrite_begins_anew(originals, built, tmp_path):
    output = tmp_path / "copy"
    shutil.copytree(built, output, symlinks=True)
    for other, told in (
        (recipe_of(originals, ratio="1:0"), "ratio 2:1 there, 1:0 now; degraded"),
        (recipe_of(originals, seed=5), "seed 0 there, 5 now"),
        (recipe_of(originals, link="copy"), "link auto there, copy now"),
        (recipe_of(originals, degradation=DegradeSettings(severity=2)), "severity none there, 2 now"),
        (recipe_of(originals, PAPER["lqmot"]), "train MOT17-02,MOT17-04,MOT20-01 there, 7 names now"),
    ):
        with pytest.raises(OutputError, match=r"copy: was built with other settings: .*add --overwrite") as raised:
            run(other, output)
        assert told in str(raised.value)
        assert tree(output) == tree(built)
    run(recipe_of(originals, ratio="0:1"), output, overwrite=True)
    assert {entry.quality for entry in read_split(output / "train.txt")} == {"clean"}
    run(recipe_of(originals), output, overwrite=True)
    assert tree(output) == tree(built)
    assert all(any(folder.iterdir()) for folder in originals.rglob("img1"))  # links were not followed


def test_an_unfinished_build_is_not_gone_on_with_by_another_version(originals, tmp_path):
    recipe = recipe_of(originals)
    output = tmp_path / "old"
    begin(output, recipe, overwrite=False)
    manifest = Manifest.read(output)
    Manifest(False, manifest.settings, {**manifest.versions, "numpy": "1.0"}, manifest.sequences).write(output)
    with pytest.raises(OutputError, match=r"numpy 1\.0 there, "):
        run(recipe, output)
    Manifest(True, manifest.settings, {**manifest.versions, "numpy": "1.0"}, manifest.sequences).write(output)
    assert check_output(output, recipe, overwrite=False)  # things are missing, but nothing to refuse


def test_originals_that_were_moved_are_linked_again(originals, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    copy_of(originals, before)
    output = tmp_path / "out"
    run(recipe_of(before), output)
    pixels = (output / "val" / "MOT20-03" / "img1" / "000001.jpg").stat().st_mtime_ns
    before.rename(after)
    assert "unreadable split file" not in {problem.kind for problem in check_build(output).problems}
    assert run(recipe_of(after), output) == 10
    assert (output / "val_clean" / "MOT20-03" / "img1" / "000001.jpg").is_file()
    assert (output / "val" / "MOT20-03" / "img1" / "000001.jpg").stat().st_mtime_ns == pixels
    assert run(recipe_of(after), output) == -1


def test_other_originals_are_not_mixed_in(originals, built, draw_sequence, tmp_path):
    root = copy_of(originals, tmp_path / "root")
    (root / "MOT20" / "train" / "MOT20-03").rename(tmp_path / "root" / "MOT20-03")
    with pytest.raises(OutputError, match="other originals"):
        check_output(built, recipe_of(root), overwrite=False)


def test_folders_that_hold_other_things_are_never_touched(originals, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="holds other things; choose a new or empty folder"):
            check_output(tmp_path / "mine", recipe_of(originals), overwrite=overwrite)
        with pytest.raises(OutputError, match="expected a folder for the data set, this is a file"):
            check_output(tmp_path / "mine" / "thesis.txt", recipe_of(originals), overwrite=overwrite)
    (tmp_path / "mine" / "build.json").write_text('{"name": "my own build"}')
    with pytest.raises(OutputError, match="holds other things"):
        check_output(tmp_path / "mine", recipe_of(originals), overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    with pytest.raises(FormatError, match="expected the manifest of a data set"):
        check_build(tmp_path / "mine")


def test_originals_and_data_set_lie_apart(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for output, message in (
        ("a", "these are the originals themselves"),
        ("link", "these are the originals themselves"),
        ("a/b", "lies inside --root"),
        ("link/new", "lies inside --root"),
        (".", "holds --root"),
    ):
        with pytest.raises(OutputError, match=message):
            check_place(tmp_path / "a", tmp_path / output)
    check_place(tmp_path / "a", tmp_path / "ab")


def copy_of(originals: Path, root: Path) -> Path:
    for name in (*SMALL.train, *SMALL.validation):
        folder = f"{name[:5]}/train/{name}{'-FRCNN' if name.startswith('MOT17') else ''}"
        shutil.copytree(originals / folder, root / folder)
    return root


def test_all_that_stands_in_the_way_is_told_before_anything_is_written(originals, tmp_path):
    root = copy_of(originals, tmp_path / "root")
    train = root / "MOT17" / "train"
    (train / "MOT17-02-FRCNN" / "img1" / "000002.jpg").write_bytes(b"")
    (train / "MOT17-04-FRCNN" / "gt" / "gt.txt").write_text("1,1,1\n")
    (train / "MOT17-09-FRCNN" / "gt" / "gt.txt").unlink()
    (root / "MOT20" / "train" / "MOT20-03" / "seqinfo.ini").write_text("nothing")
    shutil.rmtree(root / "MOT20" / "train" / "MOT20-01" / "img1")
    with pytest.raises(SourceError) as raised:
        examine(recipe_of(root).plan, Look())
    message = str(raised.value)
    assert message.startswith(f"{root}: 5 problems in the way: ")
    assert "\n" not in message
    for part in (
        "MOT17-02: 1 of 2 images cannot be read: 000002.jpg",
        "MOT17-04: expected at least 7 values",
        "MOT17-09: expected gt/gt.txt, it is not there",
        "MOT20-01: expected images named by frame",
        "MOT20-03: expected a text file with the section [Sequence]",
    ):
        assert part in message


def test_problems_that_do_not_stand_in_the_way_are_given_back(originals, tmp_path):
    root = copy_of(originals, tmp_path / "root")
    (root / "MOT20" / "train" / "MOT20-03" / "img1" / "000003.jpg").unlink()
    reports = examine(recipe_of(root).plan, Look(decode=True))
    kinds = {problem.kind for problem in reports["MOT20-03"].problems}
    assert kinds == {"length differs", "boxes without image", "detections without image"}
    run(recipe_of(root), tmp_path / "out")
    assert len(list((tmp_path / "out/val/MOT20-03/img1").iterdir())) == 2


def test_a_picture_that_is_cut_off_stops_the_build_and_names_itself(originals, tmp_path):
    root = copy_of(originals, tmp_path / "root")
    image = root / "MOT20" / "train" / "MOT20-03" / "img1" / "000002.jpg"
    whole = image.read_bytes()
    image.write_bytes(whole[:-200])
    with pytest.raises(SourceError, match=r"MOT20-03/img1/000002\.jpg: not readable"):
        run(recipe_of(root), tmp_path / "out")
    assert not (tmp_path / "out" / "val" / "MOT20-03").exists()
    assert not Manifest.read(tmp_path / "out").complete


def test_a_full_disk_is_told_and_nothing_unfinished_looks_finished(originals, built, tmp_path, monkeypatch):
    left, replace = [25], os.replace

    def fill(*arguments, **named):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(*arguments, **named)

    monkeypatch.setattr("vsdmot.io.whole_files.os.replace", fill)
    output = tmp_path / "out"
    with pytest.raises(OutputError, match=r"No space left on device|disk is full"):
        run(recipe_of(originals), output)
    monkeypatch.undo()
    assert not Manifest.read(output).complete
    assert not list(output.glob("*.txt"))
    for sequence in output.glob("[tv]*/[!.]*"):
        assert sequence.is_dir()
        assert tree(sequence) == tree(built / sequence.relative_to(output))
    run(recipe_of(originals), output)
    assert tree(output) == tree(built)


def test_a_disk_that_is_really_full(originals, tmp_path):
    """On a file system of 200 kB, which only root can make."""
    place = tmp_path / "small disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(VsdmotError) as raised:
            run(recipe_of(originals, PAPER["lqdancetrack"], link="copy"), place / "out")
        assert "\n" not in str(raised.value)
        assert any(words in str(raised.value) for words in ("No space left on device", "disk is full"))
        assert not Manifest.read(place / "out").complete
        assert not list((place / "out").glob("*.txt"))
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_built_data_set_that_was_spoiled_is_found_out(built, tmp_path):
    output = tmp_path / "copy"
    shutil.copytree(built, output, symlinks=True)
    shutil.rmtree(output / "train" / "MOT20-01")
    with (output / "val" / "MOT20-03" / "gt" / "gt.txt").open("a") as file:
        file.write("1,9,1,1,4,4,1,1,1\n")
    problems = {problem.kind: str(problem) for problem in check_build(output).problems}
    assert set(problems) == {"unreadable split file", "ground truth differs"}
    assert problems["unreadable split file"].startswith(f"{output}/train.txt:4: expected the sequence MOT20-01 in")
    assert problems["ground truth differs"].endswith("it differs for MOT20-03")
