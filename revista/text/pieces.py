"""Pieces of a page: parts that look like print, cut out and brought to a good size to be read by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from revista.geometry import Box
from revista.programs.tesseract import Row
from revista.text.preparation import INK, bleach

_MOST = 12  # pieces of a page that are read again; a page with more is a drawing, or broken
_RIM = 2  # pixels from what was painted over within which its rim may be left
_LEAST_HEIGHTS = (4, 10)  # pixels of letters, see `unread`
LETTERS = 0.8  # height of the letters of a word, capitals and small ones mixed, by its own
FEWEST_LETTERS = 6  # of a piece: fewer are specks, ornaments and numbers
_GOOD_HEIGHT = 30  # pixels to which the letters of a piece are brought, capitals and small ones mixed
_MOST_ENLARGED = 4.0
_MARGIN = 0.8  # white around a piece, in heights of its letters

Read: TypeAlias = Callable[[np.ndarray, float], list[Row]]
"""Reads a part of an image as one block; is given it and the height of its letters, in pixels."""


@dataclass(frozen=True)
class Piece:
    """A part of the page that looks like print: its box, and the height of its letters, in pixels."""

    box: Box
    height: float
    closed: bool = False  # whether what is printed below it reaches across its sides


def read_piece(image: np.ndarray, piece: Piece, read: Read, *, bleached: bool = False) -> list[Row]:
    """The words of a piece, read at a good size, without light greys where `bleached`; boxes in pixels of `image`."""
    import cv2

    margin = max(4, round(_MARGIN * piece.height))
    left, top, right, bottom = piece.box.grow(round(0.5 * piece.height)).clip(image.shape[1], image.shape[0])
    cut = cv2.copyMakeBorder(image[top:bottom, left:right], *(margin,) * 4, cv2.BORDER_CONSTANT, value=255)
    scale = min(_MOST_ENLARGED, _GOOD_HEIGHT / piece.height)
    darkest = min(int(cut.min()), 254)
    cut = ((cut.astype(np.float32) - darkest) * (255 / (255 - darkest))).astype(np.uint8)  # print on card is faint
    cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    if bleached:
        cut = bleach(cut, 0)
    words = []
    for row in read(cut, piece.height * scale):
        corners = [round(edge / scale) - margin for edge in row.box]
        box = Box(corners[0] + left, corners[1] + top, corners[2] + left, corners[3] + top)
        words.append(row._replace(box=box.clip(image.shape[1], image.shape[0])))
    return [word for word in words if word.box.area]


def unread(image: np.ndarray, known: Sequence[Box], painted: Sequence[Box] = ()) -> list[Piece]:
    """What looks like lines of letters and lies in none of the boxes of `known`, most and largest letters first.

    Letters are connected dark areas of a letter's proportions. Neighbours of about the same height make a piece. They
    are sought once more among the larger ones alone, since the dots of a picture's screen may hang on a caption.

    Args:
        image: `(height, width)` uint8, dark print on white.
        known: boxes of what was read or is not print, in its pixels.
        painted: boxes of pictures that were painted over: what touches one is its rim.
    """
    import cv2

    dark = (image < INK).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    left, top, width, height, area = (stats[1:, k].astype(float) for k in range(5))  # without the background
    letters = (height >= 4) & (height <= max(image.shape) / 20) & (width <= 30 * height) & (height <= 6 * width)
    letters &= (area >= 0.15 * width * height) & (area >= 6) & ((width <= 4 * height) | (area <= 0.7 * width * height))
    done = np.zeros(image.shape, np.uint8)
    for box in known:
        done[max(0, box.top - 1) : box.bottom + 1, max(0, box.left - 1) : box.right + 1] = 1
    letters &= done[(top + height / 2).astype(int), (left + width / 2).astype(int)] == 0
    boxes = np.stack([left, top, left + width, top + height], 1)
    for box in painted:
        near = box.grow(_RIM)
        letters &= ~((boxes[:, :2] < near[2:]).all(axis=1) & (boxes[:, 2:] > near[:2]).all(axis=1))
    kept: list[tuple[float, Piece]] = []
    for least in _LEAST_HEIGHTS:
        some = boxes[letters & (height >= least)]
        for count, piece in (_piece(some[group]) for group in _groups(some, image.shape)):
            if piece is None or count < FEWEST_LETTERS:
                continue
            if not any(piece.box.centre_in(p.box) and p.box.area < 2 * piece.box.area for _, p in kept):
                kept.append((count, piece))
    kept.sort(key=lambda pair: (-pair[0] * pair[1].height, pair[1].box))  # specks are many, but small
    return [piece for _, piece in kept[:_MOST]]


def _groups(boxes: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    """The letters that stand next to each other: indices of `boxes` (n, 4), on an image of that shape."""
    import cv2

    near = np.zeros(shape[:2], np.uint8)
    height = boxes[:, 3] - boxes[:, 1]
    grown = boxes + np.stack([-height, -0.4 * height, height, 0.4 * height], 1)
    for left, top, right, bottom in np.rint(grown).astype(int).tolist():
        cv2.rectangle(near, (left, top), (right, bottom), 1, cv2.FILLED)
    _, labels = cv2.connectedComponents(near)
    middles = ((boxes[:, :2] + boxes[:, 2:]) / 2).astype(int)
    home = labels[middles[:, 1], middles[:, 0]]
    return [np.flatnonzero(home == label) for label in np.unique(home)]


def _piece(letters: np.ndarray) -> tuple[float, Piece | None]:
    """How many letters a piece has, those that hang together counted by their width, and the piece.

    None in its place where they do not stand in lines. `letters` (n, 4) are boxes.
    """
    heights, widths = letters[:, 3] - letters[:, 1], letters[:, 2] - letters[:, 0]
    typical = float(np.median(heights))
    box = Box(*(int(v) for v in (*letters[:, :2].min(0), *letters[:, 2:].max(0))))
    even = np.mean((heights >= 0.5 * typical) & (heights <= 2 * typical)) >= 0.7
    count = float(np.maximum(1, widths / heights).sum())
    return count, Piece(box, typical) if even and typical >= 5 and box.width >= 3 * typical else None
