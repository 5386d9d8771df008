"""Print under a picture that its box has caught is let go, so that it is read: often it is the caption."""

from __future__ import annotations

import numpy as np

from revista.geometry import Box
from revista.regions.ink import Print

_MOST = 0.25  # of its height that a box may lose
_LINE = 0.1  # of a box's width: a row in which lines of print take so much is print
_SPECKS = 0.01  # the same of other ink that is none of a picture
_LEAST = 2  # pixels at the working size of such specks


def without_foot(box: Box, printed: Print) -> Box:
    """The box without lines of print under the last row of its picture.

    The print above a picture, or beside it, stays: large letters of a title belong to many a drawing.

    Args:
        box: of a picture, in the scan's pixels.
        printed: what is printed on the page.
    """
    small = printed.part(box)
    if not small.area:
        return box
    part = slice(small.top, small.bottom), slice(small.left, small.right)
    pictured = ((printed.ink | printed.rules) & ~printed.text)[part].sum(axis=1)
    rows = np.flatnonzero(pictured > max(_LEAST, _SPECKS * small.width))
    if not rows.size:
        return box
    end = int(rows[-1]) + 1
    below = printed.text[part][end:].sum(axis=1) > _LINE * small.width
    if not below.any() or small.height - end > _MOST * small.height:
        return box
    return box._replace(bottom=min(box.bottom, printed.on_scan(small._replace(bottom=small.top + end)).bottom))
