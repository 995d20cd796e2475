"""What a tracker starts from, where its backbone is a detector; and that training leaves that as it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot.cli.main import main
from vsdmot.detection.yolox.checkpoint import save_yolox
from vsdmot.errors import CheckpointError
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX
from vsdmot.structures import Frame
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking
from vsdmot.tracking.tracker import Tracker
from vsdmot.training.prepare import prepare_tracker
from vsdmot.training.recipe import TrackerRecipe, read_recipe

RECIPE = """
train: tracker
backbone: {backbone}
tracker:
  model:
    backbone: yolox
    detector: {{depth: 0.33, width: 0.125}}
    hidden_dim: 64
    num_heads: 4
    encoder_layers: 0
    decoder_layers: 1
    feedforward_dim: 32
    num_learned_queries: 2
    student: {{hidden_dim: 16, num_layers: 1, feedforward_dim: 16}}
  preprocessing: {{short_side: 64, long_side: 96, multiple: 32}}
data:
  sources: [{{root: {sequences}, proposals: own}}]
  sampling: {{length: 2, max_interval: 1}}
  augment: {{short_sides: [64], long_side: 96, multiple: 32, crop_probability: 0}}
loading: {{global_batch: 2, workers: 0}}
teacher: {{kind: none}}
loop: {{epochs: 1}}
"""


@pytest.fixture(scope="module")
def sequences(tmp_path_factory, draw_sequence) -> Path:
    folder = tmp_path_factory.mktemp("sequences")
    for name in ("one", "two"):
        draw_sequence(folder / name, num_frames=4)
    return folder


def recipe_with(folder: Path, detector: YOLOX, sequences: Path, convention="legacy", **changes: str) -> TrackerRecipe:
    save_yolox(folder / "detector.safetensors", detector, convention)
    (folder / "recipe.yaml").write_text(RECIPE.format(backbone=folder / "detector.safetensors", sequences=sequences))
    recipe = read_recipe(folder / "recipe.yaml", changes)
    assert isinstance(recipe, TrackerRecipe)
    return recipe


@pytest.mark.parametrize(
    ("sizes", "convention", "got"),
    [
        ({"num_classes": 1, "width": 0.25}, "legacy", r"got YOLOX \(depth 0\.333333, width 0\.25\) for 1 class"),
        ({"num_classes": 3}, "legacy", "got .* for 3 classes and legacy input"),
        ({"num_classes": 1, "depth": 0.67}, "legacy", r"got YOLOX \(depth 0\.666667"),
        ({"num_classes": 1, "depthwise": True}, "legacy", "depthwise"),
        ({"num_classes": 1}, "current", "and current input"),
    ],
)
def test_another_detector_than_the_recipes_is_refused(tmp_path, lively_network, sequences, sizes, convention, got):
    recipe = recipe_with(tmp_path, lively_network(**sizes), sequences, convention)
    expected = r"detector\.safetensors: expected YOLOX \(depth 0\.33, width 0\.125\) for 1 class and legacy input"
    with pytest.raises(CheckpointError, match=expected) as caught:
        prepare_tracker(recipe, torch.device("cpu"))
    assert re.search(got, str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{}, {"loss.precision": "bf16"}], ids=["fp32", "bf16"])
def test_training_moves_the_tracker_and_leaves_the_detector_bit_for_bit(tmp_path, lively_network, sequences, changes):
    detector = lively_network(num_classes=1)
    prepared = prepare_tracker(recipe_with(tmp_path, detector, sequences, **changes), torch.device("cpu"))
    model = prepared.task.model
    for name, tensor in fold_batch_norm(detector).state_dict().items():
        assert torch.equal(model.backbone.network.state_dict()[name], tensor), name
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    words = [f"{name}={value}" for name, value in changes.items()]
    assert main(["train", str(tmp_path / "recipe.yaml"), "-o", str(tmp_path / "run"), "device=cpu", *words]) == 0
    loaded = load_pretrained(tmp_path / "run" / "last")
    after = loaded.model.state_dict()
    moved = {name.partition(".")[0] for name, tensor in before.items() if not torch.equal(tensor, after[name])}
    assert moved >= {"neck", "query_source", "student", "dswr", "decoder"}
    assert "backbone" not in moved

    tracker = Tracker(QueryTracking.of(loaded.model, loaded.config))
    image = np.random.default_rng(0).integers(0, 255, (72, 96, 3), np.uint8)
    assert tracker.update(Frame(1, 0.0, image)).num_proposals > 0
