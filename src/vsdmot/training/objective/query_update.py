"""Which queries of a frame go on to the next one in training, and under whose name (MOTRv2's QIM in training).

Published rule: whoever stands for a person and whoever is sure to see one is carried. A query whose box misses its
person loses the id, so that it must earn a person anew; a track whose person is absent is carried on unseen.

Note: MOTRv2 accepts ``random_drop`` and ``fp_ratio`` and never uses them. Here ``drop_rate`` and
``false_positive_rate`` do what the names say in MOTR; both are off by default, which is the published behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vsdmot.boxes import cxcywh_to_xyxy, iou
from vsdmot.training.objective.matcher import NOBODY, Integers, Matches

SURE = 0.5
"""A query with a score above it is carried and updated, as at inference."""

HIT = 0.5
"""A query whose box overlaps its person by no more than this IoU loses the id."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a frame's queries ended up with, on the CPU.

    Attributes:
        scores: ``(N,)`` float32, last layer.
        boxes: ``(N, 4)`` float32 ``cxcywh``, last layer.
        matches: Who is whom.
        truth: ``(G, 4)`` float32 ``cxcywh``.
    """

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    matches: Matches
    truth: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Carried:
    """The K queries that go on.

    Attributes:
        index: ``(K,)``, ascending, into the queries of the frame.
        ids: ``(K,)``, `NOBODY` for those that go on without a person.
        updated: ``(K,)``, True where content and anchor change to what the frame has shown.
    """

    index: Integers
    ids: Integers
    updated: NDArray[np.bool_]


def carry(
    seen: Seen,
    drop_rate: float,
    false_positive_rate: float,
    generator: torch.Generator | None,
    *,
    update_matched: bool = False,
) -> Carried:
    """Choose the queries that go on to the next frame.

    Args:
        seen: The frame.
        drop_rate: Probability that a track is not carried, so that its person must be found again.
        false_positive_rate: Probability that a track gets a wrong companion: the query that overlaps it most among
            those that stand for nobody and are not carried anyway. It goes on as if it had been sure, without id.
        generator: On the CPU; None draws from torch's global one.
        update_matched: Update who hits its person, however sure it is. As published, a network that is sure of nobody
            updates no query; then a track comes to the next frame as the very proposal that it was, and nothing tells
            it from the new proposal of the same person: trained from random weights it never becomes sure.
    """
    carried, updated = (seen.matches.ids != NOBODY) | (seen.scores > SURE), seen.scores > SURE
    missed = _missed(seen)
    ids = np.where(missed, NOBODY, seen.matches.ids)
    if update_matched:
        updated |= (seen.matches.person_of != NOBODY) & ~missed
    if drop_rate > 0:
        tracks = np.flatnonzero(carried & (ids != NOBODY))
        carried[tracks[_happens(len(tracks), drop_rate, generator)]] = False
    if false_positive_rate > 0:
        tracks = np.flatnonzero(carried & (ids != NOBODY))
        chosen = tracks[_happens(len(tracks), false_positive_rate, generator)]
        companions = _companions(seen, chosen, np.flatnonzero(~carried & (seen.matches.ids == NOBODY)))
        # As in MOTR, where all that are carried are updated: a false track comes with the memory of what it saw.
        carried[companions] = updated[companions] = True
    index = np.flatnonzero(carried)
    return Carried(index, ids[index], updated[index])


def _missed(seen: Seen) -> NDArray[np.bool_]:
    """Tell which queries, ``(N,)``, stand for a person who is there and whom their box does not hit."""
    person_of = seen.matches.person_of
    matched = np.flatnonzero(person_of != NOBODY)
    missed = np.zeros(len(person_of), np.bool_)
    overlaps = iou(cxcywh_to_xyxy(seen.boxes[matched]), cxcywh_to_xyxy(seen.truth[person_of[matched]]))
    missed[matched] = overlaps.diagonal() <= HIT
    return missed


def _companions(seen: Seen, tracks: Integers, candidates: Integers) -> Integers:
    """Give each track the candidate that overlaps it most; none where nothing overlaps.

    Note: MOTR then takes the first candidate, wherever it is, and all of them if they are fewer than the tracks.
    """
    if not len(tracks) or not len(candidates):
        return np.zeros(0, np.int64)
    overlaps = iou(cxcywh_to_xyxy(seen.boxes[tracks]), cxcywh_to_xyxy(seen.boxes[candidates]))
    chosen = candidates[overlaps.argmax(1)[overlaps.max(1) > 0]]
    return np.unique(chosen)


def _happens(count: int, rate: float, generator: torch.Generator | None) -> NDArray[np.bool_]:
    """Draw ``count`` times whether something of this probability happens."""
    return (torch.rand(count, generator=generator) < rate).numpy()
