"""Print that the reading of the whole page missed or mixed up, read again by itself.

Tesseract looks for columns and lines of the commonest type on a page. It passes over a line of small print under a
large picture or beside a title of ten times its size; it reads a caption and the prose beside it as one line, for
the white between is narrower than between columns; and it takes a line that leans for several, which overlap. Such
print is cut out, brought to a good size and read as a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from revista.geometry import Box, hull
from revista.programs.tesseract import Row, by_line, confidence_of, letters_in, sure_letters
from revista.text.insets import first_lines, mixed
from revista.text.pieces import FEWEST_LETTERS, LETTERS, Piece, Read, read_piece, unread
from revista.text.preparation import INK, whitened
from revista.wording import is_credit

_RIM = 0.05  # share of a large picture's shorter side, in which a caption may reach into its box
_VAIN = 4  # pieces in a row that were no print, after which no more are read
_SURE = 0.6  # mean confidence of a piece that is believed
_SURE_IF_PLAIN = 0.4  # the same where it is letters and nothing else
_SURE_AT_LENGTH = 0.7  # confidence of a word in such a piece that speaks for all of it
_WORSE = 0.05  # by how much a second reading may be less sure than the first: its lines are truer
_LEVEL_LINES, _OVERLAP = 0.6, 0.4  # of their height lie two readings of one line level, and over one another
_MOST_TWICE = 4  # lines of a page, read twice, that are read once more
_GUESSED = 0.4  # mean confidence of lines that are hardly read at all
_NO_DOUBT = 0.6  # confidence of every word of a piece, from which it is read but once
_DOUBTS = 2  # pieces of a page that are read more than once
_WORD_GAP = 2.0  # heights of letters: words of one line stand no farther apart
_FEWEST_IN_A_LINE = 3  # letters
_SURE_WORD, _SURE_SIGN = 0.3, 0.9  # the same of one of its words, and of a sign that stands alone
_LONG_WORD = 6  # letters
_LETTERS_A_WORD, _PLAIN_LETTERS = 2.0, 4.0  # at least, on average; where it is plain print
_LINE = 0.02  # of the page's height: a line of small print is no higher


def reread(
    image: np.ndarray, rows: Sequence[Row], pictures: Sequence[Box], large: Sequence[Box], read: Read
) -> tuple[list[Row], list[Box]]:
    """The words of a page, with those that were missed, and captions parted from the prose beside them.

    Args:
        image: `(height, width)` uint8, dark print on white, the pictures painted over.
        rows: what was read.
        pictures: upright boxes of those that were painted over, in pixels of `image`.
        large: boxes of pictures that were not painted over; more is looked for at their rims alone.
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
            found += apart(words, found)
    for cell in mixed(image, found, pictures):
        inside = [row for row in found if row.box.centre_in(cell.box)]
        found = [row for row in found if not row.box.centre_in(cell.box)]
        words = _sure(read_piece(image, cell, read))
        if confidence_of(words) < confidence_of(inside) - _WORSE:
            words = inside
        found += apart(words, found)
        if cell.closed:
            captions += first_lines(words)
    weak = {word for line in by_line(found) if _is_guessed(line) for word in line}
    inner = [box.grow(-round(_RIM * min(box.width, box.height))) for box in large]
    known = [row.box for row in found if row not in weak]
    pieces = unread(image, [*known, *inner], pictures)
    rest = whitened(image, known) if pieces else image
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
            found += apart(words, found)
            done.append(piece.box)
        vain[there] = 0 if words else vain[there] + 1
    return found, captions


def _read_twice(rows: Sequence[Row]) -> list[tuple[Piece, list[Row]]]:
    """Printed lines that Tesseract took for several, which overlap: as pieces, with their words."""
    groups: list[tuple[Box, list[Row]]] = []
    for line in by_line(rows):
        box = hull(word.box for word in line)
        same = [group for group in groups if _one_line(group[0], box)]
        whole = hull([box, *(other for other, _ in same)]), [*line, *(word for _, words in same for word in words)]
        groups = [group for group in groups if group not in same] + [whole]
    twice = [group for group in groups if len({word.line_key for word in group[1]}) > 1]
    return [(Piece(box, LETTERS * median(w.box.height for w in words)), words) for box, words in twice[:_MOST_TWICE]]


def _one_line(a: Box, b: Box) -> bool:
    """Whether two lines stand level and overlap, as different lines of print never do."""
    high = max(a.height, b.height)
    return a.vertical_overlap(b) >= _LEVEL_LINES * high and a.horizontal_overlap(b) >= _OVERLAP * high


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
            words += apart(_sure(read_piece(image, part, read, bleached=bleached)), words)
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


def _sure(words: list[Row]) -> list[Row]:
    """The words that are read surely enough to be believed; none where as a whole they are not."""
    words = [word for word in words if word.confidence >= _asked_of(word)]
    letters = letters_in(words)
    if letters < max(FEWEST_LETTERS, _LETTERS_A_WORD * len(words)):  # ornaments are read as single signs
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


def apart(words: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """The words in blocks that `others`, of another reading, do not have."""
    first = max((row.block for row in others), default=0) + 1
    blocks = sorted({word.block for word in words})
    return [word._replace(block=first + blocks.index(word.block)) for word in words]


def _has_letters(word: Row) -> bool:
    return any(map(str.isalnum, word.text))
