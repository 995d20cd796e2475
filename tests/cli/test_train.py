"""``vsdmot train``: from recipe to weights that track, every flag, and what stops it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vsdmot.tracking.pretrained import load_pretrained

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "train"

TINY = """
train: tracker
tracker:
  model:
    {backbone: resnet18, hidden_dim: 64, num_heads: 4, encoder_layers: 1, decoder_layers: 1, feedforward_dim: 64,
     num_learned_queries: 2, student: {hidden_dim: 16, num_layers: 1, feedforward_dim: 16}}
  preprocessing: {short_side: 36, long_side: 64}
data:
  sources: [{root: footage, proposals: own}]
  sampling: {length: 2, max_interval: 1}
  augment: {short_sides: [36, 48], long_side: 64, crop_probability: 0.0}
loading: {global_batch: 2, workers: 0}
teacher: {kind: detector, location: yolox.safetensors, detector_size: 64, cache: teacher}
loop: {epochs: 2, log_every: 1}
validation: {sources: [{root: footage, proposals: own}], max_frames: 3}
device: cpu
"""


@pytest.fixture
def folder(tmp_path, draw_sequence, detector_file, monkeypatch) -> Path:
    """A recipe with two tiny sequences and a detector that teaches."""
    for name in ("one", "two"):
        draw_sequence(tmp_path / "footage" / name, num_frames=4)
    shutil.copy(detector_file, tmp_path / "yolox.safetensors")
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_recipe_gives_weights_that_track_and_say_where_they_come_from(vsdmot, folder):
    outcome = vsdmot("train", "tiny.yaml", "-o", "run", "trained_by=somebody")
    assert outcome.code == 0, outcome.err
    for name in ("best", "last"):
        loaded = load_pretrained(folder / "run" / name)
        assert loaded.trained
        facts = loaded.provenance
        assert (facts["trained_by"], facts["seed"]) == ("somebody", 42)
        assert facts["settings"]["loop"]["epochs"] == 2
        assert facts["data"]["footage"]["files"] == 8 + 2  # images and ground truth
        assert "yolox" in json.dumps(facts["teacher"]).lower()
    trained = [line for line in log(folder / "run") if line["kind"] == "train"]
    assert trained[-1]["losses"].keys() >= {"ce", "l1", "giou", "distill_local", "distill_global", "distill"}
    assert trained[-1]["monitors"].keys() >= {"w_local", "teacher_spread", "semantic_weight"}
    measured = [line for line in log(folder / "run") if line["kind"] != "train"]
    assert len(measured) == 2
    assert "HOTA" in json.dumps(measured)
    words = (
        "--tracker",
        "vsdmot",
        "--weights",
        "run/best",
        "--detections",
        "footage/one/det/det.txt",
        "--mot",
        "t.txt",
    )
    assert vsdmot("track", "footage/one", *words).code == 0
    assert list((folder / "teacher").rglob("*.safetensors"))


def test_a_dry_run_prints_the_plan_and_leaves_nothing_behind(vsdmot, folder):
    outcome = vsdmot("train", "tiny.yaml", "--dry-run", "--output", "plan")
    assert outcome.code == 0, outcome.err
    lines = dict(line.split(maxsplit=1) for line in outcome.out.splitlines())
    assert lines["train"] == "footage: 2 sequences, 8 frames, 16 boxes, 2.0 proposals a frame"
    assert lines["clips"] == "6 an epoch, 2 frames each, 2 to a step"
    assert lines["steps"] == "2 epochs of 3 = 6"
    assert lines["measure"] == "2 sequences, 6 frames"
    assert lines["rate"].startswith("backbone 2e-05, sampling_offsets 2e-05, rest 0.0002")
    assert "GB for a clip of" in lines["memory"]
    assert sorted(path.name for path in folder.iterdir()) == ["footage", "tiny.yaml", "yolox.safetensors"]


def test_a_stopped_run_goes_on_and_ends_where_an_unbroken_one_does(vsdmot, folder):
    assert vsdmot("train", "tiny.yaml", "-o", "whole").code == 0
    stopped = vsdmot("train", "tiny.yaml", "-o", "parts", "--max-minutes", "0.00001")
    assert "--resume goes on" in stopped.out
    assert vsdmot("train", "tiny.yaml", "-o", "parts", "--resume").code == 0
    weights = [(folder / run / "last" / "model.safetensors").read_bytes() for run in ("whole", "parts")]
    assert weights[0] == weights[1]


def test_a_run_is_not_overwritten_and_not_resumed_with_other_settings(vsdmot, refused, folder):
    assert vsdmot("train", "tiny.yaml", "-o", "run", "loop.epochs=1").code == 0
    assert "run" in refused("train", "tiny.yaml", "-o", "run", "loop.epochs=1")
    assert "alpha" in refused("train", "tiny.yaml", "-o", "run", "loop.epochs=1", "loss.alpha=0.1", "--resume")


def test_mistakes_are_told_before_anything_is_trained(vsdmot, refused, folder):
    assert "did you mean 'loss.alpha'?" in refused("train", "tiny.yaml", "loss.alfa=0.1")
    assert "nowhere" in refused("train", "tiny.yaml", "validation.sources=[{root: nowhere}]")
    assert "no such settings file" in refused("train", "lost.yaml")
    assert vsdmot("train", "tiny.yaml", "loss.alpha=2", "loop.epochs=0").err.count("must be") == 2
    assert not (folder / "runs").exists()


def test_settings_of_the_command_may_stand_in_a_file(vsdmot, folder):
    (folder / "command.yaml").write_text("recipe: tiny.yaml\ndry_run: true\n")
    assert "steps    2 epochs of 3" in vsdmot("train", "--config", "command.yaml").out


def test_a_detector_is_trained_by_the_same_command(vsdmot, folder):
    (folder / "yolox.yaml").write_text(
        """
train: detector
detector:
  train: [footage]
  validation: [footage]
  network: {depth: 0.33, width: 0.125, depthwise: true, num_classes: 1}
  input_size: [64, 64]
  multi_scale: [1.0, 1.0]
  epochs: 2
  warmup_epochs: 0
  plain_epochs: 1
  batch_size: 4
device: cpu
"""
    )
    planned = vsdmot("train", "yolox.yaml", "--dry-run")
    assert "train    8 images" in planned.out
    outcome = vsdmot("train", "yolox.yaml")
    assert outcome.code == 0, outcome.err
    assert (folder / "runs" / "yolox" / "last" / "model.safetensors").is_file()
    detected = vsdmot("detect", "footage/one", "--detector", "runs/yolox/last/model.safetensors", "-o", "found.txt")
    assert detected.code == 0, detected.err
