"""From measures to names: how far each defect goes, as a multiple of what makes it one, and which is the main one.

The limits were chosen on rendered scenes and three real clips; ``docs/triage.md`` says on which, and how often the
right name comes out on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from vsdmot.triage.measures import PictureMeasures

Defect = Literal[
    "dark",
    "low contrast",
    "noise",
    "blur",
    "motion blur",
    "enlarged",
    "compression",
    "small picture",
    "repeated frames",
]
DEFECTS: tuple[Defect, ...] = get_args(Defect)

EXPLANATIONS: Mapping[Defect, str] = {
    "dark": "too little light",
    "low contrast": "grey all over: fog, glare, a dirty or covered lens",
    "noise": "grain: high gain, little light, a poor sensor",
    "blur": "out of focus, or smoothed",
    "motion blur": "camera or people moved during the exposure",
    "enlarged": "stored with more pixels than were filmed",
    "compression": "too few bits: blocks, and patches wiped clean",
    "small picture": "few pixels",
    "repeated frames": "frames that show nothing new: dropped, frozen, or a rate that was raised",
}

# Each is the value at which a measure alone makes the defect.
DARK_LEVEL = 70.0  # grey levels of the mean
FLAT_SPAN = 60.0  # grey levels between the 2nd and 98th percentile
NOISE_SIGMA = 3.0  # grey levels, at either scale
EDGE_WIDTH = 1.0  # px
MOVED_WIDTH, MOVED_RATIO = 2.05, 1.75  # px in the widest direction, and times the narrowest
MOVED_SHARE = 0.8  # of the narrowest edges' width counts as blur besides
GRID_STEPS = 1.4  # grey levels
SMALL_SIDE, MOST_FOR_SMALL = 300.0, 1.3  # px; a small picture can be spoilt by worse
REPEATED_SHARE = 0.07  # of the frames

# Periods of enlargement and blocks, as multiples of their neighbourhood in the spectrum.
ENLARGED, DOUBLED, BLOCKS = 5.0, 4.5, 2.5
ABOVE_BLOCKS = 2.5  # times the period of blocks, which comes with others
UNCODED_STEPS = 0.2  # grey levels: with more, a period of 2 or 4 pixels may be that of H.264's small blocks
ENLARGED_WIDTH = 0.85  # px: an enlarged picture has soft edges, else it does not matter

CALM = 1.3  # grey levels: below, patches were wiped clean by coding; see `PictureMeasures.calm`
WIPED_BLOCKS = 2.0  # flat graphics have calm patches too, but no blocks


def strengths(found: PictureMeasures, repeated: float = 0.0) -> dict[Defect, float]:
    """Say how far each defect goes: 1 is where it begins, 2 is twice as far.

    A defect that explains another takes its place: darkness makes pictures flat; enlargement, coding and motion widen
    edges.

    Args:
        found: What was measured.
        repeated: Share of frames that repeat the one before, 0 to 1.
    """
    coded = found.steps / GRID_STEPS
    if found.blocks > WIPED_BLOCKS:
        coded += max(0.0, 1.0 - found.calm / CALM)
    moved = found.greatest_edge > MOVED_RATIO * found.least_edge
    width = MOVED_SHARE * found.least_edge if moved else found.edge
    uncoded = found.blocks < BLOCKS and found.steps < UNCODED_STEPS
    periodic = found.enlargement > max(ENLARGED, ABOVE_BLOCKS * found.blocks)
    enlarged = width > ENLARGED_WIDTH and (periodic or (found.doubling > DOUBLED and uncoded))
    if coded > 0.8 and found.blocks > BLOCKS:  # blur after coding would have wiped the blocks out
        width *= 0.7
    return {
        "dark": DARK_LEVEL / (found.level + 1.0),
        "low contrast": FLAT_SPAN / (found.span + 1.0) * min(1.0, found.level / DARK_LEVEL),
        "noise": max(found.fine_noise, found.coarse_noise) / NOISE_SIGMA,
        "blur": 0.0 if enlarged else width / EDGE_WIDTH,
        "motion blur": found.greatest_edge / MOVED_WIDTH if moved else 0.0,
        "enlarged": 1.2 * width / EDGE_WIDTH if enlarged else 0.0,
        "compression": coded,
        "small picture": min(MOST_FOR_SMALL, SMALL_SIDE / max(found.side, 1.0)),
        "repeated frames": repeated / REPEATED_SHARE,
    }


def main_defect(found: Mapping[Defect, float]) -> Defect | None:
    """Give the defect that goes furthest, if any goes as far as 1.

    >>> main_defect({"dark": 0.5, "noise": 1.4, "blur": 1.2})
    'noise'
    >>> main_defect({"dark": 0.5}) is None
    True
    """
    worst = max(found, key=lambda name: found[name])
    return worst if found[worst] >= 1.0 else None
