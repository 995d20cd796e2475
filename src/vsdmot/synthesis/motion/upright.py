"""People on their feet: a course, a gait on it, and layers of what they do meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from vsdmot.synthesis.motion.body import assemble
from vsdmot.synthesis.motion.course import Course
from vsdmot.synthesis.motion.gait import Gait, Manner
from vsdmot.synthesis.motion.layers import Layer
from vsdmot.synthesis.motion.motion import Footprint, Item
from vsdmot.synthesis.motion.timing import ease
from vsdmot.synthesis.skeleton import Pose, Skeleton


class Upright:
    """Walk, run, stand, turn, stop and go on.

    Attributes:
        name: The kind of motion.
        item: What the person has with it.
        course: Where it goes.
    """

    name: str
    item: Item
    course: Course

    def __init__(
        self,
        skeleton: Skeleton,
        manner: Manner,
        course: Course,
        layers: Sequence[Layer] = (),
        *,
        name: str,
        item: Item = "none",
    ) -> None:
        """Take the parts.

        Args:
            skeleton: The person.
            manner: How it moves.
            course: Where it goes; made with this person's leg length and cadence.
            layers: What it does meanwhile, in order.
            name: The kind of motion.
            item: What it has with it.
        """
        self.name = name
        self.item = item
        self.course = course
        self._skeleton = skeleton
        self._gait = Gait(skeleton, manner)
        self._layers = tuple(layers)

    def at(self, time: float) -> Pose:
        """Give the pose of a moment."""
        step = self.course.at(time)
        share = self._gait.share(self.course, step)
        values = self._gait.channels(step, share)
        for layer in self._layers:
            layer.apply(values, time, share)
        sink = 1 - ease(share * 2.5)
        feet = self._gait.feet(self.course, step, share)
        return assemble(self._skeleton, values, step.place, feet, self._gait.height(share, step.phase), sink=sink)

    def footprint(self, time: float) -> Footprint:
        """Give the ground that the person needs at a moment."""
        place = self.course.at(time).place
        return Footprint(place.x, place.y, 0.32 * self._skeleton.proportions.stature / 1.755 + 0.03)

    def heading(self, time: float) -> float:
        """Give the way the person faces."""
        return self.course.at(time).place.yaw
