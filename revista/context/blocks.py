"""Blocks: runs of lines in one typeface, which is what captions, headings and prose are told apart by.

Tesseract joins a caption to the prose below it, or two captions that stand side by side, into one paragraph. Blocks
are paragraphs cut where the typography changes. All measures are in ems of the page's prose, so that the scan's
resolution does not matter; all boxes lie on the straight page (`revista.lean`), so that print that stands turned or
leans on the scan is like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import median

from revista.context.cutting import between_pictures, breadth_in, line_em, pieces_of
from revista.context.quotes import tokens_of
from revista.context.typeface import OTHER_TYPE, Breadth
from revista.geometry import Box, hull
from revista.lean import Lean, Straight
from revista.records import Line, PageText, RegionKind, Regions
from revista.wording import is_credit

_IMPRINT = re.compile(r"\b(?:vol(?:umen|\.)|n[uú]m(?:ero|\.)|año|tomo|época)(?=\W|$)", re.IGNORECASE)
_NUMBER = re.compile(r"^\W*(?:vol(?:umen|\.)|n[uú]m(?:ero|\.)|tomo)\s+[\dIVXLC|]+(?=\W|$)", re.IGNORECASE)
_ADVERT = re.compile(
    r"\btel[eé]f(?:onos?|s?\.)|\bapartado\b|\bde venta\b|\bse venden?\b|\bprecios?\b|\bp[ií]da(?:se|lo|la)\b|[$]\s?\d"
    r"|\by (?:Compañía|Comp\.|C[ií]a\b|Ca\.)|\bS\. en C\b|^Hijos de\b|\be Hijos\b|\bMfg\b"
    r"|\b(?:calle|calzada|avenida|ave\.)\s.{1,40}\d",
    re.IGNORECASE,
)
_SURE_HINT = 0.7  # confidence of a hint that is followed
_LEVEL = 0.4  # of their height stand the parts of a line level at least, for lines bend
_WORD_GAP, _TOLD_GAP = 0.4, 1.0  # ems: no gutter is so narrow; and within what a detector takes for captions
_READ_TWICE = 3.0  # ems at most that two pieces of one line share: Tesseract reads a syllable in both
_LOW = 0.6  # times the type of the prose: what is lower is no print
_LISTED = 4  # lines
_NARROW = 20.0  # ems: no two columns stand below a picture so narrow
_TEXTED = 60  # words in one type that make a page one with a text
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "setiembre", "octubre", "noviembre", "diciembre"),
)
_SIGNS = "«»“”\"'‘’.,·-— "  # what specks before a word are read as
_VOWEL = re.compile("[aeiouáéíóúü]", re.IGNORECASE)
_THRICE = re.compile(r"(.)\1\1", re.IGNORECASE)  # what OCR makes of dotted leaders
_FOLIO = re.compile(r"^[\W_]*(?:\d{1,4}|[ivxlc]{1,7})[\W_]*$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^\W{0,2}(?:(?:fig(?:ura|\.)|n[uú]m(?:ero|\.)|n\.?\s?[°ºo]\.?|foto(?:grafía)?)\s?)?(\d{1,2})\s?"
    r"(?:[.:)°ªº—–-]+\s*(?=\D)|\s(?=[A-ZÁÉÍÓÚÑ«]))(?!\s*(?:de\s)?(?:" + "|".join(_MONTHS) + r")\b)",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r"\b(?:sr(?:es|as?|tas?|ita)?\.|dra?\.|gral\.|se[ñn]or(?:es|as?|itas?)?|do[ñn]a|don|ni[ñn][oa]|conde(?:sa)?|marqu[eé]s(?:a)?"
    r"|general|coronel|capitán|doctora?|presidente)\s+(?:de\s)?(?-i:[A-ZÁÉÍÓÚÑ])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """Lines of a paragraph in one typeface."""

    lines: tuple[Line, ...]
    box: Box  # on the straight page
    em: float  # type size in pixels
    paragraph: int  # index in the page text
    order: int  # index among the blocks, in reading order
    hint: RegionKind | None = None  # what a detector takes it for
    hint_confidence: float = 0.0
    breadth: Breadth = field(default_factory=Breadth)  # how wide the type runs

    @cached_property
    def text(self) -> str:
        """The words, divided ones put together again."""
        return " ".join(token.text for token in tokens_of(self.lines))

    @cached_property
    def word_count(self) -> int:
        """How many words there are."""
        return len(self.text.split())

    @cached_property
    def confidence(self) -> float:
        """Mean confidence of the words, 0.0 where there are none."""
        words = [word.confidence for line in self.lines for word in line.words]
        return sum(words) / len(words) if words else 0.0

    @cached_property
    def capitals(self) -> bool:
        """Whether it is set in capitals."""
        letters = [sign for sign in self.text if sign.isalpha()]
        return len(letters) >= 4 and sum(sign.isupper() for sign in letters) >= 0.8 * len(letters)

    @cached_property
    def legible(self) -> bool:
        """Whether anything like a word is in it: OCR of a halftone or an ornament yields scattered signs."""
        kept = " ".join(word for word in self.text.split() if not _THRICE.search(word.replace(".", "")))
        words = [word for word in re.findall(r"[^\W\d_]{3,}", kept) if _VOWEL.search(word)]
        return bool(words) and 2 * sum(map(len, words)) >= len(kept.replace(".", "").replace(" ", ""))

    @property
    def hinted(self) -> bool:
        """Whether a detector takes it for a caption, however unsure."""
        return self.hint is RegionKind.CAPTION

    @property
    def told(self) -> bool:
        """Whether a detector, or the white around it, tells that it is a caption."""
        return self.hinted and self.hint_confidence >= _SURE_HINT

    @cached_property
    def folio(self) -> bool:
        """Whether it is no more than a number."""
        return bool(_FOLIO.match(self.text))

    @cached_property
    def imprint(self) -> bool:
        """Whether it gives volume and number, as mastheads and their imprints do."""
        marks = len(_IMPRINT.findall(self.text))
        if marks > 1:
            return self.word_count <= 12
        return bool(_NUMBER.match(self.text)) and self.word_count <= 6 and not self.numbered

    @cached_property
    def listed(self) -> bool:
        """Whether it is a list, a table of contents or verse: each of its lines begins anew."""
        begun = sum(line.text[:1].isupper() for line in self.lines)
        return len(self.lines) >= _LISTED and begun >= 0.8 * len(self.lines) and not self.capitals

    @property
    def unfinished(self) -> bool:
        """Whether it ends within a sentence."""
        return self.text[-1:] not in ".!?"

    def leads_on_to(self, other: Block) -> bool:
        """Whether `other` is the rest of a sentence in capitals that begins here."""
        first = other.text.split()[0].rstrip(".,;:")
        return self.capitals and self.unfinished and first.isupper()

    @cached_property
    def advertises(self) -> bool:
        """Whether it speaks as advertisements do: addresses, telephones, prices."""
        return bool(_ADVERT.search(self.text))

    @cached_property
    def names(self) -> bool:
        """Whether it names somebody with a title: Sr., señora, condesa, general, ..."""
        return bool(_TITLED.search(self.text))

    @cached_property
    def number(self) -> int | None:
        """The number with which it begins, as the captions of a collage do: 2 for `2.-`, `Fig. 2`, `Núm. 2.`."""
        found = _NUMBERED.match(self.text)
        return int(found.group(1)) if found and self.word_count > 2 else None

    @property
    def numbered(self) -> bool:
        """Whether it begins with a number."""
        return self.number is not None

    @cached_property
    def credit(self) -> bool:
        """Whether it is a photographer's or draughtsman's credit line."""
        return is_credit(self.text, words=10)


def page_em(blocks: Sequence[Block]) -> float:
    """The type size of most of the page's letters, in pixels; 1.0 at least."""
    sized = sorted((block.em, len(block.text)) for block in blocks)
    rest = sum(count for _, count in sized) / 2
    for em, count in sized:
        rest -= count
        if rest <= 0:
            return max(em, 1.0)
    return 1.0


def prose_breadth(blocks: Sequence[Block]) -> Breadth:
    """How wide the type in which most of the page is set runs; unknown where that is not much."""
    plain = [block for block in blocks if block.legible and not block.capitals and block.breadth.value]
    half = sum(block.word_count for block in plain) / 2
    for block in sorted(plain, key=lambda block: (block.breadth.value, block.order)):
        half -= block.word_count
        if half <= 0:
            same = [other for other in plain if not other.breadth.differs(block.breadth, 0.03)]
            enough = sum(other.word_count for other in same) >= _TEXTED
            return sum((other.breadth for other in same), Breadth()) if enough else Breadth()
    return Breadth()


def blocks_of(text: PageText, regions: Regions) -> list[Block]:
    """The blocks of a page, in reading order.

    Args:
        text: paragraphs in reading order.
        regions: pictures cut paragraphs in two; other regions hint at what a block is.
    """
    lean = Lean.of(text)
    straight = Straight(lean)
    pictures = [lean.straight(region.box) for region in regions.pictures]
    others = [region for region in regions.regions if region.kind is not RegionKind.PICTURE]
    blocks: list[Block] = []
    for index, paragraph in enumerate(text.paragraphs):
        for lines in pieces_of(paragraph.lines, straight, pictures):
            box = hull(straight.line(line) for line in lines)
            page_box = hull(line.box for line in lines)
            hint = max(
                (region for region in others if page_box.coverage_by(region.box) >= 0.6),
                key=lambda region: (region.confidence, region.id),
                default=None,
            )
            kind, sure = (hint.kind, hint.confidence) if hint else (None, 0.0)
            if paragraph.inset:
                kind, sure = RegionKind.CAPTION, max(sure, _SURE_HINT)
            blocks.append(_block(lines, box, straight, index, len(blocks), kind, sure))
    return _rejoined(blocks, pictures)


def _rejoined(blocks: Sequence[Block], pictures: Sequence[Box]) -> list[Block]:
    """The blocks with single lines in display or caption type put together again where OCR parted them.

    Letterspacing leaves spaces as wide as those between columns. Lines in the type of the prose stay apart, for
    across a gutter prose looks just so.
    """
    em, usual = page_em(blocks), prose_breadth(blocks)
    made: list[Block] = []
    for block in blocks:
        for place, other in enumerate(made):
            if _same_line(other, block, em, usual, pictures, blocks):
                left, right = sorted((other, block), key=lambda part: part.box.left)
                words = left.lines[0].words + right.lines[0].words
                line = Line(words=words, box=hull(part.lines[0].box for part in (left, right)))
                breadth = left.breadth + right.breadth
                size = max((left, right), key=lambda part: len(part.text)).em
                made[place] = replace(other, lines=(line,), box=left.box.union(right.box), em=size, breadth=breadth)
                break
        else:
            made.append(block)
    return [replace(block, order=order) for order, block in enumerate(made)]


def _same_line(a: Block, b: Block, em: float, usual: Breadth, pictures: Sequence[Box], blocks: Sequence[Block]) -> bool:
    first, second = sorted((a, b), key=lambda block: block.box)
    left, right = first.box, second.box
    level = (
        len(a.lines) == len(b.lines) == 1
        and a.box.vertical_overlap(b.box) >= _LEVEL * max(a.box.height, b.box.height)
        and left.left < right.left >= left.right - _READ_TWICE * em
    )
    if level and any(_holds(picture, left.union(right), em) for picture in pictures):
        return True
    low, high = sorted((a.em, b.em))
    if not level or low <= 0.8 * high or right.left - left.right >= 2.5 * high:
        return False
    if between_pictures((left.right + right.left) / 2, left.union(right), em, pictures):
        lines = [other.box for other in blocks if other.legible and other.em > _LOW * em]  # no specks
        stands = any(_under_it_alone(line, left, right, em) for line in lines)  # in a caption of its own
        letters = second.text.lstrip(_SIGNS)
        goes_on = letters[:1].islower() or "derecha" in first.text
        return first.unfinished and goes_on and not stands  # one caption for both pictures
    told = a.hinted and b.hinted
    close = right.left - left.right < (_TOLD_GAP if told else _WORD_GAP) * high
    return close or not any(_in_usual_type(block, em, usual) for block in (a, b))


def _in_usual_type(block: Block, em: float, usual: Breadth) -> bool:
    """Whether a block is set in the page's usual type; one of the two measures tells, as heights are easily misread."""
    same_breadth = usual.value and block.breadth.value and not usual.differs(block.breadth, OTHER_TYPE)
    return not block.capitals and (0.9 <= block.em / em <= 1.15 or bool(same_breadth))


def _under_it_alone(line: Box, left: Box, right: Box, em: float) -> bool:
    """Whether a line stands right above or below `right` and not at `left`, which stands beside that."""
    near = 0 < max(line.top - right.bottom, right.top - line.bottom) + 0.5 * em < 1.5 * em
    return (
        near
        and not line.horizontal_overlap(left)
        and line.horizontal_overlap(right) >= 0.5 * min(line.width, right.width)
    )


def _holds(picture: Box, line: Box, em: float) -> bool:
    """Whether a line stands below a narrow picture and within its width: spaced out, where it is justified."""
    below = -em <= line.top - picture.bottom <= 8 * em
    return below and picture.width < _NARROW * em and picture.left - em <= line.left <= line.right <= picture.right + em


def _block(
    lines: Sequence[Line],
    box: Box,
    straight: Straight,
    paragraph: int,
    order: int,
    hint: RegionKind | None,
    hint_confidence: float,
) -> Block:
    em = median(line_em(line, straight) for line in lines)
    return Block(tuple(lines), box, em, paragraph, order, hint, hint_confidence, breadth_in(lines, straight))
