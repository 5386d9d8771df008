"""Several captions of one picture: one under each of its parts, or one that is set in a left and a right half."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from revista.context.candidates import Candidate
from revista.context.costs import link_cost, place_of
from revista.context.groups import Target
from revista.context.layout import Layout, side_by_side
from revista.geometry import Box

_SEVERAL = -0.05  # cheaper than one caption that fits as well, since none is left over


def several_for(
    target: Target, captions: Sequence[Candidate], pictures: Sequence[Box], layout: Layout
) -> Iterator[tuple[tuple[int, ...], float]]:
    """The sets of captions (indices) that may together serve a picture, each with its cost.

    Captions that stand in one row below or above the picture, in one type size, beside each other and within its
    width, are measured as the one caption that they would be if they were joined.

    Args:
        target: a picture.
        captions: all candidates.
        pictures: upright boxes of all pictures of the page.
        layout: the page's blocks.
    """
    for place in ("below", "above"):
        there = [i for i, caption in enumerate(captions) if place_of(target.box, caption.body) == place]
        for row in _rows(there, captions):
            inside = [i for i in row if _within(captions[i], target, layout.em)]
            if len(inside) < 2:
                continue
            blocks = sorted((b for i in inside for b in captions[i].blocks), key=lambda b: (b.box.left, b.box.top))
            joined = Candidate(tuple(blocks))
            cost = link_cost(target, joined, pictures, layout, parts=len(inside))
            if cost is not None:
                yield tuple(inside), cost + _SEVERAL


def _rows(numbers: Sequence[int], captions: Sequence[Candidate]) -> list[list[int]]:
    """The captions that stand beside each other in one type size."""
    rows: list[list[int]] = []
    for i in sorted(numbers, key=lambda i: (captions[i].box.left, captions[i].box)):
        for row in rows:
            if all(_beside(captions[i], captions[other]) for other in row):
                row.append(i)
                break
        else:
            rows.append([i])
    return [row for row in rows if len(row) > 1]


def _beside(a: Candidate, b: Candidate) -> bool:
    return side_by_side(a.box, b.box) and min(a.em, b.em) > 0.8 * max(a.em, b.em)


def _within(caption: Candidate, target: Target, em: float) -> bool:
    grown = target.box.grow(round(em))
    return caption.body.horizontal_overlap(grown) >= caption.body.width
