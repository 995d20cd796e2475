"""The YOLOX network: CSPDarknet, path-aggregation neck, decoupled head (arXiv 2107.08430).

Attribute names are the key names of the published weights (``backbone.backbone.stem.conv.conv.weight``,
``head.cls_preds.0.bias``), so a published state dict loads with ``strict=True``. The network gives raw outputs per
level; `vsdmot.detection.yolox.decoding` turns them into boxes, the training loss reads them as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsdmot.config import above, at_least, check
from vsdmot.models.yolox.blocks import BaseConv, CSPLayer, Focus, SPPBottleneck, conv3x3

STRIDES = (8, 16, 32)
"""Pixels of the network's input per cell, finest level first."""

VariantName = Literal["nano", "tiny", "s", "m", "l", "x"]


@dataclass(frozen=True, kw_only=True)
class YoloxConfig:
    """Size of a YOLOX network.

    Attributes:
        depth: Multiplier of the number of blocks per stage (1 is YOLOX-L). Raising it makes the network deeper and
            slower; lowering it does the opposite, down to one block.
        width: Multiplier of the number of channels (1 is YOLOX-L, 64 channels after the stem). Cost and parameters
            grow with its square.
        depthwise: Split every 3x3 convolution into depthwise and pointwise, as YOLOX-nano does: fewer parameters,
            lower accuracy.
        num_classes: Classes to tell apart; 1 for people only, 80 for COCO.
    """

    depth: float = 1.0
    width: float = 1.0
    depthwise: bool = False
    num_classes: int = 1

    def __post_init__(self) -> None:
        check(self, depth=above(0), width=at_least(1 / 64), num_classes=at_least(1))

    @classmethod
    def named(cls, name: VariantName, *, num_classes: int = 1) -> YoloxConfig:
        """Give the size published under a name.

        >>> YoloxConfig.named("x")
        YoloxConfig(depth=1.33, width=1.25, depthwise=False, num_classes=1)
        """
        depth, width = VARIANTS[name]
        return cls(depth=depth, width=width, depthwise=name == "nano", num_classes=num_classes)

    @property
    def name(self) -> str:
        """The published name of this size, else its multipliers.

        >>> YoloxConfig.named("nano").name, YoloxConfig(depth=0.33, width=0.125).name
        ('YOLOX-nano', 'YOLOX (depth 0.33, width 0.125)')
        """
        for name, (_, width) in VARIANTS.items():
            published = YoloxConfig.named(name)
            same = (self.num_blocks, self.width, self.depthwise) == (published.num_blocks, width, published.depthwise)
            if same:
                return f"YOLOX-{name}"
        return f"YOLOX (depth {self.depth:g}, width {self.width:g}{', depthwise' if self.depthwise else ''})"

    @property
    def size(self) -> tuple[int, float, bool]:
        """What decides the shapes of the weights but for the number of classes; several depths round to one."""
        return self.num_blocks, self.width, self.depthwise

    @property
    def num_blocks(self) -> int:
        """Bottlenecks in the shallow stages and the neck; the two middle stages have three times as many."""
        return max(round(3 * self.depth), 1)

    def channels(self, full: int) -> int:
        """Scale a number of channels of YOLOX-L to this width."""
        return int(full * self.width)


VARIANTS: dict[VariantName, tuple[float, float]] = {
    "nano": (0.33, 0.25),
    "tiny": (0.33, 0.375),
    "s": (0.33, 0.5),
    "m": (0.67, 0.75),
    "l": (1.0, 1.0),
    "x": (1.33, 1.25),
}
"""Published sizes: depth and width multipliers. Only nano is depthwise."""


class LevelOutput(NamedTuple):
    """Raw outputs of one level, before any sigmoid or exponential.

    Attributes:
        boxes: ``(B, 4, h, w)``: centre offset from the cell (x, y) in cells, logarithm of size (w, h) in cells.
        objectness: ``(B, 1, h, w)`` logits.
        classes: ``(B, C, h, w)`` logits.
    """

    boxes: Tensor
    objectness: Tensor
    classes: Tensor


class YOLOX(nn.Module):
    """Detect objects at three scales, without anchors.

    Args:
        config: The network's size.
    """

    def __init__(self, config: YoloxConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = PathAggregation(config)
        self.head = DecoupledHead(config)

    def forward(self, images: Tensor) -> list[LevelOutput]:
        """Run the network.

        Args:
            images: ``(B, 3, H, W)`` in the convention of the weights; H and W are multiples of 32.

        Returns:
            Raw outputs at strides 8, 16 and 32.
        """
        features: list[Tensor] = self.backbone(images)
        outputs: list[LevelOutput] = self.head(features)
        return outputs


class PathAggregation(nn.Module):
    """Mix the backbone's three scales top-down, then bottom-up (PAFPN).

    Args:
        config: The network's size.
    """

    def __init__(self, config: YoloxConfig) -> None:
        super().__init__()
        fine, middle, coarse = (config.channels(full) for full in (256, 512, 1024))
        self.backbone = CSPDarknet(config)
        self.lateral_conv0 = BaseConv(coarse, middle, 1)
        self.C3_p4 = _neck_layer(config, 2 * middle, middle)
        self.reduce_conv1 = BaseConv(middle, fine, 1)
        self.C3_p3 = _neck_layer(config, 2 * fine, fine)
        self.bu_conv2 = conv3x3(fine, fine, stride=2, depthwise=config.depthwise)
        self.C3_n3 = _neck_layer(config, 2 * fine, middle)
        self.bu_conv1 = conv3x3(middle, middle, stride=2, depthwise=config.depthwise)
        self.C3_n4 = _neck_layer(config, 2 * middle, coarse)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Give features ``(B, 256w, H/8, W/8)``, ``(B, 512w, H/16, W/16)`` and ``(B, 1024w, H/32, W/32)``."""
        dark3, dark4, dark5 = self.backbone(images)
        narrow5 = self.lateral_conv0(dark5)
        merged4 = self.C3_p4(torch.cat([_upsample(narrow5), dark4], dim=1))
        narrow4 = self.reduce_conv1(merged4)
        out3 = self.C3_p3(torch.cat([_upsample(narrow4), dark3], dim=1))
        out4 = self.C3_n3(torch.cat([self.bu_conv2(out3), narrow4], dim=1))
        out5 = self.C3_n4(torch.cat([self.bu_conv1(out4), narrow5], dim=1))
        return [out3, out4, out5]


class CSPDarknet(nn.Module):
    """Backbone: stem and four stages, of which the last three are used.

    Args:
        config: The network's size.
    """

    def __init__(self, config: YoloxConfig) -> None:
        super().__init__()
        widths = [config.channels(full) for full in (64, 128, 256, 512, 1024)]
        shallow, deep = config.num_blocks, 3 * config.num_blocks
        self.stem = Focus(3, widths[0])
        self.dark2 = nn.Sequential(*_stage(config, widths[0], widths[1], shallow))
        self.dark3 = nn.Sequential(*_stage(config, widths[1], widths[2], deep))
        self.dark4 = nn.Sequential(*_stage(config, widths[2], widths[3], deep))
        down, last = _stage(config, widths[3], widths[4], shallow, shortcut=False)
        self.dark5 = nn.Sequential(down, SPPBottleneck(widths[4]), last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Give the features at strides 8, 16 and 32."""
        dark3 = self.dark3(self.dark2(self.stem(images)))
        dark4 = self.dark4(dark3)
        return [dark3, dark4, self.dark5(dark4)]


class DecoupledHead(nn.Module):
    """Classify and regress in separate branches; objectness comes from the regression branch.

    Args:
        config: The network's size.
    """

    def __init__(self, config: YoloxConfig) -> None:
        super().__init__()
        width = config.channels(256)
        inputs = [config.channels(full) for full in (256, 512, 1024)]
        self.stems = nn.ModuleList(BaseConv(channels, width, 1) for channels in inputs)
        self.cls_convs = nn.ModuleList(_branch(config, width) for _ in inputs)
        self.reg_convs = nn.ModuleList(_branch(config, width) for _ in inputs)
        self.cls_preds = nn.ModuleList(nn.Conv2d(width, config.num_classes, 1) for _ in inputs)
        self.reg_preds = nn.ModuleList(nn.Conv2d(width, 4, 1) for _ in inputs)
        self.obj_preds = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in inputs)
        self.reset_priors()

    def reset_priors(self, probability: float = 0.01) -> None:
        """Start every score at ``probability``: almost all cells are background, which would swamp the first steps."""
        for layer in (*self.cls_preds, *self.obj_preds):
            nn.init.constant_(layer.bias, -math.log((1 - probability) / probability))

    def forward(self, features: list[Tensor]) -> list[LevelOutput]:
        """Give the raw outputs of each level."""
        outputs = []
        for level, feature in enumerate(features):
            stem = self.stems[level](feature)
            regression = self.reg_convs[level](stem)
            outputs.append(
                LevelOutput(
                    boxes=self.reg_preds[level](regression),
                    objectness=self.obj_preds[level](regression),
                    classes=self.cls_preds[level](self.cls_convs[level](stem)),
                )
            )
        return outputs


def _stage(
    config: YoloxConfig, inputs: int, outputs: int, num_blocks: int, *, shortcut: bool = True
) -> tuple[nn.Module, nn.Module]:
    """Halve the size, then a CSP layer."""
    return (
        conv3x3(inputs, outputs, stride=2, depthwise=config.depthwise),
        CSPLayer(outputs, outputs, num_blocks, shortcut=shortcut, depthwise=config.depthwise),
    )


def _neck_layer(config: YoloxConfig, inputs: int, outputs: int) -> CSPLayer:
    return CSPLayer(inputs, outputs, config.num_blocks, shortcut=False, depthwise=config.depthwise)


def _branch(config: YoloxConfig, channels: int) -> nn.Sequential:
    return nn.Sequential(*(conv3x3(channels, channels, depthwise=config.depthwise) for _ in range(2)))


def _upsample(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
