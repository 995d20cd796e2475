"""``vsdmot convert``: every flag, what is told, and the mistakes that people make."""

from __future__ import annotations

import csv
import json
import resource
import shutil
import zipfile
from pathlib import Path

import pytest

RESULTS = "".join(
    f"{frame},{person},{20 * person + frame}.5,10.25,10,30,0.{person}5,-1,-1,-1\n"
    for frame in range(1, 5)
    for person in (1, 2)
)


@pytest.fixture
def tracks(tmp_path) -> Path:
    path = tmp_path / "walk.mot.txt"
    path.write_text(RESULTS)
    return path


def boxes_of(xml: str) -> list[str]:
    return [line.strip() for line in xml.splitlines() if "<box" in line]


# The formats


def test_suffixes_decide_and_nothing_is_lost_where_nothing_must_be(vsdmot, tracks, tmp_path):
    for source, output, title in (
        ("walk.mot.txt", "a.jsonl", "MOTChallenge text to JSON Lines"),
        ("a.jsonl", "b.csv", "JSON Lines to CSV"),
        ("b.csv", "c.txt", "CSV to MOTChallenge text"),
    ):
        outcome = vsdmot("convert", tmp_path / source, "--output", tmp_path / output)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith(f"8 boxes of 2 tracks in 4 frames: {title}\n")
        assert str(tmp_path / output) in outcome.out
    assert (tmp_path / "c.txt").read_text() == RESULTS


def test_what_cvat_cannot_hold_is_told_a_line_each(vsdmot, tracks, tmp_path):
    archive = tmp_path / "walk.zip"
    outcome = vsdmot("convert", tracks, "-o", archive)
    assert outcome.err.splitlines() == [
        f'note: {archive}: score of 8 boxes is not held by CVAT "MOT 1.1"',
        f'note: {archive}: visibility of 8 boxes is not known; CVAT "MOT 1.1" holds 1',
    ]
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("gt/labels.txt") == b"person\n"
        assert packed.read("gt/gt.txt").decode().splitlines()[0] == "1,1,21.5,10.25,10,30,1,1,1"


def test_quality_is_lost_everywhere_but_in_json_lines_and_tables(vsdmot, clip_folder, tmp_path):
    shutil.copy(clip_folder / "clip.mp4", tmp_path)
    vsdmot("track", tmp_path / "clip.mp4", "--tracker", "sort", "--detections", clip_folder / "det.txt")
    source = tmp_path / "clip.jsonl"
    outcome = vsdmot("convert", source, "-o", tmp_path / "clip.csv")
    assert outcome.err == ""
    with (tmp_path / "clip.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["frame"] for row in rows} == {str(frame) for frame in range(1, 31)}
    assert all(0 < float(row["quality"]) < 1 for row in rows)
    outcome = vsdmot("convert", tmp_path / "clip.csv", "-o", tmp_path / "back.jsonl")
    before, after = ([json.loads(line) for line in path.open()] for path in (source, tmp_path / "back.jsonl"))
    for line in before:
        line["tracks"].sort(key=lambda track: track["id"])
    assert after == before
    outcome = vsdmot("convert", source, "-o", tmp_path / "clip.txt")
    assert "time, quality, clarity, noise, contrast, num_proposals of 30 frames not held by" in outcome.err


def test_cvat_counts_frames_from_0_and_is_told_where_tracks_pause_and_end(vsdmot, tmp_path):
    tracks, xml = tmp_path / "walk.txt", tmp_path / "walk.xml"
    tracks.write_text("1,7,10,20,30,40,0.5,-1,-1,-1\n3,7,11,20,30,40,0.75,-1,-1,-1\n")
    words = ("--size", "640x480", "--length", "5", "--name", "walk & talk", "--label", "player")
    outcome = vsdmot("convert", tracks, "-o", xml, *words)
    assert (outcome.code, outcome.err) == (0, "")
    text = xml.read_text()
    assert "<name>walk &amp; talk</name>" in text
    assert '<track id="7" label="player" source="auto">' in text
    assert [(box.split()[1], box.split()[2], box.split()[5]) for box in boxes_of(text)] == [
        ('frame="0"', 'outside="0"', 'xtl="10"'),
        ('frame="1"', 'outside="1"', 'xtl="10"'),
        ('frame="2"', 'outside="0"', 'xtl="11"'),
        ('frame="3"', 'outside="1"', 'xtl="11"'),
    ]
    vsdmot("convert", xml, "-o", tmp_path / "back.txt")
    assert (tmp_path / "back.txt").read_text() == tracks.read_text()


def test_a_sequence_tells_its_size_length_and_name(vsdmot, draw_sequence, tmp_path):
    sequence = draw_sequence(tmp_path / "MOT17-02", num_frames=3)
    for source in (sequence, sequence / "gt" / "gt.txt"):
        outcome = vsdmot("convert", source, "-o", tmp_path / "out.xml", "--overwrite")
        assert outcome.code == 0, outcome.err
        text = (tmp_path / "out.xml").read_text()
        assert "<name>MOT17-02</name>" in text
        assert "<size>3</size>" in text
        assert "<original_size><width>48</width><height>36</height></original_size>" in text


def test_ground_truth_of_cvat_becomes_ground_truth_again(vsdmot, cvat_export, tmp_path):
    outcome = vsdmot("convert", cvat_export, "-o", tmp_path / "gt.txt")
    assert (outcome.code, outcome.err) == (0, "")
    lines = (tmp_path / "gt.txt").read_text().splitlines()
    assert lines[0] == "1,1,6,8,9,22,1,1,1"
    outcome = vsdmot("eval", "--gt", cvat_export, "--pred", tmp_path / "gt.txt", "--columns", "HOTA")
    assert "100.00" in outcome.out


def test_formats_can_be_named(vsdmot, tracks, tmp_path):
    odd = tmp_path / "walk.out"
    assert vsdmot("convert", tracks, "-o", odd, "--to", "csv").code == 0
    assert odd.read_text().startswith("frame,id,left,top,width,height,score\n")
    assert vsdmot("convert", odd, "--from", "csv", "-o", tmp_path / "back.txt").code == 0
    assert (tmp_path / "back.txt").read_text() == RESULTS
    packed = tmp_path / "task.zip"
    assert vsdmot("convert", tracks, "-o", packed, "--to", "cvat-video", "--size", "64x48").code == 0
    assert zipfile.ZipFile(packed).namelist() == ["annotations.xml"]
    assert vsdmot("convert", packed, "-o", tmp_path / "again.txt").code == 0
    assert (tmp_path / "again.txt").read_text() == RESULTS


def test_coco_and_parquet_give_back_what_they_were_given(vsdmot, tracks, tmp_path):
    words = ("--size", "640x480")
    assert vsdmot("convert", tracks, "-o", tmp_path / "walk.json", *words).err == ""
    assert vsdmot("convert", tmp_path / "walk.json", "-o", tmp_path / "walk.parquet").err == ""
    outcome = vsdmot("convert", tmp_path / "walk.parquet", "-o", tmp_path / "back.txt")
    assert outcome.out.startswith("8 boxes of 2 tracks in 4 frames: Parquet to MOTChallenge text\n")
    assert (tmp_path / "back.txt").read_text() == RESULTS


def test_the_name_chooses_among_videos(vsdmot, refused, tracks, tmp_path):
    path, output = tmp_path / "walk.json", tmp_path / "walk.txt"
    vsdmot("convert", tracks, "-o", path, "--size", "640x480")
    record = json.loads(path.read_text())
    record["videos"].append({"id": 2, "name": "shop"})
    path.write_text(json.dumps(record))
    assert "expected one video, or --name to say which, got walk, shop" in refused("convert", path, "-o", output)
    assert vsdmot("convert", path, "-o", output, "--name", "walk").out.startswith("8 boxes")
    assert vsdmot("convert", path, "-o", output, "--name", "shop", "--overwrite").out.startswith("0 boxes")


def test_settings_may_come_from_a_file(vsdmot, tracks, tmp_path):
    (tmp_path / "how.yaml").write_text(f"output: {tmp_path / 'x.out'}\nto: jsonl\nfrom_: mot\n")
    assert vsdmot("convert", tracks, "--config", tmp_path / "how.yaml").code == 0
    assert json.loads((tmp_path / "x.out").read_text().splitlines()[0])["frame"] == 1


def test_converted_json_lines_can_be_scored(vsdmot, clip_folder, tmp_path):
    vsdmot("convert", clip_folder / "gt.txt", "-o", tmp_path / "clip.jsonl")
    outcome = vsdmot("eval", "--gt", clip_folder / "gt.txt", "--pred", tmp_path / "clip.jsonl", "--columns", "HOTA")
    assert outcome.code == 0, outcome.err
    assert "100.00" in outcome.out


# Mistakes


def test_an_output_that_exists_is_kept_without_overwrite_and_the_source_always(refused, vsdmot, tracks, tmp_path):
    output = tmp_path / "walk.csv"
    output.write_text("mine")
    assert refused("convert", tracks, "-o", output) == f"{output} exists; add --overwrite to replace it"
    assert output.read_text() == "mine"
    assert vsdmot("convert", tracks, "-o", output, "--overwrite").code == 0
    assert output.read_text() != "mine"
    assert "this is the source itself" in refused("convert", tracks, "-o", tracks, "--overwrite")
    assert tracks.read_text() == RESULTS


def test_a_size_that_nobody_knows_is_asked_for(refused, tracks, tmp_path):
    message = refused("convert", tracks, "-o", tmp_path / "walk.xml")
    assert message == f'"CVAT for video 1.1" holds the picture\'s size, which {tracks} does not say: --size 1920x1080'
    assert not (tmp_path / "walk.xml").exists()
    message = refused("convert", tracks, "-o", tmp_path / "walk.xml", "--size", "0x7")
    assert message == "--size: must be WIDTHxHEIGHT, such as 1920x1080, got '0x7'"


def test_a_format_that_nobody_knows_is_asked_for(refused, tracks, tmp_path):
    assert "-o must end in .txt, .jsonl" in refused("convert", tracks, "-o", tmp_path / "walk.doc")
    other = tmp_path / "walk.dat"
    other.write_text(RESULTS)
    assert "say which with --from" in refused("convert", other, "-o", tmp_path / "walk.csv")
    assert "no such file" in refused("convert", tmp_path / "none.txt", "-o", tmp_path / "walk.csv")
    assert "no such file" in refused("convert", tmp_path / "none", "--from", "csv", "-o", tmp_path / "walk.csv")
    assert "expected a file of tracks" in refused("convert", tmp_path, "-o", tmp_path / "walk.csv")
    assert "this is a folder" in refused("convert", tmp_path, "--from", "csv", "-o", tmp_path / "walk.csv")
    assert "expected a zip archive" in refused("convert", other, "--from", "cvat-mot", "-o", tmp_path / "walk.csv")
    assert "--to" in refused("convert", other, "--to", "excel", "-o", tmp_path / "walk.csv")


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--length", "3", "expected at most 3 frames, as --length says, got 4"),
        ("--length", "0", "--length: must be at least 1"),
        ("--name", " ", "--name: must be a text that can be printed"),
        ("--label", "a\nb", "--label: must be a text that can be printed"),
    ],
)
def test_flags_are_checked(refused, tracks, tmp_path, flag, value, message):
    assert message in refused("convert", tracks, "-o", tmp_path / "walk.csv", flag, value)
    assert not (tmp_path / "walk.csv").exists()


def test_a_full_disk_leaves_nothing_behind(refused, tmp_path):
    tracks = tmp_path / "walk.txt"
    tracks.write_text("".join(f"{frame},1,1,2,3,4,0.5,-1,-1,-1\n" for frame in range(1, 3000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        message = refused("convert", tracks, "-o", tmp_path / "walk.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert message == f"{tmp_path / 'walk.csv'}: cannot be written: File too large"
    assert [path.name for path in tmp_path.iterdir()] == ["walk.txt"]
