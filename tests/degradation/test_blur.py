import cv2
import numpy as np
import pytest

from vsdmot.degradation.blur import blur, separable_passes, sharpen, trim
from vsdmot.degradation.drawing import DegradationConfig, draw_parameters
from vsdmot.degradation.kernels import gaussian_kernel, sinc_kernel

TOLERANCE = 0.5 / 255  # half a grey level


def read(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def mirrored(index, length):
    """Reflect an index into the image without repeating the edge, as often as needed."""
    if length == 1:
        return 0
    index %= 2 * (length - 1)
    return min(index, 2 * (length - 1) - index)


def slow_blur(image, kernel):
    height, width, _ = image.shape
    half = len(kernel) // 2
    result = np.zeros(image.shape)
    for y in range(height):
        for x in range(width):
            for i, row in enumerate(kernel):
                for j, weight in enumerate(row):
                    result[y, x] += weight * image[mirrored(y + i - half, height), mirrored(x + j - half, width)]
    return result


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (6, 2), (8, 8)])
@pytest.mark.parametrize(
    "kernel",
    [
        np.ones((1, 1)),
        gaussian_kernel(7, 2.0),
        gaussian_kernel(7, 0.4, 3.0, 0.5, "plateau", 1.2),
        sinc_kernel(13, 1.1),
        np.random.default_rng(1).dirichlet(np.ones(25)).reshape(5, 5),  # neither separable nor symmetric
    ],
    ids=["identity", "gaussian", "plateau", "sinc", "random"],
)
def test_blur_is_correlation_with_mirrored_borders(size, kernel):
    image = np.random.default_rng(0).random((*size, 3), np.float32)
    assert np.abs(blur(image, kernel) - slow_blur(image, kernel)).max() <= TOLERANCE


def test_cheap_blur_stays_within_half_a_grey_level_for_any_image():
    """The sum of changes of the weights bounds a pixel's error, whatever the image."""
    rng = np.random.default_rng(0)
    impulse = np.zeros((41, 41, 3), np.float32)
    impulse[20, 20] = 1
    for _ in range(150):
        kernel = draw_parameters(rng, DegradationConfig()).first.blur.kernel()
        response = blur(impulse, kernel)[::-1, ::-1, 0]  # of a correlation: the kernel, turned about
        error = response - np.pad(kernel, 20 - len(kernel) // 2)
        assert np.abs(error).sum() <= TOLERANCE * 1.01  # float32


def test_trimming_keeps_brightness_and_never_more_than_the_tolerance():
    kernel = gaussian_kernel(21, 0.6)
    trimmed = trim(kernel, TOLERANCE)
    assert len(trimmed) == 5
    assert trimmed.sum() == pytest.approx(1)
    assert np.abs(np.pad(trimmed, 8) - kernel).sum() <= TOLERANCE
    assert len(trim(gaussian_kernel(21, 3.0), 0.0)) == 21


@pytest.mark.parametrize(("kernel", "count"), [(gaussian_kernel(21, 2), 1), (gaussian_kernel(9, 0.5, 1, 0.7), 5)])
def test_separable_passes_add_up_to_the_kernel(kernel, count):
    passes = separable_passes(kernel, TOLERANCE)
    assert len(passes) <= count
    total = sum(np.outer(column, row) for row, column in passes)
    assert np.abs(total - kernel).sum() <= TOLERANCE


def test_blur_gives_back_the_type_and_size_it_was_given():
    image = np.random.default_rng(0).integers(0, 256, (9, 5, 3), dtype=np.uint8)
    kernel = sinc_kernel(21, 1.5)
    assert blur(image, kernel).dtype == np.uint8
    flipped = (image[:, ::-1] / 255).astype(np.float32)[:, ::-1]  # a view that OpenCV itself refuses
    difference = np.abs(blur(image, kernel) / 255 - np.clip(blur(flipped, kernel), 0, 1))
    assert difference.max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("kernel", [np.ones((2, 2)) / 4, np.ones((3, 5)) / 15, np.ones(3) / 3])
def test_kernels_without_a_centre_are_refused(kernel):
    with pytest.raises(ValueError, match="square with an odd side"):
        blur(np.zeros((4, 4, 3), np.uint8), kernel)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float64),
    ],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match=r"image must be \(H, W, 3\) RGB, uint8 or float32"):
        sharpen(image)


def test_blur_and_sharpening_are_the_published_ones(shared_golden):
    folder = shared_golden / "degrade" / "png"
    image = read(folder / "op_input.png")
    for result, name in [
        (blur(image, gaussian_kernel(21, 2.0)), "op_blur_iso_s2_k21.png"),
        (sharpen(image), "op_usm.png"),
    ]:
        assert np.abs(result.astype(int) - read(folder / name)).max() <= 1


def test_sharpening_widens_a_step_and_leaves_flat_and_faint_images_alone():
    step = np.full((40, 80, 3), 100, np.uint8)
    step[:, 40:] = 150
    sharp = sharpen(step)[20, :, 0]
    assert sharp[39] < 100 < 150 < sharp[40]
    faint = np.random.default_rng(0).integers(100, 108, (30, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(sharpen(faint), faint)
    assert not np.array_equal(sharpen(faint, threshold=1.0), faint)
    np.testing.assert_array_equal(sharpen(step, amount=0.0), step)
    assert sharpen(np.full((1, 1, 3), 7, np.uint8), radius=1).tolist() == [[[7, 7, 7]]]
    with pytest.raises(ValueError, match="radius must be at least 1 pixel, got 0"):
        sharpen(step, radius=0)
