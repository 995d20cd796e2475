"""Degrade the frames of a video: each picture for itself, then what coding and transmission do to their row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vsdmot.degradation import chain
from vsdmot.degradation.operators import ON_VIDEO, OPERATORS, apply_operator
from vsdmot.degradation.pixels import to_bytes, to_float
from vsdmot.degradation.schedule import FrameParameters, Schedule
from vsdmot.degradation.video_codec import H264Group, group_of
from vsdmot.errors import SourceError
from vsdmot.structures import Image


def spoil(image: Image, parameters: FrameParameters, rng: np.random.Generator) -> Image:
    """Apply the operators that work on a picture, in their order.

    Args:
        image: ``(H, W, 3)`` uint8 RGB; not changed.
        parameters: The frame's; ``h264`` and ``dropped_frames`` in them are left to `transmit`.
        rng: Source of the noise fields.

    Returns:
        The same size and type.
    """
    values = to_float(image)
    for operator in OPERATORS:
        if operator == "eq17" and parameters.eq17 is not None:
            values = chain.apply(values, parameters.eq17, rng)
        elif operator in parameters.values and operator not in ON_VIDEO:
            values = apply_operator(operator, values, parameters.values[operator], rng)
    return to_bytes(values)


def transmit(pictures: Iterable[tuple[FrameParameters, Image]], schedule: Schedule) -> Iterator[tuple[int, int, Image]]:
    """Send spoilt pictures through the coder and the line, as far as the schedule has them.

    Args:
        pictures: Parameters and picture of rising frames, beginning with the first that there is of a group.
        schedule: The sequence's.

    Yields:
        Frame, the frame whose picture it shows (an earlier one if it was dropped), and the picture.

    Raises:
        SourceError: The pictures of a group differ in size, which no video does.
    """
    group, coder = -1, None
    shown: tuple[int, Image] | None = None
    for parameters, image in pictures:
        if group_of(parameters.frame) != group:
            group, shown = group_of(parameters.frame), None
            crf = parameters.values.get("h264", {}).get("crf")
            coder = None if crf is None else H264Group(crf)
        if shown is not None and shown[1].shape != image.shape and set(ON_VIDEO) & set(schedule.settings.only):
            raise SourceError(
                f"{schedule.name}, frame {parameters.frame}: h264 and dropped_frames need images of one size; expected "
                f"{shown[1].shape[1]}x{shown[1].shape[0]} as before, got {image.shape[1]}x{image.shape[0]}"
            )
        coded = image if coder is None else coder.recode(image)
        if shown is None or not parameters.dropped:
            shown = parameters.frame, coded
        yield parameters.frame, *shown
