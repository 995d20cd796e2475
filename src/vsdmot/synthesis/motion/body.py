"""From channels and footholds to bones: the trunk and arms by their angles, the legs by where the feet are.

The legs are solved backwards from the feet, so that a foot that stands does not slide whatever the hips do. The elbow
bends about the axis across the hanging arm and the knee forwards only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, atan2, cos, hypot, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.motion.channels import ARMS
from vsdmot.synthesis.skeleton import FOREARMS, HANDS, UPPER_ARMS, Pose, Skeleton

Array = NDArray[np.float64]

STRAIGHT = 0.9992
"""Share of a leg's length beyond which it is not stretched: the knee keeps 5 degrees, so that it knows its side."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: x and y on the ground in metres and the way it faces, radians counter-clockwise from +y."""

    x: float
    y: float
    yaw: float


def assemble(skeleton: Skeleton, values: Array, place: Place, feet: Array, height: float, *, sink: float = 1.0) -> Pose:
    """Make a pose.

    Args:
        skeleton: The person.
        values: ``(35,)`` channels.
        place: Where the pelvis is and which way it faces before the channels move it.
        feet: ``(2, 5)`` of each foot the ankle's x, y, z in the world, the foot's yaw in the world and its pitch,
            before the channels of the feet move it.
        height: z of the pelvis joint before the channels move it, metres.
        sink: Share by which the pelvis is lowered where a leg is too short for its foothold.

    Returns:
        The pose, its height explicit. A foot that is too far for the leg is reached for and missed.
    """
    rotations = np.empty((17, 3, 3))
    root = np.empty(3)
    _assemble(
        skeleton.joints,
        skeleton.soles,
        skeleton.scale,
        values,
        np.array([place.x, place.y, place.yaw, height, sink]),
        feet,
        rotations,
        root,
    )
    return Pose(rotations=rotations, root_position=root[:2], root_rotation=np.eye(3), height=float(root[2]))


def reach(
    skeleton: Skeleton, side: int, target: Array, *, swivel: float, turn: float = 0.0, wrist: float = 0.0
) -> Array:
    """Find the arm that brings the wrist to a place, for a person whose trunk is straight.

    Args:
        skeleton: The person.
        side: 0 right, 1 left.
        target: ``(3,)`` the wrist in the rest frame, metres of this person; its x is positive on the arm's own side.
        swivel: Where the elbow is on its circle: 0 straight below the line to the wrist, positive outwards, radians.
        turn: The palm's turn, radians.
        wrist: The hand's bend, radians.

    Returns:
        ``(6,)`` the arm's channels; a place too far away is reached for with a stretched arm.
    """
    shoulder = skeleton.joints[UPPER_ARMS[side]] * ((1, 1, 1) if side == 0 else (-1, 1, 1))
    upper = float(np.linalg.norm(skeleton.joints[FOREARMS[side]] - skeleton.joints[UPPER_ARMS[side]]))
    lower = float(np.linalg.norm(skeleton.joints[HANDS[side]] - skeleton.joints[FOREARMS[side]]))
    line = target - shoulder
    distance = float(np.clip(np.linalg.norm(line), abs(upper - lower) * 1.05 + 0.12 * upper, 0.999 * (upper + lower)))
    line = line / np.linalg.norm(line)
    elbow = np.pi - acos((upper**2 + lower**2 - distance**2) / (2 * upper * lower))
    # The elbow leaves the line to the wrist downwards, or away from the body for a line that is itself upright.
    down = np.array([0.0, -0.35, -1.0])
    down = down - (down @ line) * line
    down /= np.linalg.norm(down)
    out = np.cross(down, line)
    away = cos(swivel) * down + sin(swivel) * out * np.sign(out[0] if abs(out[0]) > 1e-9 else 1.0)
    inner = acos((upper**2 + distance**2 - lower**2) / (2 * upper * distance))
    direction = cos(inner) * line + sin(inner) * away
    # The hanging arm's axes: along -z, bending about x so that the hand comes towards +y.
    bending = (distance * line - upper * direction) / lower
    forward = bending - (bending @ direction) * direction
    forward /= np.linalg.norm(forward)
    axes = np.stack([np.cross(forward, -direction), forward, -direction], axis=1)
    # axes = Rx(flex) Ry(-raise) Rz(twist)
    raised = np.arcsin(np.clip(-axes[0, 2], -1, 1))
    flex = np.arctan2(-axes[1, 2], axes[2, 2])
    twist = np.arctan2(-axes[0, 1], axes[0, 0])
    if flex < -2.0:
        flex += 2 * np.pi
    return np.array([flex, raised, twist, elbow, turn, wrist])


def set_arm(values: Array, side: int, arm: Array) -> Array:
    """Put six channels of an arm into an array of channels, which is changed and returned."""
    values[ARMS[side]] = arm
    return values


@compiled
def _turn(axis: int, angle: float, out: Array) -> None:
    """Write the rotation about an axis of the world."""
    c, s = cos(angle), sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[:] = 0.0
    out[axis, axis] = 1.0
    out[i, i], out[j, j] = c, c
    out[i, j], out[j, i] = -s, s


@compiled
def _euler(z: float, y: float, x: float) -> Array:
    """Turn about x, then y, then z."""
    a, b, c = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    _turn(2, z, a)
    _turn(1, y, b)
    _turn(0, x, c)
    return _product(_product(a, b), c)


@compiled
def _product(a: Array, b: Array) -> Array:
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]
    return out


@compiled
def _product_of_inverse(a: Array, b: Array) -> Array:
    """Give the transpose of a times b."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = a[0, i] * b[0, j] + a[1, i] * b[1, j] + a[2, i] * b[2, j]
    return out


@compiled
def _frame(up: Array, across: Array) -> Array:
    """Make a rotation whose z is up and whose x is as near to across as that allows."""
    out = np.empty((3, 3))
    length = sqrt(up[0] ** 2 + up[1] ** 2 + up[2] ** 2)
    z0, z1, z2 = up[0] / length, up[1] / length, up[2] / length
    along = across[0] * z0 + across[1] * z1 + across[2] * z2
    x0, x1, x2 = across[0] - along * z0, across[1] - along * z1, across[2] - along * z2
    length = sqrt(x0 * x0 + x1 * x1 + x2 * x2)
    x0, x1, x2 = x0 / length, x1 / length, x2 / length
    out[0, 0], out[1, 0], out[2, 0] = x0, x1, x2
    out[0, 1], out[1, 1], out[2, 1] = z1 * x2 - z2 * x1, z2 * x0 - z0 * x2, z0 * x1 - z1 * x0
    out[0, 2], out[1, 2], out[2, 2] = z0, z1, z2
    return out


@compiled
def _leg(
    joints: Array, side: int, hip: Array, pelvis: Array, ankle: Array, yaw: float, pitch: float, rotations: Array
) -> None:
    """Set thigh, calf and foot so that the ankle is where it should be, the knee in front."""
    thigh, calf, foot = 11 + 3 * side, 12 + 3 * side, 13 + 3 * side
    upper_rest, lower_rest = joints[calf] - joints[thigh], joints[foot] - joints[calf]
    upper = sqrt((upper_rest**2).sum())
    lower = sqrt((lower_rest**2).sum())
    line = ankle - hip
    distance = sqrt((line**2).sum())
    line = line / distance
    # The last part of the stretch is taken softly: a hard stop would jerk the knee.
    soft, most = 0.985 * (upper + lower), STRAIGHT * (upper + lower)
    if distance > soft:
        distance = soft + (most - soft) * np.tanh((distance - soft) / (most - soft))
    distance = max(distance, 0.32 * (upper + lower))
    # The knee looks where the foot and the pelvis look, and swings up with the leg.
    forward_x = -sin(yaw) + pelvis[0, 1]
    forward_y = cos(yaw) + pelvis[1, 1]
    length = hypot(forward_x, forward_y)
    forward_x, forward_y = forward_x / length, forward_y / length
    slope = (line[0] * forward_x + line[1] * forward_y) / max(1e-3, 1.0 - line[2])
    hint = np.array([forward_x - slope * line[0], forward_y - slope * line[1], slope * (1.0 - line[2])])
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    inner = acos(min(1.0, max(-1.0, cosine)))
    along = hint[0] * line[0] + hint[1] * line[1] + hint[2] * line[2]
    hint = hint - along * line
    hint = hint / sqrt((hint**2).sum())
    knee = hip + upper * (cos(inner) * line + sin(inner) * hint)
    reached = hip + distance * line
    across = np.array(
        [
            -hint[1] * line[2] + hint[2] * line[1],
            -hint[2] * line[0] + hint[0] * line[2],
            -hint[0] * line[1] + hint[1] * line[0],
        ]
    )
    lateral = np.array([1.0, 0.0, 0.0])
    turned_thigh = _product(_frame(hip - knee, across), _frame(-upper_rest, lateral).T)
    turned_calf = _product(_frame(knee - reached, across), _frame(-lower_rest, lateral).T)
    rotations[thigh] = _product_of_inverse(pelvis, turned_thigh)
    rotations[calf] = _product_of_inverse(turned_thigh, turned_calf)
    local = _product_of_inverse(turned_calf, _euler(yaw, 0.0, pitch))
    # A foot in the air follows its calf as far as an ankle bends.
    bent = atan2(local[2, 1], local[2, 2])
    over = max(0.0, bent - 0.75) + min(0.0, bent + 0.80)
    turned = np.empty((3, 3))
    _turn(0, 0.2 * np.tanh(over / 0.2) - over, turned)
    rotations[foot] = _product(turned, local)


@compiled
def _assemble(
    joints: Array,
    soles: Array,
    scale: float,
    values: Array,
    base: Array,
    feet: Array,
    rotations: Array,
    root: Array,
) -> None:
    """Fill the rotations and the place of the pelvis from channels; see `assemble`.

    The base is the place's x, y and yaw, the height, and the share of sinking.
    """
    x, y, yaw, height, sink = base
    c, s = cos(yaw), sin(yaw)
    root[0] = x + scale * (c * values[1] - s * values[0])
    root[1] = y + scale * (s * values[1] + c * values[0])
    root[2] = height + scale * (values[2] + values[12])
    pelvis = _euler(yaw + values[3], values[4], -values[5])
    rotations[0] = pelvis
    half = _euler(values[8] / 2, values[7] / 2, -values[6] / 2)
    rotations[1] = half
    rotations[2] = half
    rotations[3] = _euler(0.4 * values[9], 0.4 * values[11], -0.4 * values[10])
    rotations[4] = _euler(0.6 * values[9], 0.6 * values[11], -0.6 * values[10])
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        arm = values[13 + 6 * side : 19 + 6 * side]
        hang, unhang = _euler(0.0, sign * np.pi / 4, 0.0), _euler(0.0, -sign * np.pi / 4, 0.0)
        swung = _product(_euler(0.0, 0.0, arm[0]), _euler(0.0, -sign * arm[1], 0.0))
        rotations[5 + 3 * side] = _product(_product(swung, _euler(sign * arm[2], 0.0, 0.0)), hang)
        # An elbow does not bend backwards, whatever layers add up to.
        elbow = 0.05 + 0.5 * (arm[3] - 0.05 + sqrt((arm[3] - 0.05) ** 2 + 0.004))
        bent = _product(_euler(0.0, 0.0, elbow), _euler(sign * arm[4], 0.0, 0.0))
        rotations[6 + 3 * side] = _product(_product(unhang, bent), hang)
        rotations[7 + 3 * side] = _product(_product(unhang, _euler(0.0, sign * arm[5], 0.0)), hang)
    ankles, yaws = np.empty((2, 3)), np.empty(2)
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        moved = values[25 + 5 * side : 30 + 5 * side]
        yaws[side] = feet[side, 3] - sign * moved[3]
        along, up = roll(
            moved[4],
            soles[side, 0, 1] - joints[13 + 3 * side, 1],
            soles[side, 1, 1] - joints[13 + 3 * side, 1],
            joints[13 + 3 * side, 2],
        )
        up -= joints[13 + 3 * side, 2]
        ankles[side, 0] = feet[side, 0] + scale * (c * sign * moved[1] - s * moved[0]) - sin(yaws[side]) * along
        ankles[side, 1] = feet[side, 1] + scale * (s * sign * moved[1] + c * moved[0]) + cos(yaws[side]) * along
        ankles[side, 2] = feet[side, 2] + scale * (moved[2] + values[12]) + up
    hips = np.empty((2, 3))
    for side in range(2):
        offset = joints[11 + 3 * side] - joints[0]
        for i in range(3):
            hips[side, i] = root[i] + pelvis[i, 0] * offset[0] + pelvis[i, 1] * offset[1] + pelvis[i, 2] * offset[2]
        # Hips sink when the feet stand far apart; the lowering sets in softly.
        reach = 0.997 * _leg_length(joints, side)
        across = (ankles[side, 0] - hips[side, 0]) ** 2 + (ankles[side, 1] - hips[side, 1]) ** 2
        excess = hips[side, 2] - ankles[side, 2] - sqrt(max(reach**2 - across, 0.04 * reach**2))
        lowering = sink * 0.5 * (excess + sqrt(excess**2 + 2e-5))
        root[2] -= lowering
        hips[:, 2] -= lowering
    # No lower than a folded leg allows, over the foot that carries.
    carrying = 0 if ankles[0, 2] < ankles[1, 2] else 1
    low = 0.37 * _leg_length(joints, carrying) - (hips[carrying, 2] - ankles[carrying, 2])
    raising = 0.5 * (low + sqrt(low**2 + 4e-4))
    root[2] += raising
    hips[:, 2] += raising
    for side in range(2):
        _leg(
            joints, side, hips[side], pelvis, ankles[side], yaws[side], feet[side, 4] + values[29 + 5 * side], rotations
        )


@compiled
def roll(pitch: float, heel: float, ball: float, ankle: float) -> tuple[float, float]:
    """Give how far ahead of its foothold and how high the ankle is when a foot rolls over heel or ball.

    Args:
        pitch: Radians, toes up positive.
        heel: y of the heel's point of the sole, from the ankle.
        ball: y of the ball's point.
        ankle: Height of the ankle over the sole.
    """
    # Within 11 degrees of level the pivot moves from the one to the other, which is smooth and costs 3 mm of height.
    share = min(1.0, max(0.0, 0.5 + pitch / 0.4))
    share = share * share * (3 - 2 * share)
    pivot = share * heel + (1 - share) * ball
    return pivot - pivot * cos(pitch) - ankle * sin(pitch), ankle * cos(pitch) - pivot * sin(pitch)


@compiled
def _leg_length(joints: Array, side: int) -> float:
    """Give hip to ankle of a straight leg."""
    total = 0.0
    for bone in (12 + 3 * side, 13 + 3 * side):
        part = joints[bone] - joints[bone - 1]
        total += sqrt((part**2).sum())
    return total
