"""Boxes to learn borders from: those that the page network and the ink propose, and true ones gone astray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from revista.regions.decoding import decode, overlaps
from revista.regions.finding import look_at, propose
from revista.regions.halftone import find_pictures
from revista.regions.ink import separate
from revista.regions.refining import Views
from revista.training.pages.pictures import Photographs
from revista.training.regions_data import Sample, generated, kept, pictures_of

MOST = 8  # pictures of a page, nearest first, that a box is compared with
HOLDS = 0.45  # IoU with a picture from which a box is to become that picture's
_SHARES = {"proposed": 0.6, "astray": 0.22, "joined": 0.1, "cut": 0.08}
"""Of the boxes of a page with pictures: proposed ones; true ones moved; the hull of two; one without a side."""
_ASTRAY = (0.05, 0.15, 0.3)  # of its sides: how far the borders of a true box are moved at most
_LEAST_SIDE = 6.0  # pixels of a box
_NOWHERE = np.array([-9.0, -9.0, -8.5, -8.5])  # a picture that no box meets


class RefinedPage(NamedTuple):
    """A page to learn borders from; boxes are corners in its pixels."""

    views: Views
    truth: np.ndarray  # (n, 4) its pictures
    proposed: np.ndarray  # (m, 4)


class Drawn(NamedTuple):
    """A box to learn from; corners are shares of the view."""

    view: np.ndarray  # (CHANNELS, SIDE, SIDE) uint8
    truth: np.ndarray  # (4,) the picture that the box is to become
    holds: bool  # whether it is to become one
    pictures: np.ndarray  # (MOST, 4) those that its overlap is measured with


def on_sample(sample: Sample, network: Any, file: Path | None = None) -> RefinedPage:
    """What the page network, a session of onnxruntime, and the ink make of a sample; kept in `file`, if any."""

    def make() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        looked = look_at(network, sample.image)
        boxes = propose(looked, decode(looked.maps), find_pictures(separate(sample.image))).boxes / looked.scale
        return looked.inside_and_looks()[0].astype(np.float16), looked.scale[:2], boxes

    inside, scale, proposed = kept(file, ("inside", "scale", "proposed"), make) if file else make()
    return RefinedPage(Views(sample.image, inside.astype(np.float32), scale), pictures_of(sample), proposed)


def on_generated(
    numbers: Sequence[int], seed: int, source: Photographs, folder: Path, network: Any, proposed: Path
) -> list[RefinedPage]:
    """The generated pages of these numbers, kept in `folder`; what this network proposes is kept in `proposed`."""
    return [on_sample(generated(n, seed, source, folder), network, proposed / f"{seed}_{n:06d}.npz") for n in numbers]


def draw(page: RefinedPage, rng: np.random.Generator) -> Drawn:
    """Some box of a page as it is learnt from: moved a little, perhaps mirrored, in other tones."""
    box = _box(page, rng)
    low, high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    box = np.concatenate([low, np.maximum(high, low + _LEAST_SIDE)])
    view, seen = page.views.cut(box)
    box, truth = (_shares(boxes, seen) for boxes in (box[None], page.truth))
    if rng.random() < 0.5:
        view, box, truth = view[:, :, ::-1], _mirrored(box), _mirrored(truth)
    shared = overlaps(box[0], truth) if len(truth) else np.zeros(1)
    holds = bool(shared.max() >= HOLDS)
    pictures = np.tile(_NOWHERE, (MOST, 1))
    nearest = truth[np.argsort(-shared)[:MOST]] if len(truth) else truth
    pictures[: len(nearest)] = nearest
    return Drawn(_printed(view.copy(), rng), pictures[0] if holds else np.zeros(4), holds, pictures)


def _box(page: RefinedPage, rng: np.random.Generator) -> np.ndarray:
    truth, proposed = page.truth, page.proposed
    way = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
    if len(proposed) and (way == "proposed" or not len(truth)):
        box = proposed[int(rng.integers(len(proposed)))]
        return _moved(box, 0.04, rng) if rng.random() < 0.5 else box
    if not len(truth):
        height, width = page.views.grey.shape
        return rng.uniform(0, (width, height, width, height)) / page.views.factor
    box, other = (truth[int(rng.integers(len(truth)))].astype(float) for _ in range(2))
    if way == "joined":
        return _moved(np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])]), 0.03, rng)
    if way == "cut":
        side, sides = int(rng.integers(4)), np.tile(box[2:] - box[:2], 2)
        box[side] += (1 if side < 2 else -1) * sides[side] * rng.uniform(0.35, 0.75)
        return box
    return _moved(box, float(rng.choice(_ASTRAY)), rng)


def _moved(box: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    moved: np.ndarray = box + rng.uniform(-most, most, 4) * np.tile(box[2:] - box[:2], 2)
    return moved


def _shares(boxes: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Corners (n, 4) in pixels as shares of a view whose corners are (4,)."""
    shares: np.ndarray = (boxes - np.tile(view[:2], 2)) / np.tile(view[2:] - view[:2], 2)
    return shares


def _mirrored(shares: np.ndarray) -> np.ndarray:
    return np.stack([1 - shares[:, 2], shares[:, 1], 1 - shares[:, 0], shares[:, 3]], axis=1)


def _printed(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The view in other tones, softer, with grain, or with a page network that is less sure."""
    if rng.random() < 0.6:
        tones = 255 * (np.arange(256) / 255) ** float(np.exp(rng.uniform(-0.5, 0.5)))
        tones = np.clip((tones - 128) * rng.uniform(0.7, 1.2) + 128 + rng.uniform(-15, 15), 0, 255)
        view[0] = cv2.LUT(view[0], tones.astype(np.uint8))
    if rng.random() < 0.25:
        view[0] = cv2.GaussianBlur(view[0], (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.25:
        view[0] = np.clip(view[0] + rng.normal(0, rng.uniform(2, 14), view[0].shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        view[1] = cv2.GaussianBlur(view[1], (0, 0), rng.uniform(2, 8))
    return view
