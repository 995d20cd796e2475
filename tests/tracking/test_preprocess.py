"""Input sizes and values; the published numbers are in test_golden_motrv2."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot.errors import ConfigError
from vsdmot.tracking.preprocess import MEAN, SPREAD, PreprocessConfig, input_size, preprocess


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (1080, 1920, (800, 1422)),
        (480, 640, (800, 1066)),
        (1920, 1080, (1422, 800)),
        (90, 240, (576, 1536)),
        (1, 9000, (1, 1536)),
    ],
)
def test_sizes_follow_the_short_side_unless_the_long_one_would_get_too_long(height, width, expected):
    assert input_size(height, width, PreprocessConfig()) == expected


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (1080, 1920, (352, 640)),  # 360 is nearer to 352 than to 384
        (480, 640, (384, 512)),
        (1920, 1080, (640, 352)),
        (10, 4000, (32, 640)),  # never nothing
        (384, 640, (384, 640)),
    ],
)
def test_sides_are_rounded_to_the_nearest_multiple(height, width, expected):
    config = PreprocessConfig(short_side=384, long_side=640, multiple=32)
    assert input_size(height, width, config) == expected
    pixels = preprocess(np.zeros((height, width, 3), np.uint8), config, torch.device("cpu"))
    assert tuple(pixels.shape[2:]) == expected


def test_a_constant_image_keeps_its_colour_in_every_pixel():
    image = np.full((40, 60, 3), (10, 128, 250), np.uint8)
    result = preprocess(image, PreprocessConfig(short_side=64, long_side=96), torch.device("cpu"))
    assert result.shape == (1, 3, 64, 96)
    for channel, value in enumerate((10, 128, 250)):
        expected = (value / 255 - MEAN[channel]) / SPREAD[channel]
        assert result[0, channel].numpy() == pytest.approx(expected, abs=1e-5)


def test_short_side_longer_than_long_side_is_refused():
    with pytest.raises(ConfigError, match="short_side: must not exceed long_side"):
        PreprocessConfig(short_side=900, long_side=800)
