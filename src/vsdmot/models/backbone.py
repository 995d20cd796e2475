"""What turns an image into feature maps: ResNet (MOTRv2 uses ResNet-50, Sec. IV-C), or the detector itself.

Modules of ResNet are named as torchvision names them, so published ``backbone.0.body.*`` weights load by a prefix
change. Batch normalisation is frozen in both.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX, LevelOutput, YoloxConfig

ResNetName = Literal["resnet18", "resnet34", "resnet50", "resnet101"]
BackboneName = Literal[ResNetName, "yolox"]


class ResNet(nn.Module):
    """Give feature maps at strides 8, 16 and 32.

    Args:
        name: Depth of the network.
    """

    def __init__(self, name: ResNetName) -> None:
        super().__init__()
        block, depths = _LAYOUTS[name]
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        width = 64
        stages = []
        for stage, depth in enumerate(depths):
            blocks = []
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(block(width, 64 * 2**stage, stride))
                width = 64 * 2**stage * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.channels = tuple(128 * 2**stage * block.expansion for stage in range(3))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Extract features.

        Args:
            images: Normalised images ``(B, 3, H, W)``.

        Returns:
            Maps ``(B, channels[i], ceil(H / s), ceil(W / s))`` for strides ``s`` of 8, 16 and 32.
        """
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        c3 = self.layer2(self.layer1(x))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (ResNet-18 and -34)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = FrozenBatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, width, ceil(H / stride), ceil(W / stride))``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; the stride is in the 3x3 (ResNet-50 and deeper)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = FrozenBatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = FrozenBatchNorm2d(width * self.expansion)
        self.downsample = _shortcut(inputs, width * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, H, W)`` to ``(B, 4 * width, ceil(H / stride), ceil(W / stride))``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + shortcut)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics and affine terms never change: four buffers, no parameters."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(B, C, H, W)`` channel by channel."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.to(x.dtype)[:, None, None] + shift.to(x.dtype)[:, None, None]


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), FrozenBatchNorm2d(outputs))


_LAYOUTS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}


class YoloxBackbone(nn.Module):
    """A detector that serves as backbone: its neck gives the maps, and its head says where people may be.

    One pass over the image serves detector and tracker. The detector is trained before, by itself, and stays as it is:
    batch normalisation is folded into the convolutions, and no gradient reaches it. Its input is normalised as that of
    a ResNet is, which is YOLOX's legacy convention.

    Args:
        config: The detector's size.
    """

    MULTIPLE = 32
    """Height and width of the image must be multiples of this many pixels, the coarsest stride."""

    def __init__(self, config: YoloxConfig) -> None:
        super().__init__()
        self.channels = tuple(config.channels(full) for full in (256, 512, 1024))
        self.load(YOLOX(config))

    def load(self, network: YOLOX) -> None:
        """Take a trained detector, which is copied."""
        self.network = fold_batch_norm(network).requires_grad_(False)
        # On a CPU the convolutions take half the time with channels last.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    @torch.no_grad()
    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Extract features.

        Args:
            images: Normalised images ``(B, 3, H, W)``.

        Returns:
            Maps ``(B, channels[i], H / s, W / s)`` for strides ``s`` of 8, 16 and 32.

        Raises:
            ValueError: H or W is not a multiple of 32.
        """
        if images.shape[2] % self.MULTIPLE or images.shape[3] % self.MULTIPLE:
            raise ValueError(f"expected sides that are multiples of {self.MULTIPLE}, got {tuple(images.shape[2:])}")
        return tuple(self.network.backbone(images))

    @torch.no_grad()
    def detect(self, features: tuple[Tensor, ...]) -> list[LevelOutput]:
        """Give the raw outputs of the detector's head for maps of `forward`."""
        levels: list[LevelOutput] = self.network.head(list(features))
        return levels
