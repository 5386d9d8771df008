"""Pages that are set line by line, as OCR would read them, and the captions that are found on them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import ImageFont

from revista import context
from revista.geometry import Box, hull
from revista.records import Contexts, Line, PageText, Paragraph, Region, RegionKind, Regions, Word
from revista.settings import ContextSettings

from .test_text import FONT

PROSE = (  # noqa: SIM905
    "La tarde caía sobre el viejo jardín y las señoras conversaban bajo los árboles mientras los criados servían el "
    "refresco en copas de cristal. Nadie recordaba ya la razón de aquella visita ni el nombre del caballero que la "
    "había propuesto, pero todos reían de buena gana con las historias del anciano general."
).split()


_FONT = ImageFont.truetype(str(FONT), 200)


@dataclass
class Sheet:
    """A page that is set line by line, as OCR would read it."""

    em: int = 40
    paragraphs: list[Paragraph] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    def picture(self, left: int, top: int, right: int, bottom: int) -> str:
        name = f"0003-r{len(self.regions) + 1:02d}"
        box = Box(left, top, right, bottom)
        self.regions.append(Region(id=name, kind=RegionKind.PICTURE, box=box, confidence=0.9, detector="test"))
        return name

    def _line(self, text: str, left: float, top: int, em: float, spacing: float) -> Line:
        words, x = [], left
        for word in text.split():
            width = em * (_FONT.getlength(word) / _FONT.size + spacing * len(word))
            above = 0.73 if set(word) - set("acemnorsuvwxzñgpqy,;.:-") else 0.48
            below = 0.22 if set(word) & set("gjpqyç,;") else 0.0
            box = Box(round(x), round(top + (0.73 - above) * em), round(x + width), round(top + (0.73 + below) * em))
            words.append(Word(text=word, box=box, confidence=0.95))
            x += width + em * (0.3 + spacing)
        return Line(words=tuple(words), box=hull(word.box for word in words))

    def text(
        self, lines: Sequence[str], x: int, top: int, align: str = "left", size: float = 1.0, spacing: float = 0.0
    ) -> int:
        """Set one paragraph: `x` is its left edge, its middle or its right edge; returns where it ends."""
        em = self.em * size
        made = []
        for number, text in enumerate(lines):
            line = self._line(text, 0, round(top + number * 1.2 * em), em, spacing)
            start = {"left": x, "centre": x - line.box.width / 2, "right": x - line.box.width}[align]
            made.append(self._line(text, start, line.box.top, em, spacing))
        box = hull(line.box for line in made)
        number = len(self.paragraphs) + 1
        self.paragraphs.append(Paragraph(id=f"0003-p{number:02d}", lines=tuple(made), box=box))
        return box.bottom

    def prose(self, left: int, width: int, top: int, bottom: int, seed: int = 0) -> int:
        """Fill a column from `top` to `bottom` with one paragraph of prose."""
        words = random.Random(seed).sample(PROSE, len(PROSE)) * 20
        lines, y = [], top
        while y + 1.2 * self.em <= bottom:
            line = [words.pop()]
            while self._line(" ".join([*line, words[-1]]), 0, 0, self.em, 0).box.width <= width:
                line.append(words.pop())
            lines.append(" ".join(line))
            y += round(1.2 * self.em)
        return self.text(lines, left, top)

    def merge(self, first: int, second: int) -> None:
        """Join two paragraphs into one, as Tesseract does with a caption and the prose below it."""
        a, b = self.paragraphs[first], self.paragraphs[second]
        self.paragraphs[first] = Paragraph(id=a.id, lines=a.lines + b.lines, box=a.box.union(b.box))
        del self.paragraphs[second]

    def run(self, previous: PageText | None = None, options: ContextSettings | None = None) -> Contexts:
        regions = Regions(regions=tuple(self.regions))
        text = PageText(paragraphs=tuple(self.paragraphs))
        return context.run(3, regions, text, previous, options or ContextSettings())


def pair() -> Sheet:
    """Two pictures side by side, with a caption each."""
    sheet = Sheet()
    sheet.picture(100, 300, 800, 900)
    sheet.picture(840, 300, 1540, 900)
    sheet.text(["La condesa de Loreto."], 450, 940, "centre", 0.8)
    sheet.text(["El general Menocal."], 1190, 940, "centre", 0.8)
    return sheet


def captions_of(found: Contexts) -> dict[str, str | None]:
    return {picture.picture: picture.caption.text if picture.caption else None for picture in found.pictures}
