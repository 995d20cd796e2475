"""The network against the published sizes and names; decoding and letterbox against slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from vsdmot.detection.yolox.decoding import decode_boxes, decode_scores, to_image
from vsdmot.detection.yolox.letterbox import input_shape, letterbox, normalise
from vsdmot.errors import ConfigError
from vsdmot.models.yolox.blocks import BaseConv, Focus, fold_batch_norm
from vsdmot.models.yolox.network import VARIANTS, YOLOX, LevelOutput, YoloxConfig

TINY = YoloxConfig(depth=0.33, width=0.125, num_classes=3)


@pytest.mark.parametrize(
    ("name", "millions"), [("nano", 0.91), ("tiny", 5.06), ("s", 8.97), ("m", 25.3), ("l", 54.2), ("x", 99.1)]
)
def test_sizes_are_the_published_ones(name: str, millions: float):
    with torch.device("meta"):
        network = YOLOX(YoloxConfig.named(name, num_classes=80))
    count = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    digits = 1 if millions > 10 else 2
    assert round(count, digits) == millions
    assert network.config.name == f"YOLOX-{name}"


def test_key_names_are_the_published_ones():
    with torch.device("meta"):
        whole, split = (YOLOX(YoloxConfig.named(name, num_classes=80)).state_dict() for name in ("x", "nano"))
    for name, shape in {
        "backbone.backbone.stem.conv.conv.weight": (80, 12, 3, 3),
        "backbone.backbone.stem.conv.bn.running_var": (80,),
        "backbone.backbone.dark3.1.m.11.conv2.conv.weight": (160, 160, 3, 3),
        "backbone.backbone.dark5.1.conv2.conv.weight": (1280, 2560, 1, 1),
        "backbone.backbone.dark5.2.m.3.conv1.conv.weight": (640, 640, 1, 1),
        "backbone.lateral_conv0.conv.weight": (640, 1280, 1, 1),
        "backbone.C3_p3.m.3.conv2.conv.weight": (160, 160, 3, 3),
        "backbone.bu_conv2.conv.weight": (320, 320, 3, 3),
        "backbone.C3_n4.conv3.conv.weight": (1280, 1280, 1, 1),
        "head.stems.2.conv.weight": (320, 1280, 1, 1),
        "head.reg_convs.0.1.conv.weight": (320, 320, 3, 3),
        "head.cls_preds.0.bias": (80,),
        "head.reg_preds.1.weight": (4, 320, 1, 1),
        "head.obj_preds.2.weight": (1, 320, 1, 1),
    }.items():
        assert tuple(whole[name].shape) == shape, name
    assert tuple(split["backbone.bu_conv1.dconv.conv.weight"].shape) == (128, 1, 3, 3)
    assert tuple(split["head.cls_convs.0.1.pconv.conv.weight"].shape) == (64, 64, 1, 1)
    assert len(split) == 642  # entries of the published nano file


@pytest.mark.parametrize("depthwise", [False, True])
def test_outputs_have_one_cell_per_stride(depthwise: bool):
    network = YOLOX(YoloxConfig(depth=0.33, width=0.125, num_classes=3, depthwise=depthwise)).eval()
    levels = network(torch.rand(2, 3, 64, 96))
    assert [tuple(level.boxes.shape) for level in levels] == [(2, 4, 8, 12), (2, 4, 4, 6), (2, 4, 2, 3)]
    assert [tuple(level.classes.shape)[:2] for level in levels] == [(2, 3)] * 3
    assert [tuple(level.objectness.shape)[:2] for level in levels] == [(2, 1)] * 3


def test_objectness_comes_from_the_regression_branch(lively_network):
    network = lively_network()
    images = torch.rand(1, 3, 64, 64)
    before = network(images)[0]
    nn.init.zeros_(network.head.cls_convs[0][0].conv.weight)
    after = network(images)[0]
    torch.testing.assert_close(before.objectness, after.objectness)
    assert not torch.allclose(before.classes, after.classes)


def test_every_score_starts_at_1_percent_and_can_be_trained():
    network = YOLOX(TINY)
    for layer in (*network.head.cls_preds, *network.head.obj_preds):
        assert layer.bias.sigmoid().tolist() == pytest.approx([0.01] * len(layer.bias))
    sum(output.square().mean() for level in network(torch.rand(2, 3, 64, 64)) for output in level).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_normalisation_has_the_published_constants():
    norms = [module for module in YOLOX(TINY).modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.03)}


def test_focus_takes_the_corners_in_the_published_order():
    focus = Focus(3, 12).eval()
    with torch.no_grad():
        focus.conv.conv.weight.zero_()
        for channel in range(12):
            focus.conv.conv.weight[channel, channel, 1, 1] = 1
    images = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    got = focus.conv.conv(torch.cat([images[..., r::2, c::2] for r, c in ((0, 0), (1, 0), (0, 1), (1, 1))], dim=1))
    torch.testing.assert_close(focus(images), nn.functional.silu(got / math.sqrt(1 + 1e-3)))


@pytest.mark.parametrize("depthwise", [False, True])
def test_folding_keeps_the_outputs_and_the_original(lively_network, depthwise: bool):
    network = lively_network(depthwise=depthwise)
    folded = fold_batch_norm(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, BaseConv) and isinstance(module.bn, nn.BatchNorm2d) for module in network.modules())
    images = torch.rand(1, 3, 64, 64)
    for level, same in zip(network(images), folded(images), strict=True):
        for output, other in zip(level, same, strict=True):
            torch.testing.assert_close(output, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arguments", [{"depth": 0}, {"width": 0.001}, {"num_classes": 0}])
def test_sizes_out_of_range_are_refused(arguments: dict):
    with pytest.raises(ConfigError, match="must be"):
        YoloxConfig(**arguments)


def test_every_variant_can_be_named():
    assert [YoloxConfig.named(name).name for name in VARIANTS] == [f"YOLOX-{name}" for name in VARIANTS]


def random_levels(seed: int = 0) -> list[LevelOutput]:
    generator = torch.Generator().manual_seed(seed)

    def draw(channels: int, height: int, width: int) -> torch.Tensor:
        return torch.randn(2, channels, height, width, generator=generator)

    return [LevelOutput(draw(4, h, w), draw(1, h, w), draw(3, h, w)) for h, w in ((8, 12), (4, 6), (2, 3))]


def test_decoding_is_the_formula_cell_by_cell():
    levels = random_levels()
    boxes, scores = decode_boxes(levels), decode_scores(levels)
    assert boxes.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 4)
    cell = 0
    for level, stride in zip(levels, (8, 16, 32), strict=True):
        for row in range(level.boxes.shape[2]):
            for column in range(level.boxes.shape[3]):
                for b in range(2):
                    x, y, w, h = level.boxes[b, :, row, column].tolist()
                    centre = (x + column) * stride, (y + row) * stride
                    half = math.exp(w) * stride / 2, math.exp(h) * stride / 2
                    expected = [
                        centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1],
                    ]  # fmt: skip
                    assert boxes[b, cell].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-3)
                    for c in range(3):
                        product = 1.0
                        for logit in (level.objectness[b, 0, row, column], level.classes[b, c, row, column]):
                            product /= 1 + math.exp(-logit)
                        assert scores[b, cell, c].item() == pytest.approx(product, rel=1e-4)
                cell += 1


def test_a_stray_size_stays_finite():
    levels = random_levels()
    levels[0].boxes[:, 2:] = 1000.0
    assert decode_boxes(levels).isfinite().all()


@pytest.mark.parametrize(
    ("image", "size", "expected"),
    [
        ((480, 640), 640, (480, 640)),
        ((576, 768), 1024, (768, 1024)),
        ((1080, 1920), 640, (384, 640)),
        ((1920, 1080), 640, (640, 384)),
        ((500, 500), 640, (640, 640)),
        ((481, 640), 640, (512, 640)),
        ((1, 5000), 640, (32, 640)),
        ((1080, 1920), (800, 1440), (800, 1440)),
    ],
)
def test_the_input_follows_the_image(image: tuple[int, int], size, expected: tuple[int, int]):
    assert input_shape(*image, size) == expected


@pytest.mark.parametrize(
    ("image", "shape", "covered"),
    [
        ((480, 640), (480, 640), (480, 640)),
        ((481, 640), (512, 640), (481, 640)),
        ((1080, 1920), (800, 1440), (800, 1422)),  # 1920 * 800 / 1080 = 1422.2
        ((100, 70), (64, 64), (64, 44)),  # 44.8 is truncated
        ((1, 5000), (32, 640), (1, 640)),  # 0.128 would be no row at all
    ],
)
def test_the_image_sits_at_the_top_left_on_grey(image, shape, covered):
    pixels = np.zeros((*image, 3), np.uint8)
    padded, scale = letterbox(pixels, shape)
    assert padded.shape == (*shape, 3)
    assert scale == min(shape[0] / image[0], shape[1] / image[1])
    grey = (padded == 114).all(axis=-1)
    assert not grey[: covered[0], : covered[1]].any()
    assert grey[covered[0] :].all()
    assert grey[:, covered[1] :].all()


def test_both_input_conventions_pixel_by_pixel():
    images = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 3), dtype=np.uint8)
    legacy = normalise(torch.from_numpy(images), "legacy")
    current = normalise(torch.from_numpy(images), "current")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for row in range(4):
        for column in range(5):
            for channel in range(3):
                value = float(images[0, row, column, channel])
                expected = (value / 255 - mean[channel]) / std[channel]
                assert legacy[0, channel, row, column].item() == pytest.approx(expected, abs=1e-5)
                assert current[0, 2 - channel, row, column].item() == value


def test_boxes_come_back_to_the_image():
    boxes = np.array([[10, 20, 30, 60]], np.float32)
    np.testing.assert_allclose(to_image(boxes, 0.5), [[20, 40, 60, 120]])
