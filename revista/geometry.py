"""Boxes in the one coordinate system of revista.

Integer pixels of the archived page image, origin top left, `(left, top, right, bottom)`; right and bottom are
exclusive, so that width = right - left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in page pixels; empty when right <= left or bottom <= top."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels, never negative."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Height in pixels, never negative."""
        return max(0, self.bottom - self.top)

    @property
    def area(self) -> int:
        """Area in square pixels; 0 for an empty box."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle point, `(x, y)`."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def intersect(self, other: Box) -> Box:
        """The common part of two boxes; empty (area 0) where they do not meet."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def move(self, across: int, down: int) -> Box:
        """The box moved to the right and down."""
        return Box(self.left + across, self.top + down, self.right + across, self.bottom + down)

    def grow(self, pixels: int) -> Box:
        """The box widened by `pixels` on every side (narrowed where negative)."""
        return Box(self.left - pixels, self.top - pixels, self.right + pixels, self.bottom + pixels)

    def clip(self, width: int, height: int) -> Box:
        """The part of the box on a page of `width` x `height` pixels."""
        return self.intersect(Box(0, 0, width, height))

    def iou(self, other: Box) -> float:
        """Intersection over union, 0.0 to 1.0; 0.0 where both are empty."""
        common = self.intersect(other).area
        total = self.area + other.area - common
        return common / total if total else 0.0

    def coverage_by(self, other: Box) -> float:
        """The share of this box that `other` covers, 0.0 to 1.0; 0.0 for an empty box."""
        return self.intersect(other).area / self.area if self.area else 0.0

    def centre_in(self, area: Box) -> bool:
        """Whether the middle of this box lies in `area`, whose right and lower edges are not part of it."""
        x, y = self.centre
        return area.left <= x < area.right and area.top <= y < area.bottom

    def horizontal_overlap(self, other: Box) -> int:
        """Length in pixels of the common part of both on the x axis, 0 where there is none."""
        return max(0, min(self.right, other.right) - max(self.left, other.left))

    def vertical_overlap(self, other: Box) -> int:
        """Length in pixels of the common part of both on the y axis, 0 where there is none."""
        return max(0, min(self.bottom, other.bottom) - max(self.top, other.top))


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around all `boxes`; raises ValueError where there are none."""
    items = list(boxes)
    if not items:
        raise ValueError("hull() of no boxes")
    return Box(
        min(b.left for b in items),
        min(b.top for b in items),
        max(b.right for b in items),
        max(b.bottom for b in items),
    )


Edges = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def _bands(edges: Sequence[Edges], items: list[int], axis: int, gap: float) -> list[list[int]]:
    """`items` parted at the white bands of at least `gap` across `axis` (0: into columns, 1: into rows)."""
    parts: list[list[int]] = []
    reach = 0.0
    for i in sorted(items, key=lambda i: (edges[i][axis], edges[i][axis + 2], i)):
        if parts and edges[i][axis] - reach < gap:
            parts[-1].append(i)
            reach = max(reach, edges[i][axis + 2])
        else:
            parts.append([i])
            reach = edges[i][axis + 2]
    return parts


class _Gutter(NamedTuple):
    """What counts as a gutter between columns, see `xy_cut`."""

    gap: float
    rows: int
    width: float
    wide: float

    def parts(self, edges: Sequence[Edges], items: list[int]) -> bool:
        """Whether `items` are enough for a column."""
        if self.rows < 2 and not self.width:
            return True
        width = max(edges[i][2] for i in items) - min(edges[i][0] for i in items)
        return width >= self.width and len(_bands(edges, items, 1, 0)) >= self.rows


def _columns(edges: Sequence[Edges], items: list[int], gutter: _Gutter) -> list[list[int]]:
    """`items` parted at the gutters between columns."""
    parts = _bands(edges, items, 0, gutter.gap)
    kept = parts[:1]
    for part in parts[1:]:
        white = min(edges[i][0] for i in part) - max(edges[i][2] for i in kept[-1])
        if white >= gutter.wide or (gutter.parts(edges, kept[-1]) and gutter.parts(edges, part)):
            kept.append(part)
        else:
            kept[-1] = kept[-1] + part
    return kept


def _cut(edges: Sequence[Edges], items: list[int], gutter: _Gutter) -> list[list[int]]:
    """`items` parted by one step of the X-Y cut, in reading order; one part where there is nothing to cut."""
    columns = _columns(edges, items, gutter)
    if len(columns) > 1:
        return columns
    rows = _bands(edges, items, 1, gutter.gap)
    for first, last in _runs(edges, rows, gutter.gap):
        together = [i for row in rows[first:last] for i in row]
        if len(_columns(edges, together, gutter)) > 1:
            above, below = ([i for row in part for i in row] for part in (rows[:first], rows[last:]))
            return [part for part in (above, together, below) if part]
    return rows


def _runs(edges: Sequence[Edges], rows: list[list[int]], gap: float) -> list[tuple[int, int]]:
    """Runs of neighbouring rows `[first, last)` with one gutter through all of them, best supported first."""
    bands = [_bands(edges, row, 0, gap) for row in rows]
    spans = [[(min(edges[i][0] for i in b), max(edges[i][2] for i in b), len(b)) for b in parts] for parts in bands]
    weights: dict[tuple[int, int], int] = {}

    def free(row: int, left: float, right: float) -> tuple[float, float] | None:
        """The widest part of `left` to `right` that no box of `row` covers, None where it is narrower than `gap`."""
        edge, best = left, (left, left)
        for start, end, _ in spans[row]:
            if end > edge:
                best = max(best, (edge, min(start, right)), key=lambda part: part[1] - part[0])
                edge = max(edge, end)
        best = max(best, (edge, right), key=lambda part: part[1] - part[0])
        return best if best[1] - best[0] >= gap else None

    for seed, parts in enumerate(spans):
        for before, after in pairwise(parts):
            white: tuple[float, float] | None = (before[1], after[0])
            ends = []
            for step, stop in ((-1, -1), (1, len(rows))):
                row = seed
                while row + step != stop and white and (narrower := free(row + step, *white)):
                    row, white = row + step, narrower
                ends.append(row)
            run = ends[0], ends[1] + 1
            if run[1] - run[0] < 2 or run in weights or white is None:
                continue
            middle = (white[0] + white[1]) / 2
            sides = [
                (sum(n for x, _, n in row if x < middle), sum(n for x, _, n in row if x > middle))
                for row in spans[run[0] : run[1]]
            ]
            weights[run] = sum(min(side) for side in sides)
    return sorted(weights, key=lambda run: (-weights[run], run))


def _inset(edges: Sequence[Edges], items: list[int], gap: float) -> int | None:
    """The box that alone keeps `items` from being cut into columns, with others left and right of it; or None."""
    events = sorted([(edges[i][0], 1, i) for i in items] + [(edges[i][2], -1, i) for i in items])
    open_: set[int] = set()
    candidates: list[int] = []
    for place, (x, step, i) in enumerate(events):
        (open_.add if step > 0 else open_.discard)(i)
        follows = events[place + 1][0] if place + 1 < len(events) else x
        if len(open_) == 1 and follows - x >= gap:
            candidates.append(next(iter(open_)))
    for candidate in dict.fromkeys(candidates):
        left, top, right, bottom = edges[candidate]
        beside = [i for i in items if i != candidate and min(edges[i][3], bottom) - max(edges[i][1], top) > 0]
        if not any(edges[i][2] <= left for i in beside) or not any(edges[i][0] >= right for i in beside):
            continue
        if len(_bands(edges, [i for i in items if i != candidate], 0, gap)) > 1:
            return candidate
    return None


def edge_between(a: Box, b: Box, picture: Box, slack: float) -> bool:
    """Whether `a` and `b` stand side by side with an upright edge of `picture` in the white between.

    Args:
        a: one box.
        b: the other, left or right of it.
        picture: where it stands, above or below, does not count.
        slack: by how much the edge may lie beside the white, and the two reach into each other.
    """
    left, right = (a, b) if a.left < b.left else (b, a)
    if left.right >= right.left + slack:
        return False
    return any(left.right - slack <= edge <= right.left + slack for edge in (picture.left, picture.right))


def xy_cut(
    boxes: Sequence[Edges], gap: float = 1, *, rows: int = 1, width: float = 0, wide: float = float("inf")
) -> list[list[int]]:
    """Groups of boxes that no straight cut separates, in reading order for left-to-right columns.

    The recursive X-Y cut of Nagy and Seth (1984, "Hierarchical representation of optically scanned documents", ICPR):
    a page is cut along the white bands between boxes until nothing can be cut. Cutting rows before columns would read
    two columns whose paragraphs happen to end at the same height across; cutting columns first is only possible where
    nothing stands across the gutter. Here neighbouring rows through which one gutter runs are kept together and cut
    into columns; what stands across the gutter (a heading, a paragraph of full width) is a row of its own.

    Args:
        boxes: in any order.
        gap: the narrowest white band that counts as a cut, in the unit of the boxes.
        rows: how many rows of boxes a column has at least.
        width: how wide a column is at least.
        wide: the width from which white parts columns of any size.

    Returns:
        Lists of indices, each index in exactly one; ascending within a list.
    """
    gutter = _Gutter(gap, rows, width, wide)
    done: list[list[int]] = []
    todo = [list(range(len(boxes)))] if boxes else []
    while todo:
        items = todo.pop()
        parts = _cut(boxes, items, gutter) if len(items) > 1 else [items]
        if len(parts) == 1:
            done.append(sorted(items))
        else:
            todo.extend(reversed(parts))
    return done


def reading_order(boxes: Sequence[Box], gap: int = 1) -> list[int]:
    """Indices of `boxes` in reading order for left-to-right columns.

    The X-Y cut as `xy_cut` does it, and two things more, for blocks as detectors find them. A box that alone stands
    across a gutter, with others to the left and right of it (a picture set into two columns), is taken out, and put
    back before the first box under it. Boxes that overlap a little are cut as if each were a tenth smaller on every
    side. Boxes that nothing separates are ordered top to bottom, then left to right.

    Args:
        boxes: page boxes, in any order.
        gap: the narrowest white band, in pixels, that counts as a cut; 1 or more.

    Returns:
        A permutation of `range(len(boxes))`.
    """
    # in tenths of a pixel, so that all figures are whole
    shrunk: list[Edges] = [
        (10 * b.left + b.width, 10 * b.top + b.height, 10 * b.right - b.width, 10 * b.bottom - b.height) for b in boxes
    ]

    def order(items: list[int]) -> list[int]:
        if len(items) < 2:
            return items
        inset = None
        if len(_bands(boxes, items, 0, gap)) == 1:
            inset = _inset(boxes, items, gap)
        if inset is not None:
            rest = order([i for i in items if i != inset])
            under = [
                place
                for place, i in enumerate(rest)
                if boxes[i].horizontal_overlap(boxes[inset]) and boxes[i].top >= boxes[inset].centre[1]
            ]
            place = under[0] if under else len(rest)
            return [*rest[:place], inset, *rest[place:]]
        parts = _cut(boxes, items, _Gutter(gap, 1, 0, 0))
        if len(parts) == 1:
            parts = _cut(shrunk, items, _Gutter(0, 1, 0, 0))
        if len(parts) == 1:
            return sorted(items, key=lambda i: (boxes[i].top, boxes[i].left, boxes[i].bottom, boxes[i].right, i))
        return [i for part in parts for i in order(part)]

    return order(list(range(len(boxes))))
