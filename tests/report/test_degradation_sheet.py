import numpy as np
import pytest

from vsdmot.degradation.operators import OPERATORS
from vsdmot.report.degradation_sheet import CELL, draw_sheet


def frames(height, width, count):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize(("size", "count"), [((1, 1), 1), ((40, 300), 2), ((200, 30), 30)])
def test_frames_of_any_size_and_number_can_be_shown(size, count):
    sheet = draw_sheet(frames(*size, count))
    assert sheet.shape[0] > len(OPERATORS) * min(size[0], CELL[1])
    assert sheet.dtype == np.uint8


def test_the_part_that_moves_is_shown_as_it_is():
    still = np.full((300, 400, 3), 90, np.uint8)
    moving = still.copy()
    moving[150:200, 250:300] = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    sheet = draw_sheet([still, moving])
    shown = np.lib.stride_tricks.sliding_window_view(sheet[:160, :260], (20, 20, 3))
    assert (shown == moving[160:180, 260:280]).all(axis=(3, 4, 5)).any()


def test_the_same_frames_give_the_same_sheet_and_another_seed_another():
    clip = frames(60, 60, 3)
    np.testing.assert_array_equal(draw_sheet(clip), draw_sheet(clip))
    assert not np.array_equal(draw_sheet(clip), draw_sheet(clip, seed=1))
