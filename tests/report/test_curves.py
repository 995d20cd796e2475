"""Curves of robustness: what is drawn where, looked at in the picture."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from vsdmot.evaluation.robustness.conditions import conditions
from vsdmot.evaluation.robustness.summary import Robustness
from vsdmot.report.curves import draw_curves

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)


class Known(Robustness):
    """Scores that a test makes up: by tracker and severity, None where a cell failed."""

    numbers: dict[str, list[float | None]]

    def score(self, tracker, condition, metric):
        return self.numbers[tracker][condition.severity]


def known(numbers: dict[str, list[float | None]], *degradations: str) -> Known:
    severities = range(len(next(iter(numbers.values()))))
    found = Known(list(numbers), conditions(degradations, tuple(severities)), ["a"])
    found.numbers = numbers
    return found


def picture(found: Known) -> np.ndarray:
    data = draw_curves(found, "HOTA", heading="a test")
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))


def pixels(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Give row and column of the pixels of a colour."""
    return np.argwhere((np.abs(image.astype(int) - colour) < 12).all(axis=2))


def test_the_better_tracker_lies_higher_and_falls_later():
    image = picture(known({"good": [0.8, 0.7, 0.6], "poor": [0.5, 0.3, 0.1]}, "blur"))
    panel = image[:, : image.shape[1] // 3]  # the mean, without the legend
    good, poor = pixels(panel, BLUE), pixels(panel, VERMILION)
    assert len(good) > 50
    assert len(poor) > 50
    assert good[:, 0].max() < poor[:, 0].min()
    assert np.ptp(good[:, 0]) < np.ptp(poor[:, 0])


def test_a_missing_cell_leaves_a_gap_and_no_zero():
    whole = picture(known({"ours": [0.8, 0.8, 0.8, 0.8]}, "blur"))
    gap = picture(known({"ours": [0.8, 0.8, None, 0.8]}, "blur"))
    third = whole.shape[1] // 3
    assert 0 < len(pixels(gap[:, :third], BLUE)) < len(pixels(whole[:, :third], BLUE))
    assert np.ptp(pixels(gap[:, :third], BLUE)[:, 0]) == np.ptp(pixels(whole[:, :third], BLUE)[:, 0])


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_there_is_a_panel_for_each_degradation_and_one_for_the_mean(count):
    from vsdmot.degradation.operators import OPERATORS

    image = picture(known({"ours": [0.9, 0.2]}, *OPERATORS[:count]))
    marks = pixels(image, BLUE)
    assert image.shape[1] <= 1800
    assert len(marks) > 60 * (count + 1)


def test_clean_only_and_more_trackers_than_colours_can_be_drawn():
    names = {f"tracker {number}": [0.1 * number / 2] for number in range(11)}
    assert picture(known(names, "blur")).std() > 0
