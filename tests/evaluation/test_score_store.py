"""Scores that are kept: found again under the same values only, exactly, and damage is told."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.errors import FormatError, OutputError
from vsdmot.evaluation.evaluate import evaluate
from vsdmot.evaluation.score_store import ScoreStore
from vsdmot.evaluation.scores import combine


@pytest.fixture
def scores(make_truth, make_tracks):
    truth = make_truth([(frame, person, 3.0 * frame) for frame in range(1, 8) for person in (1,)])
    return evaluate({"a": truth}, {"a": make_tracks([(2, 1, 6.5), (3, 2, 9.0), (5, 2, 14.0)])}).combined


def test_they_come_back_to_the_last_digit_and_combine_as_before(tmp_path, scores):
    store = ScoreStore(tmp_path / "kept")
    store.keep({"tracker": "ours", "severity": 3}, scores)
    found = store.find({"severity": 3, "tracker": "ours"})
    assert found.scores.values == scores.values
    assert all(np.array_equal(found.scores.per_alpha[name], array) for name, array in scores.per_alpha.items())
    assert combine({"a": found.scores, "b": scores}).values == combine({"a": scores, "b": scores}).values
    assert found.tracks is None


def test_other_values_find_nothing(tmp_path, scores):
    store = ScoreStore(tmp_path)
    store.keep({"severity": 3, "config": {"conf": 0.5}}, scores)
    assert store.find({"severity": 2, "config": {"conf": 0.5}}) is None
    assert store.find({"severity": 3, "config": {"conf": 0.6}}) is None
    assert store.find({"severity": 3}) is None


def test_tracks_are_kept_with_them(tmp_path, scores):
    tracks = tmp_path / "tracks.txt"
    tracks.write_text("1,1,2,3,4,5,1,-1,-1,-1\n")
    store = ScoreStore(tmp_path / "kept")
    store.keep({"a": 1}, scores, tracks)
    tracks.unlink()
    assert store.find({"a": 1}).tracks.read_text() == "1,1,2,3,4,5,1,-1,-1,-1\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"depends_on": {}, "scores": {}}'])
def test_a_damaged_file_is_named_and_not_taken_for_missing(tmp_path, scores, text):
    store = ScoreStore(tmp_path)
    store.keep({"a": 1}, scores)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    with pytest.raises(FormatError, match=f"{path.name}: expected kept scores"):
        store.find({"a": 1})


def test_a_place_that_cannot_be_written_is_told(tmp_path, scores):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        ScoreStore(tmp_path / "file").keep({"a": 1}, scores)
