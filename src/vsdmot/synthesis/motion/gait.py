"""Walking, jogging and running over a course: feet that roll on their footholds, and the body above them.

The shapes follow clinical gait analysis (Perry, *Gait Analysis*, 1992; Winter, *Biomechanics and Motor Control of Human
Gait*, 1991): the heel strikes at the start of the cycle, the foot is flat from a tenth of it, the heel rises from a
third, the toe leaves the ground at 61 % (walking) or 36 % (running). Hip and knee follow from the feet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, floor, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from vsdmot.synthesis.motion.body import roll
from vsdmot.synthesis.motion.channels import Channel, blank
from vsdmot.synthesis.motion.course import Course, Step
from vsdmot.synthesis.motion.timing import ease
from vsdmot.synthesis.skeleton import FEET, SIDES, THIGHS, Bone, Skeleton

Array = NDArray[np.float64]

_SAMPLES = 240
_Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a person moves; factors around 1 unless a unit is given.

    Attributes:
        running: Whether both feet leave the ground in each step.
        cadence: How often it steps at a given speed; more makes the steps shorter.
        arm_swing: How far the arms swing.
        elbow: Radians by which the elbows are bent.
        arm_gap: Radians between the arms and the trunk.
        slouch: Radians by which the trunk leans forward.
        bounce: How much the body rises and falls.
        sway: How much it sways to the standing leg.
        twist: How much hips and shoulders turn.
        half_width: Metres of the reference body between the course and a foot.
        toe_out: Radians by which the feet turn outwards.
        sink: Metres of the reference body by which the knees are more bent than they need be.
        uneven: Radians by which the right arm swings farther than the left one.
    """

    running: bool = False
    cadence: float = 1.0
    arm_swing: float = 1.0
    elbow: float = 0.25
    arm_gap: float = 0.12
    slouch: float = 0.04
    bounce: float = 1.0
    sway: float = 1.0
    twist: float = 1.0
    half_width: float = 0.055
    toe_out: float = 0.12
    sink: float = 0.0
    uneven: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, *, running: bool = False) -> Manner:
        """Draw a person's way of moving."""
        return cls(
            running=running,
            cadence=float(rng.uniform(0.92, 1.1)),
            arm_swing=float(rng.uniform(0.8, 1.2) if running else rng.uniform(0.5, 1.4)),
            elbow=float(rng.uniform(1.35, 1.75) if running else rng.uniform(0.15, 0.5)),
            arm_gap=float(rng.uniform(0.10, 0.20)),
            slouch=float(rng.uniform(0.08, 0.2) if running else rng.uniform(-0.02, 0.14)),
            bounce=float(rng.uniform(0.7, 1.2)),
            sway=float(rng.uniform(0.6, 1.5)),
            twist=float(rng.uniform(0.6, 1.5)),
            half_width=float(rng.uniform(0.03, 0.05) if running else rng.uniform(0.04, 0.08)),
            toe_out=float(rng.uniform(0.0, 0.25)),
            sink=float(rng.uniform(0.0, 0.02)),
            uneven=float(rng.normal(0, 0.05)),
        )


@dataclass(frozen=True)
class _Shape:
    """Curves of one kind of gait over the cycle of one leg.

    Attributes:
        duty: Part of the cycle that a foot is on the ground.
        under: When in the cycle the pelvis passes over the foothold.
        pitch: ``(240,)`` of the foot, radians, toes up positive.
        rise: ``(240,)`` how far the swinging foot is carried over the ground, metres of the reference body.
        lowest: The phase at which the body is lowest; twice in a cycle.
        knee: Radians by which the standing knee is bent at least.
        full_stride: Metres of a stride, per metre of leg, whose curves these are; shorter ones roll and lift less.
    """

    duty: float
    under: float
    pitch: Array
    rise: Array
    lowest: float
    knee: float
    full_stride: float


@lru_cache(maxsize=2)
def _shape(running: bool) -> _Shape:
    """Tabulate the curves of a gait."""
    pitch: _Knots
    rise: _Knots
    if running:
        pitch = ((0, 4), (0.07, 0), (0.17, 0), (0.36, -48), (0.5, -80), (0.62, -62), (0.80, -8), (0.93, 10))
        rise = ((0, 0), (0.36, 0), (0.44, 0.09), (0.55, 0.19), (0.66, 0.21), (0.80, 0.13), (0.93, 0.04))
        return _Shape(0.36, 0.165, _periodic(pitch), _periodic(rise), 0.17, 0.30, 2.2)
    pitch = ((0, 19), (0.08, 0.5), (0.12, 0), (0.34, 0), (0.46, -9), (0.62, -58), (0.66, -60), (0.84, -8), (0.94, 17))
    rise = ((0, 0), (0.61, 0), (0.665, 0.03), (0.74, 0.055), (0.88, 0.04), (0.96, 0.008))
    return _Shape(0.61, 0.265, _periodic(pitch), _periodic(rise), 0.05, 0.14, 1.6)


def _periodic(knots: _Knots) -> Array:
    """Tabulate a smooth curve through knots that repeats after 1; values above 1 are degrees."""
    x, y = np.array(knots).T
    spline = PchipInterpolator(np.concatenate([x - 1, x, x + 1]), np.tile(y, 3))
    table: Array = spline(np.arange(_SAMPLES) / _SAMPLES)
    return np.deg2rad(table) if np.abs(y).max() > 1 else table


def _read(table: Array, at: float) -> float:
    """Read a periodic table smoothly; ``at`` counts cycles."""
    index = (at - floor(at)) * _SAMPLES
    i = int(index) % _SAMPLES
    t = index - int(index)
    before, a, b, after = (float(table[(i + k) % _SAMPLES]) for k in (-1, 0, 1, 2))
    m0, m1 = (b - before) / 2, (after - a) / 2
    return (
        (2 * t**3 - 3 * t * t + 1) * a + (t**3 - 2 * t * t + t) * m0 + (3 * t * t - 2 * t**3) * b + (t**3 - t * t) * m1
    )


class Gait:
    """The feet and the body of one person who walks or runs."""

    def __init__(self, skeleton: Skeleton, manner: Manner) -> None:
        self.skeleton = skeleton
        self.manner = manner
        self.leg = skeleton.thigh_length + skeleton.calf_length
        self._shape = _shape(manner.running)
        heel, ball = skeleton.soles[0] - skeleton.joints[FEET[0]]
        self._heel, self._ball, self._ankle = float(heel[1]), float(ball[1]), float(-heel[2])
        self._strides = np.linspace(0.0, 1.3, 7)
        fits = [self._fit(share) for share in self._strides]
        self._base = np.array([base for base, _ in fits])
        self._bob = np.array([bob for _, bob in fits])

    @property
    def duty(self) -> float:
        """Part of the cycle that a foot is on the ground."""
        return self._shape.duty

    @property
    def half_width(self) -> float:
        """Metres from the course to a foot."""
        return self.manner.half_width * self.skeleton.scale

    def share(self, course: Course, step: Step) -> float:
        """Give how long the strides are compared with a full one: 0 standing, 1 walking briskly."""
        pace = step.pace**2 / (step.pace + 0.02)  # a last crawl to a stop is no stride
        stride = course.stride(pace) / (self._shape.full_stride * self.leg)
        return 1.3 * float(np.tanh(stride / 1.3))

    def feet(self, course: Course, step: Step, share: float) -> Array:
        """Give ``(2, 5)`` ankles, yaws and pitches of the feet, as `assemble` takes them."""
        shape, duty = self._shape, self._shape.duty
        # Feet that go sideways or back are set down flat.
        roll = min(1.15, share) * (0.2 + 0.8 * ease(step.ahead))
        out = np.empty((2, 5))
        for side, sign in enumerate(SIDES):
            own = step.phase + 0.5 * side
            number = floor(own)
            within = own - number
            x, y, yaw = course.foothold(side, number, shape.under, self.half_width)
            swing = max(0.0, (within - duty) / (1 - duty))
            lift = 0.0
            if swing > 0:
                # It is swung through early and set down late.
                swung = swing + (0.0 if self.manner.running else 0.6) * swing * (1 - swing) ** 2
                gone = swung * swung * (3 - 2 * swung)
                next_x, next_y, next_yaw = course.foothold(side, number + 1, shape.under, self.half_width)
                x, y, yaw = x + gone * (next_x - x), y + gone * (next_y - y), yaw + gone * (next_yaw - yaw)
                # Short steps still clear the ground, by a low arc.
                low = 0.035 * sin(pi * swing) ** 2
                lift = self.skeleton.scale * (roll * _read(shape.rise, within) + (1 - min(1.0, roll)) * low)
            pitch = roll * _read(shape.pitch, within)
            along, up = self._rolled(pitch)
            yaw -= sign * self.manner.toe_out
            out[side] = x - sin(yaw) * along, y + cos(yaw) * along, up + lift, yaw, pitch
        return out

    def height(self, share: float, phase: float) -> float:
        """Give z of the pelvis joint in metres."""
        base, bob = (
            float(np.interp(share, self._strides, self._base)),
            float(np.interp(share, self._strides, self._bob)),
        )
        return (
            base
            - bob * cos(4 * pi * (phase - self._shape.lowest))
            - min(1.0, share) * self.manner.sink * self.skeleton.scale
        )

    def channels(self, step: Step, share: float) -> Array:
        """Give the trunk and the arms of a person who walks or runs."""
        manner, values = self.manner, blank()
        turn = 2 * pi * step.phase
        amount = min(1.2, share) * (0.35 + 0.65 * ease(step.ahead))
        running = manner.running
        values[Channel.RIGHT] = 0.022 * manner.sway * amount * (0.4 if running else 1.0) * sin(turn - 0.3)
        yaw = 0.085 * manner.twist * amount * cos(turn)
        values[Channel.YAW] = yaw
        values[Channel.LIST] = -0.065 * manner.sway * amount * sin(turn + 0.15)
        values[Channel.TILT] = 0.03 + 0.3 * manner.slouch * amount
        values[Channel.BEND] = manner.slouch - 0.02 * amount * cos(2 * turn - 0.6)
        values[Channel.SIDE] = 0.075 * manner.sway * amount * sin(turn + 0.1)
        shoulders = (0.20 if running else 0.11) * manner.twist * amount * cos(turn - 0.15)
        values[Channel.TORSION] = -yaw - shoulders
        lean = 0.07 * float(np.tanh(step.turning * step.pace))
        values[Channel.SIDE] -= lean
        values[Channel.LIST] -= 0.5 * lean
        values[Channel.HEAD_YAW] = shoulders + 0.22 * float(np.tanh(step.turning))
        values[Channel.HEAD_NOD] = -0.7 * manner.slouch + 0.02 * amount * cos(2 * turn - 1.2)
        values[Channel.HEAD_TILT] = -0.5 * values[Channel.SIDE]
        reach = (0.62 if running else 0.40) * manner.arm_swing * amount
        for side, sign in enumerate(SIDES):
            first = Channel.RIGHT_FLEX if side == 0 else Channel.LEFT_FLEX
            forth = -cos(turn + pi * side - 0.2)  # the arm goes with the other leg
            swing = reach * (1 + sign * manner.uneven / 0.4)
            values[first] = (0.0 if running else 0.02) + swing * (0.85 * forth + (-0.12 if running else 0.06))
            values[first + 1] = manner.arm_gap + 0.02 * amount * (1 - forth) + (0.10 if running else 0.0)
            values[first + 2] = (0.32 if running else 0.18) + 0.12 * amount * forth
            bend = 0.35 * amount * manner.arm_swing * (0.5 + 0.5 * forth) ** 1.5
            values[first + 3] = manner.elbow + bend * (0.6 if running else 1.0)
            values[first + 4] = 0.15 + 0.1 * forth
            values[first + 5] = 0.1
        return values

    def _rolled(self, pitch: float) -> tuple[float, float]:
        """Give how far along its foothold and how high the ankle is when the foot is pitched about heel or ball."""
        along, up = roll(pitch, self._heel, self._ball, self._ankle)
        return float(along), float(up)

    def _fit(self, share: float) -> tuple[float, float]:
        """Find how high the pelvis can be, and how much it may rise and fall, with a stride of a given share."""
        shape, skeleton = self._shape, self.skeleton
        stride = share * shape.full_stride * self.leg
        upper, lower = skeleton.thigh_length, skeleton.calf_length
        knee = 0.10 + (shape.knee - 0.10) * min(1.0, share)
        length = sqrt(upper**2 + lower**2 + 2 * upper * lower * cos(knee))
        hip = skeleton.joints[THIGHS[0]]
        drop = float(skeleton.joints[Bone.PELVIS, 2] - hip[2])
        roll = min(1.15, share)
        phases = np.linspace(0, 1, 60, endpoint=False)
        allowed = np.full(60, np.inf)
        for i, phase in enumerate(phases):
            for side in range(2):
                within = (phase + 0.5 * side) % 1.0
                if within > shape.duty:
                    continue
                along, up = self._rolled(roll * _read(shape.pitch, within))
                forward = (shape.under - within) * stride + along
                across = abs(float(hip[0])) - self.half_width
                room = length**2 - forward**2 - across**2
                allowed[i] = min(allowed[i], up + sqrt(max(room, 0.01)) + drop)
        rhythm = -np.cos(4 * pi * (phases - shape.lowest))
        most = 0.035 if self.manner.running else 0.03
        best = max(
            (float((allowed - bob * rhythm).min()) - 0.15 * bob, bob)
            for bob in np.linspace(0, most * min(1.0, share) * skeleton.scale, 16)
        )
        bob = best[1] if not self.manner.running else most * min(1.0, share) * skeleton.scale
        bob *= self.manner.bounce
        return float((allowed - bob * rhythm)[np.isfinite(allowed)].min()), bob
