"""From a page scan to the image that Tesseract reads: even paper, upright lines, letters of a usable size.

`prepare` keeps the way back: `Prepared.to_page` turns boxes on the prepared image into boxes on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from revista.geometry import Box, hull

MAX_SKEW = 15.0  # degrees either way
_PICTURES_LEAN = 0.3  # degrees from which pictures are painted over as they lean
_SMALLEST_SKEW = 0.1  # degrees; below it turning the page only blurs it
_READABLE_X_HEIGHT = 13  # pixels; Tesseract reads smaller print better enlarged
_GOOD_X_HEIGHT = 20  # pixels that smaller print is enlarged to
_LARGE_X_HEIGHT = 45  # pixels; larger print is reduced to `_GOOD_X_HEIGHT` * 1.5
_MOST_ENLARGED = 4.0
_MAX_SIDE = 12_000  # pixels of the prepared image: Leptonica stops at 2^31 bytes, and Tesseract at 32,767 pixels
_MAX_WORK = 40_000_000  # pixels of the prepared image: an A3 page at 400 dpi has 31 million
_POINTS = 40_000  # dark pixels from which the skew is judged


@dataclass(frozen=True)
class Prepared:
    """A page ready to be read.

    Attributes:
        image: `(height, width)` uint8, dark print on white.
        matrix: 2 x 3, takes page pixels `(x, y, 1)` to pixels of `image`.
        size: width and height of the page in pixels.
        skew: degrees clockwise by which the lines lean on the page (after it is set upright).
        orientation: degrees clockwise by which the print stands turned on the page, 0, 90, 180 or 270.
        x_height: height of small letters in `image`, in pixels; 0.0 where there is no print to measure.
    """

    image: np.ndarray
    matrix: np.ndarray
    size: tuple[int, int]
    skew: float
    orientation: int
    x_height: float

    def to_page(self, box: Box) -> Box:
        """The upright box on the page around what `box` frames on the prepared image, clipped to the page."""
        turned, shift = self.matrix[:, :2], self.matrix[:, 2]
        xs, ys = [box.left, box.right, box.right, box.left], [box.top, box.top, box.bottom, box.bottom]
        back = np.linalg.inv(turned) @ (np.array([xs, ys], dtype=float) - shift[:, None])
        left, top = np.floor(back.min(axis=1) + 0.25)
        right, bottom = np.ceil(back.max(axis=1) - 0.25)
        return Box(int(left), int(top), int(right), int(bottom)).clip(*self.size)

    def from_page(self, box: Box) -> Box:
        """The upright box on the prepared image around what `box` frames on the page."""
        corners = np.array([[box.left, box.right, box.right, box.left], [box.top, box.top, box.bottom, box.bottom]])
        there = self.matrix[:, :2] @ corners + self.matrix[:, 2][:, None]
        return hull([Box(*(int(v) for v in (x, y, x + 1, y + 1))) for x, y in there.T])

    def upright(self, box: Box) -> Box:
        """The box on the prepared image of a picture that leans as the lines do; `box` on the page goes around it."""
        corners = _leaning(box, self.skew)
        if corners is None:
            return self.from_page(box)
        there = self.matrix[:, :2] @ corners.T + self.matrix[:, 2][:, None]
        return hull([Box(*(round(float(v)) for v in (x, y, x, y))) for x, y in there.T])


def prepare(
    page: np.ndarray, masked: Sequence[Box], *, deskew: bool = True, orientation: int = 0, ignored: Sequence[Box] = ()
) -> Prepared:
    """Make a page ready to be read.

    Args:
        page: `(height, width)` uint8, the grey page with even paper, dark print on white.
        masked: boxes in page pixels that are painted over with white.
        ignored: boxes in page pixels that stay, but do not say how lines lean and how large letters are.
        deskew: whether leaning lines are set straight.
        orientation: degrees clockwise by which the print stands turned, 0, 90, 180 or 270.
    """
    import cv2

    height, width = page.shape
    reduced = min(1.0, _MAX_SIDE / max(page.shape), math.sqrt(_MAX_WORK / page.size))
    size = (max(1, round(width * reduced)), max(1, round(height * reduced)))
    plain = page if reduced == 1.0 else cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    matrix = np.diag([size[0] / width, size[1] / height, 1.0])

    def scaled(found: Sequence[Box]) -> list[Box]:
        return [Box(*(round(edge * matrix[i % 2, i % 2]) for i, edge in enumerate(box))) for box in found]

    boxes, others = scaled(masked), scaled(ignored)

    def painted(skew: float) -> tuple[np.ndarray, Print]:
        grey = _painted(plain, boxes, orientation, skew)
        return grey, _print(_painted(plain, [*boxes, *others], orientation, skew) if others else grey)

    grey, ink = painted(0.0)
    skew = estimate_skew(ink) if deskew else 0.0
    if abs(skew) < _SMALLEST_SKEW:
        skew = 0.0
    if boxes and abs(skew) >= _PICTURES_LEAN:
        grey, ink = painted(skew)
    if orientation:
        matrix = _quarter_turns(orientation, *size) @ matrix
    scale = _scale(ink.x_height, grey.shape)
    if skew or scale != 1.0:
        turn, size = _turn(skew, scale, grey.shape[1], grey.shape[0])
        if skew:
            if scale < 0.75:  # turning alone would skip pixels
                grey = cv2.GaussianBlur(grey, (0, 0), 0.4 / scale)
            shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # OpenCV counts from the middles of pixels
            grey = cv2.warpAffine(
                grey, (np.linalg.inv(shift) @ turn @ shift)[:2], size, flags=cv2.INTER_CUBIC, borderValue=255
            )
        else:
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        matrix = turn @ matrix
    return Prepared(grey, matrix[:2], (width, height), skew, orientation, ink.x_height * scale)


def _painted(page: np.ndarray, boxes: Sequence[Box], orientation: int, skew: float = 0.0) -> np.ndarray:
    """`page` without pictures and rules, set upright by quarter turns.

    Args:
        page: `(height, width)` uint8, not changed.
        boxes: upright boxes around the pictures, in its pixels; may reach over its edges.
        orientation: degrees clockwise by which the print stands turned, 0, 90, 180 or 270.
        skew: degrees clockwise by which lines and pictures lean. A box around a leaning picture takes in print beside
            it: what is painted is the leaning rectangle that the box goes around.
    """
    import cv2

    height, width = page.shape
    grey = page.copy()
    for box in boxes:
        inside = box.clip(width, height)
        if inside.area and skew and (corners := _leaning(box, skew)) is not None:
            cv2.fillConvexPoly(grey, np.rint(corners).astype(np.int32), 255)
        elif inside.area:
            grey[inside.top : inside.bottom, inside.left : inside.right] = 255
    _erase_rules(grey)
    return np.ascontiguousarray(np.rot90(grey, orientation // 90)) if orientation else grey


def _leaning(box: Box, skew: float) -> np.ndarray | None:
    """The corners, (4, 2), of the rectangle that leans by `skew` degrees clockwise in `box`; None where none fits."""
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    width = (box.width * cos - box.height * abs(sin)) / (cos * cos - sin * sin)
    height = (box.height * cos - box.width * abs(sin)) / (cos * cos - sin * sin)
    if width <= 0 or height <= 0:
        return None
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    return corners @ np.array([[cos, sin], [-sin, cos]]) + np.array(box.centre)


def even_paper(image: np.ndarray) -> np.ndarray:
    """The page in grey, its paper white and its print dark, whatever the paper's tone and light.

    The paper is estimated as the closing of the reduced page (Gonzalez and Woods, Digital Image Processing, chapter 9:
    shading correction) and divided out. Where no paper is near (the scanner's bed, solid black), it becomes white.

    Args:
        image: `(height, width, 3)` uint8, RGB.

    Returns:
        `(height, width)` uint8.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    factor = max(1.0, max(height, width) / 640)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    kernel = max(7, min(small.shape) // 25 | 1)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel, kernel)))
    paper = cv2.medianBlur(paper, kernel)
    bare = (paper < 0.4 * np.median(paper)).astype(np.uint8)
    even = cv2.divide(grey, cv2.resize(np.maximum(paper, 1), (width, height)), scale=255)
    even[cv2.resize(bare, (width, height), interpolation=cv2.INTER_NEAREST) > 0] = 255
    return even


def bleach(even: np.ndarray, share: float) -> np.ndarray:
    """Make light greys white: the grain of the paper, and print that shows through from the other side.

    Args:
        even: `(height, width)` uint8, from `even_paper`.
        share: of the greys between Otsu's threshold and white, how many stay grey, 0.0 to 1.0.
    """
    import cv2

    threshold, _ = cv2.threshold(even, 0, 255, cv2.THRESH_OTSU)
    white = max(1.0, threshold + share * (255 - threshold))
    table = np.clip(np.arange(256) * (255 / white), 0, 255).astype(np.uint8)
    return table[even]


@dataclass(frozen=True)
class Print:
    """What looks like letters on a page: coordinates of dark pixels, the height of small letters, how many letters."""

    xs: np.ndarray
    ys: np.ndarray
    x_height: float  # pixels; 0.0 where there are too few letters
    letters: int


def _print(grey: np.ndarray) -> Print:
    """The letters of a page: connected dark areas of a letter's proportions and of the commonest size."""
    import cv2

    factor = max(1.0, math.sqrt(grey.size / 4_000_000))
    small = (
        grey if factor == 1.0 else cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    )
    _, dark = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    width, height, area = (stats[:, k].astype(float) for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    most = max(small.shape) / 12
    letters = (height >= 4) & (height <= most) & (width <= 4 * height) & (height <= 6 * width)
    letters &= (area >= 0.12 * width * height) & (area >= 8)
    letters[0] = False
    count = int(letters.sum())
    if count < 20:
        empty = np.zeros(0)
        return Print(empty, empty, 0.0, count)
    # specks are many: each letter counts with its height
    sizes = np.repeat(height[letters], np.maximum(1, height[letters].astype(int)))
    typical = float(np.median(sizes))
    letters &= (height >= 0.5 * typical) & (height <= 3 * typical)
    ys, xs = np.nonzero(letters[labels] & (dark > 0))
    step = max(1, len(xs) // _POINTS)
    # of Spanish letters, weighted so, the median is an ascender or capital about as often as a small letter
    return Print(xs[::step] * factor, ys[::step] * factor, typical * factor * 0.85, count)


def _erase_rules(grey: np.ndarray) -> None:
    """Paint over what is no print, in place: rules between columns, and what hangs on the edge of the scan.

    Tesseract takes upright rules for letters and joins the lines beside them. A rule is a connected dark area of at
    least a twentieth of the page's height and at most a twelfth of its own height wide.
    """
    import cv2

    _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    left, top, width, height = (stats[:, column] for column in range(4))
    at_edge = (left == 0) | (top == 0) | (left + width == grey.shape[1]) | (top + height == grey.shape[0])
    large = (width > grey.shape[1] / 20) | (height > grey.shape[0] / 20)
    unwanted = ((height > grey.shape[0] / 20) & (width * 12 < height)) | (at_edge & large)
    unwanted[0] = False  # the background
    for number in np.flatnonzero(unwanted):
        part = np.s_[top[number] : top[number] + height[number], left[number] : left[number] + width[number]]
        wider = cv2.dilate((labels[part] == number).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        grey[part][wider] = 255


def estimate_skew(ink: Print) -> float:
    """Degrees clockwise by which the lines lean, within `MAX_SKEW` either way; 0.0 where the page does not tell.

    The angle at which the projection profile changes most sharply from row to row (Postl, "Detection of linear
    oblique structures and skew scan in digitized documents", ICPR 1986).
    """
    if not ink.x_height:
        return 0.0
    bins = max(1.0, ink.x_height / 4)

    def sharpness(degrees: float) -> float:
        angle = math.radians(degrees)
        rows = (ink.ys * math.cos(angle) - ink.xs * math.sin(angle)) / bins
        profile = np.bincount((rows - rows.min()).astype(int))
        return float((np.diff(profile.astype(float)) ** 2).sum())

    coarse = np.arange(-MAX_SKEW, MAX_SKEW + 0.01, 0.5)
    scores = np.array([sharpness(float(a)) for a in coarse])
    best = int(scores.argmax())
    if scores[best] < 1.5 * np.median(scores):  # no angle stands out: no lines
        return 0.0
    fine = np.arange(-0.5, 0.51, 0.05) + coarse[best]
    found = float(fine[int(np.argmax([sharpness(float(a)) for a in fine]))])
    return round(found, 2) if abs(found) <= MAX_SKEW else 0.0


def _scale(x_height: float, shape: tuple[int, ...]) -> float:
    """By how much the page is enlarged or reduced for reading."""
    scale = 1.0
    if 0 < x_height < _READABLE_X_HEIGHT:
        scale = min(_MOST_ENLARGED, _GOOD_X_HEIGHT / x_height)
    elif x_height > _LARGE_X_HEIGHT:
        scale = 1.5 * _GOOD_X_HEIGHT / x_height
    most = min(_MAX_SIDE / max(shape), math.sqrt(_MAX_WORK / (shape[0] * shape[1])))
    return min(scale, most)


def _quarter_turns(degrees: int, width: int, height: int) -> np.ndarray:
    """3 x 3: from a page to the same page turned counter-clockwise by 90, 180 or 270 degrees."""
    return {
        90: np.array([[0, 1, 0], [-1, 0, width], [0, 0, 1.0]]),
        180: np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]]),
        270: np.array([[0, -1, height], [1, 0, 0], [0, 0, 1.0]]),
    }[degrees]


def _turn(degrees: float, scale: float, width: int, height: int) -> tuple[np.ndarray, tuple[int, int]]:
    """3 x 3 that turns a page counter-clockwise and scales it, and the size that holds all of it."""
    angle = math.radians(degrees)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    size = (
        max(1, math.ceil(abs(cos) * width + abs(sin) * height)),
        max(1, math.ceil(abs(sin) * width + abs(cos) * height)),
    )
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    turn[:2, 2] = np.array(size) / 2 - turn[:2, :2] @ np.array([width, height]) / 2
    return turn, size
