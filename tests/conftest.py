"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


ROOT = Path(__file__).resolve().parents[1]


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder {name}/ beside the checkout (shared/{name})")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real video with ground truth and published YOLOX weights; never part of the repository."""
    return _shared_folder("data")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """Numbers that the published implementations gave."""
    return _shared_folder("golden")


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory) -> Path:
    """A folder with a short clip of figures (``clip.mp4``), proposals (``det.txt``) and true boxes (``gt.txt``)."""
    from vsdmot.cli.demo import draw_clip
    from vsdmot.synthesis.figure_clip import FigureClipConfig

    folder = tmp_path_factory.mktemp("clip")
    config = FigureClipConfig(num_frames=30, width=160, height=96, num_people=4)
    draw_clip(config, folder / "clip.mp4", folder / "gt.txt", folder / "det.txt")
    return folder


@pytest.fixture(scope="session")
def tracker_folder(tmp_path_factory) -> Path:
    """Random weights of a tiny VSD-MOT, saved; its heads are spread so that some queries are sure."""
    from vsdmot.config import from_mapping
    from vsdmot.models.vsdmot import VSDMOT
    from vsdmot.tracking.pretrained import TrackerConfig, save_pretrained

    config = from_mapping(TrackerConfig, {"model": TINY_MODEL, "preprocessing": {"short_side": 64, "long_side": 128}})
    torch.manual_seed(0)
    model = VSDMOT(config.model)
    with torch.no_grad():
        model.decoder.class_heads[-1].weight.normal_(std=0.3)
        model.decoder.class_heads[-1].bias.fill_(0.5)
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    save_pretrained(folder, model, config, {"trained": False, "note": "random weights", "seed": 0})
    return folder


TINY_MODEL = {
    "backbone": "resnet18", "hidden_dim": 64, "num_heads": 4, "encoder_layers": 1, "decoder_layers": 2,
    "feedforward_dim": 64, "num_learned_queries": 2,
    "student": {"hidden_dim": 16, "num_layers": 1, "feedforward_dim": 16},
}  # fmt: skip


@pytest.fixture(scope="session")
def detector_file(tmp_path_factory) -> Path:
    """Random weights of a YOLOX-nano that proposes boxes everywhere, some surely and some not."""
    from vsdmot.detection.yolox.checkpoint import save_yolox
    from vsdmot.detection.yolox.network import YOLOX, YoloxConfig

    torch.manual_seed(0)
    network = YOLOX(YoloxConfig.named("nano"))
    network.head.reset_priors(0.6)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # take the statistics of one batch as they are, so that signals reach the heads
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 64, 64))
        for layer in network.head.obj_preds:
            layer.weight.normal_(std=0.2)
        for layer in network.head.reg_preds:
            layer.weight.normal_(std=0.02)
            layer.bias[2:] = 1.0  # boxes wider than a cell, which overlap
    network.eval()
    path = tmp_path_factory.mktemp("detector") / "yolox.safetensors"
    save_yolox(path, network, "legacy")
    return path


@pytest.fixture
def playground(tmp_path, clip_folder, tracker_folder, detector_file) -> Path:
    """A folder with the files that the documentation's commands name, and the project's presets and examples."""
    for file in clip_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "weights").symlink_to(tracker_folder)
    (tmp_path / "yolox.safetensors").symlink_to(detector_file)
    for folder in ("configs", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """No test depends on the one before."""
    np.random.seed(0)  # noqa: NPY002 (libraries may draw from the global generator)
    torch.manual_seed(0)
