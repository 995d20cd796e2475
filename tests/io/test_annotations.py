"""Ground truth: which layout a file has, who counts as a person, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.errors import FormatError
from vsdmot.io.annotations import GroundTruth, find_layout, read_ground_truth

MOT17 = "2,7,10,20,30,40,1,1,0.5\n1,7,11,21,30,40,1,1,1\n1,9,50,60,5,6,0,7,0.25\n1,3,1,2,3,4,1,3,1\n"
MOT15 = "1,7,10,20,30,40,1,-5.0036,11.913,0.69979\n1,8,10,20,30,40,0,1,1,1\n"


def read(tmp_path, content: str, labels: str | None = None, layout=None) -> GroundTruth:
    path = tmp_path / "gt.txt"
    path.write_text(content)
    if labels is not None:
        (tmp_path / "labels.txt").write_text(labels)
    return read_ground_truth(path, layout=layout)


def test_rows_are_ordered_by_frame_and_keep_the_order_and_line_of_the_file(tmp_path):
    truth = read(tmp_path, MOT17)
    assert truth.frames.tolist() == [1, 1, 1, 2]
    assert truth.ids.tolist() == [7, 9, 3, 7]
    assert truth.line_numbers.tolist() == [2, 3, 4, 1]
    assert truth.boxes.dtype == np.float64
    assert truth.boxes[0].tolist() == [11, 21, 41, 61]
    assert truth.classes.tolist() == [1, 7, 3, 1]
    assert truth.visibility.tolist() == [1, 0.25, 1, 0.5]
    assert truth.considered.tolist() == [True, False, True, True]


def test_mot15_has_a_position_where_others_have_a_class(tmp_path):
    truth = read(tmp_path, MOT15)
    assert truth.classes.tolist() == [-1, -1]
    assert truth.visibility.tolist() == [1, 1]
    assert truth.people().ids.tolist() == [7]  # without classes, the flag alone decides


@pytest.mark.parametrize(
    ("row", "classes", "visibility"),
    [
        ("1,1,5,5,9,9,1", -1, 1),
        ("1,1,5,5,9,9,1,4", 4, 1),
        ("1,1,5,5,9,9,1,4,0.5", 4, 0.5),
        ("1,1,5,5,9,9,1,4,0.5,8", -1, 1),
        ("1 1 5 5 9 9 1 4 0.5", 4, 0.5),
    ],
)
def test_the_number_of_columns_tells_the_layout(tmp_path, row, classes, visibility):
    truth = read(tmp_path, row)
    assert (truth.classes.tolist(), truth.visibility.tolist()) == ([classes], [visibility])


def test_a_given_layout_wins_over_the_columns(tmp_path):
    assert read(tmp_path, "1,1,5,5,9,9,1,4,0.5,-1", layout="mot17").classes.tolist() == [4]
    assert read(tmp_path, "1,1,5,5,9,9,1,-1,-1", layout="mot15").classes.tolist() == [-1]
    assert read(tmp_path, "1,1,5,5,9,9,1,4,0.5", layout="plain").visibility.tolist() == [1]
    with pytest.raises(ValueError, match="layout must be one of plain, mot15, mot17"):
        read(tmp_path, MOT17, layout="mot99")


@pytest.mark.parametrize(
    ("flag", "kind", "counts"),
    [
        ("1", "1", True), ("1", "-1", True), ("-1", "1", True), ("0", "1", False), ("0.5", "1", False),
        ("1", "7", False), ("1", "2", False), ("1", "13", False), ("1", "3", False), ("1", "0", False),
    ],
)  # fmt: skip
def test_flag_and_class_decide_who_is_a_person(tmp_path, flag, kind, counts):
    assert len(read(tmp_path, f"1,1,5,5,9,9,{flag},{kind},1").people()) == counts


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ("car\nperson\n", [3, 1]),
        ("Pedestrian\nbag\nhuman", [1, 0, 1]),
        ("dancer\n\n", [1]),
        ("\ufeffperson\r\nReflection\r\n", [1, 12]),
    ],
)
def test_labels_beside_the_file_are_translated_into_the_classes_of_motchallenge(tmp_path, labels, classes):
    content = "".join(f"1,{kind},5,5,9,9,1,{kind},1\n" for kind in range(1, len(classes) + 1))
    truth = read(tmp_path, content, labels)
    assert truth.is_labelled
    assert truth.classes.tolist() == classes
    assert truth.people().ids.tolist() == [number for number, kind in enumerate(classes, start=1) if kind == 1]


def test_a_class_without_a_label_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"gt\.txt:1: expected a class that labels\.txt names \(1 to 2\), got 3"):
        read(tmp_path, "1,1,5,5,9,9,1,3,1", "car\nperson\n")


def test_labels_mean_that_ten_columns_hold_a_class(tmp_path):
    assert find_layout(10, has_labels=True) == "mot17"
    assert read(tmp_path, "1,1,5,5,9,9,1,2,0.5,0", "car\nperson").people().ids.tolist() == [1]


@pytest.mark.parametrize("labels", ["car\ndog\n", ""])
def test_labels_without_a_person_are_refused(tmp_path, labels):
    with pytest.raises(FormatError, match=r"labels\.txt: expected a label that means a person .*, got (car, dog|an)"):
        read(tmp_path, "1,1,5,5,9,9,1,2,1", labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,1,5,5,9,9\n", "gt.txt:1: expected at least 7 values"),
        (MOT17 + "3,1,5,5,9,9,1\n", "gt.txt:5: expected 9 values as in line 1, got 7"),
        ("1,1,5,5,9,9,1,1,1\n1,-1,5,5,9,9,1,1,1\n", "gt.txt:2: expected an id of 0 or more in ground truth, got -1"),
        ("1,1,5,5,9,9,nan,1,1\n", "gt.txt:1: expected a flag that is a number, 0 to ignore the box, got nan"),
        ("1,1,5,5,9,9,1,1.5,1\n", "gt.txt:1: expected a class that is whole, got 1.5"),
        ("1,1,5,5,9,9,1,nan,1\n", "gt.txt:1: expected a class that is whole, got nan"),
        ("1,1,5,5,9,9,1,1,inf\n", "gt.txt:1: expected a visibility that is a number, got inf"),
        ("0,1,5,5,9,9,1,1,1\n", "gt.txt:1: expected a frame number, whole and at least 1, got 0"),
        ("1,1,5,nan,9,9,1,1,1\n", "gt.txt:1: expected a box of finite numbers"),
        ("1,1,5,5,9,9,yes,1,1\n", "gt.txt:1: expected numbers, got 'yes'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, content, message):
    with pytest.raises(FormatError) as raised:
        read(tmp_path, content)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_layout_with_a_class_needs_its_column(tmp_path):
    with pytest.raises(FormatError, match=r"gt\.txt:1: expected at least 8 values, the last of them the class, got 7"):
        read(tmp_path, "1,1,5,5,9,9,1\n", layout="mot17")


@pytest.mark.parametrize("layout", [None, "plain", "mot15", "mot17"])
def test_an_empty_file_is_a_sequence_without_people(tmp_path, layout):
    truth = read(tmp_path, "", layout=layout)
    assert len(truth) == len(truth.people()) == len(truth.on_frame(1)) == 0
    assert truth.boxes.shape == (0, 4)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"gt\.txt: cannot read"):
        read_ground_truth(tmp_path / "gt.txt")


def test_rows_of_a_frame_are_those_that_a_search_of_all_rows_finds(tmp_path):
    random = np.random.default_rng(0)
    content = "".join(f"{frame},{i},5,5,9,9,1,1,1\n" for i, frame in enumerate(random.integers(2, 9, 60)))
    truth = read(tmp_path, content)
    for frame in range(11):
        rows = truth.on_frame(frame)
        assert rows.ids.tolist() == [i for i, f in zip(truth.ids, truth.frames, strict=True) if f == frame]
        assert np.all(np.diff(rows.line_numbers) > 0)
        assert rows.boxes.base is not None  # a view, not a copy


def test_arrays_cannot_be_changed_by_accident(tmp_path):
    truth = read(tmp_path, MOT17)
    for rows in (truth, truth.people(), truth.on_frame(1)):
        with pytest.raises(ValueError, match="read-only"):
            rows.boxes[0] = 0


def test_rows_out_of_order_or_of_different_number_are_our_own_mistake(tmp_path):
    truth = read(tmp_path, MOT17)
    columns = {name: getattr(truth, name) for name in ("ids", "boxes", "considered", "classes", "visibility")}
    with pytest.raises(ValueError, match="must not fall"):
        GroundTruth(truth.path, truth.frames[::-1], **columns, line_numbers=truth.line_numbers)
    with pytest.raises(ValueError, match="arrays of 4 and 3 rows"):
        GroundTruth(truth.path, truth.frames, **columns, line_numbers=truth.line_numbers[:3])


def test_real_files_give_the_published_counts(shared_data):
    counts = {"ETH-Sunnyday": (1901, 30), "TUD-Campus": (359, 8), "PETS09-S2L1": (4650, 19)}
    for name, (boxes, people) in counts.items():
        truth = read_ground_truth(shared_data / "mot15" / "train" / name / "gt" / "gt.txt")
        assert (len(truth), len(np.unique(truth.people().ids))) == (boxes, people)
    crowd = read_ground_truth(shared_data / "mot17_mini" / "train" / "MOT17-13-FRCNN" / "gt" / "gt.txt")
    assert set(crowd.people().classes.tolist()) == {1} < set(crowd.classes.tolist())
