"""The network that finds the parts of a page, and what it is to say of one: see `revista.regions.decoding`.

Plain residual stages (He et al. 2016, arXiv:1512.03385) from a quarter to a sixty-fourth of the resolution, brought
together from coarse to fine (Lin et al. 2017, "Feature pyramid networks", arXiv:1612.03144) on one map of cells of
eight pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from revista.regions.decoding import BOX, CHANNELS, CLASSES, INSIDE, LOOK_LOGITS, LOOKS, PART_BOX, SCORES, STRIDE
from revista.training.regions_data import KINDS, Sample

WIDTHS = (24, 40, 80, 128, 160, 160)  # channels at a half, a quarter, ... a sixty-fourth of the resolution
DEPTHS = (0, 1, 2, 2, 2, 1)  # residual blocks there
NECK = 80
_CENTRE = 0.3  # of a side: cells at most so far from a thing's centre propose it


class PageNetwork(nn.Module):
    """Pages to maps of cells."""

    def __init__(self) -> None:
        """Build it with random weights."""
        super().__init__()
        before = (3, *WIDTHS)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before[i], width, 3, 2), *(Residual(width) for _ in range(DEPTHS[i])))
            for i, width in enumerate(WIDTHS)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(width, NECK, 1) for width in WIDTHS[2:])
        self.smooth = nn.ModuleList(convolution(NECK, NECK, 3) for _ in WIDTHS[2:])
        self.head = nn.Sequential(convolution(NECK, NECK, 3), convolution(NECK, NECK, 3))
        self.out = nn.Conv2d(NECK, CHANNELS, 1)
        nn.init.constant_(self.out.bias[SCORES], -4.0)  # type: ignore[index]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(pages, 3, height, width) uint8 or float 0 to 255, sides multiples of 64, to (pages, CHANNELS, h/8, w/8)."""
        state = pixels / 127.5 - 1.0
        maps = []
        for stage in self.stages:
            state = stage(state)
            maps.append(state)
        merged = None
        for place in range(len(self.lateral) - 1, -1, -1):
            own = self.lateral[place](maps[place + 2])
            if merged is not None:
                own = own + functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = self.smooth[place](own)
        found: torch.Tensor = self.out(self.head(merged))
        return found


def convolution(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
    """A convolution, normalised over the batch, rectified."""
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions whose result is added to what they were given."""

    def __init__(self, width: int) -> None:
        """Build it for so many channels."""
        super().__init__()
        self.first = convolution(width, width, 3)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(pages, width, h, w) to the same."""
        return functional.relu(x + self.second(self.first(x)))


def pixels_of(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Images of one size as (n, 3, height, width) float32, 0 to 255, channels last in memory."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.float().contiguous(memory_format=torch.channels_last)


class Thing(NamedTuple):
    """Something on a sample, as the cells see it."""

    name: str  # one of KINDS
    corners: np.ndarray  # (4,) in cells
    within: np.ndarray  # (h, w) bool: cells whose middle lies in it


def things(sample: Sample) -> tuple[np.ndarray, np.ndarray, list[Thing]]:
    """Middles of the cells, x and y (h, w) each, and what is on a sample, the largest first."""
    h, w = sample.image.shape[0] // STRIDE, sample.image.shape[1] // STRIDE
    y, x = np.mgrid[:h, :w].astype(np.float32) + 0.5
    cells = sample.boxes / STRIDE
    areas = (cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])
    found = []
    for i in np.argsort(-areas, kind="stable"):
        left, top, right, bottom = cells[i]
        within = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        found.append(Thing(KINDS[sample.kinds[i]], cells[i], within))
    return x, y, found


class Targets(NamedTuple):
    """What the cells of a page are to say; h and w are its sides in cells."""

    positive: np.ndarray  # (classes, h, w) bool: the cell proposes this class
    counts: np.ndarray  # (classes, h, w) bool: the score is learnt from
    box: np.ndarray  # (4, h, w) float32: corners in cells of what stands there
    part: np.ndarray  # (4, h, w) float32: of the part of a collage there
    look: np.ndarray  # (h, w) int64: place in LOOKS, -1 for none
    inside: np.ndarray  # (h, w) float32: whether it lies in a picture


def targets(sample: Sample) -> Targets:
    """What the network is to say of a sample whose sides are multiples of 8."""
    x, y, found = things(sample)
    classes, (h, w) = len(CLASSES), x.shape
    positive, counts = np.zeros((classes, h, w), bool), np.ones((classes, h, w), bool)
    box, part = np.zeros((4, h, w), np.float32), np.zeros((4, h, w), np.float32)
    look, inside = np.full((h, w), -1, np.int64), np.zeros((h, w), np.float32)
    for name, corners, within in found:
        left, top, right, bottom = corners
        kind = 0 if name in LOOKS else CLASSES.index(name)
        across, down = max(_CENTRE * (right - left), 0.5), max(_CENTRE * (bottom - top), 0.5)
        near = (abs(x - (left + right) / 2) <= across) & (abs(y - (top + bottom) / 2) <= down)
        counts[kind] &= ~within
        counts[kind] |= near
        if name == "part":
            part[:, near] = corners[:, None]
        else:  # a cell proposes one thing: the smallest that it lies in
            taken = positive & near
            taken[CLASSES.index("part")] = False
            counts &= ~taken
            positive &= ~taken
            counts[kind] |= near
            box[:, near] = corners[:, None]
            look[near] = LOOKS.index(name) if kind == 0 else -1
        positive[kind] |= near
        if kind == 0:
            inside[within] = 1.0
    if not sample.complete:  # of real pages only where the pictures are is known
        counts[1:] = False
        positive[1:] = False
        look[:] = -1
    return Targets(positive, counts, box, part, look, inside)


def losses(made: torch.Tensor, wanted: list[Targets]) -> dict[str, torch.Tensor]:
    """What is wrong with the maps of a batch, by what it concerns."""
    device, made, n = made.device, made.float(), len(CLASSES)
    positive, counts, box, part, look, inside = (
        torch.from_numpy(np.stack(field)).to(device) for field in zip(*wanted, strict=True)
    )
    pictures = positive.clone()
    pictures[:, 1] = False
    owned = pictures.any(dim=1)
    quality = torch.zeros_like(made[:, SCORES])
    found: dict[str, torch.Tensor] = {}
    for name, at, place, truth in (("box", owned, BOX, box), ("part", positive[:, 1], PART_BOX, part)):
        index = at.nonzero(as_tuple=True)
        if not len(index[0]):
            found[name] = made.sum() * 0
            continue
        guess = _corners(made[:, place].permute(0, 2, 3, 1)[index], index)
        iou, giou = ious(guess, truth.permute(0, 2, 3, 1)[index])
        found[name] = (2.0 if name == "box" else 1.0) * (1 - giou).mean()
        score = iou.detach().clamp(0, 1)
        for kind in range(n):
            if (kind == 1) == (name == "part"):
                mine = positive[:, kind][index]
                quality[index[0][mine], kind, index[1][mine], index[2][mine]] = score[mine]
    logits = made[:, SCORES]
    chance = logits.sigmoid().detach()
    weight = torch.where(positive, quality.clamp(min=0.1), 0.75 * chance.pow(2)) * counts
    entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    found["class"] = (entropy * weight).sum(dim=(0, 2, 3)).div(positive.sum(dim=(0, 2, 3)).clamp(min=20)).sum()
    found["look"] = (
        0.3 * functional.cross_entropy(made[:, LOOK_LOGITS], torch.where(owned, look, -1), ignore_index=-1).nan_to_num()
    )
    found["inside"] = functional.binary_cross_entropy_with_logits(made[:, INSIDE], inside)
    return found


def _corners(logs: torch.Tensor, index: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """(n, 4) logarithms of distances to corners in cells."""
    away = logs.clamp(-5, 6).exp()
    x, y = index[2] + 0.5, index[1] + 0.5
    return torch.stack([x - away[:, 0], y - away[:, 1], x + away[:, 2], y + away[:, 3]], dim=1)


def ious(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """IoU and generalised IoU (Rezatofighi et al. 2019, arXiv:1902.09630) of (n, 4) corners, pair by pair.

    A box whose corners have changed places has no area: else two wrongs would make one right, and the loss no end.
    """
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1)
    areas = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(dim=1) for box in (a, b)]
    both = (areas[0] + areas[1] - shared).clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(dim=1).clamp(min=1e-6)
    iou = shared / both
    return iou, iou - (hull - both) / hull
