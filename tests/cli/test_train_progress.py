from __future__ import annotations

import sys

import pytest

from vsdmot.cli import train_progress
from vsdmot.cli.train_progress import TrainProgress
from vsdmot.training.loop.listener import Listener, TrainLine

LINE = TrainLine(step=2, epoch=0.5, loss=4.0, losses={"class": 1.5, "giou": 0.5}, batches_per_second=8.0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(train_progress, "time", clock)
    return clock


def test_off_a_terminal_a_line_comes_every_ten_seconds(clock, capsys):
    with TrainProgress() as progress:
        listener: Listener = progress
        listener.started(epochs=2, steps_per_epoch=4, total_steps=0)
        for epoch, step in ((0, 1), (0, 2), (0, 3), (0, 4)):
            clock.now += 4
            listener.stepped(epoch=epoch, step=step)
            listener.logged(LINE)
    assert capsys.readouterr().err.splitlines() == [
        "training: epoch 1 of 2, step 3 of 4, 8.0 batches/s, 0:20 left; loss 4 (class 1.5, giou 0.5)"
    ]


def test_the_time_of_a_validation_does_not_count(clock, capsys):
    with TrainProgress() as progress:
        progress.started(epochs=2, steps_per_epoch=2, total_steps=0)
        for step in (1, 2):
            clock.now += 6
            progress.stepped(epoch=0, step=step)
        progress.validating(epoch=0)
        clock.now += 1000
        progress.validated(epoch=0, scores={"HOTA": 0.51234, "IDF1": 0.4}, best=True)
        clock.now += 1
        progress.stepped(epoch=1, step=1)
    captured = capsys.readouterr()
    assert captured.out == "epoch 1: HOTA 0.5123, IDF1 0.4  (best so far)\n"
    assert captured.err.splitlines()[-1] == "training: epoch 2 of 2, step 1 of 2, 0:06 left"


def test_a_resumed_run_says_so_and_notes_are_passed_on(clock, capsys):
    with TrainProgress() as progress:
        progress.noted("a checkpoint is damaged")
        progress.started(epochs=3, steps_per_epoch=1000, total_steps=1500)
        clock.now += 12
        progress.stepped(epoch=1, step=501)
    assert capsys.readouterr().err.splitlines() == [
        "note: a checkpoint is damaged",
        "note: resumed after 1,500 of 3,000 steps",
        "training: epoch 2 of 3, step 501 of 1,000, 4:59:48 left",
    ]


@pytest.mark.parametrize("results_too", [True, False])
def test_on_a_terminal_a_bar_shows_it_and_results_may_go_elsewhere(results_too, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: results_too)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with TrainProgress() as progress:
        progress.noted("early [note]")
        progress.started(epochs=2, steps_per_epoch=4, total_steps=3)
        progress.logged(LINE)
        progress.stepped(epoch=0, step=4)
        progress._bar.refresh()
        progress.validating(epoch=0)
        progress.validated(epoch=0, scores={"HOTA": 0.5}, best=False)
    captured = capsys.readouterr()
    for text in ("note: early [note]", "note: resumed after 3 of 8 steps", "epoch 1 of 2", "4/8", "class 1.5"):
        assert text in captured.err, text
    assert ("HOTA 0.5" in captured.err) == results_too
    assert captured.out == ("" if results_too else "epoch 1: HOTA 0.5\n")
