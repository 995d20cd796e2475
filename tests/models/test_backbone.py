"""The backbone: frozen normalisation and published names."""

from __future__ import annotations

import pytest
import torch

from vsdmot.models.backbone import FrozenBatchNorm2d, ResNet


def test_frozen_normalisation_is_its_formula_and_has_no_parameters():
    torch.manual_seed(0)
    norm = FrozenBatchNorm2d(3)
    for buffer in (norm.weight, norm.bias, norm.running_mean):
        buffer.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 4, 5)
    for c in range(3):
        expected = (x[:, c] - norm.running_mean[c]) / (norm.running_var[c] + 1e-5).sqrt()
        torch.testing.assert_close(norm.train()(x)[:, c], expected * norm.weight[c] + norm.bias[c])
    assert not list(norm.parameters())


def test_resnet50_has_the_published_names_and_size():
    state = ResNet("resnet50").state_dict()
    assert len(state) == 53 + 4 * 53  # convolutions, and four buffers for each normalisation
    assert state["layer3.5.conv3.weight"].shape == (1024, 256, 1, 1)
    assert "layer2.0.downsample.1.running_var" in state
    assert sum(p.numel() for p in ResNet("resnet50").parameters()) == 23_454_912


@pytest.mark.parametrize("size", [(1, 1), (33, 65), (64, 31)])
def test_any_size_is_rounded_up_at_every_stride(size):
    with torch.no_grad():
        maps = ResNet("resnet18")(torch.zeros(1, 3, *size))
    for stride, level in zip((8, 16, 32), maps, strict=True):
        assert tuple(level.shape[2:]) == tuple(-(-side // stride) for side in size)
