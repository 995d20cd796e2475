"""A still that moves: boxes stay on what they hold."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.training.clips.pseudo_clip import PseudoClipConfig, draw_windows, look_through, move_boxes


def _centre_and_size(image):
    """Centre and size in pixels of what is white."""
    weights = image[..., 0].astype(np.float64)
    across, down = weights.sum(axis=0), weights.sum(axis=1)
    x = across @ (np.arange(len(across)) + 0.5) / across.sum()
    y = down @ (np.arange(len(down)) + 0.5) / down.sum()
    return [x, y, weights.max(axis=0).sum() / 255, weights.max(axis=1).sum() / 255]


@pytest.mark.parametrize("size", [(400, 600), (300, 120), (64, 64)], ids=str)
def test_boxes_are_where_the_content_is_in_every_frame(size):
    height, width = size
    box = [width * 5 // 12, height * 5 // 12, width * 7 // 12, height * 7 // 12]
    still = np.zeros((height, width, 3), np.uint8)
    still[box[1] : box[3], box[0] : box[2]] = 255
    num_compared = 0
    for seed in range(30):
        for window in draw_windows(height, width, 5, PseudoClipConfig(), np.random.default_rng(seed)):
            (left, top, right, bottom) = move_boxes(np.array([box], np.float32), window, height, width)[0]
            if min(left, top) < 1 or right > width - 1 or bottom > height - 1:
                continue  # the mark reaches the border
            found = _centre_and_size(look_through(still, window))
            expected = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            np.testing.assert_allclose(found, expected, atol=0.6)
            num_compared += 1
    assert num_compared > 60


def test_the_view_moves_as_the_original_says_frame_by_frame():
    """Crop the frame before by the shift and bring it back to full size, again and again, in floating point."""
    height, width = 800, 1200
    for seed in range(20):
        windows = draw_windows(height, width, 5, PseudoClipConfig(), np.random.default_rng(seed))
        # Read the shift off the first step, then follow it.
        dx = int(windows[1][0] - (width - windows[1][2]))
        dy = int(windows[1][1] - (height - windows[1][3]))
        assert 1 <= abs(dx) <= 50
        assert 1 <= abs(dy) <= 50
        to_still = np.eye(3)
        for window in windows[1:]:
            scale_x, scale_y = (width - abs(dx)) / width, (height - abs(dy)) / height
            step = np.array([[scale_x, 0, max(dx, 0)], [0, scale_y, max(dy, 0)], [0, 0, 1]])
            to_still = to_still @ step
            corners = (to_still @ np.array([[0, width], [0, height], [1, 1]]))[:2]
            np.testing.assert_allclose(window, corners.T.ravel(), atol=0.51)


def test_shifts_go_both_ways_and_up_to_the_limit():
    steps = np.array(
        [
            draw_windows(800, 1200, 2, PseudoClipConfig(max_shift=20), np.random.default_rng(seed))[1]
            for seed in range(500)
        ]
    )
    lefts, rights = steps[:, 0], 1200 - steps[:, 2]
    assert ((lefts == 0) != (rights == 0)).all()
    assert 200 < (lefts > 0).sum() < 300
    assert (lefts + rights).min() == 1
    assert (lefts + rights).max() == 20


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 500), (40, 40)])
def test_small_stills_keep_at_least_half_of_each_side(height, width):
    for seed in range(20):
        windows = draw_windows(height, width, 5, PseudoClipConfig(), np.random.default_rng(seed))
        assert windows[0].tolist() == [0, 0, width, height]
        assert (windows[:, 2] - windows[:, 0] >= width // 2).all()
        assert (windows[:, 3] - windows[:, 1] >= height // 2).all()
        assert (windows[:, 2] > windows[:, 0]).all()
        for window in windows:
            assert look_through(np.zeros((height, width, 3), np.uint8), window).shape == (height, width, 3)


def test_one_frame_is_the_still_itself():
    windows = draw_windows(30, 40, 1, PseudoClipConfig(), np.random.default_rng(0))
    assert windows.tolist() == [[0, 0, 40, 30]]
