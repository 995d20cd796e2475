"""``vsdmot detect``: files that can be read back, and every flag."""

from __future__ import annotations

import json
import shutil
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


class TestDataSet:
    @pytest.fixture
    def command(self, base, draw_sequence, playground):
        for name in ("train/a", "train/b"):
            draw_sequence(playground / "set" / name, num_frames=3)
        return ["detect", "set", *base[2:]]

    def test_each_sequence_gets_the_file_that_it_would_get_alone(self, vsdmot, command):
        outcome = vsdmot(*command, "-o", "out")
        assert outcome.code == 0
        assert "2 sequences, 6 frames" in outcome.out
        for name in ("a", "b"):
            assert vsdmot("detect", f"set/train/{name}", *command[2:], "-o", f"{name}.txt").code == 0
            assert Path("out", f"{name}.txt").read_text() == Path(f"{name}.txt").read_text() != ""

    def test_proposals_score_above_0_05_unless_it_is_said_otherwise(self, vsdmot, command):
        scores = []
        for number, words in enumerate(((), ("--conf", "0.3"), ("--yolox.score-threshold", "0.3"))):
            assert vsdmot(*command, *words, "-o", f"out{number}").code == 0
            scores.append(read_mot(Path(f"out{number}", "a.txt")).scores.min())
        assert 0.05 <= scores[0] < 0.3 <= scores[1] == scores[2]

    def test_a_list_of_sequences(self, vsdmot, command):
        Path("some.txt").write_text("b, degraded, set/train/b\n")
        assert vsdmot("detect", "some.txt", *command[2:], "-o", "out").code == 0
        assert [path.name for path in Path("out").glob("*.txt")] == ["b.txt"]

    def test_what_is_done_is_not_done_again(self, vsdmot, command):
        assert vsdmot(*command, "-o", "out").code == 0
        before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.txt")}
        Path("out", "b.txt").unlink()
        outcome = vsdmot(*command, "-o", "out")
        assert "1 of 2 sequences are there already" in outcome.out
        assert "1 sequences, 3 frames" in outcome.out
        assert Path("out", "a.txt").stat().st_mtime_ns == before[Path("out", "a.txt")]
        outcome = vsdmot(*command, "-o", "out", "--overwrite")
        assert "2 sequences, 6 frames" in outcome.out

    def test_a_stopped_run_goes_on(self, vsdmot, command, monkeypatch):
        from vsdmot.detection.yolox.detector import YoloxDetector

        assert vsdmot(*command, "-o", "whole").code == 0
        detect, calls = YoloxDetector.__call__, []

        def interrupted(self, frame):
            calls.append(frame)
            if len(calls) == 5:
                raise KeyboardInterrupt
            return detect(self, frame)

        with monkeypatch.context() as patch:
            patch.setattr(YoloxDetector, "__call__", interrupted)
            assert vsdmot(*command, "-o", "out").code == 130
        assert [path.name for path in Path("out").glob("*.txt")] == ["a.txt"]
        assert "1 sequences, 3 frames" in vsdmot(*command, "-o", "out").out
        for name in ("a.txt", "b.txt"):
            assert Path("out", name).read_text() == Path("whole", name).read_text()
        assert not list(Path("out").glob("*.part"))

    def test_other_settings_do_not_mix(self, vsdmot, refused, command):
        assert vsdmot(*command, "-o", "out").code == 0
        assert refused(*command, "--conf", "0.3", "-o", "out") == (
            "out/a.txt: exists and was made with another detector; choose another output, or add --overwrite"
        )
        assert vsdmot(*command, "--conf", "0.3", "-o", "out", "--overwrite").code == 0
        shutil.rmtree("out/made_by")
        assert "was made by something else" in refused(*command, "--conf", "0.3", "-o", "out")

    def test_det_db_holds_every_frame_under_its_path(self, vsdmot, command):
        assert vsdmot(*command, "--det-db", "-o", "out").code == 0
        db = json.loads(Path("out", "det_db.json").read_text())
        assert list(db) == [f"train/{name}/img1/{k:06d}.txt" for name in "ab" for k in (1, 2, 3)]
        detections = open_detections(Path("out/det_db.json"))
        single = open_detections(Path("out/b.txt"))
        with open_source("set/train/b") as source:
            for frame in source:
                assert detections(frame).boxes.tolist() == single(frame).boxes.tolist()
        outcome = vsdmot(*command, "--det-db", "-o", "out")  # from what is there
        assert outcome.code == 0
        assert json.loads(Path("out", "det_db.json").read_text()) == db

    def test_sequences_that_the_detector_was_trained_on_are_named(self, vsdmot, command):
        shutil.copy("yolox.safetensors", "own.safetensors")
        Path("config.json").write_text(json.dumps({"sequences": ["b", "x"]}))
        command[command.index("yolox.safetensors")] = "own.safetensors"
        outcome = vsdmot(*command, "-o", "out")
        assert outcome.code == 0
        assert "own.safetensors was trained on 1 of these sequences (b)" in outcome.err

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["-o", "out.txt"], "-o must be a folder for a data set, got out.txt"),
            (["-o", "out", "--fps", "5"], "--fps is for a single source"),
        ],
    )
    def test_bad_input_is_one_clear_line(self, refused, command, words, expected):
        assert expected in refused(*command, *words)

    def test_names_that_occur_twice(self, refused, command):
        shutil.copytree("set/train/a", "set/val/a")
        message = refused(*command, "-o", "out")
        assert "two sequences are called a (set/train/a, set/val/a): take one split at a time" in message

    def test_det_db_is_for_data_sets(self, refused, base):
        assert "--det-db is for data sets, which clip.mp4 is not" in refused(*base, "--det-db", "-o", "a.json")

    def test_a_folder_with_nothing_in_it(self, refused, command):
        Path("empty").mkdir()
        assert refused("detect", "empty", *command[2:], "-o", "a.txt").startswith("empty: expected images")


def test_the_detector_inside_a_tracker_writes_proposals(vsdmot, base, originals):
    """From a single source and from a data set; the record names the file it was made with."""
    size = ("--yolox.input-size", "64")
    assert vsdmot("detect", "clip.mp4", "--detector", "nano", *size, "-o", "a.txt").code == 0
    assert len(read_mot(Path("a.txt"))) > 0
    assert vsdmot("detect", "originals/MOT20/train", "--detector", "nano", *size, "-o", "out").code == 0
    record = json.loads(next(Path("out/made_by").glob("*.json")).read_text())
    assert record["weights"] == "model.safetensors"
