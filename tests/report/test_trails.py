"""Paths of the feet: where lines are drawn, and what is forgotten."""

import numpy as np

from vsdmot.report.trails import Trails
from vsdmot.structures import Tracks


def make_tracks(people):
    """Make tracks from a mapping of id to box."""
    boxes = np.array(list(people.values()), np.float32).reshape(-1, 4)
    return Tracks(np.array(list(people), np.int64), boxes, np.ones(len(people), np.float32))


def test_no_line_is_drawn_over_a_long_absence():
    trails = Trails(max_age=100, frame_rate=10)
    for index, x in ((1, 20), (2, 30), (3, 40), (20, 200), (21, 210)):
        trails.extend(index, make_tracks({1: [x - 10, 50, x + 10, 100]}))
    canvas = np.zeros((200, 300, 3), np.uint8)
    trails.draw(canvas)
    columns = canvas.any(axis=(0, 2))
    assert columns[20:40].all()
    assert columns[200:210].all()
    assert not columns[60:180].any()


def test_a_short_absence_is_bridged():
    trails = Trails(max_age=100, frame_rate=10)
    for index, x in ((1, 20), (5, 60)):
        trails.extend(index, make_tracks({1: [x - 10, 50, x + 10, 100]}))
    canvas = np.zeros((200, 300, 3), np.uint8)
    trails.draw(canvas)
    assert canvas.any(axis=(0, 2))[20:60].all()


def test_trails_drop_ids_that_are_gone():
    trails = Trails(max_age=10, frame_rate=25)
    for index in range(1, 200):
        trails.extend(index, make_tracks({index: [0, 0, 5, 5], 10_000: [0, 0, 5, 5]}))
        assert trails.num_points <= 22
    trails.extend(300, make_tracks({}))
    assert trails.num_points == 0
