"""What a motion is: the pose of one person at any moment, the same for every run that draws it from the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from vsdmot.synthesis.skeleton import Pose

Item = Literal["none", "backpack", "handbag", "box", "phone", "trolley"]
"""What a person has with it; see `vsdmot.synthesis.motion.carry` for the hand that holds it."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The ground that a person needs: the middle in metres and a radius within which trunk and feet lie."""

    x: float
    y: float
    radius: float


class Motion(Protocol):
    """The pose of one person as a smooth function of time.

    Attributes:
        name: The kind of motion, such as ``"walk"``; tables by pose use it.
        item: What the person has with it.
    """

    name: str
    item: Item

    def at(self, time: float) -> Pose:
        """Give the pose of a moment, in seconds; any time from -1 to 1000 has one."""

    def footprint(self, time: float) -> Footprint:
        """Give the ground that the person needs at a moment."""

    def heading(self, time: float) -> float:
        """Give the way the person faces, radians counter-clockwise from +y."""
