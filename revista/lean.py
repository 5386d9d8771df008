"""How the lines of a page lean and bend, and the way to a page on which they run straight.

Pages are laid on the glass a little askew, and near the spine of a bound volume the paper rises, so that lines bend
down or up there. A box around a leaning word is higher than the word, and a box around a leaning picture takes in print
beside it. So whatever compares sizes and places does it on the straight page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

import numpy as np

from revista.geometry import Box, hull
from revista.records import Bend, Line, PageText, Word

Rect: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels, not rounded."""

_STEPS = 9  # points of an edge that bends


@dataclass(frozen=True)
class Lean:
    """How a page stands: what takes it to the straight page and back.

    The straight page has the page's scale. It is turned about the page's top left corner, so that coordinates on it may
    be negative.

    Attributes:
        orientation: degrees clockwise by which the print stands turned on the page, 0, 90, 180 or 270.
        skew: degrees clockwise by which the lines lean once that is set right.
        bend: see `Bend`.
    """

    orientation: int = 0
    skew: float = 0.0
    bend: Bend = ()

    @classmethod
    def of(cls, text: PageText) -> Lean:
        """How the page stands whose text was read."""
        return cls(text.orientation, text.skew, text.bend)

    @cached_property
    def _rotation(self) -> np.ndarray:
        """2 x 2: from the page, but for the bend, to the straight page."""
        quarters = {
            0: [[1.0, 0.0], [0.0, 1.0]],
            90: [[0.0, 1.0], [-1.0, 0.0]],
            180: [[-1.0, 0.0], [0.0, -1.0]],
            270: [[0.0, -1.0], [1.0, 0.0]],
        }[self.orientation]
        cos, sin = math.cos(math.radians(self.skew)), math.sin(math.radians(self.skew))
        return np.array([[cos, sin], [-sin, cos]]) @ np.array(quarters)

    @cached_property
    def _knots(self) -> np.ndarray:
        """2 x n: the places of the bend and its depths there."""
        return np.array(self.bend or ((0, 0.0),), dtype=float).T

    def hang(self, x: np.ndarray) -> np.ndarray:
        """By how many pixels lines hang down at these places across the straight page."""
        return np.interp(x, *self._knots)

    def _turned(self, x: np.ndarray | float, y: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Points of the page, as points on the straight page but for the bend."""
        (a, b), (c, d) = self._rotation
        return a * x + b * y, c * x + d * y

    def to_page(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points of the straight page, as points on the page."""
        (a, b), (c, d) = self._rotation
        y = y + self.hang(x)
        return a * x + c * y, b * x + d * y  # its transpose is its inverse

    def outline(self, rect: Rect) -> np.ndarray:
        """Points (n, 2) on the page around what `rect` frames on the straight page, in turn."""
        left, top, right, bottom = rect
        x = np.linspace(left, right, _STEPS)
        y = np.full(_STEPS, float(top)), np.full(_STEPS, float(bottom))
        return np.stack(self.to_page(np.concatenate([x, x[::-1]]), np.concatenate(y)), axis=1)

    def around(self, rect: Rect) -> Box:
        """The upright box on the page around what `rect` frames on the straight page."""
        points = self.outline(rect)
        left, top = np.floor(points.min(axis=0) + 0.25)
        right, bottom = np.ceil(points.max(axis=0) - 0.25)
        return Box(int(left), int(top), int(right), int(bottom))

    def straight(self, box: Box) -> Box:
        """The box on the straight page of what leans as the lines do; `box` on the page goes around it.

        Where nothing that leans so fits into the box, it is the box itself, turned about its middle.
        """
        if not self.skew and not self.bend:
            return self._upright(box)
        width, height = (box.height, box.width) if self.orientation % 180 else (box.width, box.height)
        x, y = self._turned(*box.centre)
        across = x + np.linspace(-0.5, 0.5, _STEPS) * width
        hang = self.hang(across)
        chord = np.linspace(hang[0], hang[-1], _STEPS)
        slope = (hang[-1] - hang[0]) / max(1, width)
        across_it, down_it = _inside(width, height, math.radians(self.skew), slope) or (width, height)
        y = y - chord[_STEPS // 2]
        sag = hang - chord
        top, bottom = y - down_it / 2 - sag.min(), y + down_it / 2 - sag.max()
        if bottom - top < 0.5 * down_it:
            top, bottom = y - down_it / 2, y + down_it / 2
        return Box(*(round(float(edge)) for edge in (x - across_it / 2, top, x + across_it / 2, bottom)))

    def _upright(self, box: Box) -> Box:
        left, top, right, bottom = box
        if self.orientation == 90:
            return Box(top, -right, bottom, -left)
        if self.orientation == 180:
            return Box(-right, -bottom, -left, -top)
        return Box(-bottom, left, -top, right) if self.orientation == 270 else box

    def around_page(self, width: int, height: int, corner: tuple[int, int]) -> Rect:
        """What of the straight page is needed to hold all of a page that was set upright by quarter turns.

        Args:
            width: of the page that was set upright.
            height: the same.
            corner: where on it the origin lies.
        """
        x = np.repeat(np.linspace(0, width, _STEPS), 2) - corner[0]
        y = np.tile([0.0, height], _STEPS) - corner[1]
        there, down = self._turned(x, y)
        down = down - self.hang(there)
        return float(there.min()), float(down.min()), float(there.max()), float(down.max())


class Straight:
    """Where words and lines stand on the straight page."""

    def __init__(self, lean: Lean) -> None:
        """`lean`: how the page stands."""
        self._box = cache(lean.straight)

    def word(self, word: Word) -> Box:
        """The box of a word."""
        return self._box(word.box)

    def line(self, line: Line) -> Box:
        """The box around the words of a line; that of the line itself, on a page that leans, would say little."""
        return hull(self.word(word) for word in line.words)


def _inside(width: float, height: float, angle: float, slope: float) -> tuple[float, float] | None:
    """Width and height of what leans in an upright rectangle: its sides by `angle`, top and foot by `slope` as well.

    Args:
        width: of the upright rectangle.
        height: the same.
        angle: radians.
        slope: pixels down a pixel across.

    Returns:
        None where nothing that leans so fits.
    """
    cos, aside, down = math.cos(angle), abs(math.sin(angle)), abs(math.sin(angle) + slope * math.cos(angle))
    inner = width * cos - height * aside, height * cos - width * down
    if min(inner) <= 0:
        return None
    return inner[0] / (cos * cos - aside * down), inner[1] / (cos * cos - aside * down)
