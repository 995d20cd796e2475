"""What the report decides before a browser sees it: worst moments, thumbnails, names, numbers for the script."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.exchange.table import TableBuilder
from vsdmot.report.page.moments import Course, is_inside, suspected_course, worst_moments
from vsdmot.report.page.packing import packed
from vsdmot.report.page.thumbnails import Mark, Thumbnail, cut, marks_in, region_around
from vsdmot.report.runs import Run, read_run, run_names, video_beside


def course(cost: list[float], usual: float = 0.0) -> Course:
    values = np.array(cost, float)
    return Course(values, usual, {("mishap", "mishaps"): values}, np.full(len(cost), np.nan))


@pytest.mark.parametrize(
    ("cost", "window", "expected"),
    [
        ([], 3, []),
        ([0, 0, 0], 2, []),
        ([0, 0, 1, 0, 0, 0], 1, [(3, 3, 3)]),
        ([1, 0, 0, 0, 5, 0], 2, [(4, 5, 5), (1, 2, 1)]),  # the worst first
        ([0, 4, 4, 0, 0, 0], 2, [(2, 3, 3)]),  # no second shares a frame with another
        ([2], 25, [(1, 1, 1)]),  # shorter than a second
    ],
)
def test_moments_are_the_seconds_that_cost_most(cost, window, expected):
    found = worst_moments(0, course(cost), window)
    assert [(one.first, one.last, one.worst) for one in found] == expected


def test_moments_are_limited_and_never_cheaper_than_usual():
    every = course([1.0] * 100)
    assert len(worst_moments(0, every, 5, most=4)) == 4
    assert worst_moments(0, course([1.0] * 100, usual=5.0), 5) == []


def test_reasons_say_how_often_and_how_poor():
    quality = np.array([0.8] * 8 + [0.2] * 2)
    one = Course(np.array([0.0] * 8 + [3, 1]), 0.0, {("mishap", "mishaps"): np.array([0.0] * 8 + [1, 2])}, quality)
    (moment,) = worst_moments(1, one, 2)
    assert (moment.run, moment.reasons) == (1, ("3 mishaps", "Q 0.20, usually 0.80"))


def make_run(rows: list[tuple[int, int, float]], frames: int = 20) -> Run:
    """A run of boxes 10 x 20 at the given left sides, 40 pixels below the top."""
    builder = TableBuilder(Path("run.jsonl"))
    for frame in range(1, frames + 1):
        builder.add_frame("", frame)
    for frame, track_id, left in rows:
        builder.add("", frame, track_id, (left, 40.0, 10.0, 20.0), score=0.9)
    return Run(name="run", path=Path("run.jsonl"), format="JSON Lines", table=builder.build(name="run"))


def test_without_truth_ends_inside_the_picture_are_suspicious_and_at_its_edge_are_not():
    rows = [(frame, 1, 100.0) for frame in range(1, 11)] + [(frame, 2, 0.5) for frame in range(1, 16)]
    found = worst_moments(0, suspected_course(make_run(rows), np.full(20, np.nan), (200, 100), 2), 2)
    assert [one.reasons for one in found] == [("1 track ends inside the picture",)]
    assert found[0].worst == 10


def test_who_is_there_from_the_first_to_the_last_frame_neither_comes_nor_goes():
    rows = [(frame, 1, 100.0) for frame in range(1, 21)]
    assert worst_moments(0, suspected_course(make_run(rows), np.full(20, 0.5), (200, 100), 2), 2) == []


def test_the_edge_is_a_part_of_the_side():
    assert is_inside((2.1, 10, 50, 90), (100, 100))
    assert not is_inside((1.9, 10, 50, 90), (100, 100))
    assert not is_inside((10, 10, 98.5, 90), (100, 100))


def test_a_run_tells_what_it_does_not_know():
    run = make_run([(1, 1, 5.0)])
    assert "Quality Q and its terms are missing: run.jsonl" in run.missing()[0]
    assert run.counts(3).tolist() == [1, 0, 0]
    assert run.mean_scores(2)[0] == pytest.approx(0.9)
    assert np.isnan(run.mean_scores(2)[1])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["clip.jsonl"], ["clip"]),
        (["a/clip.mot.txt", "b/clip.jsonl"], ["a", "b"]),
        (["ours.jsonl", "base.mot.txt"], ["ours", "base"]),
        (["clip.jsonl", "clip.mot.txt"], ["clip (1)", "clip (2)"]),
    ],
)
def test_runs_are_named_by_where_their_paths_differ(paths, expected):
    assert run_names([Path(path) for path in paths]) == expected


def test_the_video_beside_a_run_has_its_name(tmp_path):
    run = tmp_path / "clip.mot.txt"
    with pytest.raises(SourceError, match="there is no video clip"):
        video_beside(run)
    (tmp_path / "clip.mkv").touch()
    (tmp_path / "clip.tracked.mp4").touch()
    assert video_beside(run) == tmp_path / "clip.mkv"
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError, match=r"there are .*clip\.mkv and .*clip\.mp4; say with --source"):
        video_beside(run)


def test_frames_beyond_all_reason_are_refused(tmp_path):
    path = tmp_path / "run.mot.txt"
    path.write_text("2000000,1,2,3,4,5,1,-1,-1,-1\n")
    with pytest.raises(FormatError, match="expected frames up to 1000000, got 2000000"):
        read_run(path, "run")


@pytest.mark.parametrize("region", [(10.0, 10.0, 50.0, 60.0), (-30.0, -30.0, 10.0, 20.0), (500.0, 0.0, 540.0, 50.0)])
def test_a_thumbnail_has_its_size_wherever_its_region_lies(region):
    image = np.full((80, 100, 3), 200, np.uint8)
    marks = (Mark((12, 12, 40, 55), 3), Mark((0, 0, 20, 20), None), Mark((-900, -900, 9000, 9000), 4))
    jpeg = cut(image, Thumbnail(1, region, (40, 50), marks, "text"))
    assert PIL.Image.open(io.BytesIO(jpeg)).size == (40, 50)


def test_a_thumbnail_shows_its_part_of_the_frame():
    image = np.zeros((80, 100, 3), np.uint8)
    image[20:40, 50:70] = (250, 0, 0)
    picture = np.array(PIL.Image.open(io.BytesIO(cut(image, Thumbnail(1, (50, 20, 70, 40), (40, 40), (), "")))))
    assert picture[..., 0].min() > 200
    assert picture[..., 1].max() < 60


def test_regions_keep_their_shape_and_marks_only_what_shows():
    region = region_around((10, 10, 20, 30), height=40, aspect=0.5)
    assert region == (5, 0, 25, 40)
    marks = marks_in(region, [(1, (0, 0, 6, 6)), (2, (30, 0, 40, 10))], frozenset((1,)), [(1, 2, 3, 4)])
    assert [(mark.track_id, mark.is_main) for mark in marks] == [(1, True), (None, True)]


def test_numbers_are_packed_as_little_endian():
    assert np.frombuffer(base64.b64decode(packed([1.5, np.nan], "<f4")), "<f4")[0] == 1.5
    assert base64.b64decode(packed([258], "<u4")) == b"\x02\x01\x00\x00"
