"""The layout of a page: its blocks with what they are for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Protocol

from revista.context.blocks import Block
from revista.context.typeface import OTHER_TYPE, Breadth
from revista.geometry import Box

_FEW_LETTERS = 120  # of a page: the text stage then reads what stands by itself at the rim of a picture's box
SMALL = 0.85  # times the type of the prose


class Role(Enum):
    """What a block is for."""

    PROSE = auto()  # verse and lists as well
    HEADING = auto()
    FURNITURE = auto()  # page numbers, running heads
    NOISE = auto()  # nothing that could be read
    SHORT = auto()  # short print; the candidates for captions


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

    def clearly_smaller(self, block: HasType) -> bool:
        """Whether it is set clearly smaller than the page's prose, by both measures; not where there is no prose."""
        usual = self.breadth.value
        return bool(usual) and max(block.em / self.em, block.breadth.value / usual) < SMALL

    @cached_property
    def few_words(self) -> bool:
        """Whether the page has hardly any print."""
        return sum(len(block.text) for block in self.blocks) < _FEW_LETTERS

    def of(self, role: Role) -> list[Block]:
        """The blocks with that role, in reading order."""
        return [block for block in self.blocks if self.roles[block.order] is role]


def side_by_side(a: Box, b: Box) -> bool:
    """Whether two boxes stand beside each other, at the same height by half of the lower one."""
    return not a.horizontal_overlap(b) and a.vertical_overlap(b) >= 0.5 * min(a.height, b.height)
