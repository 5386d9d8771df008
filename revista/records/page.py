"""What the stages pages, regions and text find: the page image, its parts, its print."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

from revista.geometry import Box
from revista.records.base import Body, Confidence, Frozen


class Issue(Body):
    """One issue of the magazine, as its PDF and its file name (or sidecar) describe it."""

    id: str
    title: str
    year: int | None = None
    month: int | None = None
    volume: int | None = None
    number: int | None = None
    source_name: str  # file name of the PDF, without its folder
    source_sha256: str
    source_bytes: int
    page_count: int


class Word(Frozen):
    """A word with its place and how sure the reader was of it."""

    text: str
    box: Box
    confidence: Confidence


class Page(Body):
    """A page image in the archive; `image` is None where the page could not be had (the problems say why)."""

    number: int  # 1-based
    image: str | None = None  # file name inside the issue's `pages/` folder
    image_sha256: str | None = None
    width: int = 0
    height: int = 0
    dpi: float | None = None
    origin: Literal["embedded", "rendered"] | None = None
    codec: str | None = None  # how the scan was stored in the PDF: jpeg, jpx, ccitt, jbig2, flate, ...
    rotation: int = 0  # degrees clockwise by which the stored scan was turned
    text_layer: tuple[Word, ...] = ()  # what the PDF itself says is written there, kept as a source of its own


class RegionKind(StrEnum):
    """What a part of a page is."""

    PICTURE = "picture"
    CAPTION = "caption"
    TITLE = "title"
    TEXT = "text"
    TABLE = "table"
    FURNITURE = "furniture"  # page numbers, running heads


class Look(StrEnum):
    """How a picture is made, or what it is for."""

    PHOTOGRAPH = "photograph"
    DRAWING = "drawing"
    ADVERTISEMENT = "advertisement"
    ORNAMENT = "ornament"


class Region(Frozen):
    """A part of a page that a detector found."""

    id: str  # unique in the issue: page number and counter in reading order, such as 0003-r02
    kind: RegionKind
    box: Box
    confidence: Confidence
    detector: str
    look: Look | None = None  # of a picture, where a detector tells
    parts: tuple[Box, ...] = ()  # the pictures that a collage is made of, in reading order


class RejectedRegion(Frozen):
    """A picture that a detector proposed and that was left out, with the reason."""

    box: Box
    confidence: Confidence
    detector: str
    reason: Literal["confidence", "size", "text", "overlap"]


class Regions(Body):
    """The regions of a page in reading order, and the proposed pictures that are not among them, surest first."""

    regions: tuple[Region, ...] = ()
    rejected: tuple[RejectedRegion, ...] = ()

    @property
    def pictures(self) -> tuple[Region, ...]:
        """The picture regions, in reading order."""
        return tuple(r for r in self.regions if r.kind is RegionKind.PICTURE)


def page_of(region: str) -> int | None:
    """The page number (1-based) that a region's id begins with, None for a foreign id."""
    number = region.partition("-")[0]
    return int(number) if number.isdecimal() else None


class Line(Frozen):
    """A printed line: its words from left to right."""

    words: tuple[Word, ...]
    box: Box

    @property
    def text(self) -> str:
        """The words, one space between them."""
        return " ".join(word.text for word in self.words)


class Paragraph(Frozen):
    """Lines that belong together, as printed."""

    id: str  # unique in the issue, such as 0003-p05
    lines: tuple[Line, ...]
    box: Box
    inset: bool = False  # whether it stands below a picture that is set into a column, other print beside it

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in reading order."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """The lines, one space between them, hyphens at line ends kept as printed."""
        return " ".join(line.text for line in self.lines)


Bend: TypeAlias = tuple[tuple[int, float], ...]
"""Places across the page from left to right and by how many pixels lines hang down there, both once it is set upright
and turned straight; between two places it is in between. Empty where lines do not bend."""


class PageText(Body):
    """The text of a page: paragraphs in reading order over its columns."""

    paragraphs: tuple[Paragraph, ...] = ()
    language: str = "spa"
    skew: float = 0.0  # degrees clockwise by which the lines of the page image lean
    bend: Bend = ()  # by how much they bend as well
    orientation: int = 0  # degrees clockwise (0, 90, 180, 270) by which the print stands turned

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in reading order."""
        return tuple(word for paragraph in self.paragraphs for word in paragraph.words)
