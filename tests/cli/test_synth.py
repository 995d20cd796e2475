"""``vsdmot synth``: the files of rendered scenes."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.cli.main import main
from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.dataset_check import check_sequence
from vsdmot.io.datasets import find_sequences

SMALL = ["--size", "96x64", "--frames", "3", "--people", "3"]


def synth(folder: Path, *words: str) -> int:
    return main(["synth", "--output", str(folder), *SMALL, *words])


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "scenes"
    assert synth(folder, "--scenes", "3", "--workers", "1", "--masks") == 0
    return folder


def test_one_scene_of_each_style_in_turn_as_sequences_without_faults(scenes):
    sequences = find_sequences(scenes)
    assert [sequence.name for sequence in sequences] == ["dance-0001", "street-0002", "surveillance-0003"]
    for sequence in sequences:
        report = check_sequence(sequence)
        assert not [problem for problem in report.problems if problem.kind not in ("nobody", "box outside")]
        assert sequence.size == sequence.promised_size == (96, 64)
        assert sequence.num_frames == sequence.promised_length == 3
        assert sequence.frame_rate == 25


def test_visible_boxes_are_the_bounds_of_the_masks(scenes):
    for folder in scenes.iterdir():
        rows = np.loadtxt(folder / "gt" / "visible.txt", delimiter=",", ndmin=2)
        assert len(rows)
        for frame, track_id, left, top, width, height, *_ in rows.tolist():
            mask = np.asarray(PIL.Image.open(folder / "masks" / f"{int(frame):06d}.png"))
            ys, xs = np.nonzero(mask == track_id)
            assert [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] == [left, top, left + width, top + height]


def test_full_boxes_hold_the_visible_ones(scenes):
    for folder in scenes.iterdir():
        full, visible = (read_ground_truth(folder / "gt" / name) for name in ("gt.txt", "visible.txt"))
        assert 0 <= full.visibility.min() <= full.visibility.max() <= 1
        boxes = {(int(f), int(i)): box for f, i, box in zip(full.frames, full.ids, full.boxes, strict=True)}
        for frame, track_id, box in zip(visible.frames, visible.ids, visible.boxes, strict=True):
            whole = boxes[int(frame), int(track_id)]
            assert (box[:2] >= whole[:2] - 1.5).all()
            assert (box[2:] <= whole[2:] + 1.5).all()


def test_the_record_says_who_does_what(scenes):
    record = json.loads((scenes / "dance-0001" / "scene.json").read_text())
    assert record["settings"]["seed"] == 0
    assert record["settings"]["people"] == 3
    assert {person["id"] for person in record["people"]} == set(range(1, len(record["people"]) + 1))
    assert "dance" in {person["motion"] for person in record["people"]}


def test_more_workers_give_the_same_bits(scenes, tmp_path):
    assert synth(tmp_path / "two", "--scenes", "3", "--workers", "2", "--masks") == 0
    assert hashes(tmp_path / "two") == hashes(scenes)


def test_a_second_run_adds_what_is_missing_and_touches_nothing_else(scenes, tmp_path, capsys):
    assert synth(tmp_path, "--scenes", "1", "--masks") == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert synth(tmp_path, "--scenes", "3", "--masks") == 0
    assert "1 of 3 scenes are there already" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert hashes(tmp_path) == hashes(scenes)


def test_other_settings_are_refused_and_overwrite_replaces(scenes, tmp_path, capsys):
    assert synth(tmp_path, "--scenes", "1") == 0
    before = hashes(tmp_path)
    assert synth(tmp_path, "--scenes", "1", "--seed", "5") == 2
    error = capsys.readouterr().err
    assert "dance-0001" in error
    assert "seed 0 instead of 5" in error
    assert len(error.splitlines()) == 1
    assert hashes(tmp_path) == before
    assert synth(tmp_path, "--scenes", "1", "--seed", "5", "--overwrite") == 0
    assert hashes(tmp_path) != before


def test_style_camera_rate_and_format(tmp_path):
    words = ["--style", "street", "--camera", "moving", "--fps", "12.5", "--format", "png", "--scenes", "1"]
    assert synth(tmp_path, *words) == 0
    (sequence,) = find_sequences(tmp_path)
    assert sequence.name == "street-0001"
    assert sequence.frame_rate == 12.5
    assert json.loads((sequence.folder / "scene.json").read_text())["camera"] != "still"
    images = [np.asarray(PIL.Image.open(path)) for path in sorted(sequence.image_folder.glob("*.png"))]
    assert len(images) == 3
    assert np.abs(images[0].astype(int) - images[2]).mean() > 0.5


def test_settings_come_from_a_file_too(scenes, tmp_path):
    (tmp_path / "small.yaml").write_text("size: 96x64\nframes: 3\npeople: 3\nscenes: 1\nmasks: true\n")
    assert main(["synth", "-o", str(tmp_path / "out"), "--config", str(tmp_path / "small.yaml")]) == 0
    assert hashes(tmp_path / "out" / "dance-0001") == hashes(scenes / "dance-0001")


def test_a_folder_of_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "dance-0001").mkdir()
    (tmp_path / "dance-0001" / "notes.txt").write_text("mine")
    assert synth(tmp_path, "--scenes", "1") == 2
    assert "is no complete scene" in capsys.readouterr().err
    assert synth(tmp_path, "--scenes", "1", "--overwrite") == 2
    assert hashes(tmp_path) == {"dance-0001/notes.txt": hashlib.sha256(b"mine").hexdigest()}


def test_an_output_that_is_a_file_is_one_clear_line(tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert synth(tmp_path / "out", "--scenes", "1") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--size", "96by64"], "--size: must be WIDTHxHEIGHT"),
        (["--size", "8x8"], "width: must be from 64 to 7680"),
        (["--scenes", "0"], "--scenes: must be at least 1"),
        (["--people", "-1"], "people: must be from 0 to 200"),
        (["--style", "ballet"], "--style: expected one of"),
        (["--workers", "0"], "--workers: must be at least 1"),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_made(words, expected, tmp_path, capsys):
    assert main(["synth", "-o", str(tmp_path / "out"), *words]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_clear_line_and_leaves_no_scene(tmp_path, capsys, monkeypatch):
    real = Path.write_bytes

    def full(self, data):
        if self.name.startswith(".000003"):
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert synth(tmp_path / "out", "--scenes", "1", "--workers", "1") == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert "No space left on device" in error[0]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_cut_off_leaves_whole_scenes_and_goes_on(how, scenes, tmp_path):
    words = ["synth", "-o", str(tmp_path), *SMALL, "--scenes", "3", "--masks", "--workers", "1"]
    process = subprocess.Popen([sys.executable, "-m", "vsdmot.cli.main", *words], stderr=subprocess.PIPE)
    limit = time.monotonic() + 120
    while not (tmp_path / "dance-0001" / "scene.json").exists() and time.monotonic() < limit:
        time.sleep(0.01)
    os.kill(process.pid, how)
    process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    for folder in tmp_path.iterdir():
        assert folder.name.startswith(".") or hashes(folder) == hashes(scenes / folder.name)
    assert main(words) == 0
    assert hashes(tmp_path) == hashes(scenes)


def test_too_many_people_for_the_place_are_fewer_and_the_run_says_so(tmp_path, capsys):
    assert (
        main(["synth", "-o", str(tmp_path), "--size", "96x64", "--frames", "1", "--people", "150", "--scenes", "1"])
        == 0
    )
    record = json.loads((tmp_path / "dance-0001" / "scene.json").read_text())
    assert 5 < len(record["people"]) < 150
    assert f"no room for 150 people: dance-0001 has {len(record['people'])}" in capsys.readouterr().err
