"""Print that the reading of the whole page missed or mixed up, read again by itself.

Tesseract looks for columns and lines of the commonest type on a page. It passes over a line of small print under a
large picture or beside a title of ten times its size; and it reads a caption and the prose beside it as one line, for
the white between is narrower than between columns. Such print is cut out, brought to a good size and read as a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeAlias

import numpy as np

from revista.geometry import Box, hull
from revista.programs.tesseract import Row, by_line, confidence_of, letters_in, sure_letters
from revista.text.preparation import INK, bleach
from revista.wording import is_credit

_MOST = 12  # pieces of a page that are read again; a page with more is a drawing, or broken
_RIM = 0.05  # share of a large picture's shorter side, in which a caption may reach into its box
_VAIN = 4  # pieces in a row that were no print, after which no more are read
_LEAST_HEIGHTS = (4, 10)  # pixels of letters, see `unread`
_FEWEST_LETTERS = 6  # of a piece: fewer are specks, ornaments and numbers
_GOOD_HEIGHT = 30  # pixels to which the letters of a piece are brought, capitals and small ones mixed
_MOST_ENLARGED = 4.0
_MARGIN = 0.8  # white around a piece, in heights of its letters
_SURE = 0.6  # mean confidence of a piece that is believed
_SURE_IF_PLAIN = 0.4  # the same where it is letters and nothing else
_SURE_AT_LENGTH = 0.7  # confidence of a word in such a piece that speaks for all of it
_LETTERS = 0.8  # height of the letters of a word, capitals and small ones mixed, by its own
_WORSE = 0.05  # by how much a second reading may be less sure than the first: its lines are truer
_LEVEL_LINES, _OVERLAP = 0.6, 0.4  # of their height lie two readings of one line level, and over one another
_MOST_TWICE = 4  # lines of a page, read twice, that are read once more
_GUESSED = 0.4  # mean confidence of lines that are hardly read at all
_NO_DOUBT = 0.6  # confidence of every word of a piece, from which it is read but once
_DOUBTS = 2  # pieces of a page that are read more than once
_WORD_GAP = 2.0  # heights of letters: words of one line stand no farther apart
_FEWEST_IN_A_LINE = 3  # letters
_LARGER = 1.3  # times the usual height of words: larger ones are of titles, which stand across what they like
_WIDER = 1.15  # times the widest white between the words of a line
_SURE_WORD, _SURE_SIGN = 0.3, 0.9  # the same of one of its words, and of a sign that stands alone
_LONG_WORD = 6  # letters
_LETTERS_A_WORD, _PLAIN_LETTERS = 2.0, 4.0  # at least, on average; where it is plain print
_HAIRLINE = 0.1  # heights of words: what is no wider in a row of pixels is of an upright rule
_LEVEL = 0.12  # heights of words that the feet of words on one line lie apart at most
_LEADING = 1.2  # heights of words: wider white ends a caption
_OUTWARD, _INWARD = 3.5, 0.6  # the same from the sides of the picture, within which the channels are looked for
_LINE = 0.02  # of the page's height: a line of small print is no higher
_DEEPEST = 20.0  # heights of words below a picture in which its caption is looked for

Read: TypeAlias = Callable[[np.ndarray, float], list[Row]]
"""Reads a part of an image as one block; is given it and the height of its letters, in pixels."""


@dataclass(frozen=True)
class Piece:
    """A part of the page that looks like print: its box, and the height of its letters, in pixels."""

    box: Box
    height: float
    closed: bool = False  # whether what is printed below it reaches across its sides


def reread(
    image: np.ndarray, rows: Sequence[Row], pictures: Sequence[Box], large: Sequence[Box], read: Read
) -> tuple[list[Row], list[Box]]:
    """The words of a page, with those that were missed, and captions parted from the prose beside them.

    Args:
        image: `(height, width)` uint8, dark print on white, the pictures painted over.
        rows: what was read.
        pictures: upright boxes in pixels of `image`.
        large: boxes of pictures that were not painted over; nothing more is looked for in them.
        read: reads a part of the image.

    Returns:
        Words in pixels of `image`; what is new stands in blocks of its own. And the boxes of the captions.
    """
    captions: list[Box] = []
    found = [row for row in rows if row.text.strip() and row.box.area]
    for piece, twice in _read_twice(found):
        words = _sure(read_piece(image, piece, read))
        lines = by_line(twice)
        if confidence_of(words) >= confidence_of(twice) - _WORSE and letters_in(words) >= max(map(letters_in, lines)):
            found = [row for row in found if row not in twice]
            found += _apart(words, found)
    for cell in _mixed(image, found, pictures):
        inside = [row for row in found if row.box.centre_in(cell.box)]
        found = [row for row in found if not row.box.centre_in(cell.box)]
        words = _sure(read_piece(image, cell, read))
        if confidence_of(words) < confidence_of(inside) - _WORSE:
            words = inside
        found += _apart(words, found)
        if cell.closed:
            captions += _first_lines(words)
    weak = {word for line in by_line(found) if _is_guessed(line) for word in line}
    inner = [box.grow(-round(_RIM * min(box.width, box.height))) for box in large]
    known = [row.box for row in found if row not in weak]
    pieces = unread(image, [*known, *inner])
    rest = _without(image, known) if pieces else image
    vain, doubts, done = [0, 0], [0, 0], list[Box]()  # beside large pictures, and at their rims
    for piece in pieces:
        there = any(piece.box.centre_in(box) for box in large)
        if vain[there] == _VAIN or any(piece.box.centre_in(box) for box in done):
            continue
        words, doubtful = _best_reading(rest, piece, read, thorough=doubts[there] < _DOUBTS)
        doubts[there] += doubtful
        before = {row for row in weak if row.box.centre_in(piece.box.grow(2))}
        if words and letters_in(words) >= letters_in(before):
            found = [row for row in found if row not in before]
            found += _apart(words, found)
            done.append(piece.box)
        vain[there] = 0 if words else vain[there] + 1
    return found, captions


def _read_twice(rows: Sequence[Row]) -> list[tuple[Piece, list[Row]]]:
    """Printed lines that Tesseract took for several, which overlap: as pieces, with their words."""
    groups: list[list[Row]] = []
    for line in by_line(rows):
        same = [group for group in groups if _one_line(group, line)]
        groups = [group for group in groups if group not in same] + [[word for part in (*same, line) for word in part]]
    twice = [group for group in groups if len({word.line_key for word in group}) > 1]
    sized = ((hull(word.box for word in group), median(word.box.height for word in group), group) for group in twice)
    return [(Piece(box, _LETTERS * size), group) for box, size, group in sized][:_MOST_TWICE]


def _one_line(a: Sequence[Row], b: Sequence[Row]) -> bool:
    """Whether two lines stand level and overlap, as different lines of print never do."""
    first, second = hull(word.box for word in a), hull(word.box for word in b)
    high = max(first.height, second.height)
    level = first.vertical_overlap(second) >= _LEVEL_LINES * high
    return level and first.horizontal_overlap(second) >= _OVERLAP * high


def _first_lines(words: Sequence[Row]) -> list[Box]:
    """The box of the lines from the first one to the first wide white; none where there are no words."""
    lines = sorted((hull(word.box for word in line) for line in by_line(words)), key=lambda box: box.top)
    if not lines:
        return []
    size = median(word.box.height for word in words)
    end = next((i for i, (a, b) in enumerate(pairwise(lines), 1) if b.top - a.bottom > _LEADING * size), len(lines))
    return [hull(lines[:end])]


def _best_reading(image: np.ndarray, piece: Piece, read: Read, *, thorough: bool) -> tuple[list[Row], bool]:
    """The words of a piece in the surest of its readings, and whether the first one left doubts.

    That is of its whole line. Where it leaves doubts, `thorough` reads the piece alone, the line without light greys,
    and its lines one by one, until there are none.
    """
    line = _whole_line(image, piece)
    readings = [([line], False)]
    if thorough:
        bands = _bands(image, line)
        readings += [([piece], False)] * (line != piece) + [([line], True)] + [(bands, False)] * (len(bands) > 1)
    best: list[Row] = []
    for count, (parts, bleached) in enumerate(readings):
        words: list[Row] = []
        for part in parts:
            words += _apart(_sure(read_piece(image, part, read, bleached=bleached)), words)
        best = max(best, words, key=sure_letters)
        if best and min(word.confidence for word in best) >= _NO_DOUBT:
            return best, count > 0
    return best, True


def _whole_line(image: np.ndarray, piece: Piece) -> Piece:
    """The piece with what stands beside it in its line: letters that hang on lines or shadows are not seen as such."""
    left, top, right, bottom = piece.box
    inked = np.flatnonzero((image[top:bottom] < INK).any(axis=0))
    parts = np.split(inked, np.flatnonzero(np.diff(inked) > _WORD_GAP * piece.height) + 1)
    own = [part for part in parts if part.size and part[0] < right and part[-1] >= left]
    if not own:
        return piece
    return Piece(Box(min(left, int(own[0][0])), top, max(right, int(own[-1][-1]) + 1), bottom), piece.height)


def _bands(image: np.ndarray, piece: Piece) -> list[Piece]:
    """The lines of a piece, parted by white, each as a piece; without specks, and what is much higher."""
    left, top, right, bottom = piece.box
    inked = np.flatnonzero((image[top:bottom, left:right] < INK).any(axis=1))
    rows = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    boxes = [Box(left, top + int(row[0]), right, top + int(row[-1]) + 1) for row in rows if row.size]
    least, most = 0.6 * piece.height, max(2.5 * piece.height, _LINE * image.shape[0])
    return [Piece(box, max(piece.height, 0.5 * box.height)) for box in boxes if least <= box.height <= most]


def _without(image: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """The image with white in place of the boxes."""
    rest = image.copy()
    for left, top, right, bottom in boxes:
        rest[max(0, top) : bottom, max(0, left) : right] = 255
    return rest


def _sure(words: list[Row]) -> list[Row]:
    """The words that are read surely enough to be believed; none where as a whole they are not."""
    words = [word for word in words if word.confidence >= _asked_of(word)]
    letters = letters_in(words)
    if letters < max(_FEWEST_LETTERS, _LETTERS_A_WORD * len(words)):  # ornaments are read as single signs
        return []
    if 2 * sum(map(str.isalpha, "".join(word.text for word in words))) < letters:  # dots are read as figures
        return []
    if confidence_of(words) >= _SURE:
        return words
    plain = letters >= _PLAIN_LETTERS * len(words) and all(word.text.strip(".,;:()").isalpha() for word in words)
    told = any(word.confidence >= _SURE_AT_LENGTH and letters_in([word]) >= _PLAIN_LETTERS for word in words)
    credit = is_credit(" ".join(word.text for word in words), guessed=True)
    return words if plain and (told or credit or confidence_of(words) >= _SURE_IF_PLAIN) else []


def _is_guessed(line: Sequence[Row]) -> bool:
    """Whether a line is hardly read at all, or no more than a letter or two of one."""
    return confidence_of(line) < _GUESSED or letters_in(line) < _FEWEST_IN_A_LINE


def _asked_of(word: Row) -> float:
    """The confidence that a word in a piece must have: none where it is long, for that is no speck."""
    if letters_in([word]) >= _LONG_WORD:
        return 0.0
    return _SURE_WORD if _has_letters(word) else _SURE_SIGN


def _apart(words: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """The words in blocks that `others` do not have."""
    first = max((row.block for row in others), default=0) + 1
    blocks = sorted({word.block for word in words})
    return [word._replace(block=first + blocks.index(word.block)) for word in words]


def _has_letters(word: Row) -> bool:
    return any(map(str.isalnum, word.text))


def _mixed(image: np.ndarray, rows: Sequence[Row], pictures: Sequence[Box]) -> list[Piece]:
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
    return Piece(Box(left, max(0, top), right, max(0, top) + last), _LETTERS * size, closed)


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


def unread(image: np.ndarray, known: Sequence[Box]) -> list[Piece]:
    """What looks like lines of letters and lies in none of the boxes of `known`, most and largest letters first.

    Letters are connected dark areas of a letter's proportions. Neighbours of about the same height make a piece. They
    are sought once more among the larger ones alone, since the dots of a picture's screen may hang on a caption.

    Args:
        image: `(height, width)` uint8, dark print on white.
        known: boxes of what was read or is not print, in its pixels.
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
    kept: list[tuple[float, Piece]] = []
    for least in _LEAST_HEIGHTS:
        some = boxes[letters & (height >= least)]
        for count, piece in (_piece(some[group]) for group in _groups(some, image.shape)):
            if piece is None or count < _FEWEST_LETTERS:
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
