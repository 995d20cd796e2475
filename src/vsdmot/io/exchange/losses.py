"""What a conversion lost, found by reading the new file back and comparing: this cannot drift from what writers do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vsdmot.io.annotations import PERSON_LABELS
from vsdmot.io.exchange.table import FRAME_COLUMNS, PERSON, TrackTable
from vsdmot.io.problems import counted

NEGLIGIBLE = 1e-9
"""Pixels below which a difference is the arithmetic of the machine."""


def losses(before: TrackTable, after: TrackTable, title: str) -> list[str]:
    """Say what the second table lacks of the first, one sentence for each kind.

    Args:
        before: What was written.
        after: What was read back.
        title: Name of the format.
    """
    if len(before) != len(after) or not np.array_equal(before.frames, after.frames):
        raise AssertionError(f"{title}: {len(before)} boxes were written, {len(after)} read back, or in other frames")
    return [*_of_boxes(before, after, title), *_of_frames(before, after, title)]


def _of_boxes(before: TrackTable, after: TrackTable, title: str) -> Iterator[str]:
    if not np.array_equal(before.ids, after.ids):
        yield f"ids are raised by {(after.ids - before.ids).max()}: {title} counts them from 1"
    largest = np.abs(before.boxes - after.boxes).max(initial=0.0)
    if largest > NEGLIGIBLE:
        yield f"boxes change by up to {largest:.2g} pixels"
    for name, old, new in (
        ("score", before.scores, after.scores),
        ("visibility", before.visibility, after.visibility),
    ):
        yield from _of_numbers(name, old, new, title)
    if unmarked := int((before.considered != after.considered).sum()):
        yield f"the mark of {counted(unmarked, 'box', 'boxes')} that evaluation leaves out is not held by {title}"
    renamed = sum(_plain(old) != _plain(new) for old, new in zip(before.row_labels, after.row_labels, strict=True))
    if renamed:
        yield f"labels of {counted(renamed, 'box', 'boxes')} are not held by {title}"


def _of_numbers(name: str, old: NDArray[np.float64], new: NDArray[np.float64], title: str) -> Iterator[str]:
    if lost := int((~np.isnan(old) & np.isnan(new)).sum()):
        yield f"{name} of {counted(lost, 'box', 'boxes')} is not held by {title}"
    if made := int((np.isnan(old) & ~np.isnan(new)).sum()):
        value = new[np.isnan(old) & ~np.isnan(new)][0]
        yield f"{name} of {counted(made, 'box', 'boxes')} is not known; {title} holds {value:g}"
    changed = np.abs(old - new)[~np.isnan(old) & ~np.isnan(new)]
    if changed.max(initial=0.0) > NEGLIGIBLE:
        yield f"{name} changes by up to {changed.max():.2g}"


def _of_frames(before: TrackTable, after: TrackTable, title: str) -> Iterator[str]:
    held = dict(zip(after.known_frames.tolist(), after.frame_values, strict=True))
    nothing = np.full(len(FRAME_COLUMNS), np.nan)
    values = np.array([held.get(frame, nothing) for frame in before.known_frames.tolist()]).reshape(
        before.frame_values.shape
    )
    lost = ~np.isnan(before.frame_values) & ~(before.frame_values == values)
    if lost.any():
        names = [name for name, any_lost in zip(FRAME_COLUMNS, lost.any(axis=0), strict=True) if any_lost]
        yield f"{', '.join(names)} of {counted(int(lost.any(axis=1).sum()), 'frame')} not held by {title}"
    if after.length < before.length:
        yield f"the length of {counted(before.length, 'frame')} is not held by {title}: it ends in frame {after.length}"
    if before.size is not None and after.size is None:
        yield f"the picture's size ({before.size[0]}x{before.size[1]}) is not held by {title}"


def _plain(label: str) -> str:
    """Take all names of a person for one: each format has its own."""
    return PERSON if label.lower() in PERSON_LABELS else label
