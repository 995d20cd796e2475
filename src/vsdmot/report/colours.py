"""The colours of everything that is drawn over a picture, as RGB.

An id has one colour, whatever the clip, the frame or the program that draws it.
"""

from __future__ import annotations

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
