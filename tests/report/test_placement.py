"""Rectangles, corners, and the choice among corners that does not jump."""

import numpy as np
import pytest

from vsdmot.report.placement import CornerChoice, Rectangle, corners


def test_hidden_people_against_a_count_of_pixels():
    rng = np.random.default_rng(3)
    boxes = rng.integers(-20, 80, (40, 2, 2))
    boxes = np.concatenate([boxes.min(axis=1), boxes.max(axis=1) + 1], axis=1).astype(np.float32)
    rectangle = Rectangle(left=10, top=20, width=30, height=25)
    expected = 0.0
    for left, top, right, bottom in boxes.astype(int).tolist():
        pixels = sum(left <= x < right and top <= y < bottom for x in range(10, 40) for y in range(20, 45))
        expected += pixels / ((right - left) * (bottom - top))
    assert rectangle.hides(boxes) == pytest.approx(expected)
    assert rectangle.hides(np.zeros((0, 4), np.float32)) == 0.0
    assert rectangle.hides(np.array([[15, 25, 15, 30]], np.float32)) == 0.0  # a box without area


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ((9, 8, 5, 5), 2),
        ((10, 0, 5, 5), 0),
        ((0, 10, 5, 5), 0),
        ((2, 2, 3, 1), 3),
        ((-5, 0, 5, 5), 0),
        ((90, 90, 5, 5), 0),
    ],
)
def test_rectangles_share_pixels_where_they_overlap(other, shared):
    first, second = Rectangle(0, 0, 10, 10), Rectangle(*other)
    assert first.overlap(second) == second.overlap(first) == shared


def test_a_panel_touches_two_margins_in_each_corner():
    places = corners(100, 200, (30, 50), margin=6)
    assert [(p.left, p.top) for p in places] == [(6, 6), (144, 6), (144, 64), (6, 64)]
    assert {(p.width, p.height) for p in places} == {(50, 30)}


def test_the_choice_keeps_its_place_over_a_small_difference():
    choice = CornerChoice(frame_rate=25)
    assert [choice.update(i, [0.09, 0.0, 0.5, 0.5]) for i in (1, 2)] == [1, 1]
    assert all(choice.update(i, [0.0, 0.09, 0.5, 0.5]) == 1 for i in range(3, 300))
