"""``vsdmot degrade``: every kind of source and output, every flag, and what can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsdmot.degradation.operators import OPERATORS
from vsdmot.io.sources import open_source


@pytest.fixture
def here(tmp_path, monkeypatch, clip_folder):
    """A folder with ``clip.mp4`` and a data set ``set/train/A 1`` of 12 small frames."""
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").symlink_to(clip_folder / "clip.mp4")
    images = Path("set/train/A 1/img1")
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(1, 13):
        image = cv2.resize(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8), (48, 40), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(images / f"{number:06d}.png"), image)
    Path("set/train/A 1/gt").mkdir()
    Path("set/train/A 1/gt/gt.txt").write_text("1,1,2,3,10,20,1,1,1\n")
    Path("set/README").write_text("about")
    return tmp_path


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def record(folder):
    return json.loads((Path(folder) / "degradation.json").read_text(encoding="utf-8"))


def degrade(vsdmot, source, output, *words):
    outcome = vsdmot("degrade", source, "-o", output, "--workers", "1", *words)
    assert outcome.code == 0, outcome.err
    return outcome


def test_a_data_set_a_sequence_and_a_folder_of_images(vsdmot, here):
    outcome = degrade(vsdmot, "set", "a")
    assert "12 frames are in a, degraded" in outcome.out
    before, after = contents("set"), contents("a")
    assert set(after) == {*before, "train/A 1/degradation.json"}
    assert {name for name in before if after[name] != before[name]} == {name for name in before if ".png" in name}
    degrade(vsdmot, "set/train/A 1", "b")
    assert contents("b") == contents("a/train/A 1")
    degrade(vsdmot, "set/train/A 1/img1", "c")
    assert len(list(Path("c").glob("*.png"))) == 12


def test_a_video_to_a_video_or_a_folder_and_an_image_to_an_image(vsdmot, here):
    outcome = degrade(vsdmot, "clip.mp4", "low.mp4", "--only", "noise")
    assert "low.mp4" in outcome.out
    assert "low.degradation.json" in outcome.out
    degrade(vsdmot, "clip.mp4", "low", "--only", "noise")
    for path in ("low.mp4", "low"):
        with open_source(path) as source:
            frames = list(source)
            assert [frame.index for frame in frames] == list(range(1, 31))
            assert frames[0].image.shape == (96, 160, 3)
    degrade(vsdmot, "set/train/A 1/img1/000001.png", "one.png")
    assert cv2.imread("one.png").shape == (40, 48, 3)
    degrade(vsdmot, "set/train/A 1", "from images.mp4")
    with open_source("from images.mp4") as source:
        assert source.info.num_frames == 12


@pytest.mark.parametrize(
    ("flag", "value"), [("--mode", "fixed"), ("--mode", "per_frame"), ("--seed", 7), ("--severity", 5)]
)
def test_each_setting_changes_the_images_and_is_recorded(vsdmot, here, flag, value):
    degrade(vsdmot, "set/train/A 1", "a")
    degrade(vsdmot, "set/train/A 1", "b", flag, value)
    assert contents("a/img1") != contents("b/img1")
    assert record("b")["settings"][flag[2:]] == value
    assert record("b")["frames"] != record("a")["frames"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_can_be_applied_alone(vsdmot, here, operator):
    degrade(vsdmot, "set/train/A 1", "a", "--only", operator, "--severity", "5", "--seed", "1")
    frames = record("a")["frames"]
    assert len(frames) == 12
    assert operator == "dropped_frames" or operator in frames[0]
    assert contents("a/img1") != contents("set/train/A 1/img1")


def test_several_operators(vsdmot, here):
    degrade(vsdmot, "set/train/A 1", "a", "--only", "jpeg,blur,h264")
    assert list(record("a")["frames"][0]) == ["frame", "shows", "bad_spell", "blur", "jpeg", "h264"]


def test_workers_do_not_change_a_bit(vsdmot, here):
    degrade(vsdmot, "set", "a")
    assert vsdmot("degrade", "set", "-o", "b", "--workers", "2").code == 0
    assert vsdmot("degrade", "set", "--output", "c").code == 0  # one for each core
    assert contents("a") == contents("b") == contents("c")


def test_settings_come_from_a_file(vsdmot, here):
    Path("run.yaml").write_text("source: set\noutput: a\nseverity: 2\nonly: [blur, noise]\nworkers: 1\n")
    assert vsdmot("degrade", "--config", "run.yaml").code == 0
    degrade(vsdmot, "set", "b", "--severity", "2", "--only", "noise,blur")
    assert contents("a/train/A 1/img1") == contents("b/train/A 1/img1")


def test_a_second_run_finds_everything_done_and_overwrite_begins_anew(vsdmot, here, refused):
    degrade(vsdmot, "set", "a")
    first = contents("a")
    assert "12 of 12 frames are there already" in degrade(vsdmot, "set", "a").out
    assert "settings seed 0, this run has 1" in refused("degrade", "set", "-o", "a", "--seed", "1")
    assert contents("a") == first
    degrade(vsdmot, "set", "a", "--seed", "1", "--overwrite")
    degrade(vsdmot, "set", "b", "--seed", "1")
    assert contents("a") == contents("b")
    degrade(vsdmot, "clip.mp4", "low.mp4", "--only", "noise")
    assert "is there already, complete" in degrade(vsdmot, "clip.mp4", "low.mp4", "--only", "noise").out


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [("SIGKILL", -9, "1"), ("SIGKILL", -9, "2"), ("SIGINT", 130, "2"), ("SIGTERM", 130, "1")],
)
def test_a_stopped_run_goes_on_to_the_same_files(vsdmot, here, number, code, workers):
    for copy in range(5):  # long enough to be caught in the middle
        for path in sorted(Path("set/train/A 1/img1").glob("0000??.png")):
            os.link(path, path.with_name(f"{(copy + 1) * 100 + int(path.stem):06d}.png"))
    degrade(vsdmot, "set", "whole")
    command = [sys.executable, "-m", "vsdmot.cli.main", "degrade", "set", "-o", "a", "--workers", workers]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list(Path("a").glob("train/*/img1/0*.png"))) < 5:
        assert run.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    run.send_signal(getattr(signal, number))
    _, err = run.communicate(timeout=60)
    assert run.returncode == code
    assert "Traceback" not in err
    assert ("give the same command again" in err) == (code == 130)
    assert not Path("a/train/A 1/degradation.json").exists()
    degrade(vsdmot, "set", "a")
    assert contents("a") == contents("whole")


def test_a_sheet_shows_the_operators(vsdmot, here, refused):
    for words in (["--show", "drawn.jpg"], ["clip.mp4", "--show", "clip.png"], ["set/train/A 1", "--show", "set.png"]):
        assert vsdmot("degrade", *words).code == 0
    for name in ("drawn.jpg", "clip.png", "set.png"):
        assert cv2.imread(name).shape[0] > 400
    assert "drawn.jpg exists; add --overwrite" in refused("degrade", "--show", "drawn.jpg")
    assert vsdmot("degrade", "--show", "drawn.jpg", "--seed", "2", "--overwrite").code == 0
    assert "leave out -o or --show" in refused("degrade", "set", "-o", "x", "--show", "y.png")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nix", "-o", "a"], "nix: no such file or folder"),
        (["set"], "--output: missing"),
        (["-o", "a"], "SOURCE: missing"),
        (["set", "-o", "set/low"], "set/low: lies inside the source set"),
        (["set", "-o", "set"], "set: this is the source itself"),
        (["set/train", "-o", "set"], "set: holds the source set/train"),
        (["empty", "-o", "a"], "empty: expected images or a MOTChallenge sequence; there are none"),
        (["set", "-o", "full"], "full: exists and holds other files; choose another output, or add --overwrite"),
        (["set", "-o", "full/x"], "full/x: exists"),
        (["set", "-o", "full/x/y"], "full/x/y"),
        (["text.zip", "-o", "a"], "text.zip: expected a folder or a video; unpack the archive first"),
        (["full/x", "-o", "a"], "full/x: expected a video, found an empty file"),
        (["clip.mp4", "-o", "a.avi"], "-o must end in .mp4 for a video, or name a folder, got a.avi"),
        (["clip.mp4", "-o", "a.png"], "-o must end in .mp4 for a video, or name a folder, got a.png"),
        (["one.png", "-o", "a"], "-o must end like an image"),
        (["one.png", "-o", "a.png"], "one.png: not an image"),
        (["set", "-o", "a.mp4"], "set: expected images or a MOTChallenge sequence"),
        (["set", "-o", "a", "--severity", "6"], "--severity: must be from 1 to 5, got 6"),
        (["set", "-o", "a", "--severity", "2.5"], "--severity: expected a whole number"),
        (["set", "-o", "a", "--seed", "-1"], "--seed: must be at least 0"),
        (["set", "-o", "a", "--workers", "0"], "--workers: must be at least 1, got 0"),
        (["set", "-o", "a", "--mode", "wild"], "--mode: expected one of drift, per_frame, fixed"),
        (["set", "-o", "a", "--only", "blur,fog"], "--only: expected one of sharpen, motion_blur"),
        (["set", "-o", "a", "--only", "blur,blur"], "--only: must be without repetition"),
        (["set", "-o", "a", "--only", ""], "--only: must be one or more of sharpen"),
    ],
)
def test_bad_input_is_one_clear_line_and_makes_nothing(refused, here, words, expected):
    Path("empty").mkdir()
    Path("full").mkdir()
    for name in ("full/x", "text.zip", "one.png"):
        Path(name).write_text("")
    assert expected in refused("degrade", *words)
    assert not [path for path in Path().iterdir() if path.name.startswith("a")]


def test_a_broken_image_is_named(refused, here):
    Path("set/train/A 1/img1/000003.png").write_bytes(b"\x89PNG broken")
    assert "000003.png: not an image" in refused("degrade", "set", "-o", "a", "--workers", "1")
    assert not Path("a/train/A 1/degradation.json").exists()
