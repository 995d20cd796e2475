"""One draw for a whole clip: marks in the picture move exactly as their boxes do."""

from __future__ import annotations

import colorsys
import dataclasses

import cv2
import numpy as np
import pytest
import torch

from vsdmot.errors import ConfigError
from vsdmot.tracking.preprocess import PreprocessConfig, input_size, preprocess
from vsdmot.training.clips.augment import AugmentConfig, ClipView, draw_view
from vsdmot.training.clips.drawn_clip import normalise

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
STILL_COLOURS = {"hsv_probability": 0.0}
SMALL = PreprocessConfig(short_side=96, long_side=160)


def draw_marks(height, width, boxes):
    """Draw rectangles, each in a channel of its own."""
    image = np.zeros((height, width, 3), np.uint8)
    for (left, top, right, bottom), colour in zip(boxes, COLOURS, strict=False):
        image[top:bottom, left:right] += np.array(colour, np.uint8)
    return image


def find_marks(image):
    """Give centre and size of each mark, as shares of the picture, from its grey values alone."""
    height, width = image.shape[:2]
    found = []
    for channel in range(3):
        weights = image[..., channel].astype(np.float64)
        if not weights.any():
            found.append(None)
            continue
        total = weights.sum()
        across, down = weights.sum(axis=0) / total, weights.sum(axis=1) / total
        x, y = across @ (np.arange(width) + 0.5), down @ (np.arange(height) + 0.5)
        # Every column of a rectangle has the same sum, so all of them together divided by one give its width.
        found.append((x / width, y / height, 1 / across.max() / width, 1 / down.max() / height))
    return found


def show(view, image):
    out = np.empty((view.height, view.width, 3), np.uint8)
    view.show(image, out)
    return out


def random_boxes(rng, height, width):
    """Three boxes of whole pixels inside the frame."""
    boxes = []
    for _ in range(3):
        x, y = np.sort(rng.integers(0, width + 1, 2)), np.sort(rng.integers(0, height + 1, 2))
        boxes.append((x[0], y[0], max(x[1], x[0] + 1), max(y[1], y[0] + 1)))
    return boxes


@pytest.mark.parametrize("size", [(270, 480), (200, 150), (97, 331), (480, 480)], ids=str)
def test_marks_move_as_their_boxes_under_every_draw(size):
    config = AugmentConfig.around(SMALL)
    errors = []
    num_cropped = num_flipped = num_dropped = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        boxes = random_boxes(rng, *size)
        view = draw_view(*size, config, rng)
        view = ClipView(view.window, view.is_cropped, view.height, view.width, view.flip, (0, 0, 0))
        marks = find_marks(show(view, draw_marks(*size, boxes)))
        for mover in (view.move_people, view.move_proposals):
            moved, kept = mover(np.array(boxes, np.float32))
            moved = dict(zip(np.flatnonzero(kept).tolist(), moved, strict=True))
            for number, mark in enumerate(marks):
                if number not in moved:
                    assert mark is None
                    num_dropped += 1
                    continue
                # Shrinking without antialiasing misses slivers, or shows half a pixel of the frame too much or little.
                pixel = max(1, (view.window[2] - view.window[0]) / view.width)
                pixels = np.array([view.width, view.height] * 2) / pixel
                if (moved[number] * pixels)[2:].min() > 2:
                    assert mark is not None
                    errors.append((moved[number] - mark) * pixels)
        num_cropped, num_flipped = num_cropped + view.is_cropped, num_flipped + view.flip
    assert len(errors) > 150
    np.testing.assert_array_less(np.abs(errors).max(axis=0), [0.2, 0.2, 0.35, 0.35])
    np.testing.assert_array_less(np.abs(np.mean(errors, axis=0)), 0.02)
    assert min(num_cropped, num_flipped) > 15
    assert num_dropped > 0 or size == (480, 480)


@pytest.mark.parametrize("size", [SMALL, dataclasses.replace(SMALL, multiple=32)], ids=["any", "multiples"])
def test_with_everything_off_a_frame_is_what_the_tracker_sees_bit_for_bit(size):
    rng = np.random.default_rng(0)
    for height, width in ((270, 480), (96, 100), (33, 400)):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        view = draw_view(height, width, AugmentConfig.off(size), rng)
        shown = show(view, image)
        expected = preprocess(image, size, torch.device("cpu"))[0]
        assert torch.equal(normalise(shown, torch.empty(expected.shape)), expected)


def test_every_draw_has_sides_of_the_multiple_and_boxes_still_move_as_shares():
    config = AugmentConfig.around(dataclasses.replace(SMALL, multiple=32))
    for seed in range(40):
        view = draw_view(97, 331, config, np.random.default_rng(seed))
        assert (view.height % 32, view.width % 32) == (0, 0)
        assert min(view.height, view.width) >= 32
        moved, _ = view.move_people(np.array([view.window], np.float32))
        assert moved[0].tolist() == pytest.approx([0.5, 0.5, 1, 1])


def test_sizes_are_those_of_the_published_recipe():
    config = AugmentConfig()
    assert config.short_sides == (608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928, 960, 992)
    whole, cropped = set(), []
    for seed in range(400):
        view = draw_view(1080, 1920, config, np.random.default_rng(seed))
        left, top, right, bottom = view.window
        assert 0 <= left < right <= 1920
        assert 0 <= top < bottom <= 1080
        assert max(view.height, view.width) <= 1536
        if view.is_cropped:
            # In a frame scaled to a short side of 800, 1000 or 1200, both sides of the crop are from 800 to 1200.
            fits = [
                all(799 <= side * scale <= min(1201, whole_side * scale + 1) for side, whole_side in sides)
                for scale in (800 / 1080, 1000 / 1080, 1200 / 1080)
                for sides in [((right - left, 1920), (bottom - top, 1080))]
            ]
            assert any(fits)
            cropped.append((right - left) / (bottom - top))
        else:
            whole.add((view.height, view.width))
    assert 150 < len(cropped) < 250
    assert min(cropped) < 0.8
    assert max(cropped) > 1.3
    assert whole == {
        input_size(1080, 1920, PreprocessConfig(short_side=side, long_side=1536)) for side in config.short_sides
    }


def test_aspect_is_kept():
    for seed in range(50):
        view = draw_view(1080, 1920, AugmentConfig(), np.random.default_rng(seed))
        left, top, right, bottom = view.window
        assert view.width / view.height == pytest.approx((right - left) / (bottom - top), rel=0.003)


def test_crops_lie_anywhere():
    windows = [
        view.window
        for seed in range(400)
        if (view := draw_view(1080, 1920, AugmentConfig(), np.random.default_rng(seed))).is_cropped
    ]
    lefts, rights = np.array([(window[0], 1920 - window[2]) for window in windows]).T
    assert min(lefts) < 40
    assert min(rights) < 40
    assert abs(np.mean(lefts) - np.mean(rights)) < 60


def test_another_input_size_scales_the_recipe():
    config = AugmentConfig.around(PreprocessConfig(short_side=256, long_side=448))
    assert config.short_sides == tuple(round(side * 256 / 800) for side in range(608, 993, 32))
    assert (config.long_side, config.crop_scales, config.crop_sides) == (448, (256, 320, 384), (256, 384))
    tiny = AugmentConfig.around(PreprocessConfig(short_side=64, long_side=64))
    assert min(tiny.short_sides) >= 49
    assert max(tiny.short_sides) == 64


def test_people_are_cut_at_a_crop_and_reach_beyond_a_whole_frame():
    boxes = np.array([[-10, 0, 20, 40], [30, 10, 50, 30], [90, 0, 99, 9], [-9, 0, 0, 9]], np.float32)
    whole = ClipView((0, 0, 80, 40), False, 40, 80, False, (0, 0, 0))
    moved, kept = whole.move_people(boxes)
    assert kept.tolist() == [True, True, False, False]  # who is wholly outside is absent
    np.testing.assert_allclose(moved, [[5 / 80, 0.5, 30 / 80, 1], [0.5, 0.5, 0.25, 0.5]])
    proposed, kept = whole.move_proposals(boxes)
    assert kept.all()  # as the tracker gets them
    np.testing.assert_allclose(proposed[:2], moved)
    crop = ClipView((10, 0, 50, 20), True, 40, 80, False, (0, 0, 0))
    for mover in (crop.move_people, crop.move_proposals):
        moved, kept = mover(boxes)
        assert kept.tolist() == [True, True, False, False]
        np.testing.assert_allclose(moved, [[5 / 40, 0.5, 10 / 40, 1], [0.75, 0.75, 0.5, 0.5]])
    for view in (whole, crop):
        moved, kept = view.move_people(np.zeros((0, 4), np.float32))
        assert moved.shape == (0, 4)
        assert moved.dtype == np.float32
        assert kept.shape == (0,)


def test_colours_change_as_published():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 8, 3), np.uint8)
    view = ClipView((0, 0, 8, 8), False, 8, 8, False, (-4, 25, -13))
    shown = show(view, image)
    for y in range(8):
        for x in range(8):
            # The published loop, pixel by pixel, on OpenCV's own hue, saturation and value.
            hue, saturation, value = cv2.cvtColor(image[y : y + 1, x : x + 1], cv2.COLOR_RGB2HSV)[0, 0].astype(int)
            hue, saturation, value = (hue - 4) % 180, min(saturation + 25, 255), max(value - 13, 0)
            expected = np.array(colorsys.hsv_to_rgb(hue / 180, saturation / 255, value / 255)) * 255
            assert np.abs(shown[y, x] - expected).max() < 2


def test_colours_are_left_alone_or_changed_within_the_gains():
    changes = np.array([draw_view(9, 9, AugmentConfig(), np.random.default_rng(seed)).hsv for seed in range(1000)])
    assert (np.abs(changes) <= [5, 30, 30]).all()
    assert np.abs(changes).max(axis=0).tolist() >= [4, 29, 29]
    shares = (changes != 0).mean(axis=0)
    np.testing.assert_allclose(shares, [0.4, 0.5, 0.5], atol=0.06)  # a hue change below 1 is none
    off = AugmentConfig(**STILL_COLOURS)
    assert not any(any(draw_view(9, 9, off, np.random.default_rng(seed)).hsv) for seed in range(50))


def test_the_same_numbers_give_the_same_view_and_half_are_mirrored():
    views = [draw_view(270, 480, AugmentConfig(), np.random.default_rng(seed)) for seed in range(400)]
    assert views == [draw_view(270, 480, AugmentConfig(), np.random.default_rng(seed)) for seed in range(400)]
    assert 150 < sum(view.flip for view in views) < 250


def test_one_pixel_is_a_picture():
    for seed in range(20):
        view = draw_view(1, 1, AugmentConfig.around(SMALL), np.random.default_rng(seed))
        assert view.window == (0, 0, 1, 1)
        assert show(view, np.full((1, 1, 3), 7, np.uint8)).shape == (view.height, view.width, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"short_sides": ()}, "short_sides: must be one or more whole numbers of at least 32"),
        ({"short_sides": (16,)}, "short_sides: must be one or more"),
        ({"short_sides": (1600,)}, "short_sides: must not exceed long_side"),
        ({"crop_sides": (900, 1200)}, "crop_scales: must be at least the least of crop_sides"),
        ({"crop_sides": (900, 800)}, "crop_sides: must be two whole numbers"),
        ({"hsv_gains": (5.0, 30.0, -1.0)}, "hsv_gains: must be three numbers from 0 to 255"),
        ({"flip_probability": 1.1}, "flip_probability: must be from 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        AugmentConfig(**settings)
