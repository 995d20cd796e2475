"""Each identity switch and fragment as a row of thumbnails: before, while nobody was matched, and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsdmot.evaluation.events import Break, Corners
from vsdmot.io.annotations import GroundTruth
from vsdmot.report.page.judging import Judged, Truth, scale
from vsdmot.report.page.thumbnails import Thumbnail, marks_in, region_around
from vsdmot.report.runs import Run

SIZE = (144, 180)
_AROUND = 1.9  # height of what is shown, in heights of the person
_ASIDE_SECONDS = 0.4


@dataclass(frozen=True, eq=False)
class BreakRow:
    """A break with its thumbnails.

    Attributes:
        what: The break.
        cost: Frames of the shorter of its two tracks: a number that was kept for long is worse to lose.
        thumbnails: In order of time.
    """

    what: Break
    cost: int
    thumbnails: Sequence[Thumbnail]


class BoxesByFrame:
    """The boxes of a run and the true ones, frame by frame, in pixels of the run's own video."""

    def __init__(self, run: Run, truth: Truth | None, size: tuple[int, int]) -> None:
        self._tracks = run.tracks
        self._truth: GroundTruth | None = None
        if truth is not None:
            self._truth = truth.counted()
            self._truth_boxes = self._truth.boxes * scale(truth.size, size)

    def tracks(self, frame: int) -> list[tuple[int, Corners]]:
        """Give ids and boxes of a frame."""
        first, last = np.searchsorted(self._tracks.frames, (frame, frame + 1))
        rows = range(int(first), int(last))
        return [(int(self._tracks.ids[row]), _corners(self._tracks.boxes[row])) for row in rows]

    def people(self, frame: int) -> dict[int, Corners]:
        """Give the true boxes of a frame by person; nothing without ground truth."""
        if self._truth is None:
            return {}
        first, last = np.searchsorted(self._truth.frames, (frame, frame + 1))
        return {int(self._truth.ids[row]): _corners(self._truth_boxes[row]) for row in range(int(first), int(last))}


def break_rows(judged: Judged, run: Run, boxes: BoxesByFrame, frame_rate: float, most: int) -> list[BreakRow]:
    """Choose the breaks that cost most and say what their thumbnails show, the worst first.

    Args:
        judged: The run with its breaks.
        run: The run.
        boxes: Its boxes.
        frame_rate: Frames per second.
        most: How many rows at most.
    """
    lengths = {life.track_id: life.num_boxes for life in run.lives}
    aside = max(1, round(_ASIDE_SECONDS * frame_rate))
    rows = []
    for one in judged.breaks:
        cost = min(lengths[one.before.track_id], lengths[one.after.track_id])
        rows.append((not one.is_switch, -cost, one.after.frame, one))
    chosen = sorted(rows, key=lambda row: row[:3])[:most]
    return [BreakRow(one, -cost, _thumbnails(one, boxes, aside, run.length)) for _, cost, _, one in chosen]


def _thumbnails(one: Break, boxes: BoxesByFrame, aside: int, length: int) -> list[Thumbnail]:
    before, after = one.before.frame, one.after.frame
    frames = {before - aside, before, (before + after) // 2, after, after + aside}
    main = frozenset((one.before.track_id, one.after.track_id))
    height = _AROUND * max(box[3] - box[1] for box in (one.truth_before, one.truth_after))
    thumbnails = []
    for frame in sorted(frame for frame in frames if 1 <= frame <= length):
        true_box = boxes.people(frame).get(one.person)
        middle = true_box or _between(one, frame)
        region = region_around(middle, height=max(height, 8.0), aspect=SIZE[0] / SIZE[1])
        tracks = boxes.tracks(frame)
        ids = [str(track_id) for track_id, _ in tracks if track_id in main]
        text = f"frame {frame}: person {one.person} with track {' and '.join(ids) or 'none of the two'}"
        marks = marks_in(region, tracks, main, [true_box] if true_box else [])
        thumbnails.append(Thumbnail(frame, region, SIZE, marks, text))
    return thumbnails


def _between(one: Break, frame: int) -> Corners:
    """Guess where the person is in a frame in which the ground truth does not say."""
    share = (frame - one.before.frame) / max(1, one.after.frame - one.before.frame)
    share = min(max(share, 0.0), 1.0)
    first, second = np.array(one.truth_before), np.array(one.truth_after)
    return _corners((1 - share) * first + share * second)


def _corners(box: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Corners:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
