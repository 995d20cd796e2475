"""Make a place of a style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from vsdmot.synthesis.world.dance_rooms import gym, stage, studio
from vsdmot.synthesis.world.halls import corridor, entrance, mall, station
from vsdmot.synthesis.world.open_places import courtyard, park, parking
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.streets import pedestrian_zone, plaza, street

Style = Literal["dance", "street", "surveillance"]

_Maker = Callable[[np.random.Generator], Place]

KINDS: dict[Style, tuple[tuple[_Maker, float], ...]] = {
    "dance": ((studio, 0.36), (stage, 0.24), (gym, 0.2), (plaza, 0.2)),
    "street": (
        (street, 0.35),
        (pedestrian_zone, 0.3),
        (plaza, 0.2),
        (park, 0.15),
    ),
    "surveillance": (
        (mall, 0.18),
        (station, 0.14),
        (corridor, 0.12),
        (entrance, 0.12),
        (parking, 0.16),
        (courtyard, 0.14),
        (pedestrian_zone, 0.14),
    ),
}


def make_place(style: Style, rng: np.random.Generator) -> Place:
    """Make a place by chance.

    Args:
        style: What is filmed in it.
        rng: The same state gives the same place, to the bit.
    """
    makers = KINDS[style]
    chances = np.array([share for _, share in makers])
    return makers[int(rng.choice(len(makers), p=chances / chances.sum()))][0](rng)
