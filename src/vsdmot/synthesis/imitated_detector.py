"""Proposals as a detector might give them, made from the known boxes: shifted, missed, doubled and invented."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsdmot import boxes as box_math
from vsdmot.structures import Boxes, Proposals, Tracks


def noisy_proposals(
    truth: Tracks, image_shape: tuple[int, ...], rng: np.random.Generator, *, severity: float = 0.0
) -> Proposals:
    """Imitate a detector on a frame: shifted boxes, misses, duplicates and false alarms, best score first.

    Args:
        truth: Who is there.
        image_shape: Height and width of the image first; proposals are cut to it.
        rng: Source of all chance.
        severity: How poor the frame is, in [0, 1]: more misses and false alarms, looser boxes, lower scores.
    """
    found: list[NDArray[np.float64]] = []
    scores: list[float] = []
    for box, visible in zip(truth.boxes.astype(np.float64), visible_shares(truth.boxes, image_shape), strict=True):
        if rng.random() > (1 - 0.45 * severity) * min(1.0, 0.15 + 1.2 * visible):
            continue
        certainty = (0.92 - 0.4 * severity) * (0.5 + 0.5 * visible)
        for drop in (0.0, 0.25) if rng.random() < 0.15 else (0.0,):
            sides = np.tile(box[2:] - box[:2], 2)
            found.append(box + rng.normal(0, 0.015 + 0.045 * severity + 0.2 * drop, 4) * sides)
            scores.append(certainty - drop + rng.normal(0, 0.06))
    height, width = image_shape[:2]
    for _ in range(rng.poisson(0.4 + 1.2 * severity)):
        tall = height * rng.uniform(0.15, 0.5)
        left, top = rng.uniform(0, width), rng.uniform(0, height)
        found.append(np.array([left, top, left + 0.4 * tall, top + tall]))
        scores.append(rng.uniform(0.06, 0.4))
    boxes = np.array(found).reshape(-1, 4).clip(0, (width, height, width, height)).astype(np.float32)
    order = np.argsort(-np.array(scores), kind="stable")
    order = order[(boxes[order, 2:] - boxes[order, :2] >= 2).all(axis=1)]
    return Proposals(boxes=boxes[order], scores=np.array(scores).clip(0.06, 0.99).astype(np.float32)[order])


def visible_shares(boxes: Boxes, image_shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Estimate which part of each box is in the image and not behind a nearer one (with a lower lower edge).

    Args:
        boxes: ``(K, 4)`` xyxy in pixels.
        image_shape: Height and width of the image first.

    Returns:
        ``(K,)`` in [0, 1].
    """
    height, width = image_shape[:2]
    areas = np.maximum(box_math.area(boxes), 1e-9)
    shares = box_math.area(boxes.clip(0, np.array([width, height] * 2, np.float32))) / areas
    left_top = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    hidden = (right_bottom - left_top).clip(0).prod(axis=2) / areas[:, None]
    nearer = boxes[None, :, 3] > boxes[:, None, 3]
    visible: NDArray[np.float64] = (shares - (hidden * nearer).max(axis=1, initial=0)).clip(0, 1)
    return visible
