"""People who have something with them: which hand holds it, and how it bends them.

The right hand holds a handbag (hanging), a phone (before the chest, or at the ear while walking) and the handle of a
trolley (behind the hip, the trolley behind it). A box lies on both forearms before the belly. A backpack hangs on the
shoulders.
"""

from __future__ import annotations

import numpy as np

from vsdmot.synthesis.motion.arms import Hold
from vsdmot.synthesis.motion.channels import channels
from vsdmot.synthesis.motion.layers import Added, Arms, Layer
from vsdmot.synthesis.motion.motion import Item
from vsdmot.synthesis.motion.timing import pick, spells
from vsdmot.synthesis.skeleton import Skeleton

Holds = tuple[Hold | None, Hold | None]
"""Where the right and the left hand are; None hangs or swings."""

_HELD: dict[Item, tuple[Holds, ...]] = {
    "none": ((None, None),),
    "backpack": ((None, None), (None, None), ("strap", "strap"), (None, "strap")),
    "handbag": (("bag", None), ("bag", "pocket"), ("bag", None)),
    "box": (("box", "box"),),
    "phone": (("phone", None), ("phone", "phone"), ("ear", None), ("ear", "pocket")),
    "trolley": (("pull", None),),
}

_POSTURES: dict[Item, dict[str, float]] = {
    "none": {},
    "backpack": {"bend": 5.0, "tilt": 3.0, "head_nod": -5.0},
    "handbag": {"side": -3.0, "torsion": 2.0},
    "box": {"bend": -6.0, "tilt": -1.0, "up": -0.01},
    "phone": {"bend": 3.0},
    "trolley": {"bend": 2.0, "torsion": -6.0, "side": 2.0},
}

_IDLE: tuple[Holds, ...] = (
    ("hip", "hip"),
    ("hip", None),
    ("pocket", "pocket"),
    (None, "pocket"),
    ("crossed_over", "crossed_under"),
    ("clasped", "clasped"),
    ("back", "back"),
    ("face", None),
    ("talk", "talk"),
    ("talk", None),
    (None, "talk"),
    ("wave", None),
    ("point", None),
    ("photo", "photo"),
)
"""What hands do that hold nothing, while their owner stands."""


def load(skeleton: Skeleton, rng: np.random.Generator, item: Item) -> list[Layer]:
    """Make the layers of someone who has an item; from time to time the grip changes.

    Args:
        skeleton: The person.
        rng: Source of randomness.
        item: What is carried.
    """
    posture = Added([0.0], [channels(**_POSTURES[item])], [1.0], walking=True)
    if item == "none":
        return [posture]
    return [posture, _hands(skeleton, rng, _HELD[item], 9.0, 40.0)]


def hands_at_rest(skeleton: Skeleton, rng: np.random.Generator) -> Layer:
    """Make the hands of someone who stands about: a few habits of its own, between them hanging arms."""
    habits = [pick(rng, _IDLE) for _ in range(4)]
    return _hands(skeleton, rng, [*habits, (None, None), (None, None)], 3.0, 12.0)


def kept(skeleton: Skeleton, rng: np.random.Generator, holds: Holds) -> Layer:
    """Make hands that stay where they are, such as an adult's ``"child"`` and a child's ``"guided"``."""
    return Arms(skeleton, rng, [(-2.0, holds)], lively=0.5)


def _hands(skeleton: Skeleton, rng: np.random.Generator, options: tuple[Holds, ...] | list[Holds], *gap: float) -> Arms:
    """Draw what hands do one after the other; the gap is the shortest and the longest time of each."""
    sequence: list[tuple[float, Holds]] = []
    for moment in spells(rng, gap[0], gap[1]):
        holds = pick(rng, options)
        if sequence and ("back" in holds) != ("back" in sequence[-1][1]):
            holds = (None, None)  # hands go behind the back past the sides, not through the trunk
        sequence.append((moment, holds))
    return Arms(skeleton, rng, sequence, fade=1.1, nod=0.45)
