from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from vsdmot.config import from_mapping
from vsdmot.errors import ConfigError, TrainingError
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.training.loop.gradients import clip, worst_gradient
from vsdmot.training.loop.optimiser import OptimiserConfig, make_optimiser, published_groups, set_learning_rates
from vsdmot.training.loop.schedule import ScheduleConfig, cosine, step_drop, warm_up


def two_layers() -> nn.ModuleDict:
    return nn.ModuleDict({"backbone": nn.Linear(2, 3), "head": nn.Linear(3, 1)})


def test_frozen_parameters_are_in_no_group_and_an_empty_group_is_left_out():
    module = two_layers()
    module["backbone"].requires_grad_(False)
    assert [group["name"] for group in published_groups(module, OptimiserConfig())] == ["rest"]


def test_the_published_groups_of_the_whole_tracker():
    small = {"backbone": "resnet18", "hidden_dim": 64, "num_heads": 4, "encoder_layers": 1, "decoder_layers": 1}
    model = VSDMOT(from_mapping(ModelConfig, {**small, "feedforward_dim": 64}))
    groups = {group["name"]: group for group in published_groups(model, OptimiserConfig())}
    assert {name: group["lr"] for name, group in groups.items()} == pytest.approx(
        {"backbone": 2e-5, "sampling_offsets": 2e-5, "rest": 2e-4}
    )
    assert {group["weight_decay"] for group in groups.values()} == {1e-4}
    names = {parameter: name for name, parameter in model.named_parameters()}
    for part, group in groups.items():
        inside = [names[parameter] for parameter in group["params"]]
        assert inside
        assert all((part in name) == (part != "rest") for name in inside)
    assert sum(len(group["params"]) for group in groups.values()) == sum(p.requires_grad for p in model.parameters())
    assert len(groups["sampling_offsets"]["params"]) == 4  # weight and bias, in encoder and decoder


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda m: [{"params": m["head"].parameters()}], "backbone.weight is in no group"),
        (lambda m: [{"params": m.parameters()}, {"params": [m["head"].bias]}], "head.bias is in two"),
        (lambda m: [{"params": m.parameters()}, {"params": [nn.Parameter(torch.ones(1))] * 2}], "something else is in"),
    ],
)
def test_groups_that_forget_or_repeat_a_parameter_are_refused(wrong, said):
    module = two_layers()
    groups = [{**group, "params": list(group["params"]), "lr": 0.1} for group in wrong(module)]
    with pytest.raises(TrainingError, match=said):
        make_optimiser(module, groups, OptimiserConfig())


def test_nothing_to_train_is_refused():
    module = two_layers().requires_grad_(False)
    with pytest.raises(TrainingError, match="there is nothing to train"):
        make_optimiser(module, published_groups(module, OptimiserConfig()), OptimiserConfig())


def test_adamw_makes_the_step_of_its_formula():
    module = nn.Linear(1, 1, bias=False)
    config = OptimiserConfig(lr=0.1, weight_decay=0.5, beta1=0.8, beta2=0.9)
    optimiser = make_optimiser(module, published_groups(module, config), config)
    expected, mean, square = module.weight.item(), 0.0, 0.0
    for step, gradient in enumerate((0.3, -2.0, 0.7), start=1):
        module.weight.grad = torch.full((1, 1), gradient)
        optimiser.step()
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        expected -= 0.1 * 0.5 * expected
        expected -= 0.1 * (mean / (1 - 0.8**step)) / (math.sqrt(square / (1 - 0.9**step)) + 1e-8)
        assert module.weight.item() == pytest.approx(expected, rel=1e-5)


def test_sgd_looks_ahead_and_keeps_what_a_group_asks_for():
    module = nn.Linear(1, 1)
    config = OptimiserConfig(kind="sgd", lr=0.1, momentum=0.5)
    groups = [
        {"params": [module.weight], "lr": 0.1, "weight_decay": 0.0},
        {"params": [module.bias], "lr": 0.2, "weight_decay": 0.3},
    ]
    optimiser = make_optimiser(module, groups, config)
    assert [group["name"] for group in optimiser.param_groups] == ["group 0", "group 1"]
    assert [(group["nesterov"], group["weight_decay"]) for group in optimiser.param_groups] == [
        (True, 0.0),
        (True, 0.3),
    ]
    expected, speed = module.weight.item(), 0.0
    for gradient in (1.0, -0.5):
        module.weight.grad = torch.full((1, 1), gradient)
        optimiser.step()
        speed = 0.5 * speed + gradient
        expected -= 0.1 * (gradient + 0.5 * speed)
        assert module.weight.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": 0}, {"lr": -1}, {"weight_decay": -1}, {"beta1": 1.0}, {"beta2": 1.0}, {"backbone_factor": -0.1},
        {"momentum": 1.0}, {"kind": "sgd", "momentum": 0.0}, {"kind": "sgd", "nesterov": False, "momentum": 1.5},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        OptimiserConfig(**wrong)


def test_a_schedule_multiplies_each_group_s_own_rate():
    module = two_layers()
    optimiser = make_optimiser(module, published_groups(module, OptimiserConfig(lr=0.5)), OptimiserConfig())
    seen = []
    set_learning_rates(optimiser, [0.05, 0.5], lambda epoch: seen.append(epoch) or 0.1, 2.25)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.005, 0.05])
    assert seen == [2.25]


def test_the_published_schedule_drops_after_the_fourth_of_five_epochs():
    schedule = ScheduleConfig().build(5)
    assert [schedule(epoch) for epoch in (0, 0.5, 3.999, 4, 4.9)] == pytest.approx([1, 1, 1, 0.1, 0.1])


def test_several_drops():
    schedule = step_drop([1, 2], 0.5)
    assert [schedule(epoch) for epoch in (0, 1, 1.5, 2, 3)] == [1, 0.5, 0.5, 0.25, 0.25]


def test_cosine_with_warm_up_and_tail_is_that_of_yolox():
    """The published formulas, in iterations: 10 epochs of 20, of which 2 warm up and 3 are the tail, lowest 5 %."""
    schedule = ScheduleConfig(kind="cosine", warmup_epochs=2, warmup_power=2, tail_epochs=3, floor=0.05).build(10)
    for iteration in range(200):
        if iteration < 40:
            expected = (iteration / 40) ** 2
        elif iteration >= 140:
            expected = 0.05
        else:
            expected = 0.05 + 0.5 * 0.95 * (1 + math.cos(math.pi * (iteration - 40) / (200 - 40 - 60)))
        assert schedule(iteration / 20) == pytest.approx(expected), iteration


def test_constant_with_a_linear_rise():
    schedule = ScheduleConfig(kind="constant", warmup_epochs=0.5).build(3)
    assert [schedule(epoch) for epoch in (0, 0.25, 0.5, 3)] == [0, 0.5, 1, 1]
    assert warm_up(cosine(0, 1), 0)(0.0) == 1


@pytest.mark.parametrize(
    "wrong", [{"drop_epochs": (0,)}, {"drop_factor": 0}, {"floor": 2}, {"tail_epochs": -1}, {"warmup_power": 0}]
)
def test_schedules_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        ScheduleConfig(**wrong)


def test_a_cosine_without_room_is_refused():
    config = ScheduleConfig(kind="cosine", warmup_epochs=2, tail_epochs=3)
    with pytest.raises(ConfigError, match="leave nothing of 5 epochs"):
        config.build(5)
    assert config.build(6)(2.5) == pytest.approx(0.525)


def with_gradients(*gradients: float) -> nn.ParameterList:
    parameters = nn.ParameterList([nn.Parameter(torch.zeros(2)) for _ in gradients])
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = torch.full((2,), gradient)
    return parameters


def test_a_long_gradient_is_shortened_and_a_short_one_left():
    parameters = with_gradients(3.0, -4.0)
    assert clip(list(parameters), 0.1) == pytest.approx(math.sqrt(50))
    length = torch.cat([parameter.grad for parameter in parameters]).norm()
    assert float(length) == pytest.approx(0.1, rel=1e-4)
    assert float(parameters[0].grad[0] / parameters[1].grad[0]) == pytest.approx(-0.75)
    before = parameters[0].grad.clone()
    clip(list(parameters), 0.2)
    assert torch.equal(parameters[0].grad, before)
    clip(list(parameters), None)
    assert torch.equal(parameters[0].grad, before)


def test_without_gradients_the_length_is_0():
    assert clip([nn.Parameter(torch.zeros(3))], 0.1) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_left_and_blamed(bad):
    parameters = with_gradients(1.0, 2.0)
    parameters[1].grad[0] = bad
    assert not math.isfinite(clip(list(parameters), 0.1))
    assert parameters[0].grad.tolist() == [1, 1]
    assert worst_gradient(parameters) == "1 (1 of 2 entries not finite), the worst of 1 such parameters"


def test_a_length_that_overflows_blames_the_largest():
    parameters = with_gradients(1.0, 3e38, 2.0)
    assert clip(list(parameters), 0.1) == math.inf
    assert worst_gradient(parameters) == "1 (up to 3e+38)"
    assert worst_gradient(nn.Linear(1, 1)) == "none"
