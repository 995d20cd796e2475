"""``vsdmot compare``: every flag, and the mistakes that people make."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from vsdmot.io.sources import open_source
from vsdmot.io.video_writer import VideoWriter


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clip_folder) -> Path:
    """The clip with runs of SORT and OC-SORT, and a copy of half the size with a run of its own."""
    from vsdmot.cli.main import main

    folder = tmp_path_factory.mktemp("compare")
    for name in ("clip.mp4", "gt.txt", "det.txt"):
        shutil.copy(clip_folder / name, folder / name)
    words = ["track", str(folder / "clip.mp4"), "--detections", str(folder / "det.txt")]
    assert main([*words, "--tracker", "sort", "--jsonl", str(folder / "clip.jsonl")]) == 0
    assert main([*words, "--tracker", "ocsort", "--mot", str(folder / "other.mot.txt")]) == 0
    with (
        open_source(folder / "clip.mp4") as source,
        VideoWriter(folder / "half.mp4", width=80, height=48, frame_rate=25.0) as writer,
    ):
        for frame in source:
            writer.write(np.ascontiguousarray(frame.image[::2, ::2]), frame.time)
    rows = []
    for line in (folder / "other.mot.txt").read_text().splitlines():
        cells = line.split(",")
        rows.append(",".join([*cells[:2], *(str(float(side) / 2) for side in cells[2:6]), *cells[6:]]))
    (folder / "half.mot.txt").write_text("\n".join(rows) + "\n")
    return folder


def runs(folder):
    return folder / "clip.jsonl", folder / "other.mot.txt"


def shape_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, stream.frames, stream.codec_context.name


def test_a_video_and_a_strip_come_out_and_it_is_said_what_they_show(vsdmot, folder, tmp_path):
    side, strip, ids = tmp_path / "side.mp4", tmp_path / "strip.png", tmp_path / "ids.csv"
    outcome = vsdmot(
        "compare", *runs(folder), "--source", folder / "clip.mp4", "--gt", folder / "gt.txt", "--names", "SORT,OC-SORT",
        "-o", side, "--strip", strip, "--ids", ids,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert re.search(r"^SORT: \d+ tracks, HOTA \d+\.\d, \d+ ID switch", outcome.out, re.MULTILINE)
    assert re.search(r"^the strip shows frames \d+(, \d+){4}$", outcome.out, re.MULTILINE)
    assert all(str(path) in outcome.out for path in (side, strip, ids))
    width, height, frames, codec = shape_of(side)
    assert (width, frames, codec) == (2 * 160 + 4, 30, "h264")
    assert height > 96
    with PIL.Image.open(strip) as picture:
        assert picture.width == 5 * 324 - 4
        assert picture.height == 26 + 2 * (192 + 28)
    rows = list(csv.DictReader(ids.open()))
    assert {row["run"] for row in rows} == {"SORT", "OC-SORT"}
    for name in ("SORT", "OC-SORT"):
        numbers = [int(row["number"]) for row in rows if row["run"] == name]
        assert len(set(numbers)) == len(numbers)
        assert min(numbers) >= 1


def test_scores_are_those_of_eval(vsdmot, folder, tmp_path):
    words = ["--source", folder / "clip.mp4", "--gt", folder / "gt.txt", "--strip", tmp_path / "s.png"]
    out = vsdmot("compare", *runs(folder), *words).out
    for path in runs(folder):
        table = vsdmot(
            "eval", "--gt", folder / "gt.txt", "--pred", path, "--decimals", "1", "--columns", "HOTA,IDSW"
        ).out
        hota, switches = re.search(r"^\S+ +(\d+\.\d) +(\d+)$", table, re.MULTILINE).groups()
        assert re.search(rf"HOTA {hota}, {switches} ID switch", out), (out, table)


def test_frames_that_are_named_are_shown_and_those_that_are_not_there_are_told(vsdmot, refused, folder, tmp_path):
    base = ["compare", *runs(folder), "--source", folder / "clip.mp4"]
    outcome = vsdmot(*base, "--strip", tmp_path / "a.jpg", "--frames", "20,5,99", "--cell-width", "100")
    assert outcome.code == 0
    assert "the strip shows frames 5, 20" in outcome.out
    assert "1 moment of the strip not in the video: 99" in outcome.err
    with PIL.Image.open(tmp_path / "a.jpg") as picture:
        assert picture.width == 2 * 104 - 4
    told = refused(*base, "--strip", tmp_path / "b.png", "--frames", "99")
    assert told == "--frames: none of 99 is in the video"
    assert not (tmp_path / "b.png").exists()


def test_columns_panel_height_and_crf_change_what_is_written(vsdmot, folder, tmp_path):
    base = ["compare", *runs(folder), "--source", folder / "clip.mp4", "--overwrite", "-o", tmp_path / "side.mp4"]
    assert vsdmot(*base, "--strip", tmp_path / "s.png", "--columns", "3", "--panel-height", "48").code == 0
    with PIL.Image.open(tmp_path / "s.png") as picture:
        assert picture.width == 3 * 324 - 4
    assert shape_of(tmp_path / "side.mp4")[0] == 2 * 80 + 4
    sizes = []
    for crf in ("12", "40"):
        assert vsdmot(*base, "--crf", crf).code == 0
        sizes.append((tmp_path / "side.mp4").stat().st_size)
    assert sizes[1] < sizes[0] / 2


def test_a_smaller_copy_is_compared_with_its_original(vsdmot, folder, tmp_path):
    outcome = vsdmot(
        "compare", folder / "other.mot.txt", folder / "half.mot.txt", "--source", folder / "clip.mp4",
        folder / "half.mp4", "--output", tmp_path / "side.mp4", "--strip", tmp_path / "strip.png",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    # The second run is the first, scaled: everybody is the same person, so nothing differs.
    tracks, same = re.search(r"half: (\d+) tracks, (\d+) of them as in other", outcome.out).groups()
    assert tracks == same
    assert "the runs do not differ; the strip shows moments at even distances" in outcome.err
    assert shape_of(tmp_path / "side.mp4")[0] == 2 * 160 + 4


def test_videos_are_found_beside_the_runs_and_settings_in_a_file(vsdmot, refused, folder, tmp_path):
    (tmp_path / "c.yaml").write_text(f"strip: {tmp_path / 's.png'}\ncolumns: 2\n")
    words = ["compare", folder / "clip.jsonl", folder / "half.mot.txt", "--config", tmp_path / "c.yaml"]
    assert vsdmot(*words).code == 0
    assert refused(*words) == f"{tmp_path / 's.png'} exists; add --overwrite to replace it"
    assert "there is no video other.* beside it" in refused("compare", *runs(folder), "-o", tmp_path / "x.mp4")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{run}"], "at least two files"),
        (["{run}", "{run}"], "nothing else is written"),
        (["{run}", "{other}", "--strip", "s.pdf"], "an image, such as strip.png"),
        (["{run}", "{other}", "-o", "a.mp4", "--frames", "3"], "--frames is for the strip"),
        (["{run}", "{other}", "--strip", "s.png", "--frames", "0"], "frames, from 1 on"),
        (["{run}", "{other}", "-o", "a.mp4", "--strip", "a.mp4"], "an image, such as strip.png"),
        (["{run}", "{other}", "--strip", "a.png", "--ids", "a.png"], "must name different files"),
        (["{run}", "{other}", "-o", "a.mp4", "--names", "one"], "names: must be 2 names, got 1"),
        (["{run}", "{other}", "{run}", "-o", "a.mp4", "--source", "{clip}", "{clip}"], "one for each of 3 runs"),
        (["{run}", "{clip}", "-o", "a.mp4"], "expected the tracks of a run"),
        (["{run}", "nowhere.jsonl", "-o", "a.mp4"], "no such file"),
        (["{run}", "{other}", "-o", "{clip}", "--source", "{clip}", "--overwrite"], "this is the source itself"),
    ],
)
def test_mistakes_are_told_in_a_line(refused, folder, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    places = {"run": folder / "clip.jsonl", "other": folder / "other.mot.txt", "clip": folder / "clip.mp4"}
    assert told in refused("compare", *(word.format(**places) for word in words))


def test_ctrl_c_leaves_a_video_that_plays(vsdmot, folder, tmp_path, monkeypatch):
    from vsdmot.cli import compare as verb

    def interrupted(items):
        for number, item in enumerate(items):
            if number == 12:
                raise KeyboardInterrupt
            yield item

    monkeypatch.setattr(verb, "until_stopped", interrupted)
    base = ["compare", *runs(folder), "--source", folder / "clip.mp4"]
    assert vsdmot(*base, "-o", tmp_path / "side.mp4", "--strip", tmp_path / "s.png").code == 130
    assert shape_of(tmp_path / "side.mp4")[2] == 12
    assert not (tmp_path / "s.png").exists()
