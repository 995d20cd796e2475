"""Averaged weights, against what they are defined as."""

from __future__ import annotations

import copy
import math

import torch

from vsdmot.models.yolox.network import YOLOX, YoloxConfig
from vsdmot.training.yolox.ema import AveragedYolox

SMALL = YoloxConfig(depth=0.33, width=0.0625)


def shaken(network: YOLOX, seed: int) -> YOLOX:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor += torch.rand(tensor.shape, generator=generator)
            else:
                tensor += 1
    return network


def test_it_is_the_moving_average_of_all_state():
    network = YOLOX(SMALL)
    average = AveragedYolox(network, decay=0.9, ramp=3.0)
    expected = {name: tensor.double() for name, tensor in copy.deepcopy(network.state_dict()).items()}
    for update in range(1, 6):
        shaken(network, update)
        average.update(network)
        kept = 0.9 * (1 - math.exp(-update / 3))
        for name, tensor in network.state_dict().items():
            expected[name] = kept * expected[name] + (1 - kept) * tensor.double()
    found = average.network.state_dict()
    for name, tensor in found.items():
        if name.endswith("num_batches_tracked"):
            assert tensor == network.state_dict()[name]
        else:
            torch.testing.assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-6)
    assert any(name.endswith("running_var") for name in found)


def test_it_goes_on_from_its_state():
    network = YOLOX(SMALL)
    whole = AveragedYolox(network, decay=0.9, ramp=3.0)
    whole.update(shaken(network, 1))
    resumed = AveragedYolox(YOLOX(SMALL), decay=0.9, ramp=3.0)
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    shaken(network, 2)
    for average in (whole, resumed):
        average.update(network)
    assert int(resumed.num_updates) == 2
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name])


def test_it_is_apart_from_the_network_and_never_trains():
    network = YOLOX(SMALL)
    average = AveragedYolox(network)
    before = copy.deepcopy(average.state_dict())
    shaken(network, 1)
    average.train()
    average.network(torch.rand(2, 3, 32, 32))
    assert all(torch.equal(tensor, before[name]) for name, tensor in average.state_dict().items())
    assert not any(parameter.requires_grad for parameter in average.parameters())
