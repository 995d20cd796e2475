"""What is compared, decided before a frame is read: runs under common ids, judged where there is ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.sources import SourceInfo
from vsdmot.report.compare.disagreement import People, disagreement
from vsdmot.report.compare.shared_ids import share_ids
from vsdmot.report.page.contents import check_length
from vsdmot.report.page.judging import Judged, Truth, judge, scale
from vsdmot.report.runs import Run


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparedRun:
    """A run as it is drawn.

    Attributes:
        run: What the tracker said.
        video: Number of its video.
        size: Width and height of its video in pixels.
        shared: Its ids to those common to all runs.
        judged: How it was judged; None without ground truth.
    """

    run: Run
    video: int
    size: tuple[int, int]
    shared: dict[int, int]
    judged: Judged | None

    def rows(self, frame: int) -> slice:
        """Rows of the run's tracks that belong to a frame."""
        first, last = np.searchsorted(self.run.tracks.frames, (frame, frame + 1)).tolist()
        return slice(first, last)

    def ids(self, frame: int) -> NDArray[np.int64]:
        """Common ids of the tracks in a frame, ``(K,)``."""
        return np.array(
            [self.shared[track_id] for track_id in self.run.tracks.ids[self.rows(frame)].tolist()], np.int64
        )

    def boxes(self, frame: int, size: tuple[int, int]) -> NDArray[np.float64]:
        """Their boxes, ``(K, 4)`` xyxy in pixels of a picture of another width and height."""
        return self.run.tracks.boxes[self.rows(frame)] * scale(self.size, size)

    def people(self, frame: int, size: tuple[int, int]) -> People:
        """The same, by common id."""
        return _people(self.ids(frame), self.boxes(frame, size))


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Runs that are compared.

    Attributes:
        runs: They.
        videos: What is known of each video.
        truth: Ground truth; None without.
        size: Width and height, in pixels, in which places are compared: those of the largest video.
    """

    runs: Sequence[ComparedRun]
    videos: Sequence[SourceInfo]
    truth: Truth | None
    size: tuple[int, int]

    @property
    def length(self) -> int:
        """Frames of the first run's video, or where it does not say, of the longest run."""
        known = self.videos[self.runs[0].video].num_frames
        return known or max(one.run.length for one in self.runs)

    def people(self, frame: int) -> People | None:
        """Where people really are in a frame, under common ids; None without ground truth."""
        if self._people is None:
            return None
        first, last = np.searchsorted(self._people.frames, (frame, frame + 1)).tolist()
        return _people(self._people.ids[first:last], self._people.boxes[first:last])

    def course(self) -> NDArray[np.float64]:
        """How much the runs disagree in each frame, ``(T,)``."""
        return np.array(
            [
                disagreement([one.people(frame, self.size) for one in self.runs], self.people(frame))
                for frame in range(1, self.length + 1)
            ]
        )

    @cached_property
    def _people(self) -> TrackedBoxes | None:
        if self.truth is None:
            return None
        counted = self.truth.counted()
        raised = int(counted.ids.min(initial=1) < 1)  # as `share_ids` does
        return TrackedBoxes(counted.frames, counted.ids + raised, self.truth.boxes_in(self.size))


def plan_comparison(
    runs: Sequence[Run], videos: Sequence[SourceInfo], video_of: Sequence[int], truth: Truth | None
) -> Comparison:
    """Judge runs and give them common ids.

    Args:
        runs: At least one.
        videos: What is known of each video.
        video_of: For each run, the number of its video.
        truth: Ground truth; None without.

    Raises:
        FormatError: A run does not belong to its video, or runs and ground truth are not what they must be.
    """
    sizes = [(info.width, info.height) for info in videos]
    largest = max(sizes, key=lambda size: size[0] * size[1])
    scaled, judged = [], []
    for run, video in zip(runs, video_of, strict=True):
        check_length(run, videos[video])
        boxes = run.tracks.boxes * scale(sizes[video], largest)
        scaled.append(TrackedBoxes(run.tracks.frames, run.tracks.ids, boxes))
        if truth is not None:
            length = truth.file.num_frames or max(run.length, int(truth.boxes.frames.max(initial=0)))
            judged.append(judge(run, truth, sizes[video], length))
    people = None
    if truth is not None:
        counted = truth.counted()
        people = TrackedBoxes(counted.frames, counted.ids, truth.boxes_in(largest))
    shared = share_ids(scaled, people)
    return Comparison(
        runs=[
            ComparedRun(
                run=run,
                video=video,
                size=sizes[video],
                shared=shared[number],
                judged=judged[number] if judged else None,
            )
            for number, (run, video) in enumerate(zip(runs, video_of, strict=True))
        ],
        videos=videos,
        truth=truth,
        size=largest,
    )


def _people(ids: NDArray[np.int64], boxes: NDArray[np.float64]) -> People:
    return {
        person: (left, top, right, bottom)
        for person, (left, top, right, bottom) in zip(ids.tolist(), boxes.tolist(), strict=True)
    }
