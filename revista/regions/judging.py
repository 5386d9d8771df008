"""Which of the boxes proposed for a page hold a picture: judged by where the network says that picture is.

Boxes come from the network itself and from the ink on the page; each alone errs in its own way. The network also says
for every place of the page how likely it lies in a picture, and that is surer than any box: a box is believed as far as
it is filled with picture, and the network's own, whose borders are a guess, as far as none surrounds them. The borders
of ink are those of bare paper; a figure that stands close beside another one may be surrounded by picture.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from revista.regions.decoding import STRIDE, overlaps

_RING = 2.0  # cells around a box in which there should be no picture
_FINER = 8  # places are looked up on a map of one pixel each
_INK = 0.7  # how far the ink's own word is trusted, beside the network's


class Curve(NamedTuple):
    """From judgement to confidence: a logistic curve, fitted for one network by its training."""

    middle: float = 0.35  # the judgement that is right every other time
    steep: float = 12.0

    def confidence(self, judgement: float) -> float:
        """How likely a box with this judgement holds a picture, 0.0 to 1.0."""
        return float(1 / (1 + np.exp(-self.steep * (judgement - self.middle))))


class Proposed(NamedTuple):
    """Boxes that may hold a picture."""

    boxes: np.ndarray  # (n, 4) corners in pixels of the network's input
    scores: np.ndarray  # (n,) how sure each one's finder is, 0.0 to 1.0
    inked: np.ndarray  # (n,) bool: proposed by the ink, not by the network


def judgements(proposed: Proposed, inside: np.ndarray) -> np.ndarray:
    """How likely each box holds a picture, (n,) 0.0 to 1.0.

    Args:
        proposed: the boxes.
        inside: (rows, columns) how likely each cell lies in a picture, 0.0 to 1.0.
    """
    rows, columns = inside.shape
    finer = cv2.resize(inside, (columns * _FINER, rows * _FINER), interpolation=cv2.INTER_LINEAR)
    total = cv2.integral(finer.astype(np.float32))
    return np.array([_judgement(*one, total) for one in zip(*proposed, strict=True)], float)


def distinct(boxes: np.ndarray, values: np.ndarray, same: float) -> list[int]:
    """Places among boxes (n, 4) of those that mean different things, best first: of two alike the better one stays.

    Args:
        boxes: corners.
        values: (n,) how good each is.
        same: IoU from which two boxes mean the same.
    """
    found: list[int] = []
    for i in np.argsort(-values, kind="stable").tolist():
        if not found or overlaps(boxes[i], boxes[found]).max() < same:
            found.append(i)
    return found


def _judgement(box: np.ndarray, score: float, inked: bool, total: np.ndarray) -> float:
    """How far a box is filled with picture and surrounded by none, times how sure its finder is: 0.0 to 1.0."""
    scale = _FINER / STRIDE
    picture, area = _sum(box * scale, total)
    if inked:
        return _INK * float(score) * picture / area if area else 0.0
    ring = _RING * _FINER * np.array([-1, -1, 1, 1])
    around, whole = _sum(box * scale + ring, total)
    spilt = (around - picture) / (whole - area) if whole > area else 0.0
    return float(score * picture / area * (1 - spilt)) if area else 0.0


def _sum(corners: np.ndarray, total: np.ndarray) -> tuple[float, int]:
    """What of the integral image lies in a box, and the box's area, both on the map."""
    bottom, right = total.shape[0] - 1, total.shape[1] - 1
    x0, y0, x1, y1 = np.clip(np.round(corners), 0, (right, bottom, right, bottom)).astype(int)
    return float(total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]), int((x1 - x0) * (y1 - y0))


def shares_of(box: np.ndarray, inside: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """The share (looks,) of each look among a box's cells, which count the more the likelier they lie in a picture.

    Args:
        box: (4,) corners in pixels of the network's input.
        inside: (rows, columns) how likely each cell lies in a picture.
        looks: (looks, rows, columns) the share of each look.
    """
    rows, columns = inside.shape
    x0, y0 = np.clip(np.floor(box[:2] / STRIDE), 0, (columns - 1, rows - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(box[2:] / STRIDE), (x0 + 1, y0 + 1), (columns, rows)).astype(int)
    votes: np.ndarray = (looks[:, y0:y1, x0:x1] * inside[y0:y1, x0:x1]).sum(axis=(1, 2))
    return votes / max(float(votes.sum()), 1e-9)
