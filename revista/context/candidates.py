"""Caption candidates: short blocks, joined where one caption is set in several pieces (name, note, credit line)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz.distance import Levenshtein

from revista.context.blocks import Block
from revista.context.layout import Layout, Role
from revista.context.typeface import Breadth
from revista.geometry import Box, hull
from revista.wording import plain_words

_PERSONS = re.compile(r"de (izquierda a derecha|derecha a izquierda)", re.IGNORECASE)
_PLACES = {
    "upper": re.compile(r"\b(arriba|superior(es)?)\b", re.IGNORECASE),
    "lower": re.compile(r"\b(abajo|inferior(es)?|debajo)\b", re.IGNORECASE),
    "left": re.compile(r"\b\w{0,2}qu?i?e?rd ?a\b", re.IGNORECASE),  # letters of it are easily lost or parted
    "right": re.compile(r"\bde ?re ?c ?ha\b", re.IGNORECASE),
    "centre": re.compile(r"\b(en el|al) (centro|medio)\b", re.IGNORECASE),
}
_LEFT, _MISREAD = "izquierda", 3  # letters of it at most that are misread; nothing else is so like it

_ABOVE = 8  # ems between a picture and what stands right below it
FAR_ABOVE = 24  # the same of the only picture of a page, which may be found too short
_A_NOTE = 3  # words at most of what may follow a full stop in small letters: a note, or what was misread
_SAME_TEXT = 0.7  # ems of white between blocks in the type of the prose: with more, another text begins
_SAME_LINE = 0.6  # ems between pieces of one line, at most
_LARGER = 1.2  # times the type size of a caption: what is set so is no part of it
_FAR_LARGER = 1.6  # the same of a word or two, whose size is misread more easily


@dataclass(frozen=True)
class Candidate:
    """Blocks that may together be one caption, from top to bottom."""

    blocks: tuple[Block, ...]

    @cached_property
    def box(self) -> Box:
        """The box around the blocks, upright."""
        return hull(block.box for block in self.blocks)

    @cached_property
    def body(self) -> Box:
        """The box around the blocks without the credit lines, which are often set flush right."""
        return hull([block.box for block in self.blocks if not block.credit] or [self.box])

    @property
    def main(self) -> Block:
        """The block with most words, whose type counts."""
        return max(self.blocks, key=lambda block: (block.word_count, -block.order))

    @property
    def em(self) -> float:
        """The type size in pixels."""
        return self.main.em

    @cached_property
    def breadth(self) -> Breadth:
        """How wide its type runs, credit lines left out."""
        return sum((block.breadth for block in self.blocks if not block.credit), Breadth())

    @cached_property
    def text(self) -> str:
        """The blocks' words."""
        return " ".join(block.text for block in self.blocks)

    @cached_property
    def word_count(self) -> int:
        """How many words there are."""
        return sum(block.word_count for block in self.blocks)

    @cached_property
    def numbered(self) -> bool:
        """Whether it counts pictures: 1., 2., ..."""
        return sum(block.numbered for block in self.blocks) > 1 or len(re.findall(r"(?<!\S)\d[.:)°]", self.text)) > 1

    @property
    def number(self) -> int | None:
        """The number with which it begins, where it is the only one."""
        return self.blocks[0].number if not self.numbered else None

    @cached_property
    def names(self) -> bool:
        """Whether it names somebody with a title."""
        return any(block.names for block in self.blocks)

    @cached_property
    def places(self) -> frozenset[str]:
        """The places on the page that it names: upper, lower, left, right, centre.

        "De izquierda a derecha" names the persons in one picture, and does not count.
        """
        text = _PERSONS.sub(" ", self.text)
        found = {name for name, pattern in _PLACES.items() if pattern.search(text)}
        if any(Levenshtein.distance(word, _LEFT) <= _MISREAD for word in plain_words(text)):
            found.add("left")
        return frozenset(found)

    @property
    def speaks_of_several(self) -> bool:
        """Whether its words show that it belongs to several pictures."""
        return self.numbered or bool(self.places)


def candidates_of(layout: Layout, pictures: Sequence[Box]) -> list[Candidate]:
    """The caption candidates of a page.

    Args:
        layout: the page's blocks with their roles.
        pictures: upright boxes; pieces of one caption have no picture between them.
    """
    short = sorted(layout.of(Role.SHORT), key=_place)
    groups: list[list[Block]] = []
    for block in short:
        home = [g for g in groups if _belongs(g, block, pictures, layout)]
        nearest = min(home, key=lambda g: _away(g, block, pictures, layout.em), default=None)
        if nearest is None:
            groups.append([block])
        else:
            nearest.append(block)
    return [Candidate(tuple(group)) for group in groups]


def _away(group: Sequence[Block], block: Block, pictures: Sequence[Box], em: float) -> tuple[bool, int, int]:
    """How far `block` stands from what it may go on with: rather below it, or its picture, than beside."""
    box = hull(b.box for b in group)
    room = hull([box, *_over(box, pictures, em)]) if block.credit else box
    under = 2 * block.box.horizontal_overlap(room) > (block.box.width if block.credit else 0)
    return not under, block.box.top - box.bottom, group[0].order


def _over(box: Box, pictures: Sequence[Box], em: float) -> list[Box]:
    """The pictures right above a box; the only one of a page, which may be found too short, farther above."""
    reach = _ABOVE if len(pictures) > 1 else FAR_ABOVE
    return [
        picture
        for picture in pictures
        if -em <= box.top - picture.bottom < reach * em
        and picture.horizontal_overlap(box) >= 0.3 * min(picture.width, box.width)
    ]


def _place(block: Block) -> tuple[float, int, int]:
    """By what blocks are taken in turn: a credit after the line of a caption that it may stand in."""
    return block.box.bottom if block.credit else block.box.centre[1], block.box.left, block.order


def _belongs(group: Sequence[Block], block: Block, pictures: Sequence[Box], layout: Layout) -> bool:
    """Whether `block` goes on with the caption that `group` begins."""
    last, box, em = group[-1], hull(b.box for b in group), layout.em
    gap = block.box.top - max(b.box.bottom for b in group)
    size = max(block.em, last.em)
    if _goes_on_level(last, block, size, box):
        return True
    if block.box.centre[1] <= last.box.centre[1] and not block.credit:
        return False
    if any(
        picture.centre[1] > box.centre[1]
        and picture.centre[1] < block.box.centre[1]
        and (picture.horizontal_overlap(box) or picture.horizontal_overlap(block.box))
        for picture in pictures
    ):
        return False
    if block.credit and not last.credit:
        room = hull([box, *_over(box, pictures, em)]).grow(round(2 * em))
        return -1.3 * size <= gap < 3 * size and room.horizontal_overlap(block.box) > 0
    if block.credit or last.credit:
        return False
    if block.numbered:
        return group[0].numbered and gap < 4 * size and abs(block.box.left - box.left) < 2.5 * size
    several = sum(picture.bottom <= block.box.top and _meets(picture, block.box) for picture in pictures) > 1
    if several and Candidate((block,)).places and Candidate(tuple(group)).places:
        return False
    of_one_run = layout.run_words[block.order] == layout.run_words[last.order]
    ends_small = not last.capitals or (any(map(str.islower, last.text)) and block.text[:1].islower())
    in_capitals = group[0].capitals and ends_small
    begun = last.leads_on_to(block) or (
        last.unfinished and (of_one_run or in_capitals or _follows(last.box, block.box, size))
    )
    if block.text[:1].islower() and not last.unfinished and block.word_count > _A_NOTE:
        return False  # it goes on with another sentence
    if layout.set_as_prose(block) and not begun and _margins_differ(box, block.box, size):
        return False  # the text goes on at its own margin
    if (
        block.breadth.value
        and layout.set_as_prose(block)
        and not begun
        and not layout.set_as_prose(Candidate(tuple(group)))
    ):
        return False  # the text goes on below a caption in a type of its own
    if layout.set_as_prose(block) and not begun and gap > _SAME_TEXT * size:
        return False
    set_in = min(box.left - block.box.left, block.box.right - box.right)
    if layout.set_as_prose(block) and not begun and len(block.lines) > 1 and set_in > 3 * size:
        return False  # the first line of the text would not have been set in
    told = not block.hinted and all(b.hinted for b in group)
    if layout.set_as_prose(block) and not last.unfinished and told and len(block.lines) > 1 and set_in > 0.5 * size:
        return False  # the text goes on at its full width below what a detector takes for a caption
    if block.capitals and not last.unfinished and not any(b.capitals for b in group) and block.em > last.em:
        return False  # a heading
    if _is_larger(block, last, layout.em) and not (begun and block.text[:1].islower()):
        return False  # a heading: notes below captions are no larger than these
    shared = block.box.horizontal_overlap(box) / max(1, min(block.box.width, box.width))
    goes_on = last.unfinished and block.text[:1].islower() and gap < 0.6 * size
    under_one = goes_on and any(
        picture.left - size <= block.box.left <= block.box.right <= picture.right + size
        for picture in _over(box, pictures, em)
    )
    return -0.8 * size <= gap < 1.6 * size and (shared >= 0.5 or under_one)


def _goes_on_level(left: Block, right: Block, em: float, box: Box) -> bool:
    """Whether two pieces of a line are one: a word, or what is seen on the left and on the right.

    They nearly touch, or a longer line of the same caption, whose box is given, stands above both.
    """
    level = 2 * left.box.vertical_overlap(right.box) > min(left.box.height, right.box.height)
    gap = right.box.left - left.box.right
    near = abs(gap) < _SAME_LINE * em or (gap > 0 and right.box.right <= box.right + _SAME_LINE * em)
    if not level or not near or not left.unfinished:
        return False
    sides = [Candidate((block,)).places for block in (left, right)]
    return right.text[:1].islower() or ("left" in sides[0] and "right" in sides[1])


def _follows(upper: Box, lower: Box, em: float) -> bool:
    """Whether a line stands right below the last one and within its width, as the rest of a caption does."""
    within = upper.left - 0.5 * em <= lower.left <= lower.right <= upper.right + 0.5 * em
    return within and lower.top - upper.bottom < 0.5 * em


def _margins_differ(upper: Box, lower: Box, em: float) -> bool:
    """Whether two share neither the left margin nor the middle."""
    return min(abs(upper.left - lower.left), abs(upper.centre[0] - lower.centre[0])) > 1.5 * em


def _is_larger(block: Block, last: Block, em: float) -> bool:
    """Whether `block` is set in a larger type than `last`; heights alone are easily misread."""
    if block.capitals:
        return False
    if not block.breadth.value:
        return block.em > max(_LARGER * last.em, em)
    if not last.breadth.value:
        return block.em > _FAR_LARGER * last.em  # specks, or the foot of a picture, read as letters
    wider = block.breadth.value > last.breadth.value and block.breadth.differs(last.breadth, _LARGER - 1)
    return not last.capitals and block.em > last.em and wider


def _meets(picture: Box, box: Box) -> bool:
    return picture.horizontal_overlap(box) > 0
