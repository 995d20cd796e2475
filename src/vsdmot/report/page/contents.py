"""What goes onto the page, decided before a single frame is read: judged runs, worst moments, thumbnails to cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import FormatError
from vsdmot.evaluation.by_quality import QualityGroup, split_by_quality
from vsdmot.evaluation.preprocess import MATCH_IOU, box_overlaps
from vsdmot.io.sources import SourceInfo
from vsdmot.report.page.break_rows import BoxesByFrame, BreakRow, break_rows
from vsdmot.report.page.judging import Judged, Truth, judge
from vsdmot.report.page.moments import Moment, judged_course, suspected_course, worst_moments
from vsdmot.report.page.thumbnails import Mark, Thumbnail, marks_in
from vsdmot.report.runs import Run

MOMENT_WIDTH = 256
"""Width in pixels of the picture of a worst moment."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """Everything but the pictures.

    Attributes:
        runs: The runs.
        videos: What is known of each video.
        video_of: For each run, the number of its video.
        truth: Ground truth; None without.
        judged: For each run, how it was judged; empty without ground truth.
        moments: The worst moments of all runs with their pictures, the worst first.
        rows: For each run, the breaks that are shown; empty without ground truth.
        by_quality: Accuracy by frame quality, the poorest quarter first; empty where quality or truth is not known.
    """

    runs: Sequence[Run]
    videos: Sequence[SourceInfo]
    video_of: Sequence[int]
    truth: Truth | None
    judged: Sequence[Judged]
    moments: Sequence[tuple[Moment, Thumbnail]]
    rows: Sequence[Sequence[BreakRow]]
    by_quality: Sequence[QualityGroup]

    def thumbnails(self, video: int) -> list[Thumbnail]:
        """List what is to be cut out of a video."""
        wanted = [picture for moment, picture in self.moments if self.video_of[moment.run] == video]
        for number, rows in enumerate(self.rows):
            if self.video_of[number] == video:
                wanted += [one for row in rows for one in row.thumbnails]
        return wanted

    def quality_run(self, video: int) -> Run | None:
        """Give the run from which the quality of a video's frames is taken; None where no run knows it."""
        return quality_run(self.runs, self.video_of, video)


def quality_run(runs: Sequence[Run], video_of: Sequence[int], video: int) -> Run | None:
    """Give the first run on a video whose file holds the quality of its frames."""
    return next((run for run, own in zip(runs, video_of, strict=True) if own == video and run.knows("quality")), None)


def plan(
    runs: Sequence[Run], videos: Sequence[SourceInfo], video_of: Sequence[int], truth: Truth | None, most_rows: int
) -> Contents:
    """Judge the runs and decide what the page shows.

    Args:
        runs: The runs.
        videos: What is known of each video.
        video_of: For each run, the number of its video.
        truth: Ground truth; None without.
        most_rows: Rows of thumbnails for each run, at most.

    Raises:
        FormatError: A run does not belong to its video, or runs and ground truth are not what they must be.
    """
    for run, video in zip(runs, video_of, strict=True):
        check_length(run, videos[video])
    judged, rows, moments = [], [], []
    for number, (run, video) in enumerate(zip(runs, video_of, strict=True)):
        info = videos[video]
        size, window = (info.width, info.height), max(1, round(info.frame_rate))
        source = quality_run(runs, video_of, video)
        boxes = BoxesByFrame(run, truth, size)
        length = run.length
        if truth is not None:
            length = truth.file.num_frames or max(run.length, int(truth.boxes.frames.max(initial=0)))
        quality = np.full(length, np.nan) if source is None else source.column("quality", length).astype(np.float64)
        if truth is not None:
            judged.append(judge(run, truth, size, length))
            rows.append(break_rows(judged[-1], run, boxes, info.frame_rate, most_rows))
            course = judged_course(judged[-1], quality, window)
        else:
            course = suspected_course(run, quality, size, window)
        moments += [
            (moment, _picture(moment, boxes, size, judged[-1] if judged else None))
            for moment in worst_moments(number, course, window)
        ]
    moments.sort(key=lambda pair: -pair[0].cost)
    return Contents(
        runs=runs,
        videos=videos,
        video_of=video_of,
        truth=truth,
        judged=judged,
        moments=moments,
        rows=rows,
        by_quality=_by_quality(runs, video_of, judged),
    )


def check_length(run: Run, info: SourceInfo) -> None:
    """Refuse a run that goes on after its video has ended; containers may be wrong by a few frames."""
    if info.num_frames is not None and run.length > 1.02 * info.num_frames + 2:
        raise FormatError(
            f"{run.path}: goes on to frame {run.length}, but {info.location} has {info.num_frames}; say with --source "
            "which video the run belongs to"
        )


def _picture(moment: Moment, boxes: BoxesByFrame, size: tuple[int, int], judged: Judged | None) -> Thumbnail:
    """Say what the picture of a moment shows: all tracks, those that break with their number, and who is missed."""
    region = (0.0, 0.0, float(size[0]), float(size[1]))
    tracks, people = boxes.tracks(moment.worst), list(boxes.people(moment.worst).values())
    found = box_overlaps(np.array(people).reshape(-1, 4), np.array([box for _, box in tracks]).reshape(-1, 4))
    missed = [box for box, overlaps in zip(people, found, strict=True) if overlaps.max(initial=0) < MATCH_IOU]
    broken = {one.after.track_id for one in judged.breaks if one.after.frame == moment.worst} if judged else set()
    marks: tuple[Mark, ...] = marks_in(region, tracks, frozenset(broken), missed)
    height = max(2, round(MOMENT_WIDTH * size[1] / size[0]))
    text = f"frame {moment.worst}: {len(tracks)} tracks" + (f", {len(missed)} people missed" if people else "")
    return Thumbnail(moment.worst, region, (MOMENT_WIDTH, height), marks, text)


def _by_quality(runs: Sequence[Run], video_of: Sequence[int], judged: Sequence[Judged]) -> list[QualityGroup]:
    """Split accuracy by the quality of the frames, where all runs are on one video whose quality is known."""
    source = quality_run(runs, video_of, video_of[0])
    if not judged or source is None or len(set(video_of)) > 1:
        return []
    length = len(judged[0].counts)
    quality: NDArray[np.float64] = source.column("quality", length).astype(np.float64)
    if not np.isfinite(quality).any() or any(len(one.counts) != length for one in judged):
        return []
    return split_by_quality({"": quality}, [{"": one.counts} for one in judged])
