"""``vsdmot report``: what goes onto the page, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from vsdmot.io.images import open_folder
from vsdmot.io.video_writer import VideoWriter
from vsdmot.report.page.film import Film
from vsdmot.report.runs import videos_of_runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clip_folder) -> Path:
    """The clip with a run of SORT beside it, and one of OC-SORT as MOT text."""
    from vsdmot.cli.main import main

    folder = tmp_path_factory.mktemp("report")
    for name in ("clip.mp4", "gt.txt", "det.txt"):
        shutil.copy(clip_folder / name, folder / name)
    clip, det = str(folder / "clip.mp4"), str(folder / "det.txt")
    for tracker, flag, name in (("sort", "--jsonl", "clip.jsonl"), ("ocsort", "--mot", "other.mot.txt")):
        words = ["track", clip, "--tracker", tracker, "--detections", det, flag, str(folder / name)]
        assert main(words) == 0
    return folder


def page_of(path: Path) -> tuple[str, dict]:
    """Give the page's text, and the numbers of its script."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return text, json.loads(found[1])


def test_a_run_with_its_video_beside_it_needs_nothing_else(vsdmot, folder, tmp_path):
    outcome = vsdmot("report", folder / "clip.jsonl", "--output", tmp_path / "a" / "page.html")
    assert outcome.code == 0, outcome.err
    assert "clip: " in outcome.out
    assert f"{tmp_path}/a/page.html  (" in outcome.out
    assert "semantic weight is missing: this tracker has none" in outcome.err
    text, data = page_of(tmp_path / "a" / "page.html")
    assert [run["name"] for run in data["runs"]] == ["clip"]
    assert data["numFrames"] == 30
    assert data["videos"][0]["terms"] is not None
    assert data["truth"] is None
    assert "Without ground truth these are suspicions" in text
    assert "ID switches" not in text
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["page.html"]  # nothing is left behind


def test_the_page_names_no_address_of_a_network(vsdmot, folder, tmp_path):
    assert vsdmot("report", folder / "clip.jsonl", "-o", tmp_path / "page.html").code == 0
    text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", (tmp_path / "page.html").read_text())
    assert "://" not in text
    assert "default-src 'none'" in text


def test_ground_truth_brings_the_scores_of_eval_and_a_row_for_each_break(vsdmot, folder, tmp_path):
    runs = (folder / "clip.jsonl", folder / "other.mot.txt")
    outcome = vsdmot(
        "report", *runs, "--gt", folder / "gt.txt", "--source", folder / "clip.mp4", "--names", "SORT,OC-SORT",
        "-o", tmp_path / "page.html",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "other.mot.txt: quality Q and its terms are missing" in outcome.err
    text, data = page_of(tmp_path / "page.html")
    for name, run, path in zip(("SORT", "OC-SORT"), data["runs"], runs, strict=True):
        scores_file = tmp_path / f"{name}.json"
        assert vsdmot("eval", "--gt", folder / "gt.txt", "--pred", path, "--json", scores_file).code == 0
        scores = json.loads(scores_file.read_text())["combined"]
        row = re.search(rf'<th scope="row">{name}</th>(.*?)</tr>', text)
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1])
        assert cells[:1] + cells[5:7] == [f"{100 * scores['HOTA']:.1f}", str(scores["IDSW"]), str(scores["Frag"])]
        assert sum(one[5] for one in run["breaks"]) == scores["IDSW"]
        assert sum(one[6] for one in run["breaks"]) == scores["Frag"]
        assert run["name"] == name
    assert text.count('<button type="button" class="jump"') == sum(len(run["breaks"]) for run in data["runs"]) > 0
    assert data["runs"][0]["weight"] is None
    assert data["runs"][1]["scores"] is not None


def test_rows_beyond_the_limit_are_counted_on_the_page(vsdmot, folder, tmp_path):
    words = ("report", folder / "clip.jsonl", "--gt", folder / "gt.txt", "--rows", "1", "-o", tmp_path / "page.html")
    outcome = vsdmot(*words)
    assert outcome.code == 0
    text, data = page_of(tmp_path / "page.html")
    count = len(data["runs"][0]["breaks"])
    assert count > 1
    assert f"1 of {count} are shown; {count - 1} that break shorter tracks are left out here" in text
    assert f"; {count - 1} of these are marked on the timeline without pictures (--rows)" in outcome.out
    assert text.count('<button type="button" class="jump"') == 1


def test_a_smaller_and_coarser_video_makes_a_smaller_page(vsdmot, folder, tmp_path):
    def size(*words) -> int:
        output = tmp_path / "page.html"
        assert vsdmot("report", folder / "clip.jsonl", "-o", output, "--overwrite", *words).code == 0
        return output.stat().st_size

    usual = size()
    assert size("--picture-size", "80") < usual
    assert size("--crf", "45") < usual


def test_settings_come_from_a_file_and_stand_on_the_page(vsdmot, folder, tmp_path):
    (tmp_path / "report.yaml").write_text(f"output: {tmp_path / 'page.html'}\nrows: 3\npicture_size: 100\n")
    assert vsdmot("report", folder / "clip.jsonl", "--config", tmp_path / "report.yaml").code == 0
    text, data = page_of(tmp_path / "page.html")
    assert data["videos"][0]["width"] == 100
    assert "<dt>rows</dt><dd>3</dd>" in text
    assert "SHA-256" in text
    assert "What made it is not known: clip.run.json, which vsdmot track --record writes, is not beside it." in text


def test_what_made_a_run_stands_on_the_page_unless_the_record_is_of_another_file(vsdmot, folder, tmp_path):
    run, page = tmp_path / "mine.jsonl", tmp_path / "page.html"
    words = ["--tracker", "sort", "--detections", folder / "det.txt", "--conf", "0.2"]
    assert (
        vsdmot("track", folder / "clip.mp4", *words, "--jsonl", run, "--record", tmp_path / "mine.run.json").code == 0
    )
    words = ["report", run, "--source", folder / "clip.mp4", "-o", page, "--overwrite"]
    assert vsdmot(*words).code == 0
    text, _ = page_of(page)
    assert "<li>tracker: sort</li><li>detections: " in text
    assert "<li>conf: 0.2</li>" in text
    run.write_text("".join(run.read_text().splitlines(keepends=True)[:-1]))
    assert vsdmot(*words).code == 0
    text, _ = page_of(page)
    assert "mine.run.json beside it is the record of another file." in text
    assert "conf: 0.2" not in text
    (tmp_path / "mine.run.json").write_text("[]")
    outcome = vsdmot(*words)
    assert outcome.code == 2
    assert 'mine.run.json: expected the record of a run with "format": "vsdmot-run/1"' in outcome.err


def test_a_run_on_a_smaller_copy_is_judged_in_annotated_pixels(vsdmot, draw_sequence, tmp_path):
    """The same tracks, on the sequence and on a copy of half the size."""
    sequence = draw_sequence(tmp_path / "walk", num_frames=6)
    truth = (sequence / "gt" / "gt.txt").read_text().splitlines()
    rows = [line.split(",") for line in truth]
    large = "".join(f"{row[0]},{row[1]},{row[2]},{row[3]},{row[4]},{row[5]},0.9,-1,-1,-1\n" for row in rows)
    small = ""
    for frame, person, *box in (row[:6] for row in rows):
        left, top, width, height = (float(side) / 2 for side in box)
        small += f"{frame},{person},{left},{top},{width},{height},1,-1,-1,-1\n"
    (tmp_path / "large.txt").write_text(large)
    (tmp_path / "small.txt").write_text(small)
    with VideoWriter(tmp_path / "small.mp4", width=24, height=18, frame_rate=20) as writer:
        for frame in open_folder(sequence):
            writer.write(frame.image[::2, ::2], frame.time)
    outcome = vsdmot(
        "report", tmp_path / "large.txt", tmp_path / "small.txt", "--source", sequence, tmp_path / "small.mp4",
        "--gt", sequence, "-o", tmp_path / "page.html",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("HOTA 100.0") == 2
    _, data = page_of(tmp_path / "page.html")
    assert data["runs"][0]["boxes"] == data["runs"][1]["boxes"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gone.jsonl"], "gone.jsonl: no such file"),
        (["clip.mp4"], "clip.mp4: expected the tracks of a run (.jsonl or .mot.txt), this is a video: use --source"),
        (
            ["other.mot.txt"],
            "other.mot.txt: there is no video other.* beside it; say with --source which video it belongs to",
        ),
        (["nothing.jsonl"], "nothing.jsonl: expected tracks, the file holds neither boxes nor frames"),
        (["broken.jsonl"], "broken.jsonl:1: expected a JSON object, got [1, 2]"),
        (
            ["late.mot.txt", "--source", "clip.mp4"],
            "late.mot.txt: goes on to frame 900, but clip.mp4 has 30; say with --source which video the run belongs to",
        ),
        (["clip.jsonl", "--source", "gone.mp4"], "gone.mp4: no such file, folder or pattern"),
        (["clip.jsonl", "--gt", "gone.txt"], None),
        (["clip.jsonl", "--names", "a,b"], "--names: must be 1 name, got 2"),
        (
            ["clip.jsonl", "--source", "clip.mp4", "clip.mp4"],
            "--source: must be one video for all runs, or one for each of 1 run, got 2",
        ),
        ([], "RUNS: missing, and there is no default"),
        (["clip.jsonl", "--crf", "90"], "--crf: must be from 10 to 45, got 90"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(refused, folder, tmp_path, monkeypatch, words, expected):
    work = tmp_path / "work"
    shutil.copytree(folder, work)
    (work / "nothing.jsonl").write_text("")
    (work / "broken.jsonl").write_text("[1, 2]\n")
    (work / "late.mot.txt").write_text("900,1,2,3,4,5,1,-1,-1,-1\n")
    monkeypatch.chdir(work)
    line = refused("report", *words, "-o", "page.html")
    assert expected is None or line == expected
    assert not (work / "page.html").exists()


def test_a_page_that_exists_is_kept(refused, folder, tmp_path):
    (tmp_path / "page.html").write_text("mine")
    assert "page.html exists; add --overwrite" in refused("report", folder / "clip.jsonl", "-o", tmp_path / "page.html")
    assert "this is the source itself" in refused(
        "report", folder / "clip.jsonl", "-o", folder / "clip.jsonl", "--overwrite"
    )
    assert (tmp_path / "page.html").read_text() == "mine"


def test_ctrl_c_keeps_the_old_page_and_leaves_nothing_behind(vsdmot, folder, tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("mine")
    add, seen = Film.add, []

    def stop_at_the_fifth(self, frame):
        add(self, frame)
        seen.append(frame.index)
        if len(seen) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Film, "add", stop_at_the_fifth)
    assert vsdmot("report", folder / "clip.jsonl", "-o", tmp_path / "page.html", "--overwrite").code == 130
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "mine"


def test_ground_truth_of_several_sequences_goes_by_the_name_of_the_video(vsdmot, refused, folder, tmp_path):
    truths = tmp_path / "truths"
    truths.mkdir()
    for name in ("clip", "other"):
        shutil.copy(folder / "gt.txt", truths / f"{name}.gt.txt")
    words = ("report", folder / "clip.jsonl", "--gt", truths, "-o", tmp_path / "page.html")
    assert vsdmot(*words).code == 0
    (truths / "clip.gt.txt").rename(truths / "third.gt.txt")
    assert "expected the ground truth of one sequence, there are 2 (other, third)" in refused(*words, "--overwrite")


def test_each_video_is_read_once(tmp_path):
    runs = (tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl")
    sources = (tmp_path / "x.mp4", tmp_path / "y.mp4", tmp_path / "z" / ".." / "x.mp4")
    paths, video_of = videos_of_runs(runs, sources)
    assert (paths, video_of) == ([tmp_path / "x.mp4", tmp_path / "y.mp4"], [0, 1, 0])
