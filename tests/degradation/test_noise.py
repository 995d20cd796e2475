import numpy as np
import pytest
from scipy import stats

from vsdmot.degradation.noise import add_gaussian_noise, add_poisson_noise


def flat(level, *others, side=240):
    """One level everywhere but in the first row, which holds the others, so that their number is known."""
    image = np.full((side, side, 3), level, np.uint8)
    for column, other in enumerate(others):
        image[0, column] = other
    return image.astype(np.float32) / np.float32(255)


def test_gaussian_noise_follows_the_normal_law():
    noise = add_gaussian_noise(flat(128), 10.0, False, np.random.default_rng(0)) - flat(128)
    assert stats.kstest(noise.ravel()[:20000] * 255 / 10.0, "norm").pvalue > 0.01
    assert noise.std() * 255 == pytest.approx(10.0, rel=0.008)  # four standard errors
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("level", [3, 40, 128])
@pytest.mark.parametrize("distinct", [1, 2, 3, 9])
def test_poisson_noise_counts_photons_of_the_rounded_number_of_levels(level, distinct):
    image = flat(level, *range(200, 200 + distinct - 1))
    photons = {1: 1, 2: 2, 3: 4, 9: 16}[distinct]
    scale = 0.25  # small, so that nothing is clipped below
    noisy = add_poisson_noise(image, scale, False, np.random.default_rng(level))
    noise = (noisy - image)[1:].astype(np.float64)
    kept = noise[noisy[1:] < 1]  # a bright draw is clipped to white
    counts = (kept / scale + level / 255) * photons
    drawn = np.rint(counts).astype(int)
    assert np.abs(counts - drawn).max() < 1e-3
    top = int(np.ceil(((1 - level / 255) / scale + level / 255) * photons)) - 1  # the largest count that is not clipped
    expected = stats.poisson.pmf(np.arange(top + 1), level / 255 * photons)
    observed = np.bincount(drawn[drawn <= top], minlength=top + 1) / noise.size
    assert np.abs(observed - expected).max() < 0.006


def test_poisson_noise_of_many_levels_has_the_variance_of_its_law():
    image = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 3000, 3)).astype(np.float32) / np.float32(255)
    noise = add_poisson_noise(image, 1.0, False, np.random.default_rng(0)) - image
    for level in (1, 10, 60, 128):
        sample = noise[level].astype(np.float64)
        std = np.sqrt(level / 255 / 256)
        assert abs(sample.mean()) < 4 * std / np.sqrt(sample.size)
        assert sample.std() == pytest.approx(std, rel=0.04)


@pytest.mark.parametrize("add", [add_gaussian_noise, add_poisson_noise])
def test_gray_noise_keeps_a_gray_image_gray_and_coloured_noise_does_not(add):
    image = np.repeat(np.random.default_rng(0).integers(60, 190, (30, 40, 1), dtype=np.uint8), 3, axis=2)
    gray = add(image, 2.0, True, np.random.default_rng(1))
    assert np.array_equal(gray[..., 0], gray[..., 1])
    assert np.array_equal(gray[..., 0], gray[..., 2])
    assert not np.array_equal(gray, image)
    coloured = add(image, 2.0, False, np.random.default_rng(1))
    assert not np.array_equal(coloured[..., 0], coloured[..., 1])


@pytest.mark.parametrize("add", [add_gaussian_noise, add_poisson_noise])
@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (5, 2, 3)])
def test_noise_is_seeded_clipped_and_of_the_type_it_was_given(add, gray, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    first, again, other = (add(image, 30.0, gray, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert first.shape == shape
    np.testing.assert_array_equal(first, again)
    assert first.size < 10 or not np.array_equal(first, other)
    values = add((image / 255).astype(np.float32), 30.0, gray, np.random.default_rng(1))
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() <= 1


@pytest.mark.parametrize("add", [add_gaussian_noise, add_poisson_noise])
def test_no_noise_leaves_the_image_and_the_input_alone(add):
    image = np.random.default_rng(0).random((6, 6, 3), np.float32)
    before = image.copy()
    np.testing.assert_array_equal(add(image, 0.0, False, np.random.default_rng(0)), before)
    add(image, 1.0, True, np.random.default_rng(0))
    np.testing.assert_array_equal(image, before)


def test_black_gets_no_shot_noise():
    black = np.zeros((8, 8, 3), np.uint8)
    np.testing.assert_array_equal(add_poisson_noise(black, 3.0, False, np.random.default_rng(0)), black)


@pytest.mark.parametrize("add", [add_gaussian_noise, add_poisson_noise])
def test_negative_noise_is_refused(add):
    with pytest.raises(ValueError, match="must be at least 0, got -1"):
        add(np.zeros((2, 2, 3), np.uint8), -1.0, False, np.random.default_rng(0))
