"""DCSD against slow loops; what Eq. 4-12 cannot do, proved; what the anchored variant changes."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vsdmot.config import from_mapping, to_mapping
from vsdmot.errors import ConfigError
from vsdmot.training.distillation.dcsd import DistillationConfig, Distiller, align, attend, orthogonal

SIZES = [(1, 1), (2, 1), (7, 1), (1, 4), (2, 3), (4, 4), (5, 9), (9, 5)]
"""Queries N and teacher rows m."""


def features(num_queries: int, num_rows: int, dim: int = 6, width: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    semantic = torch.randn(1, num_queries, dim, generator=generator, requires_grad=True)
    return semantic, 0.5 + torch.randn(num_rows, width, generator=generator)


def slow_projection(distiller: Distiller, teacher: Tensor) -> list[list[float]]:
    """Eq. 4, one number after the other."""
    rows = teacher.double().tolist()
    if distiller.anchored:
        matrix, bias = distiller.anchor.double().tolist(), [0.0] * distiller.dim
        for i, row in enumerate(rows):
            mean = sum(row) / len(row)
            variance = sum((value - mean) ** 2 for value in row) / len(row)
            rows[i] = [(value - mean) / math.sqrt(variance + 1e-5) for value in row]
    else:
        matrix = distiller.teacher_proj.weight.detach().double().tolist()
        bias = distiller.teacher_proj.bias.detach().double().tolist()
    return [
        [sum(matrix[d][k] * row[k] for k in range(len(row))) + bias[d] for d in range(distiller.dim)] for row in rows
    ]


def slow_interpolation(rows: list[list[float]], length: int) -> list[list[float]]:
    """Eq. 5."""
    result = []
    for i in range(length):
        position = max((i + 0.5) * len(rows) / length - 0.5, 0.0)
        lower = min(int(position), len(rows) - 1)
        upper = min(lower + 1, len(rows) - 1)
        part = position - lower
        result.append([(1 - part) * a + part * b for a, b in zip(rows[lower], rows[upper], strict=True)])
    return result


def slow_attention(student: list[list[float]], rows: list[list[float]], temperature: float) -> list[list[float]]:
    """Eq. 6-9."""

    def unit(row):
        norm = math.sqrt(sum(value**2 for value in row))
        return [value / norm for value in row]

    result = []
    for one in student:
        scores = [sum(a * b for a, b in zip(unit(one), unit(row), strict=True)) / temperature for row in rows]
        powers = [math.exp(score) for score in scores]
        attention = [power / sum(powers) for power in powers]
        result.append([sum(attention[j] * rows[j][d] for j in range(len(rows))) for d in range(len(one))])
    return result


def slow_losses(student: list[list[float]], weighted: list[list[float]], rows: list[list[float]]):
    """Eq. 10 and 11."""
    dim = len(student[0])
    local = 0.0
    for one, other in zip(student, weighted, strict=True):
        for a, b in zip(one, other, strict=True):
            local += (a - b) ** 2 / (len(student) * dim)
    overall = 0.0
    for d in range(dim):
        overall += abs(sum(r[d] for r in student) / len(student) - sum(r[d] for r in rows) / len(rows)) / dim
    return local, overall


@pytest.mark.parametrize("temperature", [2.0, 0.07])
@pytest.mark.parametrize(("num_queries", "num_rows"), SIZES)
def test_the_literal_loss_is_eq_4_to_12_number_by_number(num_queries, num_rows, temperature):
    semantic, teacher = features(num_queries, num_rows)
    distiller = Distiller(6, 8, DistillationConfig(temperature=temperature))
    with torch.no_grad():
        distiller.balance.copy_(torch.tensor([0.7, -0.4]))
    loss = distiller(semantic, teacher)

    student = semantic[0].detach().double().tolist()
    aligned = slow_interpolation(slow_projection(distiller, teacher), num_queries)
    local, overall = slow_losses(student, slow_attention(student, aligned, temperature), aligned)
    first = math.exp(0.7) / (math.exp(0.7) + math.exp(-0.4))
    assert float(loss.parts["distill_local"]) == pytest.approx(local, rel=1e-5)
    assert float(loss.parts["distill_global"]) == pytest.approx(overall, rel=1e-5)
    assert float(loss.total.detach()) == pytest.approx(first * local + (1 - first) * overall, rel=1e-5)
    assert float(loss.monitors["w_local"]) == pytest.approx(first)
    assert float(loss.monitors["w_global"]) == pytest.approx(1 - first)


@pytest.mark.parametrize(("num_queries", "num_rows"), SIZES)
def test_the_anchored_loss_number_by_number(num_queries, num_rows):
    semantic, teacher = features(num_queries, num_rows)
    distiller = Distiller(6, 8, DistillationConfig(variant="anchored", temperature=0.3, floor=0.2))
    with torch.no_grad():
        distiller.balance.copy_(torch.tensor([0.7, -0.4]))
    loss = distiller(semantic, teacher)

    student = semantic[0].detach().double().tolist()
    rows = slow_projection(distiller, teacher)
    local, overall = slow_losses(student, slow_attention(student, rows, 0.3), rows)
    first = 0.2 + 0.6 * math.exp(0.7) / (math.exp(0.7) + math.exp(-0.4))
    assert float(loss.total.detach()) == pytest.approx(first * local + (1 - first) * overall, rel=1e-5)


@pytest.mark.parametrize("variant", ["literal", "anchored"])
@pytest.mark.parametrize(("num_queries", "num_rows"), SIZES)
def test_plain_distillation_is_the_squared_error_to_the_aligned_teacher(num_queries, num_rows, variant):
    semantic, teacher = features(num_queries, num_rows)
    distiller = Distiller(6, 8, DistillationConfig(method="plain", variant=variant))
    loss = distiller(semantic, teacher)
    aligned = slow_interpolation(slow_projection(distiller, teacher), num_queries)
    local, _ = slow_losses(semantic[0].detach().double().tolist(), aligned, aligned)
    assert float(loss.total.detach()) == pytest.approx(local, rel=1e-5)
    assert not any("balance" in name for name, _ in distiller.named_parameters())


@pytest.mark.parametrize(("num_rows", "length"), [(1, 1), (1, 5), (3, 1), (3, 7), (256, 30)])
def test_alignment_entry_by_entry(num_rows, length):
    rows = torch.randn(num_rows, 3, generator=torch.Generator().manual_seed(0))
    expected = slow_interpolation(rows.tolist(), length)
    # Positions are float32 numbers of up to 256, so they are known to some 1e-5 rows.
    torch.testing.assert_close(align(rows, length), torch.tensor(expected), atol=1e-4, rtol=1e-4)


class TestOneTeacherRowMakesTheAttentionMeaningless:
    """Eq. 5-9 with a teacher of one row, as the paper's is."""

    @pytest.mark.parametrize("temperature", [1e-3, 0.1, 2.0, 1e3])
    @pytest.mark.parametrize("seed", range(3))
    def test_the_weighted_teacher_is_the_aligned_teacher_whatever_student_and_temperature(self, seed, temperature):
        semantic, teacher = features(7, 1, seed=seed)
        aligned = align(teacher[:, :6], 7)
        torch.testing.assert_close(attend(10**seed * semantic[0], aligned, temperature), aligned)

    @pytest.mark.parametrize("temperature", [0.1, 2.0])
    def test_no_gradient_reaches_the_student_through_the_attention(self, temperature):
        semantic, teacher = features(7, 1)
        aligned = align(teacher[:, :6], 7)
        probe = torch.randn(7, 6, generator=torch.Generator().manual_seed(1))
        (gradient,) = torch.autograd.grad((attend(semantic[0], aligned, temperature) * probe).sum(), semantic)
        assert gradient.abs().max() < 1e-5

    @pytest.mark.parametrize("temperature", [0.1, 2.0])
    def test_the_local_loss_and_all_its_gradients_are_plain_squared_error(self, temperature):
        semantic, teacher = features(7, 1)
        distiller = Distiller(6, 8, DistillationConfig(temperature=temperature))
        with torch.no_grad():
            distiller.balance.copy_(torch.tensor([40.0, -40.0]))  # the local loss alone
        plain = Distiller(6, 8, DistillationConfig(method="plain"))
        plain.teacher_proj.load_state_dict(distiller.teacher_proj.state_dict())
        losses = [each(semantic, teacher).total for each in (distiller, plain)]
        torch.testing.assert_close(*losses)
        gradients = [
            torch.autograd.grad(loss, [semantic, each.teacher_proj.weight, each.teacher_proj.bias])
            for loss, each in zip(losses, (distiller, plain), strict=True)
        ]
        for dcsd, squared in zip(*gradients, strict=True):
            torch.testing.assert_close(dcsd, squared, atol=1e-6, rtol=1e-4)

    def test_with_several_rows_it_does_mean_something(self):
        semantic, teacher = features(7, 4)
        rows = teacher[:, :6]
        aligned = align(rows, 7)
        assert (attend(semantic[0], aligned, 2.0) - aligned).abs().max() > 0.1
        (gradient,) = torch.autograd.grad(attend(semantic[0], aligned, 0.1)[:, 0].sum(), semantic)
        assert gradient.abs().max() > 1e-2

    def test_among_patches_a_temperature_of_2_is_nearly_an_average(self):
        """Cosines lie in [-1, 1]: at 2.0 no patch counts more than e times another. The rows here spell A out."""
        patches = torch.eye(64)
        at_two, at_a_tenth = (attend(3 * patches[5:6], patches, temperature)[0] for temperature in (2.0, 0.1))
        assert at_two[5] == at_two.max() < 0.026
        assert at_a_tenth[5] > 0.99

    @pytest.mark.parametrize(("num_rows", "temperature"), [(1, 2.0), (4, 0.1)])
    def test_the_default_temperature_is_for_the_number_of_teacher_rows(self, num_rows, temperature):
        semantic, teacher = features(5, num_rows)
        default, given = Distiller(6, 8), Distiller(6, 8, DistillationConfig(temperature=temperature))
        given.load_state_dict(default.state_dict())
        assert torch.equal(default(semantic, teacher).total, given(semantic, teacher).total)


class TestAnchored:
    def test_no_gradient_on_the_teachers_side(self):
        semantic, teacher = features(5, 4)
        distiller = Distiller(6, 8, DistillationConfig(variant="anchored"))
        assert [name for name, _ in distiller.named_parameters()] == ["balance"]
        with torch.no_grad():
            distiller.balance.copy_(torch.tensor([40.0, -40.0]))
        (gradient,) = torch.autograd.grad(distiller(semantic, teacher).total, semantic)
        rows = distiller.project(torch.nn.functional.layer_norm(teacher, (8,)))
        target = attend(semantic[0], rows, 0.1).detach()
        expected = 2 * (semantic[0] - target) / semantic.numel() * 0.9
        mean_part = 0.1 * torch.sign(semantic[0].mean(0) - rows.mean(0)) / 6 / 5
        torch.testing.assert_close(gradient[0], (expected + mean_part).detach())

    @pytest.mark.parametrize("drift", [-60.0, 0.0, 60.0])
    def test_weights_stay_above_the_floor_and_add_up_to_one(self, drift):
        semantic, teacher = features(5, 1)
        distiller = Distiller(6, 8, DistillationConfig(variant="anchored"))
        with torch.no_grad():
            distiller.balance.copy_(torch.tensor([drift, -drift]))
        monitors = distiller(semantic, teacher).monitors
        weights = [float(monitors[name]) for name in ("w_local", "w_global")]
        assert min(weights) >= 0.1 - 1e-6
        assert sum(weights) == pytest.approx(1)

    @pytest.mark.parametrize(("dim", "width"), [(6, 8), (8, 8), (8, 6)])
    def test_the_projection_is_orthogonal(self, dim, width):
        matrix = orthogonal(dim, width, seed=0)
        product = matrix @ matrix.T if dim <= width else matrix.T @ matrix
        torch.testing.assert_close(product, torch.eye(min(dim, width)), atol=1e-5, rtol=0)

    def test_the_projection_follows_its_seed_alone_and_is_saved(self):
        torch.manual_seed(1)
        first = Distiller(6, 8, DistillationConfig(variant="anchored"))
        torch.manual_seed(2)
        again, other = (Distiller(6, 8, DistillationConfig(variant="anchored", seed=seed)) for seed in (0, 1))
        assert torch.equal(first.anchor, again.anchor)
        assert not torch.equal(first.anchor, other.anchor)
        assert torch.equal(first.state_dict()["anchor"], first.anchor)

    def test_the_scale_of_the_teacher_does_not_matter(self):
        semantic, teacher = features(5, 3)
        distiller = Distiller(6, 8, DistillationConfig(variant="anchored"))
        losses = [distiller(semantic, factor * teacher + 3).total for factor in (1, 100)]
        torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-3)

    def test_queries_attend_to_every_patch_though_they_are_fewer(self):
        """Interpolated to one row as in Eq. 5, a frame of three patches would be its middle patch."""
        semantic, teacher = features(1, 3)
        distiller = Distiller(6, 8, DistillationConfig(variant="anchored"))
        before = distiller(semantic, teacher).parts["distill_global"]
        changed = teacher.clone()
        changed[0] = -teacher[0]
        assert not torch.isclose(before, distiller(semantic, changed).parts["distill_global"])


EVERY = [
    DistillationConfig(method=method, variant=variant)
    for method in ("dcsd", "plain")
    for variant in ("literal", "anchored")
]


@pytest.mark.parametrize("config", EVERY, ids=lambda config: f"{config.method}-{config.variant}")
class TestEdges:
    @pytest.mark.parametrize("num_rows", [1, 4])
    def test_a_frame_without_queries_costs_nothing_and_reaches_every_parameter(self, config, num_rows):
        semantic, teacher = features(0, num_rows)
        distiller = Distiller(6, 8, config)
        loss = distiller(semantic, teacher)
        assert float(loss.total.detach()) == 0
        loss.total.backward()
        for name, parameter in distiller.named_parameters():
            assert parameter.grad is not None, name
            assert torch.equal(parameter.grad, torch.zeros_like(parameter)), name

    @pytest.mark.parametrize("num_rows", [1, 4])
    @pytest.mark.parametrize("zero", ["semantic", "teacher", "both"])
    def test_zero_features_give_no_nan(self, config, num_rows, zero):
        semantic, teacher = features(3, num_rows)
        if zero != "teacher":
            semantic = torch.zeros_like(semantic, requires_grad=True)
        if zero != "semantic":
            teacher = torch.zeros_like(teacher)
        distiller = Distiller(6, 8, config)
        loss = distiller(semantic, teacher)
        loss.total.backward()
        values = [loss.total, *loss.parts.values(), *loss.monitors.values(), semantic.grad]
        values += [parameter.grad for parameter in distiller.parameters()]
        assert all(value.isfinite().all() for value in values)

    def test_every_frame_reports_the_same_names(self, config):
        distiller = Distiller(6, 8, config)
        names = {(*loss.parts, *loss.monitors) for loss in (distiller(*features(n, 1)) for n in (0, 1, 5))}
        assert len(names) == 1
        loss = distiller(*features(5, 1))
        assert not any(value.requires_grad or value.dim() for value in (*loss.parts.values(), *loss.monitors.values()))

    def test_autocast_around_it_does_not_change_it(self, config):
        semantic, teacher = features(5, 4)
        distiller = Distiller(6, 8, config)
        expected = distiller(semantic, teacher).total
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = distiller(semantic, teacher).total
        assert inside.dtype == torch.float32
        assert torch.equal(inside, expected)
        half = distiller(semantic.half(), teacher.half()).total
        assert half.dtype == torch.float32
        torch.testing.assert_close(half, expected, rtol=1e-2, atol=1e-2)

    def test_it_can_be_copied_and_its_memory_is_no_part_of_its_state(self, config):
        distiller = Distiller(6, 8, config)
        distiller(*features(5, 1))
        fresh = Distiller(6, 8, config)
        fresh.load_state_dict(copy.deepcopy(distiller).state_dict())
        torch.testing.assert_close(fresh(*features(3, 1)).total, distiller(*features(3, 1)).total)


@pytest.mark.parametrize(
    ("semantic", "teacher", "named"),
    [
        ((2, 3, 6), (1, 8), "semantic"), ((3, 6), (1, 8), "semantic"), ((1, 3, 5), (1, 8), "semantic"),
        ((1, 3, 6), (8,), "teacher"), ((1, 3, 6), (1, 9), "teacher"), ((1, 3, 6), (0, 8), "teacher"),
    ],
)  # fmt: skip
def test_wrong_shapes_are_named(semantic, teacher, named):
    with pytest.raises(ValueError, match=f"^{named} must have the shape"):
        Distiller(6, 8)(torch.zeros(semantic), torch.zeros(teacher))


def test_the_default_is_the_paper():
    config = DistillationConfig()
    assert (config.method, config.variant) == ("dcsd", "literal")
    shapes = {name: tuple(value.shape) for name, value in Distiller(256, 1024, config).named_parameters()}
    assert shapes == {"teacher_proj.weight": (256, 1024), "teacher_proj.bias": (256,), "balance": (2,)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 0}, "temperature: must be greater than 0"),
        ({"floor": 0.6}, "floor: must be from 0 to 0.5"),
        ({"method": "clip"}, "method: expected one of dcsd, plain"),
        ({"variant": "free"}, "variant: expected one of literal, anchored"),
    ],
)
def test_wrong_settings_are_told(values, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(DistillationConfig, values)


def test_settings_survive_a_checkpoint():
    config = DistillationConfig(variant="anchored", temperature=0.07, seed=3)
    assert from_mapping(DistillationConfig, to_mapping(config)) == config


def test_numbers_of_the_loops_are_not_those_of_torch_by_construction():
    """The loops above use nothing of torch: a change of either side would show."""
    rows = np.random.default_rng(0).normal(size=(4, 3)).tolist()
    assert slow_interpolation(rows, 4) == rows
    uniform = slow_attention([[1.0, 0.0, 0.0]], rows, 1e9)[0]
    np.testing.assert_allclose(uniform, np.mean(rows, axis=0), rtol=1e-6)
