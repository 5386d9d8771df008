"""From Tesseract's words to paragraphs in reading order.

Tesseract finds words and lines reliably, columns less so: it joins lines across narrow gutters. Its lines are therefore
cut again where the white between the columns runs, and put together to paragraphs from the places of the words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from revista.geometry import Box, Edges, edge_between, hull, xy_cut
from revista.programs.tesseract import Row, by_line

_HALF_GUTTER = 0.4  # of a line's height: a gutter is at least twice as wide
_WIDER = 1.8  # times the usual white between the words of the line
_WIDE_GUTTER = 2.0  # of a word's height, more than that: parts even single lines, such as captions side by side
_NARROW_COLUMN = 6.0  # of a word's height: narrower are speakers' names before verse, or numbers after it
_SURE = 0.5  # confidence
_CLEAR = 2  # lines of a caption beside which nothing needs to stand
_NEAR = 2.0  # times the height of most words: the white above a line of a caption, at most
_OVERHANG = 0.25  # share of a word's height, above and below, that may reach into the neighbouring lines

Lines = list[list[Row]]
"""Lines from top to bottom, each with its words from left to right."""


def paragraphs_of(rows: Sequence[Row], pictures: Sequence[Box] = (), captions: Sequence[Box] = ()) -> list[Lines]:
    """The words of a page, put together to lines and paragraphs in reading order.

    Args:
        rows: words with boxes on an upright page.
        pictures: boxes on the same page. A caption below one that prose runs beside is a paragraph of its own, after
            the one beside it.
        captions: boxes on the same page, whose words are known to be no part of the lines beside them.

    Returns:
        Paragraphs, each a list of lines, each a list of words.
    """
    set_in: list[tuple[Box, list[Row]]] = []
    for box in captions:
        words = [row for row in rows if row.box.centre_in(box)]
        rows = [row for row in rows if not row.box.centre_in(box)]
        if words:  # boxes may overlap: each word is taken once
            set_in.append((box, words))
    strong = [row for row in rows if not _is_weak(row)]
    if not strong:
        return [_lines(words) for _, words in set_in]
    size = median(row.box.height for row in strong)
    pieces = _pieces(strong)
    cut = xy_cut([_edges(piece) for piece in pieces], rows=2, width=_NARROW_COLUMN * size, wide=_WIDE_GUTTER * size)
    groups = [[word for i in group for word in pieces[i]] for group in cut]
    _put_back(groups, [row for row in rows if _is_weak(row)])
    inset = [(beside, _paragraphs(_lines(words))) for beside, words in _inset(groups, pictures, size)]
    inset += [(_next_to(box, strong), [_lines(words)]) for box, words in set_in]
    lines: Lines = []
    for group in groups:
        for line in _lines(group):
            if lines and _continues(lines[-1], line):
                lines[-1] = lines[-1] + line
            else:
                lines.append(line)
    paragraphs = _paragraphs(lines)
    for beside, caption in inset:
        found = (i for i, paragraph in enumerate(paragraphs) if any(beside in line for line in paragraph))
        place = next(found, len(paragraphs))
        paragraphs[place + 1 : place + 1] = caption
    return paragraphs


def _inset(groups: Lines, pictures: Sequence[Box], size: float) -> list[tuple[Row, list[Row]]]:
    """Take captions below pictures out of groups where prose stands beside them.

    Gutters around a picture that is set into a column are narrower than those between columns, and only as long as
    the caption is high, so that no cut finds them. The edge of the picture above tells where they run. The first
    lines of such a caption may stand where the prose is already cut off, the last ones beside it.

    Args:
        groups: of words that no gutter parts; what is taken out is removed from them.
        pictures: boxes on the same page.
        size: the height of most words in pixels.

    Returns:
        The words of each caption, after a word that stands beside it.
    """
    found: list[tuple[Row, list[Row]]] = []
    for picture in pictures:
        floor, beside, clear = picture.bottom, None, 0
        caption: list[Row] = []
        lines = [(hull(word.box for word in line), line, group) for group in groups for line in by_line(group)]
        for box, line, group in sorted(lines, key=lambda one: one[0].top):
            if not -size <= box.top - floor <= _NEAR * size or not _within(box, picture, size):
                continue
            prose = next((w for at, w, home in lines if home is group and _set_into(box, at, picture, size)), None)
            if prose is not None:
                beside, floor = prose[-1], box.bottom
                caption += line
                group[:] = [word for word in group if word not in line]
            elif clear < _CLEAR:
                clear, floor = clear + 1, max(floor, box.bottom)
        if beside is not None:
            found.append((beside, caption))
    return found


def _next_to(caption: Box, rows: Sequence[Row]) -> Row:
    """The word beside the caption, or else the nearest one above or below."""

    def apart(row: Row) -> tuple[int, int]:
        left, top, right, bottom = row.box
        return max(0, caption.top - bottom, top - caption.bottom), max(caption.left - right, left - caption.right)

    return min(rows, key=apart)


def _set_into(caption: Box, prose: Box, picture: Box, size: float) -> bool:
    return _beside(prose, caption) and edge_between(caption, prose, picture, size)


def _within(box: Box, picture: Box, size: float) -> bool:
    return picture.left - size <= box.left and box.right <= picture.right + size


def _is_weak(row: Row) -> bool:
    """Whether a word may be a speck or a piece of a rule: it does not say where a gutter can run."""
    letters = sum(map(str.isalnum, row.text))
    return letters == 0 or (letters <= 2 and row.confidence < _SURE)


def _put_back(groups: Lines, weak: Sequence[Row]) -> None:
    """Put each weak word to the nearest word of its line; one whose line has no other words is dropped."""
    homes: dict[tuple[int, int, int], list[tuple[Row, int]]] = {}
    for number, group in enumerate(groups):
        for row in group:
            homes.setdefault(row.line_key, []).append((row, number))
    for word in weak:
        if others := homes.get(word.line_key):
            _, number = min(
                others,
                key=lambda other: max(other[0].box.left, word.box.left) - min(other[0].box.right, word.box.right),
            )
            groups[number].append(word)


def height_of(line: Sequence[Row]) -> float:
    """The height of a line in pixels: the median of its words' heights, the long ones counting more."""
    return float(median(word.box.height for word in line for _ in word.text))


def _pieces(rows: Sequence[Row]) -> Lines:
    """Tesseract's lines, cut where the white between words is so wide that a gutter may run there."""
    pieces: Lines = []
    for line in by_line(rows):
        line = sorted(line, key=_left)
        gaps = [after.box.left - before.box.right for before, after in pairwise(line)]
        least = 2 * _HALF_GUTTER * height_of(line)
        if len(gaps) > 1:
            least = max(least, _WIDER * median(gaps))
        pieces.append(line[:1])
        for gap, word in zip(gaps, line[1:], strict=True):
            if gap > least:
                pieces.append([])
            pieces[-1].append(word)
    return pieces


def _edges(piece: Sequence[Row]) -> Edges:
    """The box of a piece, lower by its overhangs and wider by half a gutter on each side."""
    box, height = hull(word.box for word in piece), height_of(piece)
    wide, high = _HALF_GUTTER * height, _OVERHANG * height
    middle = box.centre[1]
    return box.left - wide, min(box.top + high, middle), box.right + wide, max(box.bottom - high, middle)


def _lines(rows: Sequence[Row]) -> Lines:
    """The lines of a group of words that no cut separates: Tesseract's, those at the same height joined."""
    lines: Lines = []
    for line in sorted(by_line(rows), key=lambda words: hull(w.box for w in words).centre[1]):
        box = hull(word.box for word in line)
        beside = next((other for other in lines if _beside(hull(w.box for w in other), box)), None)
        if beside is None:
            lines.append(sorted(line, key=_left))
        else:
            beside.extend(line)
            beside.sort(key=_left)
    return lines


def _left(word: Row) -> tuple[int, int]:
    return word.box.left, word.box.top


def _beside(a: Box, b: Box) -> bool:
    """Whether two pieces stand at the same height and side by side: parts of one printed line."""
    smaller = min(a.height, b.height)
    return a.vertical_overlap(b) > 0.6 * smaller and a.horizontal_overlap(b) < 0.5 * smaller


def _continues(before: Sequence[Row], line: Sequence[Row]) -> bool:
    """Whether a line that was cut at a gap no wider than between its own words goes on."""
    a, b = hull(word.box for word in before), hull(word.box for word in line)
    same = before[-1].line_key == line[0].line_key
    return same and a.right <= b.left + 2 and b.left - a.right < 2.5 * min(height_of(before), height_of(line))


def _paragraphs(lines: Lines) -> list[Lines]:
    """Lines in reading order parted into paragraphs."""
    if not lines:
        return []
    boxes = [hull(word.box for word in line) for line in lines]
    heights = [height_of(line) for line in lines]
    paragraphs = [[lines[0]]]
    for i in range(1, len(lines)):
        below = boxes[i + 1] if i + 1 < len(lines) else None
        if _parted(boxes[i - 1], boxes[i], below, heights[i - 1], heights[i]):
            paragraphs.append([])
        paragraphs[-1].append(lines[i])
    return paragraphs


def _parted(above: Box, line: Box, below: Box | None, height_above: float, height: float) -> bool:
    """Whether a paragraph begins with `line`: another column, another type size, wider leading, or an indent."""
    size = min(height_above, height)
    if not above.horizontal_overlap(line) or line.centre[1] <= above.centre[1]:
        return True
    if max(height_above, height) > 1.5 * size or line.top - above.bottom > 0.9 * size:
        return True
    indent = 0.8 * size
    follows = below is not None and below.horizontal_overlap(line) > 0 and below.centre[1] > line.centre[1]
    return line.left - above.left > indent and (below is None or not follows or line.left - below.left > indent)
