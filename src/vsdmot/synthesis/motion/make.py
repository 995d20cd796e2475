"""Make the motion of a person by kind; groups that dance come from `Choreography`.

path = Path([(0, 0), (0, 5), (4, 9)], speed=1.3, waits={1: 4.0})
walker = make_motion("walk", skeleton, rng, path=path, item="handbag")
sitter = make_motion("sit", skeleton, rng, place=Place(2.0, 3.0, 0.0), seat=0.45)
dancers = Choreography(rng, 6, centre=Place(0.0, 6.0, pi)).dancers(skeletons)
"""

from __future__ import annotations

from math import pi
from typing import Literal

import numpy as np

from vsdmot.synthesis.motion.body import Place
from vsdmot.synthesis.motion.carry import Holds, hands_at_rest, kept, load
from vsdmot.synthesis.motion.channels import Channel, blank, channels
from vsdmot.synthesis.motion.choreography import Choreography
from vsdmot.synthesis.motion.course import Course, Leg
from vsdmot.synthesis.motion.gait import Manner
from vsdmot.synthesis.motion.layers import Added, Idle, Layer, Looks, Stance
from vsdmot.synthesis.motion.motion import Item, Motion
from vsdmot.synthesis.motion.path import Path
from vsdmot.synthesis.motion.sit import Sitting
from vsdmot.synthesis.motion.timing import LAST, pick
from vsdmot.synthesis.motion.upright import Upright
from vsdmot.synthesis.skeleton import Skeleton

Kind = Literal["walk", "run", "stand", "turn", "sit", "crouch", "dance"]
"""A kind of motion. ``turn`` stands and turns on the spot; ``dance`` is one person who makes up its own moves."""

_STROLLING: tuple[Holds, ...] = (("pocket", "pocket"), (None, "pocket"), ("back", "back"))

_LOW = (
    # Squatting on the balls of the feet, picking something up, kneeling down to a shoe, looking at something low.
    {"up": -0.50, "forward": -0.05, "tilt": 24, "bend": 22, "feet_pitch": -32, "feet_yaw": 10, "feet_out": 0.04,
     "arms_flex": 62, "arms_elbow": 45, "arms_twist": 15, "head_nod": -20},
    {"up": -0.14, "forward": -0.17, "tilt": 48, "bend": 48, "right_flex": 92, "left_flex": 45, "left_elbow": 50,
     "side": 6,
     "head_nod": -12},
    {"up": -0.42, "forward": -0.12, "tilt": 20, "bend": 48, "right_foot_forward": 0.02, "left_foot_forward": -0.46,
     "left_foot_pitch": -52, "arms_flex": 74, "arms_elbow": 15, "arms_twist": 10},
    {"up": -0.13, "forward": -0.12, "tilt": 30, "bend": 26, "arms_flex": 40, "arms_elbow": 35, "arms_twist": 15,
     "head_nod": -15},
)  # fmt: skip


def make_motion(
    kind: Kind,
    skeleton: Skeleton,
    rng: np.random.Generator,
    *,
    path: Path | None = None,
    place: Place | None = None,
    item: Item = "none",
    seat: float = 0.45,
    hands: Holds | None = None,
) -> Motion:
    """Make the motion of one person.

    Args:
        kind: What it does.
        skeleton: The person.
        rng: Source of randomness; everything random is drawn here, none while the motion runs.
        path: Where a walker or runner goes, and where it waits.
        place: Where all others are and which way they face.
        item: What the person has with it; dancers, runners and crouching people have nothing in their hands.
        seat: Height of the seat in metres.
        hands: Where the hands stay, for people on their feet; an adult's right hand that leads a child is
            ``("child", None)``, the child's left hand ``(None, "guided")``.
    """
    if kind in ("walk", "run"):
        if path is None:
            raise ValueError(f"a {kind} needs a path")
        return _on_path(kind == "run", skeleton, rng, path, item, hands)
    if place is None:
        raise ValueError(f"{kind!r} needs a place")
    if kind == "sit":
        return Sitting(skeleton, rng, place, seat=seat, item=item)
    if kind == "dance":
        return Choreography(rng, 1, centre=place, freestyle=1.0).dancers([skeleton])[0]
    leg = skeleton.thigh_length + skeleton.calf_length
    manner = Manner.draw(rng)
    layers: list[Layer] = [Idle(rng)]
    course = Course.still(place, leg=leg)
    if kind == "turn":
        course = Course.through(place, _turns(rng, place), leg=leg, cadence=manner.cadence)
    else:
        layers.append(Stance(rng))
    layers += load(skeleton, rng, item)
    if kind == "crouch":
        layers = [Idle(rng, restless=0.4), _low(rng)]
    elif item in ("none", "backpack") and hands is None:
        layers.append(hands_at_rest(skeleton, rng))
    if hands is not None:
        layers.append(kept(skeleton, rng, hands))
    layers.append(Looks(rng))
    return Upright(skeleton, manner, course, layers, name=kind, item=item)


def _on_path(
    running: bool, skeleton: Skeleton, rng: np.random.Generator, path: Path, item: Item, hands: Holds | None
) -> Upright:
    """Make a walker or a runner."""
    manner = Manner.draw(rng, running=running)
    leg = skeleton.thigh_length + skeleton.calf_length
    course = Course.along(path, leg=leg, cadence=manner.cadence, running=running)
    layers: list[Layer] = [Idle(rng)]
    layers += load(skeleton, rng, item)
    if hands is not None:
        layers.append(kept(skeleton, rng, hands))
    elif item == "none" and not running and rng.random() < 0.2:
        layers.append(kept(skeleton, rng, pick(rng, _STROLLING)))
    layers.append(Looks(rng, widest=0.4 if running else 0.75))
    return Upright(skeleton, manner, course, layers, name="run" if running else "walk", item=item)


def _turns(rng: np.random.Generator, place: Place) -> list[Leg]:
    """Draw turns on the spot, small ones and all the way round."""
    legs: list[Leg] = []
    time, yaw = float(rng.uniform(0.0, 1.5)), place.yaw
    while time < LAST:
        angle = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(0.7, pi))
        yaw += angle
        shift = rng.normal(0, 0.05, 2)
        seconds = 0.7 + abs(angle) / float(rng.uniform(1.1, 1.8))
        legs.append(Leg(time, time + seconds, Place(place.x + float(shift[0]), place.y + float(shift[1]), yaw)))
        time += seconds + float(rng.uniform(1.0, 5.0))
    return legs


def _low(rng: np.random.Generator) -> Added:
    """Draw times of squatting and bending down, and of standing up between them."""
    starts, values, fades = [-2.0], [blank()], [1.0]
    time = float(rng.uniform(-1.5, 0.5))
    while time < LAST:
        low = channels(**pick(rng, _LOW))
        low[Channel.TORSION] += rng.normal(0, 0.06)
        starts += [time, time + (down := float(rng.uniform(2.5, 9.0)))]
        values += [low, blank()]
        fades += [float(rng.uniform(0.9, 1.4)), float(rng.uniform(0.9, 1.3))]
        time += down + float(rng.uniform(1.5, 5.0))
    return Added(starts, values, fades)
