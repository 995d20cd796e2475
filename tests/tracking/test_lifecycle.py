"""Births, losses and deaths against a query-by-query account of MOTRv2's rules."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.tracking.lifecycle import NO_TRACK, LifecycleConfig, advance, reported, seen


def slow_advance(ids, missed, scores, next_id, config):
    """The published order of events, one query at a time: reset counters, then births and losses."""
    ids, missed = list(ids), list(missed)
    for i, score in enumerate(scores):
        if score >= config.keep_threshold:
            missed[i] = 0
    for i, score in enumerate(scores):
        if ids[i] == NO_TRACK and score >= config.birth_threshold:
            ids[i], next_id = next_id, next_id + 1
        elif ids[i] != NO_TRACK and score < config.keep_threshold:
            missed[i] += 1
            if missed[i] >= config.miss_tolerance:
                ids[i] = NO_TRACK
    return ids, missed, next_id


@pytest.mark.parametrize("seed", range(20))
def test_random_frames_equal_the_query_by_query_account(seed):
    rng = np.random.default_rng(seed)
    config = LifecycleConfig(birth_threshold=0.6, keep_threshold=0.4, miss_tolerance=3)
    count = int(rng.integers(0, 12))
    ids = np.where(rng.random(count) < 0.5, NO_TRACK, rng.permutation(count) + 1).astype(np.int64)
    missed = rng.integers(0, 3, count)
    scores = rng.choice([0.1, 0.4, 0.5, 0.6, 0.9], count).astype(np.float64)
    got = advance(ids, missed, scores, 50, config)
    expected = slow_advance(ids, missed, scores, 50, config)
    assert got[0].tolist() == expected[0]
    assert got[1].tolist() == expected[1]
    assert got[2] == expected[2]


def test_nineteen_misses_survive_and_the_twentieth_ends_the_track():
    config = LifecycleConfig()
    ids, missed = np.array([7]), np.array([0])
    for miss in range(1, 21):
        ids, missed, _ = advance(ids, missed, np.array([0.1], np.float32), 8, config)
        assert (ids[0] == 7) == (miss < 20)


def test_a_sighting_resets_the_count_of_misses():
    ids, missed, _ = advance(np.array([3]), np.array([19]), np.array([0.5], np.float32), 4, LifecycleConfig())
    assert (ids.tolist(), missed.tolist()) == ([3], [0])


def test_a_track_that_ends_is_not_reborn_in_the_same_frame():
    config = LifecycleConfig(birth_threshold=0.2, keep_threshold=0.5, miss_tolerance=1)
    ids, _, next_id = advance(np.array([3]), np.array([0]), np.array([0.3], np.float32), 4, config)
    assert ids.tolist() == [NO_TRACK]
    assert next_id == 4


def test_births_are_numbered_in_query_order():
    scores = np.array([0.9, 0.1, 0.8, 0.7], np.float32)
    ids, _, next_id = advance(np.array([-1, -1, 2, -1]), np.zeros(4, int), scores, 3, LifecycleConfig())
    assert ids.tolist() == [3, -1, 2, 4]
    assert next_id == 5


def test_the_inputs_are_left_as_they_were():
    ids, missed = np.array([-1, 2]), np.array([0, 5])
    advance(ids, missed, np.array([0.9, 0.1], np.float32), 3, LifecycleConfig())
    assert ids.tolist() == [-1, 2]
    assert missed.tolist() == [0, 5]


def test_a_score_of_exactly_one_half_is_born_but_neither_updated_nor_reported():
    config, half = LifecycleConfig(), np.array([0.5], np.float32)
    box = np.array([[0, 0, 50, 50]], np.float32)
    assert advance(np.array([-1]), np.array([0]), half, 1, config)[0].tolist() == [1]
    assert not seen(half, config)[0]
    assert not reported(half, box, config)[0]


def test_small_and_inverted_boxes_are_not_reported():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10.1, 10], [20, 20, 0, 0]], np.float32)
    assert reported(np.ones(3, np.float32), boxes, LifecycleConfig()).tolist() == [False, True, False]


def test_beyond_the_bound_only_the_surest_are_born_in_query_order():
    config = LifecycleConfig(max_tracks=4, miss_tolerance=1)
    ids = np.array([-1, -1, 7, -1, 8, -1])
    scores = np.array([0.6, 0.9, 0.8, 0.7, 0.1, 0.8], np.float32)  # 8 ends in this frame and makes room
    new_ids, _, next_id = advance(ids, np.zeros(6, int), scores, 9, config)
    assert new_ids.tolist() == [-1, 9, 7, 10, -1, 11]
    assert next_id == 12


def test_a_full_house_keeps_who_is_there_and_lets_nobody_in():
    config = LifecycleConfig(max_tracks=1)
    new_ids, _, next_id = advance(np.array([-1, 3, 4]), np.zeros(3, int), np.full(3, 0.9, np.float32), 5, config)
    assert new_ids.tolist() == [-1, 3, 4]
    assert next_id == 5
