"""The colours of ids, measured in CIELAB, also as colour-blind people see them."""

import itertools

import numpy as np
import pytest

from vsdmot.report.colours import goodness_colour, id_colour

# Machado, Oliveira and Fernandes (2009), full strength, on linear RGB.
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]


def lab(colour, sight="all cones"):
    """Give CIELAB (D65) of an sRGB colour."""
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(SIGHT[sight]) @ linear, 0, 1)
    x, y, z = ((v**3 > 0.008856) * v + (v**3 <= 0.008856) * (7.787 * v**3 + 16 / 116) for v in relative_cbrt(seen))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def relative_cbrt(linear):
    return np.cbrt(np.asarray(TO_XYZ) @ linear / [0.95047, 1.0, 1.08883])


def distance(first, second, sight="all cones"):
    return float(np.linalg.norm(lab(first, sight) - lab(second, sight)))


def test_lab_of_white_black_and_red_is_as_published():
    np.testing.assert_allclose(lab((255, 255, 255)), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab((0, 0, 0)), [0, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab((255, 0, 0)), [53.24, 80.09, 67.20], atol=0.02)


@pytest.mark.parametrize(("sight", "least"), [("all cones", 27), ("no red cones", 13), ("no green cones", 13)])
def test_any_two_of_ids_1_to_20_differ_visibly(sight, least):
    pairs = itertools.combinations(range(1, 21), 2)
    assert min(distance(id_colour(a), id_colour(b), sight) for a, b in pairs) >= least


@pytest.mark.parametrize(("sight", "least"), [("all cones", 58), ("no red cones", 19), ("no green cones", 22)])
def test_ids_that_follow_each_other_differ_most(sight, least):
    assert min(distance(id_colour(a), id_colour(a + 1), sight) for a in range(1, 41)) >= least


def test_every_colour_is_saturated_and_light_enough_for_dark_and_grey_pictures():
    for track_id in range(1, 21):
        lightness, a, b = lab(id_colour(track_id))
        assert 52 <= lightness <= 93
        assert np.hypot(a, b) >= 35


@pytest.mark.parametrize("track_id", [1, 7, 20, 21, 10**12])
def test_a_colour_depends_on_the_id_alone(track_id):
    assert id_colour(track_id) == id_colour(track_id) == id_colour(track_id + 20)


def test_bad_and_good_differ_also_for_colour_blind_eyes():
    for sight in SIGHT:
        assert distance(goodness_colour(0.0), goodness_colour(1.0), sight) > 35
    assert goodness_colour(1.0) == (72, 208, 190)
