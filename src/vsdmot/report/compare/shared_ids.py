"""One number, and so one colour, for one person in all runs, as far as they can be told to mean the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsdmot.evaluation.preprocess import MATCH_IOU, box_overlaps
from vsdmot.evaluation.tracked import TrackedBoxes

LEAST_SHARE = 0.25
"""Part of the shorter of two tracks that must lie on the other; two people who cross are not the same."""


def share_ids(runs: Sequence[TrackedBoxes], people: TrackedBoxes | None = None) -> list[dict[int, int]]:
    """Give the tracks of all runs common ids.

    People of the ground truth keep their ids, or without it the tracks of the first run. Each of them is given to the
    track of a run that is on it in the most frames, one to one over all of them; every further track gets a new id,
    which the runs after it can share. So a person whose track breaks changes the id, as the tracker did.

    Args:
        runs: Boxes of each run, in pixels of one and the same picture.
        people: Ground truth in the same pixels.

    Returns:
        For each run, its ids to the common ones, which start at 1.
    """
    pool = people if people is not None else runs[0] if runs else None
    if pool is None:
        return []
    raised = int(pool.ids.min(initial=1) < 1)  # ids start at 1 where they are drawn
    frames, ids, boxes = [pool.frames], [pool.ids + raised], [pool.boxes]
    free = int(ids[0].max(initial=0)) + 1
    shared = []
    for number, run in enumerate(runs):
        if number == 0 and people is None:
            shared.append({track_id: track_id + raised for track_id in np.unique(run.ids).tolist()})
            continue
        known = _by_frame(np.concatenate(frames), np.concatenate(ids), np.concatenate(boxes))
        own = _paired(run, known)
        new = [track_id for track_id in _by_appearance(run) if track_id not in own]
        own.update({track_id: free + place for place, track_id in enumerate(new)})
        free += len(new)
        shared.append(own)
        rest = np.isin(run.ids, new)
        frames.append(run.frames[rest])
        ids.append(np.array([own[track_id] for track_id in run.ids[rest].tolist()], np.int64))
        boxes.append(run.boxes[rest])
    return shared


def _paired(run: TrackedBoxes, known: TrackedBoxes) -> dict[int, int]:
    """Pair tracks of a run with what is known, one to one, so that most frames agree."""
    tracks, own = np.unique(run.ids, return_inverse=True)
    people, theirs = np.unique(known.ids, return_inverse=True)
    together = np.zeros((len(tracks), len(people)), np.int64)
    for frame in np.intersect1d(run.frames, known.frames).tolist():
        mine, other = _rows(run.frames, frame), _rows(known.frames, frame)
        overlaps = box_overlaps(run.boxes[mine], known.boxes[other])
        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        fits = overlaps[rows, columns] >= MATCH_IOU
        together[own[mine][rows[fits]], theirs[other][columns[fits]]] += 1
    lengths = np.minimum(np.bincount(own, minlength=len(tracks))[:, None], np.bincount(theirs, minlength=len(people)))
    together[together < LEAST_SHARE * lengths] = 0
    rows, columns = linear_sum_assignment(together, maximize=True)
    return {
        int(tracks[row]): int(people[column])
        for row, column in zip(rows, columns, strict=True)
        if together[row, column] > 0
    }


def _by_frame(frames: NDArray[np.int64], ids: NDArray[np.int64], boxes: NDArray[np.float64]) -> TrackedBoxes:
    order = np.argsort(frames, kind="stable")
    return TrackedBoxes(frames[order], ids[order], boxes[order])


def _by_appearance(run: TrackedBoxes) -> list[int]:
    return list(dict.fromkeys(run.ids.tolist()))


def _rows(frames: NDArray[np.int64], frame: int) -> slice:
    return slice(int(np.searchsorted(frames, frame)), int(np.searchsorted(frames, frame, side="right")))
