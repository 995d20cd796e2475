"""A clip of drawn figures that walk past each other, with exact boxes: for tests, in a fraction of a second.

These are figures made of rounded strokes, not people: they show what the program does with moving, crossing, badly
filmed bodies, and say nothing about how well it finds real ones. In the middle of the clip the picture turns blurred,
dark, coarse and noisy, and recovers, so that its quality visibly falls and rises.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vsdmot import boxes as box_math
from vsdmot.config import above, at_least, check, within
from vsdmot.structures import Frame, Image, Tracks
from vsdmot.synthesis.figures import Colour, Figure, draw_strokes, extent, shade

_HORIZON = 0.36  # of the image's height
_LEAST_VISIBLE = 0.2  # part of a box that must lie in the image for the figure to count as there
_CLOTHES: tuple[Colour, ...] = (
    (176, 58, 52),
    (52, 92, 150),
    (212, 178, 92),
    (70, 126, 88),
    (214, 208, 198),
    (92, 72, 112),
)
_TROUSERS: tuple[Colour, ...] = ((44, 48, 58), (96, 84, 70), (58, 70, 98))
_SKIN: tuple[Colour, ...] = ((224, 178, 146), (150, 104, 76), (98, 66, 50))


@dataclass(frozen=True, kw_only=True)
class FigureClipConfig:
    """What the clip shows.

    Attributes:
        num_frames: Length in frames.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels; figures are sized by it.
        num_people: How many figures walk through; more means more crossings and occlusion, 0 an empty street.
        frame_rate: Frames per second; it sets the times and the pace of the legs.
        worst_severity: How bad the bad spell in the middle gets, from 0 (clean throughout) to 1 (hardly visible).
        seed: Another seed gives other figures, another street and other noise.
    """

    num_frames: int = 150
    width: int = 640
    height: int = 360
    num_people: int = 6
    frame_rate: float = 25.0
    worst_severity: float = 0.65
    seed: int = 0

    def __post_init__(self) -> None:
        check(
            self,
            num_frames=at_least(1),
            width=at_least(32),
            height=at_least(32),
            num_people=at_least(0),
            frame_rate=above(0),
            worst_severity=within(0, 1),
            seed=at_least(0),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FigureFrame:
    """One picture of the clip.

    Attributes:
        frame: The degraded picture.
        truth: The figures in it, boxes around their full extent (also where hidden or beyond the image), scores 1.
        severity: How much the picture was degraded, in [0, 1]; 0 is untouched.
    """

    frame: Frame
    truth: Tracks
    severity: float


def draw_figures(config: FigureClipConfig) -> Iterator[FigureFrame]:
    """Draw the clip, frame by frame; the same settings give the same bits every time."""
    street = _draw_street(config)
    figures = _cast(config)
    for index in range(1, config.num_frames + 1):
        time = (index - 1) / config.frame_rate
        strokes = {figure.track_id: figure.strokes(time) for figure in figures}
        image = draw_strokes(street, [strokes[f.track_id] for f in sorted(figures, key=lambda f: f.feet)])
        severity = severity_at(index, config)
        image = degrade(image, severity, np.random.default_rng([config.seed, 2, index]))
        truth = _truth({track_id: extent(parts) for track_id, parts in strokes.items()}, config)
        yield FigureFrame(frame=Frame(index, time, image), truth=truth, severity=severity)


def _cast(config: FigureClipConfig) -> list[Figure]:
    """Make the figures: every other one walks to the left, and pairs meet near the middle of the picture."""
    rng = np.random.default_rng([config.seed, 1])
    duration = config.num_frames / config.frame_rate
    figures = []
    for k in range(config.num_people):
        feet = config.height * rng.uniform(0.66, 0.97)
        pair = (k // 2 + 0.5) / max(1, math.ceil(config.num_people / 2))
        tall = 0.95 * (feet - _HORIZON * config.height) * rng.uniform(0.92, 1.08)
        # Everybody crosses the picture within the clip, whatever its length; who is far away seems slower.
        pace = config.width / duration * rng.uniform(1.1, 1.5) * (0.6 + 0.8 * tall / config.height)
        colours = (
            _SKIN[rng.integers(len(_SKIN))],
            _CLOTHES[k % len(_CLOTHES)],
            _TROUSERS[rng.integers(len(_TROUSERS))],
            shade((60, 46, 38), rng.uniform(0.4, 1.2)),
        )
        figures.append(
            Figure(
                track_id=k + 1,
                height=tall,
                feet=feet,
                middle_x=config.width * rng.uniform(0.35, 0.65),
                middle_time=duration * (pair + rng.uniform(-0.04, 0.04)),
                speed=pace if k % 2 else -pace,
                clothes=colours,
            )
        )
    return figures


def _truth(extents: dict[int, tuple[float, float, float, float]], config: FigureClipConfig) -> Tracks:
    ids = np.array(list(extents), np.int64)
    boxes = np.array(list(extents.values()), np.float32).reshape(-1, 4)
    inside = box_math.area(boxes.clip(0, np.array([config.width, config.height] * 2, np.float32)))
    there = inside >= _LEAST_VISIBLE * box_math.area(boxes)
    return Tracks(ids=ids[there], boxes=boxes[there], scores=np.ones(int(there.sum()), np.float32))


def _draw_street(config: FigureClipConfig) -> Image:
    """Draw a wall with windows above the horizon and paving below, with soft blotches on both."""
    rng = np.random.default_rng([config.seed, 0])
    width, height = config.width, config.height
    horizon, line = round(_HORIZON * height) + height // 10, max(1, height // 240)
    street = np.empty((height, width, 3), np.float32)
    street[:horizon] = (166, 148, 132)
    street[horizon:] = np.linspace(130, 196, height - horizon)[:, None, None] * np.array([1.0, 0.99, 0.95])
    for row in range(0, horizon, max(4, height // 40)):
        street[row : row + line] *= 0.86
    step = max(12, width // 11)
    for left in range(step // 3, width, step):
        window = street[horizon // 5 : horizon * 3 // 4, left : left + step // 2]
        window[:] = 235
        window[2 * line : -2 * line, 2 * line : -2 * line] = np.array([52, 62, 76]) * rng.uniform(0.5, 2.0)
    for row in np.geomspace(horizon + height * 0.03, height - 1, 9).astype(int):
        street[row : row + line] *= 0.7
    for left in range(0, width, max(8, width // 16)):
        street[horizon:, left : left + line] *= 0.8
    blotches = rng.standard_normal((5, 9), dtype=np.float32)
    street += 7 * cv2.resize(blotches, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    image: Image = np.clip(street, 0, 255).astype(np.uint8)
    return image


def severity_at(index: int, config: FigureClipConfig) -> float:
    """Give how bad frame ``index``, from 1, is: nothing at both ends, a hump with small ripples in the middle."""
    position = (index - 0.5) / config.num_frames
    hump = max(0.0, math.cos(math.pi * (position - 0.5) / 0.64)) ** 2 if abs(position - 0.5) < 0.32 else 0.0
    ripple = 0.9 + 0.1 * math.cos(2 * math.pi * 4 * (position - 0.5))
    return config.worst_severity * hump * ripple


def degrade(image: Image, severity: float, rng: np.random.Generator) -> Image:
    """Make a picture coarse, blurred, dark and noisy; severity 0 gives it back unchanged.

    Args:
        image: ``(H, W, 3)`` uint8, not changed.
        severity: In [0, 1].
        rng: Source of the noise.
    """
    if severity == 0:
        return image
    height, width = image.shape[:2]
    share = 1 - 0.6 * severity
    coarse = cv2.resize(image, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), 0.2 + 1.8 * severity)
    dark = soft.astype(np.float32) * (1 - 0.6 * severity)
    noise = rng.standard_normal((height, width, 3), dtype=np.float32) * (24 * severity)
    degraded: Image = np.clip(dark + noise + 0.5, 0, 255).astype(np.uint8)
    return degraded
