"""Stage 4: what is printed around each picture: its caption, the heading, the text before and after.

See `blocks` for how the page's paragraphs are cut, `roles` for what prose, headings and captions look like,
`assignment` for how captions are linked to pictures, `quotes` for quotes and windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from revista.context.assignment import Link, assign
from revista.context.blocks import Block, blocks_of
from revista.context.candidates import candidates_of
from revista.context.layout import Layout, Role
from revista.context.quotes import Token, quote_of, tokens_of, tokens_of_each, windows_of
from revista.context.roles import layout_of
from revista.geometry import Box, hull
from revista.lean import Lean
from revista.records import Contexts, PageText, PictureContext, Quote, Regions
from revista.settings import ContextSettings
from revista.versions import versions

__all__ = ["NAME", "VERSION", "run", "software", "windows_of"]

NAME = "context"
VERSION = "17"

_HEADING_BLOCKS = 4
_HEADING_WHITE = 2.0  # ems of the smaller type between the lines of a heading, at most

_Passage = Sequence[Block]


def software(options: ContextSettings) -> dict[str, str]:
    """Versions of what the result depends on."""
    return versions("scipy")


def run(number: int, regions: Regions, text: PageText, previous: PageText | None, options: ContextSettings) -> Contexts:
    """Find the printed context of each picture of a page.

    Captions are assigned over the whole page at once: one to a picture or to a group of pictures, or several to one
    picture. Windows run inside one passage each (caption, heading, paragraph), never across two, so that each is print
    as it stands.

    Args:
        number: the page, 1-based.
        regions: the page's pictures and what a detector took for captions and titles.
        text: the page's paragraphs in reading order.
        previous: the text of the page before, None where there is none.
        options: how much counts as near, and from which confidence on words are not marked.
    """
    pictures = regions.pictures
    if not pictures:
        return Contexts()
    lean = Lean.of(text)
    boxes = [lean.straight(picture.box) for picture in pictures]
    layout = layout_of(blocks_of(text, regions), boxes)
    looks = [picture.look for picture in pictures]
    links = assign(boxes, candidates_of(layout, boxes), layout, looks)
    earlier = _last_passages(previous, options.paragraphs)
    made = []
    for index, picture in enumerate(pictures):
        link = next((link for link in links if index in link.pictures), None)
        heading = _heading(boxes[index], layout, links)
        before, after = _around(boxes[index], layout, links, options.paragraphs)
        passages = [
            *((number, part) for part in (link.parts if link else ())),
            *([(number, heading)] if heading else []),
            *((number, passage) for passage in (*before, *after)),
            *((number - 1, passage) for passage in earlier),
        ]
        made.append(
            PictureContext(
                picture=picture.id,
                box=picture.box,
                caption=_caption(link.parts, number, options) if link else None,
                caption_parts=_quotes(link.parts, number, options) if link and len(link.parts) > 1 else (),
                caption_confidence=link.confidence if link else 0.0,
                caption_shared_with=tuple(pictures[i].id for i in link.pictures if i != index) if link else (),
                caption_runner_up=_caption(link.runner_up, number, options) if link else None,
                caption_runner_up_confidence=link.runner_up_confidence if link else 0.0,
                heading=_quote(heading, number, options),
                before=_quotes(before, number, options),
                after=_quotes(after, number, options),
                previous_page=_quotes(earlier, number - 1, options),
                windows=tuple(_windows(passages, options)),
            )
        )
    return Contexts(pictures=tuple(made))


def _tokens(passage: _Passage) -> list[Token]:
    return tokens_of(line for block in passage for line in block.lines)


def _caption(parts: Iterable[_Passage], page: int, options: ContextSettings) -> Quote | None:
    """All of a caption, in as many parts as it is printed in."""
    lines = ([line for block in part for line in block.lines] for part in parts)
    return quote_of(tokens_of_each(lines), page, options.min_word_confidence)


def _quote(passage: _Passage, page: int, options: ContextSettings) -> Quote | None:
    return quote_of(_tokens(passage), page, options.min_word_confidence)


def _quotes(passages: Iterable[_Passage], page: int, options: ContextSettings) -> tuple[Quote, ...]:
    quotes = (_quote(passage, page, options) for passage in passages)
    return tuple(quote for quote in quotes if quote is not None)


def _windows(passages: Iterable[tuple[int, _Passage]], options: ContextSettings) -> Iterable[Quote]:
    for page, passage in passages:
        for window in windows_of(_tokens(passage), options.window_words, options.window_overlap):
            quote = quote_of(window, page, options.min_word_confidence)
            if quote is not None:
                yield quote


def _heading(picture: Box, layout: Layout, links: Sequence[Link]) -> _Passage:
    """The nearest heading above the picture in its columns, with its other lines.

    Where there is none, the one right below (the picture is then its headpiece), else the page's title.
    """
    captions = {block.order for link in links for block in link.blocks}
    headings = [block for block in layout.of(Role.HEADING) if block.order not in captions]
    above = [
        block
        for block in headings
        if block.box.centre[1] < picture.top + layout.em
        and block.box.horizontal_overlap(picture) >= 0.3 * min(block.box.width, picture.width)
    ]
    nearest = max(above, key=lambda block: (block.box.bottom, -block.order), default=None)
    if nearest is None:
        below = [
            block
            for block in headings
            if -layout.em <= block.box.top - picture.bottom <= 4 * layout.em and block.box.horizontal_overlap(picture)
        ]
        nearest = min(below, key=lambda block: (block.box.top, block.order), default=None)
    if nearest is None:
        top, bottom = (f(block.box.centre[1] for block in layout.blocks) for f in (min, max)) if headings else (0, 0)
        titles = [block for block in headings if block.box.centre[1] <= top + (bottom - top) / 3]
        nearest = max(titles, key=lambda block: (block.em, -block.order), default=None)
    return _whole_heading(nearest, headings) if nearest else ()


def _whole_heading(one: Block, headings: Sequence[Block]) -> _Passage:
    """The heading that `one` is a line of: headings directly above and below it, from top to bottom."""
    found = [one]
    for _ in range(3):  # pieces of its line, a kicker and a byline at most
        for block in headings:
            box = hull(b.box for b in found)
            down = max(block.box.top - box.bottom, box.top - block.box.bottom)
            across = max(block.box.left - box.right, box.left - block.box.right)
            if block not in found and down < _HEADING_WHITE * min(block.em, one.em) and across < 3 * one.em:
                found.append(block)
    return sorted(found, key=lambda block: (block.box.top, block.box.left, block.order))[:_HEADING_BLOCKS]


def _prose(layout: Layout, taken: set[int]) -> list[list[Block]]:
    """The paragraphs in reading order, without captions, headings, page numbers and what could not be read."""
    paragraphs: dict[int, list[Block]] = {}
    for block in layout.blocks:
        if layout.roles[block.order] in (Role.PROSE, Role.SHORT) and block.order not in taken:
            paragraphs.setdefault(block.paragraph, []).append(block)
    return list(paragraphs.values())


def _around(
    picture: Box, layout: Layout, links: Sequence[Link], count: int
) -> tuple[list[list[Block]], list[list[Block]]]:
    """The `count` paragraphs before and after the picture's place in reading order.

    The text's own order stands; the picture is put where the fewest paragraphs are on the wrong side of it, by
    the X-Y cut of the pair, paragraphs in the picture's own columns counting most.
    """
    captions = {block.order for link in links for block in link.blocks}
    paragraphs = _prose(layout, captions)
    signs = []
    for blocks in paragraphs:
        box = hull(block.box for block in blocks)
        first = _precedes(box, picture)
        weight = 1.0 if box.horizontal_overlap(picture) else 0.3
        signs.append(weight if first else -weight)
    best, place, balance = 0.0, 0, 0.0
    for index, sign in enumerate(signs):
        balance += sign
        if balance > best + 1e-9:
            best, place = balance, index + 1
    return paragraphs[max(0, place - count) : place], paragraphs[place : place + count]


def _precedes(box: Box, picture: Box) -> bool:
    """Whether a paragraph is read before a picture: it stands above it, or beside it on the left."""
    if box.bottom <= picture.top or picture.bottom <= box.top or box.horizontal_overlap(picture):
        return box.centre[1] < picture.centre[1]
    return box.centre[0] < picture.centre[0]


def _last_passages(previous: PageText | None, count: int) -> list[list[Block]]:
    """The last paragraphs of the page before."""
    if previous is None or not count:
        return []
    layout = layout_of(blocks_of(previous, Regions()), [])
    return _prose(layout, set())[-count:]
