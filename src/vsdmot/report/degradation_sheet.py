"""A sheet that shows every degradation operator at every severity on a picture, as it really comes out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vsdmot.degradation.frames import spoil, transmit
from vsdmot.degradation.operators import OPERATORS, SEVERITIES, TABLES, Operator
from vsdmot.degradation.schedule import DegradeSettings, FrameParameters, Schedule
from vsdmot.degradation.video_codec import GROUP_FRAMES
from vsdmot.report.lettering import text_width, write
from vsdmot.structures import Image

CELL = (128, 120)
"""Width and height of a cell in pixels; it shows pixels as they are, not scaled."""

_LABEL_WIDTH = 118
_CAPTION = 17
_GAP = 4
_HEADER = 24
_SIZE = 12.0
_PAPER, _INK, _FAINT = (255, 255, 255), (30, 30, 34), (110, 110, 116)
_NEW, _REPEATED = (88, 142, 178), (206, 92, 70)


def draw_sheet(frames: Sequence[Image], *, seed: int = 0) -> Image:
    """Draw the sheet: a row for each operator, the original and severities 1 to 5 side by side.

    Whole frames are degraded, and the part where most moves is cut out, or has the most detail if nothing moves.

    Args:
        frames: ``(H, W, 3)`` uint8 RGB of one size, at least one, at most `GROUP_FRAMES` are used; the last is shown.
            The ones before it matter to ``h264``.
        seed: Another seed gives other noise, and another draw of ``eq17``.
    """
    frames = frames[-GROUP_FRAMES:]
    part = _busiest(frames)
    width, height = part[1].stop - part[1].start, part[0].stop - part[0].start
    columns = 1 + len(SEVERITIES)
    sheet = np.full(
        (_HEADER + len(OPERATORS) * (height + _CAPTION + _GAP), _LABEL_WIDTH + columns * (width + _GAP), 3),
        255,
        np.uint8,
    )
    for column, title in enumerate(["original", *(f"severity {severity}" for severity in SEVERITIES)]):
        write(sheet, title, _LABEL_WIDTH + column * (width + _GAP), _HEADER / 2, _SIZE, _INK, bold=True)
    for row, operator in enumerate(OPERATORS):
        top = _HEADER + row * (height + _CAPTION + _GAP)
        write(sheet, operator, 6, top + height / 2, _SIZE, _INK, bold=True)
        cells = [(frames[-1][part], "")] + [_cell(frames, part, operator, severity, seed) for severity in SEVERITIES]
        for column, (cell, caption) in enumerate(cells):
            left = _LABEL_WIDTH + column * (width + _GAP)
            sheet[top : top + height, left : left + width] = cell
            write(sheet, caption, left, top + height + _CAPTION / 2, _fitting(caption, width), _FAINT)
    return sheet


def _cell(
    frames: Sequence[Image], part: tuple[slice, slice], operator: Operator, severity: int, seed: int
) -> tuple[Image, str]:
    """Degrade the frames with one operator; gives the part of the last, and what was done."""
    settings = DegradeSettings(mode="fixed", seed=seed, severity=severity, only=(operator,))
    schedule = Schedule(settings, "sheet")
    if operator == "dropped_frames":
        return _timeline(schedule, part)
    shown = range(1, len(frames) + 1) if operator == "h264" else range(len(frames), len(frames) + 1)
    spoilt = []
    for number in shown:
        parameters = schedule.at(number)
        spoilt.append((parameters, spoil(frames[number - 1], parameters, schedule.noise(number))))
    *_, (_, _, image) = transmit(spoilt, schedule)
    return image[part], _caption(operator, spoilt[-1][0])


def _caption(operator: Operator, parameters: FrameParameters) -> str:
    if operator == "low_light":
        return f"exposure {parameters.values[operator]['exposure']:.2g}"
    if operator in TABLES:
        names = TABLES[operator]
        return ", ".join(f"{name.replace('_', ' ')} {parameters.values[operator][name]:.4g}" for name in names)
    assert parameters.eq17 is not None
    first, second = parameters.eq17.first, parameters.eq17.second
    return f"scales {first.resize.scale:.2f}, {second.resize.scale:.2f}, jpeg {second.jpeg_quality:.0f}"


def _timeline(schedule: Schedule, part: tuple[slice, slice]) -> tuple[Image, str]:
    """Draw which frames of six groups are new and which repeat the one before."""
    height, width = part[0].stop - part[0].start, part[1].stop - part[1].start
    cell = np.full((height, width, 3), 244, np.uint8)
    rows, side = 6, width / GROUP_FRAMES
    lost = 0
    for number in range(1, rows * GROUP_FRAMES + 1):
        row, column = divmod(number - 1, GROUP_FRAMES)
        dropped = schedule.at(number).dropped
        lost += dropped
        top, bottom = round((row + 0.2) * height / rows), round((row + 0.8) * height / rows)
        colour = _REPEATED if dropped else _NEW
        cell[top:bottom, round(column * side) : max(round((column + 1) * side) - 1, round(column * side) + 1)] = colour
    return cell, f"{lost} of {rows * GROUP_FRAMES} repeated"


def _busiest(frames: Sequence[Image]) -> tuple[slice, slice]:
    """Find the part of cell size, or all of a smaller image, that changes most over time, or if none does, in space."""
    height, width = frames[-1].shape[:2]
    cell_width, cell_height = min(CELL[0], width), min(CELL[1], height)
    change = cv2.absdiff(frames[-1], frames[-2]).sum(axis=2, dtype=np.float32) if len(frames) > 1 else np.zeros(1)
    moving = bool(change.any())
    if not moving:
        grey = cv2.GaussianBlur(cv2.cvtColor(frames[-1], cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        change = np.zeros((height, width), np.float32)
        change[:, 1:] += np.abs(np.diff(grey, axis=1))
        change[1:] += np.abs(np.diff(grey, axis=0))
    sums = cv2.integral(change)
    windows = (
        sums[cell_height:, cell_width:] - sums[:-cell_height, cell_width:]
        - sums[cell_height:, :-cell_width] + sums[:-cell_height, :-cell_width]
    )  # fmt: skip
    top, left = (int(place) for place in np.unravel_index(int(windows.argmax()), windows.shape))
    window = change[top : top + cell_height, left : left + cell_width]
    if moving:  # in the middle what moves; of people the legs do most, and higher up they can be told apart
        rows, columns = np.indices(window.shape)
        top += np.average(rows, weights=window) - 0.9 * cell_height
        left += np.average(columns, weights=window) - 0.5 * cell_width
    first_row = int(np.clip(round(float(top)), 0, height - cell_height))
    first_column = int(np.clip(round(float(left)), 0, width - cell_width))
    return slice(first_row, first_row + cell_height), slice(first_column, first_column + cell_width)


def _fitting(text: str, width: int) -> float:
    """Give the font size at which a caption fits under its cell."""
    return min(_SIZE - 1, (_SIZE - 1) * width / max(text_width(text, _SIZE - 1), 1))
