"""Networks for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from vsdmot.detection.yolox.network import YOLOX, YoloxConfig

MakeNetwork = Callable[..., YOLOX]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads, which on a busy machine wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def lively_network() -> MakeNetwork:
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
