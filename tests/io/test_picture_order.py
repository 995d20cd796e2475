from __future__ import annotations

from fractions import Fraction

import pytest

from vsdmot.io.picture_order import FrameClock, PictureOrder


def play(order: PictureOrder, events: list[tuple[str, int | None]]) -> list[int]:
    """Feed packets (p), failures (f), pictures (i) and key pictures (k); give the indices of the pictures."""
    indices = []
    for kind, timestamp in events:
        if kind == "p":
            order.expect(timestamp)
        elif kind == "f":
            order.fail()
        else:
            indices.append(order.arrive(timestamp, key_frame=kind == "k"))
    order.end()
    return indices


@pytest.mark.parametrize(
    ("events", "indices", "num_lost"),
    [
        pytest.param([("p", 0), ("k", 0), ("p", 5), ("i", 5)], [1, 2], 0, id="nothing lost"),
        pytest.param(
            [("p", 0), ("p", 30), ("p", 10), ("k", 0), ("p", 20), ("i", 10), ("i", 20), ("i", 30)],
            [1, 2, 3, 4],
            0,
            id="packets in decoding order",
        ),
        pytest.param(
            [("p", 0), ("k", 0), ("p", 1), ("f", None), ("p", 2), ("i", 2)], [1, 3], 1, id="one lost in the middle"
        ),
        pytest.param(
            [("p", 0), ("f", None), ("p", 1), ("p", 2), ("k", 2), ("p", 3), ("i", 3)], [3, 4], 2, id="first ones lost"
        ),
        pytest.param(
            [("p", 5), ("p", 1), ("p", 2), ("k", 5), ("p", 6), ("i", 6)],
            [1, 2],
            0,
            id="pictures before the first key frame that nobody can show are not lost",
        ),
        pytest.param([("p", 0), ("k", 0), ("p", 1), ("p", 2), ("i", 2)], [1, 2], 0, id="packets that show nothing"),
        pytest.param([("p", 0), ("k", 0), ("p", 1), ("p", 2), ("f", None)], [1], 2, id="end lost"),
        pytest.param(
            [("p", 0), ("k", 0), ("p", 1), ("f", None), ("p", 2), ("k", 2), ("p", 3), ("p", 4), ("k", 4)],
            [1, 3, 4],
            1,
            id="a key frame ends the damage",
        ),
        pytest.param(
            [("p", None), ("k", None), ("p", None), ("f", None), ("p", None), ("i", None)],
            [1, 3],
            1,
            id="no timestamps: each failure is a picture",
        ),
        pytest.param(
            [("p", 0), ("k", 0), ("p", 1), ("p", 2), ("p", 3), ("f", None), ("i", 2), ("i", 1), ("i", 3)],
            [1, 3, None, 4],
            1,
            id="a picture that comes too late stays lost",
        ),
        pytest.param(
            [("p", 0), ("p", 1), ("p", 2), ("k", 0), ("i", 2), ("i", 1)],
            [1, 2, 3],
            0,
            id="wrong timestamps without damage are followed in the order of arrival",
        ),
        pytest.param([("p", 0), ("p", 0), ("k", 0), ("i", 0)], [1, 2], 0, id="the same timestamp twice"),
    ],
)
def test_pictures_keep_their_place(events, indices, num_lost):
    order = PictureOrder()
    assert play(order, events) == indices
    assert order.num_lost == num_lost


def test_start_is_the_time_of_index_one_even_if_that_picture_is_lost():
    order = PictureOrder()
    play(order, [("p", 100), ("f", None), ("p", 110), ("k", 110)])
    assert (order.index, order.start) == (2, 100)


def test_untrusted_timestamps_are_given_out_in_rising_order():
    order = PictureOrder(trust_timestamps=False)
    times = []
    for stamp in (1, 2, 3, 4):
        order.expect(stamp)
    for wrong in (1, 3, 2, 4):
        order.arrive(wrong, key_frame=False)
        times.append(order.timestamp)
    assert times == [1, 2, 3, 4]


def test_clock_counts_from_the_start_and_never_falls():
    clock = FrameClock(10.0, Fraction(1, 1000), from_timestamps=True)
    times = [clock.time(index, stamp, 500) for index, stamp in enumerate((500, 620, 610, 900), start=1)]
    assert times == pytest.approx([0.0, 0.12, 0.22, 0.4])


@pytest.mark.parametrize(("stamp", "from_timestamps"), [(None, True), (777, False)])
def test_clock_without_timestamps_follows_the_frame_rate(stamp, from_timestamps):
    clock = FrameClock(10.0, Fraction(1, 1000), from_timestamps=from_timestamps)
    assert [clock.time(index, stamp, stamp) for index in (1, 2, 5)] == pytest.approx([0.0, 0.1, 0.4])
