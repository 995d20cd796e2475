"""The published MOTRv2's numbers, frame by frame: ids exactly, values within the noise of the arithmetic."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot.models import published
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.tracking.lifecycle import NO_TRACK, LifecycleConfig
from vsdmot.tracking.preprocess import PreprocessConfig, preprocess
from vsdmot.tracking.query_tracking import Proposed, Step, empty_state, follow

LOGITS, BOXES, EMBEDDINGS = 1e-4, 1e-5, 1e-4


@pytest.fixture(scope="module")
def folder(shared_golden) -> Path:
    return shared_golden / "motrv2"


@pytest.fixture(scope="module")
def recipe(folder):
    """The module that makes weights, images and proposals from names."""
    spec = importlib.util.spec_from_file_location("golden_recipe", folder / "recipe.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models(folder, recipe):
    """Give networks by size, with the golden weights under their published names."""
    keys = {size: facts["keys"] for size, facts in json.loads((folder / "goldens.json").read_text()).items()}
    made: dict[str, VSDMOT] = {}

    def get(size: str) -> VSDMOT:
        if size not in made:
            state = {name: torch.from_numpy(recipe.weight(name, shape)) for name, shape in keys[size].items()}
            made[size] = VSDMOT(published.architecture(state)).eval()
            made[size].load_state_dict(published.rename(state))
        return made[size]

    return get


@pytest.mark.parametrize(
    ("size", "clip", "file"),
    [
        ("small", "small256", "infer_small_256x448"),
        ("small", "small241", "infer_small_padded"),
        ("small", "lifeC", "infer_small_life24"),
        ("full", "full256", "infer_full_256x448"),
    ],
)
def test_tracking_equals_the_published_code(folder, recipe, models, size, clip, file):
    golden = np.load(folder / f"{file}.npz")
    height, width, num_frames, miss_tolerance, _, _, padded_height, padded_width = (int(v) for v in golden["meta"])
    model, lifecycle = models(size), LifecycleConfig(miss_tolerance=miss_tolerance)
    state = empty_state(model)
    for t in range(num_frames):
        images = torch.zeros(1, 3, padded_height, padded_width)
        images[0, :, :height, :width] = torch.from_numpy(recipe.image(clip, t, height, width))
        mask = None
        if (padded_height, padded_width) != (height, width):
            mask = torch.ones(1, padded_height, padded_width, dtype=torch.bool)
            mask[:, :height, :width] = False
        proposals = torch.from_numpy(recipe.proposals(clip, t))[None]
        with torch.inference_mode():
            proposed = Proposed(proposals[..., :4], proposals[..., 4])
            step = follow(model, state, model.encode(images, mask), proposed, torch.ones(1), lifecycle)
        check_frame(golden, t, state, step)
        state = step.state


def check_frame(golden, t: int, before, step: Step) -> None:
    """Compare one frame with the golden file, as far as the file has an entry."""
    decoded, after = step.prediction.decoded, step.state
    published_ids = np.where(step.ids == NO_TRACK, -1, step.ids - 1)  # the published code counts from 0
    np.testing.assert_array_equal(published_ids, golden[f"t{t}/ids_all"])
    np.testing.assert_array_equal(step.missed, golden[f"t{t}/disappear_all"])
    np.testing.assert_array_equal(after.ids - 1, golden[f"t{t}/out_ids"])
    values = {
        "logits": (decoded.logits[-1, 0, :, None], LOGITS),
        "pboxes": (decoded.boxes[-1, 0], BOXES),
        "hs": (decoded.embeddings[0], EMBEDDINGS),
        "aux_logits": (decoded.logits[:-1, 0, :, None], LOGITS),
        "aux_boxes": (decoded.boxes[:-1, 0], BOXES),
        "out_ref": (after.queries.anchors[0], BOXES),
        "out_qpos": (after.queries.content[0], EMBEDDINGS),
    }
    compared = 0
    for name, (ours, tolerance) in values.items():
        if f"t{t}/{name}" in golden:
            np.testing.assert_allclose(ours.numpy(), golden[f"t{t}/{name}"], rtol=0, atol=tolerance, err_msg=name)
            compared += 1
    assert compared >= 2


def test_every_stage_before_the_decoder_equals_the_published_one(folder, recipe, models):
    golden = np.load(folder / "infer_small_256x448.npz")
    model = models("small")
    images = torch.from_numpy(recipe.image("small256", 0, 256, 448))[None]
    with torch.inference_mode():
        features = model.backbone(images)
        maps, positions = model.neck(features, None)
        memory = model.encoder(maps, positions)
    # The golden files keep every 37th spatial position.
    for name, feature in zip(("c3_s", "c4_s", "c5_s"), features, strict=True):
        sampled = feature[0].flatten(1).T[::37]
        np.testing.assert_allclose(sampled, golden[f"t0/{name}"], rtol=1e-4, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(maps.tokens[0, ::37], golden["t0/src_s"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(positions[0, ::37], golden["t0/enc_pos_s"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(memory.tokens[0, ::37], golden["t0/memory_s"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", ["108x192", "203x160", "90x240"])
def test_preprocessing_equals_the_published_one(folder, recipe, size):
    golden = np.load(folder / "preprocess.npz")
    height, width = map(int, size.split("x"))
    image = (255 * recipe.u(f"u8/{size}", (height, width, 3))).astype(np.uint8)
    result = preprocess(image, PreprocessConfig(), torch.device("cpu"))
    assert tuple(result.shape) == tuple(golden[f"{size}/shape"])
    np.testing.assert_allclose(result[0, :, ::16, ::16], golden[f"{size}/sample_s16"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(result[0].mean((1, 2)), golden[f"{size}/mean"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(result[0].std((1, 2)), golden[f"{size}/std"], rtol=0, atol=1e-4)
