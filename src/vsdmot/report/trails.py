"""The path behind each person, drawn fainter the older it is."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.report.colours import DARK, Colour, id_colour
from vsdmot.report.lettering import line_width
from vsdmot.structures import Image, Tracks

_FADE_STEPS = 8
_OPACITY = 0.9


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
        line = line_width(height, width)
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
            strength = round(255 * _OPACITY * step / _FADE_STEPS)
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
