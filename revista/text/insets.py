"""Captions set into a column: print below a picture, with white on both sides, beside prose or above it.

Tesseract reads such a caption and the prose beside it as one line, since the white between is narrower than between
columns. The picture's sides tell where to look for that white.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from revista.geometry import Box, hull
from revista.programs.tesseract import Row, by_line
from revista.text.pieces import LETTERS, Piece
from revista.text.preparation import INK

_LARGER = 1.3  # times the usual height of words: larger ones are of titles, which stand across what they like
_WIDER = 1.15  # times the widest white between the words of a line
_HAIRLINE = 0.1  # heights of words: what is no wider in a row of pixels is of an upright rule
_LEVEL = 0.12  # heights of words that the feet of words on one line lie apart at most
_LEADING = 1.2  # heights of words: wider white ends a caption
_OUTWARD, _INWARD = 3.5, 0.6  # heights of words from the sides of the picture, where the white is looked for
_DEEPEST = 20.0  # heights of words below a picture in which its caption is looked for


def mixed(image: np.ndarray, rows: Sequence[Row], pictures: Sequence[Box]) -> list[Piece]:
    """Captions below pictures that a line of `rows` reaches across, as pieces.

    Such a caption stands between two upright channels of white that go down from the sides of the picture.
    """
    lines = [[word.box for word in line] for line in by_line(rows)]
    usual = median(row.box.height for row in rows) if rows else 0
    lines = [line for line in lines if median(box.height for box in line) <= _LARGER * usual]
    found = []
    for picture in pictures:
        near = [row.box.height for row in rows if row.box.centre_in(picture.grow(picture.height // 2 + 1))]
        cell = _cell(image, picture, median(near)) if near else None
        if cell is not None:
            across = [line for line in lines if 0 < sum(b.centre_in(cell.box) for b in line) < len(line)]
            prose = [line for line in across if _runs_on(line, cell.box, median(near))]
            if prose:
                floor = min(hull(line).top for line in prose)
                cell = Piece(cell.box._replace(bottom=floor), cell.height, closed=True)
                across = [line for line in across if hull(line).bottom <= floor]
            # white through two lines is no chance
            if len(across) > 1 or (across and _parted(across[0], cell.box)):
                found.append(cell)
    return found


def first_lines(words: Sequence[Row]) -> list[Box]:
    """The box of the lines from the first one to the first wide white; none where there are no words."""
    lines = sorted((hull(word.box for word in line) for line in by_line(words)), key=lambda box: box.top)
    if not lines:
        return []
    size = median(word.box.height for word in words)
    end = next((i for i, (a, b) in enumerate(pairwise(lines), 1) if b.top - a.bottom > _LEADING * size), len(lines))
    return [hull(lines[:end])]


def _parted(line: Sequence[Box], cell: Box) -> bool:
    """Whether the white in a line (the boxes of its words) is wider at the sides of the cell than within."""
    inside, sides, _ = _gaps(line, cell)
    return bool(inside) and min(sides) >= _WIDER * max(inside)


def _runs_on(line: Sequence[Box], cell: Box, size: float) -> bool:
    """Whether a line goes through the sides of the cell: the white is no wider there and all words stand level."""
    inside, sides, outside = _gaps(line, cell)
    feet = [median(box.bottom for box in line if box.centre_in(cell) == within) for within in (True, False)]
    level = abs(feet[0] - feet[1]) <= _LEVEL * size
    usual = min(size, _WIDER * median(inside + outside or [0]))  # few words of justified prose stand wide apart
    return level and max(sides) < usual


def _gaps(line: Sequence[Box], cell: Box) -> tuple[list[int], list[int], list[int]]:
    """The widths of the white between the words of a line: within the cell, at its sides and outside of it."""
    gaps: tuple[list[int], list[int], list[int]] = [], [], []
    for before, after in pairwise(sorted(line)):
        gaps[2 - before.centre_in(cell) - after.centre_in(cell)].append(after.left - before.right)
    return gaps


def _cell(image: np.ndarray, picture: Box, size: float) -> Piece | None:
    """What is printed between the channels of white below the sides of a picture; None where there are none.

    Args:
        image: `(height, width)` uint8, dark print on white.
        picture: a box in its pixels.
        size: the height of words.
    """
    top, bottom = round(picture.bottom + 0.15 * size), round(picture.bottom + _DEEPEST * size)
    ink = np.less(image[max(0, top) : bottom], INK)
    if not ink.size:  # the picture reaches to the foot of the page
        return None
    sides = [_channel(ink, x, outward, size) for x, outward in ((picture.left, -1), (picture.right, 1))]
    left, right = (x for x, _ in sides)
    free = depth = min(deep for _, deep in sides)
    inked = ink[:depth, left:right].sum(axis=1) > _HAIRLINE * size
    while depth and inked[depth - 1]:  # a line that one of the channels ends in
        depth -= 1
    across = np.flatnonzero(inked[:depth])
    if depth < size or not across.size:
        return None
    last = int(across[-1]) + 1
    closed = free < len(ink)
    return Piece(Box(left, max(0, top), right, max(0, top) + last), LETTERS * size, closed)


def _channel(ink: np.ndarray, edge: int, outward: int, size: float) -> tuple[int, int]:
    """Where near `edge` white goes down farthest through `ink` (height, width), and how far, in pixels."""
    wide = max(2, round(0.2 * size))
    reach = [_OUTWARD * size if outward == side else _INWARD * size for side in (-1, 1)]
    first = max(0, round(edge - reach[0]))
    blocked = ink[:, first : round(edge + reach[1])]
    depths = np.where(blocked.any(axis=0), blocked.argmax(axis=0), len(ink))
    if len(depths) < wide:
        return min(max(edge, 0), ink.shape[1]), len(ink)  # at the border of the page
    free = np.lib.stride_tricks.sliding_window_view(depths, wide).min(axis=1)
    best = np.flatnonzero(free == free.max())
    at = int(best[np.abs(best + wide / 2 + first - edge).argmin()])
    return first + at + wide // 2, int(free.max())
