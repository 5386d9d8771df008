"""Which boxes of a page are its pictures, once each has been looked at closely.

How likely a box holds a picture is told by the page network's judgement (`judging`). The closer look (`refining`) has
learnt more of what stands close together, but only on generated pages and a few real ones. So it is heard where it is
sure: that a box holds nothing, that it holds several pictures, that several boxes are pieces of one, or that one was
overlooked. What is one and what is several is weighed: a box is worth its area times what the overlap to be expected
exceeds that from which a box means a picture.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from revista.regions.decoding import overlaps
from revista.regions.judging import distinct

_SAME = 0.5  # IoU from which two boxes mean the same picture
_STANDS = 0.5  # confidence from which a box is a picture, so far
_SURE = 0.8  # overlap to be expected from which the closer look is sure of a picture
_PLAIN = 0.9  # the same, from which it is so, whatever the page network makes of it
_NOTHING = 0.2  # the same, below which it is sure that there is none
_CLEARLY = 0.05  # how much more of it makes a box clearly better than its pieces
_BY_FAR = 0.2  # the same, that needs no agreement by its judgement
_LIKELY = 0.7  # confidence by its judgement from which a box may stand in place of surer pieces
_INSIDE = 0.8  # share of a box from which it lies in another one
_APART = 0.2  # share of a box that another one may cover, of pictures that are inside the same
_THINKABLE = 0.05  # confidence by its judgement below which a box was rightly overlooked, unless it is plain
_BESIDE = 0.3  # the same of a picture that was overlooked, beside those that stand
LESS = 0.999  # of the confidence of what it lost against


def decide(boxes: np.ndarray, confidences: np.ndarray, fits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The boxes that mean different pictures, and how sure each is.

    Args:
        boxes: (n, 4) corners, moved by the closer look.
        confidences: (n,) how likely each holds a picture, by its judgement.
        fits: (n,) the overlap with a picture to be expected of each, by the closer look.

    Returns:
        Places among the boxes (m,) and confidences (m,), 0.0 to 1.0, surest first. A box around several pictures is
        among them, less sure than these, and so are pieces of one.
    """
    told = np.where(fits < _NOTHING, np.minimum(confidences, fits), confidences)
    named = distinct(boxes, told, _SAME)
    standing: list[int] = []
    for i in named:
        if told[i] >= _STANDS and not any(_nested(boxes, i, j) for j in standing):
            standing.append(i)
    best = np.argsort(-fits, kind="stable")
    sure = best[fits[best] >= _SURE].tolist()
    worth = (fits - _SAME) * np.array([_area(box) for box in boxes])
    for whole in tuple(standing):
        parts = _parts(boxes, whole, sure)
        inside = [_covered(boxes[i], boxes[whole]) for i in parts]  # what lies outside is no part of it
        if len(parts) > 1 and worth[parts] @ inside > worth[whole]:
            told[parts] = np.maximum(told[parts], fits[parts])
            told[whole] = min(told[whole], LESS * told[parts].min())
            standing = [i for i in standing if i != whole] + parts
    for whole in (i for i in sure if confidences[i] >= _THINKABLE and i not in standing):
        pieces = [i for i in standing if _covered(boxes[i], boxes[whole]) >= _INSIDE]
        if not pieces or worth[whole] <= worth[pieces].sum():
            continue
        more = fits[whole] - fits[pieces].max()
        clearly = more > _CLEARLY and confidences[whole] >= _LIKELY and len(pieces) > 1 and worth[pieces].min() >= 0
        if clearly or more > _BY_FAR:
            told[whole] = max(told[whole], fits[whole])
            told[pieces] = np.minimum(told[pieces], LESS * told[whole])
            standing = [i for i in standing if i not in pieces] + [whole]
    for i in (i for i in sure if i not in standing):
        thinkable = confidences[i] >= _THINKABLE or fits[i] >= _PLAIN
        if thinkable and _most_shared(boxes, i, standing) < _BESIDE:
            told[i] = max(told[i], fits[i])
            standing.append(i)
    rest = [i for i in named if i not in standing and overlaps(boxes[i], boxes[standing]).max(initial=0.0) < _SAME]
    places = np.array([*standing, *rest], int)
    places = places[np.argsort(-told[places], kind="stable")]
    return places, told[places]


def _parts(boxes: np.ndarray, whole: int, sure: Iterable[int]) -> list[int]:
    """Those of the sure boxes, best first, that lie inside a box and apart from each other."""
    found: list[int] = []
    for i in sure:
        smaller = _area(boxes[i]) < _INSIDE * _area(boxes[whole])
        inside = i != whole and smaller and _covered(boxes[i], boxes[whole]) >= _INSIDE
        if inside and _most_shared(boxes, i, found) < _APART:
            found.append(i)
    return found


def _most_shared(boxes: np.ndarray, one: int, others: Iterable[int]) -> float:
    """How much of a box one of the others covers, or it of one of them, at most."""
    pairs = ((boxes[one], boxes[other]) for other in others)
    return max((max(_covered(a, b), _covered(b, a)) for a, b in pairs), default=0.0)


def _nested(boxes: np.ndarray, one: int, other: int) -> bool:
    return _most_shared(boxes, one, (other,)) >= _INSIDE


def _area(box: np.ndarray) -> float:
    return float(np.clip(box[2:] - box[:2], 0, None).prod())


def _covered(box: np.ndarray, by: np.ndarray) -> float:
    """The share of a box that another one covers; 0.0 of an empty one."""
    shared = np.concatenate([np.maximum(box[:2], by[:2]), np.minimum(box[2:], by[2:])])
    return _area(shared) / max(_area(box), 1e-9)
