"""The overlay as a whole: boxes, labels, trails and the meter over frames."""

import pickle

import numpy as np
import pytest

from vsdmot.errors import ConfigError
from vsdmot.report.colours import id_colour
from vsdmot.report.overlay import Overlay, OverlayConfig
from vsdmot.structures import Frame, FrameQuality, FrameResult, Tracks

PLAIN = OverlayConfig(show_quality=False)


def make_tracks(people):
    """Make tracks from a mapping of id to box."""
    boxes = np.array(list(people.values()), np.float32).reshape(-1, 4)
    return Tracks(np.array(list(people), np.int64), boxes, np.full(len(people), 0.83, np.float32))


def make_result(index, people, weight=0.4):
    quality = FrameQuality(clarity=0.5, noise=0.3, contrast=0.6, score=0.45)
    return FrameResult(index, (index - 1) / 25, make_tracks(people), quality, weight, num_proposals=3)


def make_image(height=240, width=320, value=90):
    return np.full((height, width, 3), value, np.uint8)


def draw(overlay, index, people, image=None):
    image = make_image() if image is None else image
    return overlay.draw(Frame(index, (index - 1) / 25, image), make_result(index, people))


def count_colour(image, track_id):
    return int((image == np.array(id_colour(track_id), np.uint8)).all(axis=2).sum())


@pytest.mark.parametrize("shape", [(240, 320), (480, 640), (480, 854), (1080, 1920)])
def test_a_new_image_is_made_and_the_frame_stays_as_it_was(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = image.copy()
    image.flags.writeable = False
    drawn = draw(Overlay(frame_rate=25), 1, {1: [50, 60, 90, 160]}, image)
    np.testing.assert_array_equal(image, before)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (drawn != before).any()


def test_a_mirrored_view_of_another_array_is_a_legal_image():
    image = make_image()[:, :, ::-1]
    assert (draw(Overlay(frame_rate=25), 1, {1: [50, 60, 90, 160]}, image) != image).any()


def test_nobody_and_no_meter_leaves_the_picture_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw(Overlay(frame_rate=25, config=PLAIN), 1, {}, image), image)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16), (8, 500), (500, 8)])
def test_tiny_images_do_not_crash(size):
    overlay = Overlay(frame_rate=25)
    for index in range(1, 6):
        people = {1: [index, 1, 6, 9], 2: [-3, -3, 40, 40], 123456789: [0, 0, 1, 1]}
        assert draw(overlay, index, people, make_image(*size)).shape == (*size, 3)


@pytest.mark.parametrize(
    "box",
    [
        [-40, -40, 30, 60],
        [300, 200, 400, 300],
        [-1e9, -1e9, 1e9, 1e9],
        [-1e30, 50, 100, 1e30],
        [0, 0, 320, 240],
        [100, 100, 100, 100],
        [100, 100, 60, 40],
    ],
    ids=["left top", "right bottom", "huge", "overflowing", "all", "no area", "inside out"],
)
def test_a_box_that_shows_in_the_picture_is_drawn_with_its_label(box):
    overlay = Overlay(frame_rate=25, config=PLAIN)
    images = [draw(overlay, index, {4: box}) for index in (1, 2, 3)]
    assert all(count_colour(image, 4) > 40 for image in images)


@pytest.mark.parametrize("box", [[-90, 10, -20, 90], [10, -90, 60, -5], [330, 10, 360, 90], [10, 250, 60, 300]])
def test_a_box_outside_the_picture_draws_nothing(box):
    np.testing.assert_array_equal(draw(Overlay(frame_rate=25, config=PLAIN), 1, {4: box}), make_image())


def test_the_box_is_where_the_track_is():
    drawn = draw(Overlay(frame_rate=25, config=PLAIN), 1, {3: [100, 50, 160, 200]}, make_image(480, 640))
    own = (drawn == np.array(id_colour(3), np.uint8)).all(axis=2)
    for x, y in ((100, 120), (160, 120), (130, 50), (130, 200)):
        assert own[y - 2 : y + 3, x - 2 : x + 3].any()
    assert not own[60:190, 110:150].any()
    assert not own[210:].any()
    assert not own[:, 170:].any()


def test_an_id_has_the_same_colour_in_every_frame_and_overlay():
    first, second = Overlay(frame_rate=25, config=PLAIN), Overlay(frame_rate=7)
    for index in range(1, 4):
        people = {7: [50 + index, 40, 90, 160], 12 + index: [200, 60, 240, 170]}
        for overlay in (first, second):
            drawn = draw(overlay, index, people)
            assert all(count_colour(drawn, track_id) > 100 for track_id in people)


def test_the_outline_keeps_a_box_visible_on_a_ground_of_its_own_colour():
    image = np.empty((240, 320, 3), np.uint8)
    image[:] = id_colour(1)
    drawn = draw(Overlay(frame_rate=25, config=PLAIN), 1, {1: [100, 50, 160, 200]}, image)
    assert (drawn.max(axis=2) < 40).sum() > 2 * (60 + 150)


def test_scores_are_written_only_where_asked_for_and_where_the_box_is_wide_enough():
    def labelled(show_scores, box):
        config = OverlayConfig(show_quality=False, show_scores=show_scores)
        return draw(Overlay(frame_rate=25, config=config), 1, {5: box})

    wide, narrow = [100, 80, 150, 200], [100, 80, 108, 100]
    assert (labelled(True, wide) != labelled(False, wide)).any()
    np.testing.assert_array_equal(labelled(True, narrow), labelled(False, narrow))


def test_labels_keep_clear_of_the_meter():
    """The meter stays where it is, and a label that would be under it goes below its box."""
    overlay = Overlay(frame_rate=25)
    crowd = {2: [200, 0, 320, 60], 3: [200, 180, 320, 240], 4: [0, 180, 120, 240]}
    people = {1: [20, 42, 50, 120], **crowd}
    drawn = draw(overlay, 1, people)
    label = (drawn == np.array(id_colour(1), np.uint8)).all(axis=2)
    assert not label[:36, :105].any()
    assert label[122:140, 15:60].sum() > 60


def test_drawing_a_sequence_twice_gives_the_same_pixels():
    def sequence(overlay):
        for index in range(1, 40):
            people = {k: [20 * k + 2 * index, 40 + index, 20 * k + 30 + 2 * index, 120 + index] for k in range(1, 7)}
            yield draw(overlay, index, people)

    overlay = Overlay(frame_rate=25)
    first = list(sequence(overlay))
    overlay.reset()
    for again in (sequence(overlay), sequence(Overlay(frame_rate=25))):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_trail_follows_the_feet_fades_and_ends():
    overlay = Overlay(frame_rate=10, config=PLAIN)
    for index in range(1, 16):
        drawn = draw(overlay, index, {1: [10 * index, 100, 10 * index + 20, 150]}, make_image(value=0))
    brightness = drawn[148:153].max(axis=(0, 2)).astype(int)  # of each column, near the feet
    assert brightness[:18].max() == 0
    assert brightness[30:130].min() > 0
    assert brightness[110:130].mean() > brightness[30:50].mean() + 50
    for index in range(16, 36):
        drawn = draw(overlay, index, {}, make_image(value=0))
        assert (drawn.any()) == (index <= 34)


def test_trail_seconds_0_draws_no_trail():
    overlay = Overlay(frame_rate=10, config=OverlayConfig(show_quality=False, trail_seconds=0))
    for index in range(1, 10):
        drawn = draw(overlay, index, {1: [10 * index, 100, 10 * index + 20, 150]}, make_image(value=0))
    assert not drawn[153:].any()
    assert not drawn[120:, :80].any()


def test_memory_does_not_grow_with_the_stream():
    overlay = Overlay(frame_rate=5)
    image = make_image(16, 16)
    sizes = {}
    for index in range(1, 1501):
        people = {3 * index + k: [k, 2, k + 5, 12] for k in range(3)}  # everybody is new in every frame
        draw(overlay, index, people, image)
        if index in (300, 1500):
            sizes[index] = len(pickle.dumps(overlay))
    assert sizes[1500] < 1.1 * sizes[300]


def test_a_result_of_another_frame_is_refused():
    with pytest.raises(ValueError, match="frame 4 with the result of frame 3"):
        Overlay(frame_rate=25).draw(Frame(4, 0.0, make_image()), make_result(3, {}))


def test_frames_out_of_order_are_refused_until_reset():
    overlay = Overlay(frame_rate=25)
    draw(overlay, 5, {})
    for index in (5, 2):
        with pytest.raises(ValueError, match=f"frame {index} after 5; reset"):
            draw(overlay, index, {})
    overlay.reset()
    draw(overlay, 1, {})


@pytest.mark.parametrize("frame_rate", [0, -1, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(frame_rate):
    with pytest.raises(ValueError, match="frame_rate"):
        Overlay(frame_rate=frame_rate)


def test_settings_out_of_range_are_refused_together():
    with pytest.raises(ConfigError) as caught:
        OverlayConfig(trail_seconds=-1, sparkline_seconds=0)
    assert len(str(caught.value).splitlines()) == 2
