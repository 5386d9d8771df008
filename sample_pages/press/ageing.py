"""What a century and a scanner do to a printed sheet: paper tone, show-through, skew, noise.

Pictures are handled as 8-bit integers, and random numbers are drawn as integers, so that every processor
computes the same page.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .sheet import HEIGHT, WIDTH, Box, Sheet

SCAN_WIDTH, SCAN_HEIGHT = 1700, 2260
"""Pixels of a scanned page; the sheet lies somewhere on it."""

DPI = 175
GLASS = (74, 73, 70)
"""RGB of the scanner's lid beside the sheet."""

PAPER = (233, 226, 209)
SHOW_THROUGH = 17
"""How much of the reverse shines through, of 255."""


@dataclass(frozen=True)
class Scan:
    """How one sheet lay on the scanner.

    Attributes:
        degrees: Skew, anticlockwise, at most 1.2 either way.
        corner: Where the sheet's top left corner lies on the scan, in pixels, before it is turned.
        bound_left: The spine is at the left edge, as on odd pages.
        seed: Of paper, stains and noise.
    """

    degrees: float
    corner: tuple[int, int]
    bound_left: bool
    seed: int


def _cloud(rng: np.random.Generator, size: tuple[int, int], cell: int, strength: int) -> Image.Image:
    """Return slow random shades around 128 as an L picture.

    Args:
        rng: Random numbers.
        size: Width and height in pixels.
        cell: Pixels from one shade to the next.
        strength: Largest distance from 128.
    """
    shape = (size[1] // cell + 2, size[0] // cell + 2)
    shades = rng.integers(128 - strength, 129 + strength, shape, dtype=np.uint8)
    return Image.fromarray(shades).resize(size, Image.Resampling.BICUBIC)


def _paper(rng: np.random.Generator, bound_left: bool) -> Image.Image:
    """Return a bare RGB sheet: toned, browner at its edges, fibrous, foxed, dark towards the spine."""
    size = (WIDTH, HEIGHT)
    shade = _cloud(rng, size, 420, 7)
    fibres = _cloud(rng, size, 3, 5).filter(ImageFilter.BoxBlur((2, 0)))
    edge = Image.new("L", size, 0)
    ImageDraw.Draw(edge).rectangle((60, 60, WIDTH - 61, HEIGHT - 61), fill=12)
    edge = edge.filter(ImageFilter.BoxBlur(60))
    spine = Image.new("L", size, 0)
    ImageDraw.Draw(spine).rectangle((0, 0, 34, HEIGHT) if bound_left else (WIDTH - 35, 0, WIDTH, HEIGHT), fill=120)
    spine = spine.filter(ImageFilter.BoxBlur((34, 0))).filter(ImageFilter.BoxBlur((20, 0)))
    tone = ImageChops.add(ImageChops.add(shade, fibres, 1, -128), edge, 1, -12)
    tone = ImageChops.subtract(tone, spine)
    bands = [tone.point([_clip(level - 128 + base) for level in range(256)]) for base in PAPER]
    return _foxed(Image.merge("RGB", bands), rng)


def _foxed(paper: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add the brown spots that damp leaves in old paper."""
    spots = Image.new("L", paper.size, 0)
    pen = ImageDraw.Draw(spots)
    for _ in range(int(rng.integers(9, 22))):
        x, y, radius = (int(rng.integers(low, high)) for low, high in ((0, WIDTH), (0, HEIGHT), (2, 9)))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(30, 90)))
    return Image.composite(Image.new("RGB", paper.size, (176, 134, 88)), paper, spots.filter(ImageFilter.BoxBlur(3)))


def _clip(level: int) -> int:
    return max(0, min(255, level))


def _coverage(layer: Image.Image, strength: int) -> Image.Image:
    """Return how much ink lies where (0 none to 255), after it has spread into the paper.

    Args:
        layer: L picture, 255 bare to 0 inked.
        strength: Of 255: how much of the paper full ink hides.
    """
    spread = layer.filter(ImageFilter.GaussianBlur(0.7))
    # A darker middle of the curve: half-covered edges print fuller than they were cut.
    return spread.point([_clip(round((255 - level) * 1.12)) * strength // 255 for level in range(256)])


def _print(paper: Image.Image, layer: Image.Image, ink: tuple[int, int, int], rng: np.random.Generator) -> Image.Image:
    """Print one layer: solid ink is never quite even, so its cover varies a little over the sheet."""
    uneven = _cloud(rng, layer.size, 3, 7).point([_clip(level + 120) for level in range(256)])
    cover = ImageChops.multiply(_coverage(layer, 244), uneven)
    return Image.composite(Image.new("RGB", paper.size, ink), paper, cover)


def _reverse(sheet: Sheet) -> Image.Image:
    """Return what shines through from the other side: mirrored, blurred, faint."""
    both = ImageChops.darker(sheet.key, sheet.second)
    return _coverage(ImageOps.mirror(both).filter(ImageFilter.GaussianBlur(3)), SHOW_THROUGH)


def scan(sheet: Sheet, reverse: Sheet, how: Scan) -> Image.Image:
    """Return the RGB scan of a printed sheet.

    Args:
        sheet: The page that is seen.
        reverse: The page on its back.
        how: Position, skew and seed.
    """
    rng = np.random.default_rng(how.seed)
    page = _paper(rng, how.bound_left)
    page = Image.composite(Image.new("RGB", page.size, (96, 82, 66)), page, _reverse(reverse))
    page = _print(page, sheet.second, sheet.second_ink, rng)
    page = _print(page, sheet.key, sheet.ink, rng)
    glass = Image.new("RGB", (SCAN_WIDTH, SCAN_HEIGHT), GLASS)
    left, top = how.corner
    shadow = Image.new("L", glass.size, 0)
    ImageDraw.Draw(shadow).rectangle((left + 6, top + 6, left + WIDTH + 8, top + HEIGHT + 8), fill=150)
    glass.paste((30, 29, 28), mask=shadow.filter(ImageFilter.BoxBlur(8)))
    glass.paste(page, how.corner)
    turned = glass.rotate(how.degrees, Image.Resampling.BICUBIC, fillcolor=GLASS)
    # The sensor's noise: the same in all channels, two dice added up.
    shape = (SCAN_HEIGHT, SCAN_WIDTH)
    noise = rng.integers(-3, 4, shape, dtype=np.int16) + rng.integers(-3, 4, shape, dtype=np.int16)
    noisy = np.asarray(turned).astype(np.int16) + noise[:, :, np.newaxis]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def on_scan(box: Box, how: Scan) -> Box:
    """Return the upright box, in scan pixels and clipped to the scan, around a box of the sheet.

    Args:
        box: In pixels of the sheet.
        how: Position and skew, as in `scan`.
    """
    angle = math.radians(how.degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    corners = []
    for x in (box[0], box[2]):
        for y in (box[1], box[3]):
            dx, dy = x + how.corner[0] - SCAN_WIDTH / 2, y + how.corner[1] - SCAN_HEIGHT / 2
            corners.append((SCAN_WIDTH / 2 + cos * dx + sin * dy, SCAN_HEIGHT / 2 - sin * dx + cos * dy))
    xs, ys = zip(*corners, strict=True)
    return (
        max(0, math.floor(min(xs))),
        max(0, math.floor(min(ys))),
        min(SCAN_WIDTH, math.ceil(max(xs))),
        min(SCAN_HEIGHT, math.ceil(max(ys))),
    )
