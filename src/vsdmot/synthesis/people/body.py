"""A person ready to be posed and drawn: a mesh, what moves each of its vertices, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from vsdmot.synthesis.noise import noise
from vsdmot.synthesis.people.appearance import Appearance
from vsdmot.synthesis.people.figure import SKIRT, Figure
from vsdmot.synthesis.people.materials import look_of, single_materials
from vsdmot.synthesis.people.meshing import Mesh, mesh_solids
from vsdmot.synthesis.people.solids import NUM_MATERIALS, Material, nearest_by
from vsdmot.synthesis.skeleton import PARENTS, Bone, Skeleton

NUM_BONES = len(Bone)
_SOFTNESS = 0.022  # metres over which the weight of one bone gives way to that of the next
_SMOOTHINGS = 6
_FORBIDDEN = 9.0  # a distance that no vertex has


@dataclass(frozen=True, eq=False)
class Body:
    """One person.

    Attributes:
        appearance: What it was made from.
        skeleton: Its bones.
        vertices: ``(V, 3)`` float32, rest pose, metres.
        normals: ``(V, 3)`` float32, rest pose, with the folds of the cloth.
        triangles: ``(T, 3)`` int32.
        bones: ``(V, 4)`` int32, the bones that move each vertex.
        weights: ``(V, 4)`` float32, their shares.
        attributes: ``(V, NUM_ATTRIBUTES)`` float32, see `vsdmot.synthesis.people.materials`.
        look: ``(NUM_LOOKS,)`` float32.
        single_material: ``(T,)`` int8, see `vsdmot.synthesis.people.materials.single_materials`.
    """

    appearance: Appearance
    skeleton: Skeleton
    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int32]
    bones: NDArray[np.int32]
    weights: NDArray[np.float32]
    attributes: NDArray[np.float32]
    look: NDArray[np.float32]
    single_material: NDArray[np.int8]


def make_body(appearance: Appearance, cell: float = 0.016) -> Body:
    """Make a person's body.

    Args:
        appearance: Its looks.
        cell: Side of the mesh's cells in metres; about a pixel of the nearest view is enough.
    """
    skeleton = Skeleton(appearance.proportions)
    solids = Figure(appearance, skeleton).solids()
    mesh = mesh_solids(solids, cell)
    by_bone = nearest_by(solids, 1, NUM_BONES + 1, mesh.vertices)
    by_material = nearest_by(solids, 2, NUM_MATERIALS, mesh.vertices)
    bones, weights = _bind(mesh, by_bone, skeleton)
    place = _on_reference(mesh.vertices, by_bone, skeleton)
    hairy = noise(place * 45 + appearance.seed % 89) - 0.5
    by_material[:, Material.HAIR] += 0.012 * skeleton.scale * hairy
    material = by_material.argmin(axis=1)
    texture = _texture(place, material, appearance.seed)
    attributes = np.column_stack([place, mesh.openness, texture, np.minimum(by_material, 0.5)])
    return Body(
        appearance=appearance,
        skeleton=skeleton,
        vertices=mesh.vertices.astype(np.float32),
        normals=_folded(mesh.normals, place, material, appearance.seed).astype(np.float32),
        triangles=mesh.triangles,
        bones=bones,
        weights=weights,
        attributes=np.ascontiguousarray(attributes, np.float32),
        look=look_of(appearance),
        single_material=single_materials(by_material, mesh.triangles),
    )


def _bind(
    mesh: Mesh, by_bone: NDArray[np.float64], skeleton: Skeleton
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Share out every vertex among the bone nearest to it and that bone's neighbours, smoothly over the surface."""
    hanging = by_bone[:, SKIRT] <= by_bone[:, :NUM_BONES].min(axis=1)
    distances = by_bone[:, :NUM_BONES].copy()
    neighbours = np.eye(NUM_BONES, dtype=bool)
    for bone, parent in enumerate(PARENTS):
        if parent >= 0:
            neighbours[bone, parent] = neighbours[parent, bone] = True
    # A hand that happens to be near a thigh must not follow it.
    distances[~neighbours[distances.argmin(axis=1)]] = _FORBIDDEN
    shares = np.exp(-(distances - distances.min(axis=1, keepdims=True)) / _SOFTNESS)
    shares /= shares.sum(axis=1, keepdims=True)
    average = _averaging(mesh.triangles, len(mesh.vertices))
    for _ in range(_SMOOTHINGS):
        shares = average @ shares
    if hanging.any():
        shares[hanging] = _hanging_shares(mesh.vertices[hanging], skeleton)
        for _ in range(2):
            shares = average @ shares
    bones = np.argsort(-shares, axis=1, kind="stable")[:, :4]
    weights = np.take_along_axis(shares, bones, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    return bones.astype(np.int32), weights.astype(np.float32)


def _averaging(triangles: NDArray[np.int32], num_vertices: int) -> scipy.sparse.csr_array:
    """Make the matrix that replaces a value on each vertex by the mean of its own and its neighbours'."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    linked = scipy.sparse.coo_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(num_vertices,) * 2
    ).tocsr()
    linked = linked + linked.T + scipy.sparse.eye_array(num_vertices)
    return scipy.sparse.diags_array(1 / linked.sum(axis=1)) @ linked


def _hanging_shares(vertices: NDArray[np.float64], skeleton: Skeleton) -> NDArray[np.float64]:
    """Let cloth that hangs from the hips follow the thighs, the more the lower it is."""
    hips = skeleton.joints[Bone.RIGHT_THIGH, 2]
    low = np.clip((1.06 * hips - vertices[:, 2]) / (0.33 * skeleton.scale), 0, 1) * 0.85
    right = np.clip(vertices[:, 0] / (0.12 * skeleton.scale), -1, 1) * 0.5 + 0.5
    shares = np.zeros((len(vertices), NUM_BONES))
    shares[:, Bone.PELVIS] = 1 - low
    shares[:, Bone.RIGHT_THIGH] = low * right
    shares[:, Bone.LEFT_THIGH] = low * (1 - right)
    return shares


def _on_reference(
    vertices: NDArray[np.float64], by_bone: NDArray[np.float64], skeleton: Skeleton
) -> NDArray[np.float64]:
    """Give where vertices would be on the reference body, so that faces and patterns fit every person."""
    reference = Skeleton()
    place = vertices / skeleton.scale
    head_size = skeleton.proportions.head_size
    head = (vertices - skeleton.joints[Bone.HEAD]) / (skeleton.scale * head_size) + reference.joints[Bone.HEAD]
    on_head = by_bone[:, Bone.HEAD] <= by_bone[:, :NUM_BONES].min(axis=1)
    place[on_head] = head[on_head]
    hips, neck = skeleton.joints[Bone.RIGHT_THIGH, 2], skeleton.joints[Bone.NECK, 2]
    rest = reference.joints[Bone.RIGHT_THIGH, 2], reference.joints[Bone.NECK, 2]
    trunk = ~on_head & (vertices[:, 2] > hips)
    place[trunk, 2] = rest[0] + (vertices[trunk, 2] - hips) * (rest[1] - rest[0]) / (neck - hips)
    return place


def _texture(place: NDArray[np.float64], material: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Give factors on the colour: strands of hair, unevenness of cloth and skin."""
    strands = 0.72 + 0.56 * noise(place * (70.0, 28.0, 18.0) + seed % 83)
    uneven = 0.94 + 0.12 * noise(place * 38 + seed % 71)
    return np.where(material == Material.HAIR, strands, uneven)


def _folded(
    normals: NDArray[np.float64], place: NDArray[np.float64], material: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Tilt the normals of cloth as folds do, more where it bunches: at knees, waist, ankles and elbows."""
    z = place[:, 2]
    along_arm = np.abs(place[:, 0]) - 0.175
    bunched = 0.55 + 0.9 * np.exp(-(((z - 0.50) / 0.12) ** 2)) + 0.8 * np.exp(-(((z - 1.02) / 0.10) ** 2))
    bunched += 0.6 * np.exp(-(((z - 0.14) / 0.08) ** 2)) + 0.6 * np.exp(-(((along_arm - 0.205) / 0.06) ** 2))
    strength = np.where(np.isin(material, (Material.TOP, Material.BOTTOM)), 0.32 * bunched, 0.0)
    step = 0.3

    def height(offset: NDArray[np.float64]) -> NDArray[np.float64]:
        sheared = np.column_stack([13 * place[:, 0], 13 * place[:, 1], 19 * z + 8 * place[:, 0]]) + offset + seed % 61
        return noise(sheared) + 0.5 * noise(2.1 * sheared)

    base = height(np.zeros(3))
    slope = np.column_stack([height(step * axis) - base for axis in np.eye(3)])
    tilted = normals - strength[:, None] * slope * (1, 1, 1.3)
    unit: NDArray[np.float64] = tilted / np.linalg.norm(tilted, axis=1, keepdims=True)
    return unit
