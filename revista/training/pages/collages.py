"""Several photographs that are one picture: overlapping, on one ground, askew together, or among little drawings."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, TypeAlias

import cv2
import numpy as np

from revista.geometry import Box, hull
from revista.training.pages import pictures
from revista.training.pages.canvas import ink_box
from revista.training.pages.parts import Press, bordered, framed

_Way: TypeAlias = Literal["grounded", "askew", "vignettes", "overlapping"]
_WAYS: tuple[_Way, ...] = ("grounded", "grounded", "askew", "vignettes", "overlapping")
_SMALLEST = 12  # pixels of a picture's side
_CLEAR = 3  # thousandths between a photograph and a vignette
_LEAST = 16  # thousandths, and _SMALLEST pixels: sides of what a vignette is drawn in
_MOST = 0.4  # of the shorter side of the photograph beside it: its shorter side


def collage(press: Press, area: Box) -> int:
    """Set one into `area`; gives its place in the list, after which stands a `part` for each photograph."""
    canvas = press.canvas
    area, frames = framed(press, area, 0.3)
    way = _WAYS[int(press.rng.integers(len(_WAYS)))]
    around = [_ground(press, area)] if way == "grounded" else []
    cells, least = _cells(press, area, way)
    if way in ("vignettes", "askew") and len(cells) > 2 and press.chance(0.25):
        around += _said(press, cells.pop())
    outline = canvas.px(press.between(1, 4)) if press.chance(0.35) else 0
    parts = []
    for cell in cells:
        parts.append(_photograph(press, cell, way, least, outline))
        if way == "vignettes":
            around += _vignettes(press, cell, parts[-1])
    place = canvas.add("photograph", canvas.frame(hull([*around, *parts]), frames))
    for part in parts:
        canvas.add("part", part, of=(place,))
    return place


def _ground(press: Press, area: Box) -> Box:
    """A ground that is dark, toned or drawn upon; gives its box."""
    ground = np.full((area.height, area.width), int(press.between(20, 245)), np.uint8)
    if press.chance(0.3):
        ground = np.minimum(ground, pictures.drawing(press.source, area.width, area.height, press.rng))
    return press.canvas.paste(ground, area.left, area.top)


def _cells(press: Press, area: Box, way: _Way) -> tuple[list[Box], float]:
    """The places of the photographs, row by row, and how much of a place's sides one fills at least.

    Upright photographs with nothing but paper between them would be several pictures, so those overlap.
    """
    rows = int(press.rng.integers(1, 4)) if area.width < area.height else 2
    columns = int(press.rng.integers(1, 4)) if area.width < area.height else 3
    if columns * rows == 1:
        columns = 2
    gap = press.between(-0.12, -0.02 if way == "overlapping" else 0.02)  # of a place's sides; most overlap
    least = 1 / (1 - gap) if way == "overlapping" else 0.85
    if way == "vignettes":
        gap, least = 0.0, press.between(0.65, 0.85)
    cells = []
    for top, bottom in _shares(press, area.top, area.bottom, rows, gap):
        own = columns if way == "overlapping" or press.chance(0.5) else int(press.rng.integers(1, 4))
        own = max(own, 2) if rows == 1 else own
        cells += [Box(left, top, right, bottom) for left, right in _shares(press, area.left, area.right, own, gap)]
    return cells, least


def _shares(press: Press, first: int, last: int, count: int, gap: float) -> list[tuple[int, int]]:
    """So many uneven parts from `first` to `last`, that share of each left free or, below zero, covered by the next."""
    sides = np.array([press.between(0.75, 1.3) for _ in range(count)])
    ends = first + (last - first) * np.concatenate([[0.0], np.cumsum(sides) / sides.sum()])
    found = []
    for begin, end in pairwise(ends):
        reach = end - gap * (end - begin)
        found.append((round(begin), round(min(reach, last))))
    return found


def _said(press: Press, cell: Box) -> list[Box]:
    """What is told of the pictures in the place of the last of them; gives its box."""
    size = press.size * press.between(0.75, 1.0)
    inside = cell.grow(-press.canvas.px(press.between(4, 10)))
    text = press.words.paragraph(int(press.between(15, 60)))
    box, _ = press.canvas.block(text, inside, "roman", size, size * press.between(1.1, 1.3))
    if box is None:
        return []
    press.canvas.add("text", box)
    return [box]


def _photograph(press: Press, cell: Box, way: _Way, least: float, outline: int) -> Box:
    """One of them, with a drawn outline or a white border, askew, oval or cut out as it may be; gives its box."""
    most = 0.9 if way == "vignettes" else 1.0
    width, height = (max(_SMALLEST, int(side * press.between(least, most))) for side in (cell.width, cell.height))
    made = pictures.photograph(press.source, width, height, press.rng, press.screen)
    shape = 0.0 if way == "askew" else press.rng.random()
    if outline and shape < 0.85:
        made = cv2.rectangle(made.copy(), (0, 0), (width - 1, height - 1), 20, outline)
    elif shape < 0.4:
        made = bordered(press, made)
    mask = np.full_like(made, 255)
    if shape < 0.25:
        turn = press.between(2, 8) * press.rng.choice([-1, 1]) if way == "askew" else press.between(-8, 8)
        made, mask = pictures.tilted(made, turn)
    elif shape > 0.88 and way == "grounded":
        mask = pictures.oval(made.shape[1], made.shape[0], 0.02)
    elif shape > 0.9 and way != "overlapping":  # cut out along what it shows
        mask = pictures.blot(made.shape[1], made.shape[0], press.rng)
    left, top = cell.left, cell.top
    if way == "vignettes":
        left += round(press.between(0, 1) * max(0, cell.width - made.shape[1]))
        top += round(press.between(0, 1) * max(0, cell.height - made.shape[0]))
    return press.canvas.paste(made, left, top, mask)


def _vignettes(press: Press, cell: Box, photograph: Box) -> list[Box]:
    """Little drawings in what a photograph leaves of its place; gives their boxes."""
    found = []
    for strip in (
        Box(cell.left, cell.top, photograph.left, cell.bottom),
        Box(photograph.right, cell.top, cell.right, cell.bottom),
        Box(photograph.left, cell.top, photograph.right, photograph.top),
        Box(photograph.left, photograph.bottom, photograph.right, cell.bottom),
    ):
        inside = strip.grow(-press.canvas.px(_CLEAR))
        short = min(inside.width, inside.height, int(_MOST * min(photograph.width, photograph.height)))
        if short < max(_SMALLEST, press.canvas.px(_LEAST)):
            continue
        wide = int(min(inside.width, short * press.between(1.0, 2.2)))
        high = int(min(inside.height, short * press.between(1.0, 2.2)))
        left = inside.left + int(press.between(0, 1) * (inside.width - wide))
        top = inside.top + int(press.between(0, 1) * (inside.height - high))
        made = (
            pictures.ornament(wide, high, press.rng)
            if press.chance(0.6)
            else pictures.drawing(press.source, wide, high, press.rng)
        )
        inked = ink_box(made)
        if inked is not None:
            press.canvas.paste(made, left, top)
            found.append(inked.move(left, top))
    return found
