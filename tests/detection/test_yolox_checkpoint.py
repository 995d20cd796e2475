"""Weights: every published wrapping loads; damaged, foreign and dangerous files are refused in one line."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vsdmot.detection.yolox.checkpoint import load_yolox, save_yolox, stem_gain
from vsdmot.detection.yolox.mmdet_names import published_names
from vsdmot.errors import CheckpointError, OutputError
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX, YoloxConfig


@pytest.fixture
def network(lively_network) -> YOLOX:
    return lively_network(num_classes=1)


def assert_same(loaded: YOLOX, network: YOLOX) -> None:
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for level, other in zip(loaded(images), network(images), strict=True):
        for one, two in zip(level, other, strict=True):
            torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "start_epoch": 300},
        lambda state: {"start_epoch": 1, "model": state, "best_ap": np.float64(0.4), "curr_ap": np.float32(0.4)},
        lambda state: {"model": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {"state_dict": state, "meta": {"epoch": 3}},
        lambda state: {"model": {name: tensor * 0 for name, tensor in state.items()}, "ema": state},
        lambda state: {"model": {name: t for name, t in state.items() if "num_batches_tracked" not in name}},
    ],
    ids=["bare", "YOLOX and ByteTrack", "NumPy scores", "data parallel", "state_dict", "averaged", "no counters"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "older format"])
def test_published_wrappings(tmp_path: Path, network: YOLOX, wrap, zipped: bool):
    path = tmp_path / "weights.pth.tar"
    torch.save(wrap(network.state_dict()), path, _use_new_zipfile_serialization=zipped)
    loaded = load_yolox(path, convention="legacy")
    assert_same(loaded.network, network)
    assert not loaded.network.training
    assert loaded.convention == "legacy"
    assert loaded.notes == (
        "weights.pth.tar: YOLOX (depth 0.333333, width 0.125), 1 class, input convention legacy, as set",
    )


def test_numpy_scores_under_their_older_name(tmp_path: Path, network: YOLOX):
    """Files from before NumPy 2 name the constructor of a number in another module."""
    new, old = tmp_path / "new.pth", tmp_path / "old.pth"
    torch.save({"model": network.state_dict(), "best_ap": np.float64(0.4)}, new)
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert_same(load_yolox(old, convention="legacy").network, network)


@pytest.mark.parametrize("name", ["nano", "s"])
def test_the_size_is_recognised(tmp_path: Path, name: str):
    network = YOLOX(YoloxConfig.named(name, num_classes=80))
    save_file(network.half().state_dict(), tmp_path / "a.safetensors")
    loaded = load_yolox(tmp_path / "a.safetensors", convention="current")
    assert loaded.network.config.name == f"YOLOX-{name}"
    assert loaded.network.config.num_classes == 80
    assert loaded.network.head.cls_preds[0].weight.dtype == torch.float32  # half-precision files run in full


def to_mmdet(name: str) -> str:
    """Spell a published key as mmdetection does, independently of the code under test."""
    blocks = {"conv1": "main_conv", "conv2": "short_conv", "conv3": "final_conv", "m": "blocks"}
    neck = {
        "lateral_conv0": "reduce_layers.0", "reduce_conv1": "reduce_layers.1",
        "C3_p4": "top_down_blocks.0", "C3_p3": "top_down_blocks.1",
        "bu_conv2": "downsamples.0", "bu_conv1": "downsamples.1",
        "C3_n3": "bottom_up_blocks.0", "C3_n4": "bottom_up_blocks.1",
    }  # fmt: skip
    heads = {
        "stems": "neck.out_convs", "cls_convs": "bbox_head.multi_level_cls_convs",
        "reg_convs": "bbox_head.multi_level_reg_convs", "cls_preds": "bbox_head.multi_level_conv_cls",
        "reg_preds": "bbox_head.multi_level_conv_reg", "obj_preds": "bbox_head.multi_level_conv_obj",
    }  # fmt: skip
    parts = [{"dconv": "depthwise_conv", "pconv": "pointwise_conv"}.get(part, part) for part in name.split(".")]
    if parts[0] == "head":
        return ".".join([heads[parts[1]], *parts[2:]])
    if parts[1] != "backbone":
        if parts[1].startswith("C3"):
            parts[2] = blocks[parts[2]]
        return ".".join(["neck", neck[parts[1]], *parts[2:]])
    parts = parts[1:]
    if parts[1].startswith("dark"):
        last = "2" if parts[1] == "dark5" else "1"
        if parts[2] == last:
            parts[3] = blocks[parts[3]]
        parts[1] = f"stage{int(parts[1][-1]) - 1}"
    return ".".join(parts)


@pytest.mark.parametrize("depthwise", [False, True])
def test_every_mmdet_name_is_mapped(depthwise: bool):
    with torch.device("meta"):
        state = YOLOX(YoloxConfig(depth=0.67, width=0.125, depthwise=depthwise)).state_dict()
    for prefix in ("", "detector.", "module.detector."):
        foreign = {prefix + to_mmdet(name): tensor for name, tensor in state.items()}
        assert len(foreign) == len(state)
        assert not foreign.keys() & state.keys()
        mapped = published_names(foreign)
        assert mapped.keys() == state.keys()
        assert all(mapped[name] is tensor for name, tensor in state.items())


def test_mmtracking_files_load_and_their_raw_copies_are_left_out(tmp_path: Path, network: YOLOX):
    state = {f"detector.{to_mmdet(name)}": tensor for name, tensor in network.state_dict().items()}
    raw = {f"ema_{name.replace('.', '_')}": tensor * 0 for name, tensor in state.items()}
    path = tmp_path / "bytetrack.pth"
    torch.save({"meta": {"epoch": 80}, "state_dict": {**state, **raw}}, path)
    assert_same(load_yolox(path, convention="legacy").network, network)


class TestConvention:
    def test_it_is_written_and_read_as_metadata(self, tmp_path: Path, network: YOLOX):
        for convention in ("legacy", "current"):
            save_yolox(tmp_path / "a.safetensors", network, convention)
            loaded = load_yolox(tmp_path / "a.safetensors")
            assert loaded.convention == convention
            assert "as its metadata says" in loaded.notes[0]
            assert_same(loaded.network, network)

    def test_a_config_beside_the_file_names_it(self, tmp_path: Path, network: YOLOX):
        torch.save(network.state_dict(), tmp_path / "a.pth")
        (tmp_path / "config.json").write_text(json.dumps({"input_convention": "current"}))
        assert load_yolox(tmp_path / "a.pth").convention == "current"
        (tmp_path / "config.json").write_text(json.dumps({"input_convention": "bgr"}))
        with pytest.raises(CheckpointError, match=r"config\.json: input_convention must be 'legacy' or 'current'"):
            load_yolox(tmp_path / "a.pth")
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(CheckpointError, match=r"config\.json: not readable as JSON"):
            load_yolox(tmp_path / "a.pth")

    def test_what_the_user_sets_wins(self, tmp_path: Path, network: YOLOX):
        save_yolox(tmp_path / "a.safetensors", network, "legacy")
        assert load_yolox(tmp_path / "a.safetensors", convention="current").convention == "current"

    @pytest.mark.parametrize(
        ("gain", "convention"), [(15.6, "legacy"), (3.5, "legacy"), (0.9, "current"), (0.2, "current")]
    )
    def test_else_the_scale_of_the_first_layer_tells(
        self, tmp_path: Path, network: YOLOX, gain: float, convention: str
    ):
        with torch.no_grad():
            network.backbone.backbone.stem.conv.conv.weight *= gain / stem_gain(network)
        torch.save(network.state_dict(), tmp_path / "a.pth")
        assert load_yolox(tmp_path / "a.pth").convention == convention

    def test_a_scale_between_the_two_is_not_guessed(self, tmp_path: Path, network: YOLOX):
        with torch.no_grad():
            network.backbone.backbone.stem.conv.conv.weight *= 2 / stem_gain(network)
        torch.save(network.state_dict(), tmp_path / "a.pth")
        with pytest.raises(
            CheckpointError, match=r"cannot tell the input convention .*set it to 'legacy' .* 'current'"
        ):
            load_yolox(tmp_path / "a.pth")

    def test_published_weights_are_legacy_and_current_once_rewritten(self, shared_data: Path, tmp_path: Path):
        path = shared_data / "weights" / "yolox_nano_coco_legacy.safetensors"
        loaded = load_yolox(path)
        assert (loaded.network.config.name, loaded.convention) == ("YOLOX-nano", "legacy")
        state = load_file(path)
        key = "backbone.backbone.stem.conv.conv.weight"
        deviations = torch.tensor([0.229, 0.224, 0.225]).repeat(4)[:, None, None] * 255
        state[key] = (state[key].float() / deviations).contiguous()
        save_file(state, tmp_path / "current.safetensors")
        assert load_yolox(tmp_path / "current.safetensors").convention == "current"


class TestRefusals:
    """What is no file of weights at all is refused by `vsdmot.io.weights`, see its tests."""

    def refuse(self, path: Path, message: str) -> None:
        with pytest.raises(CheckpointError, match=message) as caught:
            load_yolox(path, convention="legacy")
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)

    def test_another_network(self, tmp_path: Path):
        torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "a.pth")
        self.refuse(tmp_path / "a.pth", r"expected the weights of a YOLOX detector, found 1 others \(conv1\.weight")

    def test_weights_that_do_not_fit(self, tmp_path: Path, network: YOLOX):
        state = dict(network.state_dict())
        del state["head.obj_preds.1.bias"]
        state["head.extra.weight"] = torch.zeros(1)
        state["head.reg_preds.0.bias"] = torch.zeros(5)
        torch.save(state, tmp_path / "a.pth")
        faults = (
            "1 missing (first: head.obj_preds.1.bias), 1 unexpected (first: head.extra.weight), "
            "1 of another shape (first: head.reg_preds.0.bias)"
        )
        self.refuse(tmp_path / "a.pth", re.escape(faults))

    def test_weights_that_are_not_finite(self, tmp_path: Path, network: YOLOX):
        with torch.no_grad():
            network.head.stems[0].conv.weight[0, 0] = torch.nan
        torch.save(network.state_dict(), tmp_path / "a.pth")
        self.refuse(tmp_path / "a.pth", r"weight head\.stems\.0\.conv\.weight holds values that are not finite")

    def test_an_unknown_convention_in_the_metadata(self, tmp_path: Path, network: YOLOX):
        save_file(network.state_dict(), tmp_path / "a.safetensors", metadata={"input_convention": "rgb"})
        with pytest.raises(CheckpointError, match="must be 'legacy' or 'current', got 'rgb'"):
            load_yolox(tmp_path / "a.safetensors")

    def test_a_folder_that_is_missing(self, tmp_path: Path, network: YOLOX):
        with pytest.raises(OutputError, match="cannot write weights"):
            save_yolox(tmp_path / "missing" / "a.safetensors", network, "legacy")


class TestDetectorInATracker:
    """The backbone of a tracker, taken out of it."""

    @pytest.mark.parametrize("name", ["", "model.safetensors"])
    def test_it_is_the_detector_that_was_put_in(self, proposing_folder, lively_network, name):
        loaded = load_yolox(proposing_folder / name)
        assert loaded.convention == "legacy"
        assert "input convention legacy, as that of the tracker whose backbone it is" in loaded.notes[0]
        expected = fold_batch_norm(lively_network(0.5, num_classes=1))
        assert loaded.network.state_dict().keys() == expected.state_dict().keys()
        for weight, tensor in expected.state_dict().items():
            assert torch.equal(loaded.network.state_dict()[weight], tensor), weight
        images = torch.randn(1, 3, 64, 96)
        for level, other in zip(loaded.network(images), expected(images), strict=True):
            for output, wanted in zip(level, other, strict=True):
                torch.testing.assert_close(output, wanted, rtol=1e-4, atol=1e-4)

    def test_another_convention_is_refused(self, proposing_folder):
        with pytest.raises(CheckpointError, match="is 'legacy', not 'current'"):
            load_yolox(proposing_folder, convention="current")
        assert load_yolox(proposing_folder, convention="legacy").convention == "legacy"

    def test_a_tracker_without_detector_is_no_detector(self, tracker_folder):
        with pytest.raises(CheckpointError, match="expected the weights of a YOLOX detector"):
            load_yolox(tracker_folder)

    def test_damage_is_told(self, proposing_folder, tmp_path):
        tensors = load_file(proposing_folder / "model.safetensors")
        del tensors["backbone.network.backbone.C3_n4.conv3.conv.bias"]
        save_file(tensors, tmp_path / "model.safetensors")
        with pytest.raises(CheckpointError, match=r"1 missing \(first: backbone.C3_n4.conv3.conv.bias\)"):
            load_yolox(tmp_path)

    def test_an_empty_folder_says_what_was_expected(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"expected a file of weights, or a folder with model\.safetensors"):
            load_yolox(tmp_path)
