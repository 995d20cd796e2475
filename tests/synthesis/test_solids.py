"""Distances to solids and their smooth unions, against geometry."""

import numpy as np
import pytest

from vsdmot.synthesis.people.solids import (
    Material,
    Solids,
    body_distance,
    body_distances,
    nearest_by,
    smooth_minimum,
    solid_distance,
)


def one(add):
    solids = Solids()
    add(solids)
    return solids.array()


def test_a_capsule_s_distance_is_that_to_its_axis_less_the_radius():
    capsule = one(lambda s: s.capsule(0, Material.SKIN, (0, 0, 0), (0, 0, 2), (0.5, 0.5)))
    for point, expected in [
        ((0.5, 0, 1), 0.0),
        ((2, 0, 1), 1.5),
        ((0, 0, 3), 0.5),
        ((0, 0, 1), -0.5),
        ((3, 0, 6), 4.5),
    ]:
        assert solid_distance(capsule, 0, *map(float, point)) == pytest.approx(expected)


def test_a_tapering_capsule_has_its_two_radii_at_its_ends():
    capsule = one(lambda s: s.capsule(0, Material.SKIN, (0, 0, 0), (0, 0, 1), (0.1, 0.3)))
    assert solid_distance(capsule, 0, 0.1, 0.0, 0.0) == pytest.approx(0)
    assert solid_distance(capsule, 0, 0.2, 0.0, 0.5) == pytest.approx(0)
    assert solid_distance(capsule, 0, 0.3, 0.0, 1.0) == pytest.approx(0)


def test_an_ellipsoid_is_0_on_its_surface_and_has_the_right_sign():
    ellipsoid = one(lambda s: s.ellipsoid(0, Material.SKIN, (1, 2, 3), (0.2, 0.5, 1.0)))
    for angle in np.linspace(0, 6, 7):
        x, y = 1 + 0.2 * np.cos(angle), 2 + 0.5 * np.sin(angle)
        assert solid_distance(ellipsoid, 0, x, y, 3.0) == pytest.approx(0, abs=1e-9)
    assert solid_distance(ellipsoid, 0, 1.0, 2.0, 3.9) < 0 < solid_distance(ellipsoid, 0, 1.0, 2.0, 4.1)


def test_a_block_s_distance_outside_is_that_to_the_nearest_face_edge_or_corner():
    block = one(lambda s: s.block(0, Material.ITEM, (0, 0, 0), (1, 2, 3)))
    assert solid_distance(block, 0, 1.5, 0.0, 0.0) == pytest.approx(0.5)
    assert solid_distance(block, 0, 4.0, 6.0, 0.0) == pytest.approx(5.0)
    assert solid_distance(block, 0, 0.0, 1.5, 0.0) == pytest.approx(-0.5)


def test_the_smooth_minimum_is_the_minimum_where_the_distances_differ_by_more_than_the_blend():
    assert smooth_minimum(0.3, 0.5, 0.1) == 0.3
    assert smooth_minimum(0.5, 0.3, 0.1) == 0.3
    assert smooth_minimum(0.3, 0.3, 0.1) == pytest.approx(0.3 - 0.1 / 4)


def test_a_union_is_never_farther_than_any_of_its_parts():
    rng = np.random.default_rng(0)
    solids = Solids()
    for _ in range(6):
        solids.capsule(0, Material.TOP, rng.normal(size=3), rng.normal(size=3), (0.2, 0.3), blend=0.1)
    array, points = solids.array(), rng.normal(size=(50, 3))
    together = body_distances(array, points)
    for n, point in enumerate(points):
        parts = [solid_distance(array, i, *point) for i in range(len(array))]
        assert min(parts) - 0.1 <= together[n] <= min(parts) + 1e-12
        assert together[n] == body_distance(array, *point)


def test_nearest_by_tells_bones_and_materials_apart():
    solids = Solids()
    solids.ellipsoid(3, Material.HAIR, (0, 0, 0), (1, 1, 1))
    solids.ellipsoid(5, Material.SHOE, (4, 0, 0), (1, 1, 1))
    points = np.array([[0.0, 0, 2]])
    assert nearest_by(solids.array(), 1, 6, points)[0] == pytest.approx([9, 9, 9, 1, 9, 20**0.5 - 1], abs=1e-6)
    by_material = nearest_by(solids.array(), 2, 6, points)[0]
    assert by_material[Material.HAIR] == pytest.approx(1)
    assert by_material[Material.SKIN] == 9
