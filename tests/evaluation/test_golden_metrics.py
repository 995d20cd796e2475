"""Numbers that the published evaluation gave: real ground truth with two trackers, and 68 nasty inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsdmot.errors import FormatError
from vsdmot.evaluation.by_frame import FrameCounts, count_by_frame
from vsdmot.evaluation.official_text import read_tracks, read_truth
from vsdmot.evaluation.preprocess import SequenceData, prepare
from vsdmot.evaluation.rules import RULES
from vsdmot.evaluation.scores import ALPHAS, COUNTS, FIELDS, Scores, combine, score

TOLERANCE = 1e-9
COPY = Path(__file__).parent / "data" / "nasty.json"
PACKED = json.loads(COPY.read_text(encoding="utf-8"))
OUR_NAMES = {"TP": "CLR_TP", "FP": "CLR_FP", "FN": "CLR_FN"}
REAL = {
    "mot17_first100_mott": "mot17_first100",
    "mot17_first100_noisysort": "mot17_first100",
    "mot17_first100_noisysort_rule_mot15_nopreproc": "mot17_first100",
    "mot17_first100_noisysort_rule_mot20": "mot17_first100",
    "tud_pymotmetrics": "tud",
}
"""File of golden numbers to folder of inputs."""


def _unpack(name: str) -> dict[str, Any]:
    """Bring a case back to what ``expected.json`` has, with the two texts."""
    case = dict(PACKED["cases"][name])
    rules = {rule: PACKED["results"][number] for rule, number in case["rules"].items()}
    return {**case, "gt": PACKED["texts"][case["gt"]], "tracker": PACKED["texts"][case["tracker"]], "rules": rules}


NASTY = [
    pytest.param(name, rule, id=f"{name}-{rule}") for name, case in PACKED["cases"].items() for rule in case["rules"]
]
ERRORS = {
    "tracker_only_newline": "tracker.txt:1: expected numbers, got a blank line",
    "tracker_blank_line_inside": "tracker.txt:13: expected numbers, got a blank line",
    "tracker_trailing_blank_lines": "tracker.txt:61: expected numbers, got a blank line",
    "tracker_duplicate_id_in_frame": "tracker.txt:61: expected an id only once in a frame, got id 11 in frame 4",
    "gt_duplicate_id_in_frame": "gt.txt:61: expected an id only once in a frame, got id 1 in frame 4",
    "gt_duplicate_id_ignored_row": "gt.txt:61: expected an id only once in a frame, got id 1 in frame 4",
    "tracker_frame_beyond_length": "tracker.txt:61: expected a frame from 1 to 10, the length of the sequence, got ",
    "tracker_frame_zero": "tracker.txt:1: expected a frame of 1 or more, got 0",
    "gt_frame_beyond_length": "gt.txt:61: expected a frame from 1 to 10, the length of the sequence, got ",
    "tracker_nan_box": "tracker.txt:25: expected a box of numbers, got nan, 21, 30, 60",
    "tracker_fractional_ids_collide": "tracker.txt:61: expected an id only once in a frame, got id 11 in frame 4",
    "tracker_negative_id": "tracker.txt:1: expected an id of 0 or more, got -1",
    "tracker_two_negative_ids": "tracker.txt:1: expected an id of 0 or more, got -1",
    "bom": "tracker.txt:1: expected numbers, got a byte order mark",
    "header_line": "tracker.txt:1: expected numbers, got 'frame' in 'frame,id,",
    "comment_line": "tracker.txt:1: expected numbers, got '#",
    "tracker_6_columns": "tracker.txt:1: expected at least 7 values",
    "tracker_5_columns": "tracker.txt:1: expected at least 7 values",
    "tracker_ragged_columns": "tracker.txt:20: expected 7 values as in line 19 of the same frame, got 10",
    "gt_7_columns": "gt.txt:1: expected at least 8 values",
    "gt_invalid_class": "gt.txt:30: expected a class from 1 to 13, got 14",
    "gt_class_minus1": "gt.txt:1: expected a class from 1 to 13, got -1",
    "tracker_class_2": "tracker.txt:26: expected class 1 (a person) or -1 (no class) in the eighth column, got 2",
    "tracker_text_token": "tracker.txt:25: expected numbers, got 'abc' in '5,11,abc,21",
}
"""Nasty case to how the error begins, after the folder."""


def _prepare(name: str, truth: Path, tracks: Path, rule_name: str, num_frames: int) -> SequenceData:
    rule = RULES[rule_name.lower()]
    return prepare(
        name, read_truth(truth, with_classes=rule.uses_classes or None), read_tracks(tracks), rule, num_frames
    )


def _require_equal(found: Scores, expected: dict[str, Any]) -> None:
    """Every number that the golden file has: counts exactly, the rest within the tolerance."""
    numbers = {OUR_NAMES.get(name, name): value for name, value in expected.items() if name not in ("ok", "per_alpha")}
    assert set(FIELDS) - set(numbers) == {"MOTP_sum", "CLR_Frames"}
    for name, value in numbers.items():
        if name in COUNTS:
            assert found[name] == value, name
        else:
            assert found[name] == pytest.approx(value, abs=TOLERANCE), name
    for name, values in expected.get("per_alpha", {}).items():
        np.testing.assert_allclose(found.per_alpha[name], values, rtol=0, atol=TOLERANCE, err_msg=name)


def _require_sum(counts: FrameCounts, scores: Scores) -> None:
    for name, value in counts.scores().items():
        assert value == pytest.approx(scores[name], abs=TOLERANCE), name


@pytest.mark.parametrize("name", REAL)
def test_real_sequences_give_the_published_numbers(shared_golden, name):
    folder = shared_golden / "metrics"
    golden = json.loads((folder / f"{name}.json").read_text())
    np.testing.assert_allclose(ALPHAS, golden["alphas"], rtol=0, atol=1e-15)
    scores, counts = {}, []
    for sequence, length in golden["seq_lengths"].items():
        inputs = folder / "inputs" / REAL[name] / sequence
        data = _prepare(
            sequence, inputs / "gt.txt", inputs / f"{golden['tracker']}.txt", golden["benchmark_rule"], length
        )
        scores[sequence] = score(data)
        counts.append(count_by_frame(data))
        _require_equal(scores[sequence], golden["sequences"][sequence])
        _require_sum(counts[-1], scores[sequence])
    combined = combine(scores)
    assert set(golden["sequences"]) == {*scores, "COMBINED"}
    _require_equal(combined, golden["sequences"]["COMBINED"])
    _require_sum(FrameCounts.joined(counts), combined)


@pytest.mark.parametrize(("name", "rule"), NASTY)
def test_nasty_inputs_give_the_published_number_or_a_line(tmp_path, name, rule):
    case = _unpack(name)
    truth, tracks = tmp_path / "gt.txt", tmp_path / "tracker.txt"
    truth.write_bytes(case["gt"].encode())
    tracks.write_bytes(case["tracker"].encode())
    expected = case["rules"][rule]
    if expected["ok"]:
        data = _prepare("S", truth, tracks, rule, case["seq_length"])
        scores = score(data)
        _require_equal(scores, expected)
        _require_sum(count_by_frame(data), scores)
    else:
        with pytest.raises(FormatError) as raised:
            _prepare("S", truth, tracks, rule, case["seq_length"])
        assert str(raised.value).startswith(f"{tmp_path}/{ERRORS[name]}")


def test_every_nasty_error_is_known():
    wrong = {name for name in PACKED["cases"] if not all(one["ok"] for one in _unpack(name)["rules"].values())}
    assert wrong == set(ERRORS)
    assert len(PACKED["cases"]) == 68


def test_the_copy_of_the_nasty_inputs_is_complete(shared_golden):
    folder = shared_golden / "metrics" / "nasty"
    expected = json.loads((folder / "expected.json").read_text())
    for name, case in expected.items():
        texts = {side: (folder / name / f"{side}.txt").read_bytes().decode() for side in ("gt", "tracker")}
        assert {**case, **texts} == _unpack(name), name
    assert set(expected) == set(PACKED["cases"])
