"""How light differs over the ground."""

import numpy as np
import pytest

from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.light_field import LightField, light_on

LIGHT = Light(direction=np.array([0.6, 0.0, 0.8]), key=np.full(3, 0.9), sky=np.full(3, 0.5), ground=np.full(3, 0.2))


def half_shaded(**changes):
    """A square whose left half lies in the shade."""
    x, y = np.meshgrid(np.arange(-4, 4.01, 0.1), np.arange(0, 8.01, 0.1))
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    key = np.where(places[:, 0] < 0, 0.2, 1.0)
    settings = {"places": places, "key": key, "around": np.full(len(places), 0.9), **changes}
    return LightField.over((-4.0, 0.0, 4.0, 8.0), **settings)


def test_the_field_says_where_the_shade_is():
    field = half_shaded()
    assert field.at(-2.0, 4.0) == pytest.approx((0.2, 0.9))
    assert field.at(2.0, 4.0) == pytest.approx((1.0, 0.9))
    assert 0.2 < field.at(-0.2, 4.0)[0] < 1.0


def test_who_walks_out_of_the_shade_becomes_bright_without_a_jump():
    field = half_shaded()
    keys = [field.at(x, 3.3)[0] for x in np.linspace(-3, 3, 601)]
    assert np.abs(np.diff(keys)).max() < 0.03
    assert np.diff(keys).min() >= -1e-9


def test_the_nearest_sample_tells_where_there_is_none_and_beyond_the_edge():
    field = half_shaded()
    few = half_shaded(places=np.array([[-3.0, 1.0], [3.0, 7.0]]), key=np.array([0.3, 1.0]), around=np.ones(2))
    assert few.at(-3.9, 0.1)[0] == pytest.approx(0.3)
    assert few.at(3.9, 7.9)[0] == pytest.approx(1.0)
    assert field.at(-50.0, 4.0) == field.at(-4.0, 4.0)
    nothing = half_shaded(places=np.empty((0, 2)), key=np.empty(0), around=np.empty(0))
    assert nothing.at(1.0, 1.0) == (1.0, 1.0)


def test_people_neither_drown_nor_bleach():
    x = np.array([[-3.0, 1.0], [3.0, 7.0]])
    field = half_shaded(places=x, key=np.array([0.0, 9.0]), around=np.array([0.0, 9.0]))
    assert field.at(-3.0, 1.0) == pytest.approx((0.15, 0.6))
    assert field.at(3.0, 7.0) == pytest.approx((1.15, 1.25))


def test_the_chest_is_lit_by_the_ray_that_meets_the_ground_farther_on():
    field = half_shaded()
    # The sun stands to the right: a metre up, its ray ends 0.75 m farther left.
    assert light_on(LIGHT, field, 0.5, 4.0).key[0] < 0.9 * 0.9
    assert light_on(LIGHT, field, 0.5, 4.0, height=0.0).key[0] == pytest.approx(0.9)
    lit = light_on(LIGHT, field, 3.0, 4.0)
    np.testing.assert_allclose(lit.sky, 0.9 * LIGHT.sky)
    np.testing.assert_allclose(lit.ground, 0.9 * LIGHT.ground)
    assert light_on(LIGHT, None, 0.5, 4.0) is LIGHT
