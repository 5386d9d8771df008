"""Photographs that hang askew beside each other are one picture, a collage, though paper shows between them.

Upright photographs with paper between them are several pictures (`halftone`). Those that a designer has set askew, each
another way, were thrown on the page together; where all lean alike, it is the page or the scan that leans.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import cv2
import numpy as np

from revista.geometry import Box, hull
from revista.regions.ink import Print, is_rectangle

_STANDS = 0.5  # confidence from which a box is a picture
_MOST_OF_BOX = 0.6  # that the shape of a photograph takes
_LEAST = 20  # pixels at the working size: its sides
_AROUND = 0.5  # letters around a box that its shape is looked for in
_ENDS = 0.12  # of a side: its ends, which may be those of its neighbours
_AGREE = 1.0, 0.25  # degrees between the leans of three of a photograph's sides, or that share of theirs, at most
_LEANS = 1.5  # degrees from which a photograph is askew
_ANOTHER_WAY = 2.5  # degrees by which two of a group lean differently
_MOST_OF_PAGE = 3.0  # degrees that a page leans at most, with all that is upright on it
_ALIKE = 0.8  # degrees between pictures that lean alike, at most
_WITHIN = 0.3  # of a picture: what lies within the box around a group, from which it belongs to it
_NEAR = 0.05  # of the page's longer side: paper between two of them, at most


def collages(boxes: Sequence[Box], told: Sequence[float], printed: Print) -> list[tuple[Box, list[int]]]:
    """The boxes around photographs that hang askew together, each with the places of the pictures in it.

    Args:
        boxes: of pictures, in the scan's pixels.
        told: how sure each is, 0.0 to 1.0; what is doubtful is no part of a group.
        printed: what is printed on the page.
    """
    standing = [i for i, sure in enumerate(told) if sure >= _STANDS]
    leans = {i: lean for i in standing if (lean := _lean(printed.part(boxes[i]), printed)) is not None}
    page = _of_page(list(leans.values()))
    askew = [i for i in leans if abs(leans[i] - page) >= _LEANS]
    near = round(_NEAR * max(printed.page.width, printed.page.height) / printed.factor)
    found = []
    for group in _groups(askew, boxes, near):
        if max(leans[i] for i in group) - min(leans[i] for i in group) < _ANOTHER_WAY:
            continue
        whole = hull([boxes[i] for i in group])
        inside = [i for i in standing if i in group or boxes[i].coverage_by(whole) >= _WITHIN]
        around = [boxes[i].grow(near) for i in group]
        upright = [i for i in leans if i not in askew and any(boxes[i].intersect(one).area for one in around)]
        if not upright and not any(i in askew and i not in group for i in inside):
            found.append((hull([boxes[i] for i in inside]), inside))
    return found


def _of_page(leans: Sequence[float]) -> float:
    """By how many degrees a page leans: as most of its pictures do that lean little, if two of them agree; else 0.0."""
    little = [lean for lean in leans if abs(lean) <= _MOST_OF_PAGE]
    alike = [[other for other in little if abs(other - lean) <= _ALIKE] for lean in little]
    most = max(alike, key=len, default=[])
    return float(np.median(most)) if len(most) > 1 else 0.0


def _lean(part: Box, printed: Print) -> float | None:
    """By how many degrees the photograph in a box leans, clockwise; None where its sides do not agree.

    Args:
        part: the box, at the working size.
        printed: what is printed on the page.
    """
    area = part.grow(round(_AROUND * printed.letter)).intersect(printed.page)
    if not area.area:
        return None
    outlines = printed.outlines(area)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    left, top, width, height = cv2.boundingRect(outline)
    if width * height < _MOST_OF_BOX * part.area or min(width, height) < _LEAST:
        return None
    if not is_rectangle(outline):
        return None
    within = outline - np.array([left, top])
    shape = cv2.drawContours(np.zeros((height, width), np.uint8), [within], -1, 1, -1)
    slopes = np.sort([_slope(shape), -_slope(shape[::-1]), -_slope(shape.T), _slope(shape.T[::-1])])
    apart = slopes[2:] - slopes[:2]  # of three sides; one may fade into the paper
    lean = float(slopes[1 + int(apart.argmin())])
    return lean if apart.min() <= max(_AGREE[0], _AGREE[1] * abs(lean)) else None


def _slope(shape: np.ndarray) -> float:
    """The slope of the upper edge of a shape (height, width), not 0 where it is, in degrees: a median."""
    edge = shape[:, round(_ENDS * shape.shape[1]) : round((1 - _ENDS) * shape.shape[1])].argmax(axis=0).astype(float)
    half = len(edge) // 2
    return float(np.degrees(np.arctan(np.median((edge[half:] - edge[: len(edge) - half]) / half))))


def _groups(places: Sequence[int], boxes: Sequence[Box], near: int) -> list[list[int]]:
    """The places in groups of two and more whose boxes hang together, at most `near` pixels apart."""
    groups = [{i} for i in places]
    for one, other in combinations(places, 2):
        if boxes[one].grow(near).intersect(boxes[other]).area:
            first, second = (next(g for g in groups if i in g) for i in (one, other))
            if first is not second:
                first |= second
                groups.remove(second)
    return [sorted(group) for group in groups if len(group) > 1]
