"""Meshes of solids: closed, turned outward, and where the surface is."""

from collections import Counter

import numpy as np
import pytest

from vsdmot.synthesis.people.meshing import mesh_solids
from vsdmot.synthesis.people.solids import Material, Solids, body_distances


def sphere(radius=0.3):
    solids = Solids()
    solids.ellipsoid(0, Material.SKIN, (0.1, -0.2, 0.5), (radius, radius, radius))
    return solids.array()


def dumbbell():
    solids = Solids()
    solids.capsule(0, Material.TOP, (0, 0, 0), (0.5, 0.1, 0.2), (0.05, 0.05), blend=0.05)
    solids.ellipsoid(1, Material.SKIN, (0, 0, 0), (0.15, 0.1, 0.12), blend=0.05)
    solids.block(2, Material.ITEM, (0.5, 0.1, 0.2), (0.1, 0.1, 0.1))
    return solids.array()


@pytest.mark.parametrize("solids", [sphere(), dumbbell()], ids=["sphere", "dumbbell"])
@pytest.mark.parametrize("cell", [0.03, 0.017])
def test_every_edge_belongs_to_two_triangles_that_run_along_it_in_opposite_directions(solids, cell):
    triangles = mesh_solids(solids, cell).triangles
    edges = Counter()
    for triangle in triangles.tolist():
        for k in range(3):
            edges[triangle[k], triangle[(k + 1) % 3]] += 1
    assert max(edges.values()) == 1
    assert all((b, a) in edges for a, b in edges)


@pytest.mark.parametrize("cell", [0.04, 0.02])
def test_vertices_lie_on_the_sphere_and_normals_point_outward(cell):
    mesh = mesh_solids(sphere(), cell)
    offset = mesh.vertices - (0.1, -0.2, 0.5)
    np.testing.assert_allclose(np.linalg.norm(offset, axis=1), 0.3, atol=cell**2)
    np.testing.assert_allclose(mesh.normals, offset / np.linalg.norm(offset, axis=1, keepdims=True), atol=1e-3)


def test_the_enclosed_volume_is_that_of_the_sphere():
    mesh = mesh_solids(sphere(), 0.015)
    corners = mesh.vertices[mesh.triangles]
    volume = np.einsum("ti,ti->t", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=0.01)  # positive: triangles are turned outward


def test_sampling_only_near_each_solid_does_not_move_the_surface():
    solids = dumbbell()
    assert np.abs(body_distances(solids, mesh_solids(solids, 0.02).vertices)).max() < 0.004


def test_a_hollow_sees_less_of_its_surroundings_than_a_bump():
    solids = Solids()
    for x in (-0.2, 0.2):
        solids.ellipsoid(0, Material.SKIN, (x, 0, 0), (0.21, 0.21, 0.21), blend=0.02)
    mesh = mesh_solids(solids.array(), 0.02)
    between = np.abs(mesh.vertices[:, 0]) < 0.02
    outermost = np.abs(mesh.vertices[:, 0]) > 0.4
    assert mesh.openness[between].max() < mesh.openness[outermost].min()
    assert mesh.openness.min() >= 0.15
    assert mesh.openness.max() <= 1
