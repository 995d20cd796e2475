"""Thumbnails: parts of frames, with the boxes in them, as small JPEG images."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vsdmot.evaluation.events import Corners
from vsdmot.io.image_writer import encode_image
from vsdmot.report.colours import BRIGHT, DARK, id_colour
from vsdmot.report.labels import Label, draw_label, label_places
from vsdmot.report.lettering import font_size
from vsdmot.structures import Image

JPEG_QUALITY = 72
_OUTSIDE = 40  # grey level beyond the picture's edge
_DASH = 5  # pixels


@dataclass(frozen=True, slots=True)
class Mark:
    """A box to draw.

    Attributes:
        box: ``xyxy`` in pixels of the whole frame.
        track_id: Whose; None for a true box, which is dashed.
        is_main: Whether the thumbnail is about it; others are thin and without number.
    """

    box: Corners
    track_id: int | None
    is_main: bool = True


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A part of a frame that is to be shown.

    Attributes:
        frame: From 1.
        region: ``xyxy`` in pixels of the frame; may reach beyond it.
        size: Width and height of the thumbnail in pixels.
        marks: What is drawn into it.
        text: What it shows, for those who cannot see it.
    """

    frame: int
    region: Corners
    size: tuple[int, int]
    marks: tuple[Mark, ...]
    text: str


def cut(image: Image, thumbnail: Thumbnail) -> bytes:
    """Cut a thumbnail out of its frame ``(H, W, 3)`` and give it as JPEG."""
    width, height = thumbnail.size
    left, top, right, bottom = thumbnail.region
    scale_x, scale_y = width / (right - left), height / (bottom - top)
    source = _part(image, thumbnail.region)
    shrinks = source.shape[1] > width
    canvas = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    canvas = np.ascontiguousarray(canvas)
    factors, offset = np.array([scale_x, scale_y] * 2), np.array([left, top] * 2)
    for mark in sorted(thumbnail.marks, key=lambda mark: mark.is_main and mark.track_id is not None):  # labels on top
        _draw(canvas, mark, (np.array(mark.box) - offset) * factors)
    return encode_image(canvas, Path("thumbnail.jpg"), JPEG_QUALITY)


def region_around(box: Corners, *, height: float, aspect: float) -> Corners:
    """Give a region of a height in pixels, and ``aspect`` times as wide, around the middle of a box."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x - aspect * height / 2, y - height / 2, x + aspect * height / 2, y + height / 2


def _part(image: Image, region: Corners) -> Image:
    """Take a region out of an image, grey where it reaches beyond."""
    left, top, right, bottom = (round(side) for side in region)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    height, width = image.shape[:2]
    if min(left, top) >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    part: Image = np.full((bottom - top, right - left, 3), _OUTSIDE, np.uint8)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 < x1 and y0 < y1:
        part[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return part


def _draw(canvas: Image, mark: Mark, box: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    height, width = canvas.shape[:2]
    clipped = box.clip(-8, np.array([width, height] * 2) + 8)
    left, top, right, bottom = np.round(clipped).astype(int).tolist()
    if mark.track_id is None:
        _dashed(canvas, (left, top, right, bottom))
        return
    if mark.is_main:
        cv2.rectangle(canvas, (left, top), (right, bottom), DARK, 4)
    cv2.rectangle(canvas, (left, top), (right, bottom), id_colour(mark.track_id), 2 if mark.is_main else 1)
    text = str(mark.track_id)
    places = label_places(text, clipped.astype(np.float32), font_size(height, width), 1, canvas.shape)
    shows = left < width and top < height and min(right, bottom) > 0
    if mark.is_main and places and shows:
        draw_label(canvas, Label(mark.track_id, text, places[0]))


def _dashed(canvas: Image, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for start, end in itertools.pairwise(corners):
        length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        steps = max(1, length // _DASH)
        points = np.round(np.linspace(start, end, steps + 1)).astype(int).tolist()
        for number, (first, second) in enumerate(itertools.pairwise(points)):
            cv2.line(canvas, first, second, BRIGHT if number % 2 == 0 else DARK, 1)


def marks_in(
    region: Corners, tracks: Sequence[tuple[int, Corners]], main: frozenset[int], truth: Sequence[Corners]
) -> tuple[Mark, ...]:
    """Make the marks of a thumbnail of the boxes that show in its region.

    Args:
        region: The thumbnail's part of the frame.
        tracks: Ids and boxes of the frame.
        main: Ids that the thumbnail is about.
        truth: True boxes to draw.
    """
    shown = [
        Mark(box, track_id, track_id in main)
        for track_id, box in tracks
        if box[0] < region[2] and box[2] > region[0] and box[1] < region[3] and box[3] > region[1]
    ]
    return (*shown, *(Mark(box, None) for box in truth))
