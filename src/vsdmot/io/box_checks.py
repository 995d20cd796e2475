"""Find what is wrong with the boxes of a sequence: ground truth and detections against its frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import FormatError
from vsdmot.io.annotations import GroundTruth
from vsdmot.io.mot_text import read_mot
from vsdmot.io.problems import Problem, ProblemKind, counted, pixels, some, spans


def check_boxes(truth: GroundTruth, indices: NDArray[np.int64], size: tuple[int, int] | None) -> list[Problem]:
    """Check all rows of ground truth, also those that evaluation leaves out.

    Args:
        truth: The ground truth.
        indices: Frames that have an image, in any order. Empty: nothing is said about boxes without an image.
        size: Width and height of the images in pixels; None: nothing is said about boxes outside.
    """
    problems = []
    if not len(truth.people()):
        found = f"none of its {len(truth)} boxes counts as a person" if len(truth) else "it is empty"
        person = "a label that means a person" if truth.is_labelled else "class 1"
        expected = f"expected boxes of people (flag not 0, {person}), {found}"
        problems.append(Problem("nobody", expected, str(truth.path)))
    if len(indices):
        lost = ~np.isin(truth.frames, indices)
        frames = some(spans(np.unique(truth.frames[lost])))
        problems += _rows(truth, lost, "boxes without image", f"in frames that have no image: {frames}")
    flat = without_area(truth.boxes)
    problems += _rows(truth, flat, "box without area", "whose width or height is not above 0")
    if size is not None:
        outside = wholly_outside(truth.boxes, size) & ~flat
        problems += _rows(truth, outside, "box outside", f"wholly outside the image of {pixels(size)}")
    again = repeated(truth.frames, truth.ids)
    pairs = sorted(set(zip(truth.frames[again].tolist(), truth.ids[again].tolist(), strict=True)))
    named = some([f"id {track_id} in frame {frame}" for frame, track_id in pairs])
    problems += _rows(truth, again, "id twice", f"that repeat an id of the same frame: {named}")
    return problems


def check_detections(path: Path, indices: NDArray[np.int64]) -> tuple[int, list[Problem]]:
    """Check that detections can be read and speak of frames that are there.

    Args:
        path: ``det/det.txt``.
        indices: Frames that have an image. Empty: nothing is said about detections without an image.

    Returns:
        How many detections there are, 0 if they cannot be read, and what is wrong with them.
    """
    try:
        rows = read_mot(path)
    except FormatError as error:
        return 0, [problem_of(error, "unreadable detections")]
    lost = ~np.isin(rows.frames, indices) if len(indices) else np.zeros(len(rows), np.bool_)
    if not lost.any():
        return len(rows), []
    frames = some(spans(np.unique(rows.frames[lost])))
    message = f"{int(lost.sum()):,} of {counted(len(rows), 'detection')} in frames that have no image: {frames}"
    where = f"{path}:{int(rows.line_numbers[lost].min())}"
    return len(rows), [Problem("detections without image", message, where)]


def problem_of(error: FormatError, kind: ProblemKind) -> Problem:
    """Turn an error about a file into a problem; its line begins with the file and, where there is one, the line."""
    where, _, message = str(error).partition(": ")
    return Problem(kind, message, where)


def without_area(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which ``xyxy`` boxes ``(N, 4)`` have a width or height of 0 or less."""
    flat: NDArray[np.bool_] = np.any(boxes[:, 2:] <= boxes[:, :2], axis=1)
    return flat


def wholly_outside(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which ``xyxy`` boxes ``(N, 4)`` share no area with an image of this width and height.

    >>> wholly_outside(np.array([[-9.0, 0, 0, 5], [-9, 0, 1, 5], [20, 0, 30, 5]]), (20, 10)).tolist()
    [True, False, True]
    """
    outside: NDArray[np.bool_] = np.any((boxes[:, 2:] <= 0) | (boxes[:, :2] >= np.array(size)), axis=1)
    return outside


def partly_outside(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which ``xyxy`` boxes ``(N, 4)`` reach beyond an image of this width and height, but lie in it too.

    >>> partly_outside(np.array([[-9.0, 0, 1, 5], [0, 0, 20, 10], [20, 0, 30, 5]]), (20, 10)).tolist()
    [True, False, False]
    """
    beyond: NDArray[np.bool_] = np.any((boxes[:, :2] < 0) | (boxes[:, 2:] > np.array(size)), axis=1)
    return beyond & ~wholly_outside(boxes, size)


def repeated(frames: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows repeat the frame and id of an earlier row.

    >>> repeated(np.array([1, 1, 1, 2]), np.array([7, 8, 7, 7])).tolist()
    [False, False, True, False]
    """
    again = np.ones(len(frames), np.bool_)
    _, firsts = np.unique(np.stack([frames, ids], axis=1), axis=0, return_index=True)
    again[firsts] = False
    return again


def count_gaps(frames: NDArray[np.int64], ids: NDArray[np.int64]) -> int:
    """Count how often an id is absent for one frame or more between two of its rows, ``(N,)`` each.

    >>> count_gaps(np.array([1, 2, 5, 9, 1, 2]), np.array([7, 7, 7, 7, 8, 8]))
    2
    """
    order = np.lexsort((frames, ids))
    same_person = np.diff(ids[order]) == 0
    return int(np.sum(same_person & (np.diff(frames[order]) > 1)))


def _rows(truth: GroundTruth, found: NDArray[np.bool_], kind: ProblemKind, which: str) -> list[Problem]:
    """Make one problem of all rows that were found, at the line that comes first in the file."""
    if not found.any():
        return []
    line = int(truth.line_numbers[found].min())
    return [Problem(kind, f"{counted(int(found.sum()), 'box', 'boxes')} {which}", f"{truth.path}:{line}")]
