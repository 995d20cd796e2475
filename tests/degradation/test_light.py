import numpy as np
import pytest

from vsdmot.degradation.light import linear_to_srgb, lower_light, srgb_to_linear


def patch(level, size=200):
    return np.full((size, size, 3), level / 255, np.float32)


def linear(values):
    return srgb_to_linear(values.astype(np.float64))


@pytest.mark.parametrize("level", [90, 160, 230])
@pytest.mark.parametrize("exposure", [1.0, 0.3, 0.1])
def test_light_falls_linearly_and_noise_is_that_of_photons(level, exposure):
    """In linear light: the mean falls by the exposure; the variance is (counts + read noise^2) / electrons^2."""
    electrons, read_noise = 2000.0, 3.0
    result = linear(lower_light(patch(level), exposure, electrons, np.random.default_rng(0), read_noise))
    light = float(srgb_to_linear(np.array(level / 255))) * exposure
    assert result.mean() == pytest.approx(light, rel=0.01)
    expected = np.sqrt(light * electrons + read_noise**2) / electrons
    assert result.std() == pytest.approx(expected, rel=0.03)


def test_normal_counts_are_near_those_of_poisson_where_light_is_lowest():
    """The darkest patch of the hardest severity: quantiles of both laws differ by less than an electron."""
    rng = np.random.default_rng(0)
    counts = 4.0
    normal = counts + np.sqrt(counts + 9) * rng.standard_normal(200_000)
    exact = rng.poisson(counts, 200_000) + 3 * rng.standard_normal(200_000)
    levels = np.linspace(0.01, 0.99, 25)
    assert np.abs(np.quantile(normal, levels) - np.quantile(exact, levels)).max() < 0.6


def test_channels_and_pixels_are_noisy_on_their_own():
    result = lower_light(patch(120), 0.2, 1000, np.random.default_rng(0)) - patch(120)
    flat = result.reshape(-1, 3)
    assert np.abs(np.corrcoef(flat.T) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(result[:, 1:, 0].ravel(), result[:, :-1, 0].ravel())[0, 1]) < 0.02


def test_black_stays_black_but_for_read_noise_and_white_gets_dark():
    black = lower_light(np.zeros((50, 50, 3), np.uint8), 0.5, 4000, np.random.default_rng(0))
    assert black.max() <= 12
    white = lower_light(np.full((50, 50, 3), 255, np.uint8), 0.04, 1200, np.random.default_rng(0))
    assert 40 < white.mean() < 70


def test_the_tables_are_finer_than_a_grey_level():
    """No noise at full exposure: every level comes back."""
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    result = lower_light(levels, 1.0, 1e12, np.random.default_rng(0), read_noise=0.0)
    assert np.abs(result.astype(int) - levels).max() <= 1


def test_the_curves_of_srgb_undo_each_other():
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6)


@pytest.mark.parametrize("numbers", [(0.0, 100, 3), (1.1, 100, 3), (0.5, 0, 3), (0.5, 100, -1), (float("nan"), 100, 3)])
def test_impossible_light_is_refused(numbers):
    exposure, electrons, read_noise = numbers
    with pytest.raises(ValueError, match="expected exposure in"):
        lower_light(patch(10, 2), exposure, electrons, np.random.default_rng(0), read_noise)
