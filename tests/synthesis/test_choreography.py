"""Groups that dance: on one beat, apart from each other, in places that change."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from vsdmot.synthesis.motion.body import Place
from vsdmot.synthesis.motion.channels import FOOT_CHANNELS
from vsdmot.synthesis.motion.choreography import Choreography
from vsdmot.synthesis.motion.moves import BAR, MOVES
from vsdmot.synthesis.skeleton import Bone, Skeleton


def group(seed: int, size: int, **settings: float) -> Choreography:
    return Choreography(np.random.default_rng(seed), size, centre=Place(1.0, 5.0, pi), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_dancers_do_the_same_at_nearly_the_same_time(seed: int):
    dancers = group(seed, 4, freestyle=0.0).dancers([Skeleton()] * 4)
    times = np.arange(0, 60, 0.1)
    elbows = np.array([[d.at(t).rotations[Bone.RIGHT_UPPER_ARM].ravel() for t in times] for d in dancers])
    signals = elbows.reshape(4, len(times), 9).transpose(0, 2, 1).reshape(4, -1)
    together = np.corrcoef(signals)
    assert together[np.triu_indices(4, 1)].min() > 0.8
    assert np.abs(signals[0] - signals[1]).max() > 0.02, "but not as one"


@pytest.mark.parametrize(("size", "spacing"), [(2, 1.1), (5, 1.1), (9, 1.0)])
def test_dancers_change_places_and_do_not_walk_through_each_other(size: int, spacing: float):
    dancers = group(3, size, spacing=spacing).dancers([Skeleton()] * size)
    times = np.arange(0, 120, 0.25)
    prints = [[d.footprint(t) for t in times] for d in dancers]
    x = np.array([[p.x for p in row] for row in prints])
    y = np.array([[p.y for p in row] for row in prints])
    apart = np.hypot(x[:, None] - x[None], y[:, None] - y[None])
    apart[np.arange(size), np.arange(size)] = np.inf
    assert apart.min() > 0.45
    assert np.hypot(np.ptp(x, axis=1), np.ptp(y, axis=1)).max() > 0.5 * spacing


def test_tempo_is_that_of_music_and_can_be_set():
    tempos = [group(seed, 2).bpm for seed in range(20)]
    assert min(tempos) >= 90
    assert max(tempos) <= 130
    assert group(0, 2, bpm=100.0).bpm == 100


def test_the_number_of_skeletons_must_fit():
    with pytest.raises(ValueError, match="for 3 dancers got 2"):
        group(0, 3).dancers([Skeleton()] * 2)


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_moves_repeat_after_eight_beats_with_the_feet_at_home(move):
    np.testing.assert_allclose(move.at(2.3), move.at(2.3 + BAR), atol=1e-9)
    for own in FOOT_CHANNELS:
        np.testing.assert_allclose(move.at(0.0)[own], 0, atol=1e-9)
    steps = np.array([move.at(beat) for beat in np.arange(0, BAR, 0.01)])
    assert np.abs(np.diff(steps, axis=0)).max() < 0.2, "no jumps"


def test_moves_differ_from_each_other():
    poses = np.stack([[move.at(b) for b in np.arange(0, BAR, 0.5)] for move in MOVES])
    apart = np.abs(poses[:, None] - poses[None]).max(axis=(2, 3))
    assert (apart[np.triu_indices(len(MOVES), 1)] > 0.3).all()
    assert len({move.name for move in MOVES}) == len(MOVES) >= 15
