"""A walking figure made of rounded strokes, whose exact box is known.

It is not a person: it shows what a program does with moving, crossing bodies, and nothing about how well real ones are
found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot.structures import Image

Colour = tuple[int, int, int]

_SUPERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """A walker; lengths in pixels, times in seconds.

    Attributes:
        track_id: Its id, from 1.
        height: From the soles to the crown when standing.
        feet: Height in the image of the ground under it; larger is nearer.
        middle_x: Where it is at ``middle_time``.
        middle_time: When it passes the middle of the picture.
        speed: Pixels per second; negative walks to the left.
        clothes: Colours of skin, jacket, trousers and hair.
    """

    track_id: int
    height: float
    feet: float
    middle_x: float
    middle_time: float
    speed: float
    clothes: tuple[Colour, Colour, Colour, Colour]

    def strokes(self, time: float) -> list[Stroke]:
        """List the strokes of the body at a time, far limbs first; the lower foot stands on the ground."""
        skin, jacket, trousers, hair = self.clothes
        x = self.middle_x + self.speed * (time - self.middle_time)
        facing = math.copysign(1.0, self.speed)
        swing = 0.42 * math.sin(2 * math.pi * (x / (0.8 * self.height) + 0.37 * self.track_id))

        def stroke(points: tuple[float, float, float, float], radius: float, colour: Colour) -> Stroke:
            """Place a stroke given in parts of the body's height, x forward, y down from the crown."""
            x0, y0, x1, y1 = (self.height * value for value in points)
            return Stroke((x + facing * x0, y0), (x + facing * x1, y1), self.height * radius, colour)

        def leg(angle: float, colour: Colour) -> list[Stroke]:
            knee = 0.23 * math.sin(angle), 0.5 + 0.23 * math.cos(angle)
            bent = angle - 0.5 * max(0.0, -angle)  # the shin of the rear leg trails behind
            ankle = knee[0] + 0.23 * math.sin(bent), knee[1] + 0.23 * math.cos(bent)
            shin, shoe = (*knee, *ankle), (*ankle, ankle[0] + 0.06, ankle[1] + 0.012)
            return [stroke((0, 0.5, *knee), 0.05, colour), stroke(shin, 0.037, colour), stroke(shoe, 0.026, hair)]

        def arm(angle: float, colour: Colour) -> list[Stroke]:
            elbow = 0.16 * math.sin(angle), 0.22 + 0.16 * math.cos(angle)
            hand = elbow[0] + 0.14 * math.sin(angle + 0.3), elbow[1] + 0.14 * math.cos(angle + 0.3)
            return [stroke((0, 0.22, *elbow), 0.034, colour), stroke((*elbow, *hand), 0.027, skin)]

        body = [
            *arm(-swing, shade(jacket, 0.7)),
            *leg(swing, shade(trousers, 0.75)),
            *leg(-swing, trousers),
            stroke((0, 0.255, 0, 0.45), 0.082, jacket),
            stroke((0.005, 0.13, 0.005, 0.2), 0.03, skin),
            stroke((0.012, 0.066, 0.016, 0.094), 0.052, skin),
            stroke((-0.008, 0.052, -0.014, 0.07), 0.052, hair),
            *arm(swing, jacket),
        ]
        ground = self.feet - max(max(s.start[1], s.end[1]) + s.radius for s in body)
        return [
            Stroke((s.start[0], s.start[1] + ground), (s.end[0], s.end[1] + ground), s.radius, s.colour) for s in body
        ]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line with round ends: start and end in pixels, radius in pixels."""

    start: tuple[float, float]
    end: tuple[float, float]
    radius: float
    colour: Colour


def extent(strokes: list[Stroke]) -> tuple[float, float, float, float]:
    """Give the exact ``xyxy`` bounds of strokes."""
    return (
        min(min(s.start[0], s.end[0]) - s.radius for s in strokes),
        min(min(s.start[1], s.end[1]) - s.radius for s in strokes),
        max(max(s.start[0], s.end[0]) + s.radius for s in strokes),
        max(max(s.start[1], s.end[1]) + s.radius for s in strokes),
    )


def draw_strokes(ground: Image, figures: list[list[Stroke]]) -> Image:
    """Draw figures over a picture, the first one farthest, each stroke with a lit side; the edges are smooth.

    Args:
        ground: ``(H, W, 3)`` uint8, not changed.
        figures: The strokes of each figure.

    Returns:
        A new ``(H, W, 3)`` uint8 image.
    """
    height, width = ground.shape[:2]
    canvas = cv2.resize(ground, None, fx=_SUPERSAMPLING, fy=_SUPERSAMPLING, interpolation=cv2.INTER_LINEAR)
    for strokes in figures:
        for stroke in strokes:
            _draw_capsule(canvas, stroke, 1.0, 0.0, shade(stroke.colour, 0.78))
            _draw_capsule(canvas, stroke, 0.6, -0.28, shade(stroke.colour, 1.08))
    image: Image = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return image


def _draw_capsule(canvas: Image, stroke: Stroke, share: float, shift: float, colour: Colour) -> None:
    """Draw a stroke with a part of its radius, shifted by a part of its radius to the left and up."""
    points = np.array([stroke.start, stroke.end]) + shift * stroke.radius
    # A pixel's centre has a whole number in OpenCV, and lies half a pixel in where boxes count from the edge.
    corners = np.round((points * _SUPERSAMPLING - 0.5) * 16).astype(int).tolist()
    thickness = max(1, round(2 * share * stroke.radius * _SUPERSAMPLING))
    cv2.line(canvas, corners[0], corners[1], colour, thickness, cv2.LINE_AA, shift=4)


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour darker (factor below 1) or lighter (above 1).

    >>> shade((100, 200, 30), 1.5)
    (150, 255, 45)
    """
    red, green, blue = (min(255, round(factor * value)) for value in colour)
    return red, green, blue
