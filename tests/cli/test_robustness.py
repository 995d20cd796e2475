"""``vsdmot robustness``: the numbers of a test done by hand, nothing computed twice, every flag."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest


@pytest.fixture
def data(playground, monkeypatch, draw_sequence) -> Path:
    """Two short sequences in the current folder, beside the files of the documentation."""
    monkeypatch.chdir(playground)
    for name in ("walk", "stroll"):
        draw_sequence(playground / "data" / "train" / name, num_frames=4)
    return playground / "data"


@pytest.fixture
def base(data) -> list[str]:
    words = ["--detector", "nano", "--yolox.input-size", "64"]
    return ["robustness", "--root", "data", "--workers", "1", "-o", "out", *words]


def scores(folder: str = "out") -> dict[tuple[str, str, int], dict[str, float]]:
    """Read what all sequences together scored, by tracker, degradation and severity; without failed cells."""
    cells = json.loads(Path(folder, "robustness.json").read_text())["cells"]
    every = {(cell["tracker"], cell["degradation"] or "clean", cell["severity"]): cell["combined"] for cell in cells}
    return {key: combined for key, combined in every.items() if combined is not None}


def tracks() -> list[str]:
    """Read the tracks of every cell."""
    cells = json.loads(Path("out/robustness.json").read_text())["cells"]
    return [Path(path).read_text() for cell in cells for path in cell["tracks"].values()]


def table() -> list[dict[str, str]]:
    with Path("out/robustness.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def times(folder: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()}


def perfect(folder: Path, condition: str) -> None:
    """Write results of others that say exactly what is true."""
    for name in ("walk", "stroll"):
        truth = Path("data/train", name, "gt", "gt.txt").read_text()
        (folder / condition).mkdir(parents=True, exist_ok=True)
        (folder / condition / f"{name}.txt").write_text(truth.replace(",1,1,1\n", ",0.9,-1,-1,-1\n"))


def test_a_cell_is_what_degrade_detect_track_and_eval_give_by_hand(vsdmot, base):
    assert vsdmot(*base, "--trackers", "weights,nano", "--degradations", "noise", "--severities", "2").code == 0
    assert vsdmot("degrade", "data", "-o", "low", "--only", "noise", "--severity", 2, "--mode", "fixed").code == 0
    assert vsdmot("detect", "low", *base[7:], "-o", "found").code == 0
    for name in ("walk", "stroll"):
        low = f"low/train/{name}"
        given = ["--weights", "weights", "--detections", f"found/{name}.txt"]
        assert vsdmot("track", low, *given, "--mot", f"w/{name}.txt").code == 0
        assert vsdmot("track", low, "--weights", "nano", "--mot", f"n/{name}.txt").code == 0
    for tracker, results in (("weights", "w"), ("nano", "n")):
        assert vsdmot("eval", "--gt", "data", "--pred", results, "--json", f"{results}.json").code == 0
        by_hand = json.loads(Path(f"{results}.json").read_text())["combined"]
        by_hand.pop("per_alpha")
        assert scores()[tracker, "noise", 2] == by_hand
        assert by_hand["CLR_FP"] + by_hand["CLR_TP"] > 0


def test_the_folder_holds_curves_tables_and_every_number(vsdmot, base):
    outcome = vsdmot(*base, "--trackers", "ocsort,tiny=nano", "--degradations", "blur,h264", "--severities", "0-1,5")
    assert outcome.code == 0, outcome.err
    for name in ("HOTA", "DetA", "AssA", "IDF1"):
        with PIL.Image.open(f"out/{name}.png") as picture:
            assert picture.format == "PNG"
            assert picture.width > 300
    assert "proposals of nano for ocsort" in outcome.out
    assert "tiny: random weights" in outcome.out
    assert "h264 5: HOTA of ocsort" in outcome.out
    found = scores()
    assert sorted({key[1:] for key in found}) == [("blur", 1), ("blur", 5), ("clean", 0), ("h264", 1), ("h264", 5)]
    summary = json.loads(Path("out/robustness.json").read_text())["summary"]["tiny"]["HOTA"]
    worse = [found["tiny", operator, severity]["HOTA"] for operator in ("blur", "h264") for severity in (1, 5)]
    assert summary["mean_degraded"] == pytest.approx(sum(worse) / 4)
    assert summary["relative"] == pytest.approx(sum(worse) / 4 / found["tiny", "clean", 0]["HOTA"])
    rows = table()
    assert len(rows) == 2 * 5 * 3  # trackers, conditions, two sequences and both together
    assert {row["sequence"] for row in rows} == {"walk", "stroll", "COMBINED"}
    assert "| MEAN DEGRADED" in Path("out/robustness.md").read_text().replace("**", "")
    assert not Path("out/degraded/blur/1/walk").exists()


def test_nothing_is_computed_twice_and_what_is_added_costs_only_itself(vsdmot, base):
    command = [*base, "--severities", "3"]
    first = vsdmot(*command, "--trackers", "sort", "--degradations", "blur")
    assert "blur 3: HOTA of sort" in first.out
    before = times("out/cells") | times("out/proposals")
    again = vsdmot(*command, "--trackers", "sort", "--degradations", "blur")
    assert "blur 3: HOTA" not in again.out  # only told when it is new
    assert times("out/cells") | times("out/proposals") == before
    assert vsdmot(*command, "--trackers", "sort,ocsort", "--degradations", "blur").code == 0
    assert times("out/proposals").items() <= before.items()  # another tracker, the same proposals
    assert before.items() <= times("out/cells").items() | times("out/proposals").items()
    assert len(times("out/cells")) == 2 * len([path for path in before if path.parent.name == "cells"])


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(vsdmot, base):
    command = [*base, "--trackers", "weights", "--degradations", "blur,noise", "--severities", "1-3"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "vsdmot", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"blur 2"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    before = times("out/cells") | times("out/proposals")
    assert len(before) >= 2 * 2 * 3  # blur 1, blur 2; two sequences; scores, tracks and proposals
    outcome = vsdmot(*command)
    assert outcome.code == 0, outcome.err
    assert "blur 2: HOTA" not in outcome.out
    assert "noise 1: HOTA" in outcome.out
    after = times("out/cells") | times("out/proposals")
    assert all(after[path] == time for path, time in before.items() if ".part" not in path.name)
    command[command.index("out")] = "whole"
    assert vsdmot(*command).code == 0
    assert scores("out") == scores("whole")


def test_each_setting_changes_the_tracks_and_never_meets_cells_of_others(vsdmot, base):
    command = [*base, "--trackers", "weights", "--degradations", "noise", "--severities", "4", "--sequences", "walk"]
    assert vsdmot(*command, "--device", "cpu").code == 0
    first = tracks()
    for flag, value in (
        ("--seed", "1"),
        ("--conf", "0.6"),
        ("--yolox.nms-threshold", "0.1"),
        ("--yolox.score-threshold", "0.6"),
        ("--yolox.max-proposals", "3"),
        ("--degradations", "jpeg"),
    ):
        assert vsdmot(*command, flag, value).code == 0
        assert tracks() != first, flag
    assert vsdmot(*command).code == 0
    assert tracks() == first


def test_the_rule_and_the_decimals(vsdmot, base):
    command = [*base, "--trackers", "weights", "--degradations", "noise", "--severities", "1"]
    for sequence in ("walk", "stroll"):
        truth = Path("data/train", sequence, "gt/gt.txt")
        truth.write_text(truth.read_text().replace(",1,1,1\n", ",1,3,1\n"))  # cars: nobody to find but by mot15
    assert vsdmot(*command, "--rule", "mot15", "--decimals", "3").code == 0
    assert scores()["weights", "noise", 1]["CLR_FN"] + scores()["weights", "noise", 1]["CLR_TP"] == 16
    assert vsdmot(*command, "--rule", "mot17").code == 0
    assert scores()["weights", "noise", 1]["CLR_FN"] == 0


def test_every_so_many_frames_are_a_video_of_a_lower_rate(vsdmot, base):
    assert vsdmot(*base, "--trackers", "weights", "--severities", "0", "--every", "3").code == 0
    assert scores()["weights", "clean", 0]["CLR_Frames"] == 4  # frames 1 and 4 of two sequences
    (laid_out,) = Path("out/sampled").glob("every3-*/walk")
    assert sorted(path.name for path in (laid_out / "img1").iterdir()) == ["000001.jpg", "000002.jpg"]
    assert "frameRate=6.66667" in (laid_out / "seqinfo.ini").read_text()


class TestResultsOfOthers:
    def test_they_are_scored_where_they_are_and_the_missing_is_told(self, vsdmot, base):
        for condition in ("clean", "blur/1"):
            perfect(Path("theirs"), condition)
        outcome = vsdmot(*base, "--trackers", "them=theirs,sort", "--degradations", "blur", "--severities", "0-2")
        assert outcome.code == 2
        assert "them on walk, blur 2: theirs/blur/2: expected results" in outcome.err
        assert "2 cells of 12 failed" in outcome.err
        found = scores()
        assert found["them", "clean", 0]["HOTA"] == found["them", "blur", 1]["HOTA"] == 1
        assert ("them", "blur", 2) not in found
        assert ("sort", "blur", 2) in found  # the rest went on
        assert json.loads(Path("out/robustness.json").read_text())["summary"]["them"]["HOTA"]["mean_degraded"] is None
        perfect(Path("theirs"), "blur/2")
        assert (
            vsdmot(*base, "--trackers", "them=theirs,sort", "--degradations", "blur", "--severities", "0-2").code == 0
        )
        assert scores()["them", "blur", 2]["HOTA"] == 1

    def test_a_file_that_changes_is_scored_anew(self, vsdmot, base):
        perfect(Path("theirs"), "clean")
        command = [*base, "--trackers", "them=theirs", "--severities", "0"]
        assert vsdmot(*command).code == 0
        path = Path("theirs/clean/walk.txt")
        path.write_text("\n".join(path.read_text().splitlines()[1:]) + "\n")
        assert vsdmot(*command).code == 0
        assert scores()["them", "clean", 0]["CLR_FN"] == 1

    def test_a_damaged_result_costs_its_cell_only(self, vsdmot, base):
        perfect(Path("theirs"), "clean")
        Path("theirs/clean/walk.txt").write_text("1,1,here\n")
        outcome = vsdmot(*base, "--trackers", "them=theirs", "--severities", "0")
        assert outcome.code == 2
        assert "them on walk, clean: theirs/clean/walk.txt:1: expected" in outcome.err
        (row,) = table()
        assert row["sequence"] == "stroll"

    def test_the_frames_for_them_are_those_of_vsdmot_degrade(self, vsdmot, base):
        command = [*base, "--degradations", "noise,h264", "--severities", "0-2", "--write-degraded", "low"]
        assert vsdmot(*command).code == 0
        assert not Path("out/robustness.json").exists()  # nobody was tested
        assert (
            vsdmot("degrade", "data", "-o", "by_hand", "--only", "h264", "--severity", 2, "--mode", "fixed").code == 0
        )
        for picture in Path("by_hand/train/walk/img1").iterdir():
            assert Path("low/h264/2/walk/img1", picture.name).read_bytes() == picture.read_bytes()
        before = times("low")
        assert vsdmot(*command, "--trackers", "sort").code == 0
        assert times("low") == before
        assert len(scores()) == 5


def test_a_tracker_that_dies_is_told_and_the_others_go_on(vsdmot, base, monkeypatch):
    from vsdmot.tracking.association import Association

    step = Association.step

    def dies(self, state, frame, proposals, quality):
        if self.name == "ocsort" and frame.index == 3:
            raise ZeroDivisionError("no motion")
        return step(self, state, frame, proposals, quality)

    monkeypatch.setattr(Association, "step", dies)
    outcome = vsdmot(*base, "--trackers", "ocsort,sort", "--severities", "0")
    assert outcome.code == 2
    assert "ocsort on walk, clean: frame 3: ZeroDivisionError: no motion" in outcome.err
    assert list(scores()) == [("sort", "clean", 0)]


def test_a_damaged_image_costs_its_sequence_only(vsdmot, base):
    Path("data/train/walk/img1/000002.jpg").write_bytes(b"no image")
    outcome = vsdmot(*base, "--trackers", "weights,nano", "--degradations", "jpeg", "--severities", "0,1")
    assert outcome.code == 2
    assert "weights on walk, clean: data/train/walk: 1 frame could not be read" in outcome.err
    assert "nano on walk, jpeg 1: data/train/walk/img1/000002.jpg: not an image" in outcome.err
    assert len(table()) == 4  # both trackers on the other sequence


def test_a_kept_file_that_is_damaged_is_named(refused, vsdmot, base):
    command = [*base, "--trackers", "sort", "--severities", "0"]
    assert vsdmot(*command).code == 0
    path = next(Path("out/cells").glob("*.json"))
    path.write_text(path.read_text()[:40])
    assert f"{path}: expected kept scores, found a damaged file" in refused(*command)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trackers", "sort", "--severities", "0-6"], "--severities: must be from 0 (clean) to 5"),
        (["--trackers", "sort", "--severities", "mild"], "--severities: must be from 0 (clean) to 5"),
        (
            ["--trackers", "sort", "--degradations", "fog"],
            "--degradations: expected a list of one of sharpen, motion_blur",
        ),
        (
            ["--trackers", "sort", "--degradations", "blur,blur"],
            "--degradations: must be names of operators, each once",
        ),
        (["--trackers", "sort", "--root", "nowhere"], "nowhere: expected ground truth"),
        (["--trackers", "sort", "--root", "gt.txt"], "gt.txt: expected a sequence, with images"),
        (["--trackers", "sort", "-o", "data/out"], "data/out: lies inside the source data"),
        (["--trackers", "sort,sort"], "trackers: expected NAME=FOLDER with a name of its own"),
        (["--trackers", "fast"], "fast: no such weights"),
        (["--trackers", "them=data/train/walk/none"], "or a folder of results, which is not there either"),
        (["--trackers", "sort", "--sequences", "run"], "sequences: there is no 'run' in data"),
        (["--trackers", "them=.", "--every", "2"], "--every: them is given by its results"),
        (["--trackers", "sort", "--yolox.convention", "current"], "is 'legacy', not 'current'"),
        ([], "trackers: name at least one"),
    ],
)
def test_mistakes_are_told_in_one_line(refused, base, words, message):
    assert message in refused(*base, *words)


def test_settings_come_from_a_file(vsdmot, base):
    Path("test.yaml").write_text("trackers: [sort]\nseverities: '0'\n")
    assert vsdmot(*base, "--config", "test.yaml", "--output", "out").code == 0
    assert list(scores()) == [("sort", "clean", 0)]
