"""Bring ground truth and results of a sequence to what the metrics are computed on, by the rule of a benchmark.

As the official evaluation does it, which looks at boxes as they are: not clipped to the image, not shifted by a pixel,
weak ones not filtered out. Every frame is matched first, ground truth of all classes with all results; what was matched
to a distractor goes; then all ground truth goes that is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsdmot.errors import FormatError
from vsdmot.evaluation.rules import Rule
from vsdmot.evaluation.tracked import MOST_FRAMES, TrackedBoxes
from vsdmot.io.annotations import MOT_CLASSES, OTHER_CLASS, PEDESTRIAN, GroundTruth

EPS = float(np.finfo(float).eps)
MATCH_IOU = 0.5
"""Overlap from which a result is taken out with a distractor, and is right on a person (CLEAR, Identity)."""


@dataclass(frozen=True, eq=False)
class SequenceData:
    """A sequence as the metrics see it. Lists have an entry for each frame, from frame 1.

    Attributes:
        name: The sequence.
        truth_ids: ``(n_t,)`` int64 each: people, numbered from 0 without gaps.
        track_ids: ``(m_t,)`` int64 each: tracks, numbered from 0 without gaps.
        overlaps: ``(n_t, m_t)`` float64 each: IoU.
        num_truth_ids: People in the sequence.
        num_track_ids: Tracks in the sequence.
        truth_rows: Rows of the ground truth that ``truth_ids`` stand for, frame after frame.
        track_rows: Rows of the results that ``track_ids`` stand for, frame after frame.
    """

    name: str
    truth_ids: list[NDArray[np.int64]]
    track_ids: list[NDArray[np.int64]]
    overlaps: list[NDArray[np.float64]]
    num_truth_ids: int
    num_track_ids: int
    truth_rows: NDArray[np.int64]
    track_rows: NDArray[np.int64]

    @property
    def num_frames(self) -> int:
        """Frames of the sequence, those without anybody too."""
        return len(self.overlaps)

    def for_trackeval(self) -> dict[str, Any]:
        """Give the fields that TrackEval's metric classes read, under its names.

        Frames without anybody are counted and left out of the lists: they change no metric, and cost time.
        """
        busy = [k for k, overlap in enumerate(self.overlaps) if any(overlap.shape)]
        return {
            "seq": self.name,
            "num_timesteps": self.num_frames,
            "gt_ids": [self.truth_ids[k] for k in busy],
            "tracker_ids": [self.track_ids[k] for k in busy],
            "similarity_scores": [self.overlaps[k] for k in busy],
            "num_gt_ids": self.num_truth_ids,
            "num_tracker_ids": self.num_track_ids,
            "num_gt_dets": sum(map(len, self.truth_ids)),
            "num_tracker_dets": sum(map(len, self.track_ids)),
        }


def prepare(name: str, truth: GroundTruth, tracks: TrackedBoxes, rule: Rule, num_frames: int) -> SequenceData:
    """Match, take out what does not count, and number people and tracks anew.

    Args:
        name: The sequence, for messages.
        truth: Its ground truth, all rows.
        tracks: What the tracker reported.
        rule: What counts.
        num_frames: Frames of the sequence, at most `MOST_FRAMES`.

    Raises:
        FormatError: A frame lies beyond the sequence, an id comes twice in a frame or is negative, the ground truth is
            of a class that no benchmark has, or boxes are too large to compute with; with file and line.
    """
    _check(name, truth, tracks, num_frames)
    truth_starts = np.searchsorted(truth.frames, np.arange(1, num_frames + 2))
    track_starts = np.searchsorted(tracks.frames, np.arange(1, num_frames + 2))
    asked_for = truth.considered & (truth.classes == PEDESTRIAN) if rule.uses_classes else truth.considered
    in_doubt = np.isin(truth.classes, list(rule.distractors))
    if rule.uses_classes:
        _check_classes(truth, np.diff(track_starts))
    kept = np.ones(len(tracks), bool)
    overlaps = []
    for frame in range(num_frames):
        here = slice(truth_starts[frame], truth_starts[frame + 1])
        there = slice(track_starts[frame], track_starts[frame + 1])
        overlap = box_overlaps(truth.boxes[here], tracks.boxes[there])
        if np.isnan(overlap).any():  # infinite areas on both sides
            too_large = np.zeros(len(tracks), bool)
            too_large[there] = np.isnan(overlap).any(axis=0)
            _reject(name, tracks, too_large, "a box of finite area")
        if in_doubt[here].any() and overlap.size:
            kept[there] = _not_on(overlap, in_doubt[here])
        overlaps.append(overlap[np.ix_(asked_for[here], kept[there])])
    _reject(name, truth, asked_for & (truth.ids < 0), "an id of 0 or more in ground truth")
    truth_ids, num_truth_ids = _split_ids(truth.ids, asked_for, truth_starts)
    track_ids, num_track_ids = _split_ids(tracks.ids, kept, track_starts)
    return SequenceData(
        name=name,
        truth_ids=truth_ids,
        track_ids=track_ids,
        overlaps=overlaps,
        num_truth_ids=num_truth_ids,
        num_track_ids=num_track_ids,
        truth_rows=np.flatnonzero(asked_for),
        track_rows=np.flatnonzero(kept),
    )


def box_overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute IoU as the official evaluation does: ``(n, 4)`` and ``(m, 4)`` ``xyxy`` give ``(n, m)``.

    A box without area overlaps nothing, also one whose sides are both negative; neither does one of infinite size.
    """
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    with np.errstate(invalid="ignore", over="ignore"):
        top_left = np.maximum(first[:, None, :2], second[None, :, :2])
        sides = np.maximum(np.minimum(first[:, None, 2:], second[None, :, 2:]) - top_left, 0)
        shared: NDArray[np.float64] = sides[..., 0] * sides[..., 1]
        areas = (first[:, 2] - first[:, 0]) * (first[:, 3] - first[:, 1])
        others = (second[:, 2] - second[:, 0]) * (second[:, 3] - second[:, 1])
        union = areas[:, None] + others[None, :] - shared
        shared[areas <= EPS] = 0
        shared[:, others <= EPS] = 0
    nothing = union <= EPS
    shared[nothing], union[nothing] = 0, 1
    overlaps: NDArray[np.float64] = shared / union
    return overlaps


def _not_on(overlap: NDArray[np.float64], in_doubt: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which results are not matched to a distractor: ``(n, m)`` overlaps and ``(n,)`` flags give ``(m,)``."""
    matchable = np.where(overlap < MATCH_IOU - EPS, 0, overlap)
    rows, columns = linear_sum_assignment(-matchable)
    kept = np.ones(overlap.shape[1], bool)
    kept[columns[(matchable[rows, columns] > EPS) & in_doubt[rows]]] = False
    return kept


def _split_ids(
    ids: NDArray[np.int64], kept: NDArray[np.bool_], starts: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], int]:
    """Number the ids that are kept from 0 on, and split them by frame."""
    distinct, numbers = np.unique(ids[kept], return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(kept)])[starts]
    return [numbers[ends[k] : ends[k + 1]] for k in range(len(starts) - 1)], len(distinct)


def _check(name: str, truth: GroundTruth, tracks: TrackedBoxes, num_frames: int) -> None:
    if num_frames > MOST_FRAMES:
        raise FormatError(f"{name}: expected at most {MOST_FRAMES} frames, got {num_frames}")
    for rows in (truth, tracks):
        beyond = (rows.frames > num_frames) | (rows.frames < 1)
        _reject(name, rows, beyond, f"a frame from 1 to {num_frames}, the length of the sequence")
        order = np.lexsort((rows.ids, rows.frames))
        again = np.zeros(len(rows), bool)
        twice = (np.diff(rows.frames[order]) == 0) & (np.diff(rows.ids[order]) == 0)
        again[order[1:][twice]] = True
        _reject(name, rows, again, "an id only once in a frame")
    _reject(name, tracks, tracks.ids < 0, "an id of 0 or more")


def _check_classes(truth: GroundTruth, num_tracks: NDArray[np.int64]) -> None:
    """Refuse unknown classes, in the frames in which anything is matched: the official code looks at no others."""
    known = np.isin(truth.classes, np.arange(1, len(MOT_CLASSES) + 1))
    if truth.is_labelled:
        known |= truth.classes == OTHER_CLASS
    wrong = np.flatnonzero(~known & (num_tracks[truth.frames - 1] > 0))
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            f"{truth.path}:{truth.line_numbers[row]}: expected a class from 1 to {len(MOT_CLASSES)}, got "
            f"{truth.classes[row]}; if the file holds no classes, evaluate it by the rule mot15"
        )


def _reject(name: str, rows: GroundTruth | TrackedBoxes, broken: NDArray[np.bool_], expected: str) -> None:
    if not broken.any():
        return
    row = int(np.flatnonzero(broken)[0])
    where = rows.where(row) if isinstance(rows, TrackedBoxes) else f"{rows.path}:{rows.line_numbers[row]}"
    raise FormatError(f"{where}: expected {expected}, got id {rows.ids[row]} in frame {rows.frames[row]} ({name})")
