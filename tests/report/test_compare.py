"""Comparing runs: common ids, where runs differ, frames in lockstep, panels and strips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.sources import ReadReport, SourceInfo
from vsdmot.report.colours import id_colour
from vsdmot.report.compare.disagreement import choose_moments, disagreement
from vsdmot.report.compare.lockstep import in_lockstep
from vsdmot.report.compare.marks import WRONG, draw_missed, draw_switch, fitting, title_bar, title_height
from vsdmot.report.compare.panels import SideBySide, choose_layout, metered
from vsdmot.report.compare.plan import plan_comparison
from vsdmot.report.compare.shared_ids import share_ids
from vsdmot.report.compare.strips import Strip
from vsdmot.report.page.judging import find_truth_of
from vsdmot.report.runs import read_run
from vsdmot.structures import Frame


def tracks(*rows):
    """Boxes of 20 x 40 pixels from rows of frame, id and left side."""
    table = np.array(sorted(rows), float).reshape(-1, 3)
    left = table[:, 2]
    boxes = np.stack([left, np.full(len(left), 10.0), left + 20, np.full(len(left), 50.0)], axis=1)
    return TrackedBoxes(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), boxes)


def walk(track_id, frames, start=0.0):
    return [(frame, track_id, start + 2 * frame) for frame in frames]


# Common ids


def test_the_same_person_gets_the_same_number_whatever_the_run_calls_it():
    first = tracks(*walk(3, range(1, 11)), *walk(7, range(1, 11), start=100))
    second = tracks(*walk(1, range(1, 11), start=102), *walk(2, range(1, 11), start=1))
    assert share_ids([first, second]) == [{3: 3, 7: 7}, {1: 7, 2: 3}]


def test_a_broken_track_gives_its_number_to_the_longest_part_and_new_ones_to_the_others():
    first = tracks(*walk(1, range(1, 21)))
    second = tracks(*walk(4, range(1, 8)), *walk(5, range(8, 21)))
    assert share_ids([first, second]) == [{1: 1}, {4: 2, 5: 1}]


def test_what_only_later_runs_see_has_one_number_in_all_of_them():
    first = tracks(*walk(1, range(1, 11)))
    later = tracks(*walk(8, range(1, 11)), *walk(9, range(1, 11), start=300))
    last = tracks(*walk(1, range(1, 11), start=301))
    assert share_ids([first, later, last]) == [{1: 1}, {8: 1, 9: 2}, {1: 2}]


def test_ground_truth_decides_where_there_is_any_and_ids_start_at_1():
    people = tracks(*walk(0, range(1, 11)), *walk(5, range(1, 11), start=100))
    run = tracks(*walk(9, range(1, 11), start=100), *walk(2, range(1, 6)), *walk(3, range(6, 11), start=400))
    assert share_ids([run], people) == [{9: 6, 2: 1, 3: 7}]


def test_people_who_cross_once_are_not_the_same():
    first = tracks(*walk(1, range(1, 21)))
    second = tracks(*[(frame, 1, 80 - 2 * frame) for frame in range(1, 21)])
    assert share_ids([first, second]) == [{1: 1}, {1: 2}]


def test_nobody_and_no_runs_are_legal():
    nobody = tracks()
    assert share_ids([nobody, tracks(*walk(4, range(1, 5))), nobody]) == [{}, {4: 1}, {}]
    assert share_ids([]) == []


# Where runs differ


BOX, NEAR, FAR = (0.0, 0.0, 10.0, 20.0), (1.0, 0.0, 11.0, 20.0), (50.0, 0.0, 60.0, 20.0)


@pytest.mark.parametrize(
    ("frames", "truth", "expected"),
    [
        ([{1: BOX}, {1: NEAR}], None, 0),
        ([{1: BOX}, {1: FAR}], None, 1),
        ([{1: BOX, 2: FAR}, {1: BOX}], None, 1),
        ([{1: BOX}, {2: BOX}], None, 2),
        ([{1: BOX}, {}, {1: BOX}], None, 2),
        ([{1: BOX}, {1: NEAR}], {1: BOX}, 0),
        ([{1: BOX}, {3: BOX}], {1: BOX}, 1),  # the second has it under a wrong id
        ([{1: BOX}, {1: BOX, 9: FAR}], {1: BOX}, 0),  # a false box is no difference in who is followed
        ([{1: FAR}, {3: BOX}], {1: BOX}, 0),  # both are wrong
        ([], None, 0),
    ],
)
def test_disagreement_counts_people(frames, truth, expected):
    assert disagreement(frames, truth) == expected


def test_moments_are_where_most_differs_and_apart():
    course = np.zeros(300)
    course[40:60], course[150:160], course[250:290] = 1, 5, 2
    found = choose_moments(course, 3, frame_rate=10)
    assert 38 <= found[0] <= 62
    assert 148 <= found[1] <= 162
    assert 248 <= found[2] <= 292


def test_without_differences_moments_fill_the_gaps_and_never_repeat():
    assert choose_moments(np.zeros(99), 1, frame_rate=25) == [50]
    found = choose_moments(np.zeros(100), 5, frame_rate=25)
    assert len(set(found)) == 5
    assert min(np.diff(found)) >= 10
    assert choose_moments(np.zeros(3), 9, frame_rate=25) == [1, 2, 3]
    assert choose_moments(np.ones(2), 5, frame_rate=25) == [1, 2]
    assert choose_moments(np.zeros(0), 5, frame_rate=25) == []


# Videos together


class _Listed:
    """A source of empty frames with given indices."""

    def __init__(self, *indices):
        self.info = SourceInfo(
            name="x", width=8, height=8, frame_rate=10.0, num_frames=len(indices), live=False, location="x"
        )
        self.report = ReadReport()
        self._indices = indices

    def __iter__(self):
        for index in self._indices:
            yield Frame(index, index / 10, np.full((8, 8, 3), index, np.uint8))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((1, 2, 3), (1, 2, 3), [1, 2, 3]),
        ((1, 2, 3), (1, 3), [1, None, 3]),
        ((1, 3, 5), (1, 2, 3, 4, 5), [1, 3, 5]),
        ((1, 2, 3), (1,), [1, None, None]),
        ((1, 2), (3, 4), [None, None]),
        ((1, 2), (), [None, None]),
    ],
)
def test_frames_of_one_index_come_together(first, second, expected):
    found = list(in_lockstep([_Listed(*first), _Listed(*second)]))
    assert [frame.index for frame, _ in found] == list(first)
    assert [own[1].index if own[1] else None for _, own in found] == expected
    assert all(own[0] is frame for frame, own in found)


# Pictures


@pytest.mark.parametrize(
    ("size", "count", "panel_height", "expected"),
    [
        ((768, 576), 2, None, (768, 576, 2)),
        ((1920, 1080), 3, None, (640, 360, 3)),
        ((1920, 1080), 4, 240, (426, 240, 2)),
        ((640, 480), 5, None, (640, 480, 3)),
        ((333, 77), 2, None, (328, 76, 2)),
    ],
)
def test_panels_fit_the_screen_and_have_even_sides(size, count, panel_height, expected):
    layout = choose_layout(size, count, panel_height=panel_height)
    assert (layout.width, layout.height, layout.across) == expected


@pytest.fixture
def scene(tmp_path):
    """Two runs over 12 frames of 200 x 120, with ground truth; the second loses a person at frame 7 under a new id."""

    def rows(*people):
        lines = [
            f"{frame},{track_id},{left + 3 * frame},20,30,70,0.9,-1,-1,-1\n"
            for track_id, left, frames in people
            for frame in frames
        ]
        return "".join(sorted(lines, key=lambda line: int(line.split(",")[0])))

    whole = range(1, 13)
    (tmp_path / "good.mot.txt").write_text(rows((1, 10, whole), (2, 110, whole)))
    (tmp_path / "bad.mot.txt").write_text(rows((5, 10, range(1, 7)), (8, 10, range(9, 13))))
    (tmp_path / "gt.txt").write_text(rows((1, 10, whole), (2, 110, whole)).replace(",0.9,-1,-1,-1", ",1,-1,-1,-1"))
    return tmp_path


INFO = SourceInfo(name="scene", width=200, height=120, frame_rate=10.0, num_frames=12, live=False, location="scene")
HALF = SourceInfo(name="half", width=100, height=60, frame_rate=10.0, num_frames=12, live=False, location="half")


def compared(folder: Path, *, with_truth: bool, half: bool = False):
    runs = [read_run(folder / f"{name}.mot.txt", name) for name in ("good", "bad")]
    truth = find_truth_of(folder / "gt.txt", ["scene"], (200, 120)) if with_truth else None
    return plan_comparison(runs, [INFO, HALF] if half else [INFO], [0, 1] if half else [0, 0], truth)


def frame(index, value=90, size=(120, 200)):
    return Frame(index, (index - 1) / 10, np.full((*size, 3), value, np.uint8))


def has_colour(image, colour):
    return int((image == np.array(colour, np.uint8)).all(axis=2).sum()) > 20


def test_the_longer_part_keeps_the_number_and_the_switch_is_judged(scene):
    comparison = compared(scene, with_truth=True)
    good, bad = comparison.runs
    assert good.shared == {1: 1, 2: 2}
    assert bad.shared == {5: 1, 8: 3}
    assert good.judged.scores["IDSW"] == 0
    assert bad.judged.scores["IDSW"] == 1
    np.testing.assert_array_equal(comparison.course(), [1] * 6 + [2] * 6)


def test_a_run_on_a_smaller_copy_is_compared_in_the_pixels_of_the_large_one(scene):
    small = (scene / "bad.mot.txt").read_text().splitlines()
    halved = []
    for line in small:
        cells = line.split(",")
        halved.append(",".join([*cells[:2], *(str(float(side) / 2) for side in cells[2:6]), *cells[6:]]))
    (scene / "bad.mot.txt").write_text("\n".join(halved) + "\n")
    comparison = compared(scene, with_truth=True, half=True)
    assert comparison.size == (200, 120)
    assert comparison.runs[1].shared == {5: 1, 8: 3}
    np.testing.assert_allclose(comparison.runs[1].boxes(1, (200, 120)), [[13, 20, 43, 90]])
    assert metered(comparison) == [True, True]


def test_the_same_person_has_the_same_colour_in_all_panels_and_a_switch_is_marked(scene):
    comparison = compared(scene, with_truth=True)
    assert metered(comparison) == [True, False]
    side = SideBySide(comparison, choose_layout((200, 120), 2, panel_height=None))
    drawn = {}
    for index in range(1, 13):
        own = frame(index)
        drawn[index] = side.draw(own, [own])
        assert drawn[index].shape == (side.height, side.width, 3)
    left, right = drawn[4][:, :200], drawn[4][:, 204:]
    assert has_colour(left, id_colour(1))
    assert has_colour(right, id_colour(1))
    assert has_colour(left, id_colour(2))
    assert not has_colour(right, id_colour(2))
    assert has_colour(drawn[10][:, 204:], WRONG)
    assert has_colour(drawn[10][:, 204:], id_colour(3))
    assert not has_colour(drawn[4][20:, 204:], WRONG)


def test_a_video_without_the_frame_leaves_its_panel_black(scene):
    comparison = compared(scene, with_truth=False, half=True)
    side = SideBySide(comparison, choose_layout((200, 120), 2, panel_height=None))
    drawn = side.draw(frame(8), [frame(8), None])
    assert drawn[-10:, 20:100].min() > 60
    assert drawn[-10:, 230:].max() == 0


def test_a_strip_has_a_row_for_each_run_and_shows_who_is_missed(scene):
    comparison = compared(scene, with_truth=True)
    strip = Strip(comparison, [3, 7, 11, 40], cell_width=200)
    for index in range(1, 13):
        own = frame(index)
        strip.add(own, [own])
    assert strip.missing == [40]
    sheet = strip.draw()
    assert sheet.shape == (26 + 2 * (120 + 24 + 4), 3 * 204 - 4, 3)
    row = {name: 26 + 24 + number * 148 for number, name in enumerate(("good", "bad"))}
    white = {
        name: [int((sheet[top : top + 120, x : x + 200] == (240, 242, 245)).all(axis=2).sum()) for x in (0, 204, 408)]
        for name, top in row.items()
    }
    assert max(white["good"]) < min(white["bad"])  # the corners of those who are not reported
    assert white["bad"][1] > 1.5 * white["bad"][0]  # two are missed in frame 7, one in frame 3
    assert has_colour(sheet[row["bad"] : row["bad"] + 120, 408:], WRONG)
    assert not has_colour(sheet[row["good"] : row["good"] + 120, 408:], WRONG)


def test_without_ground_truth_missed_are_those_whom_another_run_has(scene):
    comparison = compared(scene, with_truth=False)
    strip = Strip(comparison, [3], cell_width=200)
    strip.add(frame(3), [frame(3)])
    sheet = strip.draw()
    counts = [int((sheet[top : top + 120] == (240, 242, 245)).all(axis=2).sum()) for top in (50, 198)]
    assert counts[1] > counts[0] + 50


def test_a_strip_of_nothing_is_refused(scene):
    with pytest.raises(ValueError, match="at least one moment"):
        Strip(compared(scene, with_truth=False), [99], cell_width=100).draw()


@pytest.mark.parametrize(
    "box", [(-50, -50, 10, 10), (0, 0, 0, 0), (1e9, 1e9, 2e9, 2e9), (-1e9, 5, 1e9, 9), (90, 70, 40, 20)]
)
@pytest.mark.parametrize("shape", [(80, 100), (8, 8), (1, 1)])
def test_marks_never_crash_and_stay_in_the_picture(box, shape):
    canvas = np.zeros((*shape, 3), np.uint8)
    draw_switch(canvas, box, "ID switch 1234 > 5678")
    draw_missed(canvas, box)
    assert canvas.shape == (*shape, 3)


def test_titles_are_shortened_and_strange_letters_replaced():
    bar = title_bar(480, 200, "a very long name of a tracker with settings", "HOTA 50.0")
    assert bar.shape == (title_height(480, 200), 200, 3)
    assert fitting("naïve ☃", 500, 12) == "na?ve ?"
    assert fitting("long", 1, 12) == "..."
