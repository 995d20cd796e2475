"""Which frames count as repeats: only those that hide a movement, or last too long."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.triage.repeats import FROZEN_SECONDS, Repeats


def raster(place, noise=0, seed=0):
    """Somebody who stands at a place, in a picture that trembles by so many grey levels."""
    picture = np.full((40, 60), 100, np.int16)
    picture[10:30, place : place + 8] = 180
    if noise:
        picture += np.random.default_rng(seed).integers(-noise, noise + 1, picture.shape, np.int16)
    return picture.astype(np.uint8)


def count(rasters, frame_rate=25.0):
    repeats = Repeats(frame_rate)
    return [repeats.update(one) for one in rasters]


def test_movement_repeats_nothing():
    assert sum(count([raster(place) for place in range(30)])) == 0


def test_a_dropped_frame_counts_when_the_picture_moves_on():
    assert count([raster(p) for p in (0, 1, 1, 2, 2, 2, 3)]) == [0, 0, 0, 1, 0, 0, 2]


def test_a_scene_at_rest_repeats_nothing_until_it_is_frozen():
    frozen = round(FROZEN_SECONDS * 25)
    assert sum(count([raster(5)] * frozen)) == 0
    assert sum(count([raster(5)] * (frozen + 1))) == frozen
    assert sum(count([raster(5)] * 200)) == 199
    assert sum(count([*[raster(5)] * 200, raster(9)])) == 199  # not once more when it ends


def test_noise_is_no_repeat_and_no_movement():
    assert sum(count([raster(5, noise=2, seed=seed) for seed in range(200)])) == 0


def test_a_repeat_that_a_coder_refined_still_counts():
    refined = raster(1) + np.uint8(2)
    assert sum(count([raster(0), raster(1), raster(1), refined, refined, raster(4)])) == 2


def test_a_pause_long_ago_is_no_repeat_when_somebody_moves_at_last():
    trembling = [raster(5, noise=2, seed=seed) for seed in range(10)]
    assert sum(count([raster(5), raster(5), raster(5), *trembling, raster(9), raster(12)])) == 0


@pytest.mark.parametrize("shape", [(1, 1), (0, 0), (3, 3)])
def test_tiny_rasters_do_not_crash(shape):
    assert count([np.zeros(shape, np.uint8)] * 4) == [0, 0, 0, 0]


def test_another_size_starts_anew():
    assert count([raster(1), raster(1)[:20], raster(1)[:20], raster(1)]) == [0, 0, 0, 0]
