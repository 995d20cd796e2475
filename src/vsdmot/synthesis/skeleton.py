"""A person's bones: their lengths, a pose of them, and where a pose puts every bone in the world.

The world is measured in metres: x to the right, y forward, z up, the ground at z = 0. A person at rest stands over the
origin and faces +y, with the soles at z = 0 and the arms hanging 45 degrees outwards (an A-pose); the right side has
x above 0. Every array of two sides has the right one first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled

Array = NDArray[np.float64]

REFERENCE_STATURE = 1.755
"""Height in metres of the body whose joints are written in this file."""


class Bone(IntEnum):
    """The bones; a bone moves with its parent and turns about its own joint, the end nearer to the pelvis."""

    PELVIS = 0
    SPINE = 1
    CHEST = 2
    NECK = 3
    HEAD = 4
    RIGHT_UPPER_ARM = 5
    RIGHT_FOREARM = 6
    RIGHT_HAND = 7
    LEFT_UPPER_ARM = 8
    LEFT_FOREARM = 9
    LEFT_HAND = 10
    RIGHT_THIGH = 11
    RIGHT_CALF = 12
    RIGHT_FOOT = 13
    LEFT_THIGH = 14
    LEFT_CALF = 15
    LEFT_FOOT = 16


PARENTS = (-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15)
"""The bone that each bone hangs on; -1 is the world. A parent comes before its children."""

UPPER_ARMS = (Bone.RIGHT_UPPER_ARM, Bone.LEFT_UPPER_ARM)
FOREARMS = (Bone.RIGHT_FOREARM, Bone.LEFT_FOREARM)
HANDS = (Bone.RIGHT_HAND, Bone.LEFT_HAND)
THIGHS = (Bone.RIGHT_THIGH, Bone.LEFT_THIGH)
CALVES = (Bone.RIGHT_CALF, Bone.LEFT_CALF)
FEET = (Bone.RIGHT_FOOT, Bone.LEFT_FOOT)

SIDES = (1.0, -1.0)
"""The sign of x on the right and on the left."""

_PARENT_ARRAY = np.array(PARENTS, np.int64)


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """How a person is built; everything but the stature is a factor on the reference body, 1 being its own measure.

    Attributes:
        stature: From the ground to the crown, metres. The other factors share it out and do not change it.
        leg_length: Hip to ankle.
        torso_length: Pelvis to the base of the head.
        arm_length: Shoulder to fingertips.
        shoulder_width: Across the shoulder joints.
        hip_width: Across the hip joints.
        head_size: Base of the head to crown, in all directions.
    """

    stature: float = REFERENCE_STATURE
    leg_length: float = 1.0
    torso_length: float = 1.0
    arm_length: float = 1.0
    shoulder_width: float = 1.0
    hip_width: float = 1.0
    head_size: float = 1.0

    @classmethod
    def adult(cls, rng: np.random.Generator, *, female: bool) -> Proportions:
        """Draw a grown person: about 1.65 (female) or 1.77 m, spread 6 cm, mildly different in build."""
        stature = float(np.clip(rng.normal(1.65 if female else 1.77, 0.06), 1.48, 1.98))
        leg, torso, arm, shoulder, hip, head = np.clip(rng.normal(1.0, 0.03, 6), 0.93, 1.07).tolist()
        return cls(
            stature=stature,
            leg_length=leg,
            torso_length=torso,
            arm_length=arm,
            shoulder_width=shoulder * (0.93 if female else 1.02),
            hip_width=hip * (1.06 if female else 1.0),
            # A head hardly grows with the rest of the body.
            head_size=head * (REFERENCE_STATURE / stature) ** 0.6,
        )

    @classmethod
    def child(cls, rng: np.random.Generator) -> Proportions:
        """Draw a child of 1.0 to 1.4 m: the smaller, the larger the head and the shorter the legs."""
        stature = float(rng.uniform(1.0, 1.4))
        young = (1.4 - stature) / 0.4
        leg, torso, arm, width = np.clip(rng.normal(1.0, 0.02, 4), 0.95, 1.05).tolist()
        return cls(
            stature=stature,
            leg_length=leg * (0.97 - 0.11 * young),
            torso_length=torso,
            arm_length=arm * (0.97 - 0.08 * young),
            shoulder_width=width * (0.94 - 0.04 * young),
            hip_width=width * 0.95,
            head_size=1.18 + 0.24 * young,
        )


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The bones of one person at rest.

    Attributes:
        proportions: What it was made from.
        joints: ``(17, 3)`` the joint each bone turns about, metres.
        hand_tips: ``(2, 3)`` ends of the fingers.
        toes: ``(2, 3)`` fronts of the feet.
        heels: ``(2, 3)`` backs of the feet.
        crown: ``(3,)`` top of the head.
        soles: ``(2, 2, 3)`` for each foot the heel's and the ball's point that touch the ground, z = 0.
        scale: Metres of this person per metre of the reference body: of everything without a factor of its own.
    """

    proportions: Proportions = field(default_factory=Proportions)
    joints: Array = field(init=False)
    hand_tips: Array = field(init=False)
    toes: Array = field(init=False)
    heels: Array = field(init=False)
    crown: Array = field(init=False)
    soles: Array = field(init=False)
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        points = _build(self.proportions)
        scale = self.proportions.stature / float(points["crown"][2])
        for name, value in points.items():
            value *= scale
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "scale", scale)

    @property
    def thigh_length(self) -> float:
        """Hip to knee, metres."""
        return float(np.linalg.norm(self.joints[Bone.RIGHT_CALF] - self.joints[Bone.RIGHT_THIGH]))

    @property
    def calf_length(self) -> float:
        """Knee to ankle, metres."""
        return float(np.linalg.norm(self.joints[Bone.RIGHT_FOOT] - self.joints[Bone.RIGHT_CALF]))

    @property
    def upper_arm_length(self) -> float:
        """Shoulder to elbow, metres."""
        return float(np.linalg.norm(self.joints[Bone.RIGHT_FOREARM] - self.joints[Bone.RIGHT_UPPER_ARM]))

    @property
    def forearm_length(self) -> float:
        """Elbow to wrist, metres."""
        return float(np.linalg.norm(self.joints[Bone.RIGHT_HAND] - self.joints[Bone.RIGHT_FOREARM]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """How a person stands at one moment.

    Attributes:
        rotations: ``(17, 3, 3)`` what each bone turns about its joint, in its parent's frame; the identity is the rest.
        root_position: ``(2,)`` x and y of the pelvis joint in the world, metres.
        root_rotation: ``(3, 3)`` what the whole body turns about the pelvis joint, in the world.
        height: z of the pelvis joint, metres; None puts the lowest point of the soles on the ground.
        lift: Metres added to that height, as in a jump.
    """

    rotations: Array
    root_position: Array
    root_rotation: Array
    height: float | None = None
    lift: float = 0.0


def pose_matrices(skeleton: Skeleton, pose: Pose) -> Array:
    """Give where a pose puts every bone.

    Args:
        skeleton: The person.
        pose: Its pose.

    Returns:
        ``(17, 3, 4)`` float64; entry ``b`` takes a point ``(x, y, z, 1)`` of bone ``b`` from the rest to the world.
    """
    height = np.nan if pose.height is None else pose.height
    return _pose_matrices(
        skeleton.joints,
        _PARENT_ARRAY,
        skeleton.soles,
        pose.rotations,
        pose.root_rotation,
        pose.root_position,
        height,
        pose.lift,
    )


@compiled
def _pose_matrices(
    joints: Array,
    parents: NDArray[np.int64],
    soles: Array,
    rotations: Array,
    root_rotation: Array,
    root_position: Array,
    height: float,
    lift: float,
) -> Array:
    """Compose the bones from the pelvis outwards, about a pelvis at the height 0, then lift all of them."""
    num_bones = len(joints)
    matrices = np.empty((num_bones, 3, 4))
    for bone in range(num_bones):
        parent = parents[bone]
        for i in range(3):
            for j in range(3):
                total = 0.0
                for k in range(3):
                    outer = root_rotation[i, k] if parent < 0 else matrices[parent, i, k]
                    total += outer * rotations[bone, k, j]
                matrices[bone, i, j] = total
        for i in range(3):
            # The joint itself goes where the parent takes it.
            place = 0.0
            if parent >= 0:
                place = matrices[parent, i, 3]
                for k in range(3):
                    place += matrices[parent, i, k] * joints[bone, k]
            elif i < 2:
                place = root_position[i]
            for k in range(3):
                place -= matrices[bone, i, k] * joints[bone, k]
            matrices[bone, i, 3] = place
    if np.isnan(height):
        lowest = np.inf
        for side in range(2):
            foot = 13 + 3 * side
            for point in range(2):
                z = matrices[foot, 2, 3]
                for k in range(3):
                    z += matrices[foot, 2, k] * soles[side, point, k]
                lowest = min(lowest, z)
        height = -lowest
    for bone in range(num_bones):
        matrices[bone, 2, 3] += height + lift
    return matrices


def _build(proportions: Proportions) -> dict[str, Array]:
    """Place the reference body's points with a person's factors, before the stature is set."""
    p = proportions
    joints = np.zeros((17, 3))
    hand_tips, toes, heels = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
    soles = np.zeros((2, 2, 3))
    for side, sign in enumerate(SIDES):
        out = np.array([sign, 1.0, 1.0])
        hip = np.array([0.088 * p.hip_width, 0.0, 0.0]) * out
        knee = hip + np.array([0.010, 0.012, -0.425]) * p.leg_length * out
        ankle = knee + np.array([0.007, -0.032, -0.410]) * p.leg_length * out
        # The hips lie as high as the legs are long; the ankle's joint is 8.5 cm over the ground.
        rise = np.array([0.0, 0.0, 0.085 - ankle[2]])
        joints[THIGHS[side]], joints[CALVES[side]], joints[FEET[side]] = hip + rise, knee + rise, ankle + rise
        foot = joints[FEET[side]]
        toes[side] = foot + np.array([0.020, 0.185, -0.065]) * out
        heels[side] = foot + np.array([-0.005, -0.055, -0.065]) * out
        soles[side, 0] = (foot + np.array([-0.004, -0.040, 0.0]) * out) * (1, 1, 0)
        soles[side, 1] = (foot + np.array([0.018, 0.155, 0.0]) * out) * (1, 1, 0)
    hips = joints[Bone.RIGHT_THIGH, 2]

    def above(y: float, z: float) -> Array:
        """Place a point of the trunk by its y, and its z on the reference body whose hips lie at 0.92."""
        return np.array([0.0, y, hips + p.torso_length * (z - 0.92)])

    joints[Bone.PELVIS] = above(0.0, 0.95)
    joints[Bone.SPINE] = above(0.0, 1.04)
    joints[Bone.CHEST] = above(0.0, 1.18)
    joints[Bone.NECK] = above(-0.01, 1.47)
    joints[Bone.HEAD] = above(0.005, 1.55)
    crown = joints[Bone.HEAD] + np.array([0.0, -0.015, 0.205]) * p.head_size
    for side, sign in enumerate(SIDES):
        down = np.array([sign, 0.0, -1.0]) / sqrt(2) * p.arm_length
        shoulder = above(-0.012, 1.412) + np.array([sign * 0.175 * p.shoulder_width, 0.0, 0.0])
        joints[UPPER_ARMS[side]] = shoulder
        joints[FOREARMS[side]] = shoulder + 0.29 * down
        joints[HANDS[side]] = shoulder + 0.545 * down
        hand_tips[side] = shoulder + 0.725 * down
    return {
        "joints": joints,
        "hand_tips": hand_tips,
        "toes": toes,
        "heels": heels,
        "crown": crown,
        "soles": soles,
    }
