"""What a picture's box has caught of its neighbour, or of the print under it, is let go.

The print is read then: often it is the caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from revista.geometry import Box
from revista.regions.ink import Print

_MOST = 0.25  # of its height that a box may lose
_LINE, _LETTERS = 0.1, 6.0  # of a box's width, and letters: a row in which lines of print take so much is print
_SPECKS = 0.01  # of its width: other ink of a row that is none of a picture
_LEAST = 2  # the same, in pixels at the working size
_LOW = 1.5  # letters: a band of ink below print, no higher, is print too: a credit line
_CLEAR = 0.5  # letters of clear paper over a line of print at a box's foot
_AT_FOOT = 2  # pixels at the working size from a box's foot to the last row of such a line, at most
_ACROSS = 0.5  # of its width: what is as wide is no credit, but the line of a frame
_STRIP = 0.25  # of its width, or height, that a box may have caught of a surer one
_ALONG = 0.6  # of its side along which the two meet


def without_strips(boxes: Sequence[Box]) -> list[Box]:
    """The boxes without the strips that they share with surer ones, in the same order.

    Args:
        boxes: of pictures, surest first.
    """
    found: list[Box] = []
    for box in boxes:
        for other in found:
            box = _beside(box, other)
        found.append(box)
    return found


def _beside(box: Box, other: Box) -> Box:
    """The box without a strip along one of its sides that it shares with another one, which goes on beyond it."""
    shared = box.intersect(other)
    if not shared.area:
        return box
    if shared.width <= _STRIP * box.width and shared.height >= _ALONG * box.height:
        if box.left < other.left and box.right < other.right:
            return box._replace(right=other.left)
        if other.left < box.left and other.right < box.right:
            return box._replace(left=other.right)
    if shared.height <= _STRIP * box.height and shared.width >= _ALONG * box.width:
        if box.top < other.top and box.bottom < other.bottom:
            return box._replace(bottom=other.top)
        if other.top < box.top and other.bottom < box.bottom:
            return box._replace(top=other.bottom)
    return box


def without_foot(box: Box, printed: Print) -> Box:
    """The box without lines of print, known as such or not, under the last row of its picture.

    The print above a picture, or beside it, stays: large letters of a title belong to many a drawing.

    Args:
        box: of a picture, in the scan's pixels.
        printed: what is printed on the page.
    """
    small = printed.part(box)
    if not small.area:
        return box
    part = slice(small.top, small.bottom), slice(small.left, small.right)
    ink = ((printed.ink | printed.rules) & ~printed.text)[part].sum(axis=1)
    text = printed.text[part].sum(axis=1) > min(_LINE * small.width, _LETTERS * printed.letter)
    across = ink > _ACROSS * small.width
    seen = max(_LEAST, _SPECKS * small.width)
    end = _end(ink > seen, across, text, _LOW * printed.letter)
    if not end or not text[end:].any() or small.height - end > _MOST * small.height:
        end = _above_line(printed, small, seen)
    if not 0 < small.height - end <= _MOST * small.height:
        return box
    return box._replace(bottom=min(box.bottom, printed.on_scan(small._replace(bottom=small.top + end)).bottom))


def _above_line(printed: Print, small: Box, seen: float) -> int:
    """The row at which a line of print at the very foot of a box begins, perhaps cut through; its height without one.

    A few words, or what is left of them, are not known for print: they are a low band of ink under clear paper.

    Args:
        printed: what is printed on the page.
        small: the box, at the working size.
        seen: pixels of a row, from which it is inked.
    """
    ink = (printed.ink | printed.rules)[small.top : small.bottom, small.left : small.right].sum(axis=1)
    inked = np.flatnonzero(ink > seen)
    gaps = np.flatnonzero(np.diff(inked) > _CLEAR * printed.letter)
    if not len(gaps) or small.height - inked[-1] > _AT_FOOT:
        return small.height
    top = int(inked[gaps[-1] + 1])
    low, narrow = small.height - top <= _LOW * printed.letter, ink[top:].max() <= _ACROSS * small.width
    return top if low and narrow else small.height


def _end(inked: np.ndarray, across: np.ndarray, text: np.ndarray, low: float) -> int:
    """The row below the last one of a picture, low bands of ink under lines of text left out; 0 where there is none.

    Args:
        inked: (rows,) bool, whether there is ink other than text.
        across: (rows,) bool, whether it is as wide as frames are.
        text: (rows,) bool, whether there is text.
        low: rows that such a band has at most.
    """
    edges = np.flatnonzero(np.diff(inked.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    bands: list[tuple[int, int]] = [(0, 0), *((int(top), int(bottom)) for top, bottom in edges)]
    for (_, above), (top, bottom) in reversed(list(pairwise(bands))):
        if bottom - top > low or across[top:bottom].any() or not text[above:top].any():
            return bottom
    return 0
