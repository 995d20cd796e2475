"""Signals are acted on between two frames, and a second one at once."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from vsdmot.cli.stopping import until_stopped


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_frame_in_hand_is_finished_before_the_run_stops(sent):
    finished = []
    with pytest.raises(KeyboardInterrupt):
        for number in until_stopped(range(10)):
            if number == 3:
                os.kill(os.getpid(), sent)
            finished.append(number)
    assert finished == [0, 1, 2, 3]


def test_a_second_signal_stops_at_once():
    finished = []
    with pytest.raises(KeyboardInterrupt):
        for number in until_stopped(range(10)):
            if number == 3:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
            finished.append(number)
    assert finished == [0, 1, 2]


def test_handlers_are_put_back_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert list(until_stopped("abc")) == ["a", "b", "c"]
    with pytest.raises(ZeroDivisionError):
        for _ in until_stopped([1]):
            _ = 1 / 0
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_items_pass_through():
    got = []
    thread = threading.Thread(target=lambda: got.extend(until_stopped(range(3))))
    thread.start()
    thread.join()
    assert got == [0, 1, 2]
