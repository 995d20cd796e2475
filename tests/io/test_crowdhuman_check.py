"""Checking CrowdHuman: every fault that is put in is found, and nothing is found where nothing is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest

from vsdmot.io.crowdhuman_check import CrowdReport, check_crowdhuman, find_crowdhuman, list_images
from vsdmot.io.image_checks import Look

PERSON = {"tag": "person", "fbox": [1, 1, 9, 20], "vbox": [1, 1, 9, 9], "hbox": [3, 1, 4, 4], "extra": {"occ": 0}}


@pytest.fixture
def clean(tmp_path) -> Path:
    """Two images with two people, one head and two regions to ignore, and an image of another part."""
    crowd = [
        {"ID": "a,1", "gtboxes": [PERSON, {"tag": "mask", "fbox": [20, 5, 3, 3], "extra": {"ignore": 1}}]},
        {"ID": "b,2", "gtboxes": [{**PERSON, "head_attr": {"ignore": 1}}, {**PERSON, "extra": {"ignore": 1}}]},
    ]
    (tmp_path / "annotation_train.odgt").write_text("".join(json.dumps(image) + "\n" for image in crowd))
    (tmp_path / "Images").mkdir()
    for name, size in (("a,1", (40, 30)), ("b,2", (64, 48)), ("of another part", (9, 9))):
        PIL.Image.effect_noise(size, 90).save(tmp_path / "Images" / f"{name}.jpg")
    return tmp_path


def check(root: Path, look: Look | None = None) -> CrowdReport:
    (path,) = find_crowdhuman(root)
    return check_crowdhuman(path, list_images(root), look)


def add(root: Path, record: object) -> None:
    with (root / "annotation_train.odgt").open("a") as file:
        file.write(json.dumps(record) + "\n")


def test_nothing_is_found_where_nothing_is_wrong(clean):
    assert check(clean, Look(decode=True)) == CrowdReport(
        name="annotation_train.odgt",
        path=clean / "annotation_train.odgt",
        num_annotated=2,
        num_images=2,
        num_people=2,
        num_heads=1,
        num_ignored=2,
        smallest=(40, 30),
        largest=(64, 48),
        problems=(),
    )


@pytest.mark.parametrize("folder", ["CrowdHuman_train/Images", "train_image"])
def test_images_are_found_however_the_parts_were_unpacked(clean, folder):
    (clean / folder).parent.mkdir(exist_ok=True)
    (clean / "Images").rename(clean / folder)
    assert check(clean).num_images == 2


def damage(root: Path, keep: int) -> None:
    image = root / "Images" / "b,2.jpg"
    image.write_bytes(image.read_bytes()[:keep])


FAULTS = [
    (lambda f: (f / "Images" / "a,1.jpg").unlink(), "image missing", "not there, named in 1 line: a,1", ":1"),
    (lambda f: damage(f, 5), "unreadable image", "cannot be read, named in 1 line: b,2.jpg", ":2"),
    (lambda f: damage(f, 700), "damaged image", "cut off or damaged, named in 1 line: b,2.jpg", ":2"),
    (lambda f: add(f, {"ID": "a,1", "gtboxes": []}), "image twice", "a,1 is also in line 1", ":3"),
    (lambda f: add(f, {"ID": "c"}), "unreadable annotations", "expected an object with the field gtboxes", ":3"),
    (lambda f: (f / "annotation_train.odgt").write_bytes(b"\xff"), "unreadable annotations", "expected a JSON", ":1"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "kind", "message", "where"), FAULTS, ids=[str(f[1]) for f in FAULTS])
def test_a_fault_is_found_and_nothing_else(clean, spoil, kind, message, where):
    spoil(clean)
    (problem,) = check(clean, Look(decode=True, workers=2)).problems
    assert problem.kind == kind
    assert message in problem.message
    assert problem.where.endswith(f"annotation_train.odgt{where}")


def test_boxes_outside_and_without_area_are_found(clean):
    PIL.Image.new("RGB", (10, 10)).save(clean / "Images" / "c.jpg")
    outside, flat = {**PERSON, "fbox": [10, 0, 5, 5]}, {**PERSON, "fbox": [1, 1, 0, 5]}
    ignored = {"tag": "mask", "fbox": [90, 0, 0, 5]}
    add(clean, {"ID": "c", "gtboxes": [PERSON, outside, flat, ignored]})
    problems = {problem.kind: problem.message for problem in check(clean).problems}
    assert problems == {
        "box outside": "boxes wholly outside their image in 1 line: c (10, 0, 15, 5)",
        "box without area": "boxes whose width or height is not above 0 in 1 line: c (1, 1, 1, 6)",
    }


def test_a_folder_without_annotations_is_not_crowdhuman(clean):
    assert find_crowdhuman(clean / "annotation_train.odgt") == [clean / "annotation_train.odgt"]
    assert find_crowdhuman(clean / "Images") == []
    assert find_crowdhuman(clean / "Images" / "a,1.jpg") == []
