"""From a page scan to the image that Tesseract reads: even paper, upright lines, letters of a usable size.

`prepare` keeps the way back: `Prepared.to_page` turns boxes on the prepared image into boxes on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from revista.geometry import Box
from revista.lean import Lean
from revista.text.leaning import FEWEST_LETTERS, Print, estimate_lean, print_on

INK = 225  # of 255: below it is print, faint small letters as well, or picture
_PICTURES_LEAN = 0.3  # degrees from which pictures are painted over as they lean
_SMALLEST_SKEW = 0.1  # degrees; below it turning the page only blurs it
_READABLE_X_HEIGHT = 13  # pixels; Tesseract reads smaller print better enlarged
_GOOD_X_HEIGHT = 20  # pixels that smaller print is enlarged to
_LARGE_X_HEIGHT = 45  # pixels; larger print is reduced to `_GOOD_X_HEIGHT` * 1.5
_MOST_ENLARGED = 4.0
_MAX_SIDE = 12_000  # pixels of the prepared image: Leptonica stops at 2^31 bytes, and Tesseract at 32,767 pixels
_MAX_WORK = 40_000_000  # pixels of the prepared image: an A3 page at 400 dpi has 31 million
_RIM = 0.05  # share of a picture's longer side by which the box around it may be too large, where it leans
_RIM_OF_PAGE = 0.02  # the same of the page's: a name fits in, below a small picture, too
_RIM_AT_MOST = 0.25  # the same of the picture's shorter side
_DOTS = 5  # pixels: dots of a picture's screen that are nearer hang together
_GRAIN = 240.0  # of 255: the grain of paper is no darker
_COARSE = 3.5  # times as far below the middle of all greys as a quarter of them: where coarser grain ends
_BAND = 256  # rows set straight at a time, so that their places need little memory


@dataclass(frozen=True)
class Prepared:
    """A page ready to be read.

    Attributes:
        image: `(height, width)` uint8, dark print on white.
        lean: how print stands on the page. On `image` it is straight.
        scale: pixels of `image` for one of the page.
        shift: where the origin of the straight page lies in `image`, in its pixels.
        size: width and height of the page in pixels.
        x_height: height of small letters in `image`, in pixels; 0.0 where there is no print to measure.
    """

    image: np.ndarray
    lean: Lean
    scale: float
    shift: tuple[float, float]
    size: tuple[int, int]
    x_height: float

    def to_page(self, box: Box) -> Box:
        """The upright box on the page around what `box` frames on the prepared image, clipped to the page."""
        (x, y), scale = self.shift, self.scale
        straight = (box.left - x) / scale, (box.top - y) / scale, (box.right - x) / scale, (box.bottom - y) / scale
        return self.lean.around(straight).clip(*self.size)

    def upright(self, box: Box) -> Box:
        """The box on the prepared image of what leans as the lines do; `box` on the page goes around it."""
        straight = self.lean.straight(box)
        return Box(*(round(edge * self.scale + self.shift[i % 2]) for i, edge in enumerate(straight)))


def prepare(
    page: np.ndarray, masked: Sequence[Box], *, deskew: bool = True, orientation: int = 0, ignored: Sequence[Box] = ()
) -> Prepared:
    """Make a page ready to be read.

    Args:
        page: `(height, width)` uint8, the grey page with even paper, dark print on white.
        masked: boxes in page pixels that are painted over with white.
        ignored: boxes in page pixels that stay, but do not say how lines lean and how large letters are.
        deskew: whether lines that lean or bend are set straight.
        orientation: degrees clockwise by which the print stands turned, 0, 90, 180 or 270.
    """
    import cv2

    height, width = page.shape
    reduced = min(1.0, _MAX_SIDE / max(page.shape), math.sqrt(_MAX_WORK / page.size))
    size = (max(1, round(width * reduced)), max(1, round(height * reduced)))
    plain = page if reduced == 1.0 else cv2.resize(page, size, interpolation=cv2.INTER_AREA)

    def scaled(found: Sequence[Box]) -> list[Box]:
        return [Box(*(round(edge * reduced) for edge in box)) for box in found]

    boxes, others = scaled(masked), scaled(ignored)

    def painted(lean: Lean, *, rims: bool = False) -> tuple[np.ndarray, Print]:
        grey = _painted(plain, boxes, lean, rims=rims)
        return grey, print_on(_painted(plain, [*boxes, *others], lean, rims=rims) if others else grey)

    lean = Lean(orientation)
    grey, ink = painted(lean)
    rims = bool(boxes or others) and ink.letters < FEWEST_LETTERS
    if rims:  # what tells how the page leans may be at the rims
        grey, ink = painted(lean, rims=True)
    corner = _corner(orientation, *size)
    lines = True
    if deskew:
        found = estimate_lean(replace(ink, xs=ink.xs - corner[0], ys=ink.ys - corner[1]))
        lines = found is not None
        skew, bend = found or (0.0, ())
        lean = Lean(orientation, skew if bend or abs(skew) >= _SMALLEST_SKEW else 0.0, bend)
        if boxes and (abs(lean.skew) >= _PICTURES_LEAN or bend):
            grey, ink = painted(lean, rims=rims)
    scale = _scale(ink.x_height, grey.shape)
    if not lines:  # specks and grain, which are best not enlarged
        scale = min(1.0, scale)
    if ink.letters < FEWEST_LETTERS:  # a title may stand above the smallest print
        scale = max(1.0, scale)
    image, shift = _straightened(grey, replace(lean, orientation=0), corner, scale)
    whole = replace(lean, bend=tuple((round(x / reduced), y / reduced) for x, y in lean.bend))
    return Prepared(image, whole, scale * reduced, shift, (width, height), ink.x_height * scale)


def _corner(orientation: int, width: int, height: int) -> tuple[int, int]:
    """Where the top left corner of a page comes to lie once it is set upright by quarter turns."""
    return {0: (0, 0), 90: (0, width), 180: (width, height), 270: (height, 0)}[orientation]


def _straightened(
    grey: np.ndarray, lean: Lean, corner: tuple[int, int], scale: float
) -> tuple[np.ndarray, tuple[float, float]]:
    """The page straight and scaled, and where the origin of the straight page lies on it.

    Args:
        grey: `(height, width)` uint8, set upright by quarter turns.
        lean: how it leans and bends.
        corner: where on it the corner lies about which it is turned straight.
        scale: by how much it is enlarged.
    """
    import cv2

    height, width = grey.shape
    if not lean.skew and not lean.bend:
        size = math.ceil(scale * width), math.ceil(scale * height)
        if scale != 1.0:
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        return np.ascontiguousarray(grey), (corner[0] * scale, corner[1] * scale)
    left, top, right, bottom = (scale * edge for edge in lean.around_page(width, height, corner))
    if scale < 0.75:  # turning alone would skip pixels
        grey = cv2.GaussianBlur(grey, (0, 0), 0.4 / scale)
    x = (np.arange(math.ceil(right - left)) + 0.5 + left) / scale
    bands = []
    for first in range(0, math.ceil(bottom - top), _BAND):
        y = (np.arange(first, min(first + _BAND, math.ceil(bottom - top))) + 0.5 + top) / scale
        there = lean.to_page(*np.meshgrid(x, y))
        across, down = ((p + c - 0.5).astype(np.float32) for p, c in zip(there, corner, strict=True))
        bands.append(cv2.remap(grey, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=255))
    return np.concatenate(bands), (-left, -top)


def _painted(page: np.ndarray, boxes: Sequence[Box], lean: Lean, *, rims: bool = False) -> np.ndarray:
    """`page` without pictures and rules, set upright by quarter turns.

    Args:
        page: `(height, width)` uint8, not changed.
        boxes: upright boxes around the pictures, in its pixels; may reach over its edges.
        lean: how lines and pictures lean and bend. A box around a leaning picture takes in print beside it: what is
            painted is what leans and the box goes around.
        rims: whether what stands by itself at the rim of a box is kept: a name that the box reaches over, or all that
            there is beside a picture that leans unknown to us.
    """
    import cv2

    height, width = page.shape
    grey = page.copy()
    for box in boxes:
        inside = box.clip(width, height)
        if not inside.area:
            continue
        part = grey[inside.top : inside.bottom, inside.left : inside.right]
        kept = np.full_like(part, 255)
        if rims:
            rim = max(_RIM * max(part.shape), _RIM_OF_PAGE * max(height, width))
            apart = _apart_at_the_rim(part, round(min(rim, _RIM_AT_MOST * min(part.shape))))
            kept[apart] = part[apart]
        if lean.skew or lean.bend:
            cv2.fillPoly(grey, [np.rint(lean.outline(lean.straight(box))).astype(np.int32)], 255)
            np.minimum(part, kept, out=part)
        else:
            part[:] = kept
    _erase_rules(grey)
    return np.ascontiguousarray(np.rot90(grey, lean.orientation // 90)) if lean.orientation else grey


def _apart_at_the_rim(picture: np.ndarray, rim: int) -> np.ndarray:
    """What stands by itself at the rim of a picture, as a mask: not what hangs together with its inside.

    Args:
        picture: `(height, width)` uint8, dark on white.
        rim: how broad it is, in pixels.
    """
    import cv2

    dark = cv2.morphologyEx((picture < INK).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((_DOTS, _DOTS), np.uint8))
    _, labels = cv2.connectedComponents(dark, connectivity=8)
    picture_itself = np.unique(labels[rim:-rim, rim:-rim]) if 0 < 2 * rim < min(picture.shape) else np.unique(labels)
    apart = (labels > 0) & ~np.isin(labels, picture_itself)
    return cv2.dilate(apart.astype(np.uint8), np.ones((_DOTS, _DOTS), np.uint8)) > 0


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


def bleach(even: np.ndarray, share: float, judged: np.ndarray | None = None) -> np.ndarray:
    """Make light greys white: the grain of the paper, and print that shows through from the other side.

    Args:
        even: `(height, width)` uint8, from `even_paper`.
        share: of the greys between Otsu's threshold and white, how many stay grey, 0.0 to 1.0.
        judged: uint8, those of its greys for which the threshold is sought, where there is little but paper: what is
            lighter than `_GRAIN`, or less dark than most of them differ, is then its grain. None for all.
    """
    import cv2

    threshold, _ = cv2.threshold(even if judged is None else judged.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    white = max(1.0, threshold + share * (255 - threshold))
    if judged is not None:
        quarter, middle = np.quantile(judged, (0.25, 0.5))
        white = min(white, _GRAIN, max(INK, float(middle - _COARSE * (middle - quarter))))
    table = np.clip(np.arange(256) * (255 / white), 0, 255).astype(np.uint8)
    return table[even]


def whitened(image: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """A grey image with white in place of the boxes, which may reach over its edges."""
    rest = image.copy()
    for left, top, right, bottom in boxes:
        rest[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 255
    return rest


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


def _scale(x_height: float, shape: tuple[int, ...]) -> float:
    """By how much the page is enlarged or reduced for reading."""
    scale = 1.0
    if 0 < x_height < _READABLE_X_HEIGHT:
        scale = min(_MOST_ENLARGED, _GOOD_X_HEIGHT / x_height)
    elif x_height > _LARGE_X_HEIGHT:
        scale = 1.5 * _GOOD_X_HEIGHT / x_height
    most = min(_MAX_SIDE / max(shape), math.sqrt(_MAX_WORK / (shape[0] * shape[1])))
    return min(scale, most)
