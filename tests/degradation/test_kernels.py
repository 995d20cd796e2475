import json
import math

import numpy as np
import pytest
from scipy.integrate import quad

from vsdmot.degradation.kernels import gaussian_kernel, motion_kernel, sinc_kernel

GOLDEN = {
    "iso_s2_k21": gaussian_kernel(21, 2.0),
    "aniso_k13": gaussian_kernel(13, 0.8, 2.5, 0.7),
    "gen_iso_b05_k15": gaussian_kernel(15, 1.5, shape="generalised", beta=0.5),
    "gen_aniso_b3_k21": gaussian_kernel(21, 1.0, 2.8, -1.1, "generalised", 3.0),
    "plateau_iso_b15_k17": gaussian_kernel(17, 1.7, shape="plateau", beta=1.5),
    "plateau_aniso_b1_k9": gaussian_kernel(9, 0.6, 2.0, 2.0, "plateau", 1.0),
    "sinc_pi3_k21": sinc_kernel(21, math.pi / 3),
    "sinc_2_k7_pad21": np.pad(sinc_kernel(7, 2.0), 7),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_kernels_are_the_published_ones(name, shared_golden):
    published = np.array(json.loads((shared_golden / "degrade" / "kernels.json").read_text())[name])
    np.testing.assert_allclose(GOLDEN[name], published, rtol=0, atol=1e-12)


def slow_gaussian(size, sigma_x, sigma_y, angle, shape, beta):
    """Pixel by pixel, from the covariance matrix and its inverse."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    precision = np.linalg.inv(turn @ np.diag([sigma_x**2, sigma_y**2]) @ turn.T)
    kernel = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            offset = np.array([column - size // 2, row - size // 2])
            q = float(offset @ precision @ offset)
            kernel[row, column] = {
                "gaussian": math.exp(-q / 2),
                "generalised": math.exp(-(q**beta) / 2),
                "plateau": 1 / (q**beta + 1),
            }[shape]
    return kernel / kernel.sum()


@pytest.mark.parametrize("shape", ["gaussian", "generalised", "plateau"])
@pytest.mark.parametrize("numbers", [(0.2, 0.2, 0.0, 0.5), (3.0, 0.2, 1.0, 4.0), (1.2, 2.0, -3.1, 1.3)])
def test_gaussians_are_their_formula_pixel_by_pixel(shape, numbers):
    sigma_x, sigma_y, angle, beta = numbers
    slow = slow_gaussian(7, sigma_x, sigma_y, angle, shape, beta)
    np.testing.assert_allclose(gaussian_kernel(7, sigma_x, sigma_y, angle, shape, beta), slow, rtol=1e-9, atol=1e-15)


def test_sinc_is_an_ideal_circular_low_pass():
    """Its value at radius r is the inverse Fourier transform of a disc, integrated here without Bessel functions."""
    cutoff, size = 1.3, 9
    slow = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            r = math.hypot(row - 4, column - 4)
            slow[row, column] = quad(lambda u, r=r: 2 * math.sqrt(cutoff**2 - u**2) * math.cos(u * r), -cutoff, cutoff)[
                0
            ]
    np.testing.assert_allclose(sinc_kernel(size, cutoff), slow / slow.sum(), atol=1e-8)


def test_a_quarter_turn_swaps_the_axes():
    np.testing.assert_allclose(gaussian_kernel(9, 0.7, 2, math.pi / 2), gaussian_kernel(9, 2, 0.7), atol=1e-15)


def slow_motion(length, angle, samples=40001):
    """Move a point along the line in tiny steps; each step gives its light to the four pixels around it."""
    reach = math.ceil(max(abs(math.cos(angle)), abs(math.sin(angle))) * length / 2 - 1e-9)
    kernel = np.zeros((2 * reach + 3, 2 * reach + 3))
    for position in (np.arange(samples) + 0.5) / samples - 0.5:
        x, y = reach + 1 + position * length * math.cos(angle), reach + 1 + position * length * math.sin(angle)
        left, top = math.floor(x), math.floor(y)
        for row in (0, 1):
            for column in (0, 1):
                share = (1 - abs(y - top - row)) * (1 - abs(x - left - column))
                kernel[top + row, left + column] += share / samples
    assert kernel[0].max() < 1e-9
    assert kernel[:, 0].max() < 1e-9
    return kernel[1:-1, 1:-1]


@pytest.mark.parametrize(("length", "angle"), [(0.7, 0.3), (2.0, 0.0), (5.5, math.pi / 2), (9.3, 2.2), (6.0, -0.6)])
def test_motion_is_a_line_in_tiny_steps(length, angle):
    np.testing.assert_allclose(motion_kernel(length, angle), slow_motion(length, angle), atol=2e-5)


@pytest.mark.parametrize("length", [0.0, 0.4, 3.0, 11.7, 40.0])
@pytest.mark.parametrize("angle", [0.0, math.pi / 4, 1.1, -2.5, math.pi])
def test_motion_keeps_brightness_and_place_and_has_its_length(length, angle):
    """The variance of an even line of length L is L^2 / 12; each bilinear share adds at most 1/4 pixel^2 an axis."""
    kernel = motion_kernel(length, angle)
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    x, y = np.meshgrid(offsets, offsets)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.min() >= 0
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-9)
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-9)
    spread = (kernel * (x**2 + y**2)).sum() - length**2 / 12
    assert -1e-9 <= spread <= 0.5
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)  # back and forth are the same


def test_motion_changes_smoothly_with_length_and_angle():
    """No jumps at whole pixels, so that a drifting motion does not flicker."""
    for step in np.linspace(2.9, 3.1, 9):
        before, after = (
            np.pad(k, 4 - len(k) // 2) for k in (motion_kernel(step, 0.4), motion_kernel(step + 0.01, 0.4))
        )
        assert np.abs(before - after).sum() < 0.02


def test_no_motion_changes_nothing():
    assert motion_kernel(0.0, 1.0).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gaussian_kernel(4, 1.0), "size must be odd and at least 1, got 4"),
        (lambda: gaussian_kernel(-1, 1.0), "size must be odd"),
        (lambda: gaussian_kernel(5, 0.0), "must be positive"),
        (lambda: gaussian_kernel(5, 1.0, -1.0), "must be positive"),
        (lambda: gaussian_kernel(5, float("nan")), "must be positive"),
        (lambda: gaussian_kernel(5, 1.0, shape="plateau", beta=0.0), "must be positive"),
        (lambda: gaussian_kernel(5, 1.0, shape="box"), "shape must be one of gaussian, generalised, plateau"),
        (lambda: motion_kernel(-1.0, 0.0), "length must be at least 0"),
        (lambda: motion_kernel(float("nan"), 0.0), "length must be at least 0"),
        (lambda: motion_kernel(math.inf, 0.0), "length must be at least 0"),
        (lambda: sinc_kernel(6, 1.0), "size must be odd"),
        (lambda: sinc_kernel(5, 0.0), "cutoff must lie"),
        (lambda: sinc_kernel(5, 3.2), "cutoff must lie"),
    ],
)
def test_impossible_kernels_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
