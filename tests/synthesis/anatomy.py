"""What a body can do, measured on poses: joint angles, arms against the trunk, feet on the ground."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.motion import Motion
from vsdmot.synthesis.skeleton import CALVES, FEET, FOREARMS, HANDS, THIGHS, UPPER_ARMS, Bone, Skeleton, pose_matrices

Array = NDArray[np.float64]


def at_rest(matrices: Array, bone: int, point: Array) -> Array:
    return matrices[:, bone, :, :3] @ point + matrices[:, bone, :, 3]


def matrices_of(skeleton: Skeleton, motion: Motion, times: Iterable[float]) -> Array:
    """Give ``(T, 17, 3, 4)``."""
    return np.stack([pose_matrices(skeleton, motion.at(float(time))) for time in times])


def joints_of(skeleton: Skeleton, matrices: Array) -> Array:
    """Give ``(T, 17, 3)`` joints in the world."""
    return np.stack([at_rest(matrices, bone, skeleton.joints[bone]) for bone in range(17)], axis=1)


def soles_of(skeleton: Skeleton, matrices: Array) -> Array:
    """Give ``(T, 2, 2, 3)``: of each foot the heel's and the ball's point of the sole."""
    return np.stack(
        [np.stack([at_rest(matrices, FEET[side], point) for point in skeleton.soles[side]], axis=1) for side in (0, 1)],
        axis=1,
    )


def angles_of(skeleton: Skeleton, matrices: Array) -> dict[str, Array]:
    """Give joint angles in degrees, ``(T, 2)`` each.

    Knees and elbows: how far the bone is bent about its hinge (negative is backwards) and how far it leaves the hinge's
    plane. Hips and ankles: as gait analysis counts them, flexion and dorsiflexion positive. Shoulders: how far the
    upper arm points ahead of the trunk; negative is behind.
    """
    turned = matrices[..., :3]
    out: dict[str, list[Array]] = {
        name: [] for name in ("knee", "knee_off", "elbow", "elbow_off", "hip", "ankle", "shoulder")
    }
    for side, sign in ((0, 1.0), (1, -1.0)):
        thigh, calf, foot = turned[:, THIGHS[side]], turned[:, CALVES[side]], turned[:, FEET[side]]
        knee = thigh.transpose(0, 2, 1) @ calf
        # The resting knee is bent by as much as the drawn bones are.
        upper = skeleton.joints[CALVES[side]] - skeleton.joints[THIGHS[side]]
        lower = skeleton.joints[FEET[side]] - skeleton.joints[CALVES[side]]
        rest = np.arctan2(lower[1], -lower[2]) - np.arctan2(upper[1], -upper[2])
        out["knee"].append(np.rad2deg(np.arctan2(-knee[:, 2, 1], knee[:, 2, 2]) - rest))
        out["knee_off"].append(np.rad2deg(np.arcsin(np.clip(np.abs(knee[:, 0, 1:]).max(1), 0, 1))))
        ankle = calf.transpose(0, 2, 1) @ foot
        out["ankle"].append(np.rad2deg(np.arctan2(ankle[:, 2, 1], ankle[:, 2, 2])))
        hip = turned[:, Bone.PELVIS].transpose(0, 2, 1) @ thigh
        out["hip"].append(np.rad2deg(np.arctan2(hip[:, 2, 1], hip[:, 2, 2])))
        # The hanging forearm's axes: the hinge is x, the arm goes along -z.
        q = sign * np.pi / 4
        hang = np.array([[np.cos(q), 0, np.sin(q)], [0, 1, 0], [-np.sin(q), 0, np.cos(q)]])
        arm, forearm = turned[:, UPPER_ARMS[side]] @ hang.T, turned[:, FOREARMS[side]] @ hang.T
        direction = (arm.transpose(0, 2, 1) @ -forearm[:, :, 2:])[..., 0]
        out["elbow"].append(np.rad2deg(np.arctan2(direction[:, 1], -direction[:, 2])))
        out["elbow_off"].append(np.rad2deg(np.arcsin(np.clip(np.abs(direction[:, 0]), 0, 1))))
        hanging = turned[:, Bone.CHEST].transpose(0, 2, 1) @ -arm[:, :, 2:]
        out["shoulder"].append(np.rad2deg(np.arcsin(np.clip(hanging[:, 1, 0], -1, 1))))
    return {name: np.stack(values, axis=1) for name, values in out.items()}


def arms_in_trunk(skeleton: Skeleton, matrices: Array) -> Array:
    """Give ``(T, 2)`` metres by which forearms or hands are inside a slender trunk or the head."""
    scale, joints = skeleton.scale, skeleton.joints
    capsules = []
    for x, z0, z1, radius, bone in (
        (0.055, 0.0, 0.07, 0.105, Bone.PELVIS),
        (0.050, 0.0, 0.12, 0.090, Bone.SPINE),
        (0.060, 0.0, 0.17, 0.095, Bone.CHEST),
    ):
        for sign in (-1, 1):
            start, end = (joints[bone] + scale * np.array([sign * x, 0.0, z]) for z in (z0, z1))
            capsules.append((at_rest(matrices, bone, start), at_rest(matrices, bone, end), scale * radius))
    head = [joints[Bone.HEAD] + (skeleton.crown - joints[Bone.HEAD]) * share for share in (0.35, 0.6)]
    size = np.linalg.norm(skeleton.crown - joints[Bone.HEAD])
    capsules.append((at_rest(matrices, Bone.HEAD, head[0]), at_rest(matrices, Bone.HEAD, head[1]), 0.38 * size))
    depths = []
    for side in (0, 1):
        elbow = at_rest(matrices, FOREARMS[side], joints[FOREARMS[side]])
        wrist = at_rest(matrices, HANDS[side], joints[HANDS[side]])
        tip = at_rest(
            matrices, HANDS[side], joints[HANDS[side]] + 0.7 * (skeleton.hand_tips[side] - joints[HANDS[side]])
        )
        deepest = np.full(len(matrices), -np.inf)
        for start, end, radius in ((elbow, wrist, 0.035 * scale), (wrist, tip, 0.022 * scale)):
            for low, high, thick in capsules:
                deepest = np.maximum(deepest, radius + thick - _segments_apart(start, end, low, high))
        depths.append(deepest)
    return np.stack(depths, axis=1)


def _segments_apart(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Give the distance of segments ab and cd, by many points of the one against the other."""
    nearest = np.full(len(a), np.inf)
    along = d - c
    length = (along**2).sum(1)
    for share in np.linspace(0, 1, 7):
        point = a + share * (b - a)
        at = np.clip(((point - c) * along).sum(1) / np.maximum(length, 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(point - c - at[:, None] * along, axis=1))
    return nearest


def longest_drift(soles: Array, *, height: float = 0.004) -> float:
    """Give how far a point of a sole moves over the ground while it is within ``height`` of it, metres."""
    worst = 0.0
    for side in (0, 1):
        for point in (0, 1):
            track = soles[:, side, point]
            down = track[:, 2] < height
            start = None
            for i, planted in enumerate(down):
                if planted and start is None:
                    start = i
                if not planted:
                    start = None
                if start is not None:
                    worst = max(worst, float(np.hypot(*(track[i, :2] - track[start, :2]))))
    return worst
