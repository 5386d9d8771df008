"""Which printed captions belong to which pictures, decided over the whole page at once.

Every way to link print and pictures is an option with a cost (`costs`): one caption to one picture, one to a group of
pictures (`groups`), several captions to one picture (`several`). No picture and no caption may be used twice; the
options that together save most against pictures without captions are found exactly (`packing`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from revista.context.blocks import Block
from revista.context.candidates import Candidate
from revista.context.costs import NO_CAPTION, link_cost
from revista.context.groups import Target, groups_for
from revista.context.layout import Layout
from revista.context.packing import Option, Packing
from revista.context.several import several_for
from revista.geometry import Box, reading_order

_MOST_GROUPS = 40  # tried on one page; more only come from broken input
_MOST_CERTAIN = 0.99
_LEAST_CERTAIN = 0.3  # links that are less likely are not told at all

_RANK = 0.08  # what it counts that the second picture of the page gets the caption with the number 2

# How likely a link is right by what it saves against having none, as a logistic curve: half at `_EVEN`, and steeper
# the smaller `_SPREAD`. Set by hand, not fitted: docs/measurements.md says how sure right and wrong links are.
_EVEN, _SPREAD = 0.25, 0.12


@dataclass(frozen=True)
class Link:
    """A caption and the pictures it belongs to."""

    pictures: tuple[int, ...]
    parts: tuple[tuple[Block, ...], ...]  # in reading order; more than one where several captions serve one picture
    confidence: float
    runner_up: tuple[tuple[Block, ...], ...] = ()  # the next best caption, likewise; empty where no other one could be
    runner_up_confidence: float = 0.0  # on the scale of `confidence`; both together at most 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks in reading order."""
        return tuple(block for part in self.parts for block in part)


@dataclass(frozen=True)
class _Way:
    """A way to link: pictures and captions as indices, and the cost a picture."""

    pictures: tuple[int, ...]
    captions: tuple[int, ...]
    cost: float

    @property
    def option(self) -> Option:
        items = frozenset([*(("picture", i) for i in self.pictures), *(("caption", i) for i in self.captions)])
        return Option(items, len(self.pictures) * (NO_CAPTION - self.cost))


def assign(
    pictures: Sequence[Box], candidates: Sequence[Candidate], layout: Layout, looks: Sequence[str | None] = ()
) -> list[Link]:
    """Link captions to pictures.

    The confidence of a link says how likely it is right. For each of its pictures the page is solved anew with every
    other option for that picture, and with none; what each of these solutions saves is weighed as in a Boltzmann
    distribution (so that they sum to 1.0), and the picture for which the link is least likely counts. So a link is
    doubtful when it fits badly, and also when another fits nearly as well. The runner-up stands on the same scale.

    Args:
        pictures: upright boxes, in any order.
        candidates: caption candidates, in any order.
        layout: all blocks of the page.
        looks: the kinds of the pictures, as far as a detector tells; empty for none.

    Returns:
        The links with a confidence of 0.3 or more, in the order of their first picture; pictures are indices into
        `pictures`.
    """
    captions = sorted(candidates, key=lambda c: (c.box, c.text))  # so that nothing hangs on the order of the input
    ways = _ways(pictures, captions, layout, looks or [None] * len(pictures))
    packing = Packing([way.option for way in ways])
    links = []
    for chosen in packing.best()[1]:
        way = ways[chosen]
        shares = [_shares(picture, ways, packing) for picture in way.pictures]
        confidence = min(share[chosen] for share in shares)
        if confidence < _LEAST_CERTAIN:
            continue
        own = {block.order for i in way.captions for block in captions[i].blocks}
        others = [
            (likely, -other)
            for share in shares
            for other, likely in share.items()
            if not own & {block.order for i in ways[other].captions for block in captions[i].blocks}
        ]
        likely, other = max(others, default=(0.0, 1))
        links.append(
            Link(
                tuple(sorted(way.pictures)),
                _in_order([captions[i] for i in way.captions]),
                round(min(confidence, _MOST_CERTAIN), 4),
                _in_order([captions[i] for i in ways[-other].captions]) if others else (),
                # of another picture of the group the other may be likelier than the link is of this one
                round(min(likely, confidence, 1 - min(confidence, _MOST_CERTAIN)), 4),
            )
        )
    return sorted(links, key=lambda link: link.pictures)


def _in_order(captions: Sequence[Candidate]) -> tuple[tuple[Block, ...], ...]:
    return tuple(captions[i].blocks for i in reading_order([caption.box for caption in captions]))


def _ways(
    pictures: Sequence[Box], captions: Sequence[Candidate], layout: Layout, looks: Sequence[str | None]
) -> list[_Way]:
    """All ways to link that save something, in an order that does not hang on that of the pictures."""
    singles = [Target((i,), box, None, looks[i]) for i, box in enumerate(pictures)]
    groups = [group for caption in captions for group in groups_for(caption, pictures, layout)][:_MOST_GROUPS]
    ranks = {picture: rank for rank, picture in enumerate(reading_order(list(pictures)), start=1)}
    counted = sum(caption.number is not None for caption in captions) > 1
    ways = []
    for target in (*singles, *groups):
        for number, caption in enumerate(captions):
            cost = link_cost(target, caption, pictures, layout) if target.caption in (None, caption) else None
            if cost is None:
                continue
            if counted and caption.number is not None and len(target.members) == 1:
                cost += -_RANK if caption.number == ranks[target.members[0]] else _RANK
            ways.append(_Way(target.members, (number,), max(0.02, cost)))
    for target in singles:
        for numbers, cost in several_for(target, captions, pictures, layout):
            ways.append(_Way(target.members, numbers, cost))
    saving = [way for way in ways if way.cost < NO_CAPTION]
    return sorted(saving, key=lambda way: (sorted(pictures[i] for i in way.pictures), way.captions, way.cost))


def _shares(picture: int, ways: Sequence[_Way], packing: Packing) -> dict[int, float]:
    """How likely each way (index) is the right one for a picture, 0.0 to 1.0; with that of none they sum to 1.0."""
    totals = {i: packing.best_with(i) for i, way in enumerate(ways) if picture in way.pictures}
    none = packing.best_leaving(("picture", picture)) + _EVEN
    highest = max([none, *totals.values()])
    weights = {i: math.exp((total - highest) / _SPREAD) for i, total in totals.items()}
    whole = sum(weights.values()) + math.exp((none - highest) / _SPREAD)
    return {i: weight / whole for i, weight in weights.items()}
