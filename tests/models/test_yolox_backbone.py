"""A detector as the tracker's backbone: the same numbers as the detector alone, and never trained."""

from __future__ import annotations

import pytest
import torch

from vsdmot.detection.yolox.letterbox import normalise
from vsdmot.errors import ConfigError
from vsdmot.models.backbone import YoloxBackbone
from vsdmot.models.student import StudentConfig
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.models.yolox.network import YoloxConfig
from vsdmot.tracking.preprocess import PreprocessConfig, preprocess

TINY = YoloxConfig(depth=0.33, width=0.125)


def tiny_tracker(**changes) -> VSDMOT:
    torch.manual_seed(0)
    settings = {
        "backbone": "yolox", "detector": TINY, "hidden_dim": 64, "num_heads": 4, "encoder_layers": 0,
        "decoder_layers": 1, "feedforward_dim": 32, "num_learned_queries": 2,
        "student": StudentConfig(hidden_dim=16, num_layers=1, feedforward_dim=16),
    }  # fmt: skip
    return VSDMOT(ModelConfig(**{**settings, **changes})).eval()


@pytest.fixture
def detector(lively_network):
    return lively_network(num_classes=1)


def test_it_gives_what_the_detector_gives(detector):
    backbone = YoloxBackbone(TINY)
    backbone.load(detector)
    images = torch.randn(2, 3, 64, 96)
    maps = backbone(images)
    for found, expected in zip(maps, detector.backbone(images), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    for found, expected in zip(backbone.detect(maps), detector(images), strict=True):
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_trackers_input_is_that_of_the_legacy_convention():
    image = torch.randint(0, 256, (64, 96, 3), dtype=torch.uint8)
    found = preprocess(image.numpy(), PreprocessConfig(short_side=64, long_side=96), torch.device("cpu"))
    torch.testing.assert_close(found, normalise(image[None], "legacy"), rtol=1e-5, atol=1e-5)


def test_maps_have_the_channels_that_it_says():
    backbone = YoloxBackbone(TINY)
    maps = backbone(torch.zeros(1, 3, 64, 96))
    assert [tuple(level.shape) for level in maps] == [
        (1, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(backbone.channels, (8, 16, 32), strict=True)
    ]


def test_it_is_frozen_even_in_training_mode(detector):
    backbone = YoloxBackbone(TINY)
    backbone.load(detector)
    images = torch.randn(2, 3, 64, 64, requires_grad=True)
    before = backbone(images)
    after = backbone.train()(images)
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not any(level.requires_grad for level in after)
    assert not any(output.requires_grad for level in backbone.detect(after) for output in level)
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in backbone.modules())


def test_loading_copies(detector):
    backbone = YoloxBackbone(TINY)
    backbone.load(detector)
    before = backbone(torch.ones(1, 3, 32, 32))[0]
    detector.backbone.C3_p3.conv3.conv.weight.data.zero_()
    assert torch.equal(backbone(torch.ones(1, 3, 32, 32))[0], before)


@pytest.mark.parametrize("size", [(64, 65), (48, 64), (31, 31)])
def test_sides_that_do_not_divide_are_refused(size):
    with pytest.raises(ValueError, match=rf"multiples of 32, got \({size[0]}, {size[1]}\)"):
        YoloxBackbone(TINY)(torch.zeros(1, 3, *size))


def test_the_detector_and_the_name_of_the_backbone_go_together():
    with pytest.raises(ConfigError, match="detector: must be given with backbone: yolox, and only with that"):
        ModelConfig(backbone="yolox")
    with pytest.raises(ConfigError, match="detector: must be given"):
        ModelConfig(detector=TINY)
    assert (tiny_tracker().config.multiple, ModelConfig().multiple) == (32, 1)


def test_without_encoder_the_memory_is_what_the_neck_gives():
    model = tiny_tracker()
    images = torch.randn(1, 3, 64, 96)
    memory = model.encode(images)
    maps, _ = model.neck(model.backbone(images), None)
    assert torch.equal(memory.tokens, maps.tokens)
    assert memory.sizes == ((8, 12), (4, 6), (2, 3), (1, 2))
    queries = model.query_source(torch.full((1, 2, 4), 0.4), torch.ones(1, 2))
    decoded = model.decode(memory, queries, torch.tensor([0.5])).decoded
    assert torch.isfinite(decoded.boxes).all()


@pytest.mark.parametrize("layers", [0, 1])
def test_one_pass_of_the_backbone_serves_both(layers):
    model = tiny_tracker(encoder_layers=layers)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.encode_features(model.backbone(images)).tokens, model.encode(images).tokens)
