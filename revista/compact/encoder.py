"""A convolutional image encoder of about three million parameters.

Inverted residuals with linear bottlenecks (Sandler et al. 2018, arXiv:1801.04381), the first stage in plain
convolutions, which a CPU does faster. Its bottlenecks have the widths of MobileNetV2's, so that each block can learn
from what a MobileNetV2 teacher makes at the same place; blocks are wider inside, and no weight is a teacher's.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIDE = 224  # pixels
STEM = 24  # channels that leave the first stage, at a quarter of the picture's resolution
WIDTHS = (32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)  # channels that leave each further block
HALVING = (0, 3, 10)  # the blocks that halve the resolution
FEATURES = 1280  # channels of the final map


class Encoder(nn.Module):
    """Pictures to feature maps."""

    def __init__(self, expansion: int = 8) -> None:
        """Build it with random weights.

        Args:
            expansion: how many times wider a block is inside than where it begins.
        """
        super().__init__()
        self.stem = nn.Sequential(
            _Convolution(3, 32, 5, stride=2),
            _Convolution(32, 96, 3, stride=2),
            _Convolution(96, STEM, 1, active=False),
            _Block(STEM, STEM, 1, max(1, expansion // 2)),
        )
        before = (STEM, *WIDTHS)
        self.blocks = nn.ModuleList(
            _Block(before[i], width, 2 if i in HALVING else 1, max(1, expansion - 2 * (i == 0)))
            for i, width in enumerate(WIDTHS)
        )
        self.head = _Convolution(WIDTHS[-1], FEATURES, 1)

    def parts(self) -> list[nn.Module]:
        """Stem, blocks and head: what each makes of a map is the next one's input."""
        return [self.stem, *self.blocks, self.head]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(pictures, 3, 224, 224) in -1.0 to 1.0 to (pictures, 1280, 7, 7), 0.0 to 6.0."""
        for part in self.parts():
            pixels = part(pixels)
        return pixels


class _Convolution(nn.Module):
    """Convolution, batch normalisation and, where `active`, ReLU6.

    Padded so that position i of a halved map looks at positions from 2i on, as TensorFlow's networks do: the teacher is
    one.
    """

    def __init__(
        self, before: int, after: int, size: int, stride: int = 1, groups: int = 1, active: bool = True
    ) -> None:
        super().__init__()
        total = size - stride if stride > 1 else size - 1
        left = total // 2
        self.padding = (left, total - left, left, total - left)
        even = left == total - left
        self.convolution = nn.Conv2d(
            before, after, size, stride, padding=left if even else 0, groups=groups, bias=False
        )
        self.pads = not even
        self.norm: nn.Module = nn.BatchNorm2d(after)
        self.active = active

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.convolution(functional.pad(x, self.padding) if self.pads else x))
        return functional.relu6(x) if self.active else x


class _Block(nn.Module):
    """Widen, look around within each channel, narrow; what came in is added where the shape allows."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.layers = nn.Sequential(
            _Convolution(before, wide, 1),
            _Convolution(wide, wide, 3, stride, groups=wide),
            _Convolution(wide, after, 1, active=False),
        )
        self.residual = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


def fused(encoder: Encoder) -> Encoder:
    """A copy that computes the same in evaluation mode, faster: each normalisation is part of its convolution."""
    copied = copy.deepcopy(encoder).eval()
    for module in copied.modules():
        if isinstance(module, _Convolution):
            norm: Any = module.norm
            module.convolution = fuse_conv_bn_eval(module.convolution, norm)
            module.norm = nn.Identity()
    return copied
