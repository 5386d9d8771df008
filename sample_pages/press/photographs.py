"""Photographs turned into what a printing plate of 1916 shows: greys made of dots, or of engraved lines.

Screens are computed in integers: sine tables differ in the last bit from one processor to the next.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from .sheet import BARE, Box
from .sources import PHOTOGRAPHS

Phases = npt.NDArray[np.int32]

OVERSAMPLE = 3
"""Dots are drawn this many times finer than the page and then averaged, as a scanner does."""

SCREEN = (7, 6)
"""Pixels (across, down) from one halftone dot to the next at the finer scale: 3.1 page pixels at 41 degrees."""


def crop(name: str, box: Box, size: tuple[int, int], lift: float = 1.0) -> Image.Image:
    """Cut a photograph and bring it to the size and contrast of its plate.

    Args:
        name: A key of `press.sources.PHOTOGRAPHS`.
        box: The part that is shown, in pixels of the photograph; stretched a little where the shape differs.
        size: Width and height in pixels of the page.
        lift: Above 1 the middle greys become lighter, as in thin prints.

    Returns:
        An L picture at `OVERSAMPLE` times `size`, 0 black to 255 white.
    """
    with Image.open(PHOTOGRAPHS[name].locate()) as photograph:
        grey = photograph.convert("L").crop(box)
    fine = grey.resize((size[0] * OVERSAMPLE, size[1] * OVERSAMPLE), Image.Resampling.BICUBIC)
    fine = ImageOps.autocontrast(fine.filter(ImageFilter.GaussianBlur(2)), cutoff=0.3)
    # No plate prints pure black or leaves pure white: a light veil and open shadows.
    return fine.point([round(22 + 210 * (level / 255) ** (1 / lift)) for level in range(256)])


def _phases(size: tuple[int, int], step: tuple[int, int]) -> tuple[Phases, Phases, int]:
    """Return the two coordinates of each pixel within a screen turned by `step`, and their period."""
    a, b = step
    period = a * a + b * b
    x, y = np.arange(size[0], dtype=np.int32)[np.newaxis, :], np.arange(size[1], dtype=np.int32)[:, np.newaxis]
    return (a * x + b * y) % period, (a * y - b * x) % period, period


def halftone(tone: Image.Image, seed: int = 1916) -> Image.Image:
    """Turn greys into dots whose size follows the tone.

    Args:
        tone: L picture as `crop` returns it.
        seed: Of the grain of the photographic plate, which also keeps soft shades free of steps.

    Returns:
        An L picture in page pixels.
    """
    grain = np.random.default_rng(seed).integers(-11, 12, (tone.height, tone.width), dtype=np.int16)
    u, v, period = _phases(tone.size, SCREEN)
    # |2u-p| + |2v-p| grows evenly from the middle of a dot to the middle of the gap between dots.
    height = np.abs(2 * u - period) + np.abs(2 * v - period)
    threshold = height * 255 // (2 * period)
    dots = Image.fromarray(np.where(np.asarray(tone) + grain > threshold, 255, 0).astype(np.uint8))
    return dots.reduce(OVERSAMPLE).filter(ImageFilter.GaussianBlur(0.8))


def vignette(tone: Image.Image, box: Box, ground: int = BARE, softness: int = 0) -> Image.Image:
    """Keep an oval of a picture and fill what lies outside it.

    Args:
        tone: L picture at the finer scale.
        box: The oval's own box, in page pixels.
        ground: Grey outside, 0 to 255.
        softness: Width of the transition in page pixels; 0 cuts sharply.

    Returns:
        The picture with its surroundings filled.
    """
    mask = Image.new("L", tone.size, 0)
    left, top, right, bottom = (edge * OVERSAMPLE for edge in box)
    ImageDraw.Draw(mask).ellipse((left, top, right - 1, bottom - 1), fill=255)
    if softness:
        mask = mask.filter(ImageFilter.GaussianBlur(softness * OVERSAMPLE // 2))
    return Image.composite(tone, Image.new("L", tone.size, ground), mask)


def engraving(tone: Image.Image, steps: Sequence[tuple[int, int]], seed: int) -> Image.Image:
    """Turn greys into engraved lines that swell with the tone; deep shadows get a second set across the first.

    Args:
        tone: L picture as `crop` returns it.
        steps: Direction and distance of each set of lines, as a pixel offset at the finer scale.
        seed: Of the tremble of the engraver's hand.

    Returns:
        An L picture in page pixels.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (tone.height // 60 + 2, tone.width // 60 + 2), dtype=np.uint8)
    tremble = np.asarray(Image.fromarray(coarse).resize(tone.size, Image.Resampling.BICUBIC)).astype(np.int32)
    level, inked = np.asarray(tone).astype(np.int32), np.zeros((tone.height, tone.width), bool)
    for nth, step in enumerate(steps):
        u, _, period = _phases(tone.size, step)
        height = np.abs(2 * ((u + tremble * period // 128) % period) - period) * 255 // period
        # The first set covers tones up to light grey, each further set only what is darker.
        inked |= height > level * (nth + 1) + 12
    lines = Image.fromarray(np.where(inked, 0, 255).astype(np.uint8))
    return lines.reduce(OVERSAMPLE)


def tilted(picture: Image.Image, degrees: float) -> Image.Image:
    """Turn a picture anticlockwise on a bare ground that grows to hold it, as pasted up askew on a page."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=BARE)
