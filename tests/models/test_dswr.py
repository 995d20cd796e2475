"""DSWR: Eq. 13 and 14 entry by entry, and the principle that the equation alone does not hold."""

from __future__ import annotations

import math

import pytest
import torch

from vsdmot.errors import ConfigError
from vsdmot.models.dswr import DSWR, DSWRConfig


def test_weight_is_eq_13():
    module = DSWR(DSWRConfig(slope=-2.5, bias=0.7))
    for quality in (0.0, 0.35, 1.0):
        expected = 1 / (1 + math.exp(-(-2.5 * quality + 0.7)))
        assert module.semantic_weight(torch.tensor([quality])).item() == pytest.approx(expected, abs=1e-6)


def test_fusion_is_eq_14_entry_by_entry():
    semantic, query = torch.rand(2, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    fused, weight = DSWR()(semantic, query, quality=torch.tensor([0.3, 0.9]))
    for b in range(2):
        for i in range(3):
            for d in range(4):
                expected = weight[b] * semantic[b, i, d] + (1 - weight[b]) * query[b, i, d]
                torch.testing.assert_close(fused[b, i, d], expected)


@pytest.mark.parametrize("push", [-50.0, -1.0, 0.0, 3.0, 50.0])
def test_lower_quality_never_gives_less_semantic_weight_whatever_training_does(push):
    module = DSWR()
    with torch.no_grad():
        module.slope.fill_(push)
    weights = module.semantic_weight(torch.linspace(0, 1, 11))
    assert (weights.diff() <= 0).all()


def test_free_sign_is_the_literal_equation():
    module = DSWR(DSWRConfig(slope=2.0, bias=-1.0, sign="free"))
    weights = module.semantic_weight(torch.tensor([0.0, 1.0]))
    assert weights.tolist() == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])


def test_a_rising_start_is_refused_where_the_sign_is_held():
    with pytest.raises(ConfigError, match="slope: must be below 0"):
        DSWRConfig(slope=1.0)


def test_both_terms_learn():
    module = DSWR()
    fused, _ = module(torch.ones(1, 2, 3), torch.zeros(1, 2, 3), torch.tensor([0.5]))
    fused.sum().backward()
    assert module.slope.grad.item() != 0
    assert module.bias.grad.item() != 0
