"""A run's panel in the side-by-side video: its frame, boxes, title and, for one run of each video, the meter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot.evaluation.events import Break
from vsdmot.io.exchange.table import FRAME_COLUMNS
from vsdmot.quality import assess
from vsdmot.report.compare.marks import draw_switch, title_bar
from vsdmot.report.compare.plan import ComparedRun, Comparison
from vsdmot.report.overlay import Overlay, OverlayConfig
from vsdmot.structures import Frame, FrameQuality, FrameResult, Image, Tracks

MARK_SECONDS = 1.5
"""How long an ID switch stays marked."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where panels go.

    Attributes:
        width: Of a panel, pixels.
        height: Of a panel without its title, pixels.
        across: Panels beside each other.
    """

    width: int
    height: int
    across: int


def choose_layout(size: tuple[int, int], count: int, *, panel_height: int | None, widest: int = 1920) -> Layout:
    """Choose how panels are laid out: beside each other up to three, else in a grid as wide as high.

    Args:
        size: Width and height of the largest video.
        count: Panels.
        panel_height: Of a panel in pixels; None takes the video's, or less where all of it would be wider than
            ``widest``.
        widest: Pixels across.

    >>> choose_layout((1920, 1080), 2, panel_height=None)
    Layout(width=960, height=540, across=2)
    """
    across = count if count <= 3 else math.ceil(math.sqrt(count))
    height = panel_height or min(size[1], round(widest / across * size[1] / size[0]))
    height = max(2, height // 2 * 2)
    return Layout(width=max(2, round(height * size[0] / size[1]) // 2 * 2), height=height, across=across)


def resized(image: Image, width: int, height: int) -> Image:
    """Bring a picture to a panel's size."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > height
    fitted: Image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return fitted


def tracks_in(run: ComparedRun, frame: int, size: tuple[int, int]) -> Tracks:
    """Give the tracks of a frame under common ids, in pixels of a picture of a size."""
    scores = run.run.table.scores[run.rows(frame)]
    known = np.where(np.isfinite(scores), scores, 1.0).clip(0, 1)
    return Tracks(run.ids(frame), run.boxes(frame, size).astype(np.float32), known.astype(np.float32))


def latest_switches(run: ComparedRun, switches: Sequence[Break]) -> list[tuple[int, int]]:
    """Give the common ids before and after of switches, by rising frame; of several into one track only the last."""
    into = {run.shared[one.after.track_id]: run.shared[one.before.track_id] for one in switches}
    return [(before, after) for after, before in into.items()]


class Panel:
    """Draw the panel of a run, frame after frame.

    Args:
        run: The run.
        layout: Its size.
        frame_rate: Frames per second.
        with_meter: Whether the quality meter is drawn in it.
    """

    def __init__(self, run: ComparedRun, layout: Layout, *, frame_rate: float, with_meter: bool) -> None:
        self._run = run
        self._layout = layout
        config = OverlayConfig(show_scores=False, show_quality=with_meter)
        self._overlay = Overlay(frame_rate=frame_rate, config=config)
        self._mark_frames = max(1, round(MARK_SECONDS * frame_rate))
        self._switches = [one for one in (run.judged.breaks if run.judged else ()) if one.is_switch]
        self._with_meter = with_meter

    def draw(self, frame: Frame, own: Frame | None) -> Image:
        """Draw a frame.

        Args:
            frame: Of the first video, for index and time.
            own: The frame of the run's own video; None where it has none, which leaves the panel black.

        Returns:
            ``(title and panel, width, 3)`` uint8 RGB.
        """
        size = (self._layout.width, self._layout.height)
        if own is None:
            image: Image = np.zeros((size[1], size[0], 3), np.uint8)
        else:
            image = np.ascontiguousarray(resized(own.image, *size))
        quality = self._quality(frame.index, own) if self._with_meter else _UNKNOWN
        weight = self._value(frame.index, "semantic_weight")
        result = FrameResult(frame.index, frame.time, tracks_in(self._run, frame.index, size), quality, weight, 0)
        drawn = self._overlay.draw(Frame(frame.index, frame.time, image), result)
        self._mark_switches(drawn, frame.index, size)
        facts = self._facts(frame.index, own)
        return np.concatenate([title_bar(size[1], size[0], self._run.run.name, facts), drawn])

    def _mark_switches(self, drawn: Image, index: int, size: tuple[int, int]) -> None:
        people = self._run.people(index, size)
        recent = [one for one in self._switches if one.after.frame <= index < one.after.frame + self._mark_frames]
        for before, after in latest_switches(self._run, recent):
            if after in people:
                draw_switch(drawn, people[after], f"ID switch {before} > {after}")

    def _facts(self, index: int, own: Frame | None) -> str:
        if own is None:
            return "no such frame"
        judged = self._run.judged
        if judged is None:
            return f"{len(self._run.ids(index))} tracks"
        so_far = sum(one.after.frame <= index for one in self._switches)
        return f"HOTA {100 * judged.scores['HOTA']:.1f}   ID switches {so_far}"

    def _quality(self, index: int, own: Frame | None) -> FrameQuality:
        """Take the quality from the run's file, or measure it."""
        known = [self._value(index, name) for name in ("clarity", "noise", "contrast", "quality")]
        clarity, noise, contrast, score = known
        if clarity is not None and noise is not None and contrast is not None and score is not None:
            return FrameQuality(clarity=clarity, noise=noise, contrast=contrast, score=score)
        return _UNKNOWN if own is None else assess(own)

    def _value(self, index: int, name: str) -> float | None:
        table = self._run.run.table
        row = int(np.searchsorted(table.known_frames, index))
        if row == len(table.known_frames) or table.known_frames[row] != index:
            return None
        value = float(table.frame_values[row, FRAME_COLUMNS.index(name)])
        return value if math.isfinite(value) else None


_UNKNOWN = FrameQuality(clarity=0.0, noise=0.0, contrast=0.0, score=0.0)


def metered(comparison: Comparison) -> list[bool]:
    """Choose the panels that show the meter: one for each video, of the run that knows the semantic weight, if any."""
    chosen = set()
    for video in range(len(comparison.videos)):
        own = [number for number, one in enumerate(comparison.runs) if one.video == video]
        knowing = [number for number in own if comparison.runs[number].run.knows("semantic_weight")]
        chosen.update((knowing or own)[:1])
    return [number in chosen for number in range(len(comparison.runs))]


class SideBySide:
    """Draw all panels of a comparison into one picture, frame after frame.

    Attributes:
        layout: Where panels go.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """

    def __init__(self, comparison: Comparison, layout: Layout) -> None:
        self.layout = layout
        rate = comparison.videos[comparison.runs[0].video].frame_rate
        self._videos = [one.video for one in comparison.runs]
        self._panels = [
            Panel(one, layout, frame_rate=rate, with_meter=meter)
            for one, meter in zip(comparison.runs, metered(comparison), strict=True)
        ]
        title = title_bar(layout.height, layout.width, "", "")
        rows = math.ceil(len(self._panels) / layout.across)
        self.width = layout.across * layout.width + (layout.across - 1) * GAP
        self.height = rows * (layout.height + len(title)) + (rows - 1) * GAP

    def draw(self, frame: Frame, own: Sequence[Frame | None]) -> Image:
        """Draw a frame.

        Args:
            frame: Of the first video.
            own: For each video, its frame of the same index.
        """
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        for number, (panel, video) in enumerate(zip(self._panels, self._videos, strict=True)):
            drawn = panel.draw(frame, own[video])
            row, column = divmod(number, self.layout.across)
            top, left = row * (drawn.shape[0] + GAP), column * (drawn.shape[1] + GAP)
            picture[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
        return picture


GAP = 4
"""Pixels between panels."""
