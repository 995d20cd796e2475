"""Rendered scenes in the layouts of the published data sets: checked and built like these."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vsdmot.cli.main import main
from vsdmot.datasets.splits import read_split
from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.datasets import Sequence, find_sequences
from vsdmot.io.images import number_images

pytest.importorskip("vsdmot.cli.synth", reason="scenes are not rendered yet")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> list[Sequence]:
    folder = tmp_path_factory.mktemp("rendered") / "scenes"
    words = ["--scenes", "2", "--frames", "3", "--people", "3", "--size", "160x96", "--seed", "1"]
    assert main(["synth", "-o", str(folder), *words]) == 0
    return find_sequences(folder)


@pytest.fixture(scope="module")
def rendered(scenes, lay_out_originals, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("originals")

    def lay(folder: Path, *, num_frames: int = 2, digits: int = 6, with_truth=True, with_detections=True) -> Path:
        scene = scenes[sum(folder.name.encode()) % len(scenes)]
        (folder / "img1").mkdir(parents=True)
        kept = [(number, path) for number, path in number_images(scene.image_folder)[0] if number <= num_frames]
        for number, path in kept:
            shutil.copyfile(path, folder / "img1" / f"{number:0{digits}d}{path.suffix}")
        assert scene.ground_truth is not None
        rows = [row for row in scene.ground_truth.read_text().splitlines() if int(row.split(",")[0]) <= num_frames]
        if with_truth:
            (folder / "gt").mkdir()
            (folder / "gt" / "gt.txt").write_text("".join(f"{row}\n" for row in rows))
        if with_detections:
            (folder / "det").mkdir()
            boxes = [",".join([row.split(",")[0], "-1", *row.split(",")[2:6], "0.9"]) for row in rows]
            (folder / "det" / "det.txt").write_text("".join(f"{box}\n" for box in boxes))
        width, height = scene.size or (0, 0)
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=20\nseqLength={len(kept)}\n"
            f"imWidth={width}\nimHeight={height}\nimExt={kept[0][1].suffix}\n"
        )
        return folder

    lay_out_originals(root, lay)
    lay_out_crowdhuman(root / "CrowdHuman", scenes)
    return root


def lay_out_crowdhuman(folder: Path, scenes: list[Sequence]) -> None:
    """Frames as still images; what is visible is the part inside the image, and the head the upper seventh."""
    (folder / "Images").mkdir(parents=True)
    for split, scene in zip(("train", "val"), scenes, strict=True):
        assert scene.ground_truth is not None
        truth, (width, height) = read_ground_truth(scene.ground_truth).people(), scene.size or (0, 0)
        lines = []
        for number, path in number_images(scene.image_folder)[0]:
            name = f"{scene.name},{number}"
            shutil.copyfile(path, folder / "Images" / f"{name}{path.suffix}")
            people = []
            for left, top, right, bottom in truth.on_frame(number).boxes.tolist():
                sides = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
                people.append(
                    {
                        "tag": "person",
                        "fbox": [left, top, right - left, bottom - top],
                        "vbox": [sides[0], sides[1], sides[2] - sides[0], sides[3] - sides[1]],
                        "hbox": [left, top, right - left, (bottom - top) / 7],
                        "head_attr": {"ignore": 0, "occ": 0, "unsure": 0},
                        "extra": {"box_id": len(people), "occ": 0},
                    }
                )
            lines.append(json.dumps({"ID": name, "gtboxes": people}) + "\n")
        (folder / f"annotation_{split}.odgt").write_text("".join(lines))


@pytest.mark.parametrize("part", ["DanceTrack", "MOT17", "MOT20", "CrowdHuman"])
def test_rendered_scenes_in_published_layouts_have_no_problems(rendered, part, capsys):
    assert main(["data", "check", str(rendered / part), "--strict", "--decode"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "num_train", "num_degraded", "num_val"), [("lqdancetrack", 40, 27, 25), ("lqmot", 7, 5, 4)]
)
def test_the_papers_data_sets_are_built_from_rendered_scenes(
    rendered, tmp_path, name, num_train, num_degraded, num_val
):
    assert main(["data", "build", name, "--root", str(rendered), "-o", str(tmp_path / name)]) == 0
    train, val, clean = (read_split(tmp_path / name / f"{part}.txt") for part in ("train", "val", "val_clean"))
    assert (len(train), len(val), len(clean)) == (num_train, num_val, num_val)
    assert [entry.quality for entry in train].count("degraded") == num_degraded
    originals = {path.parent.name: path / "gt.txt" for path in rendered.rglob("gt")}
    for entry in (*train, *val, *clean):
        assert (entry.folder / "gt" / "gt.txt").read_bytes() == originals[entry.name].read_bytes()
    assert main(["data", "check", str(tmp_path / name), "--strict"]) == 0
