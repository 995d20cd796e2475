import cv2
import numpy as np
import pytest

from vsdmot.degradation.codec import compress_jpeg


def psnr(first, second):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


@pytest.mark.parametrize("quality", [30, 60, 95])
def test_jpeg_is_near_the_published_differentiable_one(quality, shared_golden):
    folder = shared_golden / "degrade" / "png"
    image, published = (
        cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB)
        for name in ("op_input.png", f"op_diffjpeg_q{quality}.png")
    )
    assert psnr(compress_jpeg(image, quality), published) >= 35


def test_lower_quality_loses_more():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 1.5)
    errors = [-psnr(compress_jpeg(image, quality), image) for quality in (95, 80, 60, 45, 30)]
    assert errors == sorted(errors)


def test_quality_is_rounded_to_the_nearest_whole_number():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(compress_jpeg(image, 59.6), compress_jpeg(image, 60))
    assert not np.array_equal(compress_jpeg(image, 59.4), compress_jpeg(image, 60))


def test_colours_keep_their_place_and_share_a_chroma_sample_between_four_pixels():
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(compress_jpeg(red, 95).astype(int) - red).max() <= 3
    stripes = red.copy()
    stripes[:, ::2] = (0, 0, 200)  # chroma changes with every pixel: gone at half resolution
    assert np.abs(compress_jpeg(stripes, 100).astype(int) - stripes).max() > 60


@pytest.mark.parametrize("shape", [(1, 1, 3), (17, 1, 3), (3, 50, 3)])
def test_float_images_of_any_size_come_back_on_256_levels(shape):
    image = np.random.default_rng(0).random(shape, np.float32) * 1.4 - 0.2  # overshoots are clipped
    result = compress_jpeg(image, 50)
    assert result.dtype == np.float32
    assert result.shape == shape
    np.testing.assert_allclose(result * 255, np.rint(result * 255), atol=1e-4)
    assert 0 <= result.min() <= result.max() <= 1


@pytest.mark.parametrize("quality", [0.4, 101, float("nan")])
def test_impossible_qualities_are_refused(quality):
    with pytest.raises(ValueError, match="quality must lie in 1 to 100"):
        compress_jpeg(np.zeros((4, 4, 3), np.uint8), quality)


def test_an_image_that_jpeg_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="at most 65500 pixels a side, got 65501 x 1"):
        compress_jpeg(np.zeros((1, 65501, 3), np.uint8), 50)
