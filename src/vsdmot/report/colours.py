"""Colours and lettering that the parts of the overlay share.

Colours are RGB. An id has one colour, whatever the clip, the frame or the program that draws it. Lettering goes through
the call that every OpenCV has: version 5 draws it with its built-in outline font, version 4 with plain strokes.
"""

from __future__ import annotations

import math

import cv2

from vsdmot.structures import Image

Colour = tuple[int, int, int]

# Found by search: of 555 saturated colours of CIE lightness 52 to 92 (so that they show on dark, bright and grey
# pictures), twenty whose smallest CIELAB distance is large, also as people without red or green cones see them
# (Machado et al. 2009); then ordered so that ids that follow each other differ most. tests/report/test_colours.py
# measures both.
_ID_COLOURS: tuple[Colour, ...] = (
    (202, 48, 255),
    (254, 2, 112),
    (143, 221, 94),
    (239, 101, 5),
    (255, 124, 203),
    (96, 212, 254),
    (12, 253, 185),
    (237, 153, 115),
    (187, 88, 227),
    (6, 170, 5),
    (2, 246, 246),
    (218, 241, 148),
    (242, 1, 177),
    (249, 184, 6),
    (135, 176, 255),
    (86, 255, 78),
    (237, 147, 164),
    (149, 143, 65),
    (182, 120, 209),
    (10, 164, 132),
)

DARK: Colour = (14, 16, 20)
BRIGHT: Colour = (240, 242, 245)
DIM: Colour = (168, 174, 182)
SEMANTIC: Colour = (186, 156, 255)

# Vermilion, amber, blue-green: the ends stay apart for colour-blind eyes, which plain red and green do not.
_BAD_TO_GOOD: tuple[Colour, Colour, Colour] = ((240, 82, 48), (248, 190, 60), (72, 208, 190))

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PIXELS_PER_SCALE = 30.0  # font size in pixels at fontScale 1
_CAP_HEIGHT = 0.7  # height of a digit or capital as a part of the font size


def id_colour(track_id: int) -> Colour:
    """Give the colour of a track id; it repeats after 20 ids.

    >>> id_colour(3) == id_colour(23) != id_colour(4)
    True
    """
    return _ID_COLOURS[(track_id - 1) % len(_ID_COLOURS)]


def goodness_colour(goodness: float) -> Colour:
    """Give the colour of a value in [0, 1]: 0 vermilion (bad), 0.5 amber, 1 blue-green (good).

    >>> goodness_colour(0.0), goodness_colour(0.5)
    ((240, 82, 48), (248, 190, 60))
    """
    lower, upper = _BAD_TO_GOOD[:2] if goodness < 0.5 else _BAD_TO_GOOD[1:]
    share = 2 * goodness if goodness < 0.5 else 2 * goodness - 1
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(lower, upper, strict=True))
    return red, green, blue


def font_size(height: int, width: int) -> int:
    """Give the font size in pixels for an image: 12 at 480 lines, growing more slowly than the image does.

    >>> [font_size(*shape) for shape in ((240, 320), (480, 854), (1080, 1920), (2160, 3840))]
    [10, 12, 22, 37]
    """
    return max(10, round(12.4 * growth(height, width)))


def growth(height: int, width: int) -> float:
    """Give the size of drawn things relative to an image of 480 lines; of a portrait image the width counts.

    Things grow more slowly than the image: at 4K they are 3 times as large, not 4.5 times.

    >>> round(growth(2160, 3840), 2)
    2.95
    """
    return math.pow(min(height, width) / 480, 0.72)


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
