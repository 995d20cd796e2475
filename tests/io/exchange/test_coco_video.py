"""COCO for video: pycocotools opens what is written, and what others write is read or refused with its place."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vsdmot.errors import FormatError
from vsdmot.io.exchange.coco_video import read_coco_tracks, write_coco_tracks
from vsdmot.io.exchange.table import TableBuilder, TrackTable


def a_table() -> TrackTable:
    builder = TableBuilder(Path("x"))
    builder.add("", 1, 7, (10.0, 20.0, 30.0, 40.0), score=0.5)
    builder.add("", 3, 7, (11.0, 20.0, 30.0, 40.0), score=0.75)
    builder.add("", 3, 9, (100.0, 20.0, 30.0, 40.0), label="car", considered=False)
    return builder.build(name="walk", size=(640, 480)).with_length(4)


def test_pycocotools_reads_it_and_scores_it_against_itself(tmp_path):
    path = tmp_path / "walk.json"
    path.write_bytes(write_coco_tracks(a_table()))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
        assert len(coco.getImgIds()) == 4
        assert [image["frame_id"] for image in coco.loadImgs(coco.getImgIds())] == [0, 1, 2, 3]
        assert {category["name"] for category in coco.loadCats(coco.getCatIds())} == {"person", "car"}
        (first,) = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
        assert (first["bbox"], first["instance_id"], first["area"]) == ([10, 20, 30, 40], 7, 1200)
        boxes = [[1, 10, 20, 30, 40, 0.9, 1], [3, 11, 20, 30, 40, 0.9, 1]]
        import numpy as np

        scores = COCOeval(coco, coco.loadRes(np.array(boxes)), "bbox")
        scores.params.catIds = [1]
        scores.evaluate()
        scores.accumulate()
        scores.summarize()
    assert scores.stats[0] == pytest.approx(1)


def test_every_image_and_video_has_the_size():
    record = json.loads(write_coco_tracks(a_table()))
    for item in (*record["videos"], *record["images"]):
        assert (item["width"], item["height"]) == (640, 480)
    assert record["images"][2]["file_name"] == "walk/img1/000003.jpg"
    assert [annotation["iscrowd"] for annotation in record["annotations"]] == [0, 0, 1]


def test_a_video_whose_first_frame_nobody_knows_is_read_back_as_it_was(tmp_path):
    builder = TableBuilder(Path("x"))
    builder.add("", 2, 1, (1.0, 2.0, 3.0, 4.0))
    builder.add_frame("", 2)
    path = tmp_path / "walk.json"
    path.write_bytes(write_coco_tracks(builder.build(name="walk", size=(64, 48))))
    table = read_coco_tracks(path)
    assert (table.frames.tolist(), table.notes) == ([2], ())


def a_record(**changes: object) -> dict:
    return {
        "videos": [{"id": 1, "name": "a"}],
        "images": [{"id": 10, "video_id": 1, "frame_id": 0}, {"id": 11, "video_id": 1, "frame_id": 1}],
        "annotations": [{"id": 1, "image_id": 11, "category_id": 1, "track_id": 4, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "person"}],
        **changes,
    }


def read(tmp_path: Path, record: object, **options: str) -> TrackTable:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(record))
    return read_coco_tracks(path, **options)


def test_the_size_is_taken_from_the_video_or_its_images_or_is_not_known(tmp_path):
    assert read(tmp_path, a_record()).size is None
    image = {"id": 11, "video_id": 1, "frame_id": 1, "width": 64, "height": 48}
    assert read(tmp_path, a_record(images=[image])).size == (64, 48)
    video = {"id": 1, "name": "a", "width": 32, "height": 24}
    assert read(tmp_path, a_record(images=[image], videos=[video])).size == (32, 24)


@pytest.mark.parametrize(
    ("numbers", "frame", "note"),
    [
        ((0, 1), 2, None),
        ((1, 2), 2, "the first image has frame_id 1; frames are taken as counted from 1"),
        ((5, 6), 7, "the first image has frame_id 5; frames are taken as counted from 0"),
    ],
)
def test_frames_count_from_0_or_from_1(tmp_path, numbers, frame, note):
    images = [{"id": 10 + place, "video_id": 1, "frame_id": number} for place, number in enumerate(numbers)]
    table = read(tmp_path, a_record(images=images))
    assert table.frames.tolist() == [frame]
    assert list(table.notes) == ([note] if note else [])


def test_one_of_several_videos_is_chosen_by_name(tmp_path):
    record = a_record(videos=[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    with pytest.raises(FormatError, match="expected one video, or --name to say which, got a, b"):
        read(tmp_path, record)
    assert len(read(tmp_path, record, video="a")) == 1
    assert len(read(tmp_path, record, video="b")) == 0
    with pytest.raises(FormatError, match="got a, b"):
        read(tmp_path, record, video="c")


def test_boxes_without_a_track_are_left_out_and_told_but_not_all_of_them(tmp_path):
    lone = {"id": 2, "image_id": 10, "category_id": 1, "bbox": [1, 2, 3, 4]}
    table = read(tmp_path, a_record(annotations=[*a_record()["annotations"], lone]))
    assert (len(table), table.notes) == (1, ("1 box without a track left out",))
    with pytest.raises(FormatError, match="expected boxes with instance_id or track_id, got 1 box without"):
        read(tmp_path, a_record(annotations=[lone]))


BOX = a_record()["annotations"][0]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([1, 2], "expected COCO for video, .* got list"),
        ({"images": [], "annotations": []}, "got images, annotations"),
        (a_record(videos=[]), "expected one video"),
        (a_record(videos=[{"name": "a"}]), r"videos\[0\]: expected id that is a whole number, got None"),
        (a_record(images=3), "expected images that is a list of objects, got 3"),
        (a_record(images=[{"id": 1, "video_id": 1}]), r"images\[0\]: expected frame_id that is a whole number"),
        (a_record(images=[{"id": 1, "video_id": 1, "frame_id": -1}]), r"images\[0\]: expected a frame number"),
        (a_record(images=a_record()["images"][:1] * 2), r"images\[1\]: expected each image id once, got 10"),
        (a_record(annotations=[{**BOX, "image_id": 3}]), r"annotations\[0\]: expected the id of an image, got 3"),
        (a_record(annotations=[{**BOX, "category_id": 3}]), "expected the id of a category, got 3"),
        (a_record(annotations=[{**BOX, "bbox": [1, 2, 3]}]), "expected bbox that is a list of 4 numbers"),
        (a_record(annotations=[{**BOX, "bbox": [1, 2, 3, float("nan")]}]), "list of 4 numbers, got .*nan"),
        (a_record(annotations=[{**BOX, "score": "high"}]), "expected score that is a number or null, got 'high'"),
        (a_record(annotations=[{**BOX, "track_id": 1.5}]), "expected track_id that is a whole number, got 1.5"),
        (
            a_record(annotations=[BOX, BOX]),
            r"annotations\[1\]: expected each id at most once in a frame, got id 4 twice",
        ),
        (a_record(categories=[{"id": 1}]), "expected a label that can be printed, got ''"),
    ],
)
def test_broken_files_are_refused_with_their_place(tmp_path, record, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, record)
    assert str(caught.value).startswith(str(tmp_path / "some.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("contents", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, contents):
    path = tmp_path / "some.json"
    path.write_bytes(contents)
    with pytest.raises(FormatError, match="expected JSON"):
        read_coco_tracks(path)
