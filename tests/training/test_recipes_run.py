"""Every recipe on tiny data in the published layouts: its dry run, and one step of a small network."""

from __future__ import annotations

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot import Tracker
from vsdmot.cli.main import main
from vsdmot.datasets.splits import read_split
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.detector import YoloxDetector
from vsdmot.io.annotations import read_ground_truth
from vsdmot.tracking.pretrained import load_pretrained

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "train"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECIPES = [path for path in sorted(CONFIGS.glob("*.yaml")) if not path.stem.startswith("nano")]
ALWAYS = {"lqmot", "motr_lqdancetrack", "yolox_lqdancetrack"}
CHOSEN = [pytest.param(path, marks=() if path.stem in ALWAYS else pytest.mark.slow, id=path.stem) for path in RECIPES]

SMALL_PICTURES = ["data.augment.short_sides=[48]", "data.augment.long_side=64", "data.augment.crop_probability=0",
                  "tracker.preprocessing.short_side=48", "tracker.preprocessing.long_side=64"]  # fmt: skip
SMALL_NETWORK = ["tracker.model.backbone=resnet18", "tracker.model.hidden_dim=64", "tracker.model.encoder_layers=1",
                 "tracker.model.decoder_layers=2", "tracker.model.feedforward_dim=64"]  # fmt: skip
SMALL_DETECTOR = ["detector.input_size=[64,64]", "detector.multi_scale=[1,1]", "detector.batch_size=2"]


@pytest.fixture(scope="module")
def root(tmp_path_factory, originals) -> Path:
    """LQMOT and LQDanceTrack as `vsdmot data build` makes them, with proposals, and a tiny CLIP."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    folder = tmp_path_factory.mktemp("data")
    for name, output, words in (
        ("lqmot", "LQMOT", ()),
        ("lqdancetrack", "LQDanceTrack", ()),
        ("lqmot", "LQMOT-0_1", ("--ratio", "0:1")),
        ("lqmot", "LQMOT-1_1", ("--ratio", "1:1")),
        ("lqmot", "LQMOT-1_0", ("--ratio", "1:0")),
    ):
        source = originals / "DanceTrack" if name == "lqdancetrack" else originals
        command = ["data", "build", name, "--root", str(source), "-o", str(folder / output), "--workers", "1", *words]
        assert main(command) == 0
        for split in ("train", "val"):
            _propose(folder / output, split)
    torch.manual_seed(0)
    tiny = CLIPVisionConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
    )
    CLIPVisionModel(tiny).save_pretrained(folder / "clip")
    return folder


def _propose(data: Path, split: str) -> None:
    """Write the true boxes as proposals, as `vsdmot detect` would leave them."""
    (data / "proposals" / split).mkdir(parents=True)
    for entry in read_split(data / f"{split}.txt"):
        truth = read_ground_truth(entry.folder / "gt" / "gt.txt")
        rows = [
            f"{frame},-1,{left},{top},{right - left},{bottom - top},0.9\n"
            for frame, (left, top, right, bottom) in zip(truth.frames.tolist(), truth.boxes.tolist(), strict=True)
        ]
        (data / "proposals" / split / f"{entry.name}.txt").write_text("".join(rows))


def _words(path: Path, root: Path, run: Path) -> list[str]:
    words = ["train", str(path), f"root={root}", "device=cpu", "-o", str(run)]
    if path.stem.startswith("yolox"):
        return [*words, *SMALL_DETECTOR]
    teacher = [f"teacher.location={root / 'clip'}", f"teacher.cache={run.parent / 'teacher'}"]
    with_teacher = not any(part in path.stem for part in ("baseline", "motr"))
    return [*words, *SMALL_PICTURES, "loading.workers=0", *(teacher if with_teacher else ())]


@pytest.mark.parametrize("path", CHOSEN)
def test_the_dry_run_of_a_recipe_describes_it_with_its_own_network(path, root, tmp_path, capsys):
    words = _words(path, root, tmp_path / "run")
    if path.stem.startswith("yolox"):
        words += ["detector.network.depth=0.33", "detector.network.width=0.25"]  # the largest takes a gigabyte
    else:
        words.append("data.sampling.clips_per_epoch=16")
    assert main([*words, "--dry-run"]) == 0, capsys.readouterr().err
    plan = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    if path.stem.startswith("yolox"):
        assert plan["steps"].startswith({"yolox_lqmot": "50 epochs", "yolox_lqdancetrack": "20 epochs"}[path.stem])
        return
    dance = "dancetrack" in path.stem
    degraded = {"table6_ratio_0_1": 0, "table6_ratio_1_0": 7}.get(path.stem, 27 if dance else 5)
    if path.stem == "table6_ratio_1_1":
        degraded = 4 if "(4 degraded)" in plan["train"] else 3
    sequences = "40 sequences" if dance else "7 sequences"
    assert f"{sequences} ({degraded} degraded)" in plan["train"] or (not degraded and sequences in plan["train"])
    assert plan["measure"].startswith("25 sequences" if dance else "4 sequences")
    assert plan["steps"].startswith("10 epochs" if dance else "60 epochs")
    assert f"x0.1 from epoch {6 if dance else 41}" in plan["rate"]
    assert (plan["teacher"] == "none") == any(part in path.stem for part in ("baseline", "motr"))
    if path.stem == "lqmot":
        assert plan["network"].startswith("42,602,248 parameters")
    if path.stem == "table5_1_baseline":
        assert plan["network"].startswith("41,875,718 parameters")


@pytest.mark.parametrize("path", CHOSEN)
def test_a_recipe_runs_a_step_validates_and_leaves_weights(path, root, tmp_path, capsys):
    words = _words(path, root, tmp_path / "run")
    if path.stem.startswith("yolox"):
        words += ["detector.network.depth=0.33", "detector.network.width=0.125", "detector.batch_size=80"]
        words += ["detector.epochs=2", "detector.plain_epochs=1", "detector.warmup_epochs=0"]
    else:
        words += [*SMALL_NETWORK, "loop.epochs=1", "data.sampling.clips_per_epoch=8", "validation.max_frames=1"]
    assert main(words) == 0, capsys.readouterr().err
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"train", "validation"}
    assert all(math.isfinite(line["loss"]) for line in lines if line["kind"] == "train")
    if path.stem.startswith("yolox"):
        assert YoloxDetector.from_checkpoint(tmp_path / "run" / "last" / "model.safetensors")
        return
    assert lines[0]["step"] == 1
    with_teacher = not any(part in path.stem for part in ("baseline", "motr"))
    assert ("distill" in lines[0]["losses"]) == with_teacher
    assert ("w_local" in lines[0]["monitors"]) == (with_teacher and path.stem != "table5_2_distillation")
    assert load_pretrained(tmp_path / "run" / "last").trained


def test_nano_is_trained_from_the_data_to_the_weights(draw_sequence, detector_file, tmp_path, monkeypatch, capsys):
    data = tmp_path / "nano-data"
    for name in ("scenes", "crowds", "dances", "walks", "streets"):
        draw_sequence(data / name / name, num_frames=9)
    for name in ("walk", "five"):
        draw_sequence(tmp_path / name, num_frames=6)
    words = ["prepare", str(data), "--sequences", str(tmp_path / "walk"), "--diverse", str(tmp_path / "five")]
    monkeypatch.setattr("sys.argv", [*words, "--teacher", str(detector_file), "--width", "64", "--sure", "0.99"])
    runpy.run_path(str(EXAMPLES / "nano" / "prepare_data.py"), run_name="__main__")
    assert "walk: 6 frames" in capsys.readouterr().out
    assert len(list((data / "stills" / "scenes" / "scenes" / "img1").iterdir())) == 2

    teacher = str(data / "yolox_nano.safetensors")
    words = ["train", str(CONFIGS / "nano_detector.yaml"), f"root={data}", "-o", str(tmp_path / "detector")]
    words += ["detector.epochs=2", "detector.plain_epochs=1", "detector.warmup_epochs=0", "detector.precision=fp32"]
    assert main([*words, *SMALL_DETECTOR, "detector.network.width=0.125", "device=cpu"]) == 0, capsys.readouterr().err
    lines = [json.loads(line) for line in (tmp_path / "detector" / "log.jsonl").read_text().splitlines()]
    assert all(line["losses"]["taught_scores"] > 0 for line in lines if line["kind"] == "train")

    start = tmp_path / "detector" / "last" / "model.safetensors"
    words = ["train", str(CONFIGS / "nano_detector_finish.yaml"), f"root={data}", f"detector.start={start}"]
    words += ["-o", str(tmp_path / "finish"), "detector.epochs=2", "detector.plain_epochs=1", "detector.precision=fp32"]
    assert main([*words, *SMALL_DETECTOR, "detector.network.width=0.125", "device=cpu"]) == 0, capsys.readouterr().err

    weights = tmp_path / "finish" / "last" / "model.safetensors"
    words = ["train", str(CONFIGS / "nano.yaml"), f"root={data}", "-o", str(tmp_path / "run"), "device=cpu"]
    words += [f"backbone={weights}", f"teacher.location={teacher}", "teacher.detector_size=64", "loop.epochs=1"]
    words += [*SMALL_PICTURES, "tracker.preprocessing.short_side=64", "tracker.model.detector.width=0.125"]
    words += ["data.sampling.clips_per_epoch=4", "loss.precision=fp32"]
    assert main(words) == 0, capsys.readouterr().err
    capsys.readouterr()
    for row in sorted(CONFIGS.glob("nano_ablation_*.yaml")):
        taught = [word for word in words if not (word.startswith("teacher.") and "motrv2" in row.stem)]
        assert main([taught[0], str(row), *taught[2:], "--dry-run"]) == 0, capsys.readouterr().err
        plan = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        assert (plan["teacher"] == "none") == ("motrv2" in row.stem)
    loaded = load_pretrained(tmp_path / "run" / "last")
    assert loaded.trained
    found = Tracker.from_pretrained(tmp_path / "run" / "last", device="cpu").update(np.zeros((64, 96, 3), np.uint8))
    assert found.semantic_weight is not None
    trained = load_yolox(weights).network
    kept = loaded.model.backbone.network.head.obj_preds[0].weight
    torch.testing.assert_close(kept, trained.head.obj_preds[0].weight)

    words = ["ship", str(tmp_path / "run" / "last"), "--detector", str(tmp_path / "detector" / "last")]
    words += ["--detector", str(tmp_path / "finish" / "last")]
    monkeypatch.setattr("sys.argv", [*words, "-o", str(tmp_path / "shipped")])
    with pytest.raises(SystemExit, match="paths of this machine"):
        runpy.run_path(str(EXAMPLES / "nano" / "ship.py"), run_name="__main__")
    words += ["--rename", f"{data}=nano-data", "--rename", f"{tmp_path}=runs", "-o", str(tmp_path / "shipped")]
    monkeypatch.setattr("sys.argv", words)
    runpy.run_path(str(EXAMPLES / "nano" / "ship.py"), run_name="__main__")
    assert str(tmp_path) not in (tmp_path / "shipped" / "config.json").read_text()
    shipped = load_pretrained(tmp_path / "shipped")
    assert shipped.provenance["detector"]["trained"]
    assert shipped.provenance["detector"]["started_from"]["trained"]
    for name, tensor in shipped.model.state_dict().items():
        torch.testing.assert_close(tensor, loaded.model.state_dict()[name], rtol=1e-3, atol=1e-6)


def test_data_of_the_validation_sequence_is_refused(tmp_path, detector_file, monkeypatch):
    words = ["prepare", str(tmp_path), "--clips", "clips/pets09_s2l1_480x360.mp4", "--teacher", str(detector_file)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit, match="must not be trained on"):
        runpy.run_path(str(EXAMPLES / "nano" / "prepare_data.py"), run_name="__main__")
