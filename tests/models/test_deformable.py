"""Deformable attention against a loop over every query, head, level, point and corner."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from vsdmot.models import deformable
from vsdmot.models.deformable import DeformableAttention, sample_weighted

SIZES = ((5, 7), (3, 4), (1, 2))


def slow_sum(value: Tensor, sizes, locations: Tensor, weights: Tensor) -> Tensor:
    """Deformable DETR's definition, term by term; a cell outside its map counts as zero."""
    B, N, M, L, P, _ = locations.shape
    width_of_head = value.shape[-1] // M
    out = torch.zeros(B, N, value.shape[-1], dtype=value.dtype)
    starts = [sum(h * w for h, w in sizes[:level]) for level in range(L)]
    for b in range(B):
        for n in range(N):
            for m in range(M):
                channels = slice(m * width_of_head, (m + 1) * width_of_head)
                for level, (height, width) in enumerate(sizes):
                    for p in range(P):
                        x = locations[b, n, m, level, p, 0].item() * width - 0.5
                        y = locations[b, n, m, level, p, 1].item() * height - 0.5
                        for row in (math.floor(y), math.floor(y) + 1):
                            for column in (math.floor(x), math.floor(x) + 1):
                                if 0 <= row < height and 0 <= column < width:
                                    share = (1 - abs(y - row)) * (1 - abs(x - column))
                                    cell = starts[level] + row * width + column
                                    out[b, n, channels] += weights[b, n, m, level, p] * share * value[b, cell, channels]
    return out


def draw(B: int, N: int, M: int, P: int, D: int, seed: int, spread: float = 1.0):
    generator = torch.Generator().manual_seed(seed)
    cells = sum(h * w for h, w in SIZES)
    value = torch.randn(B, cells, D, generator=generator, dtype=torch.float64)
    locations = 0.5 + spread * torch.randn(B, N, M, len(SIZES), P, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(B, N, M, len(SIZES), P, generator=generator, dtype=torch.float64)
    return value, locations, weights


@pytest.mark.parametrize("spread", [0.2, 1.0, 30.0], ids=["inside", "over the edge", "far outside"])
def test_sampling_equals_the_slow_loop(spread):
    value, locations, weights = draw(B=2, N=4, M=2, P=3, D=6, seed=1, spread=spread)
    fast = sample_weighted(value, SIZES, locations, weights)
    torch.testing.assert_close(fast, slow_sum(value, SIZES, locations, weights))


@pytest.mark.parametrize("at", [0.0, 1.0, 0.5, 0.5 / 7, 1 - 0.5 / 7])
def test_sampling_on_edges_and_cell_centres_equals_the_slow_loop(at):
    value, locations, weights = draw(B=1, N=1, M=1, P=1, D=2, seed=2)
    locations = torch.full_like(locations, at)
    fast = sample_weighted(value, SIZES, locations, weights)
    torch.testing.assert_close(fast, slow_sum(value, SIZES, locations, weights))


def test_chunks_do_not_change_the_result(monkeypatch):
    value, locations, weights = draw(B=2, N=11, M=2, P=2, D=4, seed=3)
    whole = sample_weighted(value, SIZES, locations, weights)
    monkeypatch.setattr(deformable, "CPU_CHUNK", 4)
    torch.testing.assert_close(sample_weighted(value, SIZES, locations, weights), whole)


def test_no_queries_give_no_rows():
    value, locations, weights = draw(B=1, N=0, M=2, P=2, D=4, seed=4)
    assert sample_weighted(value, SIZES, locations, weights).shape == (1, 0, 4)


def test_gradients_equal_finite_differences():
    value, locations, weights = draw(B=1, N=2, M=2, P=1, D=4, seed=5, spread=0.2)
    for tensor in (value, locations, weights):
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v, loc, w: sample_weighted(v, SIZES, loc, w), (value, locations, weights), atol=1e-4
    )


@pytest.mark.parametrize("box", [False, True], ids=["points", "boxes"])
def test_module_places_samples_as_defined(box):
    """Offsets count cells from a point, and half a box divided by the number of points from a box."""
    torch.manual_seed(0)
    dim, heads, points, queries = 8, 2, 3, 4
    module = DeformableAttention(dim, heads, len(SIZES), points).double()
    torch.nn.init.normal_(module.sampling_offsets.weight)
    torch.nn.init.normal_(module.attention_weights.weight)
    cells = sum(h * w for h, w in SIZES)
    query, memory = torch.randn(1, queries, dim).double(), torch.randn(1, cells, dim).double()
    references = torch.rand(1, queries, len(SIZES), 4 if box else 2).double()
    mask = torch.rand(1, cells) < 0.3

    offsets = module.sampling_offsets(query).view(1, queries, heads, len(SIZES), points, 2)
    weights = module.attention_weights(query).view(1, queries, heads, -1).softmax(-1)
    locations = torch.empty_like(offsets)
    for n in range(queries):
        for level, (height, width) in enumerate(SIZES):
            reference = references[0, n, level]
            step = reference[2:] * 0.5 / points if box else 1 / torch.tensor([width, height]).double()
            locations[0, n, :, level] = reference[:2] + offsets[0, n, :, level] * step
    value = module.value_proj(memory)
    value[mask] = 0
    expected = module.output_proj(slow_sum(value, SIZES, locations, weights.view(offsets.shape[:-1])))
    torch.testing.assert_close(module(query, references, memory, SIZES, mask), expected)


def test_the_start_looks_in_a_ring_of_directions():
    module = DeformableAttention(8, num_heads=8, num_levels=2, num_points=3)
    ring = module.sampling_offsets.bias.view(8, 2, 3, 2)
    assert ring[0, 0, 1].tolist() == pytest.approx([2, 0])
    assert ring[2, 1, 0].tolist() == pytest.approx([0, 1], abs=1e-6)
    assert ring[1, 0, 2].tolist() == pytest.approx([3, 3])
