"""What moves the weights: AdamW with the groups of MOTRv2, or SGD with Nesterov momentum for detectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from vsdmot.config import above, at_least, check, within
from vsdmot.errors import TrainingError
from vsdmot.training.loop.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """How the weights are moved. The defaults are what MOTRv2 was published with.

    Attributes:
        kind: ``adamw``; or ``sgd``, with which detectors of the YOLOX kind are trained.
        lr: Learning rate at the start, before the schedule, for a global batch of the published size.
        backbone_factor: What the learning rate of the backbone is multiplied by; it comes with trained weights.
        offsets_factor: The same for the sampling offsets of deformable attention, which raise the loss when they jump.
        weight_decay: Pull towards 0, decoupled with ``adamw``. More guards against learning by heart.
        beta1: Decay of AdamW's mean of gradients.
        beta2: Decay of AdamW's mean of squared gradients.
        momentum: Momentum of ``sgd``.
        nesterov: Whether the momentum of ``sgd`` looks ahead.
    """

    kind: Literal["adamw", "sgd"] = "adamw"
    lr: float = 2e-4
    backbone_factor: float = 0.1
    offsets_factor: float = 0.1
    weight_decay: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.999
    momentum: float = 0.9
    nesterov: bool = True

    def __post_init__(self) -> None:
        check(
            self,
            lr=above(0),
            backbone_factor=at_least(0),
            offsets_factor=at_least(0),
            weight_decay=at_least(0),
            beta1=within(0, 0.9999),
            beta2=within(0, 0.999999),
            momentum=above(0) if self.nesterov and self.kind == "sgd" else within(0, 0.9999),
        )


def published_groups(module: nn.Module, config: OptimiserConfig) -> list[dict[str, Any]]:
    """Sort the parameters that are trained into the groups of MOTRv2.

    Names that contain ``backbone`` are one group, ``sampling_offsets`` another, all others the third. Each group has a
    ``name``, by which the log shows its learning rate; a group without parameters is left out.

    >>> layers = nn.ModuleDict({"backbone": nn.Linear(1, 1), "head": nn.Linear(1, 1)})
    >>> [(group["name"], group["lr"]) for group in published_groups(layers, OptimiserConfig(lr=0.5))]
    [('backbone', 0.05), ('rest', 0.5)]
    """
    factors = {"backbone": config.backbone_factor, "sampling_offsets": config.offsets_factor, "rest": 1.0}
    members: dict[str, list[nn.Parameter]] = {name: [] for name in factors}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            members[next((part for part in factors if part in name), "rest")].append(parameter)
    return [
        {"name": name, "params": members[name], "lr": config.lr * factor, "weight_decay": config.weight_decay}
        for name, factor in factors.items()
        if members[name]
    ]


def make_optimiser(
    module: nn.Module, groups: Sequence[Mapping[str, Any]], config: OptimiserConfig
) -> torch.optim.Optimizer:
    """Make the optimiser for groups that hold every parameter of the module that is trained, once.

    Raises:
        TrainingError: A parameter would never be trained, or would be moved twice.
    """
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    trained = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    held = Counter(id(parameter) for group in groups for parameter in group["params"])
    forgotten = [name for name in trained if id(module.get_parameter(name)) not in held]
    twice = [names.get(key, "a parameter of something else") for key, count in held.items() if count > 1]
    for wrong, what in ((forgotten, "in no group of the optimiser, so it would never be trained"), (twice, "in two")):
        if wrong:
            raise TrainingError(
                f"parameter groups: {wrong[0]} is {what} ({len(wrong)} such parameters); "
                "expected each that requires a gradient in exactly one"
            )
    if not held:
        raise TrainingError("parameter groups: there is nothing to train; expected parameters that require a gradient")
    named = [{"name": f"group {number}", **group} for number, group in enumerate(groups)]
    if config.kind == "adamw":
        return torch.optim.AdamW(named, lr=config.lr, betas=(config.beta1, config.beta2))
    return torch.optim.SGD(named, lr=config.lr, momentum=config.momentum, nesterov=config.nesterov)


def set_learning_rates(
    optimiser: torch.optim.Optimizer, starts: Sequence[float], schedule: Schedule, at: float
) -> None:
    """Set the learning rate of each group to its value at the start times the schedule at an epoch."""
    factor = schedule(at)
    for group, start in zip(optimiser.param_groups, starts, strict=True):
        group["lr"] = start * factor
