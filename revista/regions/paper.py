"""What a scan looks like before anything is read from it: the tone of the paper and where the page lies.

Scans are yellow, grey, unevenly lit, and show more than the page: the scanner's bed, the book's edge. Detectors that
expect black on white, page filling the image, need both to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revista.geometry import Box

_MAX_MARGIN = 0.2  # share of a side that may be margin: more would be a picture that fills the page
_EDGE, _RIM = 0.05, 0.15  # of the sides: what may be the scanner's bed, and how far in the page's margins reach
_IN_THE_RIM = 5.0  # times as much as elsewhere an even area counts there
_PAPER_SPREAD = 22  # how far in a channel (0-255) a pixel may be from the paper's tone and still be paper


@dataclass(frozen=True)
class Paper:
    """The paper of a page: its tone in RGB and the box of the page in the image."""

    tone: tuple[int, int, int]
    page: Box


def scale_to(image: np.ndarray, side: int, most: float = 2.5) -> tuple[np.ndarray, float]:
    """`image` scaled so that its longer side has `side` pixels, enlarged at most `most` times; and the factor."""
    import cv2

    height, width = image.shape[:2]
    factor = min(side / max(height, width), most)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), factor


def find_paper(image: np.ndarray) -> Paper:
    """The paper's tone, and where the page lies in the image.

    The tone is the commonest one among even areas, with a preference for bright ones and those near the edges: a dark
    photograph may be larger than the paper around it. A margin is what lies outside the first and last rows and columns
    with a fair share of paper.

    Args:
        image: `(height, width, 3)` uint8, RGB.
    """
    import cv2

    small, factor = scale_to(image, 500, most=1.0)
    tone = _tone(small)
    distance = farthest(small.astype(np.int16), np.array(tone))
    even = cv2.medianBlur((distance < _PAPER_SPREAD).astype(np.uint8), 5)
    top, bottom = _extent(even.mean(axis=1))
    left, right = _extent(even[top:bottom].mean(axis=0))
    top, bottom = _extent(even[:, left:right].mean(axis=1))
    height, width = image.shape[:2]
    page = Box(round(left / factor), round(top / factor), round(right / factor), round(bottom / factor))
    page = page.clip(width, height)
    return Paper(tone, page if page.area else Box(0, 0, width, height))


def farthest(pixels: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """The difference of pixels (height, width, 3) from a colour (3,) in the channel where it is largest."""
    channels = [np.abs(pixels[..., k] - colour[k]) for k in range(3)]
    return np.maximum(np.maximum(channels[0], channels[1]), channels[2])  # ten times as fast as `max(axis=2)`


def whiten(image: np.ndarray, paper: Paper) -> np.ndarray:
    """The page, cut out of its margins, with the paper's tone stretched to near white."""
    page = image[paper.page.top : paper.page.bottom, paper.page.left : paper.page.right]
    levels = np.arange(256)[:, None] * (248.0 / np.maximum(paper.tone, 40))
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return np.dstack([table[:, channel][page[..., channel]] for channel in range(3)])


def _tone(small: np.ndarray) -> tuple[int, int, int]:
    import cv2

    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    values = grey.astype(np.float32)
    variance = cv2.blur(values**2, (5, 5)) - cv2.blur(values, (5, 5)) ** 2
    height, width = grey.shape
    inner = _without_rim(height, width, _EDGE)
    even = inner & (variance < 30)
    if np.count_nonzero(even) < 200:
        even = inner
    weights = np.where(_without_rim(height, width, _RIM), 1.0, _IN_THE_RIM)
    counts = np.convolve(np.bincount(grey[even], weights[even], 256), np.ones(9), "same")
    mode = int(np.argmax(counts * (0.3 + np.arange(256) / 255)))
    near = even & (np.abs(values - mode) <= 6)
    red, green, blue = np.median(small[near], axis=0) if near.any() else (mode, mode, mode)
    return int(red), int(green), int(blue)


def _without_rim(height: int, width: int, share: float) -> np.ndarray:
    """The pixels (height, width) bool that are farther from the edges than a share of the sides."""
    inner = np.zeros((height, width), bool)
    down, across = int(share * height), int(share * width)
    inner[down : height - down, across : width - across] = True
    return inner


def _extent(shares: np.ndarray) -> tuple[int, int]:
    """First and past-the-last index with enough paper, looked for in the outer `_MAX_MARGIN` of each side only."""
    limit = max(1, int(len(shares) * _MAX_MARGIN))
    first = np.flatnonzero(shares[:limit] >= 0.35)
    last = np.flatnonzero(shares[::-1][:limit] >= 0.35)
    start = int(first[0]) if len(first) else 0
    end = len(shares) - (int(last[0]) if len(last) else 0)
    blur = 2  # the margin's edge is soft
    return (start + blur if start else 0), (end - blur if end < len(shares) else end)
