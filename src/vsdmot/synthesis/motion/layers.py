"""What people do on top of walking and standing: shift their weight, look about, use their hands.

A layer changes the channels of a moment. Layers are laid in order; a later one covers the arms of an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sin
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.arms import Hold, arm
from vsdmot.synthesis.motion.channels import ARMS, Channel, channels, stepped
from vsdmot.synthesis.motion.timing import Holds, Wander, ease, spells
from vsdmot.synthesis.skeleton import Skeleton

Array = NDArray[np.float64]


class Layer(Protocol):
    """A change of channels."""

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change ``(35,)`` channels in place; the share is how long the strides are, 0 when standing."""


class Idle:
    """Breathing, small sway, and the weight on one leg and then on the other."""

    def __init__(self, rng: np.random.Generator, *, restless: float = 1.0) -> None:
        """Draw a person's unrest; ``restless`` above 1 moves more, below 1 less."""
        moments = spells(rng, 3.0, 11.0)
        stands = [rng.choice([-1.0, -0.4, 0.0, 0.4, 1.0]) for _ in moments]
        self._weight = Holds(moments, [np.array([stand]) for stand in stands], [1.3] * len(moments))
        self._wander = Wander(rng, 8, period=4.5)
        self._breath = float(rng.uniform(1.3, 1.9))
        self._restless = restless

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        still = 1 - ease(share * 2.5)
        weight = float(self._weight.at(time)[0]) * still * self._restless
        # The hip over the standing leg moves out and up, the other knee gives way, the trunk comes back.
        values[Channel.RIGHT] += 0.052 * weight
        values[Channel.LIST] -= 0.085 * weight
        values[Channel.SIDE] += 0.075 * weight
        values[Channel.HEAD_TILT] -= 0.02 * weight
        values[Channel.UP] -= 0.006 * weight * weight
        values[Channel.YAW] += 0.06 * weight
        drift = self._wander.at(time) * still * self._restless
        values[Channel.FORWARD] += 0.006 * drift[0]
        values[Channel.RIGHT] += 0.006 * drift[1]
        values[Channel.TORSION] += 0.035 * drift[2]
        values[Channel.BEND] += 0.015 * drift[3] + 0.008 * sin(self._breath * time)
        values[Channel.RIGHT_FLEX] += 0.05 * drift[4]
        values[Channel.LEFT_FLEX] += 0.05 * drift[5]
        values[Channel.RIGHT_ELBOW] += 0.06 * abs(drift[6]) ** 2 * 0.5
        values[Channel.LEFT_ELBOW] += 0.06 * abs(drift[7]) ** 2 * 0.5


class Looks:
    """Glances to the sides, to the ground and straight on; the shoulders follow a little."""

    def __init__(self, rng: np.random.Generator, *, widest: float = 0.9) -> None:
        """Draw the glances; ``widest`` is how far the head turns, radians."""
        moments = spells(rng, 1.2, 6.0)
        glances = []
        for _ in moments:
            straight = rng.random() < 0.4
            yaw = 0.0 if straight else float(np.clip(rng.normal(0, 0.5), -1, 1)) * widest
            glances.append(np.array([yaw, rng.normal(0.06, 0.10), rng.normal(0, 0.04)]))
        self._glances = Holds(moments, glances, rng.uniform(0.45, 0.9, len(moments)).tolist())

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        yaw, nod, tilt = (self._glances.at(time) * (1 - 0.45 * ease(share))).tolist()
        values[Channel.HEAD_YAW] += 0.8 * yaw
        values[Channel.TORSION] += 0.2 * yaw
        values[Channel.HEAD_NOD] += nod
        values[Channel.HEAD_TILT] += tilt


class Added:
    """Channels that are added, each array until the next one takes over."""

    def __init__(
        self, starts: Sequence[float], values: Sequence[Array], fades: Sequence[float], *, walking: bool = False
    ) -> None:
        """Take what is added from each moment on; see `Holds`. Walkers straighten up unless ``walking`` is set."""
        self._holds = Holds(starts, values, fades)
        self._walking = walking

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        values += stepped(*self._holds.between(time)) * (1.0 if self._walking else 1 - ease(share * 2.5))


class Stance:
    """Feet apart, staggered, turned out as this person stands; for courses that do not move."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw a stance."""
        width, stagger = float(rng.uniform(0.0, 0.075)), float(rng.normal(0, 0.05))
        self._feet = channels(
            feet_out=width,
            right_foot_forward=stagger,
            left_foot_forward=-stagger,
            right_foot_yaw=float(rng.normal(4, 6)),
            left_foot_yaw=float(rng.normal(4, 6)),
        )

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        del time, share
        values += self._feet


class Arms:
    """Arms that are kept somewhere, from one moment on or from time to time."""

    def __init__(
        self,
        skeleton: Skeleton,
        rng: np.random.Generator,
        sequence: Sequence[tuple[float, Sequence[Hold | None]]],
        *,
        fade: float = 1.0,
        lively: float = 0.3,
        nod: float = 0.0,
    ) -> None:
        """Take what the hands do.

        Args:
            skeleton: The person.
            rng: Source of randomness.
            sequence: Moments in seconds, and where right and left hand go then; None lets the arm hang or swing.
            fade: Seconds the arms take.
            lively: How much kept hands move, 0 not at all; talking hands always do.
            nod: Radians by which the head looks down while a hand holds a phone.
        """
        starts = [moment for moment, _ in sequence]
        poses: list[Array] = []
        weights: list[Array] = []
        for _, holds in sequence:
            pose, weight = np.zeros(12), np.zeros(6)
            for side, hold in enumerate(holds):
                if hold is None:
                    continue
                shift = tuple((rng.normal(0, 0.012, 3) * (1, 0.5, 1)).tolist())
                pose[6 * side : 6 * side + 6] = arm(skeleton, side, hold, shift)
                weight[side] = 1.0
                weight[2 + side] = 1.0 if hold in ("talk", "wave", "point") else lively * (hold not in _PINNED)
                weight[4] = max(weight[4], float(hold == "phone"))
                weight[5] = max(weight[5], float(hold == "wave") * (1 - 2 * side))
            if weight[0] == 0 and poses:
                pose[:6] = poses[-1][:6]
            if weight[1] == 0 and poses:
                pose[6:] = poses[-1][6:]
            poses.append(pose)
            weights.append(weight)
        # An arm that starts to be kept goes straight to its place and does not fade in from a pose of zeros.
        for i in range(len(poses) - 2, -1, -1):
            for side in range(2):
                if weights[i][side] == 0 and not poses[i][6 * side : 6 * side + 6].any():
                    poses[i][6 * side : 6 * side + 6] = poses[i + 1][6 * side : 6 * side + 6]
        fades = [fade] * len(starts)
        self._poses, self._weights = Holds(starts, poses, fades), Holds(starts, weights, fades)
        self._talk = Wander(rng, 12, period=1.3)
        self._small = Wander(rng, 12, period=3.0)
        self._nod = nod

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        del share
        old, new, gone = self._poses.between(time)
        pose, weights = old + gone * (new - old), self._weights.at(time)
        small = self._small.at(time)
        talk = self._talk.at(time)
        for side in range(2):
            weight = float(weights[side])
            if weight <= 0:
                continue
            own = slice(6 * side, 6 * side + 6)
            moves = float(weights[2 + side])
            kept = pose[own] + moves * (0.55 * small[own] + moves**3 * talk[own]) * _LIVELY
            # On its way elsewhere an arm gives the trunk a wide berth.
            kept[1] += 1.2 * min(1.0, float(np.abs(new[own] - old[own])[:3].max())) * gone * (1 - gone)
            values[ARMS[side]] = (1 - weight) * values[ARMS[side]] + weight * kept
        # The arms hang from the chest; what they hold does not turn with every step.
        values[Channel.TORSION] *= 1 - 0.5 * float(weights[:2].max())
        values[Channel.HEAD_NOD] += self._nod * float(weights[4])


_PINNED = ("pocket", "hip", "crossed_over", "crossed_under", "clasped", "back", "ear", "strap")
_LIVELY = np.array([0.10, 0.06, 0.16, 0.16, 0.20, 0.10])
