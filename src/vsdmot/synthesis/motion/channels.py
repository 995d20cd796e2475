"""The numbers that say how a person holds itself, apart from where its feet stand.

A motion is a function of time that fills one array of channels; gaits, gestures, loads and dance moves are laid over
each other there, where a mix of two poses is again a pose, and `body.py` turns the sum into bones.

Lengths are metres of the reference body (a child's are smaller), angles are radians. "Forward" is where the person's
course looks; turns are counter-clockwise from above, that is to the left; leans and tilts are positive to the right.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Channel(IntEnum):
    """One number of a pose each; 0 everywhere is a person who stands straight with hanging arms.

    The arms' channels: ``FLEX`` swings the arm forwards, ``RAISE`` lifts it sideways (before it is swung), ``TWIST``
    turns it about itself, inwards, ``ELBOW`` bends, ``TURN`` turns the palm from the thigh to the back, ``WRIST`` bends
    the hand towards the palm. The feet's channels move a foot from where it stands; ``PITCH`` raises the toes.
    """

    FORWARD = 0
    RIGHT = 1
    UP = 2
    YAW = 3
    LIST = 4
    TILT = 5
    BEND = 6
    SIDE = 7
    TORSION = 8
    HEAD_YAW = 9
    HEAD_NOD = 10
    HEAD_TILT = 11
    JUMP = 12
    RIGHT_FLEX = 13
    RIGHT_RAISE = 14
    RIGHT_TWIST = 15
    RIGHT_ELBOW = 16
    RIGHT_TURN = 17
    RIGHT_WRIST = 18
    LEFT_FLEX = 19
    LEFT_RAISE = 20
    LEFT_TWIST = 21
    LEFT_ELBOW = 22
    LEFT_TURN = 23
    LEFT_WRIST = 24
    RIGHT_FOOT_FORWARD = 25
    RIGHT_FOOT_OUT = 26
    RIGHT_FOOT_UP = 27
    RIGHT_FOOT_YAW = 28
    RIGHT_FOOT_PITCH = 29
    LEFT_FOOT_FORWARD = 30
    LEFT_FOOT_OUT = 31
    LEFT_FOOT_UP = 32
    LEFT_FOOT_YAW = 33
    LEFT_FOOT_PITCH = 34


NUM_CHANNELS = len(Channel)

ARMS = (slice(Channel.RIGHT_FLEX, Channel.LEFT_FLEX), slice(Channel.LEFT_FLEX, Channel.RIGHT_FOOT_FORWARD))
"""The six channels of the right and of the left arm: flex, raise, twist, elbow, turn, wrist."""

FOOT_CHANNELS = (
    slice(Channel.RIGHT_FOOT_FORWARD, Channel.LEFT_FOOT_FORWARD),
    slice(Channel.LEFT_FOOT_FORWARD, NUM_CHANNELS),
)
"""The five channels of the right and of the left foot: forward, out, up, yaw, pitch."""

HEAD = slice(Channel.HEAD_YAW, Channel.JUMP)
"""Yaw, nod and tilt of the head."""


def blank() -> Array:
    """Make channels of a person who stands straight."""
    return np.zeros(NUM_CHANNELS)


def channels(**degrees_or_metres: float) -> Array:
    """Write channels by name, in degrees where they are angles; ``arms_flex`` and the like set both sides.

    >>> float(channels(arms_elbow=90)[Channel.LEFT_ELBOW].round(3))
    1.571
    """
    values = blank()
    for name, value in degrees_or_metres.items():
        upper = name.upper()
        both = [upper.replace("ARMS_", f"{side}_").replace("FEET_", f"{side}_FOOT_") for side in ("RIGHT", "LEFT")]
        for channel in {Channel[key] for key in both}:
            values[channel] = value if channel in _LENGTHS else np.deg2rad(value)
    return values


def stepped(old: Array, new: Array, gone: float) -> Array:
    """Go a part of the way from one pose to another; a foot that goes elsewhere is lifted on the way."""
    values: Array = old + gone * (new - old)
    for own in FOOT_CHANNELS:
        far = float(np.hypot(*(new[own.start : own.start + 2] - old[own.start : own.start + 2])))
        values[own.start + 2] += 0.8 * far * gone * (1 - gone)
    return values


def mirrored(values: Array) -> Array:
    """Swap right and left."""
    swapped = values.copy()
    for right, left in (ARMS, FOOT_CHANNELS):
        swapped[right], swapped[left] = values[left], values[right]
    swapped[_SIDEWAYS] *= -1
    return swapped


_LENGTHS = frozenset(
    channel
    for channel in Channel
    if channel.name.endswith(("FORWARD", "_OUT", "UP", "JUMP")) or channel is Channel.RIGHT
)
_SIDEWAYS = [
    Channel.RIGHT,
    Channel.YAW,
    Channel.LIST,
    Channel.SIDE,
    Channel.TORSION,
    Channel.HEAD_YAW,
    Channel.HEAD_TILT,
]
