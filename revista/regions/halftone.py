"""Pictures found by their print: halftone and continuous tone, line art, woodcuts; no model.

What differs from the paper is ink; ink in components of a letter's height that stand in lines is text; straight thin
rules are taken out (all that in `ink`); what is much larger than letters is a picture. Connected components and their
regularity as the measure of text: Wong, Casey and Wahl (1982), "Document Analysis System"; Fletcher and Kasturi (1988),
"A robust algorithm for text string separation from mixed text/graphics images".
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from revista.geometry import Box, hull
from revista.records import RegionKind
from revista.regions.detector import Finding, block, each
from revista.regions.ink import Print, components_of, is_rectangle, separate

if TYPE_CHECKING:
    from layoutparser import TextBlock

_FAINT = 12.0  # distance from the paper (see `ink`) from which a pixel may be the pale part of a photograph
_MIN_SIDE = 0.042  # of the page's longer side
_MIN_AREA = 0.004  # of the page
_CLOSE = 1.6  # letters: gaps in a picture up to this width are closed
_STROKE = 1.6  # letters: what is smaller may be print that stands close
_FRAME = 0.05  # of the longer side of the page: how far from its picture a frame may stand
_REACH = 1.0  # letters: loose strokes this close to a drawing belong to it
_GROW = 1.6  # how much of its area a picture may gain by loose strokes at a time
_LEAST_PART = 0.15  # of the shorter side of a group: what is smaller is no photograph of it
_LOOSE = 0.03  # of a group's area that may be neither photograph nor paper
_DRAWING_SCORE = 0.6  # of a page that is one drawing


class HalftoneDetector:
    """Finds pictures by their print, with OpenCV."""

    name = "opencv"

    def weights(self) -> dict[str, str]:
        """It has none."""
        return {}

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """The pictures of each page; see `revista.regions.detector.Detector`."""
        return each(self.name, images, self._pictures)

    def _pictures(self, image: np.ndarray) -> list[TextBlock]:
        return [block(box, RegionKind.PICTURE, score, self.name) for box, score in find_pictures(separate(image))]


def find_pictures(printed: Print | None) -> list[tuple[Box, float]]:
    """The boxes of the pictures on a page, in the scan's pixels, each with a confidence of 0.0 to 1.0."""
    if printed is None:
        return []
    scored = [(box, _score(box, printed)) for box in _candidates(printed)]
    drawing = _page_of_drawing([box for box, _ in scored], printed)
    if drawing:
        scored = [(drawing, _DRAWING_SCORE)]
    found = []
    for box, score in scored:
        on_scan = printed.on_scan(box)
        if score > 0 and on_scan.area:
            found.append((on_scan, round(score, 4)))
    return found


# --- pictures -------------------------------------------------------------------------------------------------


def _candidates(printed: Print) -> list[Box]:

    letter = printed.letter
    labels, components = components_of(printed.ink)
    rows = _letter_rows([c.box for c in components], letter)
    large, loose = [], []
    for number, component in enumerate(components, 1):
        box = component.box
        hollow = component.pixels < 0.12 * box.area and box.area > 0.4 * printed.page.area
        if number - 1 in rows or hollow:
            continue
        if min(box.width, box.height) > 3.2 * letter:
            large.append(number)
        elif max(box.width, box.height) > _STROKE * letter and not _is_text(box, printed):
            loose.append(box)
    mask = _close(np.isin(labels, large), _CLOSE * letter)
    boxes = _merge([c.box for c in components_of(mask)[1]])
    boxes = _merge([_with_pale_parts(box, printed) for box in boxes])
    boxes = _join_aligned(boxes, letter)
    boxes = [part for box in boxes for part in _side_by_side(box, printed)]
    boxes = [part for box in boxes for part in _apart(box, printed)]
    boxes = _merge([_absorb(box, loose, letter) for box in boxes])
    return sorted(_with_frame(box, printed) for box in boxes)


def _page_of_drawing(boxes: list[Box], printed: Print) -> Box | None:
    """Where a page without text bears line art and no photograph, it is one drawing: the box around its ink."""
    page = printed.page
    tone = int(printed.solid.sum()) > 0.4 * int(printed.ink.sum()) or any(_ink(box, printed) > 0.5 for box in boxes)
    if tone or printed.text.sum() > 0.01 * page.area:
        return None
    rows, columns = np.cumsum(printed.ink.sum(axis=1)), np.cumsum(printed.ink.sum(axis=0))
    total = int(rows[-1])
    if total < 0.01 * page.area:
        return None
    cut = 0.005 * total  # specks at the edge
    top, bottom = np.searchsorted(rows, [cut, total - cut])
    left, right = np.searchsorted(columns, [cut, total - cut])
    box = Box(int(left), int(top), int(right) + 1, int(bottom) + 1)
    return box if box.area > 0.25 * page.area else None


def _ink(box: Box, printed: Print) -> float:
    """The share of a box that is ink."""
    return float(printed.ink[box.top : box.bottom, box.left : box.right].mean())


def _close(mask: np.ndarray, reach: float) -> np.ndarray:
    import cv2

    size = int(reach) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0


def _side_by_side(box: Box, printed: Print) -> list[Box]:
    """The blocks of a row of woodcuts or drawings: upright, of one height, with a clear gutter between them."""
    ink = printed.ink[box.top : box.bottom, box.left : box.right]
    if ink.mean() > 0.5:  # continuous tone: photographs that stand this close are a collage
        return [box]
    columns = np.flatnonzero(ink.sum(axis=0) > 1)
    if not len(columns):
        return [box]
    steps = np.flatnonzero(np.diff(columns) > 3)
    starts = [columns[0], *columns[steps + 1]]
    ends = [*columns[steps], columns[-1]]
    parts = []
    for start, end in zip(starts, ends, strict=True):
        filled = np.flatnonzero(ink[:, start : end + 1].any(axis=1))
        top, bottom = int(filled[0]), int(filled[-1]) + 1
        parts.append(Box(box.left + int(start), box.top + top, box.left + int(end) + 1, box.top + bottom))
    blocks = box.height > 0.2 * printed.page.height and all(
        p.height > 0.8 * box.height and p.height > 1.1 * p.width and p.width > 0.15 * box.height for p in parts
    )
    return parts if len(parts) > 1 and blocks else [box]


def _apart(box: Box, printed: Print) -> list[Box]:
    """The photographs of a group that only stand close: each a rectangle of its own, with paper all around it.

    What hangs together, as in a collage, is one shape and stays whole; so does a group whose boxes overlap, and one
    with anything else in it. A frame closes the shape of a photograph whose sky is paper.
    """
    import cv2

    area = box.grow(round(printed.letter)).intersect(printed.page)
    found, loose = [], 0.0
    for outline in printed.outlines(area):
        _, sides, _ = cv2.minAreaRect(outline)
        if min(sides) > _LEAST_PART * min(box.width, box.height) and is_rectangle(outline):
            x, y, w, h = cv2.boundingRect(outline)
            found.append(Box(area.left + x, area.top + y, area.left + x + w, area.top + y + h))
        else:
            loose += cv2.contourArea(outline)
    overlap = any(a.intersect(b).area for a, b in combinations(found, 2))
    return found if len(found) > 1 and not overlap and loose < _LOOSE * box.area else [box]


def _letter_rows(boxes: list[Box], letter: float) -> set[int]:
    """Indices of large letters: four or more boxes of the same height on one line, as in a title."""
    tall = [i for i, b in enumerate(boxes) if 1.8 * letter < b.height < 9 * letter and b.width < 2.5 * b.height]
    found: set[int] = set()
    for i in tall:
        a = boxes[i]
        row = [
            j
            for j in tall
            if abs(boxes[j].top - a.top) < 0.25 * a.height
            and abs(boxes[j].bottom - a.bottom) < 0.25 * a.height
            and max(boxes[j].left - a.right, a.left - boxes[j].right) < 6 * a.height
        ]
        if len(row) >= 4:
            found.update(row)
    return found


def _is_text(box: Box, printed: Print) -> bool:
    return bool(printed.text[box.top : box.bottom, box.left : box.right].mean() > 0.5)


def _merge(boxes: list[Box], share: float = 0.35) -> list[Box]:
    """Boxes joined until none covers more than `share` of another."""
    left = sorted(set(boxes))
    done: list[Box] = []
    while left:
        box = left.pop()
        other = next((o for o in left if max(box.coverage_by(o), o.coverage_by(box)) > share), None)
        if other is None:
            other = next((o for o in done if max(box.coverage_by(o), o.coverage_by(box)) > share), None)
            if other is None:
                done.append(box)
                continue
            done.remove(other)
        else:
            left.remove(other)
        left.append(box.union(other))
    return done


def _join_aligned(boxes: list[Box], letter: float) -> list[Box]:
    """Boxes that lie close on each other with the same left and right edges joined: a sky and its land."""
    done: list[Box] = []
    for box in sorted(boxes, key=lambda b: (b.top, b.left)):
        above = next(
            (
                other
                for other in done
                if abs(other.left - box.left) < letter
                and abs(other.right - box.right) < letter
                and -letter < box.top - other.bottom < letter
            ),
            None,
        )
        if above:
            done.remove(above)
            box = box.union(above)
        done.append(box)
    return done


def _with_pale_parts(box: Box, printed: Print) -> Box:
    """The box widened over the pale parts of a photograph (a sky), where they fill out a larger rectangle.

    Hysteresis as in Canny (1986): faint ink counts where it hangs together with ink.
    """
    page, pad = printed.page, max(box.width, box.height)
    area = box.grow(pad).intersect(page)
    faint = printed.distance[area.top : area.bottom, area.left : area.right] > _FAINT
    text = printed.text[area.top : area.bottom, area.left : area.right]
    rules = printed.rules[area.top : area.bottom, area.left : area.right]
    components = components_of(faint & ~text & ~rules)[1]
    best = box
    for component in components:
        inside = component.box
        placed = inside.move(area.left, area.top)
        solid = component.pixels / inside.area
        if (
            placed.coverage_by(box) > 0.35
            and box.coverage_by(placed) > 0.8
            and solid > 0.7
            and placed.area < 2.2 * box.area
        ):
            best = best.union(placed)
    return best


def _absorb(box: Box, loose: list[Box], letter: float) -> Box:
    """The box with what is printed close around it and is not text: the loose strokes of a drawing."""
    for _ in range(3):
        near = box.grow(round(_REACH * letter))
        parts = [b for b in loose if near.intersect(b).area and b.area < 0.15 * box.area]
        wider = hull([box, *parts])
        if wider == box or wider.area > _GROW * box.area:
            break
        box = wider
    return box


def _with_frame(box: Box, printed: Print) -> Box:
    """The box with the ruled frame close around it, where there is one on at least three sides."""
    reach = round(_FRAME * max(printed.page.width, printed.page.height))
    area = box.grow(reach).intersect(printed.page)
    rules = printed.rules[area.top : area.bottom, area.left : area.right]
    rows, columns = rules.sum(axis=1) > 0.6 * box.width, rules.sum(axis=0) > 0.6 * box.height
    sides = [box.left, box.top, box.right, box.bottom]
    near_left = np.flatnonzero(columns[: box.left - area.left])
    near_top = np.flatnonzero(rows[: box.top - area.top])
    near_right = np.flatnonzero(columns[box.right - area.left :])
    near_bottom = np.flatnonzero(rows[box.bottom - area.top :])
    if sum(len(n) > 0 for n in (near_left, near_top, near_right, near_bottom)) < 3:
        return box
    if len(near_left):
        sides[0] = area.left + int(near_left[0])
    if len(near_top):
        sides[1] = area.top + int(near_top[0])
    if len(near_right):
        sides[2] = box.right + int(near_right[-1]) + 1
    if len(near_bottom):
        sides[3] = box.bottom + int(near_bottom[-1]) + 1
    framed = Box(*sides)
    text = printed.text[framed.top : framed.bottom, framed.left : framed.right].mean()
    return framed if text < 0.12 else box


def _score(box: Box, printed: Print) -> float:
    """How sure it is that the box holds a picture; 0.0 where it is too small or thin to be one."""
    page, letter = printed.page, printed.letter
    long_side = max(page.width, page.height)
    if min(box.width, box.height) < max(_MIN_SIDE * long_side, 3.2 * letter) or box.area < _MIN_AREA * page.area:
        return 0.0
    aspect = max(box.width, box.height) / min(box.width, box.height)
    if aspect > 8:
        return 0.0
    part = (slice(box.top, box.bottom), slice(box.left, box.right))
    ink = _ink(box, printed)
    text = float(printed.text[part].mean())
    around = box.grow(round(letter)).intersect(page)
    ring_area = around.area - box.area
    ring_ink = (
        (int(printed.ink[around.top : around.bottom, around.left : around.right].sum()) - int(printed.ink[part].sum()))
        / ring_area
        if ring_area
        else 0.0
    )
    score = 0.05 + 0.45 * min(1.0, ink / 0.45) + 0.35 * min(1.0, box.area / page.area / 0.06)
    score -= 1.2 * text + 1.2 * max(0.0, ring_ink - 0.05)
    score -= 0.1 * max(0.0, aspect - 3)
    margin = page.grow(-round(0.1 * long_side))
    if not margin.intersect(box).area:  # stamps, page edges, running heads
        score *= 0.4
    return float(np.clip(score, 0.01, 0.99))
