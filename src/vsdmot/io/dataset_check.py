"""Find what is wrong with an annotated sequence before hours of training or evaluation are spent on it.

Only headers of images are read, so a check costs the same for every image, whatever its size. What real data sets do
all the time (boxes partly outside the image, people who are gone for some frames) is counted; what is likely to be a
mistake is a `Problem`: one for each kind, with how often it occurs and where first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import FormatError, SourceError
from vsdmot.io import datasets
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.images import number_images

ProblemKind = Literal[
    "no images",
    "frames missing",
    "frame twice",
    "image without number",
    "length differs",
    "unreadable image",
    "sizes mixed",
    "size differs",
    "no ground truth",
    "unreadable ground truth",
    "nobody",
    "boxes without image",
    "box outside",
    "box without area",
    "id twice",
]


@dataclass(frozen=True)
class Problem:
    """Something that is likely to be a mistake.

    Attributes:
        kind: What is wrong, in a few words that programs can compare.
        message: What was expected and what was found, with numbers.
        where: The file or folder, with the line where there is one.
    """

    kind: ProblemKind
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class SequenceReport:
    """What a sequence holds and what is wrong with it.

    Attributes:
        name: The sequence.
        num_frames: Frames for which there is an image.
        promised_length: Frames that ``seqinfo.ini`` promises; None where it says nothing.
        size: Width and height in pixels by the first readable image, else by ``seqinfo.ini``; None without either.
        num_boxes: Rows of ground truth.
        num_people_boxes: Rows that count as a person (`GroundTruth.people`).
        num_ids: Different ids among these.
        num_partly_outside: Boxes of people that reach beyond the image, which is normal in MOTChallenge.
        num_gaps: How often a person is gone for a frame or more and comes back under the same id.
        problems: What is likely to be wrong; empty for a clean sequence.
    """

    name: str
    num_frames: int
    promised_length: int | None
    size: tuple[int, int] | None
    num_boxes: int
    num_people_boxes: int
    num_ids: int
    num_partly_outside: int
    num_gaps: int
    problems: tuple[Problem, ...]


def check_sequence(sequence: datasets.Sequence) -> SequenceReport:
    """Check the images and the ground truth of a sequence; a broken file is a problem of the report, not an error."""
    numbered, unnumbered = number_images(sequence.image_folder)
    indices = np.array([index for index, _ in numbered], np.int64)
    folder = str(sequence.image_folder)
    problems = check_frames(indices, sequence.promised_length, folder)
    if unnumbered:
        names = some([path.name for path in unnumbered])
        problems.append(
            Problem("image without number", f"{len(unnumbered)} images without a number in the name: {names}", folder)
        )
    problems += check_images([path for _, path in numbered], sequence.promised_size, folder)
    size = sequence.size or sequence.promised_size
    truth, unread = _read_truth(sequence)
    problems += unread
    if truth is not None:
        problems += check_boxes(truth, indices, size)
    people = None if truth is None else truth.people()
    return SequenceReport(
        name=sequence.name,
        num_frames=sequence.num_frames,
        promised_length=sequence.promised_length,
        size=size,
        num_boxes=0 if truth is None else len(truth),
        num_people_boxes=0 if people is None else len(people),
        num_ids=0 if people is None else len(np.unique(people.ids)),
        num_partly_outside=0 if people is None or size is None else int(partly_outside(people.boxes, size).sum()),
        num_gaps=0 if people is None else count_gaps(people.frames, people.ids),
        problems=tuple(problems),
    )


def check_frames(indices: NDArray[np.int64], promised_length: int | None, where: str) -> list[Problem]:
    """Compare the frames that are there with each other and with what ``seqinfo.ini`` promises.

    Args:
        indices: ``(F,)``, frame index of each image, not falling; an index may occur twice.
        promised_length: Frames promised, or None.
        where: The image folder, for messages.

    >>> [problem.message for problem in check_frames(np.array([1, 2, 5]), 5, "img1")]
    ['2 frames missing between 1 and 5: 3-4', 'seqinfo.ini promises 5 frames, 3 are there']
    """
    if not len(indices):
        return [Problem("no images", "expected images named by frame, such as 000001.jpg, found none", where)]
    problems = []
    present, counts = np.unique(indices, return_counts=True)
    first, last = int(present[0]), int(present[-1])
    if (num_missing := last - first + 1 - len(present)) > 0:
        before = np.flatnonzero(np.diff(present) > 1)
        holes = zip((present[before] + 1).tolist(), (present[before + 1] - 1).tolist(), strict=True)
        message = f"{num_missing} frames missing between {first} and {last}: {some([_span(*hole) for hole in holes])}"
        problems.append(Problem("frames missing", message, where))
    if (twice := present[counts > 1]).size:
        problems.append(Problem("frame twice", f"more than one image for frame {some(twice.tolist())}", where))
    if promised_length is not None and promised_length != len(present):
        message = f"seqinfo.ini promises {promised_length} frames, {len(present)} are there"
        problems.append(Problem("length differs", message, where))
    return problems


def check_images(paths: Sequence[Path], promised_size: tuple[int, int] | None, where: str) -> list[Problem]:
    """Read the header of every image and compare the sizes.

    Args:
        paths: The images; the first that can be read decides what size the others should have.
        promised_size: Width and height as ``seqinfo.ini`` has them, or None.
        where: The image folder, for messages.
    """
    broken: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for path in paths:
        try:
            sizes[path.name] = datasets.image_size(path)
        except SourceError:
            broken.append(path.name)
    problems = []
    if broken:
        message = f"{len(broken)} of {len(paths)} images cannot be read: {some(broken)}"
        problems.append(Problem("unreadable image", message, where))
    if not sizes:
        return problems
    first = next(iter(sizes.values()))
    if others := [f"{name} ({_pixels(size)})" for name, size in sizes.items() if size != first]:
        message = f"expected {_pixels(first)} as in the first image, {len(others)} images differ: {some(others)}"
        problems.append(Problem("sizes mixed", message, where))
    if promised_size is not None and promised_size != first:
        message = (
            f"seqinfo.ini says {_pixels(promised_size)}, the images are {_pixels(first)}: "
            "the boxes may be in other pixels"
        )
        problems.append(Problem("size differs", message, where))
    return problems


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
        expected = f"expected boxes of people (flag not 0, class {some(sorted(truth.person_classes))}), {found}"
        problems.append(Problem("nobody", expected, str(truth.path)))
    if len(indices):
        lost = ~np.isin(truth.frames, indices)
        frames = some(_spans(np.unique(truth.frames[lost])))
        problems += _rows(truth, lost, "boxes without image", f"boxes in frames that have no image: {frames}")
    flat = without_area(truth.boxes)
    problems += _rows(truth, flat, "box without area", "boxes whose width or height is not above 0")
    if size is not None:
        outside = wholly_outside(truth.boxes, size) & ~flat
        problems += _rows(truth, outside, "box outside", f"boxes wholly outside the image of {_pixels(size)}")
    again = repeated(truth.frames, truth.ids)
    pairs = sorted(set(zip(truth.frames[again].tolist(), truth.ids[again].tolist(), strict=True)))
    named = some([f"id {track_id} in frame {frame}" for frame, track_id in pairs])
    problems += _rows(truth, again, "id twice", f"boxes repeat an id of the same frame: {named}")
    return problems


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


def some(items: Iterable[object], most: int = 3) -> str:
    """List the first few items and say how many more there are.

    >>> some([4, 5, 6, 7, 8])
    '4, 5, 6 and 2 more'
    """
    texts = [str(item) for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _read_truth(sequence: datasets.Sequence) -> tuple[GroundTruth | None, list[Problem]]:
    if sequence.ground_truth is None:
        where = str(sequence.folder)
        return None, [
            Problem("no ground truth", "expected gt/gt.txt, it is not there; only tracking is possible", where)
        ]
    try:
        return read_ground_truth(sequence.ground_truth), []
    except FormatError as error:
        # The error's line begins with its own file and line.
        where, _, message = str(error).partition(": ")
        return None, [Problem("unreadable ground truth", message, where)]


def _rows(truth: GroundTruth, found: NDArray[np.bool_], kind: ProblemKind, message: str) -> list[Problem]:
    """Make one problem of all rows that were found, at the line that comes first in the file."""
    if not found.any():
        return []
    line = int(truth.line_numbers[found].min())
    return [Problem(kind, f"{int(found.sum())} {message}", f"{truth.path}:{line}")]


def _spans(numbers: NDArray[np.int64]) -> list[str]:
    """Write rising numbers as spans of neighbours."""
    groups = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [_span(int(group[0]), int(group[-1])) for group in groups if len(group)]


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
