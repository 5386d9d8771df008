"""What shines through the paper from its other side is no picture of this page, nor is a frame around nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from revista.geometry import Box
from revista.regions.ink import Print

_DARKEST = 0.98  # share of the pixels that are paler than what counts as the ink
_INSIDE = 0.99  # the same of a box without its rim, which holds less of its ink
_RIM = 0.1  # of its sides: where the lines of a frame are
_SEEN = 0.2  # of the page's ink: what is paler is printed on the other side
_STANDS = 0.5  # from which a box is a picture
_OWN = 0.3  # share of a box that no surer one covers, from which that is asked for by itself
_EVERY = 3  # pixels at the working size, across and down, between those that are measured


def believed(boxes: Sequence[Box], told: Sequence[float], printed: Print) -> list[float]:
    """How sure pictures are: no surer than their ink is strong, where that is clearly paler than the page's.

    The ink of a surer picture that a box has caught is not its own.

    Args:
        boxes: in the scan's pixels, surest first.
        told: how sure each is so far, 0.0 to 1.0.
        printed: what is printed on the page.
    """
    ink = _strength(printed.distance)
    found: list[float] = []
    standing: list[Box] = []
    for box, sure in zip(boxes, told, strict=True):
        part = printed.part(box)
        seen = printed.distance[part.top : part.bottom, part.left : part.right]
        strength = 1.0
        if seen.size and ink:
            strength = min(_strength(seen), _strength(_core(seen), _INSIDE)) / ink
            own = seen[~_covered(part, standing)] if standing else seen[:0]
            if own.size >= _OWN * seen.size:
                strength = min(strength, float(np.quantile(own[::_EVERY], _DARKEST)) / ink)
        found.append(min(sure, strength) if strength < _SEEN else sure)
        if found[-1] >= _STANDS:
            standing.append(part)
    return found


def _covered(part: Box, others: Sequence[Box]) -> np.ndarray:
    """Which pixels of a box others cover, (height, width) bool."""
    mask = np.zeros((part.height, part.width), bool)
    for other in others:
        shared = part.intersect(other)
        if shared.area:
            shared = shared.move(-part.left, -part.top)
            mask[shared.top : shared.bottom, shared.left : shared.right] = True
    return mask


def _core(seen: np.ndarray) -> np.ndarray:
    """What a box holds (height, width), its rim left out."""
    down, across = (int(_RIM * side) for side in seen.shape)
    return seen[down : seen.shape[0] - down, across : seen.shape[1] - across]


def _strength(distance: np.ndarray, darkest: float = _DARKEST) -> float:
    """How far the ink is from the paper, as `Print.distance`."""
    return float(np.quantile(distance[::_EVERY, ::_EVERY], darkest))
