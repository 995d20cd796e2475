"""Find what is wrong with an annotated sequence before hours of training or evaluation are spent on it.

What real data sets do all the time (boxes partly outside the image, people who are gone for some frames) is counted;
what is likely to be a mistake is a `Problem`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsdmot.errors import FormatError, SourceError
from vsdmot.io import datasets
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.box_checks import check_boxes, check_detections, count_gaps, partly_outside, problem_of
from vsdmot.io.image_checks import Look, check_frames, check_images
from vsdmot.io.images import number_images
from vsdmot.io.problems import Problem, counted, some


@dataclass(frozen=True, kw_only=True)
class SequenceReport:
    """What a sequence holds and what is wrong with it.

    Attributes:
        name: The sequence.
        folder: Where it is.
        num_frames: Frames for which there is an image.
        promised_length: Frames that ``seqinfo.ini`` promises; None where it says nothing.
        size: Width and height in pixels by the first readable image, else by ``seqinfo.ini``; None without either.
        frame_rate: Frames per second; None where no ``seqinfo.ini`` says so.
        num_boxes: Rows of ground truth; None where there is no ground truth that can be read.
        num_people_boxes: Rows that count as a person (`GroundTruth.people`).
        num_ids: Different ids among these.
        num_partly_outside: Boxes of people that reach beyond the image, which is normal in MOTChallenge.
        num_gaps: How often a person is gone for a frame or more and comes back under the same id.
        num_detections: Rows of ``det/det.txt``; None where it is not there.
        problems: What is likely to be wrong; empty for a clean sequence.
    """

    name: str
    folder: Path
    num_frames: int
    promised_length: int | None
    size: tuple[int, int] | None
    frame_rate: float | None
    num_boxes: int | None
    num_people_boxes: int
    num_ids: int
    num_partly_outside: int
    num_gaps: int
    num_detections: int | None
    problems: tuple[Problem, ...]


def check_folder(folder: Path, look: Look | None = None) -> SequenceReport:
    """Check a sequence whose ``seqinfo.ini`` may be malformed: then that is a problem, and the rest is checked too.

    Raises:
        SourceError: The folder may not be read.
    """
    found: tuple[Problem, ...] = ()
    try:
        try:
            sequence = datasets.describe_sequence(folder)
        except FormatError as error:
            found = (problem_of(error, "unreadable seqinfo"),)
            sequence = datasets.describe_sequence(folder, use_seqinfo=False)
        return check_sequence(sequence, look, found)
    except OSError as error:
        raise SourceError(f"{folder}: not readable: {error.strerror or error}") from None


def check_sequence(
    sequence: datasets.Sequence, look: Look | None = None, problems: tuple[Problem, ...] = ()
) -> SequenceReport:
    """Check the images, ground truth and detections of a sequence; a broken file is a problem, not an error.

    Args:
        sequence: The sequence.
        look: How its images are looked at; None reads headers only.
        problems: What was found already.
    """
    numbered, unnumbered = number_images(sequence.image_folder)
    indices = np.array([index for index, _ in numbered], np.int64)
    folder = str(sequence.image_folder)
    found = [*problems, *check_frames(indices, sequence.promised_length, folder)]
    if unnumbered:
        names = some([path.name for path in unnumbered])
        message = f"{counted(len(unnumbered), 'image')} without a number in the name: {names}"
        found.append(Problem("image without number", message, folder))
    found += check_images([path for _, path in numbered], sequence.promised_size, folder, look)
    size = sequence.size or sequence.promised_size
    truth, unread = _read_truth(sequence)
    found += unread
    if truth is not None:
        found += check_boxes(truth, indices, size)
    num_detections = None
    if sequence.detections is not None:
        num_detections, lost = check_detections(sequence.detections, indices)
        found += lost
    people = None if truth is None else truth.people()
    return SequenceReport(
        name=sequence.name,
        folder=sequence.folder,
        num_frames=sequence.num_frames,
        promised_length=sequence.promised_length,
        size=size,
        frame_rate=sequence.frame_rate,
        num_boxes=None if truth is None else len(truth),
        num_people_boxes=0 if people is None else len(people),
        num_ids=0 if people is None else len(np.unique(people.ids)),
        num_partly_outside=0 if people is None or size is None else int(partly_outside(people.boxes, size).sum()),
        num_gaps=0 if people is None else count_gaps(people.frames, people.ids),
        num_detections=num_detections,
        problems=tuple(found),
    )


def _read_truth(sequence: datasets.Sequence) -> tuple[GroundTruth | None, list[Problem]]:
    if sequence.ground_truth is None:
        # Test splits are published without; there it is no mistake.
        if sequence.folder.resolve().parent.name == "test":
            return None, []
        message = "expected gt/gt.txt, it is not there; only tracking is possible"
        return None, [Problem("no ground truth", message, str(sequence.folder))]
    try:
        return read_ground_truth(sequence.ground_truth), []
    except FormatError as error:
        return None, [problem_of(error, "unreadable ground truth")]
