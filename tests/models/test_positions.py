"""Sine encodings against their formula, entry by entry."""

from __future__ import annotations

import math

import pytest
import torch

from vsdmot.models.positions import inverse_sigmoid, sine_embedding, sine_grid


def test_embedding_is_the_formula_entry_by_entry():
    values = torch.tensor([[0.0, 0.3], [1.0, -0.2]])
    encoded = sine_embedding(values, dim=6)
    assert encoded.shape == (2, 12)
    for row in range(2):
        for number in range(2):
            for k in range(6):
                angle = 2 * math.pi * values[row, number].item() / 10_000 ** (2 * (k // 2) / 6)
                expected = math.sin(angle) if k % 2 == 0 else math.cos(angle)
                assert encoded[row, number * 6 + k].item() == pytest.approx(expected, abs=1e-5)


def test_grid_measures_positions_within_the_part_that_is_image():
    mask = torch.ones(1, 4, 5, dtype=torch.bool)
    mask[:, :3, :2] = False
    grid = sine_grid(4, 5, 8, mask, torch.device("cpu")).view(4, 5, 8)
    for row in range(3):
        for column in range(2):
            y, x = (row + 0.5) / (3 + 1e-6), (column + 0.5) / (2 + 1e-6)
            expected = torch.cat([sine_embedding(torch.tensor([y]), 4), sine_embedding(torch.tensor([x]), 4)])
            torch.testing.assert_close(grid[row, column], expected)


def test_grid_without_mask_is_the_grid_of_an_image_without_padding():
    unpadded = torch.zeros(2, 3, 4, dtype=torch.bool)
    with_mask = sine_grid(3, 4, 8, unpadded, torch.device("cpu"))
    without = sine_grid(3, 4, 8, None, torch.device("cpu"))
    torch.testing.assert_close(with_mask, without.expand(2, -1, -1))


def test_inverse_sigmoid_undoes_sigmoid_and_stays_finite_at_the_ends():
    x = torch.tensor([-3.0, 0.0, 4.0])
    torch.testing.assert_close(inverse_sigmoid(x.sigmoid()), x, atol=1e-4, rtol=1e-4)
    assert torch.isfinite(inverse_sigmoid(torch.tensor([-1.0, 0.0, 1.0, 2.0]))).all()
