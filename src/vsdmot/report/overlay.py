"""The overlay: boxes, ids, trails and a quality meter drawn over a frame.

All sizes follow the image, so that the same settings serve a 320x240 camera and a 4K film.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.config import above, at_least, check
from vsdmot.report.colours import BRIGHT, DARK, Colour, font_size, growth, id_colour, text_width, write
from vsdmot.report.meter import QualityMeter, Rectangle
from vsdmot.structures import Boxes, Frame, FrameResult, Image, Tracks

_FADE_STEPS = 8
_TRAIL_OPACITY = 0.9
_WIDEST_LABEL = 2.5  # times the box's width; a wider one hides neighbours, so the score is left out


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

    Memory does not grow with the length of the video: what is older than the trails and the curve is dropped.

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
        """Forget the trails and the curve, before another clip."""
        self._last_index = 0
        self._trails = Trails(max_age=round(self._config.trail_seconds * self._frame_rate), frame_rate=self._frame_rate)
        self._meter = QualityMeter(frame_rate=self._frame_rate, history_seconds=self._config.sparkline_seconds)

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
        for label in arrange_labels(visible, canvas.shape, show_scores=self._config.show_scores, taken=taken):
            _draw_label(canvas, label)
        return canvas


class Trails:
    """The paths of the feet (middle of a box's lower edge) over the last frames.

    Args:
        max_age: How many frames a point stays.
        frame_rate: Frames per second.
    """

    _LONGEST_GAP_SECONDS = 0.5  # over a longer absence the path is unknown, and no line is drawn

    def __init__(self, *, max_age: int, frame_rate: float) -> None:
        self._max_age = max_age
        self._longest_gap = max(1.0, self._LONGEST_GAP_SECONDS * frame_rate)
        self._points: dict[int, deque[tuple[int, float, float]]] = {}
        self._index = 0

    @property
    def num_points(self) -> int:
        """How many points are kept, over all ids."""
        return sum(len(points) for points in self._points.values())

    def extend(self, index: int, tracks: Tracks) -> None:
        """Add the people of a frame, and drop what is too old."""
        self._index = index
        for track_id, box in zip(tracks.ids.tolist(), tracks.boxes.tolist(), strict=True):
            self._points.setdefault(track_id, deque()).append((index, (box[0] + box[2]) / 2, box[3]))
        for track_id, points in list(self._points.items()):
            while points and points[0][0] < index - self._max_age:
                points.popleft()
            if not points:
                del self._points[track_id]

    def draw(self, canvas: Image) -> None:
        """Draw every path into ``canvas``, older parts fainter."""
        for track_id, points in self._points.items():
            path = np.array(points)
            for piece in np.split(path, np.flatnonzero(np.diff(path[:, 0]) > self._longest_gap) + 1):
                if len(piece) > 1:
                    self._draw_path(canvas, piece, id_colour(track_id))

    def _draw_path(self, canvas: Image, path: NDArray[np.float64], colour: Colour) -> None:
        height, width = canvas.shape[:2]
        line = _line_width(height, width)
        points = path[:, 1:].clip((-width, -height), (2 * width, 2 * height))
        left, top = np.floor(points.min(axis=0) - 2 * line).astype(int).clip(0, (width, height))
        right, bottom = np.ceil(points.max(axis=0) + 2 * line).astype(int).clip(0, (width, height))
        if left >= right or top >= bottom:
            return
        fade = 1 - (self._index - path[1:, 0]) / (self._max_age + 1)  # of each segment's newer end
        steps = np.ceil(fade * _FADE_STEPS)
        corners = np.round((points - (left, top)) * 16).astype(np.int32)
        ink = np.zeros((bottom - top, right - left), np.uint8)
        edge = ink.copy()
        for step in np.unique(steps):
            (segments,) = np.nonzero(steps == step)
            piece = [corners[segments[0] : segments[-1] + 2]]
            strength = round(255 * _TRAIL_OPACITY * step / _FADE_STEPS)
            cv2.polylines(edge, piece, False, round(0.6 * strength), line + 2, cv2.LINE_AA, shift=4)
            cv2.polylines(ink, piece, False, strength, line, cv2.LINE_AA, shift=4)
        area = canvas[top:bottom, left:right]
        _blend(area, edge, DARK)
        _blend(area, ink, colour)


def _blend(area: Image, strength: NDArray[np.uint8], colour: Colour) -> None:
    """Mix ``colour`` into ``area`` where ``strength`` (0 to 255) is above 0."""
    rows, columns = np.nonzero(strength)
    share = strength[rows, columns, None].astype(np.float32) / 255
    old = area[rows, columns].astype(np.float32)
    area[rows, columns] = (old + (np.asarray(colour, np.float32) - old) * share + 0.5).astype(np.uint8)


def _line_width(height: int, width: int) -> int:
    return max(1, round(2 * growth(height, width)))


def _far_to_near(tracks: Tracks, height: int, width: int) -> Tracks:
    """Keep the tracks that show in the image, those that stand nearer (lower in the picture) later."""
    boxes = tracks.boxes
    shows = (boxes[:, 0] < width) & (boxes[:, 1] < height) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    order = np.argsort(boxes[:, 3], kind="stable")
    order = order[shows[order]]
    return Tracks(ids=tracks.ids[order], boxes=boxes[order], scores=tracks.scores[order])


def _draw_boxes(canvas: Image, tracks: Tracks) -> None:
    height, width = canvas.shape[:2]
    line = _line_width(height, width)
    # Far edges need no exact place, and huge numbers would overflow OpenCV's integers.
    boxes = tracks.boxes.clip(-4 * line, np.array([width, height] * 2, np.float32) + 4 * line)
    corners = np.round(boxes).astype(int).tolist()
    for thickness, outline in ((line + 2, True), (line, False)):
        for track_id, (left, top, right, bottom) in zip(tracks.ids.tolist(), corners, strict=True):
            cv2.rectangle(canvas, (left, top), (right, bottom), DARK if outline else id_colour(track_id), thickness)


@dataclass(frozen=True, slots=True)
class Label:
    """A text at its place, for one id."""

    track_id: int
    text: str
    place: Rectangle


def arrange_labels(
    tracks: Tracks, shape: tuple[int, ...], *, show_scores: bool, taken: tuple[Rectangle, ...] = ()
) -> list[Label]:
    """Place a label at each box, clear of one another as far as possible.

    Args:
        tracks: Who is labelled; those who come later choose first.
        shape: Height and width of the image first.
        show_scores: Add the score where the box is wide enough for it.
        taken: Places that are occupied already.

    Returns:
        The labels in drawing order; none for an image that is smaller than a label.
    """
    unit, edge = font_size(*shape[:2]), _line_width(*shape[:2]) // 2 + 1
    labels: list[Label] = []
    for track_id, score, box in reversed(list(zip(tracks.ids.tolist(), tracks.scores, tracks.boxes, strict=True))):
        choices = [
            Label(track_id, str(track_id), place) for place in label_places(str(track_id), box, unit, edge, shape)
        ]
        if not choices:
            continue
        scored = f"{track_id} {score:.2f}"
        if show_scores and text_width(scored, unit, bold=True) <= _WIDEST_LABEL * (box[2] - box[0]):
            full = [Label(track_id, scored, place) for place in label_places(scored, box, unit, edge, shape)]
            choices = full[:2] + choices + full[2:]
        occupied = [*taken, *(label.place for label in labels)]
        labels.append(min(choices, key=lambda choice: sum(choice.place.overlap(other) for other in occupied)))
    return labels[::-1]


def label_places(text: str, box: Boxes, unit: int, edge: int, shape: tuple[int, ...]) -> list[Rectangle]:
    """List where a label may stand in the image, best first: above the box, below it, higher above.

    Args:
        text: The label.
        box: ``(4,)`` xyxy in pixels.
        unit: Font size in pixels.
        edge: How far the box's line reaches outside the box, in pixels.
        shape: Height and width of the image first.

    Returns:
        Five places, or none where the label is larger than the image.
    """
    label_width, label_height = text_width(text, unit, bold=True) + round(0.6 * unit), round(1.25 * unit)
    if label_width > shape[1] or label_height > shape[0]:
        return []
    left, right = float(box[0]) - edge, float(box[2]) + edge - label_width
    above, below = float(box[1]) - label_height, float(box[3]) + edge
    return [
        Rectangle(
            left=round(min(max(x, 0), shape[1] - label_width)),
            top=round(min(max(y, 0), shape[0] - label_height)),
            width=label_width,
            height=label_height,
        )
        for x, y in ((left, above), (right, above), (left, below), (right, below), (left, above - label_height))
    ]


def _draw_label(canvas: Image, label: Label) -> None:
    place, unit, colour = label.place, font_size(*canvas.shape[:2]), id_colour(label.track_id)
    corner = (place.left + place.width - 1, place.top + place.height - 1)
    cv2.rectangle(canvas, (place.left, place.top), corner, colour, cv2.FILLED)
    cv2.rectangle(canvas, (place.left, place.top), corner, DARK, 1)
    red, green, blue = colour
    ink = DARK if 0.3 * red + 0.59 * green + 0.11 * blue > 110 else BRIGHT
    write(canvas, label.text, place.left + 0.3 * unit, place.top + place.height / 2, unit, ink, bold=True)
