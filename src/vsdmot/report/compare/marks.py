"""What is marked besides boxes and ids: ID switches, people who are missed, and what a panel shows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vsdmot.report.colours import BRIGHT, DARK, DIM, Colour, goodness_colour
from vsdmot.report.lettering import font_size, line_width, text_width, write
from vsdmot.structures import Image

WRONG: Colour = goodness_colour(0.0)
_BAR = 2.0  # height of a title in font sizes


def draw_switch(canvas: Image, box: Sequence[float], text: str) -> None:
    """Mark a person whose id has just changed: a second frame around the box, and what happened.

    Args:
        canvas: ``(H, W, 3)`` uint8 RGB, drawn into.
        box: ``xyxy`` in its pixels.
        text: ASCII, such as ``3 > 9``.
    """
    height, width = canvas.shape[:2]
    unit, line = font_size(height, width), line_width(height, width)
    gap = 2 * line + 1
    left, top, right, bottom = (round(min(max(side, -1e4), 1e5)) for side in box)
    corners = (left - gap, top - gap), (right + gap, bottom + gap)
    cv2.rectangle(canvas, *corners, DARK, line + 2)
    cv2.rectangle(canvas, *corners, WRONG, line)
    wide, high = text_width(text, unit, bold=True) + round(0.8 * unit), round(1.4 * unit)
    x = min(max((left + right - wide) // 2, 0), max(0, width - wide))
    y = bottom + gap + line if bottom + gap + line + high <= height else top - gap - line - high
    y = min(max(y, 0), max(0, height - high))
    cv2.rectangle(canvas, (x, y), (x + wide, y + high), WRONG, cv2.FILLED)
    write(canvas, text, x + 0.4 * unit, y + high / 2, unit, DARK, bold=True)


def draw_missed(canvas: Image, box: Sequence[float]) -> None:
    """Draw the corners of the box of a person who is not reported."""
    height, width = canvas.shape[:2]
    line = line_width(height, width)
    left, top, right, bottom = (round(min(max(side, -1e4), 1e5)) for side in box)
    across, down = max(3, (right - left) // 4), max(3, (bottom - top) // 5)
    for thickness, colour in ((line + 2, DARK), (line, BRIGHT)):
        for x, inwards in ((left, across), (right, -across)):
            for y, below in ((top, down), (bottom, -down)):
                cv2.line(canvas, (x, y), (x + inwards, y), colour, thickness)
                cv2.line(canvas, (x, y), (x, y + below), colour, thickness)


def title_height(height: int, width: int) -> int:
    """Give the height in pixels of the title over a panel of a size; even, as video needs it."""
    return round(_BAR * font_size(height, width)) // 2 * 2


def title_bar(height: int, width: int, name: str, facts: str) -> Image:
    """Draw the title of a panel: its name, and on the right what is told of it, as far as there is room.

    Args:
        height: Of the panel, pixels.
        width: Of the panel and the title, pixels.
        name: Of the run.
        facts: ASCII.
    """
    unit = font_size(height, width)
    bar = np.full((title_height(height, width), width, 3), DARK, np.uint8)
    middle, pad = len(bar) / 2, 0.6 * unit
    size = 1.1 * unit
    name = fitting(name, width - 2 * pad, size)
    write(bar, name, pad, middle, size, BRIGHT, bold=True)
    left = width - pad - text_width(facts, unit)
    if facts and left > pad + text_width(name, size, bold=True) + unit:
        write(bar, facts, left, middle, unit, DIM)
    return bar


def fitting(text: str, width: float, size: float) -> str:
    """Shorten a text until it fits, and put a question mark for what the font does not have.

    >>> fitting("a tracker with a long name", 90, 12)
    'a tracker...'
    """
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    if text_width(text, size, bold=True) <= width:
        return text
    while text and text_width(f"{text}...", size, bold=True) > width:
        text = text[:-1]
    return f"{text.rstrip()}..."
