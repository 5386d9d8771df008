"""The sheet of paper that a page is printed on: black ink, a second ink, and notes of what was printed where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

from .sources import FONTS

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in integer pixels of the sheet, right and bottom exclusive."""

WIDTH, HEIGHT = 1640, 2190
"""Pixels of a sheet: 23.8 x 31.8 cm at 175 dpi, close to the magazine's own format."""

BARE, INKED = 255, 0


@cache
def _font(role: str, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout engine: the other one loads a library of the system, whose version nobody pins.
    return ImageFont.truetype(FONTS[role].locate(), size, layout_engine=ImageFont.Layout.BASIC)


@dataclass(frozen=True)
class Face:
    """A typeface at a size.

    Attributes:
        role: A key of `press.sources.FONTS`.
        size: Height of the em in pixels.
        tracking: Extra pixels after each letter, as in letterspaced capitals.
    """

    role: str
    size: int
    tracking: int = 0

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        """The font at this size, for a pen."""
        return _font(self.role, self.size)

    def width(self, text: str) -> int:
        """Return the width of `text` in whole pixels."""
        if not self.tracking:
            return math.ceil(self.font.getlength(text))
        return sum(round(self.font.getlength(letter)) + self.tracking for letter in text) - self.tracking


@dataclass(frozen=True)
class Line:
    """A printed line of text with its box."""

    text: str
    box: Box


@dataclass(frozen=True)
class Illustration:
    """A printed picture: its box, its kind, and what a Spanish index would file it under."""

    box: Box
    kind: str
    keywords: tuple[str, ...]


@dataclass(frozen=True)
class Caption:
    """A printed caption, and the illustrations (by index on the sheet) that it belongs to."""

    text: str
    box: Box
    illustrations: tuple[int, ...]


@dataclass
class Sheet:
    """A page as the press leaves it: two layers of ink and the record of what they show.

    Attributes:
        ink: RGB of the main ink.
        second_ink: RGB of the second ink.
        key: Layer of the main ink, L, 255 bare to 0 fully inked.
        second: Layer of the second ink, likewise.
        lines: Every printed line of text, in reading order.
        illustrations: Every picture, in reading order.
        captions: Every caption, in reading order.
    """

    ink: tuple[int, int, int] = (38, 34, 33)
    second_ink: tuple[int, int, int] = (190, 92, 44)
    key: Image.Image = field(default_factory=lambda: Image.new("L", (WIDTH, HEIGHT), BARE))
    second: Image.Image = field(default_factory=lambda: Image.new("L", (WIDTH, HEIGHT), BARE))
    lines: list[Line] = field(default_factory=list)
    illustrations: list[Illustration] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)

    def pen(self, second: bool = False) -> ImageDraw.ImageDraw:
        """Return a pen for the main ink, or for the second."""
        return ImageDraw.Draw(self.second if second else self.key)

    def set_words(self, words: Sequence[tuple[str, int]], baseline: int, face: Face) -> Line:
        """Print words at their left edges on one baseline and record them as one line of text.

        Args:
            words: Each word with its left edge in pixels.
            baseline: Vertical position of the baseline in pixels.
            face: The typeface.

        Returns:
            The recorded line; its words are joined by single spaces.
        """
        pen, font = self.pen(), face.font
        for word, left in words:
            if not face.tracking:
                pen.text((left, baseline), word, INKED, font, anchor="ls")
                continue
            x = left
            for letter in word:
                pen.text((x, baseline), letter, INKED, font, anchor="ls")
                x += round(font.getlength(letter)) + face.tracking
        tops = [font.getbbox(word, anchor="ls") for word, _ in words]
        last_word, last_left = words[-1]
        box = (
            words[0][1],
            baseline + math.floor(min(top[1] for top in tops)),
            last_left + face.width(last_word),
            baseline + math.ceil(max(top[3] for top in tops)),
        )
        line = Line(" ".join(word for word, _ in words), box)
        self.lines.append(line)
        return line

    def set_line(self, text: str, x: int, baseline: int, face: Face, align: str = "center") -> Line:
        """Print one line with its `left`, `center` or `right` at x, and record it."""
        width = face.width(text)
        left = {"left": x, "center": x - width // 2, "right": x - width}[align]
        return self.set_words([(text, left)], baseline, face)

    def place(self, picture: Image.Image, corner: tuple[int, int]) -> Box:
        """Print an L picture with its top left corner at `corner`; ink adds up, it never whitens. Return its box."""
        left, top = corner
        box = (left, top, left + picture.width, top + picture.height)
        self.key.paste(ImageChops.darker(self.key.crop(box), picture), corner)
        return box

    def illustrate(self, box: Box, kind: str, *keywords: str) -> int:
        """Record an illustration and return its index on the sheet."""
        self.illustrations.append(Illustration(box, kind, keywords))
        return len(self.illustrations) - 1

    def caption(self, text: str, lines: Sequence[Line], *illustrations: int) -> None:
        """Record a caption of the illustrations with these indices: its text unbroken, and its printed lines."""
        boxes = [line.box for line in lines]
        box = (
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        )
        self.captions.append(Caption(text, box, illustrations))

    def frame(self, box: Box, widths: Sequence[tuple[int, int]], second: bool = False) -> Box:
        """Rule rectangles around `box`.

        Args:
            box: What is framed.
            widths: (distance outwards from the box, thickness of the rule) of each rectangle, in pixels.
            second: Print in the second ink.

        Returns:
            The box of the outermost rectangle.
        """
        pen, outer = self.pen(second), box
        for distance, thickness in widths:
            outer = (box[0] - distance, box[1] - distance, box[2] + distance, box[3] + distance)
            pen.rectangle((outer[0], outer[1], outer[2] - 1, outer[3] - 1), outline=INKED, width=thickness)
        return outer
