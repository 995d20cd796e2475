import math

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vsdmot.degradation.resize import MODES, resize

SIZES = [
    ((1, 1), (3, 2)),
    ((8, 8), (1, 1)),
    ((7, 5), (3, 9)),
    ((5, 7), (4, 7)),
    ((17, 40), (16, 13)),
    ((9, 9), (13, 25)),
]


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_resizing_is_torchs_interpolation(mode, old, new):
    image = np.random.default_rng(0).random((*old, 3), np.float32)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    options = {} if mode == "area" else {"align_corners": False}
    expected = F.interpolate(batch, size=new, mode=mode, **options)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(resize(image, *new, mode), expected, atol=1e-5)


@pytest.mark.parametrize(("old", "new"), SIZES)
def test_area_averages_every_pixel_that_an_output_touches(old, new):
    image = np.random.default_rng(1).random((*old, 3), np.float32)
    result = resize(image, *new, "area")
    for i in range(new[0]):
        for j in range(new[1]):
            rows = slice(math.floor(i * old[0] / new[0]), math.ceil((i + 1) * old[0] / new[0]))
            columns = slice(math.floor(j * old[1] / new[1]), math.ceil((j + 1) * old[1] / new[1]))
            np.testing.assert_allclose(result[i, j], image[rows, columns].mean(axis=(0, 1)), atol=1e-6)


@pytest.mark.parametrize("scale", [0.37, 1.3])
@pytest.mark.parametrize("mode", MODES)
def test_resizing_is_the_published_one(mode, scale, shared_golden):
    folder = shared_golden / "degrade" / "png"
    image, published = (
        cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB)
        for name in ("op_input.png", f"op_resize_{mode}_{scale}.png")
    )
    result = resize(image, int(image.shape[0] * scale), int(image.shape[1] * scale), mode)
    assert np.abs(result.astype(int) - published).max() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_the_same_size_gives_a_copy(mode):
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    same = resize(image, 4, 6, mode)
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, "area"), "at least 1 x 1, got 0 x 5"),
        ((5, -1, "area"), "at least 1 x 1"),
        ((5, 5, "cubic"), "mode must be"),
    ],
)
def test_impossible_sizes_and_modes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        resize(np.zeros((4, 4, 3), np.uint8), *arguments)
