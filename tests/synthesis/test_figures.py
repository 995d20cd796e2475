"""One walking figure: where its strokes are, how it is drawn, and where it stands."""

import numpy as np
import pytest

from vsdmot.synthesis.figures import Figure, Stroke, draw_strokes, extent

CLOTHES = ((224, 178, 146), (176, 58, 52), (44, 48, 58), (60, 46, 38))
RED, BLUE = (200, 0, 0), (0, 0, 200)


def make_figure(speed=60.0, height=120.0):
    return Figure(track_id=1, height=height, feet=150, middle_x=100, middle_time=0, speed=speed, clothes=CLOTHES)


@pytest.mark.parametrize("time", [-0.8, -0.3, 0.0, 0.4, 0.7])
@pytest.mark.parametrize("speed", [60.0, -60.0], ids=["to the right", "to the left"])
def test_the_extent_of_a_body_is_what_is_drawn(speed, time):
    ground = np.full((180, 200, 3), 255, np.uint8)
    strokes = make_figure(speed).strokes(time)
    rows, columns = np.nonzero((draw_strokes(ground, [strokes]) < 240).any(axis=2))
    drawn = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(drawn, extent(strokes), atol=1.6)
    assert (ground == 255).all()


@pytest.mark.parametrize("height", [20.0, 120.0, 700.0])
def test_a_foot_is_on_the_ground_at_any_time_and_the_head_near_the_full_height(height):
    figure = make_figure(height=height)
    for time in np.linspace(-5, 5, 101):
        _, top, _, bottom = extent(figure.strokes(time))
        assert bottom == pytest.approx(150)
        assert 0.9 * height < bottom - top < 1.02 * height


def test_a_figure_walks_where_its_speed_takes_it():
    right, left = make_figure(60.0), make_figure(-60.0)
    for time in (-1.0, 0.5, 2.0):
        for figure, middle in ((right, 100 + 60 * time), (left, 100 - 60 * time)):
            x0, _, x1, _ = extent(figure.strokes(time))
            assert x0 < middle < x1
            assert x1 - x0 < 0.8 * figure.height


def test_the_last_figure_is_in_front():
    red, blue = ([Stroke((40, 40), (60, 40), 10, colour)] for colour in (RED, BLUE))
    ground = np.zeros((80, 100, 3), np.uint8)
    np.testing.assert_array_equal(draw_strokes(ground, [red, blue])[40, 50] > 0, [False, False, True])
    np.testing.assert_array_equal(draw_strokes(ground, [blue, red])[40, 50] > 0, [True, False, False])


def test_nobody_leaves_flat_ground_as_it_was():
    ground = np.full((12, 17, 3), 90, np.uint8)
    np.testing.assert_array_equal(draw_strokes(ground, []), ground)
