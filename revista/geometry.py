"""Boxes in the one coordinate system of revista.

Integer pixels of the archived page image, origin top left, `(left, top, right, bottom)`; right and bottom are
exclusive, so that width = right - left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def _gaps(intervals: Sequence[tuple[int, int]], smallest: int) -> list[int]:
    """Cut positions in the gaps of at least `smallest` pixels between the merged `intervals`."""
    cuts, reach = [], None
    for start, end in sorted(intervals):
        if reach is not None and start - reach >= smallest:
            cuts.append((reach + start) // 2)
        reach = end if reach is None else max(reach, end)
    return cuts


def reading_order(boxes: Sequence[Box], gap: int = 1) -> list[int]:
    """Indices of `boxes` in reading order for left-to-right columns.

    The recursive X-Y cut of Nagy and Seth (1984, "Hierarchical representation of optically scanned documents"):
    the page is cut along the white bands between boxes, first into rows, then into columns, until nothing can be
    cut. Rows come first, so that a heading over two columns is read before them. Boxes that no straight cut
    separates are ordered top to bottom, then left to right.

    Args:
        boxes: page boxes, in any order.
        gap: the narrowest white band, in pixels, that counts as a cut; 1 or more.

    Returns:
        A permutation of `range(len(boxes))`.
    """

    def order(items: list[int]) -> list[int]:
        if len(items) < 2:
            return items
        for first, last in ((1, 3), (0, 2)):  # rows (top, bottom), then columns (left, right)
            cuts = _gaps([(boxes[i][first], boxes[i][last]) for i in items], gap)
            if cuts:
                parts: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
                for i in items:
                    middle = (boxes[i][first] + boxes[i][last]) / 2
                    parts[sum(middle > cut for cut in cuts)].append(i)
                return [i for part in parts for i in order(part)]
        return sorted(items, key=lambda i: (boxes[i].top, boxes[i].left))

    return order(list(range(len(boxes))))
