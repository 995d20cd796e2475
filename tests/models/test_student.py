"""The student: Eq. 1-3 written out, and its size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vsdmot.errors import ConfigError
from vsdmot.models.student import Student, StudentConfig


def layer_by_hand(layer: torch.nn.TransformerEncoderLayer, x: Tensor, heads: int) -> Tensor:
    """One post-norm transformer encoder layer, head by head and row by row, from its definition."""
    width = x.shape[-1]
    size = width // heads
    attention = layer.self_attn
    q, k, v = (x @ attention.in_proj_weight.T + attention.in_proj_bias).split(width, dim=-1)
    rows = []
    for i in range(len(x)):
        parts = []
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            scores = torch.stack([(q[i, part] * k[j, part]).sum() / size**0.5 for j in range(len(x))])
            shares = scores.exp() / scores.exp().sum()
            parts.append(sum(shares[j] * v[j, part] for j in range(len(x))))
        rows.append(torch.cat(parts))
    x = norm_by_hand(layer.norm1, x + attention.out_proj(torch.stack(rows)))
    inner = (x @ layer.linear1.weight.T + layer.linear1.bias).clamp(min=0)
    return norm_by_hand(layer.norm2, x + inner @ layer.linear2.weight.T + layer.linear2.bias)


def norm_by_hand(norm: torch.nn.LayerNorm, x: Tensor) -> Tensor:
    rows = []
    for row in x:
        centred = row - row.mean()
        rows.append(centred / (centred.square().mean() + norm.eps).sqrt() * norm.weight + norm.bias)
    return torch.stack(rows)


def trained(dim: int, config: StudentConfig) -> Student:
    """A student that has left its starting point, at which all that it adds is zero."""
    student = Student(dim, config)
    torch.nn.init.normal_(student.output_proj.weight)
    torch.nn.init.normal_(student.output_proj.bias)
    return student


@pytest.mark.parametrize("mode", ["train", "eval"])  # torch takes a fused path in evaluation
def test_student_is_eq_1_to_3(mode):
    torch.manual_seed(0)
    config = StudentConfig(hidden_dim=12, num_layers=2, num_heads=3, feedforward_dim=10)
    student = trained(8, config)
    getattr(student, mode)()
    x = torch.randn(1, 5, 8)
    hidden = x[0] @ student.input_proj.weight.T + student.input_proj.bias  # Eq. 1
    for layer in student.encoder.layers:  # Eq. 2
        hidden = layer_by_hand(layer, hidden, heads=3)
    out = hidden @ student.output_proj.weight.T + student.output_proj.bias  # Eq. 3
    expected = out + x[0] @ student.residual.weight.T + student.residual.bias
    with torch.no_grad():
        torch.testing.assert_close(student(x).features[0], expected, atol=1e-5, rtol=1e-5)


def test_a_new_student_gives_back_the_query():
    student = Student(8, StudentConfig(hidden_dim=8))
    x = torch.randn(2, 3, 8)
    torch.testing.assert_close(student(x).features, x)


def test_a_new_student_learns_in_all_its_parts_from_the_second_step_on():
    torch.manual_seed(0)
    student = Student(8, StudentConfig(hidden_dim=8))
    optimiser = torch.optim.SGD(student.parameters(), lr=0.1)
    x, teacher = torch.randn(1, 4, 8), torch.randn(1, 4, 8)
    for _ in range(2):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(student(x).taught, teacher).backward()
        optimiser.step()
    assert all(parameter.grad.abs().max() > 0 for parameter in student.parameters())


def test_only_what_is_added_is_taught_when_asked():
    torch.manual_seed(0)
    student = trained(8, StudentConfig(hidden_dim=8, taught="addition")).eval()
    x = torch.randn(1, 4, 8)
    with torch.no_grad():
        said = student(x)
        torch.testing.assert_close(said.taught + student.residual(x), said.features)
        assert said.taught.abs().max() > 0.1
        printed = trained(8, StudentConfig(hidden_dim=8)).eval()(x)
        assert torch.equal(printed.taught, printed.features)


def test_default_student_has_the_size_that_table_viii_implies():
    assert sum(p.numel() for p in Student(256, StudentConfig()).parameters()) == 726_528


def test_order_of_queries_does_not_matter():
    student = trained(16, StudentConfig(hidden_dim=16)).eval()
    x = torch.randn(1, 6, 16, generator=torch.Generator().manual_seed(1))
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    with torch.no_grad():
        torch.testing.assert_close(student(x[:, order]).features, student(x).features[:, order], atol=1e-6, rtol=1e-5)


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="num_heads: must be a divisor of hidden_dim, got 5"):
        StudentConfig(hidden_dim=128, num_heads=5)


def test_image_context_is_read_as_further_rows_and_not_given_back():
    torch.manual_seed(0)
    config = StudentConfig(hidden_dim=12, num_layers=2, num_heads=3, feedforward_dim=10, context="image")
    student = trained(8, config).eval()
    x, frame = torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    hidden = torch.cat([student.input_proj(x[0]), student.context_proj(frame[0])])
    for layer in student.encoder.layers:
        hidden = layer_by_hand(layer, hidden, heads=3)
    expected = student.output_proj(hidden[:5]) + student.residual(x[0])
    with torch.no_grad():
        torch.testing.assert_close(student(x, frame).features[0], expected, atol=1e-5, rtol=1e-5)


def test_padding_of_the_image_context_is_not_seen():
    torch.manual_seed(0)
    student = trained(8, StudentConfig(hidden_dim=12, num_heads=3, feedforward_dim=10, context="image")).eval()
    x, frame = torch.randn(1, 4, 8), torch.randn(1, 3, 8)
    padded = torch.cat([frame, torch.full((1, 2, 8), 9.0)], dim=1)
    mask = torch.tensor([[False, False, False, True, True]])
    with torch.no_grad():
        torch.testing.assert_close(student(x, padded, mask).features, student(x, frame).features, atol=1e-5, rtol=1e-5)
        assert (student(x, padded).features - student(x, frame).features).abs().max() > 1e-3


def test_the_literal_student_sees_no_image():
    torch.manual_seed(0)
    student = trained(8, StudentConfig(hidden_dim=8)).eval()
    x = torch.randn(1, 4, 8)
    with torch.no_grad():
        assert torch.equal(student(x, torch.randn(1, 3, 8)).features, student(x).features)
