"""Fixtures that several test files share."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from torch import nn

from vsdmot.models.yolox.network import YOLOX, YoloxConfig

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
    from vsdmot.cli.demo import write_clip
    from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures

    folder = tmp_path_factory.mktemp("clip")
    config = FigureClipConfig(num_frames=30, width=160, height=96, num_people=4)
    write_clip(draw_figures(config), config, folder / "clip.mp4", folder / "gt.txt", folder / "det.txt")
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
    from vsdmot.models.yolox.network import YOLOX, YoloxConfig

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


@pytest.fixture(scope="session")
def proposing_folder(tmp_path_factory, lively_network) -> Path:
    """Random weights of a tiny VSD-MOT whose backbone is a detector, saved; it finds somebody everywhere."""
    from vsdmot.config import from_mapping
    from vsdmot.models.vsdmot import VSDMOT
    from vsdmot.tracking.pretrained import TrackerConfig, save_pretrained

    changes = {"backbone": "yolox", "detector": {"depth": 0.33, "width": 0.125}, "encoder_layers": 0}
    size = {"short_side": 64, "long_side": 128, "multiple": 32}
    config = from_mapping(TrackerConfig, {"model": {**TINY_MODEL, **changes}, "preprocessing": size})
    torch.manual_seed(0)
    model = VSDMOT(config.model)
    model.backbone.load(lively_network(0.5, num_classes=1))
    with torch.no_grad():
        model.decoder.class_heads[-1].weight.normal_(std=0.3)
        model.decoder.class_heads[-1].bias.fill_(0.5)
    folder = tmp_path_factory.mktemp("weights") / "proposing"
    save_pretrained(folder, model, config, {"trained": False, "note": "random weights", "seed": 0})
    return folder


def draw_sequence(
    folder: Path, *, num_frames: int = 2, digits: int = 6, with_truth: bool = True, with_detections: bool = True
) -> Path:
    """Draw a tiny sequence of two people in MOTChallenge layout."""
    random = np.random.default_rng(sum(folder.name.encode()))
    (folder / "img1").mkdir(parents=True)
    scene = PIL.Image.fromarray(random.integers(60, 200, (6, 8, 3), np.uint8)).resize((48, 36), PIL.Image.BICUBIC)
    rows, detections = [], []
    for frame in range(1, num_frames + 1):
        picture = scene.copy()
        for track_id, left in ((1, 4 + 2 * frame), (2, 30 - 2 * frame)):
            picture.paste((40 * track_id, 30, 90), (left, 8, left + 9, 30))
            rows.append(f"{frame},{track_id},{left},8,9,22,1,1,1\n")
            detections.append(f"{frame},-1,{left}.5,8.2,9,21.5,0.9\n")
        picture.save(folder / "img1" / f"{frame:0{digits}d}.jpg")
    if with_truth:
        (folder / "gt").mkdir()
        (folder / "gt" / "gt.txt").write_text("".join(sorted(rows, key=lambda row: row.split(",")[1])))
    if with_detections:
        (folder / "det").mkdir()
        (folder / "det" / "det.txt").write_text("".join(detections))
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=20\nseqLength={num_frames}\n"
        "imWidth=48\nimHeight=36\nimExt=.jpg\n"
    )
    return folder


@pytest.fixture(scope="session", name="draw_sequence")
def draw_sequence_fixture() -> Callable[..., Path]:
    return draw_sequence


@pytest.fixture(scope="session")
def originals(tmp_path_factory) -> Path:
    """DanceTrack, MOT17, MOT20 and CrowdHuman in the layouts in which they are published, tiny; not to be changed."""
    root = tmp_path_factory.mktemp("originals")
    lay_out_originals(root, draw_sequence)
    _draw_crowdhuman(root / "CrowdHuman")
    return root


def lay_out_originals(root: Path, make_sequence: Callable[..., Path]) -> None:
    """Lay out DanceTrack, MOT17 and MOT20 as they are published; ``make_sequence`` is called like `draw_sequence`."""
    from vsdmot.datasets.membership import PAPER

    dance = PAPER["lqdancetrack"]
    for split, names in (("train", dance.train), ("val", dance.validation), ("test", ("dancetrack0003",))):
        for name in names:
            make_sequence(
                root / "DanceTrack" / split / name, digits=8, with_truth=split != "test", with_detections=False
            )
        (root / "DanceTrack" / f"{split}_seqmap.txt").write_text("name\n" + "".join(f"{name}\n" for name in names))
    for detector in ("DPM", "FRCNN", "SDP"):
        for number in ("02", "04", "05", "09", "10", "11", "13"):
            make_sequence(root / "MOT17" / "train" / f"MOT17-{number}-{detector}")
        make_sequence(root / "MOT17" / "test" / f"MOT17-01-{detector}", with_truth=False)
    for number in ("01", "02", "03", "05"):
        make_sequence(root / "MOT20" / "train" / f"MOT20-{number}", num_frames=3)
    make_sequence(root / "MOT20" / "test" / "MOT20-04", with_truth=False)


@pytest.fixture(scope="session", name="lay_out_originals")
def lay_out_originals_fixture() -> Callable[[Path, Callable[..., Path]], None]:
    return lay_out_originals


def _draw_crowdhuman(folder: Path) -> None:
    (folder / "Images").mkdir(parents=True)
    for split, names in (("train", ("273271,c9db000d5146c15", "273271,1b9330008da38cd6")), ("val", ("284193,faa9f0",))):
        lines = []
        for name in names:
            PIL.Image.effect_noise((64, 48), 60).convert("RGB").save(folder / "Images" / f"{name}.jpg")
            person = {
                "tag": "person", "fbox": [-3, 4, 20, 40], "vbox": [0, 4, 17, 40], "hbox": [4, 4, 6, 7],
                "head_attr": {"ignore": 0, "occ": 0, "unsure": 0}, "extra": {"box_id": 0, "occ": 0},
            }  # fmt: skip
            mask = {"tag": "mask", "fbox": [40, 2, 9, 9], "vbox": [40, 2, 9, 9], "hbox": [40, 2, 9, 9], "head_attr": {}}
            lines.append(json.dumps({"ID": name, "gtboxes": [person, {**mask, "extra": {"ignore": 1}}]}) + "\n")
        (folder / f"annotation_{split}.odgt").write_text("".join(lines))


@pytest.fixture(scope="session")
def cvat_export(tmp_path_factory) -> Path:
    """A zip archive as CVAT exports it as "MOT 1.1": no seqinfo.ini, labels.txt, images counted from 0."""
    folder = draw_sequence(tmp_path_factory.mktemp("cvat") / "task", num_frames=4, with_detections=False)
    rows = (folder / "gt" / "gt.txt").read_text()
    path = folder.parent / "task_7.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gt/gt.txt", rows.replace(",1,1,1\n", ",1,2,1.0\n"))
        archive.writestr("gt/labels.txt", "bag\nperson\n")
        for image in sorted((folder / "img1").iterdir()):
            archive.write(image, f"img1/frame_{int(image.stem) - 1:06d}.jpg")
    return path


@pytest.fixture
def playground(tmp_path, clip_folder, tracker_folder, proposing_folder, detector_file, originals, cvat_export) -> Path:
    """A folder with the files that the documentation's commands name, and the project's presets and examples."""
    for file in clip_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "weights").symlink_to(tracker_folder)
    (tmp_path / "nano").symlink_to(proposing_folder)
    (tmp_path / "yolox.safetensors").symlink_to(detector_file)
    (tmp_path / "originals").symlink_to(originals)
    (tmp_path / "task_7.zip").symlink_to(cvat_export)
    for folder in ("configs", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """No test depends on the one before."""
    np.random.seed(0)  # noqa: NPY002 (libraries may draw from the global generator)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def lively_network() -> Callable[..., YOLOX]:
    """Make a small network whose outputs differ from cell to cell.

    With fresh statistics every layer shrinks the signal, and all cells of an untrained network say the same; here
    batch normalisation has seen some noise first.
    """

    def make(probability: float = 0.7, **sizes: float | bool) -> YOLOX:
        torch.manual_seed(0)
        network = YOLOX(YoloxConfig(**{"depth": 0.33, "width": 0.125, "num_classes": 2} | sizes))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # a plain average, over the one batch below
        network(torch.randn(2, 3, 96, 96))
        for layers in (network.head.reg_preds, network.head.obj_preds, network.head.cls_preds):
            for layer in layers:
                layer.weight.data *= 0.3  # boxes of a few cells, scores near the prior
        network.head.reset_priors(probability)
        return network.eval().requires_grad_(False)

    return make
