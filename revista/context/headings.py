"""Headings, told from captions in capitals and from names of pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from revista.context.blocks import Block
from revista.context.layout import SMALL, Layout, Role
from revista.geometry import Box, hull
from revista.records import RegionKind

_HEADING_WORDS = 14
_LIST_WORDS, _LIST_LINES = 20, 6  # short lines below a heading that make a list
_BROAD = 1.2  # times as wide as the prose at least runs what is set larger
_LARGE = 1.15  # times the type of the prose: capitals so large are of headings
# Ems by which capitals that belong to the picture above may stand nearer to what is below, as borders are found; more
# where a detector takes them for a caption, they name a person, or are lower than those of the prose.
_SLACK, _TOLD_SLACK = 0.7, 1.0
_SMALL_REACH = 3.0  # ems above clearly smaller capitals within which a picture ends
_CENTRED, _OFF = 1.5, 3.0  # ems from the middle of the picture above, at most, and of the text below, at least


def with_headings(layout: Layout, pictures: Sequence[Box]) -> Layout:
    """The layout with its headings told from other short print, the lines set under them and titles over bylines.

    A heading is short, larger than the prose or in capitals, and leads to prose or stands clear of the pictures.

    Args:
        layout: the page's blocks, whose headings are still among the short print.
        pictures: upright boxes of the pictures.
    """
    for told in (_headings, _subtitles, _titles_over_bylines):
        found = told(layout, pictures)
        roles = (Role.HEADING if i in found else role for i, role in enumerate(layout.roles))
        layout = replace(layout, roles=tuple(roles))
    return layout


def _headings(layout: Layout, pictures: Sequence[Box]) -> set[int]:
    """The headings of a page, as places among its blocks."""
    found = set()
    for block in layout.of(Role.SHORT):
        if (
            not _looks_like_heading(block, layout)
            or block.credit
            or block.told
            or _hangs_on(block, layout, pictures)
            or _names_the_plate(block, layout, pictures)
        ):
            continue
        clear = not any(under(block.box, box, max(8 * layout.em, 0.15 * box.height)) for box in pictures)
        if _leads_to_prose(block, layout, pictures) or (clear and not _inside_any(block.box, pictures)):
            found.add(block.order)
    return found


def under(block: Box, picture: Box, limit: float) -> bool:
    """Whether `block` begins less than `limit` pixels below the picture, or lies across its foot."""
    return (
        block.bottom > picture.bottom
        and block.centre[1] > picture.bottom - 0.5 * block.height
        and block.top - picture.bottom < limit
        and block.horizontal_overlap(picture) > 0
    )


def _subtitles(layout: Layout, pictures: Sequence[Box]) -> set[int]:
    """The line or two set under a heading, centred or in capitals."""
    headings, em, found = [block.box for block in layout.of(Role.HEADING)], layout.em, set()
    for block in layout.of(Role.SHORT):
        alone = layout.run_words[block.order] == block.word_count <= _HEADING_WORDS and len(block.lines) < 3
        if not alone or _hangs_on(block, layout, pictures):
            continue
        for box in headings:
            belongs = block.capitals or abs(block.box.centre[0] - box.centre[0]) < 1.5 * em
            if belongs and block.box.horizontal_overlap(box) and -0.5 * em <= block.box.top - box.bottom < 2 * em:
                found.add(block.order)
    return found


def _titles_over_bylines(layout: Layout, pictures: Sequence[Box]) -> set[int]:
    """What a detector takes for a title, right above a heading and nearer to it than to any print above.

    Above a byline capitals are one, whatever a detector takes them for.
    """
    headings, em, found = layout.of(Role.HEADING), layout.em, set()
    for block in layout.of(Role.SHORT):
        titled = block.hint is RegionKind.TITLE
        below = [other.box for other in headings if titled or (block.capitals and _is_byline(other))]
        shared = [o.box for o in layout.blocks if o is not block and o.box.horizontal_overlap(block.box)]
        above = min((block.box.top - box.bottom for box in shared if box.centre[1] < block.box.top), default=4 * em)
        most = min(1.5 * em, above)
        if any(
            abs(box.centre[0] - block.box.centre[0]) < 1.5 * em and -0.5 * em <= box.top - block.box.bottom < most
            for box in below
        ):
            found.add(block.order)
    return found


def _is_byline(block: Block) -> bool:
    return block.text.upper().startswith("POR ")


def _looks_like_heading(block: Block, layout: Layout) -> bool:
    em = layout.em
    if block.word_count > _HEADING_WORDS or len(block.lines) > 3:
        return False
    narrow = 0 < block.breadth.value < _BROAD * layout.breadth.value  # its height was misread
    if narrow and not block.capitals:
        return False
    titled = block.hint is RegionKind.TITLE and block.em > 1.1 * em
    return block.em > 1.3 * em or titled or (block.capitals and block.em > 0.6 * em)


def _hangs_on(block: Block, layout: Layout, pictures: Sequence[Box]) -> bool:
    """Whether capitals no larger than the prose stand right under a picture, nearer to it than to what follows.

    Those that are clearly smaller, or have a credit line below, as no heading is or has, may stand nearer to the text.
    """
    blocks, em = layout.blocks, layout.em
    narrow = 0 < block.breadth.value < _LARGE * layout.breadth.value  # heights are easily misread
    large = block.em > _LARGE * em and not narrow
    if not block.capitals or large or _is_byline(block):
        return False
    own = _in_one_stack(block, blocks, em)
    box = hull(blocks[i].box for i in own)
    above = [p for p in pictures if p.horizontal_overlap(box) >= 0.5 * box.width and p.top < box.top]
    gap = min((max(0, white) for p in above if (white := box.top - p.bottom) > -1.5 * em), default=math.inf)
    credited = any(other.credit and _stacked(other.box, box, em) and other.box.top > box.centre[1] for other in blocks)
    if credited or layout.clearly_smaller(block):
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
    slack = _TOLD_SLACK if block.hinted or block.names or block.em < SMALL * em else _SLACK
    return gap < 1.5 * em and gap < min(below, default=2 * em) + slack * em


def _names_the_plate(block: Block, layout: Layout, pictures: Sequence[Box]) -> bool:
    """Whether it is all the print of a page, and stands below its only picture, which may be found too short."""
    if len(pictures) != 1 or any(other.legible and not other.folio for other in layout.blocks if other is not block):
        return False
    return block.box.top >= pictures[0].bottom and block.box.horizontal_overlap(pictures[0]) > 0


def _off_centre(a: Box, b: Box) -> float:
    return abs(a.centre[0] - b.centre[0])


def _in_one_stack(block: Block, blocks: Sequence[Block], em: float) -> set[int]:
    """The capitals with which a block stands, line upon line: itself, what is right above and below, and so on."""
    found, box = {block.order}, block.box
    while more := {o.order for o in blocks if o.order not in found and o.capitals and _stacked(o.box, box, em)}:
        found |= more
        box = hull(blocks[i].box for i in found)
    return found


def _stacked(a: Box, b: Box, em: float) -> bool:
    gap = max(a.top - b.bottom, b.top - a.bottom)
    return a != b and gap < 0.7 * em and a.horizontal_overlap(b) >= 0.5 * min(a.width, b.width)


def _leads_to_prose(block: Block, layout: Layout, pictures: Sequence[Box]) -> bool:
    """Whether text comes next below, directly or after a byline: prose, or many short lines, as in a list."""
    em, reach, words, left = layout.em, block.box, 0, block.box.left
    for _ in range(_LIST_LINES):
        below = [
            other
            for other in layout.blocks
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
        if any(layout.roles[other.order] is Role.PROSE for other in below):
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


def _inside_any(block: Box, pictures: Sequence[Box]) -> bool:
    return any(block.coverage_by(picture) >= 0.7 for picture in pictures)
