"""The records in which the stages meet: frozen, typed, written as JSON.

A record on disk is `{"header": {...}, "body": {...}}`, see docs/formats.md. The body is what a stage found; the header
says from what, with which options, weights and programs, so that a rerun knows whether it is still fresh. Boxes are
integer pixels of the archived page image (`revista.geometry.Box`); confidences and probabilities are 0.0 to 1.0.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from revista.errors import PASSING, Category, RevistaError
from revista.geometry import Box

SCHEMA_VERSION = 1
Confidence = float  # 0.0 (no trust) to 1.0 (certain)


class Frozen(BaseModel):
    """Base of all records: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Problem(Frozen):
    """One thing that went wrong with one item, and what to do about it."""

    stage: str
    category: Category
    message: str
    hint: str = ""
    page: int | None = None
    item: str | None = None  # the region or file concerned, where it is less than the page

    @classmethod
    def from_error(cls, error: RevistaError, stage: str, page: int | None = None, item: str | None = None) -> Problem:
        """The record of `error`, which happened in `stage` to `item` on `page`."""
        return cls(stage=stage, category=error.category, message=error.message, hint=error.hint, page=page, item=item)

    @property
    def passing(self) -> bool:
        """Whether a second try may succeed with the same input."""
        return self.category in PASSING

    @property
    def fails_page(self) -> bool:
        """Whether its page counts as failed: a stage did not do it at all, neither in part nor with a named loss."""
        return self.page is not None and self.item is None and self.category is not Category.REDUCED


class Header(Frozen):
    """Where a record comes from. Two headers that agree in all but the times name the same work."""

    schema_version: int = SCHEMA_VERSION
    stage: str
    version: str
    options: dict[str, JsonValue] = {}
    inputs: dict[str, str] = {}  # name -> sha256 of the input file, or fingerprint of the input record
    weights: dict[str, str] = {}  # name -> sha256
    software: dict[str, str] = {}  # name -> version
    created: datetime | None = None  # UTC
    seconds: float | None = None

    def same_work(self, other: Header) -> bool:
        """Whether both headers describe the same work, the times left out."""
        untimed = {"created": None, "seconds": None}
        return self.model_copy(update=untimed) == other.model_copy(update=untimed)


class Body(Frozen):
    """Base of what the stages find on a page."""

    problems: tuple[Problem, ...] = ()


BodyT = TypeVar("BodyT", bound=Body)


class Record(Frozen, Generic[BodyT]):
    """A body with the header that says where it comes from."""

    header: Header
    body: BodyT

    def fingerprint(self) -> str:
        """Hex sha256 of the record: the name under which later stages quote it.

        The times are left out, and so is the sha256 of the PDF: it changes for all pages when one page of a scan is
        replaced, while a page record holds the sha256 of its own image.
        """
        inputs = {name: digest for name, digest in self.header.inputs.items() if name != "pdf"}
        quoted = self.header.model_copy(update={"created": None, "seconds": None, "inputs": inputs})
        return hashlib.sha256(self.model_copy(update={"header": quoted}).model_dump_json().encode()).hexdigest()


# --- stage 1: pages -------------------------------------------------------------------------------------------


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


# --- stage 2: regions -----------------------------------------------------------------------------------------


class RegionKind(StrEnum):
    """What a part of a page is."""

    PICTURE = "picture"
    CAPTION = "caption"
    TITLE = "title"
    TEXT = "text"
    TABLE = "table"
    FURNITURE = "furniture"  # page numbers, running heads


class Region(Frozen):
    """A part of a page that a detector found."""

    id: str  # unique in the issue: page number and counter in reading order, such as 0003-r02
    kind: RegionKind
    box: Box
    confidence: Confidence
    detector: str


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


# --- stage 3: text --------------------------------------------------------------------------------------------


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

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in reading order."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """The lines, one space between them, hyphens at line ends kept as printed."""
        return " ".join(line.text for line in self.lines)


class PageText(Body):
    """The text of a page: paragraphs in reading order over its columns."""

    paragraphs: tuple[Paragraph, ...] = ()
    language: str = "spa"
    skew: float = 0.0  # degrees clockwise by which the lines of the page image lean
    orientation: int = 0  # degrees clockwise (0, 90, 180, 270) by which the print stands turned

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in reading order."""
        return tuple(word for paragraph in self.paragraphs for word in paragraph.words)


# --- stage 4: context -----------------------------------------------------------------------------------------


class Quote(Frozen):
    """Print taken over word for word, with its place; `uncertain` are the indices of words read with low confidence."""

    text: str
    page: int
    boxes: tuple[Box, ...]
    confidence: Confidence
    uncertain: tuple[int, ...] = ()


class PictureContext(Frozen):
    """What is printed around a picture."""

    picture: str  # region id
    box: Box
    caption: Quote | None = None
    caption_confidence: Confidence = 0.0  # how sure it is that the caption belongs to this picture
    caption_shared_with: tuple[str, ...] = ()  # other pictures that the same caption describes
    caption_runner_up: Quote | None = None  # the print that fits next best, where a caption was linked
    caption_runner_up_confidence: Confidence = 0.0  # by how much it beats no caption; at most caption_confidence
    heading: Quote | None = None
    before: tuple[Quote, ...] = ()  # nearest paragraph last
    after: tuple[Quote, ...] = ()  # nearest paragraph first
    previous_page: tuple[Quote, ...] = ()
    windows: tuple[Quote, ...] = ()


class Contexts(Body):
    """The context of each picture of a page, in reading order."""

    pictures: tuple[PictureContext, ...] = ()


# --- stages 5 and 6: captions, ranking ------------------------------------------------------------------------


class Candidate(Frozen):
    """A sentence that may describe a picture, and who proposes it."""

    text: str
    language: Literal["en", "es"]
    source: Literal["captioner", "window"]
    prompt: str = ""
    seed: int | None = None  # set where the candidate was sampled
    log_probability: float | None = None  # mean per token, natural logarithm
    quote: Quote | None = None  # set where the candidate is a window of the print


class PictureCandidates(Frozen):
    """The candidates for a picture; where there are none, `reason` says why."""

    picture: str
    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None


class Candidates(Body):
    """Candidates for each picture of a page; `captioner` names the model, None where there was none."""

    captioner: str | None = None
    pictures: tuple[PictureCandidates, ...] = ()


class ScoredCandidate(Frozen):
    """A candidate with the ranker's score among the candidates of its picture."""

    candidate: Candidate
    similarity: float | None = None  # cosine between picture and text, -1.0 to 1.0
    probability: Confidence | None = None  # softmax over the picture's candidates of the same source
    reliability: Confidence | None = None  # how likely a captioner's sentence is right; None where nobody knows


class Kind(StrEnum):
    """What kind of picture it is."""

    PEOPLE = "people"  # a photograph of people
    PORTRAIT = "portrait"
    GROUP = "group"
    BUILDING = "building"
    LANDSCAPE = "landscape"
    VEHICLE = "vehicle"
    ANIMAL = "animal"
    INTERIOR = "interior"
    ARTWORK = "artwork"
    DRAWING = "drawing"
    CARICATURE = "caricature"
    ADVERTISEMENT = "advertisement"
    ORNAMENT = "ornament"
    UNCERTAIN = "uncertain"


class PictureKind(Frozen):
    """A ranker's guess at a picture's kind; `kind` is uncertain where the guess is not sure enough to be told."""

    kind: Kind
    likeliest: Kind  # the best guess, also where it is not sure enough
    confidence: Confidence  # the probability of `likeliest` among all kinds


class PictureRanking(Frozen):
    """The candidates of a picture, best first; `chosen` is the one that the description may speak from."""

    picture: str
    ranked: tuple[ScoredCandidate, ...] = ()
    chosen: ScoredCandidate | None = None
    window: ScoredCandidate | None = None  # the passage of nearby print that belongs best to the picture
    kind: PictureKind | None = None  # None where there was no ranker
    reason: str | None = None


class Ranking(Body):
    """Ranked candidates for each picture of a page; `ranker` names the model, None where there was none."""

    ranker: str | None = None
    pictures: tuple[PictureRanking, ...] = ()


# --- stage 7: descriptions ------------------------------------------------------------------------------------


class Source(StrEnum):
    """What a sentence rests on."""

    SEEN = "vista"  # a model looked at the picture
    CAPTION = "pie"  # the printed caption
    ARTICLE = "articulo"  # text printed nearby
    INDEX = "indice"  # the collection's index
    REVIEWER = "revisor"  # a person


class Evidence(Frozen):
    """Where a sentence can be checked."""

    page: int
    boxes: tuple[Box, ...] = Field(min_length=1)
    confidence: Confidence | None = None
    model: str | None = None
    original: str | None = None  # what the model said, where the sentence is its translation


class Sentence(Frozen):
    """A Spanish sentence with what it rests on."""

    text: str = Field(min_length=1)
    source: Source
    evidence: Evidence


class Description(Frozen):
    """The description of a picture; `undescribed` says why no model describes it reliably, where none does."""

    picture: str
    box: Box
    sentences: tuple[Sentence, ...] = ()
    undescribed: str | None = None

    @property
    def text(self) -> str:
        """The sentences, one space between them."""
        return " ".join(sentence.text for sentence in self.sentences)


class Descriptions(Body):
    """The descriptions of a page's pictures, in reading order."""

    pictures: tuple[Description, ...] = ()


BODIES: dict[str, type[Body]] = {
    "pages": Page,
    "regions": Regions,
    "text": PageText,
    "context": Contexts,
    "captions": Candidates,
    "ranking": Ranking,
    "descriptions": Descriptions,
}
"""The stages in their order, by the name of their folder in the archive, with what each finds on a page."""
