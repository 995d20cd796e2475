"""MOT text, JSON Lines and CSV of other programs: read as they mean it, or refused with file and line."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.exchange.csv_table import read_csv_tracks
from vsdmot.io.exchange.cvat_mot import read_cvat_mot_tracks
from vsdmot.io.exchange.json_lines import read_json_line_tracks, write_json_line_tracks
from vsdmot.io.exchange.losses import losses
from vsdmot.io.exchange.mot import read_mot_tracks, write_mot_tracks
from vsdmot.io.exchange.table import TableBuilder

# MOTChallenge text


@pytest.mark.parametrize(
    ("line", "score", "label", "considered", "visibility"),
    [
        ("1,7,1,2,3,4", math.nan, "person", True, math.nan),
        ("1,7,1,2,3,4,0.5", 0.5, "person", True, math.nan),
        ("1,7,1,2,3,4,-1,-1,-1,-1", math.nan, "person", True, math.nan),
        ("1,7,1,2,3,4,0,-1,-1,-1", 0.0, "person", True, math.nan),
        ("1,7,1,2,3,4,1,1,0.25", math.nan, "person", True, 0.25),
        ("1,7,1,2,3,4,0,3,1", math.nan, "car", False, 1.0),
        ("1,7,1,2,3,4,1,13,-1", math.nan, "crowd", True, math.nan),
        ("1,7,1,2,3,4,1,40,1", math.nan, "class_40", True, 1.0),
        # Trackers that write a score and -1, or a score and a class, into the columns of ground truth.
        ("1,7,1,2,3,4,0.5,-1,-1", 0.5, "person", True, math.nan),
        ("1,7,1,2,3,4,0.5,3,-1", 0.5, "car", True, math.nan),
    ],
)
def test_both_kinds_of_mot_text_are_told_apart(tmp_path, line, score, label, considered, visibility):
    path = tmp_path / "walk.txt"
    path.write_text(line + "\n")
    table = read_mot_tracks(path)
    assert table.boxes.tolist() == [[1, 2, 3, 4]]
    np.testing.assert_array_equal(table.scores, [score])
    np.testing.assert_array_equal(table.visibility, [visibility])
    assert (table.row_labels, table.considered.tolist()) == ([label], [considered])


def test_detections_are_no_tracks(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text("1,-1,1,2,3,4,0.5\n2,-1,1,2,3,4,0.5\n")
    with pytest.raises(FormatError, match="expected tracks, got detections: all 2 boxes have the id -1"):
        read_mot_tracks(path)
    path.write_text("1,-1,1,2,3,4,0.5\n2,5,1,2,3,4,0.5\n")
    table = read_mot_tracks(path)
    assert (table.ids.tolist(), table.notes) == ([5], ("1 box without a track (id -1) left out",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,7,1,2,3\n", ":1: expected at least 6 values"),
        ("1,7,1,2,3,4\n0,7,1,2,3,4\n", ":2: expected a frame number"),
        ("1,-2,1,2,3,4\n", ":1: expected an id that is whole and at least 0, got -2"),
        (
            "1,7,1,2,3,4\n1,7,1,2,3,4\n",
            ":2: expected each id at most once in a frame, got id 7 twice in frame 1, first:1",
        ),
        ("1,7,1,2,3,4,1,1.5,1\n", ":1: expected a class that is a whole number, got 1.5"),
        ("1,7,1,2,3,4,1,-4,1\n", ":1: expected a class of 0 or more, or -1 for none, got -4"),
        ("1,7,1,2,3,4,inf\n", ":1: expected a score and a visibility that are finite"),
        ("one\n", ":1: expected numbers"),
    ],
)
def test_broken_mot_text_is_refused(tmp_path, text, message):
    path = tmp_path / "walk.txt"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_mot_tracks(path)
    assert f"{path}{message}" in str(caught.value)


def test_labels_beside_the_file_name_its_classes(tmp_path):
    (tmp_path / "gt.txt").write_text("1,7,1,2,3,4,1,2,1\n")
    (tmp_path / "labels.txt").write_text("bag\nplayer\n")
    assert read_mot_tracks(tmp_path / "gt.txt").row_labels == ["player"]
    (tmp_path / "labels.txt").write_text("bag\n")
    with pytest.raises(FormatError, match=r":1: expected a class that labels.txt names \(1 to 1\), got 2"):
        read_mot_tracks(tmp_path / "gt.txt")
    (tmp_path / "labels.txt").write_text("bag\n\nplayer\n")
    with pytest.raises(FormatError, match=r"labels.txt:2: expected a label, got a blank line"):
        read_mot_tracks(tmp_path / "gt.txt")
    (tmp_path / "labels.txt").write_bytes(b"\xff")
    with pytest.raises(FormatError, match="expected UTF-8 text with one label per line"):
        read_mot_tracks(tmp_path / "gt.txt")


# CVAT "MOT 1.1"


def an_archive(folder: Path, **files: str) -> Path:
    path = folder / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_txt", ".txt"), text)
    return path


def test_an_archive_without_labels_has_the_classes_of_motchallenge(tmp_path):
    table = read_cvat_mot_tracks(an_archive(tmp_path, gt__gt_txt="1,7,1,2,3,4,1,3,1\n"))
    assert (table.name, table.row_labels) == ("task", ["car"])


def test_messages_name_the_member_and_its_line(tmp_path):
    with pytest.raises(FormatError) as caught:
        read_cvat_mot_tracks(an_archive(tmp_path, gt__gt_txt="1,7,1,2,3,4,1,3,1\n", gt__labels_txt="bag\n"))
    assert str(caught.value).startswith(f"{tmp_path / 'task.zip'}/gt/gt.txt:1: expected a class that labels.txt names")


def test_archives_that_are_hostile_or_hold_something_else_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"expected one gt.txt in the archive, got other.txt"):
        read_cvat_mot_tracks(an_archive(tmp_path, other_txt=""))
    with pytest.raises(FormatError, match=r"expected one gt.txt in the archive, got a/gt.txt, b/gt.txt"):
        read_cvat_mot_tracks(an_archive(tmp_path, a__gt_txt="", b__gt_txt=""))
    with pytest.raises(SourceError, match="would be unpacked outside the folder"):
        read_cvat_mot_tracks(an_archive(tmp_path, **{"..__gt_txt": ""}))
    path = an_archive(tmp_path, gt__gt_txt="1,7,1,2,3,4,1,3,1\n")
    path.write_bytes(path.read_bytes().replace(b"1,7,1", b"1,8,1"))
    with pytest.raises(SourceError, match="Bad CRC-32"):
        read_cvat_mot_tracks(path)


def test_texts_that_pack_well_are_read_but_none_that_would_fill_the_memory(tmp_path):
    lines = "".join(f"{frame},1,1,2,3,4,1,1,1\n" for frame in range(1, 2000))
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gt/gt.txt", lines + " " * 2_000_000)
    assert path.stat().st_size < len(lines + " " * 2_000_000) / 150
    assert len(read_cvat_mot_tracks(path)) == 1999
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("gt/gt.txt", "w") as file:
        for _ in range(257):
            file.write(b"\n" * 2**20)
    with pytest.raises(FormatError, match=r"expected at most 268435456 bytes in gt/gt.txt, it declares 269484032"):
        read_cvat_mot_tracks(path)


# JSON Lines


def a_line(**changes: object) -> str:
    track = {"id": 1, "box": [1, 2, 3, 4], "score": 0.5}
    whole = {"frame": 1, "time": 0.0, "quality": None, "semantic_weight": None, "num_proposals": 0, "tracks": [track]}
    return json.dumps(whole | changes) + "\n"


TRACK = {"id": 1, "box": [1, 2, 3, 4], "score": 0.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n", ":1: expected a JSON object, got '{\\n'"),
        ("[1]\n", ":1: expected a JSON object, got [1]"),
        (a_line() + a_line(), ":2: expected a frame after 1, got 1"),
        (a_line(frame=0), ":1: expected a frame after 0, got 0"),
        (a_line(frame="1"), ":1: expected frame that is a whole number, got '1'"),
        (a_line(time="now"), ":1: expected time that is a number or null, got 'now'"),
        (a_line(quality=0.5), ":1: expected quality that is an object or null, got 0.5"),
        (a_line(quality={"score": "good"}), ":1: expected score that is a number or null, got 'good'"),
        (a_line(num_proposals=1.5), ":1: expected num_proposals that is whole and at least 0, got 1.5"),
        (a_line(tracks=None), ":1: expected tracks that is a list of objects, got None"),
        (a_line(tracks=[TRACK | {"id": True}]), ":1: expected id that is a whole number, got True"),
        (a_line(tracks=[TRACK | {"box": [1, 2, 3]}]), ":1: expected box that is a list of 4 numbers, got [1, 2, 3]"),
        (a_line(tracks=[TRACK | {"box": [1, 2, 3, math.nan]}]), ":1: expected box that is a list of 4 numbers"),
        (a_line(tracks=[TRACK, TRACK]), ":1: expected each id at most once in a frame"),
    ],
)
def test_broken_lines_are_refused(tmp_path, text, message):
    path = tmp_path / "walk.jsonl"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_json_line_tracks(path)
    assert f"{path}{message}" in str(caught.value)


def test_a_last_line_that_was_cut_off_is_passed_over_and_told(tmp_path):
    path = tmp_path / "walk.jsonl"
    path.write_text(a_line() + a_line(frame=2)[:30])
    table = read_json_line_tracks(path)
    assert (len(table), table.notes) == (1, ("line 2 is cut off and left out",))


def test_json_lines_refuse_scores_that_they_do_not_hold(tmp_path):
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 1, (1, 2, 3, 4), score=17.5)
    with pytest.raises(FormatError, match=r"walk: JSON Lines hold scores from 0 to 1, got 17.5"):
        write_json_line_tracks(builder.build(name="walk"))


# CSV

HEADER = "frame,id,left,top,width,height"


def test_columns_may_come_in_any_order_and_more_of_them(tmp_path):
    path = tmp_path / "walk.csv"
    path.write_text('\ufeffid,frame,left,top,width,height,speed,label\r\n7.0,1,1,2,3,4,fast,"bag, red"\r\n\r\n')
    table = read_csv_tracks(path)
    assert (table.frames.tolist(), table.ids.tolist(), table.row_labels) == ([1], [7], ["bag, red"])
    assert table.notes == ("columns that no other format knows left out: speed",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: expected a header with the columns frame, id, left, top, width, height, got nothing"),
        ("1,7,1,2,3,4\n", ":1: expected a header with the columns"),
        (f"{HEADER},frame\n", ":1: expected each column once, got frame, id"),
        (f"{HEADER}\n1,7,1,2,3\n", ":2: expected 6 cells, as in the header, got 5"),
        (f"{HEADER}\n1,7,1,2,3,4\n1,8,1,2,3,wide\n", ":3: expected a number in the column height, got 'wide'"),
        (f"{HEADER}\n1,7,1,2,3,nan\n", ":2: expected a number in the column height, got 'nan'"),
        (f"{HEADER}\n1,7,1,2,3,1_0\n", ":2: expected a number in the column height, got '1_0'"),
        (f"{HEADER}\n1,7,1,2,3,\n", ":2: expected a number in the column height, got an empty cell"),
        (f"{HEADER}\n1,,1,2,3,4\n", ":2: expected an id for the box, got an empty cell"),
        (f"{HEADER}\n,7,1,2,3,4\n", ":2: expected a frame, got an empty cell"),
        (f"{HEADER}\n1,7.5,1,2,3,4\n", ":2: expected a whole number in the column id, got '7.5'"),
        (
            f"{HEADER},considered\n1,7,1,2,3,4,maybe\n",
            ":2: expected true or false in the column considered, got 'maybe'",
        ),
        (f"{HEADER},time\n1,7,1,2,3,4,0\n1,8,1,2,3,4,1\n", ":3: expected the values of frame 1 as before"),
        (f'{HEADER}\n"1,7,1,2,3,4\n', ":2: expected CSV, got unexpected end of data"),
    ],
)
def test_broken_csv_is_refused(tmp_path, text, message):
    path = tmp_path / "walk.csv"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_csv_tracks(path)
    assert f"{path}{message}" in str(caught.value)


def test_csv_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "walk.csv"
    path.write_bytes(f"{HEADER},label\n1,7,1,2,3,4,Fußgänger\n".encode("latin-1"))
    with pytest.raises(FormatError, match="expected UTF-8 text, got byte 0xdf"):
        read_csv_tracks(path)


# What is told


def test_each_kind_of_loss_is_one_line(tmp_path):
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 0, (1.0, 2.0, 3.0, 4.0), score=0.5, label="car", considered=False, visibility=0.5)
    builder.add("", 2, 1, (1.0, 2.0, 3.0, 4.0))
    table = builder.build(name="walk", size=(64, 48)).with_length(5)
    path = tmp_path / "walk.txt"
    path.write_bytes(write_mot_tracks(table))
    assert losses(table, read_mot_tracks(path), "text") == [
        "visibility of 1 box is not held by text",
        "the mark of 1 box that evaluation leaves out is not held by text",
        "labels of 1 box are not held by text",
        "the length of 5 frames is not held by text: it ends in frame 2",
        "the picture's size (64x48) is not held by text",
    ]
    path = tmp_path / "walk.jsonl"
    path.write_bytes(write_json_line_tracks(table))
    assert losses(table, read_json_line_tracks(path), "lines")[0] == "ids are raised by 1: lines counts them from 1"
