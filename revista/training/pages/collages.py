"""Several photographs that are one picture: overlapping, on one ground, askew together, or among little drawings."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from revista.geometry import Box, hull
from revista.training.pages import pictures
from revista.training.pages.canvas import ink_box
from revista.training.pages.parts import Press, bordered, framed

_Way: TypeAlias = Literal["grounded", "askew", "vignettes", "overlapping"]
_WAYS: tuple[_Way, ...] = ("grounded", "grounded", "askew", "vignettes", "overlapping")
_SMALLEST = 12  # pixels of a photograph's side
_CLEAR = 3  # thousandths between a photograph and a vignette
_LEAST = 16  # thousandths: sides of what a vignette is drawn in


def collage(press: Press, area: Box) -> int:
    """Set one into `area`; gives its place in the list, after which stands a `part` for each photograph."""
    canvas = press.canvas
    area, frames = framed(press, area, 0.3)
    way = _WAYS[int(press.rng.integers(len(_WAYS)))]
    around = [_ground(press, area)] if way == "grounded" else []
    cells, least = _cells(press, area, way)
    parts = []
    for cell in cells:
        parts.append(_photograph(press, cell, way, least))
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
    rng = press.rng
    columns, rows = (int(rng.integers(1, 4)), int(rng.integers(1, 4))) if area.width < area.height else (3, 2)
    if columns * rows == 1:
        columns = 2
    gap = press.between(-0.12, -0.02 if way == "overlapping" else 0.02)  # of a place's sides; most overlap
    least = 1 / (1 - gap) if way == "overlapping" else 0.85
    if way == "vignettes":
        gap, least = 0.0, press.between(0.55, 0.85)
    w, h = area.width / (columns - gap), area.height / (rows - gap)
    cells = [
        Box(
            round(area.left + column * w),
            round(area.top + row * h),
            round(area.left + (column + 1 - gap) * w),
            round(area.top + (row + 1 - gap) * h),
        )
        for row in range(rows)
        for column in range(columns)
    ]
    return cells, least


def _photograph(press: Press, cell: Box, way: _Way, least: float) -> Box:
    """One of them, with a white border, askew, oval or cut out as it may be; gives its box."""
    width, height = (max(_SMALLEST, int(side * press.between(least, 1.0))) for side in (cell.width, cell.height))
    made = pictures.photograph(press.source, width, height, press.rng, press.screen)
    shape = 0.0 if way == "askew" else press.rng.random()
    if shape < 0.4:
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
        short = min(inside.width, inside.height)
        if short < press.canvas.px(_LEAST):
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
