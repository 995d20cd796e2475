"""``vsdmot info``: what a checkpoint is."""

from __future__ import annotations

import argparse
import hashlib

import pytest
import torch

from vsdmot.config import load
from vsdmot.detection.yolox.releases import RELEASES
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.tracking import model_names
from vsdmot.tracking.pretrained import TrackerConfig, save_pretrained


def test_a_tracker_says_its_parts_settings_and_who_trained_it(vsdmot, tracker_folder):
    outcome = vsdmot("info", tracker_folder)
    assert outcome.code == 0
    assert "VSD-MOT tracker" in outcome.out
    total = sum(p.numel() for p in VSDMOT(load(TrackerConfig, None, {}).model.__class__()).parameters())
    assert f"{total:,}" not in outcome.out  # it counts this model, not the default one
    for word in ("student", "dswr", "short_side", "miss_tolerance", "random weights", "False"):
        assert word in outcome.out


def test_a_tracker_without_student_is_called_motrv2(vsdmot, tmp_path):
    config = load(TrackerConfig, None, {"model.backbone": "resnet18", "model.student": None, "model.dswr": None})
    save_pretrained(tmp_path / "m", VSDMOT(config.model), config, {})
    outcome = vsdmot("info", tmp_path / "m")
    assert "MOTRv2 tracker" in outcome.out
    assert "not said" in outcome.out


def test_a_detector_says_its_size_and_input_convention(vsdmot, detector_file):
    outcome = vsdmot("info", detector_file)
    assert outcome.code == 0
    assert "YOLOX-nano" in outcome.out
    assert "legacy" in outcome.out


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: torch.save({"model": {"a": torch.ones(1)}, "args": argparse.Namespace(lr=1)}, path), "not"),
        (lambda path: path.write_bytes(b""), "not"),
    ],
)
def test_what_is_neither_is_refused(vsdmot, tmp_path, make, expected):
    path = tmp_path / "x.pth"
    make(path)
    outcome = vsdmot("info", path)
    assert outcome.code == 2
    assert expected in outcome.err
    assert all(str(path) in line for line in outcome.err.splitlines())


def test_settings_may_name_the_path_in_a_file(vsdmot, tracker_folder, tmp_path):
    (tmp_path / "info.yaml").write_text(f"path: {tracker_folder}\n")
    assert "VSD-MOT" in vsdmot("info", "--config", tmp_path / "info.yaml").out


def test_nothing_there_says_so(refused):
    assert "none/such/place" in refused("info", "none/such/place")


def test_the_file_of_a_tracker_with_a_detector_inside_is_a_tracker(vsdmot, proposing_folder):
    outcome = vsdmot("info", proposing_folder / "model.safetensors")
    assert "VSD-MOT tracker" in outcome.out
    assert "proposing" in outcome.out
    assert "score_threshold" in outcome.out


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """Neither shipped nor downloaded weights."""
    monkeypatch.setattr(model_names, "weights_folder", lambda: tmp_path / "shipped")
    monkeypatch.setenv("VSDMOT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def blocks(text: str) -> dict[str, list[str]]:
    """Split the list into models: the name to all its lines."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        if not line.startswith(" "):
            lines = found.setdefault(line.split("  ")[0], [])
        lines.append(line)
    return found


def test_the_list_says_of_every_model_where_it_comes_from_and_how_to_load_it(vsdmot, nothing_here):
    outcome = vsdmot("info", "--list")
    assert outcome.code == 0
    models = blocks(outcome.out)
    assert list(models)[:2] == ["vsdmot-nano", "yolox-nano"]
    assert set(RELEASES) < set(models)
    assert all(len(lines) == 3 for lines in models.values())
    for name, release in RELEASES.items():
        first, source, digest = models[name]
        assert f"--detector {name} " in first
        assert first.endswith("Apache-2.0")
        assert release.file.url in source
        assert digest == "  sha256  not known, will be printed"
    assert "this package was built without" in models["vsdmot-nano"][1]
    assert "your own file" in models["MOTRv2, DanceTrack"][1]


def test_the_list_hashes_what_is_here(vsdmot, nothing_here, proposing_folder, detector_file):
    (nothing_here / "shipped").mkdir()
    (nothing_here / "shipped" / "vsdmot-nano").symlink_to(proposing_folder)
    cached = RELEASES["yolox-s"].cached
    cached.parent.mkdir(parents=True)
    cached.symlink_to(detector_file)
    models = blocks(vsdmot("info", "--list").out)
    for name, file in (("vsdmot-nano", proposing_folder / "model.safetensors"), ("yolox-s", detector_file)):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in models[name][2]
    assert "comes with this package" in models["vsdmot-nano"][1]
    assert "VSD-MOT tracker" in vsdmot("info", "vsdmot-nano").out


def test_a_published_detector_is_described_without_downloading_it(vsdmot, nothing_here):
    outcome = vsdmot("info", "yolox-x-legacy")
    assert outcome.code == 0
    assert outcome.out.startswith("yolox-x-legacy: published YOLOX detector, not downloaded yet")
    assert "input convention legacy" in outcome.out
    assert not (nothing_here / "cache").exists()


@pytest.mark.parametrize("words", [(), ("yolox-s", "--list")])
def test_it_is_either_a_model_or_the_list(refused, words):
    assert "give the PATH or name of a model, or --list" in refused("info", *words)
