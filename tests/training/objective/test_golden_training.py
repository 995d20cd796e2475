"""The published MOTRv2's numbers for a training clip: who is whom exactly, losses and gradients within the noise."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot.models import published
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.training.clips.clip import ClipFrame, num_boxes
from vsdmot.training.objective.clip_forward import ClipLossConfig, ClipModel, freeze_stem

TERMS = ("loss_ce", "loss_bbox", "loss_giou")


@pytest.fixture(scope="module")
def golden(shared_golden):
    """Give the recipe's module, the facts of the clip, and what the published code gave."""
    folder: Path = shared_golden / "motrv2"
    spec = importlib.util.spec_from_file_location("golden_recipe", folder / "recipe.py")
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    facts = json.loads((folder / "goldens.json").read_text())["small"]
    return recipe, facts, np.load(folder / "train_small.npz")


def make(golden, config: ClipLossConfig):
    """Give the clip, its denoising noise and the network with the golden weights."""
    recipe, facts, _ = golden
    state = {name: torch.from_numpy(recipe.weight(name, shape, train=True)) for name, shape in facts["keys"].items()}
    model = VSDMOT(published.architecture(state))
    model.load_state_dict(published.rename(state))
    freeze_stem(model)
    train, frames, noise = facts["train"], [], []
    for t in range(train["frames"]):
        ids, boxes = recipe.gts(train["clip"], t)
        proposals = torch.from_numpy(recipe.proposals(train["clip"], t))
        frames.append(
            ClipFrame(
                image=torch.from_numpy(recipe.image(train["clip"], t, train["h"], train["w"])),
                boxes=torch.from_numpy(boxes),
                ids=torch.from_numpy(ids),
                proposals=proposals[:, :4],
                scores=proposals[:, 4],
                quality=1.0,
                teacher=None,
                name=f"golden/{t}",
            )
        )
        noise.append(torch.from_numpy(recipe.denoise_noise(train["clip"], t, len(ids))))
    return tuple(frames), noise, ClipModel(model.train(), config)


@pytest.fixture(scope="module")
def run(golden):
    """Unroll the clip once, and take the gradients of the published sum of losses."""
    clip, noise, clip_model = make(golden, ClipLossConfig())
    assert num_boxes(clip) == golden[1]["train"]["num_samples"]
    steps = clip_model.unroll(clip, noise=noise)
    terms = torch.stack([step.judged.terms for step in steps]) / num_boxes(clip)
    total = (terms * torch.tensor(clip_model.config.weights.by_kind())).sum()
    total.backward()
    return steps, terms.detach(), float(total.detach()), clip_model.model


def published_name(name: str) -> str | None:
    """Our name of a published entry; the second registration of the heads goes by the first."""
    name = name.removeprefix("transformer.decoder.") if "transformer.decoder.bbox_embed" in name else name
    return next(iter(published.rename({name: torch.empty(0)})), None)


def test_ids_in_matches_and_carried_tracks_are_those_of_the_published_code(golden, run):
    numbers = golden[2]
    for t, step in enumerate(run[0]):
        np.testing.assert_array_equal(step.query_ids, numbers[f"t{t}/ids_in"])
        np.testing.assert_array_equal(step.judged.matches.ids, numbers[f"t{t}/ids_matched"])
        np.testing.assert_array_equal(step.judged.matches.person_of, numbers[f"t{t}/gt_idx"])
        if step.tracks is not None:
            np.testing.assert_array_equal(step.tracks.ids, numbers[f"t{t}/kept_ids"])
            queries = step.tracks.queries
            np.testing.assert_allclose(queries.anchors[0].detach(), numbers[f"t{t}/kept_ref"], rtol=0, atol=1e-5)
            np.testing.assert_allclose(queries.content[0].detach(), numbers[f"t{t}/kept_qpos"], rtol=0, atol=1e-4)


def test_predictions_are_those_of_the_published_code(golden, run):
    numbers = golden[2]
    for t, step in enumerate(run[0]):
        decoded, real = step.prediction.decoded, len(step.query_ids)
        logits, boxes = decoded.logits[:, 0].detach(), decoded.boxes[:, 0].detach()
        np.testing.assert_allclose(logits[-1, :real, None], numbers[f"t{t}/logits"], rtol=0, atol=1e-4)
        np.testing.assert_allclose(boxes[-1, :real], numbers[f"t{t}/pboxes"], rtol=0, atol=1e-5)
        # The published code puts the last layer of denoising queries first.
        layers = [len(logits) - 1, *range(len(logits) - 1)]
        np.testing.assert_allclose(logits[layers, real:, None], numbers[f"t{t}/ps_logits"], rtol=0, atol=1e-4)
        np.testing.assert_allclose(boxes[layers, real:], numbers[f"t{t}/ps_boxes"], rtol=0, atol=1e-5)


def test_every_published_loss_is_met_and_there_is_no_other(golden, run):
    _, terms, total, _ = run
    expected = golden[1]["train"]["losses"]
    found = {}
    num_frames, num_layers, _ = terms.shape
    for t in range(num_frames):
        for layer in range(num_layers):
            last = layer == num_layers - 1
            prefix = f"frame_{t}_" if last else f"frame_{t}_aux{layer}_"
            denoising = f"frame_{t}_ps0_" if last else f"frame_{t}_ps{layer + 1}_"
            names = [prefix + name for name in TERMS] + [denoising + name for name in TERMS[1:]]
            found.update(zip(names, terms[t, layer].tolist(), strict=True))
    assert found == pytest.approx(expected, rel=1e-4)
    assert total == pytest.approx(golden[1]["train"]["total"], rel=1e-4)


def test_every_gradient_norm_is_met_and_the_frozen_parameters_have_none(golden, run):
    train, parameters = golden[1]["train"], dict(run[3].named_parameters())
    norms = {published_name(name): norm for name, norm in train["grad_norms"].items()}
    frozen = {published_name(name) for name in train["no_grad"]}
    assert norms.keys() | frozen == parameters.keys()
    assert {name for name, parameter in parameters.items() if not parameter.requires_grad} == frozen
    found = {name: float(parameters[name].grad.norm()) for name in norms}
    assert found == pytest.approx(norms, rel=1e-3)
    overall = sum(norm**2 for norm in found.values()) ** 0.5
    assert overall == pytest.approx(train["grad_norm_total"], rel=1e-3)


def test_checkpointing_frame_by_frame_gives_the_same_gradients(golden, run):
    clip, noise, clip_model = make(golden, ClipLossConfig(encode_together=False, checkpointing=True))
    steps = clip_model.unroll(clip, noise=noise)
    terms = torch.stack([step.judged.terms for step in steps]) / num_boxes(clip)
    total = (terms * torch.tensor(clip_model.config.weights.by_kind())).sum()
    total.backward()
    assert float(total.detach()) == pytest.approx(run[2], rel=1e-6)
    for (name, ours), reference in zip(clip_model.model.named_parameters(), run[3].parameters(), strict=True):
        if reference.requires_grad:
            scale = float(reference.grad.abs().max()) + 1e-12
            torch.testing.assert_close(ours.grad / scale, reference.grad / scale, rtol=0, atol=1e-4, msg=name)
