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
from itertools import pairwise
from statistics import median

from revista.context.quotes import tokens_of
from revista.context.typeface import Breadth, breadth_of
from revista.geometry import Box, hull
from revista.lean import Lean, Straight
from revista.records import Line, PageText, Region, RegionKind, Regions, Word
from revista.wording import printable

_DESCENDERS = frozenset("gjpqyçQ,;()[]|")
_ACCENTED = frozenset("ÁÉÍÓÚÜÑ")
_LOW = frozenset("acemnorsuvwxzñ.:-")

_IMPRINT = re.compile(r"\b(?:vol(?:umen|\.)|n[uú]m(?:ero|\.)|año|tomo|época)(?=\W|$)", re.IGNORECASE)
_NUMBER = re.compile(r"^\W*(?:vol(?:umen|\.)|n[uú]m(?:ero|\.)|tomo)\s+[\dIVXLC|]+(?=\W|$)", re.IGNORECASE)
_ADVERT = re.compile(
    r"\btel[eé]f(?:onos?|s?\.)|\bapartado\b|\bde venta\b|\bse venden?\b|\bprecios?\b|\bp[ií]da(?:se|lo|la)\b|[$]\s?\d"
    r"|\by (?:Compañía|Comp\.|C[ií]a\b|Ca\.)|\bS\. en C\b|^Hijos de\b|\be Hijos\b|\bMfg\b"
    r"|\b(?:calle|calzada|avenida|ave\.)\s.{1,40}\d",
    re.IGNORECASE,
)
_LISTED = 4  # lines
_CREDIT_WORDS = 5  # of a line that says whose the picture is
_NARROW = 20.0  # ems: no two columns stand below a picture so narrow
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "setiembre", "octubre", "noviembre", "diciembre"),
)
_VOWEL = re.compile("[aeiouáéíóúü]", re.IGNORECASE)
_THRICE = re.compile(r"(.)\1\1", re.IGNORECASE)  # what OCR makes of dotted leaders
_FOLIO = re.compile(r"^[\W_]*(?:\d{1,4}|[ivxlc]{1,7})[\W_]*$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^\W{0,2}(?:(?:fig(?:ura|\.)|n[uú]m(?:ero|\.)|n\.?\s?[°ºo]\.?|foto(?:grafía)?)\s?)?(\d{1,2})\s?"
    r"(?:[.:)°ªº—–-]+\s*(?=\D)|\s(?=[A-ZÁÉÍÓÚÑ«]))(?!\s*(?:de\s)?(?:" + "|".join(_MONTHS) + r")\b)",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"^\W*(fots?|fotos?|fotograf\w+|foto-?grabados?|phot\w*|clich[eé]s?|dibujos?|caricaturas?|apuntes?|copyright"
    r"|underwood|dib\w{2,4}(?= de\b))\b",  # small italics are easily misread
    re.IGNORECASE,
)


def em_of(text: str, height: int) -> float:
    """The em in pixels of a word whose ink is `height` pixels high.

    Letters tell how much of the em their ink fills: about 0.73 above the baseline for capitals, digits and ascenders,
    0.48 for small letters without, 0.2 more for accents on capitals, and 0.22 below it for descenders (usual
    proportions of roman types).
    """
    above = 0.48 if set(text) <= _LOW | _DESCENDERS - set("Q()[]|") else 0.73
    above += 0.2 if set(text) & _ACCENTED else 0.0
    return height / min(1.0, above + (0.22 if set(text) & _DESCENDERS else 0.0))


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
        return len(self.lines) >= _LISTED and begun >= 0.8 * len(self.lines)

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
        return bool(_CREDIT.match(self.text)) and self.word_count <= 10


def page_em(blocks: Sequence[Block]) -> float:
    """The type size of most of the page's letters, in pixels; 1.0 at least."""
    sized = sorted((block.em, len(block.text)) for block in blocks)
    rest = sum(count for _, count in sized) / 2
    for em, count in sized:
        rest -= count
        if rest <= 0:
            return max(em, 1.0)
    return 1.0


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
        for lines in _pieces(paragraph.lines, straight, pictures):
            box = hull(straight.line(line) for line in lines)
            page_box = hull(line.box for line in lines)
            hint = max(
                (region for region in others if page_box.coverage_by(region.box) >= 0.6),
                key=lambda region: (region.confidence, region.id),
                default=None,
            )
            blocks.append(_block(lines, box, straight, index, len(blocks), hint))
    return _rejoined(blocks, pictures)


def _rejoined(blocks: Sequence[Block], pictures: Sequence[Box]) -> list[Block]:
    """The blocks with single lines in display or caption type put together again where OCR parted them.

    Letterspacing leaves spaces as wide as those between columns. Lines in the type of the prose stay apart, for
    across a gutter prose looks just so.
    """
    em = page_em(blocks)
    made: list[Block] = []
    for block in blocks:
        for place, other in enumerate(made):
            if _same_line(other, block, em, pictures, blocks):
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


def _same_line(a: Block, b: Block, em: float, pictures: Sequence[Box], blocks: Sequence[Block]) -> bool:
    first, second = sorted((a, b), key=lambda block: block.box)
    left, right = first.box, second.box
    level = (
        len(a.lines) == len(b.lines) == 1
        and a.box.vertical_overlap(b.box) >= 0.5 * max(a.box.height, b.box.height)
        and right.left >= left.right
    )
    if level and any(_holds(picture, left.union(right), em) for picture in pictures):
        return True
    low, high = sorted((a.em, b.em))
    if not level or low <= 0.8 * high or right.left - left.right >= 2.5 * high:
        return False
    if _between_pictures((left.right + right.left) / 2, left.union(right), em, pictures):
        stands = any(_under_it_alone(other.box, left, right, em) for other in blocks)  # in a caption of its own
        goes_on = second.text[:1].islower() or "derecha" in first.text
        return first.unfinished and goes_on and not stands  # one caption for both pictures
    return not any(0.9 <= block.em / em <= 1.15 and not block.capitals for block in (a, b))


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
    lines: Sequence[Line], box: Box, straight: Straight, paragraph: int, order: int, hint: Region | None
) -> Block:
    em = median(_line_em(line, straight) for line in lines)
    kind, sure = (hint.kind, hint.confidence) if hint else (None, 0.0)
    return Block(tuple(lines), box, em, paragraph, order, kind, sure, _breadth(lines, straight))


def _breadth(lines: Sequence[Line], straight: Straight) -> Breadth:
    """How wide the type runs; of a caption that begins in capitals, that of its small letters."""
    words = [(word.text, straight.word(word)) for line in lines for word in line.words]
    small = breadth_of(pair for pair in words if not pair[0].isupper())
    return small if small.value else breadth_of(words)


def _line_em(line: Line, straight: Straight) -> float:
    ems = [em_of(word.text, straight.word(word).height) for word in line.words if any(map(str.isalnum, word.text))]
    return median(ems) if ems else float(straight.line(line).height)


def _pieces(lines: Sequence[Line], straight: Straight, pictures: Sequence[Box]) -> list[list[Line]]:
    """The lines of one paragraph, cut into blocks."""
    done: list[list[Line]] = []
    for position, whole in enumerate(lines):
        parts = _split_line(whole, straight, pictures)
        for part in parts:
            box = straight.line(part)
            above = next(
                (
                    block
                    for block in reversed(done)
                    if straight.line(block[-1]).top < box.top
                    and (len(parts) == 1 or _shared_width(straight.line(block[-1]), box) >= 0.4)
                ),
                None,
            )
            following = lines[position + 1 : position + 3]
            if above is not None and not _cut(above, part, following, lines, straight, pictures):
                above.append(part)
            else:
                done.append([part])
    return done


def _shared_width(a: Box, b: Box) -> float:
    return a.horizontal_overlap(b) / max(1, min(a.width, b.width))


def _split_line(line: Line, straight: Straight, pictures: Sequence[Box]) -> list[Line]:
    """A line cut at gaps that no typesetter leaves between words, or that lie under the gap between two pictures."""
    words = sorted((word for word in line.words if printable(word.text)), key=lambda word: straight.word(word).left)
    if not words:
        return []
    em = _line_em(line, straight)
    gaps = [straight.word(b).left - straight.word(a).right for a, b in pairwise(words)]
    others = sorted(gaps)[:-1]
    usual = max(median(others), 0.0) if others else 0.6 * em
    parts: list[list[Word]] = [[words[0]]]
    for gap, left, right in zip(gaps, words, words[1:], strict=False):
        middle = (straight.word(left).right + straight.word(right).left) / 2
        wide = gap > max(3 * em, 2.5 * usual)
        if wide or (gap > max(0.9 * em, 2.5 * usual) and _between_pictures(middle, straight.line(line), em, pictures)):
            parts.append([])
        parts[-1].append(right)
    if len(parts) == 1:
        return [line if len(words) == len(line.words) else line.model_copy(update={"words": tuple(words)})]
    return [Line(words=tuple(part), box=hull(word.box for word in part)) for part in parts]


def _between_pictures(x: float, line: Box, em: float, pictures: Sequence[Box]) -> bool:
    above = [box for box in pictures if -em <= line.top - box.bottom <= 8 * em]
    near = above or [box for box in pictures if -em <= box.top - line.bottom <= 8 * em]
    return any(a.right - em <= x <= b.left + em and a.vertical_overlap(b) for a in near for b in near if a is not b)


def _credits(line: Line) -> bool:
    return bool(_CREDIT.match(line.text)) and len(line.words) <= _CREDIT_WORDS


def _cut(
    above: Sequence[Line],
    line: Line,
    following: Sequence[Line],
    paragraph: Sequence[Line],
    straight: Straight,
    pictures: Sequence[Box],
) -> bool:
    """Whether a new block begins with `line`."""
    upper, lower = straight.line(above[-1]), straight.line(line)
    em_above, em = _line_em(above[-1], straight), _line_em(line, straight)
    if lower.top - upper.bottom > max(em, em_above):
        return True
    if any(
        upper.centre[1] <= box.centre[1] <= lower.centre[1]
        and (box.horizontal_overlap(upper) or box.horizontal_overlap(lower))
        for box in pictures
    ):
        return True
    under = any(_right_under(straight.line(above[0]), box, em_above) for box in pictures)
    if _breadth(above, straight).differs(_breadth([line], straight), 0.04 if under else 0.06):
        return True
    if under and following and lower.top - upper.bottom > max(0.35 * em, 1.7 * _usual_gap(paragraph, straight)):
        return True
    if _credits(line) or _credits(above[-1]):
        return True
    letters = min(sum(map(str.isalpha, above[-1].text)), sum(map(str.isalpha, line.text)))
    if letters >= 6 and max(em, em_above) > 1.3 * min(em, em_above):
        return True
    if letters >= 6 and above[-1].text.isupper() != line.text.isupper():
        return True
    if under and (_otherwise_set(upper, lower, em) or _ends_before(above, line, straight, em)):
        return True
    column = hull(straight.line(other) for other in paragraph)
    indents = [straight.line(other).left - column.left for other in (line, *following[:1])]
    if _centred(upper, column, em) and indents[0] < 3 * em and all(indent < em for indent in indents[1:]):
        return bool(following)
    return len(above) > 1 and _centred(lower, column, em) and straight.line(above[-2]).left - column.left < em


def _right_under(line: Box, picture: Box, em: float) -> bool:
    near = -0.5 * em <= line.top - picture.bottom <= 2 * em
    return near and line.horizontal_overlap(picture) >= 0.5 * min(line.width, picture.width)


def _ends_before(above: Sequence[Line], line: Line, straight: Straight, em: float) -> bool:
    """Whether a caption ends before `line` begins a sentence: with a short line, or set in by more than an indent."""
    right = max(straight.line(other).right for other in above)
    ended = above[-1].text[-1:] in ".!?…" and line.text[:1].isupper()
    if len(above) == 1:
        upper, lower = straight.line(above[0]), straight.line(line)
        set_in = upper.left - lower.left, lower.right - upper.right
        return ended and (set_in[0] > 3 * em or (line.text.isupper() and min(set_in) > em))  # a heading follows
    return ended and right - straight.line(above[-1]).right > 2 * em


def _otherwise_set(upper: Box, lower: Box, em: float) -> bool:
    """Whether two lines share neither margin nor middle, as a caption and the column below it may."""
    left, right = abs(upper.left - lower.left), abs(upper.right - lower.right)
    return min(left, right, abs(upper.centre[0] - lower.centre[0])) > 1.5 * em


def _usual_gap(lines: Sequence[Line], straight: Straight) -> float:
    """The usual white between the lines of a paragraph, in pixels."""
    gaps = [straight.line(lower).top - straight.line(upper).bottom for upper, lower in pairwise(lines)]
    return max(0.0, median(gaps)) if gaps else 0.0


def _centred(line: Box, column: Box, em: float) -> bool:
    left, right = line.left - column.left, column.right - line.right
    return min(left, right) > 1.5 * em and abs(left - right) < max(em, 0.1 * column.width)
