"""Saving, loading and refusing trackers."""

from __future__ import annotations

import argparse
import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import vsdmot
from vsdmot import Tracker
from vsdmot.config import from_mapping, to_mapping
from vsdmot.errors import CheckpointError, DeviceError, OutputError
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.structures import Proposals
from vsdmot.tracking import model_names
from vsdmot.tracking.lifecycle import LifecycleConfig
from vsdmot.tracking.pretrained import TrackerConfig, load_pretrained, save_pretrained


@pytest.fixture
def folder(tracker_folder, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tracker_folder, tmp_path / "tiny"))


def refusal(location) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_pretrained(location)
    return str(caught.value)


def test_everything_survives_a_round_trip(tmp_path):
    config = from_mapping(
        TrackerConfig,
        {
            "model": {"backbone": "resnet18", "hidden_dim": 64, "encoder_layers": 1, "dswr": None},
            "preprocessing": {"short_side": 100},
            "lifecycle": {"miss_tolerance": 7},
            "quality": {"noise_half": 0.3},
        },
    )
    model = VSDMOT(config.model)
    save_pretrained(tmp_path / "deep" / "m", model, config, {"trained": True, "seed": 5, "data": ["a"]})
    loaded = load_pretrained(tmp_path / "deep" / "m")
    assert to_mapping(loaded.config) == to_mapping(config)
    assert loaded.provenance == {"trained": True, "seed": 5, "data": ["a"]}
    assert loaded.trained
    assert not loaded.model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor), name


def test_the_weights_file_inside_the_folder_may_be_named_too(folder):
    assert load_pretrained(folder / "model.safetensors").provenance["seed"] == 0


def test_a_tracker_takes_settings_from_its_weights_unless_told_otherwise(folder):
    facts = json.loads((folder / "config.json").read_text())
    facts["lifecycle"]["miss_tolerance"] = 3
    (folder / "config.json").write_text(json.dumps(facts))

    def nothing(frame):
        return Proposals.empty()

    assert Tracker.from_pretrained(folder, proposals=nothing, device="cpu").method.lifecycle.miss_tolerance == 3
    own = LifecycleConfig(miss_tolerance=9)
    assert Tracker.from_pretrained(folder, proposals=nothing, lifecycle=own).method.lifecycle.miss_tolerance == 9
    with pytest.raises(DeviceError, match="cuda:77"):
        Tracker.from_pretrained(folder, proposals=nothing, device="cuda:77")


def test_a_published_checkpoint_loads_with_its_pickled_settings_unrun(tmp_path, shared_golden):
    """The file as MOTRv2 writes it: its key names, both copies of the heads, a Namespace of arguments."""
    keys = json.loads((shared_golden / "motrv2" / "goldens.json").read_text())["small"]["keys"]
    generator = torch.Generator().manual_seed(0)
    state = {name: 0.02 * torch.randn(shape, generator=generator) for name, shape in keys.items()}
    path = tmp_path / "motrv2.pth"
    torch.save({"model": state, "optimizer": {}, "epoch": 4, "args": argparse.Namespace(nheads=8, lr=2e-4)}, path)
    loaded = load_pretrained(path)
    assert (loaded.config.model.encoder_layers, loaded.config.model.decoder_layers) == (1, 2)
    assert loaded.model.student is None
    assert loaded.provenance["settings"] == {"nheads": 8, "lr": 2e-4}
    assert torch.equal(loaded.model.decoder.box_heads[1].layers[2].bias, state["bbox_embed.1.layers.2.bias"])
    assert torch.equal(loaded.model.neck.level_embedding, state["transformer.level_embed"])


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json, so this is not a vsdmot model"),
        (lambda f: (f / "config.json").write_text("{"), "not readable as JSON"),
        (lambda f: (f / "config.json").write_text("[]"), 'expected a vsdmot model with "format": "vsdmot/1"'),
        (lambda f: (f / "model.safetensors").unlink(), "no such file of weights"),
        (lambda f: (f / "model.safetensors").write_bytes(b"short"), "not readable as safetensors"),
    ],
)
def test_damaged_folders_are_one_clear_line(folder, damage, expected):
    damage(folder)
    message = refusal(folder)
    assert expected in message
    assert str(folder) in message
    assert "\n" not in message


def test_unknown_settings_in_the_config_are_named(folder):
    facts = json.loads((folder / "config.json").read_text())
    facts["model"]["hiden_dim"] = 3
    facts["model"]["num_points"] = 0
    (folder / "config.json").write_text(json.dumps(facts))
    message = refusal(folder)
    assert "model.hiden_dim: unknown setting; did you mean 'model.hidden_dim'?" in message
    assert "model.num_points: must be at least 1, got 0" in message


def test_weights_that_do_not_fit_their_architecture_say_how(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["dswr.bias"]
    tensors["dswr.slope"] = torch.zeros(2)
    tensors["extra"] = torch.zeros(1)
    save_file(tensors, folder / "model.safetensors")
    message = refusal(folder)
    assert "1 entries missing (first: dswr.bias)" in message
    assert "1 entries unknown (first: extra)" in message
    assert "of another size (first: dswr.slope is (2,), expected ())" in message


def test_other_trackers_of_the_family_are_told_apart(tmp_path, shared_golden):
    keys = json.loads((shared_golden / "motrv2" / "goldens.json").read_text())["small"]["keys"]
    state = {name: torch.zeros(shape) for name, shape in keys.items()}
    state["position_offset.weight"] = torch.zeros(3, 4)
    torch.save({"model": state}, tmp_path / "comot.pth")
    assert "of the MOTR family, but not MOTRv2: it has position_offset.weight" in refusal(tmp_path / "comot.pth")


@pytest.mark.parametrize("name", ["./none/here", "none.pth", "/no/such/folder", "plain", "a/b/c"])
def test_names_that_lead_nowhere_say_what_was_expected(name):
    assert "no such weights; expected a folder with model.safetensors and config.json" in refusal(name)


def test_a_hub_that_cannot_be_reached_names_the_way_out(monkeypatch):
    """The download itself is the hub library's; here the network refuses, as it does behind a firewall."""
    import huggingface_hub

    def refuse(name, **_):
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection\nand more lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    message = refusal("somebody/some-model")
    assert message.startswith("somebody/some-model: no such folder here, and not to be had from the Hugging Face hub")
    assert "give the path of its folder" in message
    assert "\n" not in message


def test_a_hub_that_answers_is_read_like_a_folder(monkeypatch, folder):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(folder))
    assert load_pretrained("somebody/some-model").location == "somebody/some-model"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path, tracker_folder):
    (tmp_path / "file").touch()
    loaded = load_pretrained(tracker_folder)
    with pytest.raises(OutputError, match="cannot save weights"):
        save_pretrained(tmp_path / "file" / "m", loaded.model, loaded.config, {})


def test_half_precision_is_half_the_size_and_rounds_to_eleven_bits(tracker_folder, tmp_path):
    whole = load_pretrained(tracker_folder)
    save_pretrained(tmp_path / "half", whole.model, whole.config, whole.provenance, half=True)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (tracker_folder, tmp_path / "half")]
    assert sizes[1] / sizes[0] == pytest.approx(0.5, abs=0.02)
    assert {tensor.dtype for tensor in load_file(tmp_path / "half" / "model.safetensors").values()} == {torch.float16}
    halved = load_pretrained(tmp_path / "half")
    assert to_mapping(halved.config) == to_mapping(whole.config)
    for name, tensor in whole.model.state_dict().items():
        found = halved.model.state_dict()[name]
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, tensor, rtol=2**-11, atol=2**-24)


def test_what_does_not_fit_into_16_bits_is_not_saved_in_them(tracker_folder, tmp_path):
    loaded = load_pretrained(tracker_folder)
    with torch.no_grad():
        loaded.model.neck.level_embedding[0, 0] = 70000.0
    with pytest.raises(OutputError, match=r"neck\.level_embedding has a value of 7e\+04, too large for 16 bits"):
        save_pretrained(tmp_path / "half", loaded.model, loaded.config, {}, half=True)
    assert not (tmp_path / "half").exists()


def test_a_name_leads_to_the_folder_in_the_package(monkeypatch, tmp_path, proposing_folder):
    """The folder is another one here, so that the test does not depend on which weights were shipped."""
    monkeypatch.setattr(model_names, "weights_folder", lambda: tmp_path)
    message = refusal("vsdmot-nano")
    assert message.startswith("vsdmot-nano: this package was built without these weights; install a release")
    assert not model_names.is_shipped("vsdmot-nano")
    shutil.copytree(proposing_folder, tmp_path / "vsdmot-nano")
    assert model_names.is_shipped("vsdmot-nano")
    assert load_pretrained("vsdmot-nano").location == "vsdmot-nano"
    tracker = Tracker.from_pretrained("vsdmot-nano", device="cpu")
    assert tracker.update(np.full((72, 96, 3), 90, np.uint8)).num_proposals > 0


def test_a_folder_of_that_name_here_wins(monkeypatch, tmp_path, folder):
    monkeypatch.chdir(tmp_path)
    folder.rename(tmp_path / "vsdmot-nano")
    assert load_pretrained("vsdmot-nano").provenance["seed"] == 0


def test_the_packages_weights_are_beside_its_modules_and_in_its_build():
    assert model_names.weights_folder() == Path(vsdmot.__file__).resolve().parent / "weights"
    assert model_names.shipped_folder("somebody/else") is None
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["vsdmot"]
    for name in ("model.safetensors", "config.json", "README.md"):
        path = Path("weights") / model_names.DEFAULT / name
        assert any(path.match(pattern) for pattern in patterns), path
