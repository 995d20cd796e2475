"""Skeletons and the matrices of their poses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from vsdmot.synthesis.skeleton import PARENTS, Bone, Pose, Proportions, Skeleton, pose_matrices

REFERENCE = {
    Bone.PELVIS: (0, 0, 0.95),
    Bone.SPINE: (0, 0, 1.04),
    Bone.CHEST: (0, 0, 1.18),
    Bone.NECK: (0, -0.01, 1.47),
    Bone.HEAD: (0, 0.005, 1.55),
    Bone.RIGHT_UPPER_ARM: (0.175, -0.012, 1.412),
    Bone.RIGHT_FOREARM: (0.175 + 0.29 * 0.5**0.5, -0.012, 1.412 - 0.29 * 0.5**0.5),
    Bone.RIGHT_HAND: (0.175 + 0.545 * 0.5**0.5, -0.012, 1.412 - 0.545 * 0.5**0.5),
    Bone.RIGHT_THIGH: (0.088, 0, 0.92),
    Bone.RIGHT_CALF: (0.098, 0.012, 0.495),
    Bone.RIGHT_FOOT: (0.105, -0.02, 0.085),
}


def random_pose(seed: int, **changes: object) -> Pose:
    rng = np.random.default_rng(seed)
    fields = {
        "rotations": Rotation.from_rotvec(rng.normal(0, 0.4, (17, 3))).as_matrix(),
        "root_position": rng.normal(0, 3, 2),
        "root_rotation": Rotation.from_rotvec(rng.normal(0, 0.5, 3)).as_matrix(),
    }
    return Pose(**{**fields, **changes})  # type: ignore[arg-type]


def rest() -> Pose:
    return Pose(rotations=np.tile(np.eye(3), (17, 1, 1)), root_position=np.zeros(2), root_rotation=np.eye(3))


def moved(matrix: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix[:, :3] @ point + matrix[:, 3]


def test_reference_body_is_1755_mm_tall_with_mirrored_sides():
    skeleton = Skeleton()
    for bone, place in REFERENCE.items():
        np.testing.assert_allclose(skeleton.joints[bone], place, atol=1e-12)
        if bone.name.startswith("RIGHT"):
            other = Bone[bone.name.replace("RIGHT", "LEFT")]
            np.testing.assert_allclose(skeleton.joints[other], np.array(place) * (-1, 1, 1), atol=1e-12)
    assert skeleton.crown[2] == pytest.approx(1.755)
    assert skeleton.scale == pytest.approx(1)
    np.testing.assert_allclose(skeleton.toes[0], (0.125, 0.165, 0.02), atol=1e-12)
    np.testing.assert_allclose(skeleton.heels[1], (-0.10, -0.075, 0.02), atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_drawn_people_have_the_stature_they_were_given_and_soles_on_the_ground(seed: int):
    rng = np.random.default_rng(seed)
    for proportions in (Proportions.adult(rng, female=True), Proportions.adult(rng, female=False)):
        skeleton = Skeleton(proportions)
        assert skeleton.crown[2] == pytest.approx(proportions.stature)
        assert 1.48 <= proportions.stature <= 1.98
        assert (skeleton.soles[..., 2] == 0).all()
    child = Proportions.child(rng)
    small, grown = Skeleton(child), Skeleton(Proportions(stature=child.stature))
    assert 1.0 <= child.stature <= 1.4
    assert small.joints[Bone.HEAD, 2] < grown.joints[Bone.HEAD, 2], "a child's head is the larger part of it"
    assert small.joints[Bone.RIGHT_THIGH, 2] < grown.joints[Bone.RIGHT_THIGH, 2], "and its legs the smaller"


def test_each_factor_changes_its_own_measure():
    body, tall = Skeleton(), Skeleton(Proportions(stature=2 * 1.755))
    np.testing.assert_allclose(tall.joints, 2 * body.joints, atol=1e-12)

    def ratio(measure: str, **factors: float) -> float:
        changed = Skeleton(Proportions(**factors))  # type: ignore[arg-type]
        return float(getattr(changed, measure) / changed.scale / getattr(body, measure))

    assert ratio("thigh_length", leg_length=1.1) == pytest.approx(1.1)
    assert ratio("calf_length", leg_length=1.1) == pytest.approx(1.1)
    assert ratio("upper_arm_length", arm_length=0.9) == pytest.approx(0.9)
    assert ratio("forearm_length", arm_length=0.9) == pytest.approx(0.9)
    wide = Skeleton(Proportions(shoulder_width=1.2, hip_width=0.9))
    assert wide.joints[Bone.RIGHT_UPPER_ARM, 0] == pytest.approx(0.175 * 1.2)
    assert wide.joints[Bone.LEFT_THIGH, 0] == pytest.approx(-0.088 * 0.9)


def test_rest_pose_moves_nothing():
    matrices = pose_matrices(Skeleton(), rest())
    np.testing.assert_allclose(matrices, np.tile(np.eye(3, 4), (17, 1, 1)), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_matrices_are_the_product_of_rotations_along_the_chain(seed: int):
    skeleton, pose = Skeleton(Proportions(stature=1.6, leg_length=1.05)), random_pose(seed, height=0.8, lift=0.1)
    matrices = pose_matrices(skeleton, pose)
    for bone in Bone:
        chain, b = [], int(bone)
        while b >= 0:
            chain.append(b)
            b = PARENTS[b]
        point = skeleton.joints[bone] + (0.03, -0.02, 0.05)
        for b in chain:
            joint = skeleton.joints[b]
            point = pose.rotations[b] @ (point - joint) + joint
        expected = pose.root_rotation @ (point - skeleton.joints[0]) + (*pose.root_position, 0.9)
        np.testing.assert_allclose(moved(matrices[bone], skeleton.joints[bone] + (0.03, -0.02, 0.05)), expected)


def test_lowest_sole_point_stands_on_the_ground():
    skeleton = Skeleton()
    for seed in range(5):
        for lift in (0.0, 0.3):
            matrices = pose_matrices(skeleton, random_pose(seed, lift=lift))
            heights = [moved(matrices[13 + 3 * s], p)[2] for s in (0, 1) for p in skeleton.soles[s]]
            assert min(heights) == pytest.approx(lift)
