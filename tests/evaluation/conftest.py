"""What the tests of evaluation share: small made-up sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.annotations import GroundTruth

Row = tuple[int, int, float]
"""Frame, id and left side of a box of 10 x 20 pixels."""


def make_truth(rows: Sequence[Row], *, classes: int = 1, path: str = "walk/gt/gt.txt") -> GroundTruth:
    frames, ids, boxes = _arrays(rows)
    count = len(rows)
    return GroundTruth(
        path=Path(path), frames=frames, ids=ids, boxes=boxes, considered=np.ones(count, bool),
        classes=np.full(count, classes), visibility=np.ones(count), line_numbers=np.arange(1, count + 1),
    )  # fmt: skip


def make_tracks(rows: Sequence[Row]) -> TrackedBoxes:
    return TrackedBoxes(*_arrays(rows))


def _arrays(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frames = np.array([frame for frame, _, _ in rows], np.int64)
    ids = np.array([number for _, number, _ in rows], np.int64)
    lefts = np.array([left for _, _, left in rows], float)
    return frames, ids, np.stack([lefts, 0 * lefts, lefts + 10, 0 * lefts + 20], axis=1).reshape(-1, 4)


@pytest.fixture(name="make_truth")
def make_truth_fixture():
    return make_truth


@pytest.fixture(name="make_tracks")
def make_tracks_fixture():
    return make_tracks
