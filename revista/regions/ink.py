"""What is printed on a page: ink, text lines, rules, and the components that they are told apart by.

The page is brought to a fixed size, so that print looks alike whatever the scan's resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revista.geometry import Box
from revista.regions.paper import farthest, find_paper, scale_to

SIDE = 1000  # pixels of the longer side at which all thresholds here, in `halftone` and in `trimming` count
_LEAST = 16  # pixels: a page or strip with a shorter side says nothing
_INK = 24.0  # distance from the paper in Lab units (0-255 each) from which a pixel is ink
_FILLED = 0.85  # of its rectangle that a photograph fills
_BAND = 0.05  # of the page's sides: where its edge may show


@dataclass(frozen=True)
class Print:
    """What is printed on a page, at the working size; masks are bool `(height, width)`."""

    distance: np.ndarray  # float32, from the paper
    ink: np.ndarray
    letter: float  # usual height of a letter component in pixels
    text: np.ndarray  # boxes of text lines, filled
    rules: np.ndarray
    solid: np.ndarray  # ink that is thick in all directions
    page: Box
    factor: float  # from the scan's pixels to the working size
    scan: Box  # all of the scan, in its pixels

    def part(self, box: Box) -> Box:
        """A box in the scan's pixels at the working size, clipped to it; it may be empty."""
        height, width = self.ink.shape
        return Box(*(round(edge * self.factor) for edge in box)).clip(width, height)

    def outlines(self, area: Box) -> list[np.ndarray]:
        """The outer outlines of what is no print in an area at the working size; a rule closes those of frames.

        Each is (n, 1, 2) pixels x and y within the area, as of `cv2.findContours`.
        """
        import cv2

        part = slice(area.top, area.bottom), slice(area.left, area.right)
        mask = (self.ink[part] & ~self.text[part]) | self.rules[part]
        return list(cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0])

    def on_scan(self, box: Box) -> Box:
        """A box at the working size in the scan's pixels, clipped to it; it may be empty."""
        return Box(*(round(edge / self.factor) for edge in box)).clip(self.scan.right, self.scan.bottom)


@dataclass(frozen=True)
class Component:
    """A connected component of ink."""

    box: Box
    pixels: int


def is_rectangle(outline: np.ndarray) -> bool:
    """Whether a shape fills its upright or leaning rectangle, as a photograph does; an oval fills .79 of it."""
    import cv2

    long, short = cv2.minAreaRect(outline)[1]
    return bool(cv2.contourArea(outline) > _FILLED * long * short)


def separate(image: np.ndarray) -> Print | None:
    """Tell apart what is printed on a page; None where it is too small, or a strip of which too little is left.

    Args:
        image: `(height, width, 3)` uint8, RGB.
    """
    import cv2

    height, width = image.shape[:2]
    if min(height, width) < _LEAST:
        return None
    small, factor = scale_to(image, SIDE)
    if min(small.shape[:2]) < _LEAST:
        return None
    paper = find_paper(small)
    page = paper.page
    distance = cv2.GaussianBlur(_from_paper(small, paper.tone), (0, 0), 0.8)
    outside = np.ones(distance.shape, bool)
    outside[page.top : page.bottom, page.left : page.right] = False
    distance[outside] = 0
    ink = distance > _INK
    ink &= ~_edge_shadow(ink, page)
    solid = _solid(ink)
    rules = _rules(ink, solid)
    ink &= ~rules
    labels, components = components_of(ink)
    heights = [c.box.height for c in components if 4 <= c.box.height <= 45 and c.box.width >= 3 and c.pixels >= 8]
    letter = float(np.clip(np.median(heights), 6, 18)) if len(heights) > 30 else 10.0
    text = _text(labels, components, letter)
    return Print(distance, ink, letter, text, rules, solid, page, factor, Box(0, 0, width, height))


def _from_paper(small: np.ndarray, tone: tuple[int, int, int]) -> np.ndarray:
    """How far each pixel is from the paper around it: lightness and the larger of the colour differences."""
    import cv2

    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    paper = cv2.cvtColor(np.array([[tone]], np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)[0, 0]
    near = (farthest(lab, paper) < 28).astype(np.float32)
    window = (151, 151)
    count = cv2.blur(near, window) + 0.05  # where paper is rare, the page's tone stands in for the local one
    local = np.dstack([(cv2.blur(lab[..., k] * near, window) + 0.05 * paper[k]) / count for k in range(3)])
    difference = np.abs(lab - local)
    return difference[..., 0] + 0.8 * np.maximum(difference[..., 1], difference[..., 2])


def _edge_shadow(ink: np.ndarray, page: Box) -> np.ndarray:
    """Ink that runs along the page's edge: the fold, the next page, the scanner's bed."""
    band = np.zeros(ink.shape, bool)
    across, down = round(page.width * _BAND), round(page.height * _BAND)
    band[page.top : page.bottom, page.left : page.right] = True
    band[page.top + down : page.bottom - down, page.left + across : page.right - across] = False
    labels, components = components_of(ink & band)
    shadow = [0]
    for number, component in enumerate(components, 1):
        box = component.box
        touches = (
            box.left <= page.left + 1
            or box.top <= page.top + 1
            or box.right >= page.right - 1
            or box.bottom >= page.bottom - 1
        )
        if touches and (box.width > 0.25 * page.width or box.height > 0.25 * page.height):
            shadow.append(number)
    return np.isin(labels, shadow[1:])


def _solid(ink: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) > 0


def _rules(ink: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Straight thin lines, at least a tenth of the page long."""
    import cv2

    mask = ink.astype(np.uint8)
    rules = np.zeros(ink.shape, bool)
    length = SIDE // 10
    for shape, bridge in (((1, length), (3, 1)), ((length, 1), (1, 3))):
        leaning = cv2.dilate(mask, np.ones(bridge, np.uint8))  # a line that leans by a pixel or two is still one
        rules |= cv2.morphologyEx(leaning, cv2.MORPH_OPEN, np.ones(shape, np.uint8)) > 0
    near_solid = cv2.dilate(solid.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return rules & ink & ~near_solid


def components_of(mask: np.ndarray) -> tuple[np.ndarray, list[Component]]:
    """Label image (0 is the ground) and the components 1, 2, ... in its order."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    rows = stats[1:].tolist()
    return labels, [Component(Box(x, y, x + w, y + h), pixels) for x, y, w, h, pixels in rows]


def _text(labels: np.ndarray, components: list[Component], letter: float) -> np.ndarray:
    """Boxes of text lines, filled: components of a letter's height that stand close in a row."""
    import cv2

    small = [n for n, c in enumerate(components, 1) if c.box.height < 2.4 * letter and c.pixels >= 4]
    reach = int(2.2 * letter) | 1
    joined = cv2.morphologyEx(np.isin(labels, small).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
    text = np.zeros(labels.shape, bool)
    for line in components_of(joined > 0)[1]:
        box = line.box
        if box.width > 4 * box.height and box.width > 5 * letter and box.height < 2.6 * letter:
            text[box.top : box.bottom, box.left : box.right] = True
    return text
