"""Checking a sequence: every fault that is put in is found, once, and nothing is found where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.box_checks import check_boxes, count_gaps, partly_outside, repeated, wholly_outside, without_area
from vsdmot.io.dataset_check import SequenceReport, check_folder, check_sequence
from vsdmot.io.datasets import find_sequences
from vsdmot.io.image_checks import Look, check_frames

SEQINFO = "[Sequence]\nname=x\nimDir=img1\nframeRate=25\nseqLength=5\nimWidth=20\nimHeight=10\nimExt=.png\n"
CLEAN = "".join(f"{frame},{person},{person},1,4,8,1,1,1\n" for frame in range(1, 6) for person in (1, 2))


def add(folder: Path, row: str) -> None:
    with (folder / "gt" / "gt.txt").open("a") as file:
        file.write(row + "\n")


def image(folder: Path, number: int) -> Path:
    return folder / "img1" / f"{number:06d}.png"


@pytest.fixture
def clean(tmp_path) -> Path:
    """A sequence of five frames and two people with nothing wrong."""
    folder = tmp_path / "clean"
    (folder / "gt").mkdir(parents=True)
    (folder / "img1").mkdir()
    (folder / "gt" / "gt.txt").write_text(CLEAN)
    (folder / "seqinfo.ini").write_text(SEQINFO)
    for number in range(1, 6):
        PIL.Image.new("RGB", (20, 10)).save(image(folder, number))
    return folder


def check(folder: Path) -> SequenceReport:
    return check_folder(folder)


def test_nothing_is_found_in_a_clean_sequence(clean):
    assert check(clean) == SequenceReport(
        name="clean",
        folder=clean,
        num_frames=5,
        promised_length=5,
        size=(20, 10),
        frame_rate=25.0,
        num_boxes=10,
        num_people_boxes=10,
        num_ids=2,
        num_partly_outside=0,
        num_gaps=0,
        num_detections=None,
        problems=(),
    )


def test_what_real_data_sets_do_all_the_time_is_counted_and_no_problem(clean):
    add(clean, "1,3,-2,1,4,8,1,1,1")  # partly outside
    add(clean, "5,3,18,1,4,8,1,1,1")  # partly outside, after a gap of three frames
    add(clean, "5,4,18,1,4,8,0,1,1")  # partly outside, but left out
    report = check(clean)
    assert (report.num_partly_outside, report.num_gaps, report.num_ids) == (2, 1, 3)
    assert (report.num_boxes, report.num_people_boxes) == (13, 12)
    assert report.problems == ()


def shorten(folder: Path) -> None:
    (folder / "seqinfo.ini").write_text(SEQINFO.replace("seqLength=5", "seqLength=4"))


def promise(folder: Path) -> None:
    (folder / "seqinfo.ini").write_text(SEQINFO.replace("seqLength=5", "seqLength=600"))


def resize(folder: Path) -> None:
    (folder / "seqinfo.ini").write_text(SEQINFO.replace("imWidth=20", "imWidth=40"))


def detect(folder: Path, rows: str) -> None:
    (folder / "det").mkdir()
    (folder / "det" / "det.txt").write_text(rows)


FAULTS: list[tuple[Callable[[Path], object], str, str, str]] = [
    (shorten, "length differs", "promises 4 frames, 5 are there", "img1"),
    (promise, "length differs", "promises 600 frames, 5 are there", "img1"),
    (resize, "size differs", "seqinfo.ini says 40x10, the images are 20x10", "img1"),
    (lambda f: image(f, 2).write_bytes(b""), "unreadable image", "1 of 5 images cannot be read: 000002.png", "img1"),
    (lambda f: PIL.Image.new("L", (9, 9)).save(image(f, 4)), "sizes mixed", "other size: 000004.png (9x9)", "img1"),
    (lambda f: (f / "img1" / "3.png").write_bytes(image(f, 3).read_bytes()), "frame twice", "for frame 3", "img1"),
    (lambda f: (f / "img1" / "x.png").touch(), "image without number", "1 image without a number", "img1"),
    (lambda f: add(f, "6,1,1,1,4,8,1,1,1"), "boxes without image", "1 box in frames that have no image: 6", ":11"),
    (lambda f: add(f, "1,9,1,1,0,8,1,1,1"), "box without area", "1 box whose width or height", "gt.txt:11"),
    (lambda f: add(f, "1,9,9,1,-4,8,0,1,1"), "box without area", "1 box whose width or height", "gt.txt:11"),
    (lambda f: add(f, "1,9,30,1,0,8,1,1,1"), "box without area", "1 box whose width or height", "gt.txt:11"),
    (lambda f: add(f, "1,9,20,1,4,8,1,1,1"), "box outside", "1 box wholly outside the image of 20x10", "gt.txt:11"),
    (lambda f: add(f, "1,9,1,-8,4,8,1,1,1"), "box outside", "1 box wholly outside the image of 20x10", "gt.txt:11"),
    (lambda f: add(f, "2,1,9,1,4,8,0,1,1"), "id twice", "repeat an id of the same frame: id 1 in frame 2", "gt.txt:11"),
    (lambda f: (f / "gt" / "gt.txt").unlink(), "no ground truth", "expected gt/gt.txt, it is not there", "clean"),
    (lambda f: (f / "gt" / "gt.txt").write_text(""), "nobody", "it is empty", "gt.txt"),
    (
        lambda f: (f / "gt" / "gt.txt").write_text(CLEAN.replace(",1,1,1\n", ",1,0,1\n")),
        "nobody", "class 1), none of its 10 boxes counts as a person", "gt.txt",
    ),
    (lambda f: add(f, "1,9,1,1,4,8"), "unreadable ground truth", "expected at least 7 values", "gt.txt:11"),
    (lambda f: (f / "gt" / "labels.txt").write_text("car\ndog"), "unreadable ground truth", "got car", "labels.txt"),
    (lambda f: (f / "seqinfo.ini").write_text("[Seq]"), "unreadable seqinfo", "the section [Sequence]", "seqinfo.ini"),
    (
        lambda f: (f / "seqinfo.ini").write_text(SEQINFO.replace("=img1", "=../x")),
        "unreadable seqinfo", "imDir: expected a folder inside the sequence", "seqinfo.ini",
    ),
    (lambda f: detect(f, "5,-1,1,1,4,8,0.3\n9,-1,1,1,4,8,0.3"), "detections without image",
     "1 of 2 detections in frames that have no image: 9", "det.txt:2"),
    (lambda f: detect(f, "5,-1,1,1,4"), "unreadable detections", "expected at least 6 values", "det.txt:1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "kind", "message", "where"), FAULTS, ids=[f"{f[1]}-{i}" for i, f in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_nothing_else(clean, spoil, kind, message, where):
    spoil(clean)
    (problem,) = check(clean).problems
    assert problem.kind == kind
    assert message in problem.message
    assert problem.where.endswith(where)
    assert str(problem) == f"{problem.where}: {problem.message}"
    assert "\n" not in str(problem)


def test_a_frame_missing_in_the_middle_shows_in_images_length_and_boxes(clean):
    image(clean, 3).unlink()
    messages = {problem.kind: problem.message for problem in check(clean).problems}
    assert messages == {
        "frames missing": "1 frame missing between 1 and 5: 3",
        "length differs": "seqinfo.ini promises 5 frames, 4 are there",
        "boxes without image": "2 boxes in frames that have no image: 3",
    }


@pytest.mark.parametrize("workers", [1, 3])
def test_images_that_are_cut_off_are_found_when_they_are_decoded(clean, workers):
    picture = PIL.Image.effect_noise((20, 10), 90)
    picture.save(image(clean, 4))
    image(clean, 4).write_bytes(image(clean, 4).read_bytes()[:100])
    seen: list[None] = []
    look = Look(workers=workers, seen=lambda: seen.append(None))
    assert check_folder(clean, look).problems == ()  # headers are fine
    (problem,) = check_folder(clean, Look(decode=True, workers=workers)).problems
    assert (problem.kind, problem.where) == ("damaged image", str(clean / "img1"))
    assert problem.message == "1 of 5 images are cut off or damaged after a good header: 000004.png"
    assert len(seen) == 5


def test_detections_of_frames_that_are_there_are_counted(clean):
    detect(clean, "1,-1,1,1,4,8,0.3\n5,-1,1,1,4,8,-7.5,-1,-1,-1\n")
    report = check_folder(clean)
    assert (report.num_detections, report.problems) == (2, ())


def test_a_test_split_needs_no_ground_truth(clean, tmp_path):
    (clean / "gt" / "gt.txt").unlink()
    (tmp_path / "test").mkdir()
    report = check_folder(clean.rename(tmp_path / "test" / "one"))
    assert (report.num_boxes, report.problems) == (None, ())


def test_annotations_without_images_are_held_against_the_promised_size(clean):
    for path in (clean / "img1").iterdir():
        path.unlink()
    add(clean, "1,9,20,1,4,8,1,1,1")
    report = check(clean)
    assert [problem.kind for problem in report.problems] == ["no images", "box outside"]
    assert (report.num_frames, report.size, report.num_ids) == (0, (20, 10), 3)


def test_nothing_is_promised_without_seqinfo(clean):
    (clean / "seqinfo.ini").unlink()
    report = check(clean)
    assert (report.promised_length, report.size, report.problems) == (None, (20, 10), ())


def test_a_fault_that_is_everywhere_is_one_short_problem(clean):
    for frame in range(7, 1000, 2):
        add(clean, f"{frame},9,1,1,4,8,1,1,1")
    (problem,) = check(clean).problems
    assert problem.message == "497 boxes in frames that have no image: 7, 9, 11 and 494 more"
    assert problem.where.endswith("gt.txt:11")  # the first of them


@pytest.mark.parametrize(
    ("indices", "promised", "kinds"),
    [
        ([], None, ["no images"]),
        ([], 7, ["no images"]),
        ([5], None, []),
        ([1, 2, 3], 3, []),
        ([11, 12], 2, []),
        ([1, 1, 2], 2, ["frame twice"]),
        ([1, 1, 4], 9, ["frames missing", "frame twice", "length differs"]),
        ([1, 10**14], None, ["frames missing"]),
    ],
)
def test_frames_are_compared_with_each_other_and_with_the_promise(indices, promised, kinds):
    assert [problem.kind for problem in check_frames(np.array(indices, np.int64), promised, "img1")] == kinds


def test_missing_frames_are_named_as_spans():
    (problem,) = check_frames(np.array([1, 4, 6, 7, 10, 12, 14]), None, "img1")
    assert problem.message == "7 frames missing between 1 and 14: 2-3, 5, 8-9 and 2 more"


def test_boxes_are_sorted_into_inside_partly_and_wholly_outside_like_pixels_are():
    """Each pixel of a box is looked at alone."""
    random = np.random.default_rng(0)
    corners = random.integers(-8, 20, (400, 2))
    boxes = np.concatenate([corners, corners + random.integers(-1, 7, (400, 2))], axis=1).astype(float)
    width, height = 12, 9
    flat = without_area(boxes)
    for box, is_flat, part, whole in zip(
        boxes.astype(int),
        flat,
        partly_outside(boxes, (width, height)),
        wholly_outside(boxes, (width, height)),
        strict=True,
    ):
        pixels = [(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])]
        assert is_flat == (not pixels)
        if pixels:
            num_inside = sum(0 <= x < width and 0 <= y < height for x, y in pixels)
            assert whole == (num_inside == 0)
            assert part == (0 < num_inside < len(pixels))


def test_repeats_and_gaps_are_those_that_a_slow_walk_finds():
    random = np.random.default_rng(0)
    frames, ids = random.integers(1, 12, 80), random.integers(1, 9, 80)
    seen: set[tuple[int, int]] = set()
    for frame, track_id, again in zip(frames.tolist(), ids.tolist(), repeated(frames, ids).tolist(), strict=True):
        assert again == ((frame, track_id) in seen)
        seen.add((frame, track_id))
    gaps = 0
    for track_id in range(1, 9):
        life = [(frame, track_id) in seen for frame in range(1, 12)]
        life = life[life.index(True) :]
        gaps += sum(life[i] and not life[i - 1] for i in range(1, len(life)))
    assert count_gaps(frames, ids) == gaps > 0
    assert count_gaps(frames[:0], ids[:0]) == 0
    assert not repeated(frames[:0], ids[:0]).size


def test_nothing_is_said_about_images_that_are_not_known(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text("900,1,-50,-50,4,4,1,1,1\n")
    assert check_boxes(read_ground_truth(path), np.zeros(0, np.int64), None) == []


def test_the_known_faults_of_real_folders_are_told(shared_data):
    reports = {report.name: report for report in map(check_sequence, find_sequences(shared_data / "mot17_mini"))}
    promised = {"02": 600, "04": 1050, "05": 837, "10": 654, "11": 900, "13": 750}
    assert len(reports) == len(promised)
    for number, length in promised.items():
        length_differs, detections = reports[f"MOT17-{number}-FRCNN"].problems
        assert length_differs.kind == "length differs"
        assert f"promises {length:,} frames" in length_differs.message
        assert detections.kind == "detections without image"
    assert reports["MOT17-05-FRCNN"].size == (640, 480)
    for sequence in find_sequences(shared_data / "mot15"):
        report = check_sequence(sequence)
        assert report.problems == ()
        assert report.num_frames == report.promised_length
        assert sequence.ground_truth is not None
        assert set(read_ground_truth(sequence.ground_truth).classes.tolist()) == {-1}
