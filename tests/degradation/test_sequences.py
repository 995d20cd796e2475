import hashlib
import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from vsdmot.config import from_mapping
from vsdmot.degradation.frames import spoil
from vsdmot.degradation.parameters import DegradationParameters
from vsdmot.degradation.schedule import DegradeSettings, Schedule
from vsdmot.degradation.sequences import degrade_sequence, iterate_sequence
from vsdmot.degradation.trees import carry_out_tree, plan_tree
from vsdmot.degradation.workers import Workers
from vsdmot.errors import FormatError, OutputError, SourceError, VsdmotError
from vsdmot.io.images import read_image

NOISE = DegradeSettings(only=("noise",))
VIDEO = DegradeSettings(only=("noise", "h264", "dropped_frames"), severity=5)


def degrade(source, output, settings=NOISE, **options):
    degrade_sequence(source, output, settings, name="A-1", **options)
    return output


def degrade_tree(source, output, settings=NOISE, overwrite=False):
    with Workers(1) as workers:
        for _ in carry_out_tree(plan_tree(source, output, settings, overwrite=overwrite), workers):
            pass


def test_everything_is_carried_along_and_only_images_change(sequence, tmp_path, files):
    before = files(sequence)
    result = files(degrade(sequence, tmp_path / "out"))
    assert set(result) == {*before, "degradation.json"}
    for name, contents in before.items():
        assert (result[name] == contents) == (not name.endswith(".jpg")), name
    assert files(sequence) == before
    for number in (1, 30):
        image = cv2.imread(str(tmp_path / "out" / "img1" / f"{number:06d}.jpg"))
        assert image.shape == (36, 48, 3)


def test_images_are_what_the_schedule_says(sequence, tmp_path):
    """As PNG, so that writing loses nothing."""
    image = read_image(sequence / "img1" / "000007.jpg")
    (sequence / "img1" / "000007.jpg").unlink()
    cv2.imwrite(str(sequence / "img1" / "000007.png"), image[..., ::-1])
    degrade(sequence, tmp_path / "out", DegradeSettings(seed=4))
    schedule = Schedule(DegradeSettings(seed=4), "A-1")
    expected = spoil(image, schedule.at(7), schedule.noise(7))
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "img1" / "000007.png"), expected)


def test_the_record_tells_settings_source_and_every_frame(sequence, tmp_path):
    from vsdmot.version import __version__

    degrade(sequence, tmp_path / "out", DegradeSettings(seed=4))
    record = json.loads((tmp_path / "out" / "degradation.json").read_text(encoding="utf-8"))
    assert record["vsdmot"] == __version__
    assert record["sequence"] == "A-1"
    assert record["settings"] == {"mode": "drift", "seed": 4, "severity": None, "only": ["eq17"]}
    digest = hashlib.sha256((sequence / "img1" / "000001.jpg").read_bytes()).hexdigest()
    assert record["source"] == {"name": "A-1", "frames": 30, "first_image": digest[:16]}
    assert [frame["frame"] for frame in record["frames"]] == list(range(1, 31))
    expected = Schedule(DegradeSettings(seed=4), "A-1").at(9).eq17
    assert from_mapping(DegradationParameters, record["frames"][8]["eq17"]) == expected


@pytest.mark.parametrize("settings", [DegradeSettings(), VIDEO], ids=["chain", "video"])
def test_any_number_of_workers_gives_the_same_files(sequence, tmp_path, files, settings):
    alone = files(degrade(sequence, tmp_path / "one", settings, workers=1))
    with Workers(2) as workers:
        together = files(degrade(sequence, tmp_path / "two", settings, workers=workers))
        assert alone == together


@pytest.mark.parametrize("settings", [DegradeSettings(), VIDEO], ids=["chain", "video"])
def test_a_run_that_stopped_goes_on_and_gives_the_same_files(sequence, tmp_path, files, settings):
    whole = files(degrade(sequence, tmp_path / "whole", settings))
    frames = iterate_sequence(sequence, tmp_path / "out", settings, name="A-1")
    for _ in range(4):
        next(frames)
    frames.close()
    there = set((tmp_path / "out" / "img1").iterdir())
    assert 0 < len(there) < 30
    assert not (tmp_path / "out" / "degradation.json").exists()
    stamps = {path: path.stat().st_mtime_ns for path in there}
    degrade(sequence, tmp_path / "out", settings)
    assert files(tmp_path / "out") == whole
    assert {path: path.stat().st_mtime_ns for path in there} == stamps  # not made again


def test_unfinished_files_of_a_killed_run_are_not_taken_for_done(sequence, tmp_path, files):
    whole = files(degrade(sequence, tmp_path / "whole"))
    frames = iterate_sequence(sequence, tmp_path / "out", NOISE, name="A-1")
    next(frames)
    frames.close()
    (tmp_path / "out" / "img1" / ".000002.jpg.77.part").write_bytes(b"half")
    degrade(sequence, tmp_path / "out")
    assert files(tmp_path / "out") == whole


def test_the_order_in_which_operators_are_named_is_no_difference(sequence, tmp_path, files):
    first = files(degrade(sequence, tmp_path / "out", DegradeSettings(only=("noise", "blur"))))
    assert files(degrade(sequence, tmp_path / "out", DegradeSettings(only=("blur", "noise")))) == first


def test_a_complete_output_is_left_as_it_is(sequence, tmp_path):
    output = degrade(sequence, tmp_path / "out")
    stamps = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    calls = []
    degrade(sequence, output, progress=lambda: calls.append(1))
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == stamps
    assert len(calls) == 30


def test_an_image_that_was_deleted_is_made_again(sequence, tmp_path, files):
    whole = files(degrade(sequence, tmp_path / "out"))
    (tmp_path / "out" / "img1" / "000005.jpg").unlink()
    assert files(degrade(sequence, tmp_path / "out")) == whole


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("other", "what"),
    [
        (DegradeSettings(only=("noise",), seed=1), "settings seed 0, this run has 1"),
        (DegradeSettings(only=("blur",)), r"settings only \['noise'\], this run has \['blur'\]"),
        (DegradeSettings(only=("noise",), severity=2), "settings severity None, this run has 2"),
        (DegradeSettings(only=("noise",), mode="fixed"), "settings mode 'drift', this run has 'fixed'"),
    ],
)
def test_going_on_with_other_settings_is_refused(sequence, tmp_path, files, other, what, finished):
    frames = iterate_sequence(sequence, tmp_path / "out", NOISE, name="A-1")
    for _ in range(30 if finished else 3):
        next(frames)
    list(frames) if finished else frames.close()
    before = files(tmp_path / "out")
    with pytest.raises(OutputError, match=f"degradation.json.*{what}; .*--overwrite"):
        degrade(sequence, tmp_path / "out", other)
    assert files(tmp_path / "out") == before
    assert files(degrade(sequence, tmp_path / "out", other, overwrite=True)) == files(
        degrade(sequence, tmp_path / "fresh", other)
    )


def test_going_on_with_another_source_is_refused(sequence, tmp_path):
    degrade(sequence, tmp_path / "out")
    (sequence / "img1" / "000030.jpg").unlink()
    with pytest.raises(OutputError, match="source frames 30, this run has 29"):
        degrade(sequence, tmp_path / "out")
    other = (sequence / "img1" / "000002.jpg").read_bytes()
    (sequence / "img1" / "000030.jpg").write_bytes((sequence / "img1" / "000001.jpg").read_bytes())
    (sequence / "img1" / "000001.jpg").write_bytes(other)
    with pytest.raises(OutputError, match="source first_image"):
        degrade(sequence, tmp_path / "out")
    (sequence / "img1" / "000030.jpg").unlink()
    degrade(sequence, tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "img1" / "000030.jpg").exists()  # the frame that there is no more is gone


def test_a_folder_with_other_files_is_left_alone(sequence, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="exists and holds other files; choose another output, or add --overwrite"):
        degrade(sequence, tmp_path / "out")
    degrade(sequence, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_overwriting_takes_no_image_that_is_not_ours(sequence, tmp_path):
    (tmp_path / "out" / "img1").mkdir(parents=True)
    for name in ("holiday.jpg", "000001.jpg"):
        (tmp_path / "out" / "img1" / name).write_bytes(b"mine")
    degrade(sequence, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "img1" / "holiday.jpg").read_bytes() == b"mine"
    assert (tmp_path / "out" / "img1" / "000001.jpg").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("place", "message"),
    [("A-1", "this is the source itself"), ("A-1/low", "lies inside the source"), (".", "holds the source")],
)
def test_source_and_output_must_lie_apart(sequence, files, place, message):
    before = files(sequence.parent)
    with pytest.raises(OutputError, match=message):
        degrade(sequence, sequence.parent / place, overwrite=True)
    assert files(sequence.parent) == before


def test_an_unreadable_image_is_named_and_the_rest_can_go_on(sequence, tmp_path, files):
    good = (sequence / "img1" / "000003.jpg").read_bytes()
    (sequence / "img1" / "000003.jpg").write_bytes(good[: len(good) // 2])
    for workers in (1, 2):
        with pytest.raises(SourceError, match=r"000003.jpg: not readable as an image"):
            degrade(sequence, tmp_path / "out", workers=workers)
    assert not (tmp_path / "out" / "degradation.json").exists()
    assert not (tmp_path / "out" / "img1" / "000003.jpg").exists()
    (sequence / "img1" / "000003.jpg").write_bytes(good)
    assert files(degrade(sequence, tmp_path / "out")) == files(degrade(sequence, tmp_path / "whole"))


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(sequence, tmp_path, monkeypatch, files):
    from vsdmot.io import whole_files

    replace = os.replace

    def full(source, target):
        if str(target).endswith("000004.jpg"):
            raise OSError(28, "No space left on device", str(source))
        replace(source, target)

    monkeypatch.setattr(whole_files.os, "replace", full)
    with pytest.raises(OutputError, match=r"000004.jpg: cannot be written: No space left on device$"):
        degrade(sequence, tmp_path / "out")
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "out" / "img1").iterdir() if path.name.startswith(".")] == []
    assert files(degrade(sequence, tmp_path / "out")) == files(degrade(sequence, tmp_path / "whole"))


def test_frames_that_are_missing_leave_the_others_as_they_were(sequence, tmp_path, files):
    """Numbers count, not positions, also where a frame is dropped or coded after others."""
    whole = files(degrade(sequence, tmp_path / "whole"))
    for number in (1, 4, 5):
        (sequence / "img1" / f"{number:06d}.jpg").unlink()
    gaps = files(degrade(sequence, tmp_path / "gaps"))
    for number in (2, 3, 6, 30):
        name = os.path.join("img1", f"{number:06d}.jpg")
        assert gaps[name] == whole[name]
    degrade(sequence, tmp_path / "video", VIDEO)
    frames = json.loads((tmp_path / "video" / "degradation.json").read_text())["frames"]
    assert [frame["frame"] for frame in frames] == [2, 3, *range(6, 31)]
    there = {frame["frame"] for frame in frames}
    assert all(frame["shows"] in there and frame["shows"] <= frame["frame"] for frame in frames)


def test_a_dropped_frame_is_the_file_of_the_frame_it_shows(sequence, tmp_path):
    degrade(sequence, tmp_path / "out", DegradeSettings(only=("noise", "dropped_frames"), severity=5))
    frames = json.loads((tmp_path / "out" / "degradation.json").read_text())["frames"]
    repeated = [frame for frame in frames if frame["shows"] != frame["frame"]]
    assert repeated
    for frame in frames:
        shown, own = ((tmp_path / "out" / "img1" / f"{frame[key]:06d}.jpg").read_bytes() for key in ("shows", "frame"))
        assert shown == own


def test_images_keep_their_format(tmp_path, picture):
    from vsdmot.io.image_writer import write_image
    from vsdmot.io.images import IMAGE_SUFFIXES

    folder = tmp_path / "many kinds \u00fc"
    for suffix in IMAGE_SUFFIXES:
        write_image(folder / f"a{suffix.upper()}", picture(17, 23))
    degrade(folder, tmp_path / "out")
    import PIL.Image

    for suffix in IMAGE_SUFFIXES:
        kinds = []
        for place in (folder, tmp_path / "out"):
            with PIL.Image.open(place / f"a{suffix.upper()}") as image:
                kinds.append((image.format, image.size, image.mode))
        assert kinds[0] == kinds[1]


def test_gray_and_turned_images_come_out_upright_in_colour(tmp_path):
    import PIL.Image

    folder = tmp_path / "plain"
    folder.mkdir()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.new("L", (20, 10), 90).save(folder / "gray.png")
    PIL.Image.new("RGB", (20, 10), (9, 90, 200)).save(folder / "turned.jpg", exif=exif)
    degrade(folder, tmp_path / "out")
    assert read_image(tmp_path / "out" / "gray.png").shape == (10, 20, 3)
    assert read_image(tmp_path / "out" / "turned.jpg").shape == (20, 10, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (5, 7)])
def test_tiny_images_pass_through_everything(tmp_path, size):
    (tmp_path / "tiny").mkdir()
    cv2.imwrite(str(tmp_path / "tiny" / "1.png"), np.full((*size, 3), 100, np.uint8))
    from vsdmot.degradation.operators import OPERATORS

    degrade(tmp_path / "tiny", tmp_path / "out", DegradeSettings(only=OPERATORS))
    assert read_image(tmp_path / "out" / "1.png").shape == (*size, 3)


def test_images_of_a_plain_folder_are_counted_in_natural_order(tmp_path, picture):
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name in ("b10.png", "b9.png", "a.png"):
        cv2.imwrite(str(folder / name), picture(8, 8))
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "text.txt").write_text("x")
    output = degrade(folder, tmp_path / "out", DegradeSettings(mode="per_frame", only=("noise",)))
    assert (output / "deep" / "text.txt").read_text() == "x"
    assert (output / "deep" / "er").is_dir()
    schedule = Schedule(DegradeSettings(mode="per_frame", only=("noise",)), "A-1")
    for number, name in enumerate(("a.png", "b9.png", "b10.png"), start=1):
        image = read_image(folder / name)
        expected = spoil(image, schedule.at(number), schedule.noise(number))
        np.testing.assert_array_equal(read_image(output / name), expected)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda folder: None, SourceError, "no such folder"),
        (lambda folder: folder.mkdir(), SourceError, "expected images or a MOTChallenge sequence; there are none"),
        (lambda folder: (folder / "img1").mkdir(parents=True), SourceError, "expected images named by frame in img1/"),
        (lambda folder: (folder.mkdir(), (folder / "seqinfo.ini").write_text("?")), FormatError, "Sequence"),
    ],
)
def test_what_is_no_source_is_refused_and_makes_nothing(tmp_path, make, kind, message):
    make(tmp_path / "in")
    with pytest.raises(kind, match=message):
        degrade(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_files_of_one_frame_are_refused(sequence, tmp_path):
    (sequence / "img1" / "2.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"2.* and .*2.* are the same frame; remove one"):
        degrade(sequence, tmp_path / "out")


def test_a_damaged_record_is_refused(sequence, tmp_path):
    degrade(sequence, tmp_path / "out")
    for text in ("", "[]", "{}"):
        (tmp_path / "out" / "degradation.json").write_text(text)
        with pytest.raises(OutputError, match="expected the record of an earlier run, found something else"):
            degrade(sequence, tmp_path / "out")


def test_a_data_set_is_mirrored_and_its_sequences_are_as_they_are_alone(sequence, tmp_path, files, picture):
    root = sequence.parent
    (root / "README.txt").write_text("about this data")
    (root / "seqmaps").mkdir()
    (root / "seqmaps" / "train.txt").write_text("name\nA-1\nB 2 \u00e9\n")
    for number in (1, 2):
        (root / "val" / "B 2 \u00e9" / "img1").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "val" / "B 2 \u00e9" / "img1" / f"{number:08d}.jpg"), picture(20, 30))
    degrade_tree(root, tmp_path / "out")
    before, after = files(root), files(tmp_path / "out")
    records = {os.path.join("A-1", "degradation.json"), os.path.join("val", "B 2 \u00e9", "degradation.json")}
    assert set(after) == set(before) | records
    for name, contents in before.items():
        assert (after[name] == contents) == (not name.endswith(".jpg")), name
    assert files(degrade(sequence, tmp_path / "alone")) == files(tmp_path / "out" / "A-1")
    degrade_tree(root, tmp_path / "out")  # complete
    assert files(tmp_path / "out") == after
    with pytest.raises(OutputError, match="seed 0, this run has 5"):
        degrade_tree(root, tmp_path / "out", DegradeSettings(only=("noise",), seed=5))
    degrade_tree(root, tmp_path / "out", DegradeSettings(only=("noise",), seed=5), overwrite=True)
    assert files(tmp_path / "out").keys() == after.keys()


def test_a_data_set_with_a_sequence_without_images_is_refused_before_anything_is_written(sequence, tmp_path):
    (sequence.parent / "B" / "gt").mkdir(parents=True)
    (sequence.parent / "B" / "gt" / "gt.txt").write_text("")
    with pytest.raises(SourceError, match="B: expected images or a MOTChallenge sequence"):
        degrade_tree(sequence.parent, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_data_set_is_not_mixed_with_other_files(sequence, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("")
    with pytest.raises(OutputError, match="exists and holds other files"):
        degrade_tree(sequence.parent, tmp_path / "out")


def _die(job):
    os._exit(job)


def test_a_worker_that_is_killed_is_one_line():
    with Workers(2) as workers, pytest.raises(VsdmotError, match="a worker process was killed"):
        list(workers.map(_die, [3]))


def test_workers_give_results_in_order_and_take_jobs_as_they_go():
    taken = []

    def jobs():
        for number in range(40):
            taken.append(number)
            yield number

    with Workers(2) as workers:
        results = workers.map(abs, jobs())
        assert next(results) == 0
        assert len(taken) < 10
        assert list(results) == list(range(1, 40))


def test_a_negative_number_of_workers_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Workers(0)


def test_folders_are_degraded_where_pyav_rich_and_torch_are_missing(sequence, tmp_path):
    """As on a bare training machine."""
    code = (
        "import sys\n"
        "for name in ('av', 'rich', 'torch', 'supervision'):\n"
        "    sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from vsdmot.degradation.sequences import DegradeSettings, degrade_sequence\n"
        f"degrade_sequence(Path({str(sequence)!r}), Path({str(tmp_path / 'out')!r}), DegradeSettings(), name='a')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "out" / "degradation.json").is_file()
