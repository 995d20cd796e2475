"""Conditions, and the means of a test of robustness, written the slow way."""

from __future__ import annotations

import pytest

from vsdmot.errors import ConfigError
from vsdmot.evaluation.robustness.conditions import CLEAN, Condition, conditions, parse_severities
from vsdmot.evaluation.robustness.grid import Cell
from vsdmot.evaluation.robustness.run import CellDone
from vsdmot.evaluation.robustness.summary import Robustness
from vsdmot.evaluation.scores import FIELDS, Scores, combine


def scores_of(make_truth, make_tracks, hits: int) -> Scores:
    """Score a person in ten frames who is found in so many of them."""
    from vsdmot.evaluation.evaluate import evaluate

    truth = make_truth([(frame, 1, 3.0 * frame) for frame in range(1, 11)])
    tracks = make_tracks([(frame, 5, 3.0 * frame) for frame in range(1, hits + 1)])
    return evaluate({"walk": truth}, {"walk": tracks}).combined


@pytest.fixture
def tested(make_truth, make_tracks) -> Robustness:
    """One tracker on two sequences, clean and under two degradations at severities 1 and 3."""
    found = Robustness(["ours"], conditions(("blur", "noise"), (0, 1, 3)), ["a", "b"])
    for place, condition in enumerate(found.conditions):
        for name, fewer in (("a", 0), ("b", 1)):
            scores = scores_of(make_truth, make_tracks, 10 - place - fewer)
            found.add(CellDone(Cell("ours", name, condition), scores, None, kept=False))
    return found


def test_the_mean_goes_over_severities_then_degradations_and_leaves_clean_out(tested):
    def together(condition: Condition) -> float:
        cells = tested.cells["ours", condition]
        return combine({name: cell.scores for name, cell in cells.items()})["DetA"]

    by_degradation = {
        name: (together(Condition(name, 1)) + together(Condition(name, 3))) / 2 for name in ("blur", "noise")
    }
    mean = sum(by_degradation.values()) / 2
    assert tested.mean_degraded("ours", "DetA") == pytest.approx(mean)
    assert tested.mean_degraded("ours", "DetA", "blur") == pytest.approx(by_degradation["blur"])
    assert tested.relative("ours", "DetA") == pytest.approx(mean / together(CLEAN))
    assert together(CLEAN) > by_degradation["blur"] > by_degradation["noise"] > 0
    curve = tested.curve("ours", None, "DetA")
    assert curve[0] == together(CLEAN)
    assert curve[2] == pytest.approx((together(Condition("blur", 3)) + together(Condition("noise", 3))) / 2)


def test_a_mean_over_cells_of_which_one_is_missing_is_none(tested):
    del tested.cells["ours", Condition("noise", 3)]["b"]
    assert tested.score("ours", Condition("noise", 3), "HOTA") is None
    assert tested.mean_degraded("ours", "HOTA") is None
    assert tested.relative("ours", "HOTA") is None
    assert tested.mean_degraded("ours", "HOTA", "blur") is not None
    assert tested.curve("ours", "noise", "HOTA")[2] is None
    assert len(list(tested.rows())) == 9


def test_nothing_is_relative_to_a_clean_score_of_nothing(make_truth, make_tracks):
    found = Robustness(["ours"], conditions(("jpeg",), (0, 1)), ["a"])
    for condition in found.conditions:
        cell = CellDone(Cell("ours", "a", condition), scores_of(make_truth, make_tracks, 0), None, kept=False)
        found.add(cell)
    assert found.score("ours", CLEAN, "HOTA") == 0
    assert found.relative("ours", "HOTA") is None
    assert set(FIELDS) == set(found.combined("ours", CLEAN).values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0-5", (0, 1, 2, 3, 4, 5)), ("3", (3,)), ("5,0", (0, 5)), ("1-2, 2-3", (1, 2, 3))],
)
def test_severities_are_ranges_and_lists(text, expected):
    assert parse_severities(text) == expected


@pytest.mark.parametrize("text", ["", "6", "0-6", "3-1", "-1", "1.5", "all", "1,,2"])
def test_other_severities_are_refused(text):
    with pytest.raises(ConfigError, match="severities: must be from 0"):
        parse_severities(text)


def test_clean_is_a_condition_only_if_it_is_asked_for():
    assert conditions(("h264",), (1, 2)) == [Condition("h264", 1), Condition("h264", 2)]
    assert conditions(("h264",), (0,)) == [CLEAN]
    assert [one.folder for one in conditions(("h264",), (0, 2))] == ["clean", "h264/2"]
