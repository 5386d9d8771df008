"""A sheet in the making: ink on white, and the list of what is where.

Lengths are given in thousandths of the page's height, whatever its resolution; boxes that come back are in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from revista.errors import MissingProgram
from revista.geometry import Box, hull
from revista.records import Frozen, Look

ItemKind: TypeAlias = Literal[
    "photograph", "drawing", "advertisement", "ornament", "part", "caption", "title", "text", "furniture"
]
PICTURES = tuple(Look)
INKED = 190  # grey below which something is inked, rather than paper
_FONTS = Path("/usr/share/fonts")
_HINT = "Type: sudo apt-get install fonts-oldstandard fonts-linuxlibertine fonts-dejavu-extra"
_FACES = {
    "roman": (
        "truetype/fonts-oldstandard/OldStandard-Regular.ttf",
        "opentype/linux-libertine/LinLibertine_R.otf",
        "truetype/dejavu/DejaVuSerifCondensed.ttf",
    ),
    "italic": ("truetype/fonts-oldstandard/OldStandard-Italic.ttf", "opentype/linux-libertine/LinLibertine_RI.otf"),
    "bold": ("truetype/fonts-oldstandard/OldStandard-Bold.ttf", "opentype/linux-libertine/LinLibertine_RB.otf"),
    "display": (
        "opentype/linux-libertine/LinLibertine_DR.otf",
        "opentype/linux-libertine/LinBiolinum_RB.otf",
        "truetype/dejavu/DejaVuSansCondensed-Bold.ttf",
    ),
}
Face: TypeAlias = Literal["roman", "italic", "bold", "display"]


class Item(Frozen):
    """Something printed on a page; `of` are the places in the page's list of the pictures that a caption belongs to."""

    kind: ItemKind
    box: Box
    text: str = ""
    of: tuple[int, ...] = ()


@lru_cache(maxsize=256)
def _font(face: Face, which: int, size: int) -> ImageFont.FreeTypeFont:
    found = [_FONTS / file for file in _FACES[face] if (_FONTS / file).is_file()]
    if not found:
        raise MissingProgram(f"no {face} font to set pages in", _HINT)
    return ImageFont.truetype(str(found[which % len(found)]), size)


class Canvas:
    """A white page of `height` pixels on which things are set; what they are is remembered in `items`."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        """Begin with nothing on it."""
        self.ink = Image.new("L", (width, height), 255)
        self.pen = ImageDraw.Draw(self.ink)
        self.width, self.height, self.rng = width, height, rng
        self.items: list[Item] = []
        self._family = int(rng.integers(0, 6))

    def px(self, length: float) -> int:
        """Thousandths of the height as whole pixels."""
        return round(length * self.height / 1000)

    def font(self, face: Face, size: float) -> ImageFont.FreeTypeFont:
        """A face at `size` thousandths; which of its fonts it is is the same all over a page."""
        return _font(face, self._family, max(4, self.px(size)))

    def add(self, kind: ItemKind, box: Box, text: str = "", of: Sequence[int] = ()) -> int:
        """Remember what stands in `box`; gives its place in the list."""
        self.items.append(Item(kind=kind, box=box.clip(self.width, self.height), text=text, of=tuple(of)))
        return len(self.items) - 1

    def paste(self, picture: np.ndarray, left: int, top: int, mask: np.ndarray | None = None) -> Box:
        """Put grey (height, width) uint8 on the page, where `mask` (0 to 255) is set; gives its box.

        Without a mask the darker of picture and page stays, as ink does.
        """
        h, w = picture.shape
        box = Box(left, top, left + w, top + h)
        seen = box.clip(self.width, self.height)
        if not seen.area:
            return box
        part = picture[seen.top - top : seen.bottom - top, seen.left - left : seen.right - left]
        below = np.asarray(self.ink.crop((seen.left, seen.top, seen.right, seen.bottom)))
        if mask is None:
            part = np.minimum(part, below)
        else:
            cover = mask[seen.top - top : seen.bottom - top, seen.left - left : seen.right - left] / 255.0
            part = (part * cover + below * (1 - cover)).astype(np.uint8)
        self.ink.paste(Image.fromarray(part), (seen.left, seen.top))
        return box

    def line(
        self, text: str, x: int, y: int, face: Face, size: float, align: str = "left", tracking: float = 0.0
    ) -> Box:
        """Set a line with its top at `y`; `x` is its left, middle or right. Gives the box of its ink."""
        font = self.font(face, size)
        gap = self.px(tracking)
        wide = round(font.getlength(text)) + gap * max(0, len(text) - 1)
        left = x - {"left": 0, "centre": wide // 2, "right": wide}[align]
        at = left
        if gap:
            for letter in text:
                self.pen.text((at, y), letter, 0, font)
                at += round(font.getlength(letter)) + gap
        else:
            self.pen.text((left, y), text, 0, font)
        _, top, _, bottom = font.getbbox(text or "x")
        return Box(left, y + int(top), left + wide, y + int(bottom))

    def block(
        self,
        text: str,
        area: Box,
        face: Face,
        size: float,
        leading: float,
        align: str = "justify",
        holes: Sequence[Box] = (),
        indent: float = 0.0,
    ) -> tuple[Box | None, str]:
        """Set words into `area` line by line, around `holes`; gives the box of what was set, and what did not fit."""
        font, step = self.font(face, size), max(3, self.px(leading))
        space = font.getlength(" ")
        words, boxes = text.split(), []
        y, first = area.top, True
        while words and y + step <= area.bottom:
            left, right = _free(area, y, y + step, holes)
            if first:
                left, first = left + self.px(indent), False
            if right - left < 0.3 * area.width or right - left < 4 * self.px(size):
                y += step
                continue
            row, used = [], 0.0
            while words and used + font.getlength(words[0]) <= right - left:
                row.append(words.pop(0))
                used += font.getlength(row[-1]) + space
            if not row:  # a word longer than the line
                row, used = [words.pop(0)], float(right - left) + space
            boxes.append(
                self._row(row, left, right, y, font, space, align if words else align.replace("justify", "left"))
            )
            y += step
        if not boxes:
            return None, " ".join(words)
        return hull(boxes), " ".join(words)

    def _row(
        self, row: list[str], left: int, right: int, y: int, font: ImageFont.FreeTypeFont, space: float, align: str
    ) -> Box:
        lengths = [font.getlength(word) for word in row]
        used = sum(lengths) + space * (len(row) - 1)
        gap = space
        if align == "justify" and len(row) > 1:
            gap = space + max(0.0, right - left - used) / (len(row) - 1)
        start = left + {"centre": (right - left - used) / 2, "right": right - left - used}.get(align, 0.0)
        x = start
        for word, length in zip(row, lengths, strict=True):
            self.pen.text((round(x), y), word, 0, font)
            x += length + gap
        _, top, _, bottom = font.getbbox("Ápg")
        return Box(round(start), y + int(top), round(x - gap), y + int(bottom))

    def frame(self, box: Box, lines: Sequence[tuple[float, float]]) -> Box:
        """Frames around `box`: (distance, thickness) of each, in thousandths; gives the outermost box."""
        outer = box
        for distance, thickness in lines:
            away, thick = self.px(distance), max(1, self.px(thickness))
            outer = Box(box.left - away, box.top - away, box.right + away, box.bottom + away)
            self.pen.rectangle((outer.left, outer.top, outer.right - 1, outer.bottom - 1), outline=0, width=thick)
        return outer

    def lozenge(self, x: int, y: int, size: int) -> None:
        """A small black one around a point, `size` pixels from there to each of its corners."""
        self.pen.polygon([(x, y - size), (x + size, y), (x, y + size), (x - size, y)], 0)

    def array(self) -> np.ndarray:
        """The ink, (height, width) uint8: 255 bare to 0 inked."""
        return np.asarray(self.ink)


def _free(area: Box, top: int, bottom: int, holes: Sequence[Box]) -> tuple[int, int]:
    """The wider side of a line of `area` that no hole reaches."""
    left, right = area.left, area.right
    for hole in holes:
        if hole.bottom <= top or hole.top >= bottom or hole.right <= left or hole.left >= right:
            continue
        if hole.left - left >= right - hole.right:
            right = hole.left
        else:
            left = hole.right
    return left, max(left, right)


def ink_box(picture: np.ndarray, below: int = INKED) -> Box | None:
    """The box around what is darker than `below` in (height, width) uint8; None where nothing is."""
    found = cv2.findNonZero((picture < below).astype(np.uint8))
    if found is None:
        return None
    x, y, w, h = cv2.boundingRect(found)
    return Box(x, y, x + w, y + h)
