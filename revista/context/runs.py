"""Runs: the columns of text on a page, blocks in one type size with no more than a line's space between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from revista.context.blocks import Block
from revista.context.typeface import OTHER_TYPE
from revista.geometry import Box, edge_between

_SPACED_TYPE = 0.1  # the same within a sentence
_SET_IN = 0.4  # ems that more white tells a caption by
_WIDE = 0.7  # ems of white that part a column
_SURE_WHITE = 0.6  # the same below what a detector takes for a caption
_FLUSH = 0.3  # ems by which the ends of lines differ that are set to one width
_MORE_WHITE = 1.15  # times the distance of lines


def runs_of(blocks: Sequence[Block], pictures: Sequence[Box], em: float) -> list[int]:
    """The number of the run that each block stands in."""
    run = list(range(len(blocks)))

    def find(i: int) -> int:
        while run[i] != i:
            run[i] = run[run[i]]
            i = run[i]
        return i

    plain = [block for block in blocks if block.legible and not block.capitals and not block.credit]
    ordered = sorted(plain, key=lambda block: (block.box.top, block.box.left, block.order))
    for position, upper in enumerate(ordered):
        for lower in ordered[position + 1 :]:
            if lower.box.top > upper.box.bottom + em:
                break
            goes_on = upper.unfinished and lower.text[:1].islower()  # a line that is spaced out seems broader
            same_type = min(upper.em, lower.em) > 0.85 * max(upper.em, lower.em) and not upper.breadth.differs(
                lower.breadth, _SPACED_TYPE if goes_on else OTHER_TYPE
            )
            if same_type and (_goes_on(upper, lower, pictures, em) or _beside_each_other(upper, lower, pictures, em)):
                run[find(lower.order)] = find(upper.order)
    return [find(i) for i in range(len(blocks))]


def _goes_on(upper: Block, lower: Block, pictures: Sequence[Box], em: float) -> bool:
    """Whether `lower` goes on with the column of `upper`, full, beside a picture or a drop capital, or indented."""
    return _in_column(upper, lower, em) and not _hole_between(upper.box, lower.box, pictures, em)


def _in_column(upper: Block, lower: Block, em: float) -> bool:
    if lower.box.top < upper.box.centre[1] or not upper.box.horizontal_overlap(lower.box):
        return False
    left, right = abs(upper.box.left - lower.box.left), abs(upper.box.right - lower.box.right)
    anew = _begins_indented(lower, em) or lower.listed
    if anew and _ends_above(upper, lower, left, em):
        return False
    white = lower.box.top - upper.box.bottom
    if upper.hinted and not lower.hinted and not upper.unfinished and white >= _SURE_WHITE * em:
        return False
    if not upper.unfinished and white >= _WIDE * em and min(left, right) > em and more_white(upper.box, lower):
        return False  # it is set to another width
    if left < 2.5 * em and right < 2.5 * em:
        return True
    if white >= _WIDE * em:
        return False
    wider = max(upper.box.right - lower.box.right, lower.box.left - upper.box.left)
    if len(upper.lines) < 3 and len(lower.lines) > 1 and wider > em:
        return False  # it is set to another width
    indent = upper.box.left - lower.box.left if len(upper.lines) == 1 else 0
    return min(left, right) < em or 0.5 * em <= indent < 3 * em


def _ends_above(upper: Block, lower: Block, left: float, em: float) -> bool:
    """Whether `upper` ends above what begins anew: `left` pixels from its margin, set in, or parted by white."""
    single = len(upper.lines) == 1
    set_in, white = _set_in(upper.box, lower.box, em), more_white(upper.box, lower)
    parted = set_in > em or (white and (single or abs(set_in) > _SET_IN * em))
    return (single and left > 2.5 * em) or (parted and not upper.unfinished)


def _set_in(upper: Box, lower: Box, em: float) -> int:
    """By how many pixels `upper` is set narrower on either side (less than 0: wider); 0 where not on both alike."""
    left, right = upper.left - lower.left, lower.right - upper.right
    return min(left, right) if abs(left - right) < 0.5 * em and left * right > 0 else 0


def _begins_indented(block: Block, em: float) -> bool:
    if len(block.lines) < 2:
        return False
    return block.lines[0].box.left - block.lines[1].box.left > 0.8 * em


def _hole_between(upper: Box, lower: Box, pictures: Sequence[Box], em: float) -> bool:
    """Whether `lower` stands under a picture around which the column `upper` runs."""
    return lower.width < 0.8 * upper.width and any(
        upper.top < picture.centre[1] < upper.bottom
        and picture.bottom <= lower.top + 0.5 * em
        and picture.horizontal_overlap(lower) >= 0.5 * lower.width
        for picture in pictures
    )


def _beside_each_other(one: Block, other: Block, pictures: Sequence[Box], em: float) -> bool:
    """Whether two blocks are pieces of the same lines, which OCR parts at wide spaces.

    They are not where a picture's edge parts them, or the lines of the left one end flush, as a column's do.
    """
    left, right = sorted((one, other), key=lambda block: block.box)
    a, b = left.box, right.box
    level = -em < b.left - a.right < 1.2 * em and a.vertical_overlap(b) >= 0.5 * min(a.height, b.height) > 0
    return (
        level and not _ends_flush(left, em) and not any(edge_between(a, b, picture, 0.5 * em) for picture in pictures)
    )


def _ends_flush(block: Block, em: float) -> bool:
    """Whether most lines of a block, the last one left out, end where the next one does; there are two at least."""
    steps = [abs(lower.box.right - upper.box.right) for upper, lower in pairwise(block.lines[:-1])]
    return bool(steps) and median(steps) < _FLUSH * em


def more_white(box: Box, below: Block) -> bool:
    """Whether the white under `box` is wider than between the lines of what is below, of which there are three."""
    if len(below.lines) < 3:
        return False
    leading = (below.box.height - below.em) / (len(below.lines) - 1)
    return below.box.top - box.bottom + below.em > _MORE_WHITE * leading
