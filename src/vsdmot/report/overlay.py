"""The overlay: boxes, ids, trails and a quality meter drawn over a frame.

All sizes follow the image, so that the same settings serve a 320x240 camera and a 4K film.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot.config import above, at_least, check
from vsdmot.report.colours import DARK, id_colour
from vsdmot.report.labels import Labels, draw_label
from vsdmot.report.lettering import line_width
from vsdmot.report.meter import QualityMeter
from vsdmot.report.trails import Trails
from vsdmot.structures import Frame, FrameResult, Image, Tracks


@dataclass(frozen=True, kw_only=True)
class OverlayConfig:
    """What is drawn over the video.

    Attributes:
        trail_seconds: How long, in seconds, the path behind a person stays; longer shows more of where people came
            from, shorter hides less of a crowd, 0 draws none.
        show_scores: Write the score after the id; off writes the id alone, which hides less.
        show_quality: Draw the quality meter; off leaves the picture freer.
        sparkline_seconds: How many seconds of quality the meter's curve shows; more shows the course of a long clip,
            fewer shows quick changes.
    """

    trail_seconds: float = 2.0
    show_scores: bool = True
    show_quality: bool = True
    sparkline_seconds: float = 10.0

    def __post_init__(self) -> None:
        check(self, trail_seconds=at_least(0), sparkline_seconds=above(0))


class Overlay:
    """Draw results over frames, one after the other; trails and curves grow as it goes.

    Memory does not grow with the length of the video: what is older than trails, curve and the last labels is dropped.

    Args:
        frame_rate: Frames per second, which turns the seconds of the settings into frames.
        config: What to draw.

    Raises:
        ValueError: ``frame_rate`` is not above 0, or not finite.
    """

    def __init__(self, *, frame_rate: float, config: OverlayConfig = OverlayConfig()) -> None:
        if not 0 < frame_rate < math.inf:
            raise ValueError(f"Overlay needs a frame_rate above 0 and finite, got {frame_rate}")
        self._frame_rate = frame_rate
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget the trails, the curve and where labels stood, before another clip."""
        self._last_index = 0
        self._trails = Trails(max_age=round(self._config.trail_seconds * self._frame_rate), frame_rate=self._frame_rate)
        self._meter = QualityMeter(frame_rate=self._frame_rate, history_seconds=self._config.sparkline_seconds)
        self._labels = Labels(frame_rate=self._frame_rate, show_scores=self._config.show_scores)

    def draw(self, frame: Frame, result: FrameResult) -> Image:
        """Draw the result of a frame over its image.

        Args:
            frame: The frame; its image stays as it is.
            result: What the tracker said of the same frame.

        Returns:
            A new ``(H, W, 3)`` uint8 RGB image.

        Raises:
            ValueError: ``result`` is of another frame, or the frame is not after the one drawn before.
        """
        if result.index != frame.index:
            raise ValueError(f"Overlay.draw got frame {frame.index} with the result of frame {result.index}")
        if frame.index <= self._last_index:
            raise ValueError(
                f"Overlay.draw got frame {frame.index} after {self._last_index}; reset() starts a new clip"
            )
        self._last_index = frame.index
        canvas = np.array(frame.image, order="C")
        self._trails.extend(frame.index, result.tracks)
        self._trails.draw(canvas)
        visible = _far_to_near(result.tracks, frame.height, frame.width)
        _draw_boxes(canvas, visible)
        panel = self._meter.draw(canvas, result) if self._config.show_quality else None
        taken = (panel,) if panel else ()
        for label in self._labels.arrange(frame.index, visible, canvas.shape, taken=taken):
            draw_label(canvas, label)
        return canvas


def _far_to_near(tracks: Tracks, height: int, width: int) -> Tracks:
    """Keep the tracks that show in the image, those that stand nearer (lower in the picture) later."""
    boxes = tracks.boxes
    shows = (boxes[:, 0] < width) & (boxes[:, 1] < height) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    order = np.argsort(boxes[:, 3], kind="stable")
    order = order[shows[order]]
    return Tracks(ids=tracks.ids[order], boxes=boxes[order], scores=tracks.scores[order])


def _draw_boxes(canvas: Image, tracks: Tracks) -> None:
    height, width = canvas.shape[:2]
    line = line_width(height, width)
    # Far edges need no exact place, and huge numbers would overflow OpenCV's integers.
    boxes = tracks.boxes.clip(-4 * line, np.array([width, height] * 2, np.float32) + 4 * line)
    corners = np.round(boxes).astype(int).tolist()
    for thickness, outline in ((line + 2, True), (line, False)):
        for track_id, (left, top, right, bottom) in zip(tracks.ids.tolist(), corners, strict=True):
            cv2.rectangle(canvas, (left, top), (right, bottom), DARK if outline else id_colour(track_id), thickness)
