"""Which queries go on to the next frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot.training.objective.matcher import NOBODY, Matches
from vsdmot.training.objective.query_update import Seen, carry

TRUTH = np.float32([[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]])
AWAY = [0.9, 0.1, 0.1, 0.1]


def seen(*queries: tuple[float, list[float], int, int], truth: np.ndarray = TRUTH) -> Seen:
    """Give a frame of queries, each its score, box, id and the index of its person."""
    person_of = np.array([q[3] for q in queries], np.int64)
    matched = np.flatnonzero(person_of != NOBODY)
    matches = Matches(matched[None], person_of[matched][None], np.array([q[2] for q in queries], np.int64), person_of)
    boxes = np.array([q[1] for q in queries], np.float32).reshape(-1, 4)
    return Seen(np.array([q[0] for q in queries], np.float32), boxes, matches, truth)


def published(frame: Seen):
    return carry(frame, 0.0, 0.0, None)


HIT, POOR = [0.3, 0.3, 0.2, 0.2], [0.3, 0.3, 0.1, 0.1]


@pytest.mark.parametrize(
    ("query", "carried", "number", "updated"),
    [
        ((0.1, HIT, NOBODY, NOBODY), False, None, None),  # background
        ((0.5, HIT, NOBODY, NOBODY), False, None, None),  # not above the threshold
        ((0.6, HIT, NOBODY, NOBODY), True, NOBODY, True),  # a false positive of its own making
        ((0.1, HIT, 4, 0), True, 4, False),  # matched, though unsure
        ((0.9, HIT, 4, 0), True, 4, True),
        ((0.9, POOR, 4, 0), True, NOBODY, True),  # misses its person: goes on without name
        ((0.1, POOR, 4, 0), True, NOBODY, False),
        ((0.1, AWAY, 6, NOBODY), True, 6, False),  # a track whose person is absent
        ((0.9, AWAY, 6, NOBODY), True, 6, True),
    ],
)
def test_the_published_rule(query, carried, number, updated):
    result = published(seen(query))
    assert len(result.index) == carried
    if carried:
        assert result.ids.tolist() == [number]
        assert result.updated.tolist() == [updated]


def test_a_box_that_overlaps_its_person_by_exactly_half_misses():
    half = np.float32([[0.5, 0.5, 0.5, 0.5]])
    assert published(seen((0.9, [0.5, 0.375, 0.5, 0.25], 4, 0), truth=half)).ids.tolist() == [NOBODY]


def test_a_frame_without_queries_or_people_hands_on_nothing():
    nobody = seen(truth=np.zeros((0, 4), np.float32))
    for rates in ((0.0, 0.0), (1.0, 1.0)):
        assert len(carry(nobody, *rates, None).index) == 0


def test_the_order_of_queries_is_kept():
    frame = seen((0.9, AWAY, 6, NOBODY), (0.1, AWAY, NOBODY, NOBODY), (0.2, HIT, 4, 0), (0.8, AWAY, NOBODY, NOBODY))
    result = published(frame)
    assert result.index.tolist() == [0, 2, 3]
    assert result.ids.tolist() == [6, 4, NOBODY]


def crowd(count: int) -> Seen:
    """As many tracks, each on its person, and beside each an unmatched query that overlaps it and a better one."""
    spots = [[(i % 30) / 30, (i // 30) / 30, 0.02, 0.02] for i in range(count)]
    tracks = [(0.9, spot, i, i) for i, spot in enumerate(spots)]
    near = [(0.1, [spot[0] + 0.001, *spot[1:]], NOBODY, NOBODY) for spot in spots]
    nearer = [(0.1, [spot[0] + 0.0005, *spot[1:]], NOBODY, NOBODY) for spot in spots]
    return seen(*tracks, *near, *nearer, truth=np.array(spots, np.float32))


def test_as_many_tracks_are_dropped_as_the_rate_says():
    frame = crowd(400)
    result = carry(frame, 0.3, 0.0, torch.Generator().manual_seed(0))
    assert 400 - len(result.index) == pytest.approx(120, abs=35)  # four standard deviations
    assert len(carry(frame, 1.0, 0.0, torch.Generator().manual_seed(0)).index) == 0
    assert len(carry(frame, 0.0, 0.0, torch.Generator().manual_seed(0)).index) == 400


def test_only_tracks_are_dropped():
    frame = seen((0.9, AWAY, NOBODY, NOBODY), (0.9, POOR, 4, 0), (0.9, TRUTH[1].tolist(), 5, 1))
    assert carry(frame, 1.0, 0.0, torch.Generator().manual_seed(0)).index.tolist() == [0, 1]


def test_as_many_tracks_get_a_companion_as_the_rate_says():
    result = carry(crowd(400), 0.0, 0.3, torch.Generator().manual_seed(0))
    companions = result.index[result.index >= 400]
    assert len(companions) == pytest.approx(120, abs=35)
    assert (companions >= 800).all()  # of the two queries beside a track, the one that overlaps it more
    assert (result.ids[result.index >= 400] == NOBODY).all()
    assert result.updated.all()


def test_a_companion_is_none_of_those_who_go_on_anyway_and_overlaps_its_track():
    frame = seen(
        (0.9, HIT, 4, 0),
        (0.9, HIT, NOBODY, NOBODY),  # sure: carried anyway
        (0.2, POOR, 5, NOBODY),  # a track of its own
        (0.2, AWAY, NOBODY, NOBODY),  # elsewhere
    )
    assert carry(frame, 0.0, 1.0, torch.Generator().manual_seed(0)).index.tolist() == [0, 1, 2]
    with_candidate = seen((0.9, HIT, 4, 0), (0.9, HIT, NOBODY, NOBODY), (0.2, POOR, NOBODY, NOBODY))
    assert carry(with_candidate, 0.0, 1.0, torch.Generator().manual_seed(0)).index.tolist() == [0, 1, 2]


def test_two_tracks_may_share_a_companion():
    frame = seen((0.9, HIT, 4, 0), (0.2, HIT, 5, NOBODY), (0.2, POOR, NOBODY, NOBODY))
    result = carry(frame, 0.0, 1.0, torch.Generator().manual_seed(0))
    assert result.index.tolist() == [0, 1, 2]
    assert result.ids.tolist() == [4, 5, NOBODY]
    assert result.updated.tolist() == [True, False, True]


def test_a_dropped_track_gets_no_companion():
    frame = seen((0.9, HIT, 4, 0), (0.2, POOR, NOBODY, NOBODY))
    assert len(carry(frame, 1.0, 1.0, torch.Generator().manual_seed(0)).index) == 0


def test_the_generator_alone_decides():
    frame = crowd(50)
    first, again, other = (carry(frame, 0.5, 0.5, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first.index, again.index)
    assert not np.array_equal(first.index, other.index)


@pytest.mark.parametrize(
    ("query", "updated"),
    [
        ((0.1, HIT, 4, 0), True),  # matched, though unsure
        ((0.1, POOR, 4, 0), False),  # misses its person
        ((0.9, POOR, 4, 0), True),
        ((0.1, AWAY, 6, NOBODY), False),  # a track whose person is absent keeps its memory
    ],
)
def test_who_hits_its_person_is_updated_where_that_is_asked_for(query, updated):
    result = carry(seen(query), 0.0, 0.0, None, update_matched=True)
    assert result.updated.tolist() == [updated]
    assert result.ids.tolist() == published(seen(query)).ids.tolist()
