"""Annotations of CrowdHuman: who is read, who is ignored, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vsdmot.errors import FormatError
from vsdmot.io.crowdhuman import read_crowdhuman


def person(**changes: object) -> dict[str, object]:
    return {"tag": "person", "fbox": [-2, 3, 10, 20], "vbox": [0, 3, 8, 9], "extra": {"occ": 0}, **changes}


def write(tmp_path: Path, *records: object) -> Path:
    path = tmp_path / "annotation_train.odgt"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_full_bodies_are_read_and_those_to_ignore_are_marked(tmp_path):
    people = [
        person(),
        person(tag="mask", extra={"ignore": 1}),
        person(extra={"ignore": 1}),
        {"tag": "person", "fbox": [1.5, 1, 2, 2]},
    ]
    (image,) = read_crowdhuman(write(tmp_path, {"ID": "27,c9", "gtboxes": people}))
    assert image.boxes[0].tolist() == [-2, 3, 8, 23]
    assert image.ignored.tolist() == [False, True, True, False]
    assert image.people().tolist() == [[-2, 3, 8, 23], [1.5, 1, 3.5, 3]]
    assert image.image_in(tmp_path) == tmp_path / "27,c9.jpg"


def test_images_come_in_order_and_may_be_empty_of_people(tmp_path):
    path = write(tmp_path, {"ID": "b", "gtboxes": []}, {"ID": "a", "gtboxes": [person()]})
    path.write_text("\n" + path.read_text().replace("\n", "\r\n\r\n"))
    images = list(read_crowdhuman(path))
    assert [(image.image_id, image.boxes.shape) for image in images] == [("b", (0, 4)), ("a", (1, 4))]
    assert images[0].people().shape == (0, 4)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "expected an object with the field ID"),
        ({"gtboxes": []}, "expected an object with the field ID (str)"),
        ({"ID": 7, "gtboxes": []}, "expected an object with the field ID (str)"),
        ({"ID": "../a", "gtboxes": []}, "expected an ID that is the name of an image, got '../a'"),
        ({"ID": "", "gtboxes": []}, "expected an ID that is the name of an image"),
        ({"ID": "a"}, "expected an object with the field gtboxes (list)"),
        ({"ID": "a", "gtboxes": [3]}, "expected an object with the field fbox"),
        ({"ID": "a", "gtboxes": [person(fbox=[1, 2, 3])]}, "expected fbox to be four numbers"),
        ({"ID": "a", "gtboxes": [person(fbox=[1, 2, 3, "4"])]}, "expected fbox to be four numbers"),
        ({"ID": "a", "gtboxes": [person(fbox=[1, 2, 3, float("nan")])]}, "expected fbox to be four numbers"),
        ({"ID": "a", "gtboxes": [person(tag="dog")]}, "expected the tag person or mask, got 'dog'"),
        ({"ID": "a", "gtboxes": [person(extra=[])]}, "expected extra to be an object"),
        ({"ID": "a", "gtboxes": [person(extra={"ignore": "no"})]}, "expected extra to be an object whose ignore"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, record, message):
    images = read_crowdhuman(write(tmp_path, {"ID": "first", "gtboxes": []}, record))
    assert next(images).image_id == "first"
    with pytest.raises(FormatError) as raised:
        next(images)
    assert f"annotation_train.odgt:2: {message}" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}", b"[" * 100_000, b"nothing"])
def test_what_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "a.odgt"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"a\.odgt:1: expected a"):
        list(read_crowdhuman(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"a\.odgt: cannot read"):
        list(read_crowdhuman(tmp_path / "a.odgt"))


def test_visible_parts_and_heads_are_read_where_there_are_any(tmp_path):
    people = [
        person(hbox=[2, 3, 4, 5], head_attr={"ignore": 0, "occ": 1}),
        person(hbox=[2, 3, 4, 5], head_attr={"ignore": 1}),
        {"tag": "mask", "fbox": [1, 1, 2, 2], "hbox": [1, 1, 1, 1]},
    ]
    (image,) = read_crowdhuman(write(tmp_path, {"ID": "a", "gtboxes": people}))
    assert image.heads[0].tolist() == [2, 3, 6, 8]
    assert np.isnan(image.heads[1]).all()
    assert image.visible[0].tolist() == [0, 3, 8, 12]
    assert np.isnan(image.visible[2]).all()
    assert image.num_heads() == 1  # that of the mask does not count
