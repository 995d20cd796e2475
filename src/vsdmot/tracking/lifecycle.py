"""Births, losses and deaths of tracks: MOTRv2's run-time rules as pure functions on arrays.

The comparisons are MOTRv2's, edges included: born at ``score >= birth_threshold``, missed at
``score < keep_threshold``, updated and reported only above (strictly) their thresholds.

Note: the published code numbers tracks from 0 and goes on numbering from one sequence to the next; here ids start at 1
in every sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import area
from vsdmot.config import at_least, check, within
from vsdmot.structures import Boxes

NO_TRACK = -1
"""Id of a query that no track owns."""

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LifecycleConfig:
    """When tracks are born, kept, updated, reported and dropped. The defaults are MOTRv2's for DanceTrack.

    Attributes:
        birth_threshold: Score from which a new person becomes a track. Raising it gives fewer false tracks and later
            births, lowering it finds faint people sooner.
        keep_threshold: Score below which a tracked person counts as missed in this frame.
        update_threshold: Score above which a track's query is updated. Raising it protects the memory of a person
            from poor frames, lowering it follows changes of look faster.
        report_threshold: Score above which a track is reported.
        miss_tolerance: Frames in a row that a person may be missed; at this count the track ends. Raising it bridges
            longer occlusions, lowering it ends lost tracks sooner.
        min_area: Smallest reported box in square pixels of the original frame.
        max_tracks: Most people that are followed at a time; beyond it only the surest new ones become tracks, as far as
            there is room. The published code has no bound, so that weights which keep wrong tracks alive make it ever
            slower. Raising it matters in crowds larger than the default, lowering it bounds the time for a frame.
    """

    birth_threshold: float = 0.5
    keep_threshold: float = 0.5
    update_threshold: float = 0.5
    report_threshold: float = 0.5
    miss_tolerance: int = 20
    min_area: float = 100.0
    max_tracks: int = 500

    def __post_init__(self) -> None:
        check(
            self,
            birth_threshold=within(0, 1),
            keep_threshold=within(0, 1),
            update_threshold=within(0, 1),
            report_threshold=within(0, 1),
            miss_tolerance=at_least(1),
            min_area=at_least(0),
            max_tracks=at_least(1),
        )


@dataclass(frozen=True, kw_only=True)
class LifecycleOverrides:
    """Changes to the life cycle that a set of weights was saved with; null keeps what the weights say.

    Attributes:
        birth_threshold: Score from which a new person becomes a track. Raising it gives fewer false tracks and later
            births, lowering it finds faint people sooner.
        keep_threshold: Score below which a tracked person counts as missed in a frame. Raising it ends faint tracks
            sooner, lowering it holds on to them.
        update_threshold: Score above which a track's query is updated. Raising it protects the memory of a person
            from poor frames, lowering it follows changes of look faster.
        report_threshold: Score above which a track is reported. Raising it shows surer tracks only.
        miss_tolerance: Frames in a row that a person may be missed; at this count the track ends. Raising it bridges
            longer occlusions, lowering it ends lost tracks sooner.
        min_area: Smallest reported box in square pixels of the original frame.
        max_tracks: Most people that are followed at a time. Raising it matters in large crowds, lowering it bounds the
            time for a frame.
    """

    birth_threshold: float | None = None
    keep_threshold: float | None = None
    update_threshold: float | None = None
    report_threshold: float | None = None
    miss_tolerance: int | None = None
    min_area: float | None = None
    max_tracks: int | None = None

    def __post_init__(self) -> None:
        self.apply(LifecycleConfig())  # so that a value out of range is refused here, by its own name

    def apply(self, config: LifecycleConfig) -> LifecycleConfig:
        """Give ``config`` with these changes."""
        changes = {name: value for name, value in vars(self).items() if value is not None}
        return replace(config, **changes)


def advance(ids: Ids, missed: Ids, scores: Scores, next_id: int, config: LifecycleConfig) -> tuple[Ids, Ids, int]:
    """Apply one frame's scores to the queries of that frame.

    Args:
        ids: ``(N,)``, `NO_TRACK` for queries without a track.
        missed: ``(N,)``, frames in a row that each query's person was missed.
        scores: ``(N,)`` in [0, 1].
        next_id: Number for the next birth.
        config: Thresholds.

    Returns:
        The new ``ids`` (births numbered in query order, ended tracks back to `NO_TRACK`), ``missed`` and ``next_id``.
        Who would be born beyond ``max_tracks`` stays without a track.
    """
    tracked = ids != NO_TRACK
    lost = tracked & (scores < config.keep_threshold)
    born = ~tracked & (scores >= config.birth_threshold)
    missed = np.where(lost, missed + 1, np.where(scores >= config.keep_threshold, 0, missed))
    ended = lost & (missed >= config.miss_tolerance)
    room = config.max_tracks - int((tracked & ~ended).sum())
    if born.sum() > room:
        surest = np.argsort(np.where(born, -scores, np.inf), kind="stable")[: max(room, 0)]
        born = np.isin(np.arange(len(ids)), surest)
    num_born = int(born.sum())
    new_ids = np.where(ended, NO_TRACK, ids)
    new_ids[born] = np.arange(next_id, next_id + num_born)
    return new_ids, missed, next_id + num_born


def seen(scores: Scores, config: LifecycleConfig) -> NDArray[np.bool_]:
    """Tell which tracks, ``(K,)``, are sure enough for their query to be updated."""
    return scores > config.update_threshold


def reported(scores: Scores, boxes: Boxes, config: LifecycleConfig) -> NDArray[np.bool_]:
    """Tell which tracks, ``(K,)``, with ``xyxy`` boxes in pixels, are shown to the user."""
    return (scores > config.report_threshold) & (area(boxes) > config.min_area)
