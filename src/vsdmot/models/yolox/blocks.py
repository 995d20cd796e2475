"""The blocks that YOLOX is made of, with the attribute names of the published weights."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class BaseConv(nn.Module):
    """Convolution, batch normalisation, SiLU.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        kernel: Side of the kernel; padding keeps the size at stride 1.
        stride: Step in pixels.
        groups: Groups of channels that do not mix.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, groups=groups, bias=False)
        # Published weights were trained with these; torch's own 1e-5 and 0.1 change every output.
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)

    def forward(self, features: Tensor) -> Tensor:
        """Give ``(B, outputs, H / stride, W / stride)``."""
        return functional.silu(self.bn(self.conv(features)), inplace=True)


class DepthwiseConv(nn.Module):
    """3x3 convolution per channel, then 1x1 across channels, each with its own normalisation and SiLU.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        stride: Step in pixels of the 3x3 convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = BaseConv(inputs, inputs, 3, stride, groups=inputs)
        self.pconv = BaseConv(inputs, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Give ``(B, outputs, H / stride, W / stride)``."""
        result: Tensor = self.pconv(self.dconv(features))
        return result


class Focus(nn.Module):
    """Move each 2x2 patch of pixels into channels, then convolve: stride 2 without losing a pixel.

    Args:
        inputs: Channels in.
        outputs: Channels out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = BaseConv(4 * inputs, outputs, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Give ``(B, outputs, H/2, W/2)``; the patch's order is top left, bottom left, top right, bottom right."""
        corners = [images[..., row::2, column::2] for column in (0, 1) for row in (0, 1)]
        result: Tensor = self.conv(torch.cat(corners, dim=1))
        return result


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution, added to the input if ``shortcut``.

    Args:
        channels: Channels in and out.
        shortcut: Add the input to the output.
        depthwise: Split the 3x3 convolution.
    """

    def __init__(self, channels: int, *, shortcut: bool, depthwise: bool) -> None:
        super().__init__()
        self.conv1 = BaseConv(channels, channels, 1)
        self.conv2 = conv3x3(channels, channels, depthwise=depthwise)
        self.shortcut = shortcut

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        result: Tensor = self.conv2(self.conv1(features))
        return features + result if self.shortcut else result


class CSPLayer(nn.Module):
    """Send half the channels through bottlenecks and the other half past them.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        num_blocks: Bottlenecks in a row.
        shortcut: Whether the bottlenecks add their input.
        depthwise: Whether they split their 3x3 convolutions.
    """

    def __init__(self, inputs: int, outputs: int, num_blocks: int, *, shortcut: bool, depthwise: bool) -> None:
        super().__init__()
        hidden = outputs // 2
        self.conv1 = BaseConv(inputs, hidden, 1)
        self.conv2 = BaseConv(inputs, hidden, 1)
        self.conv3 = BaseConv(2 * hidden, outputs, 1)
        self.m = nn.Sequential(*(Bottleneck(hidden, shortcut=shortcut, depthwise=depthwise) for _ in range(num_blocks)))

    def forward(self, features: Tensor) -> Tensor:
        """Give ``(B, outputs, H, W)``."""
        joined = torch.cat([self.m(self.conv1(features)), self.conv2(features)], dim=1)
        result: Tensor = self.conv3(joined)
        return result


class SPPBottleneck(nn.Module):
    """See the picture at four sizes of window: spatial pyramid pooling.

    Args:
        channels: Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 2
        self.conv1 = BaseConv(channels, hidden, 1)
        self.m = nn.ModuleList(nn.MaxPool2d(window, stride=1, padding=window // 2) for window in (5, 9, 13))
        self.conv2 = BaseConv(4 * hidden, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        features = self.conv1(features)
        result: Tensor = self.conv2(torch.cat([features, *(pool(features) for pool in self.m)], dim=1))
        return result


def conv3x3(inputs: int, outputs: int, stride: int = 1, *, depthwise: bool) -> nn.Module:
    """Make a 3x3 convolution with normalisation and SiLU, whole or split."""
    return DepthwiseConv(inputs, outputs, stride) if depthwise else BaseConv(inputs, outputs, 3, stride)


def fold_batch_norm(network: ModuleT) -> ModuleT:
    """Copy a network with every batch normalisation folded into the convolution before it.

    The outputs are the same within float32 rounding, and inference is faster. The copy is for inference only.
    """
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if isinstance(module, BaseConv) and isinstance(module.bn, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()
    return folded
