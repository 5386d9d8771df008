"""Paragraphs cut into blocks: where the type changes, under the gap between two pictures, where a caption ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from revista.context.typeface import Breadth, breadth_of, em_of
from revista.geometry import Box, hull
from revista.lean import Straight
from revista.records import Line, Word
from revista.wording import is_credit, printable

_HIGHEST = 1.2  # times the breadth of a type: its size is no larger
_FAR = 1.0  # ems between words: what is no word stands so far from those that are
_LETTERS = 2  # with fewer it is none
_FAR_LARGER = 1.8  # times the type size of a syllable: no print of one paragraph, though so few letters tell it badly
_OTHER_SIZE, _TELLING = 1.15, 12  # times the type size of the words beside; letters from which it is known


def pieces_of(lines: Sequence[Line], straight: Straight, pictures: Sequence[Box]) -> list[list[Line]]:
    """The lines of one paragraph, cut into blocks.

    Args:
        lines: from top to bottom, in page pixels.
        straight: the way to the straight page.
        pictures: boxes on the straight page.
    """
    done: list[list[Line]] = []
    for position, whole in enumerate(lines):
        parts = _split_line(whole, straight, pictures)
        for part in parts:
            box = straight.line(part)
            above = next(
                (
                    block
                    for block in reversed(done)
                    if straight.line(block[-1]).top < box.top
                    and (len(parts) == 1 or _shared_width(straight.line(block[-1]), box) >= 0.4)
                ),
                None,
            )
            following = lines[position + 1 : position + 3]
            if above is not None and not _cut(above, part, following, lines, straight, pictures):
                above.append(part)
            else:
                done.append([part])
    return done


def line_em(line: Line, straight: Straight) -> float:
    """The type size of a line in pixels: the median over its words."""
    ems = [em_of(word.text, straight.word(word).height) for word in line.words if any(map(str.isalnum, word.text))]
    return median(ems) if ems else float(straight.line(line).height)


def breadth_in(lines: Sequence[Line], straight: Straight) -> Breadth:
    """How wide the type runs; of a caption that begins in capitals, that of its small letters."""
    words = [(word.text, straight.word(word)) for line in lines for word in line.words]
    small = breadth_of(pair for pair in words if not pair[0].isupper())
    return small if small.value else breadth_of(words)


def between_pictures(x: float, line: Box, em: float, pictures: Sequence[Box]) -> bool:
    """Whether the place `x` in a line lies under, or over, the gap between two pictures side by side."""
    above = [box for box in pictures if -em <= line.top - box.bottom <= 8 * em]
    near = above or [box for box in pictures if -em <= box.top - line.bottom <= 8 * em]
    return any(a.right - em <= x <= b.left + em and a.vertical_overlap(b) for a in near for b in near if a is not b)


def _shared_width(a: Box, b: Box) -> float:
    return a.horizontal_overlap(b) / max(1, min(a.width, b.width))


def _split_line(line: Line, straight: Straight, pictures: Sequence[Box]) -> list[Line]:
    """A line cut at gaps that no typesetter leaves between words, or that lie under the gap between two pictures."""
    every = sorted((word for word in line.words if printable(word.text)), key=lambda word: straight.word(word).left)
    em = line_em(line, straight)
    words = _without_specks(every, straight, pictures, em)
    if not words:
        return []
    breadth = breadth_in([line], straight).value
    em = min(em, _HIGHEST * breadth) if breadth else em  # boxes are higher than letters where something touches them
    gaps = [straight.word(b).left - straight.word(a).right for a, b in pairwise(words)]
    others = sorted(gaps)[:-1]
    usual = max(median(others), 0.0) if others else 0.6 * em
    parts: list[list[Word]] = [[words[0]]]
    for place, (gap, left, right) in enumerate(zip(gaps, words, words[1:], strict=False), 1):
        middle = (straight.word(left).right + straight.word(right).left) / 2
        wide = gap > max(3 * em, 2.5 * usual)
        if wide or (
            gap > 0.2 * em
            and between_pictures(middle, straight.line(line), em, pictures)
            and (gap > max(0.9 * em, 2.5 * usual) or _sizes_differ(words[:place], words[place:], straight))
        ):
            parts.append([])
        parts[-1].append(right)
    if len(parts) == 1 and len(words) == len(line.words):
        return [line]
    return [Line(words=tuple(part), box=hull(word.box for word in part)) for part in parts]


def _without_specks(words: Sequence[Word], straight: Straight, pictures: Sequence[Box], em: float) -> Sequence[Word]:
    """The words of a line without what was read out of a picture before them or after: no words, and far from these."""
    for _ in range(2):  # from the left, then from the right
        words = _after_specks(words, straight, pictures, em)[::-1]
    return words


def _after_specks(words: Sequence[Word], straight: Straight, pictures: Sequence[Box], em: float) -> Sequence[Word]:
    """The words from the first wide gap on, from either end, where nothing before it is a word; else all of them."""
    if not words or not _is_speck(words[0], straight, pictures):
        return words
    boxes = [straight.word(word) for word in words]
    gaps = [max(a.left, b.left) - min(a.right, b.right) for a, b in pairwise(boxes)]
    first = next((place for place, gap in enumerate(gaps, 1) if gap > _FAR * em), 0)
    return words[first:] if all(_is_speck(word, straight, pictures) for word in words[:first]) else words


def _is_speck(word: Word, straight: Straight, pictures: Sequence[Box]) -> bool:
    """Whether what was read as a word may be of a picture, or its foot."""
    box = straight.word(word)
    there = any(box.centre_in(picture._replace(bottom=picture.bottom + 2 * box.height)) for picture in pictures)
    return there and sum(map(str.isalpha, word.text)) < _LETTERS


def _sizes_differ(before: Sequence[Word], after: Sequence[Word], straight: Straight) -> bool:
    """Whether words of one line are set in another size than those before them; a word or two do not tell."""
    sides = before, after
    ems = [median(em_of(word.text, straight.word(word).height) for word in side) for side in sides]
    breadths = [breadth_of((word.text, straight.word(word)) for word in side).value for side in sides]
    if min(len("".join(word.text for word in side)) for side in sides) < _TELLING or not all(breadths):
        return False
    ratio, other = ems[0] / ems[1], breadths[0] / breadths[1]
    return min(ratio, other) > _OTHER_SIZE or max(ratio, other) < 1 / _OTHER_SIZE


def _cut(
    above: Sequence[Line],
    line: Line,
    following: Sequence[Line],
    paragraph: Sequence[Line],
    straight: Straight,
    pictures: Sequence[Box],
) -> bool:
    """Whether a new block begins with `line`."""
    upper, lower = straight.line(above[-1]), straight.line(line)
    em_above, em = line_em(above[-1], straight), line_em(line, straight)
    if lower.top - upper.bottom > max(em, em_above):
        return True
    if any(
        upper.centre[1] <= box.centre[1] <= lower.centre[1]
        and (box.horizontal_overlap(upper) or box.horizontal_overlap(lower))
        for box in pictures
    ):
        return True
    under = any(_right_under(straight.line(above[0]), box, em_above) for box in pictures)
    if breadth_in(above, straight).differs(breadth_in([line], straight), 0.04 if under else 0.06):
        return True
    if under and following and lower.top - upper.bottom > max(0.35 * em, 1.7 * _usual_gap(paragraph, straight)):
        return True
    if is_credit(line.text) or is_credit(above[-1].text):
        return True
    letters = min(sum(map(str.isalpha, above[-1].text)), sum(map(str.isalpha, line.text)))
    if max(em, em_above) > (1.3 if letters >= 6 else _FAR_LARGER) * min(em, em_above):
        return True
    if letters >= 6 and above[-1].text.isupper() != line.text.isupper():
        return True
    if under and (_otherwise_set(upper, lower, em) or _ends_before(above, line, straight, em)):
        return True
    column = hull(straight.line(other) for other in paragraph)
    if _ends_sentence(above, line) and any(_in_the_middle_under(upper, box, column, em) for box in pictures):
        return True
    indents = [straight.line(other).left - column.left for other in (line, *following[:1])]
    if _centred(upper, column, em) and indents[0] < 3 * em and all(indent < em for indent in indents[1:]):
        return bool(following)
    return len(above) > 1 and _centred(lower, column, em) and straight.line(above[-2]).left - column.left < em


def _right_under(line: Box, picture: Box, em: float) -> bool:
    near = -0.5 * em <= line.top - picture.bottom <= 2 * em
    return near and line.horizontal_overlap(picture) >= 0.5 * min(line.width, picture.width)


def _ends_sentence(above: Sequence[Line], line: Line) -> bool:
    return above[-1].text[-1:] in ".!?…" and line.text[:1].isupper()


def _in_the_middle_under(line: Box, picture: Box, column: Box, em: float) -> bool:
    """Whether a line stands under the middle of a picture that is wider than the column by more than its half."""
    middle = abs(line.centre[0] - picture.centre[0]) < 0.5 * em
    return middle and picture.width > 1.5 * column.width and _right_under(line, picture, em)


def _ends_before(above: Sequence[Line], line: Line, straight: Straight, em: float) -> bool:
    """Whether a caption ends before `line` begins a sentence: with a short line, or set in by more than an indent."""
    right = max(straight.line(other).right for other in above)
    ended = _ends_sentence(above, line)
    if len(above) == 1:
        upper, lower = straight.line(above[0]), straight.line(line)
        set_in = upper.left - lower.left, lower.right - upper.right
        return ended and (set_in[0] > 3 * em or (line.text.isupper() and min(set_in) > em))  # a heading follows
    return ended and right - straight.line(above[-1]).right > 2 * em


def _otherwise_set(upper: Box, lower: Box, em: float) -> bool:
    """Whether two lines share neither margin nor middle, as a caption and the column below it may."""
    left, right = abs(upper.left - lower.left), abs(upper.right - lower.right)
    return min(left, right, abs(upper.centre[0] - lower.centre[0])) > 1.5 * em


def _usual_gap(lines: Sequence[Line], straight: Straight) -> float:
    """The usual white between the lines of a paragraph, in pixels."""
    gaps = [straight.line(lower).top - straight.line(upper).bottom for upper, lower in pairwise(lines)]
    return max(0.0, median(gaps)) if gaps else 0.0


def _centred(line: Box, column: Box, em: float) -> bool:
    left, right = line.left - column.left, column.right - line.right
    return min(left, right) > 1.5 * em and abs(left - right) < max(em, 0.1 * column.width)
