"""``vsdmot eval``: what users see, every flag, and the mistakes that people make."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vsdmot.evaluation.scores import FIELDS
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.structures import FrameQuality, FrameResult, Tracks

TRUTH = "".join(
    f"{frame},{person},{20 * person + frame},10,10,30,1,1,1\n" for frame in range(1, 9) for person in (1, 2, 3)
)


def results(*, missing: int = 0, switch_at: int = 0, shift: float = 0.0) -> str:
    """Results for `TRUTH`: without the first so many frames of person 1, which changes its id at a frame."""
    lines = []
    for line in TRUTH.splitlines():
        frame, person, left, *_ = map(int, line.split(","))
        if person == 1 and frame <= missing:
            continue
        track = 90 if person == 1 and switch_at and frame >= switch_at else person + 10
        lines.append(f"{frame},{track},{left + shift},10,10,30,0.9,-1,-1,-1\n")
    return "".join(lines)


@pytest.fixture
def one(tmp_path) -> tuple[Path, Path]:
    """Ground truth and perfect results of a sequence, as loose files."""
    truth, tracks = tmp_path / "walk.gt.txt", tmp_path / "walk.mot.txt"
    truth.write_text(TRUTH)
    tracks.write_text(results())
    return truth, tracks


@pytest.fixture
def several(tmp_path) -> tuple[Path, Path, Path]:
    """Ground truth of nine sequences, good results and worse ones, in folders."""
    folders = tmp_path / "truth", tmp_path / "good", tmp_path / "poor"
    for folder in folders:
        folder.mkdir()
    for number in range(9):
        for folder, text in zip(
            folders, (TRUTH, results(shift=0.5), results(missing=2 + number % 3, switch_at=6)), strict=True
        ):
            (folder / f"s{number}.txt").write_text(text)
    return folders


def table(out: str, first: str) -> list[dict[str, str]]:
    """Read the plain table whose first column has a name: a dict for each row."""
    lines = out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    rows = [re.split(r" {2,}", line.strip()) for line in lines[start:]]
    end = next((number for number, row in enumerate(rows) if row == [""]), len(rows))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:end]]


# What is printed


def test_perfect_results_score_one_hundred_and_the_rule_is_explained(vsdmot, one):
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1])
    assert outcome.code == 0, outcome.err
    assert "rule mot17, because every box is of class 1, where all rules with classes agree" in outcome.out
    (row,) = table(outcome.out, "sequence")
    assert row["sequence"] == "walk"
    assert [row[name] for name in ("HOTA", "DetA", "AssA", "MOTA", "IDF1")] == ["100.00"] * 5
    assert [row[name] for name in ("IDSW", "CLR_FP", "CLR_FN")] == ["0"] * 3
    assert outcome.err == ""


def test_sequences_and_their_combination_are_told_apart(vsdmot, several):
    outcome = vsdmot("eval", "--gt", several[0], "--pred", several[2], "--columns", "HOTA,IDSW,MOTA", "--decimals", 1)
    rows = table(outcome.out, "sequence")
    assert [row["sequence"] for row in rows] == [*(f"s{number}" for number in range(9)), "COMBINED"]
    assert list(rows[0]) == ["sequence", "HOTA", "IDSW", "MOTA"]
    assert rows[-1]["IDSW"] == "9"
    assert rows[0]["MOTA"] == f"{100 * (22 - 1) / 24:.1f}"


def test_only_chosen_sequences_are_scored_and_what_is_left_over_is_told(vsdmot, several):
    outcome = vsdmot("eval", "--gt", several[0], "--pred", several[1], "--sequences", "s3,s1")
    assert outcome.err == ""
    assert [row["sequence"] for row in table(outcome.out, "sequence")] == ["s1", "s3", "COMBINED"]
    (several[0] / "s3.txt").unlink()
    outcome = vsdmot("eval", "--gt", several[0], "--pred", several[1])
    assert "1 result without ground truth: s3.txt" in outcome.err


def test_ground_truth_given_as_a_result_is_told(vsdmot, one):
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[0])
    assert f"{one[0]}: this is the ground truth itself, given as a result too" in outcome.err


def test_each_sequence_has_its_own_rule_and_a_rule_asked_for_holds_for_all(vsdmot, tmp_path):
    truth, tracks = tmp_path / "truth", tmp_path / "tracks"
    for folder in (truth, tracks):
        folder.mkdir()
    # A vehicle of class 6, tracked: MOT20 forgives that, MOT17 does not, and MOT15 takes it for a person.
    for name in ("MOT17-09", "MOT20-03"):
        (truth / f"{name}.txt").write_text(TRUTH + "1,9,300,10,40,30,0,6,1\n")
        (tracks / f"{name}.txt").write_text(results() + "1,99,300,10,40,30,1,-1,-1,-1\n")
    outcome = vsdmot("eval", "--gt", truth, "--pred", tracks)
    assert "rule mot17 for MOT17-09, because the sequence's name says so" in outcome.out
    assert "rule mot20 for MOT20-03, because the sequence's name says so" in outcome.out
    assert [row["CLR_FP"] for row in table(outcome.out, "sequence")] == ["1", "0", "1"]
    for rule, false in (("mot15", "1"), ("mot16", "1"), ("mot17", "1"), ("dancetrack", "1"), ("mot20", "0")):
        outcome = vsdmot("eval", "--gt", truth, "--pred", tracks, "--rule", rule)
        assert f"rule {rule}, because it was asked for" in outcome.out
        assert {row["CLR_FP"] for row in table(outcome.out, "sequence")[:2]} == {false}


def test_a_terminal_gets_a_drawn_table(vsdmot, one, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1])
    assert "──" in outcome.out
    assert "CLR_FN" in outcome.out


# What is written


def test_json_has_the_fixed_form_with_fractions_in_full(vsdmot, several, tmp_path):
    target = tmp_path / "scores.json"
    outcome = vsdmot("eval", "--gt", several[0], "--pred", several[2], "--json", target)
    assert str(target) in outcome.out
    found = json.loads(target.read_text())
    assert list(found["sequences"]) == [f"s{number}" for number in range(9)]
    for scores in (found["combined"], *found["sequences"].values()):
        assert set(FIELDS) < set(scores)
        arrays = scores["per_alpha"]
        assert np.mean(arrays["HOTA"]) == pytest.approx(scores["HOTA"], abs=1e-15)
        assert len(arrays["alpha"]) == len(arrays["HOTA_TP"]) == 19
    assert found["combined"]["IDSW"] == 9
    assert found["sequences"]["s0"]["MOTA"] == 21 / 24
    assert found["settings"]["rules"]["s0"]["rule"] == "mot17"
    assert found["settings"]["num_frames"]["s0"] == 8
    assert found["pred"] == str(several[2])


def test_csv_has_a_line_for_each_run_and_sequence_that_reads_back_exactly(vsdmot, several, tmp_path):
    target, scores = tmp_path / "scores.csv", tmp_path / "scores.json"
    vsdmot("eval", "--gt", several[0], "--pred", *several[1:], "--csv", target, "--json", scores)
    rows = list(csv.DictReader(target.open(newline="")))
    assert [(row["run"], row["sequence"]) for row in rows[9:11]] == [
        (str(several[1]), "COMBINED"),
        (str(several[2]), "s0"),
    ]
    for row, run in zip((rows[9], rows[19]), json.loads(scores.read_text())["runs"], strict=True):
        assert {field: float(row[field]) for field in FIELDS} == {field: run["combined"][field] for field in FIELDS}


def test_markdown_and_latex_hold_the_tables_of_the_screen(vsdmot, several, tmp_path):
    page, paper = tmp_path / "t.md", tmp_path / "t.tex"
    outcome = vsdmot("eval", "--gt", several[0], "--pred", several[2], "--markdown", page, "--latex", paper)
    row = table(outcome.out, "sequence")[4]
    markdown = next(line for line in page.read_text().splitlines() if "| s4 " in line)
    assert [part.strip() for part in markdown.strip("|").split("|")] == list(row.values())
    latex = next(line for line in paper.read_text().splitlines() if line.startswith("s4 "))
    assert [part.strip() for part in latex.removesuffix(r"\\").split("&")] == list(row.values())
    assert "Rule mot17, because" in page.read_text()


def test_files_are_replaced_only_when_told_and_nothing_is_scored_in_vain(vsdmot, refused, one, tmp_path):
    target = tmp_path / "scores.json"
    target.write_text("precious")
    assert refused("eval", "--gt", one[0], "--pred", one[1], "--json", target).endswith("add --overwrite to replace it")
    assert target.read_text() == "precious"
    assert vsdmot("eval", "--gt", one[0], "--pred", one[1], "--json", target, "--overwrite").code == 0
    assert json.loads(target.read_text())["combined"]["HOTA"] == 1
    message = refused("eval", "--gt", one[0], "--pred", one[1], "--json", tmp_path / "x", "--csv", tmp_path / "x")
    assert "--json, --csv, --markdown and --latex must name different files" in message


# Where files may be


def test_a_motchallenge_tree_knows_how_long_its_sequences_are(vsdmot, draw_sequence, tmp_path):
    root = tmp_path / "data" / "train"
    sequence = draw_sequence(root / "MOT17-02-FRCNN", num_frames=4)
    info = sequence / "seqinfo.ini"
    info.write_text(info.read_text().replace("seqLength=4", "seqLength=6"))
    tracks = tmp_path / "tracker" / "data"
    tracks.mkdir(parents=True)
    truth = (sequence / "gt" / "gt.txt").read_text().replace(",1,1,1\n", ",0.5,-1,-1,-1\n")
    (tracks / "MOT17-02-FRCNN.txt").write_text(truth)
    outcome = vsdmot("eval", "--gt", tmp_path / "data", "--pred", tmp_path / "tracker", "--json", tmp_path / "s.json")
    assert outcome.code == 0, outcome.err
    scores = json.loads((tmp_path / "s.json").read_text())["sequences"]["MOT17-02-FRCNN"]
    assert (scores["HOTA"], scores["CLR_Frames"]) == (1, 6)


def test_what_cvat_exports_is_read_from_its_zip_archive_on_both_sides(vsdmot, cvat_export, tmp_path):
    with zipfile.ZipFile(cvat_export) as archive:
        tracks = archive.read("gt/gt.txt").decode().replace(",1,2,1.0", ",0.8,-1,-1,-1")
    (tmp_path / "mine.txt").write_text(tracks)
    outcome = vsdmot("eval", "--gt", cvat_export, "--pred", tmp_path / "mine.txt")
    assert outcome.code == 0, outcome.err
    assert "rule mot17, because labels.txt names the classes" in outcome.out
    assert table(outcome.out, "sequence")[0]["HOTA"] == "100.00"
    assert table(outcome.out, "sequence")[0]["sequence"] == "task_7"


def test_json_lines_of_track_are_results_too_and_hold_the_quality(vsdmot, clip_folder, tmp_path):
    shutil.copy(clip_folder / "clip.mp4", tmp_path)
    vsdmot("track", tmp_path / "clip.mp4", "--tracker", "ocsort", "--detections", clip_folder / "det.txt")
    found = []
    for tracks in ("clip.mot.txt", "clip.jsonl"):
        target = tmp_path / f"{tracks}.json"
        outcome = vsdmot("eval", "--gt", clip_folder / "gt.txt", "--pred", tmp_path / tracks, "--json", target)
        assert outcome.code == 0, outcome.err
        found.append(json.loads(target.read_text())["combined"])
    assert found[0]["HOTA"] == pytest.approx(found[1]["HOTA"], abs=1e-3)  # text holds two decimals of width and height
    assert 0.3 < found[0]["HOTA"] < 1
    for source in ("clip.jsonl", "clip.mp4"):
        outcome = vsdmot(
            "eval",
            "--gt",
            clip_folder / "gt.txt",
            "--pred",
            tmp_path / "clip.mot.txt",
            "--by-quality",
            tmp_path / source,
        )
        assert outcome.code == 0, outcome.err
        rows = table(outcome.out, "Q ")
        assert sum(int(row["frames"]) for row in rows) == 30
        assert "Q hardly varies" not in outcome.out
        lows = [float(row["Q"].partition(" ")[0]) for row in rows]
        assert lows == sorted(lows)


def test_the_split_by_quality_adds_up_to_the_whole(vsdmot, draw_sequence, tmp_path):
    sequence = draw_sequence(tmp_path / "data" / "walk", num_frames=8)
    (tmp_path / "walk.txt").write_text(
        (sequence / "gt" / "gt.txt").read_text().replace("3,1,", "3,7,").replace(",1,1,1\n", ",1,-1,-1,-1\n")
    )
    target = tmp_path / "scores.json"
    words = ("--gt", sequence, "--pred", tmp_path / "walk.txt", "--by-quality", sequence, "--json", target)
    outcome = vsdmot("eval", *words)
    assert outcome.code == 0, outcome.err
    found = json.loads(target.read_text())
    groups = found["by_quality"]
    assert sum(group["num_frames"] for group in groups) == 8
    for field in ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW"):
        assert sum(group["scores"][field] for group in groups) == found["combined"][field]
    assert found["combined"]["IDSW"] == 2
    assert all(low <= high for low, high in (group["quality"] for group in groups))


@pytest.mark.parametrize(("spread", "told"), [(0.09, True), (0.11, False)])
def test_a_split_by_quality_that_hardly_varies_says_so(vsdmot, one, tmp_path, spread, told):
    page = tmp_path / "t.md"
    with JsonLinesWriter(tmp_path / "walk.jsonl") as writer:
        for frame in range(1, 9):
            quality = FrameQuality(clarity=1.0, noise=0.0, contrast=1.0, score=0.8 + spread * (frame - 1) / 7)
            writer.write(FrameResult(frame, frame / 25, Tracks.empty(), quality, None, 0))
    words = ("--by-quality", tmp_path / "walk.jsonl", "--markdown", page)
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1], *words)
    warning = "Q hardly varies here (0.800 to 0.890)"
    assert (warning in outcome.out) == (warning in page.read_text()) == told


# Several runs, two methods


def test_runs_are_averaged_and_their_spread_is_given(vsdmot, several, tmp_path):
    target = tmp_path / "scores.json"
    outcome = vsdmot("eval", "--gt", several[0], "--pred", *several[1:], "--columns", "MOTA", "--json", target)
    runs = table(outcome.out, "run")
    found = json.loads(target.read_text())
    each = [run["combined"]["MOTA"] for run in found["runs"]]
    assert [row["MOTA"] for row in runs[:2]] == [f"{100 * value:.2f}" for value in each]
    mean, sd = 100 * np.mean(each), 100 * np.std(each, ddof=1)
    assert runs[2] == {"run": "mean", "MOTA": f"{mean:.2f} ± {sd:.2f}"}
    assert found["combined"]["MOTA"] == pytest.approx(np.mean(each))
    assert found["std"]["combined"]["MOTA"] == pytest.approx(np.std(each, ddof=1))
    assert found["sequences"]["s0"]["MOTA"] == pytest.approx(
        np.mean([run["sequences"]["s0"]["MOTA"] for run in found["runs"]])
    )


def test_two_methods_are_compared_in_a_table_and_a_sentence(vsdmot, several, tmp_path):
    target = tmp_path / "scores.json"
    outcome = vsdmot(
        "eval", "--gt", several[0], "--pred", several[1], "--against", several[2], "--names", "ours,theirs",
        "--resamples", 500, "--seed", 3, "--json", target,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert re.search(r"^HOTA: ours \d.*against theirs \d.*over 9 sequences: this exceeds the noise", outcome.out, re.M)
    found = json.loads(target.read_text())
    assert found["name"] == "ours"
    assert found["against"]["name"] == "theirs"
    difference = found["comparison"]["HOTA"]
    assert difference["difference"] == pytest.approx(found["combined"]["HOTA"] - found["against"]["combined"]["HOTA"])
    assert difference["interval"][0] <= difference["difference"] <= difference["interval"][1]
    again = vsdmot(
        "eval", "--gt", several[0], "--pred", several[1], "--against", several[2], "--resamples", 500, "--seed", 3,
    )  # fmt: skip
    assert "good against poor" in again.out  # named after the folders
    assert re.findall(r"[+-][\d.]+ to [+-][\d.]+", again.out) == re.findall(r"[+-][\d.]+ to [+-][\d.]+", outcome.out)


def test_one_sequence_cannot_tell_two_methods_apart(vsdmot, one, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(results(missing=4))
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1], "--against", other)
    assert "whether this exceeds the noise cannot be said" in outcome.out


# Mistakes


def test_a_result_that_is_missing_is_named(refused, several):
    (several[1] / "s4.txt").unlink()
    message = refused("eval", "--gt", several[0], "--pred", several[1])
    assert "s4" in message
    assert "--sequences" in message


def test_bad_lines_are_named_and_nothing_is_written(refused, one, tmp_path):
    one[1].write_text(results() + "3,11,1,2,3,4,1,-1,-1,-1\n")
    target = tmp_path / "scores.json"
    message = refused("eval", "--gt", one[0], "--pred", one[1], "--json", target)
    assert message == f"{one[1]}:25: expected an id only once in a frame, got id 11 in frame 3 (walk)"
    assert not target.exists()


def test_the_length_of_a_sequence_can_be_said(vsdmot, refused, one, tmp_path):
    one[1].write_text(results() + "12,11,1,2,3,4,1,-1,-1,-1\n")
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1], "--columns", "CLR_Frames,CLR_FP")
    assert table(outcome.out, "sequence")[0] == {"sequence": "walk", "CLR_Frames": "12", "CLR_FP": "1"}
    assert "results go on to frame 12 after the last annotated frame, 8, and count as false there" in outcome.err
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1], "--columns", "CLR_Frames", "--length", 20)
    assert table(outcome.out, "sequence")[0]["CLR_Frames"] == "20"
    message = refused("eval", "--gt", one[0], "--pred", one[1], "--length", 8)
    assert ":25: expected a frame from 1 to 8, the length of the sequence, got id 11 in frame 12" in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (results(shift=500), "left, top, width, height in pixels"),
        ("1,1,0.1,0.1,0.05,0.3,1,-1,-1,-1\n", "the boxes look like fractions of the image"),
    ],
    ids=["elsewhere", "fractions"],
)
def test_results_that_fit_nobody_get_a_hint(vsdmot, one, text, hint):
    one[1].write_text(text)
    outcome = vsdmot("eval", "--gt", one[0], "--pred", one[1])
    assert outcome.code == 0
    assert hint in outcome.err


def test_nobody_on_either_side_is_no_mistake(vsdmot, tmp_path):
    for name in ("gt.txt", "tracks.txt"):
        (tmp_path / name).write_text("")
    outcome = vsdmot("eval", "--gt", tmp_path / "gt.txt", "--pred", tmp_path / "tracks.txt", "--json", tmp_path / "s")
    assert outcome.code == 0, outcome.err
    assert json.loads((tmp_path / "s").read_text())["combined"]["MOTA"] == 0


def test_quality_of_frames_that_are_not_there(vsdmot, refused, one, clip_folder, tmp_path):
    long = tmp_path / "long.txt"
    long.write_text(TRUTH + "40,1,10,10,10,30,1,1,1\n")
    outcome = vsdmot("eval", "--gt", long, "--pred", one[1], "--by-quality", clip_folder / "clip.mp4")
    assert "long: 10 of 40 frames are not in" in outcome.err
    assert outcome.code == 0
    message = refused("eval", "--gt", one[0], "--pred", one[1], "--by-quality", tmp_path / "nothing.mp4")
    assert "nothing.mp4" in message


def test_settings_may_stand_in_a_file(vsdmot, several, tmp_path):
    page = tmp_path / "eval.yaml"
    page.write_text(f"gt: {several[0]}\npred: [{several[1]}, {several[2]}]\ncolumns: [MOTA]\n")
    outcome = vsdmot("eval", "--config", page)
    assert [list(row) for row in table(outcome.out, "run")] == [["run", "MOTA"]] * 3


def test_settings_that_cannot_be(vsdmot, one):
    outcome = vsdmot(
        "eval", "--gt", one[0], "--pred", one[1], "--columns", "HOTA,Hota", "--names", "a,b", "--resamples", 5
    )
    assert outcome.code == 2
    assert "--columns: must be names of TrackEval" in outcome.err
    assert "--resamples: must be at least 100, got 5" in outcome.err
    assert "--gt: missing" in vsdmot("eval", "--pred", "x").err
    assert "--names: must be 1 name, got 2" in vsdmot("eval", "--gt", "x", "--pred", "x", "--names", "a,b").err
