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
_EVERY = 3  # pixels at the working size, across and down, between those that are measured


def believed(boxes: Sequence[Box], told: Sequence[float], printed: Print) -> list[float]:
    """How sure pictures are: no surer than their ink is strong, where that is clearly paler than the page's.

    Args:
        boxes: in the scan's pixels.
        told: how sure each is so far, 0.0 to 1.0.
        printed: what is printed on the page.
    """
    ink = _strength(printed.distance)
    found = []
    for box, sure in zip(boxes, told, strict=True):
        part = printed.part(box)
        seen = printed.distance[part.top : part.bottom, part.left : part.right]
        strength = min(_strength(seen), _strength(_core(seen), _INSIDE)) / ink if seen.size and ink else 1.0
        found.append(min(sure, strength) if strength < _SEEN else sure)
    return found


def _core(seen: np.ndarray) -> np.ndarray:
    """What a box holds (height, width), its rim left out."""
    down, across = (int(_RIM * side) for side in seen.shape)
    return seen[down : seen.shape[0] - down, across : seen.shape[1] - across]


def _strength(distance: np.ndarray, darkest: float = _DARKEST) -> float:
    """How far the ink is from the paper, as `Print.distance`."""
    return float(np.quantile(distance[::_EVERY, ::_EVERY], darkest))
