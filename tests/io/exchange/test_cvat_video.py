"""CVAT's XML: the documented structure is written, CVAT's own meaning is read, and hostile files are refused."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.exchange.cvat_video import write_cvat_video_tracks
from vsdmot.io.exchange.cvat_video_reader import read_cvat_video_tracks
from vsdmot.io.exchange.table import TableBuilder, TrackTable


def a_table() -> TrackTable:
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 7, (10.0, 20.0, 30.0, 40.0), score=0.5)
    builder.add("", 2, 7, (11.0, 20.0, 30.0, 40.0), visibility=0.25)
    builder.add("", 2, 9, (0.0, 0.0, 5.0, 5.0), label='a "car" & <more>', considered=False)
    return builder.build(name="walk", size=(640, 480)).with_length(4)


TASK = (
    "id", "name", "size", "mode", "overlap", "bugtracker", "flipped", "created", "updated", "labels", "segments",
    "owner", "original_size",
)  # fmt: skip
"""Elements of a task, as CVAT documents them ("XML annotation format", version 1.1), in this order."""


def test_the_structure_is_the_documented_one():
    root = ET.fromstring(write_cvat_video_tracks(a_table()))
    assert root.tag == "annotations"
    assert [child.tag for child in root] == ["version", "meta", "track", "track"]
    assert root.findtext("version") == "1.1"
    meta = root.find("meta")
    assert [child.tag for child in meta] == ["task", "dumped"]
    task = meta.find("task")
    assert tuple(child.tag for child in task) == TASK
    assert (task.findtext("name"), task.findtext("size"), task.findtext("mode")) == ("walk", "4", "interpolation")
    assert [child.tag for child in task.find("segments/segment")] == ["id", "start", "stop", "url"]
    assert task.findtext("segments/segment/stop") == "3"
    assert [(child.tag, child.text) for child in task.find("original_size")] == [("width", "640"), ("height", "480")]
    assert [label.findtext("name") for label in task.findall("labels/label")] == ["person", 'a "car" & <more>']
    for label in task.findall("labels/label"):
        assert [child.tag for child in label] == ["name", "type", "attributes"]
        for attribute in label.findall("attributes/attribute"):
            expected = ["name", "mutable", "input_type", "default_value", "values"]
            assert [child.tag for child in attribute] == expected
            assert attribute.findtext("input_type") in {"select", "checkbox", "radio", "number", "text"}


def test_tracks_and_boxes_have_the_documented_attributes():
    root = ET.fromstring(write_cvat_video_tracks(a_table()))
    first, second = root.findall("track")
    assert first.attrib == {"id": "7", "label": "person", "source": "auto"}
    assert second.get("label") == 'a "car" & <more>'
    for box in root.iter("box"):
        assert set(box.attrib) == {
            "frame", "outside", "occluded", "keyframe", "xtl", "ytl", "xbr", "ybr", "z_order",
        }  # fmt: skip
        assert box.get("keyframe") == "1"  # CVAT passes over all others when it reads
    assert first[0].attrib | {"frame": "0", "xtl": "10", "ytl": "20", "xbr": "40", "ybr": "60"} == first[0].attrib
    assert [(box.get("frame"), box.get("outside")) for box in first] == [("0", "0"), ("1", "0"), ("2", "1")]
    attributes = [[(one.get("name"), one.text) for one in box] for box in root.iter("box")]
    assert attributes[:2] == [[("score", "0.5"), ("ignored", "false")], [("visibility", "0.25"), ("ignored", "false")]]
    assert attributes[3] == [("ignored", "true")]


def test_a_track_that_lasts_to_the_end_needs_no_end():
    table = a_table()
    root = ET.fromstring(write_cvat_video_tracks(table))
    assert root.findall("track")[1][-1].get("outside") == "1"
    builder = TableBuilder(Path("x"))
    builder.add("", 2, 1, (0.0, 0.0, 5.0, 5.0))
    root = ET.fromstring(write_cvat_video_tracks(builder.build(name="x", size=(8, 8))))
    assert [box.get("outside") for box in root.iter("box")] == ["0"]


def test_a_track_with_two_labels_is_refused():
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 1, (0.0, 0.0, 5.0, 5.0), label="car")
    builder.add("", 2, 1, (0.0, 0.0, 5.0, 5.0), label="bus")
    with pytest.raises(FormatError, match="one label for each track, track 1 has bus, car"):
        write_cvat_video_tracks(builder.build(name="x", size=(8, 8)))


def test_a_video_that_could_not_be_read_back_is_not_written():
    builder = TableBuilder(Path("x"))
    builder.add("", 1_000_001, 1, (0.0, 0.0, 5.0, 5.0))
    with pytest.raises(FormatError, match="expected at most 1000000 frames for CVAT's XML, got 1000001"):
        write_cvat_video_tracks(builder.build(name="x", size=(8, 8)))


def test_a_name_that_cannot_be_printed_does_no_harm(tmp_path):
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 1, (0.0, 0.0, 5.0, 5.0))
    path = tmp_path / "x.xml"
    path.write_bytes(write_cvat_video_tracks(builder.build(name="a\0b\udcffc", size=(8, 8))))
    assert read_cvat_video_tracks(path).name == "a?b?c"


# Reading


def a_box(frame: int, left: float = 1, *, outside: int = 0, more: str = "", inner: str = "") -> str:
    return (
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="{left}" ytl="2" xbr="{left + 3}" '
        f'ybr="5" {more}>{inner}</box>'
    )


def a_file(folder: Path, *boxes: str, meta: str = "<size>6</size>", head: str = "") -> Path:
    path = folder / "some.xml"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f"{head}<annotations>",
        f"<meta><task><name>shop</name>{meta}</task></meta>",
        '<track id="0" label="person">',
        *boxes,
        "</track></annotations>",
    ]
    path.write_text("\n".join(lines))
    return path


def rows(table: TrackTable) -> list[tuple[int, float]]:
    return list(zip(table.frames.tolist(), table.boxes[:, 0].tolist(), strict=True))


def test_cvat_draws_between_keyframes_and_on_to_the_end_and_that_is_told(tmp_path):
    table = read_cvat_video_tracks(a_file(tmp_path, a_box(0, 1), a_box(3, 4), a_box(4, 9)))
    assert rows(table) == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 9), (6, 9)]
    assert table.notes == ("3 boxes between and after keyframes added, as CVAT draws them",)
    assert (table.name, table.length, table.size) == ("shop", 6, None)


def test_a_box_outside_stops_the_drawing(tmp_path):
    table = read_cvat_video_tracks(
        a_file(tmp_path, a_box(0, 1), a_box(2, 4, outside=1), a_box(4, 9), a_box(5, outside=1))
    )
    assert rows(table) == [(1, 1), (2, 1), (5, 9)]


def test_a_task_of_every_second_frame_has_no_boxes_between(tmp_path):
    meta = "<size>3</size><start_frame>0</start_frame><stop_frame>5</stop_frame><frame_filter>step=2</frame_filter>"
    table = read_cvat_video_tracks(a_file(tmp_path, a_box(0, 1), a_box(2, 4), meta=meta))
    assert rows(table) == [(1, 1), (3, 4), (5, 4)]
    assert table.known_frames.tolist() == [1, 3, 5]


def test_other_shapes_and_occlusion_are_told(tmp_path):
    path = a_file(tmp_path, a_box(5).replace('occluded="0"', 'occluded="1"'), '<polygon frame="1" points="1,2"/>')
    assert read_cvat_video_tracks(path).notes == ("1 mark of an occluded box left out", "1 <polygon> left out")


def test_the_archive_of_cvat_is_read_without_unpacking_its_images(tmp_path):
    xml = a_file(tmp_path, a_box(5, 7)).read_bytes()
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations.xml", xml)
        archive.writestr("images/frame_000000.png", b"no picture")
    assert rows(read_cvat_video_tracks(path)) == [(6, 7)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations.xml", xml[:-20])
    with pytest.raises(FormatError, match=r"task.zip/annotations.xml:\d+: expected XML, unclosed token"):
        read_cvat_video_tracks(path)
    path.write_bytes(path.read_bytes().replace(b"person", b"persom"))
    with pytest.raises(SourceError, match="Bad CRC-32"):
        read_cvat_video_tracks(path)


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n'
SECRET = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>\n'


@pytest.mark.parametrize("head", [LAUGHS, SECRET, "<!DOCTYPE annotations>\n"])
def test_document_types_are_refused_before_anything_is_expanded(tmp_path, head):
    with pytest.raises(FormatError, match=r"some.xml:2: expected XML without a document type, got DOCTYPE"):
        read_cvat_video_tracks(a_file(tmp_path, a_box(0, inner='<attribute name="x">&b;</attribute>'), head=head))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (a_box(0).replace("xtl", "x"), ":5: expected the attribute xtl, got frame, outside"),
        (a_box(0).replace('ytl="2"', 'ytl="two"'), ":5: expected ytl that is a number, got 'two'"),
        (a_box(0).replace('ytl="2"', 'ytl="nan"'), ":5: expected ytl that is a number, got 'nan'"),
        (a_box(0).replace('frame="0"', 'frame="0.5"'), ":5: expected frame that is a whole number, got 0.5"),
        (a_box(-1), ":5: expected a frame from 0 to 999999, got -1"),
        (a_box(10**7), ":5: expected a frame from 0 to 999999, got 10000000"),
        (
            a_box(0) + "\n" + a_box(0),
            ":6: expected each id at most once in a frame, got id 0 twice in frame 1, first:5",
        ),
        (a_box(0, inner='<attribute name="score">high</attribute>'), "expected the attribute score to be a number"),
        (
            a_box(0, inner='<attribute name="score">inf</attribute>'),
            "expected a score and a visibility that are finite",
        ),
        ("</track><track id='0' label='person'>", ":5: expected each track id once, got 0"),
        ("</track><track id='1'>", ":5: expected the attribute label, got id"),
        ("</track><image id='0'/><track id='1' label='x'>", 'expected "CVAT for video 1.1", got <image>'),
        ("</box>", ":5: expected XML, mismatched tag"),
    ],
)
def test_broken_boxes_are_refused_with_their_line(tmp_path, box, message):
    with pytest.raises(FormatError) as caught:
        read_cvat_video_tracks(a_file(tmp_path, box))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", ["-1", "many", "99999999", "1000001"])
def test_a_size_that_is_no_number_of_frames_is_refused(tmp_path, size):
    with pytest.raises(FormatError, match="expected a number of frames up to 1000000 in <size>"):
        read_cvat_video_tracks(a_file(tmp_path, a_box(0), meta=f"<size>{size}</size>"))


def test_a_small_file_cannot_ask_for_endless_boxes(tmp_path):
    tracks = "".join(f'</track><track id="{number}" label="x">{a_box(0)}' for number in range(1, 9))
    with pytest.raises(FormatError, match="expected at most 1000000 boxes between keyframes"):
        read_cvat_video_tracks(a_file(tmp_path, tracks, meta="<size>1000000</size>"))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "expected XML, no element found"),
        (b"plain text", "expected XML, syntax error"),
        (b"<html/>", "expected CVAT's <annotations>, got <html>"),
        (b'<?xml version="1.0" encoding="klingon"?><annotations/>', "expected XML"),
        (b"<annotations>\xff</annotations>", "expected XML, not well-formed"),
    ],
)
def test_what_is_no_xml_of_cvat_is_refused(tmp_path, contents, message):
    path = tmp_path / "some.xml"
    path.write_bytes(contents)
    with pytest.raises(FormatError) as caught:
        read_cvat_video_tracks(path)
    assert message in str(caught.value)


def test_deep_nesting_is_refused(tmp_path):
    path = tmp_path / "some.xml"
    path.write_bytes(b"<annotations>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</annotations>")
    with pytest.raises(FormatError, match=":1: expected at most 50 elements inside each other, got <a>"):
        read_cvat_video_tracks(path)


def test_other_encodings_are_read(tmp_path):
    path = tmp_path / "some.xml"
    text = a_file(tmp_path, a_box(5)).read_text().replace("utf-8", "utf-16").replace("person", "Fußgänger")
    path.write_bytes(text.encode("utf-16"))
    assert read_cvat_video_tracks(path).labels == ("Fußgänger",)
    assert io.BytesIO(path.read_bytes()).read(2) in (b"\xff\xfe", b"\xfe\xff")
