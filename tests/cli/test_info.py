"""``vsdmot info``: what a checkpoint is."""

from __future__ import annotations

import argparse

import pytest
import torch

from vsdmot.config import load
from vsdmot.models.vsdmot import VSDMOT
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
