"""What the blocks of a page are: prose, headings, page numbers, or short print that may be a caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Protocol

from revista.context.blocks import Block, page_em, prose_breadth
from revista.context.runs import more_white, runs_of
from revista.context.typeface import OTHER_TYPE, Breadth
from revista.geometry import Box, hull
from revista.records import RegionKind


class Role(Enum):
    """What a block is for."""

    PROSE = auto()  # verse and lists as well
    HEADING = auto()
    FURNITURE = auto()  # page numbers, running heads
    NOISE = auto()  # nothing that could be read
    SHORT = auto()  # short print; the candidates for captions


_PROSE = 25  # words of a run that make it prose where the page carries a text
_LONG_TEXT = 150  # words in such runs that show that it does
_PROSE_ALONE = 90  # words of a run that make it prose on a page of pictures, where long captions are usual
_LONGEST_CAPTION = 60  # words in the type of the prose, right under a picture
_LIST_WORDS, _LIST_LINES = 20, 6  # short lines below a heading that make a list
_HEADING_WORDS = 14
_BROAD = 1.2  # times as wide as the prose at least runs what is set larger
_TINY = 0.4  # times the type of the prose: letters so small are read out of a picture's edge
_LARGE = 1.15  # times the type of the prose: capitals so large are of headings
_RUNNING_HEAD_WORDS = 6
# Ems by which capitals that belong to the picture above may stand nearer to what is below, as borders are found; more
# where a detector takes them for a caption, or they name a person.
_SLACK, _TOLD_SLACK = 0.7, 1.0
_SMALL, _SMALL_REACH = 0.85, 3.0  # times the type of the prose; ems above capitals so small within which a picture ends
_REACH, _TOLD_REACH = 1.2, 2.0  # ems below a picture that a caption in the type of the prose begins; if it is told
_FEW_LETTERS = 120  # of a page: the text stage then reads what stands by itself at the rim of a picture's box
_CENTRED, _OFF = 1.5, 3.0  # ems from the middle of the picture above, at most, and of the text below, at least


class HasType(Protocol):
    """What is set in some type: a block, or several together."""

    @property
    def em(self) -> float:
        """The type size in pixels."""

    @property
    def breadth(self) -> Breadth:
        """How wide the type runs."""


@dataclass(frozen=True)
class Layout:
    """The blocks of a page with their roles."""

    blocks: tuple[Block, ...]
    roles: tuple[Role, ...]
    run_words: tuple[int, ...]  # words of the run of prose that each block stands in
    em: float  # type size of the page's prose, in pixels
    breadth: Breadth = field(default_factory=Breadth)  # how wide the type of the page's prose runs, where it has prose

    def type_difference(self, block: HasType) -> float | None:
        """By what share the type of `block` runs wider or narrower than that of the page's prose; None if unknown.

        On a page without prose that is unknown.
        """
        own, usual = block.breadth.value, self.breadth.value
        if not usual:
            return None
        if own:
            return max(own, usual) / min(own, usual) - 1
        return max(block.em, self.em) / min(block.em, self.em) - 1 if block.em > 0 else None

    def set_as_prose(self, block: HasType) -> bool:
        """Whether it is set in the type of the page's prose, where there is prose."""
        difference = self.type_difference(block)
        return difference is not None and difference <= OTHER_TYPE

    @cached_property
    def few_words(self) -> bool:
        """Whether the page has hardly any print."""
        return sum(len(block.text) for block in self.blocks) < _FEW_LETTERS

    def of(self, role: Role) -> list[Block]:
        """The blocks with that role, in reading order."""
        return [block for block in self.blocks if self.roles[block.order] is role]


def layout_of(blocks: Sequence[Block], pictures: Sequence[Box]) -> Layout:
    """Tell the blocks of a page apart.

    A run is a column of blocks in one type size with no more than a line's space between them. Runs of many words
    are prose, so that a line of dialogue under a picture is not taken for its caption. A heading is short, larger
    than the prose or in capitals, and leads to prose or stands clear of the pictures.

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
    for block in blocks:
        if (
            roles[block.order] is Role.SHORT
            and _looks_like_heading(block, em, usual)
            and not (block.credit or block.told)
        ):
            leads = _leads_to_prose(block, blocks, roles, pictures, em)
            clear = not any(_under(block.box, box, max(8 * em, 0.15 * box.height)) for box in pictures)
            if _hangs_on(block, blocks, pictures, em, usual) or _names_the_plate(block, blocks, pictures):
                continue
            if leads or (clear and not _inside_any(block.box, pictures)):
                roles[block.order] = Role.HEADING
    _mark_subtitles(blocks, roles, words, pictures, em, usual)
    _mark_titles_over_bylines(blocks, roles, em)
    return Layout(tuple(blocks), tuple(roles), tuple(words), em, usual)


def _first_role(block: Block, run: int, least: int, em: float, usual: Breadth) -> Role:
    if block.folio or block.imprint:
        return Role.FURNITURE
    if not block.legible or ((usual.value or block.word_count == 1) and block.em < _TINY * em):
        return Role.NOISE
    if block.told and block.word_count <= 80:
        return Role.SHORT
    if block.numbered and block.word_count <= 60:
        return Role.SHORT
    if block.listed:
        return Role.PROSE
    other = usual.differs(block.breadth, OTHER_TYPE) and run < _PROSE_ALONE  # a caption in several lines
    return Role.PROSE if run >= least and _ordinary(block, em) and not other else Role.SHORT


def clearly_smaller(block: HasType, em: float, usual: Breadth) -> bool:
    """Whether it is set clearly smaller than the page's prose, of `em` pixels and breadth `usual`, by both measures."""
    return bool(usual.value) and max(block.em / em, block.breadth.value / usual.value) < _SMALL


def _ordinary(block: Block, em: float) -> bool:
    """Whether it is set in the type of the page's prose."""
    return 0.9 <= block.em / em <= 1.2 and not block.capitals


def _mark_running_heads(blocks: Sequence[Block], roles: list[Role], pictures: Sequence[Box], em: float) -> None:
    """Mark running heads: a few words at the very top or bottom, beside a page number or where a detector says so.

    A detector is not believed where they stand right under a picture.
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
            and not any(_under(block.box, picture, em) for picture in pictures)
        )
        others = [other.box for other in blocks if other is not block and roles[other.order] is not Role.FURNITURE]
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


def _mark_subtitles(
    blocks: Sequence[Block],
    roles: list[Role],
    run_words: Sequence[int],
    pictures: Sequence[Box],
    em: float,
    usual: Breadth,
) -> None:
    """Mark the line or two set under a heading, centred or in capitals."""
    headings = [block.box for block in blocks if roles[block.order] is Role.HEADING]
    for block in blocks:
        alone = run_words[block.order] == block.word_count <= _HEADING_WORDS and len(block.lines) < 3
        if roles[block.order] is Role.SHORT and alone and not _hangs_on(block, blocks, pictures, em, usual):
            for box in headings:
                belongs = block.capitals or abs(block.box.centre[0] - box.centre[0]) < 1.5 * em
                if belongs and block.box.horizontal_overlap(box) and -0.5 * em <= block.box.top - box.bottom < 2 * em:
                    roles[block.order] = Role.HEADING


def _mark_titles_over_bylines(blocks: Sequence[Block], roles: list[Role], em: float) -> None:
    """Mark what a detector takes for a title, right above a heading and nearer to it than to any print above."""
    headings = [block.box for block in blocks if roles[block.order] is Role.HEADING]
    for block in blocks:
        if roles[block.order] is not Role.SHORT or block.hint is not RegionKind.TITLE:
            continue
        shared = [other.box for other in blocks if other is not block and other.box.horizontal_overlap(block.box)]
        above = min((block.box.top - box.bottom for box in shared if box.centre[1] < block.box.top), default=4 * em)
        most = min(1.5 * em, above)
        if any(
            abs(box.centre[0] - block.box.centre[0]) < 1.5 * em and -0.5 * em <= box.top - block.box.bottom < most
            for box in headings
        ):
            roles[block.order] = Role.HEADING


def _looks_like_heading(block: Block, em: float, usual: Breadth) -> bool:
    if block.word_count > _HEADING_WORDS or len(block.lines) > 3:
        return False
    narrow = 0 < block.breadth.value < _BROAD * usual.value  # its height was misread
    if narrow and not block.capitals:
        return False
    titled = block.hint is RegionKind.TITLE and block.em > 1.1 * em
    return block.em > 1.3 * em or titled or (block.capitals and block.em > 0.6 * em)


def _hangs_on(block: Block, blocks: Sequence[Block], pictures: Sequence[Box], em: float, usual: Breadth) -> bool:
    """Whether capitals no larger than the prose stand right under a picture, nearer to it than to what follows.

    Those that are clearly smaller, or have a credit line below, as no heading is or has, may stand nearer to the text.
    """
    large = block.em > _LARGE * em and not 0 < block.breadth.value < _LARGE * usual.value  # heights are easily misread
    if not block.capitals or large or block.text.upper().startswith("POR "):  # a byline
        return False
    lines = [other for other in blocks if other.capitals and _stacked(other.box, block.box, em)]
    box = hull([block.box, *(other.box for other in lines)])
    own = {block.order, *(other.order for other in lines)}
    above = [p for p in pictures if p.horizontal_overlap(box) >= 0.5 * box.width and p.top < box.top]
    gap = min((max(0, white) for p in above if (white := box.top - p.bottom) > -1.5 * em), default=math.inf)
    credited = any(other.credit and _stacked(other.box, box, em) and other.box.top > box.centre[1] for other in blocks)
    if credited or clearly_smaller(block, em, usual):
        return gap < _SMALL_REACH * em
    others = [
        other.box
        for other in blocks
        if other.order not in own
        and not (other.legible and block.leads_on_to(other))
        and other.box.horizontal_overlap(box) >= 0.5 * box.width
        and other.box.top >= box.bottom - 0.3 * em  # else it begins beside
    ]
    highest = min((other.top for other in others), default=0)
    text = hull([other for other in others if other.top < highest + em] or [box])
    near = [p for p in above if box.top - p.bottom < _SMALL_REACH * em]
    if _off_centre(box, text) > _OFF * em and any(_off_centre(box, p) < _CENTRED * em for p in near):
        return True  # a heading stands over the middle of what follows
    below = [other.top - box.bottom for other in others]
    slack = _TOLD_SLACK if block.hinted or block.names else _SLACK
    return gap < 1.5 * em and gap < min(below, default=2 * em) + slack * em


def _names_the_plate(block: Block, blocks: Sequence[Block], pictures: Sequence[Box]) -> bool:
    """Whether it is all the print of a page, and stands below its only picture, which may be found too short."""
    if len(pictures) != 1 or any(other.legible and not other.folio for other in blocks if other is not block):
        return False
    return block.box.top >= pictures[0].bottom and block.box.horizontal_overlap(pictures[0]) > 0


def _off_centre(a: Box, b: Box) -> float:
    return abs(a.centre[0] - b.centre[0])


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


def side_by_side(a: Box, b: Box) -> bool:
    """Whether two boxes stand beside each other, at the same height by half of the lower one."""
    return not a.horizontal_overlap(b) and a.vertical_overlap(b) >= 0.5 * min(a.height, b.height)


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


def _stacked(a: Box, b: Box, em: float) -> bool:
    gap = max(a.top - b.bottom, b.top - a.bottom)
    return a != b and gap < 0.7 * em and a.horizontal_overlap(b) >= 0.5 * min(a.width, b.width)


def _leads_to_prose(
    block: Block, blocks: Sequence[Block], roles: Sequence[Role], pictures: Sequence[Box], em: float
) -> bool:
    """Whether text comes next below, directly or after a byline: prose, or many short lines, as in a list."""
    reach, words, left = block.box, 0, block.box.left
    for _ in range(_LIST_LINES):
        below = [
            other
            for other in blocks
            if other.box.top >= reach.centre[1]
            and other.order != block.order
            and other.box.horizontal_overlap(reach) > 0
            and other.box.top - reach.bottom < 4 * em
            and other.box.bottom > reach.bottom
            and not any(
                reach.centre[1] < box.centre[1] < other.box.centre[1] and box.horizontal_overlap(reach)
                for box in pictures
            )
        ]
        if not below:
            return False
        if any(roles[other.order] is Role.PROSE for other in below):
            return True
        nearest = min(below, key=lambda other: (other.box.top, other.box.left))
        centred = abs(nearest.box.centre[0] - block.box.centre[0]) < em  # as the rest of a caption is
        if not centred or abs(nearest.box.left - left) < 0.5 * em:
            words += nearest.word_count
        left = nearest.box.left
        if words > _LIST_WORDS:
            return True
        reach = hull((reach, nearest.box))
    return False


def _under(block: Box, picture: Box, limit: float) -> bool:
    return (
        block.bottom > picture.bottom
        and block.centre[1] > picture.bottom - 0.5 * block.height
        and block.top - picture.bottom < limit
        and block.horizontal_overlap(picture) > 0
    )


def _inside_any(block: Box, pictures: Sequence[Box]) -> bool:
    return any(block.coverage_by(picture) >= 0.7 for picture in pictures)
