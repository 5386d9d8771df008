"""What the stage descriptions makes: Spanish sentences, each with what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from revista.geometry import Box
from revista.records.base import Body, Frozen
from revista.records.listed import IndexEvidence

ALT_LENGTH = 125  # characters, after which screen readers may cut
SEEN_HEAD = "Descripción automática: "  # before what a model says

_IMAGE_OF = re.compile(r"^(?:una? )?(?:imagen|ilustración|foto|fotografía) (?:de |en la que |donde )(?=\w)", re.I)
_QUOTE = re.compile(r"«(.*)»")


class Source(StrEnum):
    """What a sentence rests on."""

    SEEN = "vista"  # a model looked at the picture
    CAPTION = "pie"  # the printed caption
    ARTICLE = "articulo"  # text printed nearby
    INDEX = "indice"  # the collection's index
    REVIEWER = "revisor"  # a person


class FlagKind(StrEnum):
    """Why a person should look at a sentence."""

    SENSITIVE = "sensible"  # it quotes an old-fashioned or offensive term, as printed
    REPLACED = "sustituido"  # a model said such a term, which was replaced or left out


class Flag(Frozen):
    """Something in a sentence that a person should look at."""

    kind: FlagKind
    term: str | None = Field(default=None, min_length=1)  # as it stands in the sentence; None where it does not
    note: str = Field(min_length=1)  # in Spanish, for the reviewer


class Evidence(Frozen):
    """Where a sentence can be checked."""

    page: int = Field(ge=1)
    boxes: tuple[Box, ...] = Field(min_length=1)
    confidence: float | None = Field(default=None, ge=0, le=1)
    model: str | None = None
    original: str | None = None  # what the model said, where the sentence is its translation
    index: IndexEvidence | None = None  # where the sentence rests on the collection's index


class Sentence(Frozen):
    """A Spanish sentence with what it rests on; `flags` say what in it a person should look at."""

    text: str = Field(min_length=1, pattern=r"\S")
    source: Source
    evidence: Evidence
    flags: tuple[Flag, ...] = ()


class Description(Frozen):
    """The description of a picture; `undescribed` says why no model describes it reliably, where none does.

    The sentences are all that is kept: both texts are made of them.
    """

    picture: str = Field(min_length=1)
    box: Box
    sentences: tuple[Sentence, ...] = ()
    undescribed: str | None = None

    @property
    def text(self) -> str:
        """The long description: the sentences, one space between them; empty where there are none."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def alt(self) -> str:
        """The alternative text, 1 to 125 characters in whole words: the surest sentences that find room.

        The printed caption in «», then what a model saw where that is reliable; what the index says of the page, and
        what the picture stands under, only where there is neither. Sentences with a flag are left out: there is no
        room here for the reason.
        """
        seen = any(sentence.source is Source.SEEN for sentence in self.sentences)
        ranked = sorted(_alt_parts(self), key=lambda part: part[0])
        parts = [text for rank, text in ranked if rank < _PAGE]
        if not parts:
            parts = [text for _, text in ranked]
            parts.insert(0, "Sin descripción fiable." if seen else "Sin descripción.")
        alt = _shortened(parts[0], ALT_LENGTH)
        for part in parts[1:]:
            if len(alt) + 1 + len(part) <= ALT_LENGTH:
                alt = f"{alt} {part}"
        return alt


_PAGE, _ARTICLE = 4, 5  # from here on it is about what surrounds the picture


def _alt_parts(description: Description) -> Iterator[tuple[int, str]]:
    """What may stand in the alternative text, each with its rank: the lowest is the surest."""
    for sentence in description.sentences:
        if any(flag.kind is FlagKind.SENSITIVE for flag in sentence.flags):
            continue
        match sentence.source:
            case Source.REVIEWER:
                yield 0, sentence.text
            case Source.INDEX:
                yield _PAGE, sentence.text
            case Source.CAPTION if quote := _QUOTE.search(sentence.text):
                said = quote[1].replace(" [?]", "").strip().rstrip(".")
                yield (3 if "quizá" in sentence.text[: quote.start()] else 1), f"«{said}»."
            case Source.SEEN if description.undescribed is None:
                said = _IMAGE_OF.sub("", sentence.text.removeprefix(SEEN_HEAD))
                yield 2, f"Según un modelo, {said[:1].lower()}{said[1:]}"
            case Source.ARTICLE:
                yield _ARTICLE, sentence.text.replace(" [?]", "")


def _shortened(text: str, most: int) -> str:
    """`text` in at most `most` characters: cut after a word, with its quotation mark closed."""
    if len(text) <= most:
        return text
    end = "…»" if text.endswith(("».", "»")) else "…"
    kept = text[: most - len(end) + 1].rpartition(" ")[0] or text[: most - len(end)]
    return kept.rstrip(" .,;:«") + end


class Descriptions(Body):
    """The descriptions of a page's pictures, in reading order."""

    pictures: tuple[Description, ...] = ()
