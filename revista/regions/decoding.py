"""From the maps that the page network makes to boxes: each cell proposes one, the best stay, neighbours agree on it.

Anchor-free detection as in Tian et al. 2019, "FCOS" (arXiv:1904.01355), with one score that stands for class and
overlap together as in Zhang et al. 2021, "VarifocalNet" (arXiv:2008.13367).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from revista.records import Look

STRIDE = 8  # pixels of the network's input a cell
CLASSES = ("picture", "part", "caption", "title", "text", "furniture")
LOOKS = tuple(Look)
CHANNELS = len(CLASSES) + 4 + 4 + len(LOOKS) + 1
"""Of a map: a logit for each class, the logarithms of a box's distances (left, top, right, bottom, in cells) for what
stands there and for the part of a collage that stands there, a logit for each look of a picture, and the logit of lying
in one."""
SCORES = slice(0, len(CLASSES))
BOX = slice(SCORES.stop, SCORES.stop + 4)
PART_BOX = slice(BOX.stop, BOX.stop + 4)
LOOK_LOGITS = slice(PART_BOX.stop, PART_BOX.stop + len(LOOKS))
INSIDE = CHANNELS - 1

_LEAST = 0.05  # scores below it propose nothing
_SAME = 0.55  # IoU from which two proposals mean the same thing
_MOST = 400  # proposals of a class looked at, best first


class Proposal(NamedTuple):
    """A box in pixels of the network's input (floats), with its class and score."""

    kind: str
    box: tuple[float, float, float, float]
    score: float


def decode(maps: np.ndarray) -> list[Proposal]:
    """The proposals of one page, surest first, one for each thing.

    Args:
        maps: (CHANNELS, rows, columns) float32, see `CHANNELS`.
    """
    scores = sigmoid(maps[SCORES])
    found = []
    for kind, name in enumerate(CLASSES):
        logs = maps[PART_BOX if name == "part" else BOX]
        rows, columns = np.nonzero(scores[kind] > _LEAST)
        order = np.argsort(-scores[kind, rows, columns], kind="stable")[:_MOST]
        rows, columns = rows[order], columns[order]
        values = scores[kind, rows, columns]
        for place, box in _merged(_boxes(logs[:, rows, columns], rows, columns), values):
            left, top, right, bottom = map(float, box)
            found.append(Proposal(name, (left, top, right, bottom), float(values[place])))
    return sorted(found, key=lambda p: -p.score)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logits as probabilities."""
    chances: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return chances


def inside_and_looks(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How likely each cell lies in a picture (rows, columns), and the share of each look there (looks, ...)."""
    logits = maps[LOOK_LOGITS]
    looks = np.exp(logits - logits.max(axis=0))
    return sigmoid(maps[INSIDE]), looks / looks.sum(axis=0)


def _boxes(logs: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(4, n) logarithms of distances to (n, 4) corners in pixels."""
    away = np.exp(np.clip(logs, -5, 6)).T
    x, y = columns + 0.5, rows + 0.5
    return np.stack([x - away[:, 0], y - away[:, 1], x + away[:, 2], y + away[:, 3]], axis=1) * STRIDE


def _merged(boxes: np.ndarray, scores: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The best proposal of each thing, with the mean of the boxes that mean the same, weighted by score."""
    left = np.ones(len(boxes), bool)
    found = []
    for place in range(len(boxes)):
        if not left[place]:
            continue
        same = overlaps(boxes[place], boxes) >= _SAME
        vote = same & left
        weights = scores[vote] ** 2
        found.append((place, (boxes[vote] * weights[:, None]).sum(axis=0) / weights.sum()))
        left &= ~same
    return found


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The IoU of a box (4,) with each of (n, 4), 0.0 to 1.0."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    own = float(np.clip(box[2:] - box[:2], 0, None).prod())
    return shared / np.maximum(own + areas - shared, 1e-9)
