"""Make a place of a style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from vsdmot.synthesis.world import indoor, outdoor
from vsdmot.synthesis.world.place import Place

Style = Literal["dance", "street", "surveillance"]

_Maker = Callable[[np.random.Generator], Place]

KINDS: dict[Style, tuple[tuple[_Maker, float], ...]] = {
    "dance": ((indoor.studio, 0.36), (indoor.stage, 0.24), (indoor.gym, 0.2), (outdoor.plaza, 0.2)),
    "street": (
        (outdoor.street, 0.35),
        (outdoor.pedestrian_zone, 0.3),
        (outdoor.plaza, 0.2),
        (outdoor.park, 0.15),
    ),
    "surveillance": (
        (indoor.mall, 0.18),
        (indoor.station, 0.14),
        (indoor.corridor, 0.12),
        (indoor.entrance, 0.12),
        (outdoor.parking, 0.16),
        (outdoor.courtyard, 0.14),
        (outdoor.pedestrian_zone, 0.14),
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
