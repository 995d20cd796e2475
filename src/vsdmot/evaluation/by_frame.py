"""When a tracker is right and when it fails: the official metrics, split up by frame.

TrackEval scores whole sequences. Here each frame gets its own hits, misses and false reports under the very same
matching, so that the frames of a sequence add up to TrackEval's numbers, and any part of them can be scored:

- **HOTA** (Luiten et al. 2021): DetA from the counts of the part; AssA is the mean of A(c) over the hits c of the part,
  where A(c) looks at the whole sequence. An identity that is lost costs every frame that the track touches.
- **CLEAR**: counts and identity switches of the part. **Identity**: people and tracks are paired over the sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsdmot.evaluation.preprocess import EPS, MATCH_IOU, SequenceData
from vsdmot.evaluation.scores import ALPHAS


@dataclass(frozen=True, eq=False)
class FrameCounts:
    """What happened in each of ``T`` frames.

    Attributes:
        hits: ``(T, 19)`` float64: HOTA_TP at each of `ALPHAS`.
        association: ``(T, 19)`` float64: sum of A(c) over the hits.
        num_truth: ``(T,)`` int64: boxes of people.
        num_tracks: ``(T,)`` int64: reported boxes.
        matches: ``(T,)`` int64: CLR_TP.
        switches: ``(T,)`` int64: IDSW.
        id_matches: ``(T,)`` int64: IDTP.
    """

    hits: NDArray[np.float64]
    association: NDArray[np.float64]
    num_truth: NDArray[np.int64]
    num_tracks: NDArray[np.int64]
    matches: NDArray[np.int64]
    switches: NDArray[np.int64]
    id_matches: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.num_truth)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Put the frames of several sequences one after another."""
        every = list(parts)
        return cls(*(np.concatenate([getattr(part, field.name) for part in every]) for field in fields(cls)))

    def of(self, frames: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Take some frames, by a flag for each or by position from 0."""
        return type(self)(*(getattr(self, field.name)[frames] for field in fields(self)))

    def scores(self) -> dict[str, float]:
        """Score these frames together: HOTA, DetA, AssA, MOTA, IDF1 (fractions of 1) and the counts that they rest on.

        As officially for a sequence, frames without anybody score 0, however much was reported on them.
        """
        hits, truth, tracks = self.hits.sum(axis=0), int(self.num_truth.sum()), int(self.num_tracks.sum())
        found = hits / np.maximum(1, truth + tracks - hits)
        kept = self.association.sum(axis=0) / np.maximum(1, hits)
        matches, switches, same = (int(one.sum()) for one in (self.matches, self.switches, self.id_matches))
        return {
            "HOTA": float(np.sqrt(found * kept).mean()),
            "DetA": float(found.mean()),
            "AssA": float(kept.mean()),
            "MOTA": (matches - (tracks - matches) - switches) / truth if truth else 0.0,
            "IDF1": same / max(1.0, 0.5 * (truth + tracks)),
            "IDSW": switches,
            "CLR_TP": matches,
            "CLR_FN": truth - matches,
            "CLR_FP": tracks - matches,
        }


def count_by_frame(data: SequenceData) -> FrameCounts:
    """Count what happened in each frame of a sequence."""
    hits, association = _hota(data)
    matches, switches = _clear(data)
    return FrameCounts(
        hits=hits,
        association=association,
        num_truth=np.array([len(ids) for ids in data.truth_ids], np.int64),
        num_tracks=np.array([len(ids) for ids in data.track_ids], np.int64),
        matches=matches,
        switches=switches,
        id_matches=_identity(data),
    )


def _hota(data: SequenceData) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give hits and sums of A(c), ``(T, 19)`` each."""
    alignment = _alignment(data)
    frames, pairs, overlaps = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
    for frame, (truth, tracks, overlap) in enumerate(_frames(data)):
        if not overlap.size:
            continue
        rows, columns = linear_sum_assignment(-(alignment[truth[:, None], tracks] * overlap))
        frames.append(np.full(len(rows), frame))
        pairs.append(truth[rows] * data.num_track_ids + tracks[columns])
        overlaps.append(overlap[rows, columns])
    frame_of, overlap_of = np.concatenate(frames), np.concatenate(overlaps)
    distinct, pair_of = np.unique(np.concatenate(pairs), return_inverse=True)
    truth_of, track_of = np.divmod(distinct, max(1, data.num_track_ids))
    appearances = _appearances(data.truth_ids, data.num_truth_ids)[truth_of]
    appearances = appearances + _appearances(data.track_ids, data.num_track_ids)[track_of]
    hits, association = np.zeros((2, data.num_frames, len(ALPHAS)))
    for number, alpha in enumerate(ALPHAS):
        hit = overlap_of >= alpha - EPS
        together = np.bincount(pair_of[hit], minlength=len(distinct))
        agreement = together / np.maximum(1, appearances - together)
        hits[:, number] = np.bincount(frame_of[hit], minlength=data.num_frames)
        association[:, number] = np.bincount(frame_of[hit], agreement[pair_of[hit]], minlength=data.num_frames)
    return hits, association


def _alignment(data: SequenceData) -> NDArray[np.float64]:
    """How well each person and each track go together over the sequence, ``(people, tracks)``."""
    shared = np.zeros((data.num_truth_ids, data.num_track_ids))
    for truth, tracks, overlap in _frames(data):
        if not overlap.size:
            continue
        union = overlap.sum(0)[None, :] + overlap.sum(1)[:, None] - overlap
        shared[truth[:, None], tracks] += np.divide(overlap, union, out=np.zeros_like(overlap), where=union > EPS)
    people = _appearances(data.truth_ids, data.num_truth_ids)
    tracks_seen = _appearances(data.track_ids, data.num_track_ids)
    return shared / (people[:, None] + tracks_seen[None, :] - shared)


def _clear(data: SequenceData) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give CLR_TP and IDSW, ``(T,)`` each."""
    matches, switches = np.zeros((2, data.num_frames), np.int64)
    last_track = np.full(data.num_truth_ids, -1)
    for frame, rows, columns in clear_matches(data):
        people, found = data.truth_ids[frame][rows], data.track_ids[frame][columns]
        matches[frame] = len(people)
        switches[frame] = np.count_nonzero((last_track[people] >= 0) & (last_track[people] != found))
        last_track[people] = found
    return matches, switches


def clear_matches(data: SequenceData) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Match people and tracks frame by frame as CLEAR does (Bernardin and Stiefelhagen 2008).

    Whoever was matched in the last frame that had people and reports stays matched if the overlap still allows it.

    Yields:
        The frame, counted from 0, and the places in ``data.truth_ids`` and ``data.track_ids`` of that frame that go
        together. Frames without people or without reports are passed over.
    """
    just_now = np.full(data.num_truth_ids, -1)
    for frame, (truth, tracks, overlap) in enumerate(_frames(data)):
        if not overlap.size:
            continue
        worth = 1000 * (tracks[None, :] == just_now[truth][:, None]) + overlap
        worth[overlap < MATCH_IOU - EPS] = 0
        rows, columns = linear_sum_assignment(-worth)
        matched = worth[rows, columns] > EPS
        rows, columns = rows[matched], columns[matched]
        just_now[:] = -1
        just_now[truth[rows]] = tracks[columns]
        yield frame, rows, columns


def _identity(data: SequenceData) -> NDArray[np.int64]:
    """Give IDTP, ``(T,)``: each person is paired with at most one track, so that most boxes agree."""
    together = np.zeros((data.num_truth_ids, data.num_track_ids), np.int64)
    for truth, tracks, overlap in _frames(data):
        together[truth[:, None], tracks] += overlap >= MATCH_IOU  # officially without tolerance, unlike CLEAR
    partner = np.full(data.num_truth_ids, -1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    partner[rows] = columns
    return np.array(
        [
            np.count_nonzero((overlap >= MATCH_IOU) & (partner[truth][:, None] == tracks[None, :]))
            for truth, tracks, overlap in _frames(data)
        ],
        np.int64,
    )


def _frames(
    data: SequenceData,
) -> Iterable[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    return zip(data.truth_ids, data.track_ids, data.overlaps, strict=True)


def _appearances(ids: list[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """In how many frames each id is seen, ``(count,)``."""
    return np.bincount(np.concatenate([np.empty(0, np.int64), *ids]), minlength=count)
