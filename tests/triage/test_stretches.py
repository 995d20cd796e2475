"""From samples to stretches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from vsdmot.triage.measures import PictureMeasures
from vsdmot.triage.scanning import Record, Sample, Scanner
from vsdmot.triage.stretches import cheapest_path, find_stretches, put_back

CLEAN = {
    "score": 0.8, "side": 700.0, "level": 120.0, "span": 180.0, "fine_noise": 0.5, "coarse_noise": 0.6, "steps": 0.0,
    "calm": 3.0, "edge": 0.6, "least_edge": 0.5, "greatest_edge": 0.8, "blocks": 1.5, "enlargement": 2.5,
    "doubling": 2.5,
}  # fmt: skip


def record_of(*parts, every=0.5, per_sample=12):
    """Samples of parts, each a number of samples, what differs from clean, and repeats in each."""
    record, index = Record(), 0
    for count, changes, repeated in parts:
        for _ in range(count):
            measures = PictureMeasures(**{**CLEAN, **changes})
            record.add(
                Sample(
                    1 + index * per_sample,
                    index * every,
                    per_sample if index else 1,
                    repeated if index else 0,
                    measures,
                )
            )
            index += 1
    return record


def kinds(record, **settings):
    chosen = {"end": 1e9, "least_quality": 0.4, "shortest": 2.0, **settings}
    return [(s.start, s.usable, s.defect) for s in find_stretches(record, **chosen)]


NOISE = {"fine_noise": 9.0, "score": 0.2}
DARK = {"level": 50.0, "score": 0.5}


def test_stretches_begin_where_the_picture_changes():
    record = record_of((40, {}, 0), (20, NOISE, 0), (30, DARK, 0))
    assert kinds(record) == [(0.0, True, None), (20.0, False, "noise"), (30.0, True, "dark")]


def test_a_change_shorter_than_asked_for_is_passed_over_and_a_longer_one_is_not():
    short, long = record_of((40, {}, 0), (2, NOISE, 0), (40, {}, 0)), record_of((40, {}, 0), (8, NOISE, 0), (40, {}, 0))
    assert len(kinds(short)) == 1
    assert [kind[2] for kind in kinds(long)] == [None, "noise", None]
    assert len(kinds(short, shortest=0.0)) == 3


def test_flicker_between_two_defects_is_one_stretch():
    parts = [(1, NOISE if number % 3 else DARK, 0) for number in range(60)]
    assert kinds(record_of(*parts)) == [(0.0, False, "noise")]


def test_stretches_cover_the_recording_without_gaps():
    found = find_stretches(record_of((7, {}, 0), (9, NOISE, 0), (11, {}, 0)), end=13.7, least_quality=0.4, shortest=1.0)
    assert found[0].start == 0.0
    assert found[-1].end == 13.7
    assert all(one.end == other.start for one, other in itertools.pairwise(found))


def test_the_limit_of_quality_is_the_users():
    record = record_of((40, DARK, 0))
    assert kinds(record, least_quality=0.51)[0][1] is False
    assert kinds(record, least_quality=0.5)[0][1] is True


@pytest.mark.parametrize(("repeated", "usable", "defect"), [(0.5, True, None), (3, True, "repeated frames"),
                                                            (7, False, "repeated frames")])  # fmt: skip
def test_repeated_frames_spoil_and_many_of_them_make_unusable(repeated, usable, defect):
    assert kinds(record_of((40, {}, repeated))) == [(0.0, usable, defect)]


def test_what_else_is_wrong_is_told_the_furthest_first():
    (found,) = find_stretches(
        record_of((20, {**NOISE, "level": 50.0, "steps": 2.4}, 0)), end=10.0, least_quality=0.4, shortest=2.0
    )
    assert found.defect == "noise"
    assert found.others == ["compression", "dark"]
    assert found.lowest_quality == pytest.approx(0.2)


def test_one_sample_is_a_stretch_and_none_is_none():
    assert len(find_stretches(record_of((1, {}, 0)), end=0.04, least_quality=0.4, shortest=2.0)) == 1
    assert find_stretches(Record(), end=0.0, least_quality=0.4, shortest=2.0) == []


def test_the_path_is_the_cheapest_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        own, cost = rng.integers(0, 3, 6), float(rng.choice([0.5, 1.0, 1.7]))
        every = np.array(np.meshgrid(*[range(3)] * 6)).reshape(6, -1).T
        costs = (every != own).sum(axis=1) + cost * (np.diff(every, axis=1) != 0).sum(axis=1)
        found = cheapest_path(own, 3, cost=cost)
        assert (found != own).sum() + cost * (np.diff(found) != 0).sum() == pytest.approx(costs.min())


def test_repeats_go_back_to_where_they_were_and_none_gets_lost():
    placed = put_back(np.array([0, 0, 0, 17.0, 2]), np.array([5.0, 5, 5, 5, 5]))
    assert placed.tolist() == [2, 5, 5, 5, 2]


def test_ten_hours_fit_into_little_memory():
    record = record_of((2000, {}, 0), (1600, NOISE, 0))
    assert 20 * record.rows().nbytes < 15e6  # half an hour, 20 times
    found = find_stretches(record, end=1800.0, least_quality=0.4, shortest=2.0)
    assert [one.seconds for one in found] == [1000.0, 800.0]


# Which frames are measured


class _Counting:
    """Glances that count how many of them were turned into an image."""

    def __init__(self, times):
        from vsdmot.io.glances import Glance

        self.converted = []
        image = np.zeros((16, 16, 3), np.uint8)

        def convert(time):
            self.converted.append(time)
            return image

        self.glances = [
            Glance(number, time, lambda: image[::4, ::4, 1], lambda time=time: convert(time))
            for number, time in enumerate(times, start=1)
        ]


@pytest.mark.parametrize("rate", [5, 10, 25, 29.97])
def test_one_picture_is_measured_in_each_interval_and_no_other_is_converted(rate):
    seen = _Counting([number / rate for number in range(round(60 * rate))])
    scanner = Scanner(0.5, frame_rate=rate)
    samples = [sample for glance in seen.glances if (sample := scanner.see(glance))]
    assert seen.converted == [sample.time for sample in samples]
    assert abs(len(samples) - 120) <= 1
    assert sum(sample.num_frames for sample in samples) <= len(seen.glances)
    places = [sample.time % 0.5 for sample in samples[1:]]
    if rate > 10:  # spread over the interval, not always at its start
        assert max(places) - min(places) > 0.35


def test_zero_measures_every_frame():
    seen = _Counting([number / 25 for number in range(30)])
    scanner = Scanner(0.0, frame_rate=25)
    assert sum(scanner.see(glance) is not None for glance in seen.glances) == 30


def test_after_a_gap_sampling_goes_on_at_its_pace():
    seen = _Counting([*(n / 10 for n in range(50)), *(500 + n / 10 for n in range(50))])
    scanner = Scanner(0.5, frame_rate=10)
    assert 18 <= sum(scanner.see(glance) is not None for glance in seen.glances) <= 24
