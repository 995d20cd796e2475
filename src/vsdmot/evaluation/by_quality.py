"""Accuracy against frame quality: the same results, split by the quartiles of Q.

The paper's claim is that semantics help where the picture is poor. This split tests it on real footage, without any
degradation of our making: all frames of all sequences are ordered by their quality, cut into four groups of the same
size, and each group is scored under the matching of the whole sequences (`by_frame`), so that the groups add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.evaluation.by_frame import FrameCounts

NUM_GROUPS = 4


@dataclass(frozen=True)
class QualityGroup:
    """Frames of similar quality.

    Attributes:
        low: Lowest quality among them.
        high: Highest quality among them.
        num_frames: How many.
        num_boxes: Boxes of people in them.
        scores: For each run, what `FrameCounts.scores` gives for these frames.
    """

    low: float
    high: float
    num_frames: int
    num_boxes: int
    scores: tuple[Mapping[str, float], ...]


def split_by_quality(
    qualities: Mapping[str, NDArray[np.float64]],
    runs: Sequence[Mapping[str, FrameCounts]],
    *,
    num_groups: int = NUM_GROUPS,
) -> list[QualityGroup]:
    """Split the frames of all sequences into groups of equal size by their quality, the poorest first.

    Frames of equal quality are never parted, so that groups may differ in size, and there may be fewer of them.

    Args:
        qualities: Sequence to ``(T,)`` quality of its frames; NaN where it is not known, which leaves the frame out.
        runs: For each run, sequence to what happened in its ``T`` frames.
        num_groups: How many groups.

    Raises:
        ValueError: Lengths or names differ, or no quality is known at all.
    """
    names = list(qualities)
    for run in runs:
        if set(run) != set(names) or any(len(run[name]) != len(qualities[name]) for name in names):
            raise ValueError("expected the quality of every frame of every sequence")
    quality = np.concatenate([np.empty(0), *qualities.values()])
    known = quality[~np.isnan(quality)]
    if not len(known):
        raise ValueError("no quality is known")
    # By the middle rank of its equals, which go together to where most of them belong.
    ordered = np.sort(known)
    rank = (np.searchsorted(ordered, quality, side="left") + np.searchsorted(ordered, quality, side="right")) / 2
    group_of = np.where(np.isnan(quality), -1, np.floor(num_groups * rank / len(known)))
    counts = [FrameCounts.joined(run[name] for name in names) for run in runs]
    groups = []
    for number in range(num_groups):
        frames = np.flatnonzero(group_of == number)
        if not len(frames):
            continue
        groups.append(
            QualityGroup(
                low=float(quality[frames].min()),
                high=float(quality[frames].max()),
                num_frames=len(frames),
                num_boxes=int(counts[0].num_truth[frames].sum()),
                scores=tuple(count.of(frames).scores() for count in counts),
            )
        )
    return groups
