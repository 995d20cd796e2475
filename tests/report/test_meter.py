"""The quality meter: what it shows, where it stands, and that it stays there."""

import itertools

import numpy as np
import pytest

from vsdmot.report.colours import SEMANTIC, goodness_colour
from vsdmot.report.lettering import font_size, text_width
from vsdmot.report.meter import QualityMeter, clock, draw_bar, panel_size
from vsdmot.structures import FrameQuality, FrameResult, Tracks


def make_result(index=1, *, score=0.6, noise=0.2, weight=None, boxes=()):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    tracks = Tracks(np.arange(1, len(boxes) + 1), boxes, np.ones(len(boxes), np.float32))
    return FrameResult(
        index=index,
        time=(index - 1) / 25,
        tracks=tracks,
        quality=FrameQuality(clarity=0.7, noise=noise, contrast=0.8, score=score),
        semantic_weight=weight,
        num_proposals=0,
    )


def make_meter(frame_rate=25.0, history_seconds=10.0):
    return QualityMeter(frame_rate=frame_rate, history_seconds=history_seconds)


def count_colour(image, colour):
    return int((image == np.array(colour, np.uint8)).all(axis=2).sum())


def longest_row(image, colour):
    return int((image == np.array(colour, np.uint8)).all(axis=2).sum(axis=1).max())


@pytest.mark.parametrize("shape", [(480, 640), (240, 320)], ids=["full", "compact"])
def test_bar_length_follows_the_score(shape):
    lengths = {}
    for score in (0.0, 0.25, 0.5, 0.9, 1.0):
        image = np.zeros((*shape, 3), np.uint8)
        make_meter().draw(image, make_result(score=score))
        lengths[score] = longest_row(image, goodness_colour(score))
    for score, length in lengths.items():
        assert abs(length - score * lengths[1.0]) <= 1
    assert lengths[1.0] > 50


@pytest.mark.parametrize("value", [0.0, 0.004, 0.5, 1.0])
def test_bar_fills_its_part_and_stays_inside(value):
    image = np.zeros((20, 120, 3), np.uint8)
    draw_bar(image, 10, 5, 100, 8, value, (255, 0, 0))
    assert count_colour(image, (255, 0, 0)) == round(value * 100) * 8
    drawn = image.any(axis=2)
    assert drawn.sum() == 800
    assert drawn[5:13, 10:110].all()


@pytest.mark.parametrize("shape", [(480, 640), (240, 320)], ids=["full", "compact"])
def test_semantic_row_is_there_only_with_a_weight(shape):
    without, with_weight = np.zeros((2, *shape, 3), np.uint8)
    small = make_meter().draw(without, make_result())
    large = make_meter().draw(with_weight, make_result(weight=0.5))
    assert count_colour(without, SEMANTIC) == 0
    assert count_colour(with_weight, SEMANTIC) > 50
    assert large.height - small.height == pytest.approx(1.3 * font_size(*shape), abs=1)


@pytest.mark.parametrize("noise", [0.1, 0.5, 0.9])
def test_noise_is_coloured_as_bad_where_it_is_high(noise):
    image = np.zeros((480, 640, 3), np.uint8)
    make_meter().draw(image, make_result(noise=noise, score=0.3))
    low_is_good = count_colour(image, goodness_colour(1 - noise))
    assert low_is_good > 0
    if noise != 0.5:
        assert count_colour(image, goodness_colour(noise)) == 0


def test_noise_arrow_points_down_also_at_half():
    """At 0.5 the colour cannot tell high-is-good from low-is-good; the arrow must."""
    images = np.zeros((2, 480, 640, 3), np.uint8)
    make_meter().draw(images[0], make_result(noise=0.5))
    make_meter().draw(images[1], make_result(noise=0.51))
    unit = font_size(480, 640)
    arrows = images[:, :, : round((2 * 0.6 + 4.8) * unit)]
    np.testing.assert_array_equal(arrows[0], arrows[1])


def test_the_curve_falls_when_the_quality_falls():
    meter = make_meter(frame_rate=10, history_seconds=4)
    scores = [1.0] * 20 + [0.0] * 20
    for index, score in enumerate(scores, 1):
        image = np.zeros((480, 640, 3), np.uint8)
        panel = meter.draw(image, make_result(index, score=score))
    unit = font_size(480, 640)
    bottom = panel.top + panel.height - round((0.6 + 1.3 + 0.2) * unit)
    curve = image[bottom - round(2.2 * unit) + 2 : bottom - 1, panel.left : panel.left + panel.width].min(axis=2)
    quarter = panel.width // 4
    early, late = (int(curve[:, x].argmax()) for x in (quarter, 3 * quarter))
    assert early < 0.2 * len(curve)
    assert late > 0.8 * len(curve) - 1


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        ((240, 320), 0.2, 0.6),
        ((360, 640), 0.2, 0.36),
        ((480, 640), 0.2, 0.36),
        ((480, 854), 0.15, 0.36),
        ((854, 480), 0.3, 0.36),
        ((1080, 1920), 0.1, 0.2),
        ((2160, 3840), 0.1, 0.15),
    ],
)
def test_panel_is_readable_but_small(shape, least, most):
    for with_weight in (False, True):
        height, width = panel_size(*shape, with_weight=with_weight)
        assert least <= width / shape[1] <= most
        assert height <= 0.38 * shape[0]


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (30, 2000), (2000, 30), (100, 120)])
def test_no_meter_where_none_fits(shape):
    image = np.full((*shape, 3), 77, np.uint8)
    assert make_meter().draw(image, make_result()) is None
    assert (image == 77).all()


@pytest.mark.parametrize("shape", [(240, 320), (480, 640), (1080, 1920)])
def test_everything_else_of_the_picture_is_left_alone(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = image.copy()
    panel = make_meter().draw(image, make_result(weight=0.4))
    inside = np.s_[panel.top : panel.top + panel.height, panel.left : panel.left + panel.width]
    assert (image[inside] != before[inside]).any(axis=2).mean() > 0.9
    image[inside] = before[inside]
    np.testing.assert_array_equal(image, before)


CORNERS = {
    "top left": [0, 0, 250, 200],
    "top right": [390, 0, 640, 200],
    "bottom right": [390, 280, 640, 480],
    "bottom left": [0, 280, 250, 480],
}


def corner_of(panel, shape=(480, 640)):
    vertical = "top" if panel.top < shape[0] / 2 else "bottom"
    return f"{vertical} {'left' if panel.left < shape[1] / 2 else 'right'}"


@pytest.mark.parametrize("empty", CORNERS)
def test_meter_stands_in_the_emptiest_corner(empty):
    boxes = [box for name, box in CORNERS.items() if name != empty]
    panel = make_meter().draw(np.zeros((480, 640, 3), np.uint8), make_result(boxes=boxes))
    assert corner_of(panel) == empty


def corners_over(frames):
    meter = make_meter()
    image = np.zeros((480, 640, 3), np.uint8)
    return [corner_of(meter.draw(image, make_result(i, boxes=boxes))) for i, boxes in enumerate(frames, 1)]


def test_meter_does_not_jump_when_people_come_and_go_in_two_corners():
    left, right = CORNERS["top left"], CORNERS["top right"]
    lower = [CORNERS["bottom left"], CORNERS["bottom right"]]
    for period in (1, 5, 10):
        frames = [[*lower, left if (i // period) % 2 else right] for i in range(300)]
        assert len(set(corners_over(frames))) == 1


def test_meter_moves_once_when_people_stay_under_it():
    places = corners_over([[]] * 10 + [[CORNERS["top left"]]] * 200)
    moves = sum(a != b for a, b in itertools.pairwise(places))
    assert (places[0], places[-1], moves) == ("top left", "top right", 1)
    assert places[:50] == ["top left"] * 50  # it has to stand for two seconds first


def test_meter_stays_when_somebody_walks_past_under_it():
    places = corners_over([[]] * 60 + [[[x, 20, x + 30, 120]] for x in range(0, 200, 4)] + [[]] * 100)
    assert set(places) == {"top left"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (59.97, "0:59"), (60, "1:00"), (3599.9, "59:59"), (3600, "1:00:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize("shape", [(480, 640), (240, 320)], ids=["full", "compact"])
def test_footer_of_a_ten_hour_stream_keeps_its_parts_apart(shape):
    """The right-hand text must look the same whether or not the long left-hand text is there."""
    boxes = [[300, 100, 320, 140]] * 123
    images = np.zeros((2, *shape, 3), np.uint8)
    panel = make_meter().draw(images[0], make_result(900_000, boxes=boxes))
    make_meter().draw(images[1], make_result(1, boxes=boxes))
    unit = font_size(*shape)
    left = panel.left + panel.width - round(0.6 * unit) - text_width("123 people", unit)
    footer = np.s_[:, panel.top + panel.height - 2 * unit : panel.top + panel.height, left : panel.left + panel.width]
    np.testing.assert_array_equal(images[footer][0], images[footer][1])
