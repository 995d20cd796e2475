"""Which frames make a clip, which clips an epoch, and who gets which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsdmot.errors import ConfigError
from vsdmot.training.clips.sampling import (
    ClipIndex,
    SamplingConfig,
    check_weights,
    clip_rng,
    draw_positions,
    epoch_items,
    num_starts,
    num_steps,
    steps_of,
)
from vsdmot.training.clips.sequences import BoxRows, ClipSequence
from vsdmot.training.clips.sources import ClipSource
from vsdmot.training.task import Place


def _positions_the_slow_way(frames, start, interval, length):
    positions = []
    for t in range(length):
        wanted = frames[start] + t * interval
        positions.append(max(p for p, frame in enumerate(frames) if frame <= wanted))
    return positions


@pytest.mark.parametrize(
    "frames",
    [[1], [4, 5], [1, 2, 3, 4], list(range(1, 31)), [1, 2, 3, 9, 10, 11, 30, 31], list(range(7, 80, 3))],
    ids=["one frame", "two frames", "shorter than a clip", "whole", "gaps", "every third"],
)
def test_clips_step_in_frame_numbers_and_end_with_the_sequence(frames):
    frames = np.array(frames)
    config = SamplingConfig()
    for start in range(num_starts(frames, config.length)):
        for seed in range(20):
            positions = draw_positions(frames, start, config, np.random.default_rng(seed))
            drawn = int(np.random.default_rng(seed).integers(1, 11))
            interval = drawn
            while interval > 1 and frames[start] + interval * (config.length - 1) > frames[-1]:
                interval -= 1
            assert positions.tolist() == _positions_the_slow_way(frames, start, interval, config.length)


def test_intervals_are_1_to_10_alike_often():
    frames, config = np.arange(1, 101), SamplingConfig()
    rng = np.random.default_rng(0)
    intervals = [int(np.diff(draw_positions(frames, 0, config, rng))[0]) for _ in range(5000)]
    counts = np.bincount(intervals)
    assert len(counts) == 11
    assert counts[0] == 0
    assert counts[1:].min() > 400


def test_length_and_interval_can_be_set():
    config = SamplingConfig(length=3, min_interval=7, max_interval=7)
    assert draw_positions(np.arange(1, 101), 4, config, np.random.default_rng(0)).tolist() == [4, 11, 18]
    config = SamplingConfig(length=1)
    assert draw_positions(np.arange(1, 101), 99, config, np.random.default_rng(0)).tolist() == [99]
    with pytest.raises(ConfigError, match="max_interval: must be at least 5, got 4"):
        SamplingConfig(min_interval=5, max_interval=4)


def test_every_clip_of_a_long_enough_sequence_moves():
    frames, config = np.arange(1, 21), SamplingConfig()
    assert num_starts(frames, 5) == 16
    for start in range(16):
        positions = draw_positions(frames, start, config, np.random.default_rng(start))
        assert len(set(positions.tolist())) == 5


def _source(*lengths, is_still=False):
    rows = BoxRows(np.zeros(1, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    sequences = tuple(
        ClipSequence("a", Path(), np.array(["x"] * length), np.arange(1, length + 1), rows, rows, is_still=is_still)
        for length in lengths
    )
    return ClipSource("", sequences, None, ())


def test_the_index_counts_through_all_sequences():
    index = ClipIndex([_source(7, 1, 5), _source(3, is_still=True), _source(6)], length=5)
    assert index.sizes == [3 + 1 + 1, 3, 2]
    places = [(s, start) for s, count in enumerate((3, 1, 1, 3, 2)) for start in range(count)]
    assert [index.find(item) for item in range(len(index))] == places


def test_without_weights_an_epoch_is_every_clip_once_in_another_order():
    sizes = [30, 1, 69]
    first, again, other_epoch, other_seed = (
        epoch_items(sizes, [None] * 3, seed=seed, epoch=epoch) for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert sorted(first.tolist()) == list(range(100))
    np.testing.assert_array_equal(first, again)
    assert (first != other_epoch).sum() > 80
    assert (first != other_seed).sum() > 80
    assert (first != np.arange(100)).sum() > 80


@pytest.mark.parametrize("total", [1, 7, 100, 1000])
def test_weights_are_shares_of_the_clips(total):
    sizes, weights = [50, 200, 10], [2.0, 1.0, 1.0]
    items = epoch_items(sizes, weights, seed=3, epoch=2, total=total)
    assert len(items) == total
    counts = np.bincount(np.searchsorted(np.cumsum(sizes), items, side="right"), minlength=3)
    np.testing.assert_allclose(counts, np.array([0.5, 0.25, 0.25]) * total, atol=1)
    repeats = np.bincount(items, minlength=260)
    for first, last in ((0, 50), (50, 250), (250, 260)):
        assert repeats[first:last].max() - repeats[first:last].min() <= 1


def test_a_weight_of_0_leaves_a_source_out_and_weights_come_for_all_or_none():
    assert epoch_items([5, 5], [0.0, 2.0], seed=0, epoch=0, total=20).min() == 5
    for weights in ([None, 1.0], [0.0, 0.0]):
        with pytest.raises(ConfigError, match="expected a weight for every source, not all 0, or for none"):
            check_weights(weights)
    check_weights([None, None])
    check_weights([0.0, 1.0])


@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_all_processes_together_take_the_same_batches_whatever_their_number(world):
    together = [list(step) for step in steps_of(Place(), 45, 8)]
    assert together == [list(range(first, first + 8)) for first in range(0, 40, 8)]
    parts = [list(steps_of(Place(rank=rank, world=world), 45, 8)) for rank in range(world)]
    for number, batch in enumerate(together):
        assert sorted(slot for rank in range(world) for slot in parts[rank][number]) == batch
        assert {len(parts[rank][number]) for rank in range(world)} == {8 // world}


def test_going_on_at_a_step_is_a_slice_of_the_epoch():
    whole = list(steps_of(Place(rank=1, world=2), 45, 8))
    for step in range(7):
        assert list(steps_of(Place(step=step, rank=1, world=2), 45, 8)) == whole[step:]


def test_batches_that_cannot_be_made_are_refused():
    with pytest.raises(ConfigError, match="a global batch of 8 clips cannot be shared evenly by 3 processes"):
        steps_of(Place(world=3), 100, 8)
    with pytest.raises(ConfigError, match="an epoch has 7 clips, fewer than a global batch of 8"):
        num_steps(7, 8)
    assert num_steps(17, 8) == 2


def test_no_two_clips_and_no_order_share_their_random_numbers():
    generators = [clip_rng(0, epoch, slot) for epoch in range(3) for slot in range(50)]
    generators += [np.random.default_rng((0, epoch)) for epoch in range(3)]
    assert len({float(generator.random()) for generator in generators}) == len(generators)
