"""Dance moves: poses on the beats of a bar of eight, joined so that the body arrives a little before the beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.channels import NUM_CHANNELS, channels, mirrored, stepped
from vsdmot.synthesis.motion.timing import ease

Array = NDArray[np.float64]

BAR = 8.0
"""Beats of a move before it repeats."""


@dataclass(frozen=True, eq=False)
class Move:
    """A move of eight beats.

    Attributes:
        name: What it is.
        beats: When each pose is reached, ascending in [0, 8); the feet stand where they belong at 0.
        poses: ``(len(beats), 35)`` channels.
        snap: Share of the time between two poses that the change takes; small is sharp, 1 flows.
    """

    name: str
    beats: Array
    poses: Array
    snap: float

    def at(self, beat: float) -> Array:
        """Give the channels at a beat; it repeats after eight."""
        beat = beat % BAR
        after = int(np.searchsorted(self.beats, beat, side="right"))
        before = after - 1
        start = self.beats[before] if before >= 0 else self.beats[-1] - BAR
        end = self.beats[after] if after < len(self.beats) else self.beats[0] + BAR
        share = (beat - start) / (end - start)
        old, new = self.poses[before], self.poses[after % len(self.beats)]
        gone = ease(1 - (1 - share) / self.snap)
        return stepped(old, new, gone)


def _move(name: str, keys: Sequence[tuple[float, dict[str, float]]], *, snap: float = 0.8, both: bool = True) -> Move:
    """Write a move; with ``both`` its four beats are given, and repeated for the other side."""
    beats = [beat for beat, _ in keys]
    poses = [channels(**pose) for _, pose in keys]
    if both:
        beats += [beat + BAR / 2 for beat in beats]
        poses += [mirrored(pose) for pose in poses]
    return Move(name, np.array(beats), np.stack(poses), snap)


_READY = {"arms_flex": 15.0, "arms_raise": 14.0, "arms_twist": 30.0, "arms_elbow": 60.0, "arms_turn": 20.0}
_HIPS = {"arms_flex": -19.0, "arms_raise": 48.0, "arms_twist": 42.0, "arms_elbow": 86.0, "arms_turn": 50.0}
_HANG = {"arms_flex": 5.0, "arms_raise": 12.0, "arms_twist": 15.0, "arms_elbow": 20.0}


def _arms(side: str, flex: float, lift: float, twist: float, elbow: float, turn: float = 0.0) -> dict[str, float]:
    """Name one arm's (``"right"``, ``"left"``) or both arms' (``"arms"``) channels, in degrees."""
    return {
        f"{side}_flex": flex,
        f"{side}_raise": lift,
        f"{side}_twist": twist,
        f"{side}_elbow": elbow,
        f"{side}_turn": turn,
    }


MOVES: tuple[Move, ...] = (
    _move(
        "step to the side",
        [
            (0, _READY),
            (1, {"right_foot_out": 0.30, "right": 0.17, "up": -0.05, "torsion": 12, **_arms("arms", 45, 20, 30, 75)}),
            (2, {"right_foot_out": 0.30, "left_foot_out": -0.26, "right": 0.28, "side": 6, **_arms("arms", -25, 18,
                 20, 60)}),
            (3, {"right_foot_out": 0.30, "right": 0.12, "up": -0.05, "torsion": -12, **_arms("arms", 45, 20, 30,
                 75)}),
        ],
    ),
    _move(
        "wave of the arms",
        [
            (0, {**_arms("arms", 0, 70, 0, 20), "up": -0.03}),
            (1, {**_arms("right", 0, 112, -10, 30), **_arms("left", 0, 62, 0, 10), "side": -7, "right": -0.05,
                 "head_yaw": -25}),
            (2, {**_arms("right", 0, 82, 30, 50), **_arms("left", 0, 78, 20, 55), "up": -0.05}),
            (3, {**_arms("right", 0, 62, 0, 10), **_arms("left", 0, 112, -10, 30), "side": 7, "right": 0.05,
                 "head_yaw": 25}),
        ],
        snap=1.0,
    ),
    _move(
        "arms up",
        [
            (0, {**_READY, "up": -0.06}),
            (1, {**_arms("arms", 10, 148, -10, 18), "head_nod": -15, "bend": -6}),
            (2, {**_arms("arms", 10, 100, -60, 85), "up": -0.07, "side": 8, "right": 0.06}),
            (3, {**_arms("arms", 10, 150, -10, 12), "head_nod": -15, "bend": -6, "side": -8, "right": -0.06}),
        ],
    ),
    _move(
        "punches",
        [
            (0, {**_arms("arms", 20, 25, 20, 115), "up": -0.05}),
            (1, {**_arms("right", 88, 8, 15, 12, 60), **_arms("left", -5, 28, 20, 118), "torsion": 28, "yaw": 10,
                 "up": -0.08}),
            (2, {**_arms("arms", 20, 25, 20, 115), "up": -0.05}),
            (3, {**_arms("left", 88, 8, 15, 12, 60), **_arms("right", -5, 28, 20, 118), "torsion": -28, "yaw": -10,
                 "up": -0.08}),
        ],
        snap=0.55,
    ),
    _move(
        "crossed arms",
        [
            (0, {**_HANG}),
            (1, {**_arms("right", 52, 4, 62, 82), **_arms("left", 34, 6, 62, 88), "bend": 10, "head_nod": 12}),
            (2, {**_arms("arms", 10, 85, -5, 12, 30), "bend": -6, "up": -0.04, "head_nod": -8}),
            (3, {**_arms("left", 52, 4, 62, 82), **_arms("right", 34, 6, 62, 88), "bend": 10, "torsion": 14}),
        ],
        snap=0.6,
    ),
    _move(
        "swaying hips",
        [
            (0, {**_HIPS, "right": 0.0}),
            (1, {**_HIPS, "right": 0.085, "list": -13, "side": 14, "up": -0.03, "head_tilt": 5}),
            (2, {**_HIPS, "forward": -0.05, "up": -0.05, "tilt": 12}),
            (3, {**_HIPS, "right": -0.085, "list": 13, "side": -14, "up": -0.03, "head_tilt": -5}),
        ],
        snap=1.0,
    ),
    _move(
        "kick",
        [
            (0, {**_READY, "up": -0.05}),
            (1, {**_READY, "up": -0.08, "right": -0.06, "forward": 0.02, "right_foot_forward": -0.10,
                 "right_foot_up": 0.12}),
            (
                2,
                {
                    **_arms("left", 70, 12, 15, 35),
                    **_arms("right", -35, 35, 10, 30),
                    "right": -0.09,
                    "bend": -4,
                    "right_foot_forward": 0.60,
                    "right_foot_up": 0.38,
                    "right_foot_pitch": 35,
                    "up": -0.02,
                },
            ),
            (3, {**_READY, "up": -0.06, "right": -0.03, "right_foot_up": 0.02}),
        ],
        snap=0.85,
    ),
    _move(
        "lifted knee",
        [
            (0, {**_READY, "up": -0.05}),
            (1, {**_arms("left", 65, 20, 40, 100), **_arms("right", -20, 30, 20, 70), "right": -0.07, "torsion": 14,
                 "right_foot_forward": 0.16, "right_foot_up": 0.40, "right_foot_pitch": -25}),
            (2, {**_READY, "up": -0.06}),
            (3, {**_arms("left", 65, 20, 40, 100), **_arms("right", -20, 30, 20, 70), "right": -0.07, "torsion": 14,
                 "right_foot_out": 0.10, "right_foot_up": 0.36, "right_foot_pitch": -25}),
        ],
    ),
    _move(
        "body roll",
        [
            (0, {**_HANG, "head_nod": -18, "bend": -4}),
            (1, {**_arms("arms", -15, 25, 10, 35), "bend": -16, "forward": -0.02, "head_nod": -12, "tilt": 6}),
            (2, {**_arms("arms", 10, 22, 20, 60), "bend": 22, "tilt": 12, "forward": -0.09, "up": -0.12,
                 "head_nod": 22}),
            (3, {**_arms("arms", 20, 20, 30, 80), "bend": 26, "tilt": -14, "forward": 0.07, "up": -0.10,
                 "head_nod": 14}),
        ],
        snap=1.0,
    ),
    _move(
        "squat",
        [
            (0, {**_READY}),
            (1, {**_arms("arms", 60, 25, 50, 80), "feet_out": 0.14, "feet_yaw": 18, "up": -0.06}),
            (2, {**_arms("arms", 80, 20, 50, 70), "feet_out": 0.20, "feet_yaw": 25, "up": -0.30, "forward": -0.14,
                 "tilt": 30,
                 "bend": 12, "head_nod": -25}),
            (3, {**_arms("arms", 60, 25, 50, 80), "feet_out": 0.16, "feet_yaw": 20, "up": -0.10, "tilt": 8}),
        ],
    ),
    _move(
        "jump",
        [
            (0, {**_READY}),
            (1, {**_arms("arms", -35, 20, 10, 25), "up": -0.20, "forward": -0.10, "tilt": 25, "bend": 14,
                 "head_nod": -18}),
            (1.75, {**_arms("arms", 20, 150, -10, 15), "jump": 0.24, "up": 0.03, "feet_pitch": -30, "feet_up": 0.02,
                    "bend": -5}),
            (2.5, {**_arms("arms", 30, 50, 20, 50), "up": -0.18, "forward": -0.08, "tilt": 20, "bend": 10}),
            (3.2, {**_READY, "up": -0.03}),
        ],
        snap=1.0,
    ),
    _move(
        "pointing up and down",
        [
            (0, {**_HANG, "left_elbow": 86, "left_raise": 48, "left_twist": 42, "left_flex": -19, "feet_out": 0.0}),
            (1, {**_arms("right", 10, 138, -5, 8), **_arms("left", -19, 48, 42, 86), "right": 0.07, "side": -9,
                 "head_yaw": -30,
                 "list": -8, "head_nod": -12}),
            (2, {**_arms("right", 42, -4, 30, 28), **_arms("left", -19, 48, 42, 86), "right": -0.07, "side": -3,
                 "torsion": 26,
                 "head_yaw": 15, "head_nod": 16, "up": -0.06}),
            (3, {**_arms("right", 10, 138, -5, 8), **_arms("left", -19, 48, 42, 86), "right": 0.07, "side": -9,
                 "head_yaw": -30,
                 "list": -8, "head_nod": -12}),
        ],
        snap=0.6,
    ),
    _move(
        "clapping",
        [
            (0, {**_arms("arms", 62, 26, 46, 72), "up": -0.04}),
            (1, {**_arms("arms", 66, 8, 40, 78), "right": 0.06, "list": -6, "side": 6}),
            (2, {**_arms("arms", 62, 30, 46, 72), "up": -0.04}),
            (3, {**_arms("arms", 66, 8, 40, 78), "right": -0.06, "list": 6, "side": -6}),
        ],
        snap=0.7,
    ),
    _move(
        "lunge",
        [
            (0, {**_READY}),
            (1, {**_arms("right", 10, 95, 0, 12), **_arms("left", 0, 140, -10, 20), "right_foot_out": 0.46,
                 "right_foot_yaw": 35,
                 "right": 0.27, "up": -0.17, "side": -6, "head_yaw": -40}),
            (2.6, {**_arms("right", 10, 82, 0, 25), **_arms("left", 0, 150, -10, 12), "right_foot_out": 0.46,
                   "right_foot_yaw": 35,
                   "right": 0.30, "up": -0.21, "side": -10, "head_yaw": -45}),
        ],
        snap=0.6,
    ),
    _move(
        "down to the floor",
        [
            (0, {**_READY}),
            (1, {**_arms("arms", 45, 22, 25, 50), "feet_out": 0.05, "up": -0.18, "forward": -0.08, "tilt": 22,
                 "bend": 14}),
            (2, {**_arms("arms", 78, 14, 20, 14), "feet_out": 0.05, "feet_yaw": 12, "up": -0.50, "forward": -0.06,
                 "tilt": 26,
                 "bend": 34, "feet_pitch": -32, "head_nod": -10}),
            (5, {**_arms("right", 84, 10, 20, 10), **_arms("left", 15, 70, -40, 60), "feet_out": 0.05,
                 "feet_yaw": 12, "up": -0.48,
                 "forward": -0.05, "tilt": 22, "bend": 30, "feet_pitch": -32, "torsion": 18, "head_yaw": 25}),
            (6, {**_arms("arms", 40, 25, 25, 50), "feet_out": 0.05, "up": -0.20, "forward": -0.08, "tilt": 22,
                 "bend": 12}),
            (7, {**_arms("arms", 8, 148, -10, 12), "head_nod": -15, "bend": -6}),
        ],
        both=False,
    ),
    _move(
        "bending and rising",
        [
            (0, {**_HANG}),
            (1, {**_arms("arms", 72, 16, 15, 15), "tilt": 34, "bend": 44, "forward": -0.12, "up": -0.06,
                 "head_nod": 10}),
            (2, {**_arms("arms", 60, 35, 20, 50), "tilt": 20, "bend": 24, "forward": -0.07, "up": -0.08, "side": 14}),
            (3, {**_arms("arms", -10, 45, 0, 25), "bend": -14, "head_nod": -22}),
        ],
        snap=0.9,
    ),
    _move(
        "twist",
        [
            (0, {**_arms("arms", 30, 24, 25, 85), "up": -0.08}),
            (1, {**_arms("right", 45, 20, 25, 90), **_arms("left", 10, 30, 25, 80), "yaw": 24, "torsion": -40,
                 "up": -0.12,
                 "feet_pitch": 0, "right": 0.03}),
            (2, {**_arms("arms", 30, 24, 25, 85), "up": -0.08}),
            (3, {**_arms("right", 10, 30, 25, 80), **_arms("left", 45, 20, 25, 90), "yaw": -24, "torsion": 40,
                 "up": -0.12,
                 "right": -0.03}),
        ],
        snap=1.0,
    ),
    _move(
        "robot",
        [
            (0, {**_arms("right", 8, 80, -85, 88), **_arms("left", 8, 80, 75, 88), "up": -0.03}),
            (1, {**_arms("right", 8, 80, 75, 88), **_arms("left", 8, 80, -85, 88), "up": -0.03, "head_yaw": 25}),
            (2, {**_arms("arms", 8, 80, -85, 88), "torsion": 15, "up": -0.05}),
            (3, {**_arms("arms", 40, 12, 20, 92), "torsion": -15, "head_yaw": -25}),
        ],
        snap=0.4,
    ),
    _move(
        "crossing steps",
        [
            (0, {**_READY}),
            (1, {**_arms("right", 30, 75, 10, 25), **_arms("left", 45, 5, 50, 80), "right_foot_out": 0.25,
                 "right": 0.14, "up": -0.04}),
            (2, {**_arms("right", 45, 5, 50, 80), **_arms("left", 30, 75, 10, 25), "right_foot_out": 0.25,
                 "left_foot_out": -0.42,
                 "left_foot_forward": 0.16, "right": 0.30, "up": -0.07, "yaw": -14, "torsion": 18}),
            (3, {**_arms("right", 30, 75, 10, 25), **_arms("left", 45, 5, 50, 80), "right_foot_out": 0.25,
                 "right": 0.12, "up": -0.04}),
        ],
    ),
)  # fmt: skip
"""All moves; a choreography draws from them."""

TRAVELLING = tuple(move for move in MOVES if move.name in ("arms up", "clapping", "punches", "swaying hips"))
"""Moves of arms and trunk that go with steps to another place."""

assert all(move.poses.shape == (len(move.beats), NUM_CHANNELS) for move in MOVES)
