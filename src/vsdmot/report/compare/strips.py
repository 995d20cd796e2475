"""Strips of frames as in Fig. 6 and 7 of the paper: a row for each method, a column for each moment.

Paper note: the paper's figures show boxes in colours and leave it to the reader to find the difference. Here a person
has the same colour and number in every row; an ID switch since the column before is marked, and the corners of a box
show who is not reported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsdmot.evaluation.events import Break
from vsdmot.evaluation.preprocess import MATCH_IOU, box_overlaps
from vsdmot.report.compare.disagreement import People
from vsdmot.report.compare.marks import draw_missed, draw_switch, fitting
from vsdmot.report.compare.panels import latest_switches, resized, tracks_in
from vsdmot.report.compare.plan import ComparedRun, Comparison
from vsdmot.report.lettering import text_width, write
from vsdmot.report.meter import clock
from vsdmot.report.overlay import Overlay, OverlayConfig
from vsdmot.structures import Frame, FrameQuality, FrameResult, Image

_PLAIN = OverlayConfig(trail_seconds=0.0, show_scores=False, show_quality=False)
_NO_QUALITY = FrameQuality(clarity=0.0, noise=0.0, contrast=0.0, score=0.0)
_INK, _FAINT = (30, 30, 34), (110, 110, 116)
_SIZE, _GAP, _HEADER, _LABEL = 15.0, 4, 26, 24


class Strip:
    """Collect the cells as frames come by, then draw the sheet.

    Args:
        comparison: What is compared.
        frames: Indices of the moments, rising.
        cell_width: Pixels.
    """

    def __init__(self, comparison: Comparison, frames: Sequence[int], *, cell_width: int) -> None:
        self.frames = tuple(frames)
        self._comparison = comparison
        height = max(1, round(cell_width * comparison.size[1] / comparison.size[0]))
        self._size = (cell_width, height)
        self._cells: dict[int, list[Image]] = {}
        self._times: dict[int, float] = {}

    @property
    def missing(self) -> list[int]:
        """Moments that no frame came for."""
        return [frame for frame in self.frames if frame not in self._cells]

    def add(self, frame: Frame, own: Sequence[Frame | None]) -> None:
        """Take a frame if it is one of the moments; parameters as of `SideBySide.draw`."""
        if frame.index not in self.frames:
            return
        self._times[frame.index] = frame.time
        self._cells[frame.index] = [
            self._cell(run, frame.index, own[run.video]) for run in self._comparison.runs
        ]  # fmt: skip

    def draw(self) -> Image:
        """Draw the sheet, ``(H, W, 3)`` uint8 RGB, of the moments that came by.

        Raises:
            ValueError: None did.
        """
        shown = [frame for frame in self.frames if frame in self._cells]
        if not shown:
            raise ValueError("expected at least one moment")
        width, height = self._size
        runs = self._comparison.runs
        sheet = np.full(
            (_HEADER + len(runs) * (height + _LABEL + _GAP), len(shown) * (width + _GAP) - _GAP, 3), 255, np.uint8
        )
        for column, frame in enumerate(shown):
            left = column * (width + _GAP)
            write(sheet, f"frame {frame}  ({clock(self._times[frame])})", left + 2, _HEADER / 2, _SIZE, _FAINT)
            for row, cell in enumerate(self._cells[frame]):
                top = _HEADER + row * (height + _LABEL + _GAP) + _LABEL
                sheet[top : top + height, left : left + width] = cell
        for row, run in enumerate(runs):
            middle = _HEADER + row * (height + _LABEL + _GAP) + _LABEL / 2
            name = fitting(run.run.name, sheet.shape[1] - 4, _SIZE)
            write(sheet, name, 2, middle, _SIZE, _INK, bold=True)
            if run.judged is not None:
                scores = run.judged.scores
                facts = f"HOTA {100 * scores['HOTA']:.1f}   ID switches {int(scores['IDSW'])}"
                start = 2 + text_width(name, _SIZE, bold=True) + 2 * _SIZE
                if start + text_width(facts, _SIZE) < sheet.shape[1]:
                    write(sheet, facts, start, middle, _SIZE, _FAINT)
        return sheet

    def _cell(self, run: ComparedRun, index: int, own: Frame | None) -> Image:
        width, height = self._size
        if own is None:
            return np.zeros((height, width, 3), np.uint8)
        image = np.ascontiguousarray(resized(own.image, width, height))
        result = FrameResult(index, own.time, tracks_in(run, index, self._size), _NO_QUALITY, None, 0)
        rate = self._comparison.videos[0].frame_rate
        cell = Overlay(frame_rate=rate, config=_PLAIN).draw(Frame(index, own.time, image), result)
        for box in self._missed(run, index):
            draw_missed(cell, box)
        people = run.people(index, self._size)
        for before, after in latest_switches(run, self._switches(run, index)):
            if after in people:
                draw_switch(cell, people[after], f"{before} > {after}")
        return cell

    def _missed(self, run: ComparedRun, index: int) -> list[tuple[float, ...]]:
        """Boxes, in the cell's pixels, of people on whom the run has no box, though they are there or others have."""
        size = self._comparison.size
        expected: People = dict(self._comparison.people(index) or {})
        if self._comparison.truth is None:
            for other in self._comparison.runs:
                expected = {**other.people(index, size), **expected}
        boxes = np.array(list(expected.values()), np.float64).reshape(-1, 4)
        best = box_overlaps(boxes, run.boxes(index, size)).max(axis=1, initial=0)
        factor = self._size[0] / size[0]
        return [tuple(box) for box in (boxes[best < MATCH_IOU] * factor).tolist()]

    def _switches(self, run: ComparedRun, index: int) -> list[Break]:
        """ID switches since the moment before, of people still under the new id."""
        if run.judged is None:
            return []
        place = self.frames.index(index)
        since = self.frames[place - 1] if place else max(0, index - round(self._comparison.videos[0].frame_rate))
        return [one for one in run.judged.breaks if one.is_switch and since < one.after.frame <= index]
