"""How large things are drawn in an image, and text at that size.

Lettering goes through the call that every OpenCV has: version 5 draws it with its built-in outline font, version 4 with
plain strokes.
"""

from __future__ import annotations

import math

import cv2

from vsdmot.report.colours import Colour
from vsdmot.structures import Image

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PIXELS_PER_SCALE = 30.0  # font size in pixels at fontScale 1
_CAP_HEIGHT = 0.7  # height of a digit or capital as a part of the font size


def growth(height: int, width: int) -> float:
    """Give the size of drawn things relative to an image of 480 lines; of a portrait image the width counts.

    Things grow more slowly than the image: at 4K they are 3 times as large, not 4.5 times.

    >>> round(growth(2160, 3840), 2)
    2.95
    """
    return math.pow(min(height, width) / 480, 0.72)


def font_size(height: int, width: int) -> int:
    """Give the font size in pixels for an image: 12 at 480 lines, growing more slowly than the image does.

    >>> [font_size(*shape) for shape in ((240, 320), (480, 854), (1080, 1920), (2160, 3840))]
    [10, 12, 22, 37]
    """
    return max(10, round(12.4 * growth(height, width)))


def line_width(height: int, width: int) -> int:
    """Give the width in pixels of drawn lines in an image.

    >>> line_width(480, 640), line_width(1080, 1920)
    (2, 4)
    """
    return max(1, round(2 * growth(height, width)))


def text_width(text: str, size: float, *, bold: bool = False) -> int:
    """Give the width in pixels of one line of text at a font size in pixels."""
    (width, _), _ = cv2.getTextSize(text, _FONT, size / _PIXELS_PER_SCALE, 2 if bold else 1)
    return int(width)


def write(
    image: Image, text: str, left: float, middle: float, size: float, colour: Colour, *, bold: bool = False
) -> None:
    """Draw one line of text into ``image``.

    Args:
        image: ``(H, W, 3)``, drawn into.
        text: ASCII.
        left: Left edge in pixels.
        middle: Height in pixels of the middle of the digits.
        size: Font size in pixels.
        colour: RGB.
        bold: Draw heavier letters.
    """
    baseline = round(middle + _CAP_HEIGHT * size / 2)
    scale = size / _PIXELS_PER_SCALE
    cv2.putText(image, text, (round(left), baseline), _FONT, scale, colour, 2 if bold else 1, cv2.LINE_AA)
