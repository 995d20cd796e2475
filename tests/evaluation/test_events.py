"""Births, losses, identity switches and fragments: by hand, and in number as TrackEval counts them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from vsdmot.evaluation.events import Break, births, find_breaks, find_lives, losses
from vsdmot.evaluation.official_text import read_tracks, read_truth
from vsdmot.evaluation.preprocess import prepare
from vsdmot.evaluation.rules import RULES
from vsdmot.evaluation.scores import score
from vsdmot.evaluation.tracked import TrackedBoxes


def breaks_of(truth, tracks, *, num_frames=10, rule="mot15") -> tuple[list[Break], tuple[int, int]]:
    """Give the breaks, and what TrackEval counts."""
    data = prepare("S", truth, tracks, RULES[rule], num_frames)
    scores = score(data)
    return find_breaks(data, truth, tracks), (scores["IDSW"], scores["Frag"])


def totals(breaks: list[Break]) -> tuple[int, int]:
    return sum(one.is_switch for one in breaks), sum(one.is_fragment for one in breaks)


CASES = {
    # name: (frames with the track's id of a person who is there in frames 1 to 6, expected breaks)
    "never found": ({}, []),
    "always found": (dict.fromkeys(range(1, 7), 7), []),
    "found late, lost early": ({3: 7, 4: 7}, []),
    "a new id at once": ({1: 7, 2: 7, 3: 8, 4: 8}, [(2, 3, 7, 8, True, False)]),
    "lost and found under the same id": ({1: 7, 2: 7, 5: 7}, [(2, 5, 7, 7, False, True)]),
    "lost and found under a new id": ({1: 7, 4: 8}, [(1, 4, 7, 8, True, True)]),
    "there and back": ({1: 7, 2: 8, 3: 7}, [(1, 2, 7, 8, True, False), (2, 3, 8, 7, True, False)]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_person_breaks_where_the_id_changes_or_a_gap_ends(make_truth, make_tracks, name):
    found, expected = CASES[name]
    # Somebody else is found in every frame: frames without any report are passed over, officially too.
    truth = make_truth([row for frame in range(1, 7) for row in ((frame, 1, 2.0 * frame), (frame, 2, 500.0))])
    rows = [(frame, 99, 500.0) for frame in range(1, 7)] + [(frame, one, 2.0 * frame) for frame, one in found.items()]
    breaks, official = breaks_of(truth, make_tracks(sorted(rows)))
    facts = [
        (one.before.frame, one.after.frame, one.before.track_id, one.after.track_id, one.is_switch, one.is_fragment)
        for one in breaks
    ]
    assert facts == expected
    assert totals(breaks) == official
    for one in breaks:
        assert one.person == 1
        assert one.truth_before == one.before.box == (2 * one.before.frame, 0, 2 * one.before.frame + 10, 20)
        assert one.truth_after == one.after.box == (2 * one.after.frame, 0, 2 * one.after.frame + 10, 20)


def test_a_frame_without_any_report_makes_no_fragment(make_truth, make_tracks):
    truth = make_truth([(frame, 1, 0.0) for frame in (1, 2, 3)])
    breaks, official = breaks_of(truth, make_tracks([(1, 7, 0.0), (3, 7, 0.0)]))
    assert totals(breaks) == official == (0, 0)


def test_the_boxes_are_those_of_the_files_though_distractors_take_some_out(make_truth, make_tracks):
    truth = make_truth([(1, 5, 0.0), (1, 6, 200.0), (2, 5, 0.0), (2, 6, 200.0)])
    truth = dataclasses.replace(truth, classes=np.array([8, 1, 8, 1]))
    tracks = make_tracks([(1, 3, 0.0), (1, 4, 201.0), (2, 3, 0.0), (2, 9, 199.0)])
    (one,), official = breaks_of(truth, tracks, rule="mot17")
    assert official == (1, 0)
    assert (one.person, one.before.track_id, one.after.track_id) == (6, 4, 9)
    assert (one.before.box[0], one.after.box[0], one.truth_before[0], one.truth_after[0]) == (201, 199, 200, 200)


@pytest.mark.parametrize("seed", range(40))
def test_totals_are_those_of_trackeval_on_any_sequence(make_truth, make_tracks, seed):
    chance = np.random.default_rng(seed)
    num_frames, people = int(chance.integers(1, 25)), int(chance.integers(1, 5))
    truth, tracks = {}, {}
    for person in range(people):
        left, track_id = float(chance.uniform(0, 40)), 10 * person + 1
        for frame in range(1, num_frames + 1):
            left += float(chance.uniform(-3, 3))
            if chance.random() < 0.85:
                truth[frame, person] = left
            track_id += chance.random() < 0.1
            if chance.random() < 0.75:
                tracks[frame, track_id if chance.random() < 0.9 else 1] = left + float(chance.normal(0, 2))
    breaks, official = breaks_of(
        make_truth([(*key, left) for key, left in sorted(truth.items())]),
        make_tracks([(*key, left) for key, left in sorted(tracks.items())]),
        num_frames=num_frames,
    )
    assert totals(breaks) == official
    assert [one.after.frame for one in breaks] == sorted(one.after.frame for one in breaks)


@pytest.mark.parametrize("name", ["mot17_first100_mott", "mot17_first100_noisysort", "tud_pymotmetrics"])
def test_totals_are_those_published_for_real_sequences(shared_golden, name):
    golden = json.loads((shared_golden / "metrics" / f"{name}.json").read_text())
    rule = RULES[golden["benchmark_rule"].lower()]
    for sequence, length in golden["seq_lengths"].items():
        folder = shared_golden / "metrics" / "inputs" / ("tud" if "tud" in name else "mot17_first100") / sequence
        truth = read_truth(folder / "gt.txt", with_classes=rule.uses_classes or None)
        tracks = read_tracks(folder / f"{golden['tracker']}.txt")
        expected = golden["sequences"][sequence]
        found = find_breaks(prepare(sequence, truth, tracks, rule, length), truth, tracks)
        assert totals(found) == (expected["IDSW"], expected["Frag"])


def test_lives_are_told_with_their_gaps(make_tracks):
    rows = [(1, 4, 0.0), (1, 9, 50.0), (2, 4, 1.0), (3, 2, 80.0), (5, 4, 4.0), (6, 4, 5.0)]
    lives = find_lives(make_tracks(rows))
    assert [(life.track_id, life.spans, life.num_boxes) for life in lives] == [
        (4, ((1, 2), (5, 6)), 4),
        (9, ((1, 1),), 1),
        (2, ((3, 3),), 1),
    ]
    assert (lives[0].first.frame, lives[0].last.frame) == (1, 6)
    assert (lives[0].first.box, lives[0].last.box) == ((0, 0, 10, 20), (5, 0, 15, 20))
    assert [(one.frame, one.track_id) for one in births(lives)] == [(3, 2)]
    assert [(one.frame, one.track_id) for one in losses(lives, last_frame=6)] == [(1, 9), (3, 2)]
    assert [(one.frame, one.track_id) for one in losses(lives, last_frame=7)] == [(1, 9), (3, 2), (6, 4)]


def test_no_tracks_have_no_lives():
    lives = find_lives(TrackedBoxes(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4))))
    assert lives == births(lives) == losses(lives, last_frame=9) == []
