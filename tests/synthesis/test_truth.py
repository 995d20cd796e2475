"""Boxes and visibility of rendered people, against slow loops."""

import numpy as np

from vsdmot.synthesis.truth import extents, majority, visible_extents


def test_extents_are_the_bounds_of_each_person_s_vertices():
    rng = np.random.default_rng(0)
    points = rng.uniform(0.1, 9, (10, 3)).astype(np.float32)
    boxes = extents(points, np.array([0, 4, 10]))
    for k, own in enumerate((points[:4], points[4:])):
        np.testing.assert_array_equal(boxes[k], [*own[:, :2].min(axis=0), *own[:, :2].max(axis=0)])


def test_somebody_partly_behind_the_camera_has_no_box():
    points = np.ones((4, 3), np.float32)
    points[1, 2] = -1
    boxes = extents(points, np.array([0, 2, 4]))
    assert np.isnan(boxes[0, 0])
    assert np.isfinite(boxes[1]).all()


def test_a_pixel_shows_whoever_two_sub_frames_show_and_every_sample_counts_as_seen():
    rng = np.random.default_rng(1)
    owners = rng.integers(-1, 3, (4, 20, 30)).astype(np.int16)
    settled, seen = majority(owners, 3)
    for row in range(20):
        for column in range(30):
            votes = owners[:, row, column].tolist()
            winners = [vote for vote in votes if vote >= 0 and votes.count(vote) >= 2]
            assert settled[row, column] == (winners[0] if winners else -1)
    assert seen.tolist() == [(owners == k).sum() for k in range(3)]


def test_visible_extents_are_the_bounds_of_the_pixels():
    rng = np.random.default_rng(2)
    owner = rng.choice([-1, 0, 1], (9, 14), p=[0.9, 0.05, 0.05]).astype(np.int16)
    boxes = visible_extents(owner, 3)
    for k in (0, 1):
        rows, columns = np.nonzero(owner == k)
        assert boxes[k].tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert boxes[2].tolist() == [0, 0, 0, 0]


def test_nobody_at_all():
    assert extents(np.empty((0, 3), np.float32), np.array([0])).shape == (0, 4)
    settled, seen = majority(np.full((4, 2, 2), -1, np.int16), 0)
    assert (settled == -1).all()
    assert seen.shape == (0,)
