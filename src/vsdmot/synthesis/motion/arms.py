"""Where people put their hands: each place as the channels of the arm that brings the hand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.body import reach
from vsdmot.synthesis.skeleton import UPPER_ARMS, Bone, Skeleton

Array = NDArray[np.float64]

Hold = Literal[
    "hip", "pocket", "crossed_over", "crossed_under", "phone", "ear", "clasped", "back", "face", "strap", "photo",
    "talk", "wave", "point", "box", "trolley", "pull", "bag", "child", "guided", "lap", "knee", "table",
]  # fmt: skip
"""A place for one hand."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the wrist goes on the reference body, x to the arm's own side, and how the arm gets there, in degrees."""

    x: float
    y: float
    z: float
    swivel: float
    turn: float = 0.0
    wrist: float = 0.0


_SPOTS: dict[Hold, _Spot] = {
    "hip": _Spot(0.225, 0.03, 1.02, 85, 60, 20),
    "pocket": _Spot(0.215, 0.055, 0.965, 40, 30, 5),
    "crossed_over": _Spot(-0.075, 0.205, 1.215, 35, 20, 10),
    "crossed_under": _Spot(-0.055, 0.174, 1.165, 35, 20, 10),
    "phone": _Spot(0.07, 0.27, 1.225, 25, -60, 10),
    "ear": _Spot(0.155, 0.09, 1.50, 20, -20, 20),
    "clasped": _Spot(0.075, 0.178, 0.93, 35, 40, 15),
    "back": _Spot(0.07, -0.20, 1.00, 60, -60, 10),
    "face": _Spot(0.07, 0.19, 1.49, 40, -30, 25),
    "strap": _Spot(0.125, 0.165, 1.30, 30, 0, 15),
    "photo": _Spot(0.09, 0.33, 1.47, 40, 20, 15),
    "talk": _Spot(0.20, 0.27, 1.12, 15, -20, 0),
    "wave": _Spot(0.36, 0.14, 1.62, 40, 60, 0),
    "point": _Spot(0.27, 0.47, 1.38, 45, 60, 0),
    "box": _Spot(0.19, 0.33, 1.10, 30, -25, 0),
    "trolley": _Spot(0.17, 0.42, 1.05, 40, 75, -15),
    "pull": _Spot(0.245, -0.20, 0.86, 20, -40, 0),
    "bag": _Spot(0.235, 0.0, 0.865, 20, 5, 0),
    "child": _Spot(0.265, 0.06, 0.89, 20, 30, 0),
    "guided": _Spot(0.27, 0.12, 1.40, 12, 20, 0),
    "lap": _Spot(0.10, 0.29, 1.06, 35, 60, 5),
    "knee": _Spot(0.14, 0.38, 1.055, 30, 75, 10),
    "table": _Spot(0.13, 0.40, 1.10, 55, 80, 0),
}


def arm(skeleton: Skeleton, side: int, hold: Hold, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Array:
    """Give the six channels of an arm whose hand is at a place.

    Args:
        skeleton: The person; the place moves with its own hips, shoulders and head.
        side: 0 right, 1 left.
        hold: The place.
        shift: Metres of the reference body added to it: outwards, forwards, upwards.
    """
    spot = _SPOTS[hold]
    place = np.array([spot.x, spot.y, spot.z]) + shift
    fitted = skeleton.scale * place
    fitted[2] = _height(skeleton, float(place[2]))
    # Hands meet the trunk where this person's shoulders let them: wide people reach farther in.
    width = abs(float(skeleton.joints[UPPER_ARMS[0], 0])) / 0.175
    fitted[0] = place[0] * (0.5 * skeleton.scale + 0.5 * width if place[2] > 1.1 else skeleton.scale)
    swivel, turn, wrist = np.deg2rad([spot.swivel, spot.turn, spot.wrist]).tolist()
    return reach(skeleton, side, fitted, swivel=swivel, turn=turn, wrist=wrist)


def _height(skeleton: Skeleton, z: float) -> float:
    """Carry a height on the reference body over to a person's own hips, shoulders and crown."""
    own = [
        0.0,
        float(skeleton.joints[Bone.RIGHT_THIGH, 2]),
        float(skeleton.joints[UPPER_ARMS[0], 2]),
        float(skeleton.joints[Bone.HEAD, 2]),
        float(skeleton.crown[2]),
    ]
    return float(np.interp(z, [0.0, 0.92, 1.412, 1.55, 1.755], own))
