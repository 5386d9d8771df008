"""What the stage descriptions makes: Spanish sentences, each with what it rests on."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from revista.geometry import Box
from revista.records.base import Body, Confidence, Frozen


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
