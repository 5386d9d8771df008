"""Groups of pictures that may share a caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from revista.context.candidates import Candidate
from revista.context.layout import Layout, Role
from revista.geometry import Box, hull

_FLUSH = 0.03  # of a picture's width between its side and a caption's that begins or ends with it


@dataclass(frozen=True)
class Target:
    """A picture, or a group of pictures together with the caption for which it was thought of."""

    members: tuple[int, ...]
    box: Box  # what the caption is measured against
    caption: Candidate | None = None
    look: str | None = None  # the kind of the picture, where a detector tells; None for a group


def groups_for(caption: Candidate, pictures: Sequence[Box], layout: Layout) -> list[Target]:
    """The groups of pictures that `caption` may serve.

    A row of pictures above the caption is a group when the caption reaches under two of them, or is centred under the
    row, and none of them has print of its own; where one has, those that it reaches under are a group. A cluster
    (pictures next to each other without print between) is one when all that is so for its lowest row, when the caption
    is as wide as the cluster, or names places or numbers; where it names places on one side only ("abajo"), the group
    is that side.

    Args:
        caption: the caption candidate.
        pictures: upright boxes of all pictures.
        layout: the page's blocks.
    """
    if len(pictures) < 2:
        return []
    near = layout.em * 4
    sided = near if caption.places >= {"left", "right"} else 0.0
    above = [
        i for i, box in enumerate(pictures) if _over(box, caption.box, max(6 * layout.em, 0.15 * box.height), sided)
    ]
    around = above or [i for i, box in enumerate(pictures) if _beside(box, caption.box, 1.5 * near)]
    if not around:
        return []
    cluster = _spread(around, pictures, caption, layout, near)
    found: list[tuple[int, ...]] = []
    row = _row(above, pictures, cluster if caption.speaks_of_several else above)
    alone = len(row) > 1 and not _captioned(row, pictures, caption, layout)
    reached = tuple(i for i in row if _under_width(pictures[i], caption.body) >= 0.3)
    spans = len(reached) > 1 or (
        alone
        and _centred(caption.body, hull(pictures[i] for i in row))
        and all(_under_width(caption.body, pictures[i]) < 0.95 for i in row)
        and not any(_begins_with(caption.body, pictures[i]) for i in row)
    )
    if len(row) > 1 and (spans or caption.speaks_of_several):
        found.append(row if alone or caption.speaks_of_several else reached)
    whole = hull(pictures[i] for i in cluster)
    below_one = len(row) == 1 and (
        pictures[row[0]].width >= 0.9 * whole.width or _fits(caption.body, pictures[row[0]])
    )  # which is as wide as all, or as the caption
    wide = bool(above) and not below_one and caption.body.width >= 0.8 * whole.width and _centred(caption.body, whole)
    if len(cluster) > len(row) and ((spans and alone) or wide or caption.speaks_of_several):
        found.append(cluster)
    if caption.places and len(cluster) > 1:
        beside = len(row) > 1 and not caption.places & {"upper", "lower"}
        found = [_side(row if beside else cluster, pictures, whole, caption.places)]
    return [
        Target(members, whole if caption.places & {"upper", "lower"} else hull(pictures[i] for i in members), caption)
        for members in dict.fromkeys(found)
        if len(members) > 1 or (members and caption.places)
    ]


def _over(picture: Box, caption: Box, limit: float, sided: float) -> bool:
    """Whether a picture ends over a caption, at most `limit` above it.

    A caption that tells left from right may be set under one of the two, up to `sided` beside the other one.
    """
    gap = caption.top - picture.bottom
    away = max(picture.left - caption.right, caption.left - picture.right)
    return -0.5 * caption.height <= gap <= limit and (
        away < sided or abs(picture.centre[0] - caption.centre[0]) < picture.width
    )


def _captioned(row: Sequence[int], pictures: Sequence[Box], caption: Candidate, layout: Layout) -> bool:
    """Whether other short print stands right under one of these pictures, within its width."""
    own = {block.order for block in caption.blocks}
    return any(
        block.order not in own
        and abs(block.box.top - pictures[i].bottom) < 2 * layout.em
        and block.box.horizontal_overlap(pictures[i]) >= 0.9 * block.box.width
        for block in layout.of(Role.SHORT)
        for i in row
    )


def _beside(picture: Box, caption: Box, limit: float) -> bool:
    gap = max(caption.left - picture.right, picture.left - caption.right)
    return gap <= limit and picture.vertical_overlap(caption) > 0


def _spread(
    seeds: Sequence[int], pictures: Sequence[Box], caption: Candidate, layout: Layout, near: float
) -> tuple[int, ...]:
    """The pictures that can be reached from `seeds` over gaps without print, in index order."""
    own = {block.order for block in caption.blocks}
    print_ = [
        block.box
        for block in layout.blocks
        if block.order not in own and layout.roles[block.order] in (Role.PROSE, Role.SHORT, Role.HEADING)
    ]
    beside = 2 * near if caption.places & {"left", "right"} else near
    reached, frontier = set(seeds), list(seeds)
    while frontier:
        here = pictures[frontier.pop()]
        for i, box in enumerate(pictures):
            if i not in reached and _neighbours(here, box, near, beside) and not _parted(here, box, print_):
                reached.add(i)
                frontier.append(i)
    return tuple(sorted(reached))


def _neighbours(a: Box, b: Box, near: float, beside: float) -> bool:
    across = max(a.left - b.right, b.left - a.right)
    down = max(a.top - b.bottom, b.top - a.bottom)
    return across <= beside and down <= near


def _parted(a: Box, b: Box, print_: Sequence[Box]) -> bool:
    """Whether print stands in the gap between two pictures."""
    across = Box(min(a.right, b.right), max(a.top, b.top), max(a.left, b.left), min(a.bottom, b.bottom))
    down = Box(max(a.left, b.left), min(a.bottom, b.bottom), min(a.right, b.right), max(a.top, b.top))
    return any(box.coverage_by(gap) >= 0.3 for gap in (across, down) if gap.area for box in print_)


def _row(above: Sequence[int], pictures: Sequence[Box], those: Sequence[int]) -> tuple[int, ...]:
    """The lowest row of pictures over a caption, of `those`."""
    if not above:
        return ()
    lowest = max(above, key=lambda i: (pictures[i].bottom, pictures[i]))
    box = pictures[lowest]
    return tuple(i for i in those if pictures[i].vertical_overlap(box) >= 0.5 * min(pictures[i].height, box.height))


def _under_width(picture: Box, caption: Box) -> float:
    return picture.horizontal_overlap(caption) / max(1, picture.width)


def _fits(caption: Box, picture: Box) -> bool:
    off = max(abs(caption.left - picture.left), abs(caption.right - picture.right))
    return off <= 0.05 * picture.width


def _begins_with(caption: Box, picture: Box) -> bool:
    """Whether it stands under this picture alone, flush with one of its sides: what a row shares is centred."""
    flush = min(abs(caption.left - picture.left), abs(caption.right - picture.right)) <= _FLUSH * picture.width
    return flush and caption.width < 0.5 * picture.width and caption.horizontal_overlap(picture) >= 0.9 * caption.width


def _centred(caption: Box, group: Box) -> bool:
    return abs(caption.centre[0] - group.centre[0]) < 0.1 * group.width


def _side(cluster: Sequence[int], pictures: Sequence[Box], whole: Box, places: frozenset[str]) -> tuple[int, ...]:
    """The members of the cluster on the side that the caption names; all where it names both sides or none."""
    kept = list(cluster)
    for low, high, axis in (("upper", "lower", 1), ("left", "right", 0)):
        if (low in places) != (high in places):
            middle = whole.centre[axis]
            kept = [i for i in kept if (pictures[i].centre[axis] < middle) == (low in places)]
    return tuple(kept)
