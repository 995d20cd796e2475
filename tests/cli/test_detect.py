"""``vsdmot detect``: files that can be read back, and every flag."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsdmot.detection.files import open_detections
from vsdmot.io.mot_text import read_mot
from vsdmot.io.sources import open_source


@pytest.fixture
def base(playground, monkeypatch):
    monkeypatch.chdir(playground)
    return ["detect", "clip.mp4", "--detector", "yolox.safetensors", "--yolox.input-size", "64"]


def test_both_formats_give_back_the_same_proposals(vsdmot, base, playground):
    assert vsdmot(*base, "-o", "a.txt").code == 0
    assert vsdmot(*base, "--output", "a.json").code == 0
    text, db = open_detections(playground / "a.txt"), open_detections(playground / "a.json", sequence="clip")
    count = 0
    with open_source("clip.mp4") as source:
        for frame in source:
            first, second = text(frame), db(frame)
            assert first.boxes.tolist() == second.boxes.tolist()
            assert first.scores.tolist() == second.scores.tolist()
            count += len(first)
    written = read_mot(playground / "a.txt").boxes
    assert count == (written[:, 2:] > 0).all(axis=1).sum() > 0  # some random boxes are thinner than the last digit
    assert len(json.loads(Path("a.json").read_text())) == 30  # also frames without proposals have a key


def test_detections_can_be_tracked(vsdmot, base):
    assert vsdmot(*base, "-o", "a.txt").code == 0
    assert vsdmot("track", "clip.mp4", "--tracker", "sort", "--detections", "a.txt", "--mot", "t.txt").code == 0


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--conf", "0.3"),
        ("--yolox.score-threshold", "0.3"),
        ("--yolox.nms-threshold", "0.2"),
        ("--yolox.max-proposals", "1"),
        ("--yolox.convention", "current"),
    ],
)
def test_each_setting_changes_the_boxes(vsdmot, base, flag, value):
    assert vsdmot(*base, "-o", "a.txt").code == 0
    assert vsdmot(*base, flag, value, "-o", "b.txt").code == 0
    assert Path("a.txt").read_text() != Path("b.txt").read_text()


def test_settings_come_from_a_file(vsdmot, base, playground):
    (playground / "run.yaml").write_text(
        "source: clip.mp4\ndetector: yolox.safetensors\noutput: a.txt\ndevice: cpu\nfps: 5\nyolox: {input_size: 64}\n"
    )
    assert vsdmot("detect", "--config", "run.yaml").code == 0
    assert vsdmot(*base, "-o", "b.txt").code == 0
    assert Path("a.txt").read_text() == Path("b.txt").read_text()


def test_device_and_frame_rate_reach_detector_and_source(refused, base):
    assert "99" in refused(*base, "--device", "cuda:99", "-o", "a.txt")
    assert refused(*base, "--fps", "-3", "-o", "a.txt").startswith("--fps: must be greater than 0")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-o", "a.csv"], "-o must end in .txt (MOTChallenge) or .json (det_db), got a.csv"),
        (["-o", "det.txt"], "det.txt exists; add --overwrite to replace it"),
        ([], "--output: missing, and there is no default"),
        (["-o", "clip.txt", "--yolox.input-size", "100"], "--yolox.input-size: must be a multiple of 32"),
    ],
)
def test_bad_input_is_one_clear_line(refused, base, words, expected):
    assert expected in refused(*base, *words)


def test_overwrite_replaces(vsdmot, base, playground):
    (playground / "a.txt").write_text("old")
    assert vsdmot(*base, "-o", "a.txt", "--overwrite").code == 0
    assert len(read_mot(playground / "a.txt")) > 0


def test_a_stopped_run_leaves_what_was_done_and_says_where(vsdmot, base, playground, monkeypatch):
    from vsdmot.detection.yolox.detector import YoloxDetector

    detect = YoloxDetector.__call__

    def interrupted(self, frame):
        if frame.index == 6:
            raise KeyboardInterrupt
        return detect(self, frame)

    monkeypatch.setattr(YoloxDetector, "__call__", interrupted)
    outcome = vsdmot(*base, "-o", "a.txt")
    assert outcome.code == 130
    assert "a.txt.part" in outcome.err
    assert not (playground / "a.txt").exists()
    assert set(read_mot(playground / "a.txt.part").frames.tolist()) <= set(range(1, 6))
