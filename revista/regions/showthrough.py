"""What shines through the paper from its other side is no picture of this page."""

from __future__ import annotations

import numpy as np

from revista.geometry import Box
from revista.regions.ink import Print

_DARKEST = 0.98  # share of the pixels that are paler than what counts as the ink
_SEEN = 0.2  # of the page's ink: what is paler is printed on the other side
_EVERY = 3  # pixels at the working size, across and down, between those that are measured


def ink_of(printed: Print) -> float:
    """How far the page's ink is from its paper, as `Print.distance`."""
    return _strength(printed.distance)


def believed(box: Box, told: float, printed: Print, ink: float) -> float:
    """How sure a picture is, 0.0 to 1.0: no surer than its ink is strong, where that is clearly paler than the page's.

    Args:
        box: in the scan's pixels.
        told: how sure it is so far.
        printed: what is printed on the page.
        ink: what `ink_of` gives for it.
    """
    part = printed.part(box)
    seen = printed.distance[part.top : part.bottom, part.left : part.right]
    strength = _strength(seen) / ink if seen.size and ink else 1.0
    return min(told, strength) if strength < _SEEN else told


def _strength(distance: np.ndarray) -> float:
    return float(np.quantile(distance[::_EVERY, ::_EVERY], _DARKEST))
