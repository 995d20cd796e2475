"""The quality meter: a small panel in the corner where it hides the fewest people.

It shows the score ``Q`` of Sec. III-C with the three terms behind it, the semantic weight of DSWR (Eq. 13) where the
tracker has one, and how both went over the last seconds.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from vsdmot.report.colours import BRIGHT, DARK, DIM, SEMANTIC, Colour, goodness_colour
from vsdmot.report.lettering import font_size, text_width, write
from vsdmot.report.placement import CornerChoice, Rectangle, corners
from vsdmot.structures import FrameResult, Image

_OPACITY = 0.76
_TRACK: Colour = (62, 66, 74)  # the empty part of a bar

# All measures of the panel are multiples of the font size.
_FULL_WIDTH, _COMPACT_WIDTH, _PADDING = 14.0, 10.5, 0.6
_HEADLINE, _ROW, _SPARKLINE, _GAP = 1.9, 1.3, 2.2, 0.5


class QualityMeter:
    """Draw quality, semantic weight, frame number, time and the number of people into a corner.

    Args:
        frame_rate: Frames per second.
        history_seconds: How much of the past the curve shows.
    """

    def __init__(self, *, frame_rate: float, history_seconds: float) -> None:
        self._history_frames = max(2, round(history_seconds * frame_rate))
        self._history: deque[tuple[int, float, float | None]] = deque()
        self._choice = CornerChoice(frame_rate)

    def draw(self, image: Image, result: FrameResult) -> Rectangle | None:
        """Draw the meter into ``image``; call it once for each frame, in order.

        Args:
            image: ``(H, W, 3)`` uint8 RGB, drawn into.
            result: What is known of the frame.

        Returns:
            Where the meter was drawn, None where the image is too small for even the compact form.
        """
        self._history.append((result.index, result.quality.score, result.semantic_weight))
        while self._history[0][0] <= result.index - self._history_frames:
            self._history.popleft()
        height, width = image.shape[:2]
        unit = font_size(height, width)
        size = panel_size(height, width, with_weight=result.semantic_weight is not None)
        if size is None:
            return None
        places = corners(height, width, size, margin=round(_PADDING * unit))
        hidden = [place.hides(result.tracks.boxes) for place in places]
        panel = places[self._choice.update(result.index, hidden)]
        area = image[panel.top : panel.top + panel.height, panel.left : panel.left + panel.width]
        area[:] = cv2.addWeighted(area, 1 - _OPACITY, np.full_like(area, DARK), _OPACITY, 0)
        if panel.width < round(_FULL_WIDTH * unit):
            _draw_compact(area, unit, result)
        else:
            _draw_full(area, unit, result)
            self._draw_curves(area, unit, result.index)
        return panel

    def _draw_curves(self, area: Image, unit: int, index: int) -> None:
        """Draw Q and the semantic weight of the last seconds; the newest value is at the right edge."""
        pad = _PADDING * unit
        bottom = len(area) - pad - _ROW * unit - 0.2 * unit
        top, left, right = bottom - _SPARKLINE * unit, pad, area.shape[1] - pad
        cv2.rectangle(area, (round(left), round(top)), (round(right) - 1, round(bottom)), _TRACK, max(1, unit // 14))
        step = (right - left - 4) / (self._history_frames - 1)
        for column, colour in ((2, SEMANTIC), (1, BRIGHT)):
            points = [
                (right - 2 - (index - entry[0]) * step, bottom - 1 - value * (bottom - top - 2))
                for entry in self._history
                if (value := entry[column]) is not None
            ]
            curve = np.round(np.array(points).reshape(-1, 1, 2) * 16).astype(np.int32)
            cv2.polylines(area, [curve], False, colour, max(1, unit // 14), cv2.LINE_AA, shift=4)


def panel_size(height: int, width: int, *, with_weight: bool) -> tuple[int, int] | None:
    """Give the height and width in pixels of the meter in an image, None where none fits.

    The full form is used where it takes at most 38 % of either side, else the compact one where that takes at most
    60 % of the width and 25 % of the height.

    >>> panel_size(480, 640, with_weight=False), panel_size(16, 16, with_weight=False)
    ((142, 168), None)
    """
    unit = font_size(height, width)
    rows = _HEADLINE + 0.8 + (3 + with_weight) * _ROW + 0.3 + _SPARKLINE + 0.2 + _ROW
    full = round((rows + 2 * _PADDING) * unit), round(_FULL_WIDTH * unit)
    if full[0] <= 0.38 * height and full[1] <= 0.38 * width:
        return full
    compact = round((2 * _ROW + with_weight * _ROW + 0.6) * unit), round(_COMPACT_WIDTH * unit)
    return compact if compact[0] <= 0.25 * height and compact[1] <= 0.6 * width else None


def _draw_full(area: Image, unit: int, result: FrameResult) -> None:
    quality = result.quality
    pad = _PADDING * unit
    right = area.shape[1] - pad
    middle = pad + _HEADLINE * unit / 2
    write(area, "quality Q", pad, middle, unit, BRIGHT)
    headline = f"{quality.score:.2f}"
    size = round(1.7 * unit)
    write(area, headline, right - text_width(headline, size, bold=True), middle, size, BRIGHT, bold=True)
    top = pad + _HEADLINE * unit
    draw_bar(area, pad, top, right - pad, 0.55 * unit, quality.score, goodness_colour(quality.score))
    middle = top + (0.8 + _ROW / 2) * unit
    terms = (
        ("clarity", quality.clarity, True),
        ("noise", quality.noise, False),
        ("contrast", quality.contrast, True),
    )
    for name, value, high_is_good in terms:
        _draw_row(area, unit, middle, name, value, goodness_colour(value if high_is_good else 1 - value))
        _draw_arrow(area, pad + 4.05 * unit, middle, 0.5 * unit, up=high_is_good)
        middle += _ROW * unit
    if result.semantic_weight is not None:
        _draw_row(area, unit, middle, "semantic", result.semantic_weight, SEMANTIC)
    _draw_footer(area, unit, len(area) - pad - _ROW * unit / 2, result)


def _draw_compact(area: Image, unit: int, result: FrameResult) -> None:
    middle = (0.3 + _ROW / 2) * unit
    rows: list[tuple[str, float, Colour]] = [("Q", result.quality.score, goodness_colour(result.quality.score))]
    if result.semantic_weight is not None:
        rows.append(("w", result.semantic_weight, SEMANTIC))
    for name, value, colour in rows:
        _draw_row(area, unit, middle, name, value, colour, name_width=1.3)
        middle += _ROW * unit
    _draw_footer(area, unit, middle, result)


def _draw_arrow(area: Image, left: float, middle: float, side: float, *, up: bool) -> None:
    """Draw a small triangle: up for values that should be high, down for those that should be low."""
    tip = -side / 2 if up else side / 2
    triangle = np.array([(left, middle - tip), (left + side, middle - tip), (left + side / 2, middle + tip)])
    cv2.fillPoly(area, [np.round(triangle * 16).astype(np.int32)], DIM, cv2.LINE_AA, shift=4)


def _draw_row(
    area: Image, unit: int, middle: float, name: str, value: float, colour: Colour, name_width: float = 5.1
) -> None:
    """Draw a name, a bar and the number."""
    pad, right = _PADDING * unit, area.shape[1] - _PADDING * unit
    number = f"{value:.2f}"
    bar_left, bar_right = pad + name_width * unit, right - 2.5 * unit
    write(area, name, pad, middle, unit, DIM)
    write(area, number, right - text_width(number, unit), middle, unit, BRIGHT)
    draw_bar(area, bar_left, middle - 0.2 * unit, bar_right - bar_left, 0.4 * unit, value, colour)


def _draw_footer(area: Image, unit: int, middle: float, result: FrameResult) -> None:
    """Draw the number of people and, as far as there is room, the frame's number and time."""
    pad, right = _PADDING * unit, area.shape[1] - _PADDING * unit
    people = f"{len(result.tracks)} people" if len(result.tracks) != 1 else "1 person"
    right -= text_width(people, unit)
    write(area, people, right, middle, unit, DIM)
    for text in (f"#{result.index}  {clock(result.time)}", f"#{result.index}"):
        if pad + text_width(text, unit) < right:
            write(area, text, pad, middle, unit, DIM)
            break


def clock(seconds: float) -> str:
    """Write a time as people do.

    >>> clock(4.96), clock(83.0), clock(36000.0)
    ('5.0 s', '1:23', '10:00:00')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def draw_bar(image: Image, left: float, top: float, width: float, height: float, value: float, colour: Colour) -> None:
    """Draw a bar of which the part ``value`` (in [0, 1]) is filled, from the left."""
    x0, x1, y0 = round(left), round(left + width), round(top)
    y1 = y0 + max(2, round(height))
    image[y0:y1, x0:x1] = _TRACK
    image[y0:y1, x0 : x0 + round(value * (x1 - x0))] = colour
