"""Evaluation in memory: what training and engineers call."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from vsdmot import evaluate
from vsdmot.errors import FormatError
from vsdmot.evaluation.rules import choose_rule
from vsdmot.evaluation.scores import FIELDS, combine
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.structures import FrameQuality, FrameResult, Tracks

WALK = [(frame, person, 50.0 * person + frame) for frame in range(1, 7) for person in (1, 2)]


def as_results(rows) -> list[FrameResult]:
    """The same boxes as a tracker gives them, also for frames without anybody."""
    quality = FrameQuality(clarity=1.0, noise=0.0, contrast=1.0, score=1.0)
    results = []
    for frame in range(1, 9):
        here = [(number, left) for index, number, left in rows if index == frame]
        boxes = np.array([[left, 0, left + 10, 20] for _, left in here], np.float32).reshape(-1, 4)
        tracks = Tracks(np.array([n for n, _ in here], np.int64), boxes, np.ones(len(here), np.float32))
        results.append(FrameResult(frame, frame / 25, tracks, quality, None, 0))
    return results


def test_results_of_a_tracker_and_boxes_score_the_same(make_truth, make_tracks):
    moved = [(frame, number + 4, left + 3) for frame, number, left in WALK]
    truth = {"walk": make_truth(WALK)}
    by_boxes = evaluate(truth, {"walk": make_tracks(moved)}, num_frames={"walk": 8})
    by_results = evaluate(truth, {"walk": iter(as_results(moved))}, num_frames={"walk": 8})
    assert by_boxes.to_plain() == by_results.to_plain()
    assert 0 < by_boxes.combined["HOTA"] < 1
    assert by_boxes.combined["MOTA"] == 1  # an overlap of 7/13 is a match there


def test_the_length_is_that_of_the_last_box_unless_it_is_said(make_truth, make_tracks):
    truth, tracks = {"walk": make_truth(WALK)}, {"walk": make_tracks([*WALK, (9, 5, 0.0)])}
    assert evaluate(truth, tracks).sequences["walk"].num_frames == 9
    assert evaluate(truth, tracks, num_frames={"walk": 30}).combined["CLR_Frames"] == 30
    with pytest.raises(FormatError, match="track 5 in frame 9: expected a frame from 1 to 8"):
        evaluate(truth, tracks, num_frames={"walk": 8})


def test_the_plain_form_is_json_with_every_field(make_truth, make_tracks):
    truth = {"a": make_truth(WALK), "b": make_truth(WALK[:5])}
    result = evaluate(truth, {"a": make_tracks(WALK[2:]), "b": make_tracks([])})
    plain = json.loads(json.dumps(result.to_plain(), allow_nan=False))
    assert list(plain) == ["combined", "sequences"]
    assert list(plain["sequences"]) == ["a", "b"]
    for scores in (plain["combined"], *plain["sequences"].values()):
        assert list(scores) == [*FIELDS, "per_alpha"]
    assert plain["combined"]["CLR_FN"] == 2 + 5


def test_sequences_must_be_the_same_on_both_sides(make_truth, make_tracks):
    with pytest.raises(ValueError, match=r"truth of \['a'\] and tracks of \['b'\]"):
        evaluate({"a": make_truth(WALK)}, {"b": make_tracks(WALK)})
    with pytest.raises(ValueError, match="at least one sequence"):
        evaluate({}, {})
    with pytest.raises(ValueError, match="at least one sequence"):
        combine({})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, 3, 0.0), (1, 3, 9.0)], "track 3 in frame 1: expected an id only once in a frame"),
        ([(1, -2, 0.0)], "track -2 in frame 1: expected an id of 0 or more"),
        ([(0, 1, 0.0)], "track 1 in frame 0: expected a frame from 1 to 6"),
    ],
)
def test_what_is_wrong_in_memory_is_named_by_track_and_frame(make_truth, make_tracks, rows, message):
    with pytest.raises(FormatError, match=message):
        evaluate({"walk": make_truth(WALK)}, {"walk": make_tracks(rows)})


def test_results_must_come_in_order():
    results = as_results(WALK)
    with pytest.raises(ValueError, match="expected rising frames, got 1 after 1"):
        TrackedBoxes.from_results([results[0], results[0]])
    with pytest.raises(ValueError, match="must not fall"):
        TrackedBoxes(np.array([2, 1]), np.array([1, 1]), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="TrackedBoxes holds 1 frames"):
        TrackedBoxes(np.array([2]), np.array([1, 1]), np.zeros((2, 4)))


# Which rule is taken


@pytest.mark.parametrize(
    ("name", "path", "classes", "rule", "reason"),
    [
        ("walk", "walk/gt/gt.txt", -1, "mot15", "the ground truth holds no classes"),
        ("MOT17-02", "MOT17-02/gt/gt.txt", -1, "mot15", "the ground truth holds no classes"),
        ("MOT20-01", "LQMOT/MOT20-01/gt/gt.txt", 7, "mot20", "the sequence's name says so"),
        ("MOT17-02", "MOT20/MOT17-02/gt/gt.txt", 7, "mot17", "the sequence's name says so"),
        ("seq", "data/MOT16/train/seq/gt/gt.txt", 7, "mot16", "the sequence's path says so"),
        ("dancetrack0004", "x/gt.txt", 1, "dancetrack", "the sequence's name says so"),
        ("seq", "MOT17/MOT20/gt.txt", 7, "mot17", "the ground truth holds classes, and no name speaks"),
        ("walk", "walk/gt/gt.txt", 1, "mot17", "every box is of class 1"),
    ],
)
def test_the_rule_follows_from_classes_then_name_then_path(make_truth, name, path, classes, rule, reason):
    chosen = choose_rule("auto", name, make_truth(WALK, classes=classes, path=path))
    assert chosen.rule.name == rule
    assert chosen.reason.startswith(reason)


def test_empty_and_labelled_ground_truth_have_rules_too(make_truth):
    assert choose_rule("auto", "MOT20-01", make_truth([])).rule.name == "mot15"
    labelled = dataclasses.replace(make_truth(WALK), is_labelled=True)
    assert choose_rule("auto", "MOT20-01", labelled).reason == "labels.txt names the classes"
    assert choose_rule("mot20", "walk", labelled).rule.name == "mot20"
    with pytest.raises(ValueError, match="rule must be one of auto, mot15"):
        choose_rule("mot18", "walk", labelled)


def test_things_that_labels_name_are_not_people_and_forgive_nothing(make_truth, make_tracks):
    bag = dataclasses.replace(make_truth([*WALK, (6, 9, 400.0)]), is_labelled=True)
    classes = bag.classes.copy()
    classes[-1] = 0
    bag = dataclasses.replace(bag, classes=classes)
    result = evaluate({"walk": bag}, {"walk": make_tracks([*WALK, (6, 9, 400.0)])})
    assert (result.combined["CLR_TP"], result.combined["CLR_FP"], result.combined["CLR_FN"]) == (12, 1, 0)
