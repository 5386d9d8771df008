"""What the blocks of a page are: prose, headings, page numbers, or short print that may be a caption."""

from __future__ import annotations

from collections.abc import Sequence

from revista.context.blocks import Block, page_em, prose_breadth
from revista.context.headings import under, with_headings
from revista.context.layout import Layout, Role, side_by_side
from revista.context.runs import more_white, runs_of
from revista.context.typeface import OTHER_TYPE, Breadth
from revista.geometry import Box, hull
from revista.records import RegionKind

_PROSE = 25  # words of a run that make it prose where the page carries a text
_LONG_TEXT = 150  # words in such runs that show that it does
_PROSE_ALONE = 90  # words of a run that make it prose on a page of pictures, where long captions are usual
_LONGEST_CAPTION = 60  # words in the type of the prose, right under a picture
# Times the type of the prose: print below the first, and a word by itself below the second, is no print but the edge
# of a picture.
_TINY, _TINY_WORD = 0.4, 0.55
_RUNNING_HEAD_WORDS = 6
_REACH, _TOLD_REACH = 1.2, 2.0  # ems below a picture that a caption in the type of the prose begins; if it is told


def layout_of(blocks: Sequence[Block], pictures: Sequence[Box]) -> Layout:
    """Tell the blocks of a page apart.

    A run is a column of blocks in one type size with no more than a line's space between them. Runs of many words
    are prose, so that a line of dialogue under a picture is not taken for its caption.

    Args:
        blocks: blocks in reading order.
        pictures: upright boxes of the pictures.
    """
    em = page_em(blocks)
    runs = runs_of(blocks, pictures, em)
    words = [sum(block.word_count for block in blocks if runs[block.order] == run) for run in runs]
    in_runs = sum(b.word_count for b in blocks if words[b.order] >= _PROSE and _ordinary(b, em))
    least = _PROSE if in_runs >= _LONG_TEXT else _PROSE_ALONE
    usual = prose_breadth(blocks)
    roles = [_first_role(block, words[block.order], least, em, usual) for block in blocks]
    _mark_running_heads(blocks, roles, pictures, em)
    _mark_captions(blocks, roles, runs, pictures, em)
    return with_headings(Layout(tuple(blocks), tuple(roles), tuple(words), em, usual), pictures)


def _first_role(block: Block, run: int, least: int, em: float, usual: Breadth) -> Role:
    if block.folio or block.imprint:
        return Role.FURNITURE
    tiny = _TINY_WORD if block.word_count == 1 else _TINY
    if not block.legible or ((usual.value or block.word_count == 1) and block.em < tiny * em):
        return Role.NOISE
    if block.told and block.word_count <= 80:
        return Role.SHORT
    if block.numbered and block.word_count <= 60:
        return Role.SHORT
    if block.listed:
        return Role.PROSE
    other = usual.differs(block.breadth, OTHER_TYPE) and run < _PROSE_ALONE  # a caption in several lines
    return Role.PROSE if run >= least and _ordinary(block, em) and not other else Role.SHORT


def _ordinary(block: Block, em: float) -> bool:
    """Whether it is set in the type of the page's prose."""
    return 0.9 <= block.em / em <= 1.2 and not block.capitals


def _mark_running_heads(blocks: Sequence[Block], roles: list[Role], pictures: Sequence[Box], em: float) -> None:
    """Mark running heads: a few words beside a page number or where a detector says so.

    They stand above or below all else, pictures too; a detector is not believed where they stand right under one.
    """
    numbers = [block.box for block in blocks if block.folio]
    for block in blocks:
        if roles[block.order] is not Role.SHORT or block.word_count > _RUNNING_HEAD_WORDS:
            continue
        numbered = any(
            block.box.vertical_overlap(box) >= 0.5 * min(block.box.height, box.height) > 0 for box in numbers
        )
        hinted = (
            block.hint is RegionKind.FURNITURE
            and block.em <= 1.1 * em
            and not any(under(block.box, picture, em) for picture in pictures)
        )
        others = [other.box for other in blocks if other is not block and roles[other.order] is not Role.FURNITURE]
        others += pictures
        first = all(box.bottom > block.box.top for box in others)
        last = all(box.top < block.box.bottom for box in others)
        if (numbered or hinted) and (first or last):
            roles[block.order] = Role.FURNITURE


def _mark_captions(
    blocks: Sequence[Block], roles: list[Role], runs: Sequence[int], pictures: Sequence[Box], em: float
) -> None:
    """Mark runs that are captions set in the type of the prose, or begin with one, as short print."""
    for run in set(runs):
        members = [b for b in blocks if runs[b.order] == run and roles[b.order] in (Role.PROSE, Role.SHORT)]
        if all(roles[block.order] is Role.SHORT for block in members):
            continue
        short = [b for b in blocks if runs[b.order] != run and roles[b.order] is Role.SHORT and not b.credit]
        if _ends_under_a_picture([*members, *_rest(members, short, em)], blocks, pictures, em):
            for block in members:
                roles[block.order] = Role.SHORT
            continue
        first, *rest = sorted(members, key=lambda block: block.box.top)
        if rest and more_white(first.box, rest[0]) and _ends_under_a_picture([first], blocks, pictures, em):
            roles[first.order] = Role.SHORT


def _ends_under_a_picture(
    members: Sequence[Block], blocks: Sequence[Block], pictures: Sequence[Box], em: float
) -> bool:
    """Whether a run is whole sentences right under a picture, within its width, and no text goes on below.

    What has a credit line below, or is set narrower than the text, need not end as sentences do. Text goes on where it
    follows without white between, set to the same width.
    """
    text, box = " ".join(block.text for block in members), hull(block.box for block in members)
    if len(text.split()) > _LONGEST_CAPTION or not (text[:1].isupper() or text[:1] in '«“"¿¡'):
        return False
    own = {block.order for block in members}
    others = [block for block in blocks if block.order not in own and block.box.horizontal_overlap(box)]
    below = [block for block in others if block.box.centre[1] > box.bottom]
    nearest = min(below, key=lambda block: (block.box.top, block.order), default=None)
    credited = any(block.credit and -0.5 * em < block.box.top - box.bottom < em for block in others)
    ended = text[-1:] in ".!?»”)…:;"  # the last two are easily misread
    if not ended and not credited and not (nearest and _is_set_in(box, nearest, em)):
        return False
    reach = _TOLD_REACH if all(block.hinted for block in members) else _REACH
    if not any(
        -0.5 * em <= box.top - p.bottom <= reach * em
        and p.left - 1.5 * em <= box.left
        and box.right <= p.right + 1.5 * em
        for p in pictures
    ):
        return False
    if nearest is None or nearest.credit or _stands_off(box, nearest, em):
        return True
    if len(nearest.lines) < 2:
        return False
    if any(len(b.lines) > 1 and side_by_side(nearest.box, b.box) and b.box.top - box.bottom < em for b in below):
        return True  # columns
    wider = box.right - nearest.box.right
    return wider > em or (sum(len(block.lines) for block in members) > 1 and wider < -1.5 * em)


def _is_set_in(box: Box, below: Block, em: float) -> bool:
    """Whether `box` is narrower on both sides than lines of text below."""
    return len(below.lines) > 1 and min(box.left - below.box.left, below.box.right - box.right) > 1.5 * em


def _rest(members: Sequence[Block], short: Sequence[Block], em: float) -> list[Block]:
    """The last line of a run, where it was taken for another one: within its width, with no white between."""
    box = hull(block.box for block in members)
    return [
        block
        for block in short
        if -0.3 * em <= block.box.top - box.bottom < 0.4 * em
        and box.left <= block.box.left <= block.box.right <= box.right
    ]


def _stands_off(box: Box, below: Block, em: float) -> bool:
    """Whether there is more white under `box` than between the lines of what is below."""
    white = below.box.top - box.bottom
    return white >= 0.6 * em or (white > 0.3 * em and more_white(box, below))
