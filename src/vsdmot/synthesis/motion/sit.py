"""People who sit, on anything that has a height."""

from __future__ import annotations

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.arms import Hold
from vsdmot.synthesis.motion.body import Place, assemble
from vsdmot.synthesis.motion.channels import Channel, blank
from vsdmot.synthesis.motion.layers import Arms, Layer, Looks
from vsdmot.synthesis.motion.motion import Footprint, Item
from vsdmot.synthesis.motion.timing import Holds, Wander, pick, spells
from vsdmot.synthesis.skeleton import Pose, Skeleton

Array = NDArray[np.float64]

_FLESH = 0.115
"""Metres of the reference body from the seat up to the pelvis joint."""


class Sitting:
    """A person on a seat: lap, knees, phone, talking hands; legs beside each other, stretched, drawn in, crossed.

    Attributes:
        name: ``"sit"``.
        item: What the person has with it.
        place: The middle of the seat's front part, where the pelvis is, and where the person looks.
        seat: Height of the seat in metres.
    """

    name = "sit"
    item: Item
    place: Place
    seat: float

    def __init__(
        self, skeleton: Skeleton, rng: np.random.Generator, place: Place, *, seat: float = 0.45, item: Item = "none"
    ) -> None:
        """Sit down.

        Args:
            skeleton: The person.
            rng: Source of randomness.
            place: Where the pelvis is and which way the person faces.
            seat: Height of the seat, metres; feet that do not reach the ground dangle.
            item: ``"phone"`` is held and looked at, a handbag lies on the lap.
        """
        self.item = item
        self.place = place
        self.seat = seat
        self._skeleton = skeleton
        self._wander = Wander(rng, 4, period=5.0)
        moments = spells(rng, 6.0, 25.0)
        self._lean = Holds(moments, [np.array([_lean(rng)]) for _ in moments], [1.8] * len(moments))
        legs = [self._legs(rng) for _ in moments]
        self._legs_at = Holds(moments, legs, [1.6] * len(moments))
        self._layers: tuple[Layer, ...] = (Looks(rng, widest=0.7), self._arms(rng))

    def at(self, time: float) -> Pose:
        """Give the pose of a moment."""
        values = blank()
        lean = float(self._lean.at(time)[0])
        drift = self._wander.at(time)
        values[Channel.TILT] = -0.20 + 0.45 * lean
        values[Channel.BEND] = 0.22 + 0.35 * lean + 0.02 * drift[0]
        values[Channel.HEAD_NOD] = -0.10 - 0.5 * lean
        values[Channel.TORSION] = 0.04 * drift[1]
        values[Channel.SIDE] = 0.03 * drift[2]
        for layer in self._layers:
            layer.apply(values, time, 0.0)
        # Hands lie on the legs, which do not lean with the trunk.
        trunk = values[Channel.TILT] + values[Channel.BEND]
        values[Channel.RIGHT_FLEX] += trunk
        values[Channel.LEFT_FLEX] += trunk
        place, scale = self.place, self._skeleton.scale
        old, new, gone = self._legs_at.between(time)
        local = (old + gone * (new - old)).reshape(2, 5)
        moved = (new - old).reshape(2, 5)
        local[:, 2] += 0.5 * np.hypot(moved[:, 0], moved[:, 1]) * gone * (1 - gone)
        feet = local.copy()
        feet[:, 0] = place.x + cos(place.yaw) * local[:, 0] - sin(place.yaw) * local[:, 1]
        feet[:, 1] = place.y + sin(place.yaw) * local[:, 0] + cos(place.yaw) * local[:, 1]
        feet[:, 3] += place.yaw
        # Feet roll over heel and ball as they do in all channels.
        feet[:, 4] = 0.0
        values[Channel.RIGHT_FOOT_PITCH], values[Channel.LEFT_FOOT_PITCH] = local[:, 4]
        return assemble(self._skeleton, values, place, feet, self.seat + _FLESH * scale)

    def footprint(self, time: float) -> Footprint:
        """Give the ground that the person needs."""
        del time
        ahead = 0.25 * self._skeleton.scale
        return Footprint(
            self.place.x - sin(self.place.yaw) * ahead,
            self.place.y + cos(self.place.yaw) * ahead,
            0.5 * self._skeleton.scale,
        )

    def heading(self, time: float) -> float:
        """Give the way the person faces."""
        del time
        return self.place.yaw

    def _legs(self, rng: np.random.Generator) -> Array:
        """Draw where the feet are: ``(10,)`` x, y, z, yaw and pitch of each, as seen by the person."""
        skeleton, scale = self._skeleton, self._skeleton.scale
        ankle = float(skeleton.joints[13, 2])
        knee = self.seat + 0.04 * scale
        # Feet hang where the ground is too far; on a low seat the knees come up or the feet go forward.
        ground = max(ankle, knee - 0.985 * skeleton.calf_length)
        out = np.zeros((2, 5))
        knees = 0.99 * skeleton.thigh_length
        low = max(0.0, skeleton.calf_length - (knee - ankle))
        if ground > ankle:
            return self._dangling(rng, ground)
        kind = pick(rng, ["beside", "beside", "stretched", "drawn", "ankles", "over"])
        for side, sign in enumerate((1.0, -1.0)):
            forward = knees + 0.9 * low + scale * float(rng.normal(0.0, 0.04))
            width = scale * float(rng.uniform(0.09, 0.17))
            pitch = 0.0
            if kind == "stretched":
                forward += scale * float(rng.uniform(0.15, 0.25))
                pitch = 0.35
            elif kind == "drawn":
                forward -= scale * 0.17
                pitch = -0.35
            elif kind == "ankles":
                forward, width = forward + 0.12 * scale, (0.03 - 0.07 * side) * scale
            out[side] = sign * width, forward, ground, -sign * float(rng.uniform(0.0, 0.3)), pitch
        if kind == "over":
            side = int(rng.integers(2))
            sign = 1.0 if side == 0 else -1.0
            out[side] = -sign * 0.14 * scale, knees + 0.20 * scale, knee - 0.20 * scale, sign * 0.25, 0.2
            out[1 - side, 0] = -sign * 0.06 * scale
        return out.ravel()

    def _dangling(self, rng: np.random.Generator, ankle: float) -> Array:
        """Draw feet that do not reach the ground: under the knees, the toes down, sometimes crossed."""
        skeleton, scale = self._skeleton, self._skeleton.scale
        crossed = rng.random() < 0.3
        out = np.zeros((2, 5))
        for side, sign in enumerate((1.0, -1.0)):
            width = scale * ((0.02 - 0.05 * side) if crossed else float(rng.uniform(0.07, 0.12)))
            forward = 0.97 * skeleton.thigh_length + scale * float(rng.normal(-0.02, 0.03))
            out[side] = sign * width, forward, ankle, -sign * float(rng.uniform(0.0, 0.2)), -0.2
        return out.ravel()

    def _arms(self, rng: np.random.Generator) -> Arms:
        pairs: list[tuple[Hold, Hold]] = [
            ("lap", "lap"),
            ("lap", "lap"),
            ("knee", "knee"),
            ("talk", "talk"),
            ("talk", "knee"),
        ]
        if self.item == "phone":
            pairs = [("phone", "lap"), ("phone", "knee"), ("phone", "phone")]
        sequence = [(moment, pick(rng, pairs)) for moment in spells(rng, 5.0, 18.0)]
        return Arms(self._skeleton, rng, sequence, nod=0.4)


def _lean(rng: np.random.Generator) -> float:
    """Draw how far someone leans forward, from leaning back a little to elbows near the knees."""
    return pick(rng, [-0.35, 0.0, 0.1, 0.3, 0.55])
