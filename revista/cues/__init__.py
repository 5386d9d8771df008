"""Cues: what the print around a picture lets one expect to see in it, in the captioner's language.

The printed caption comes first, then the heading, then the near paragraphs; words read with low confidence do not
count. From the nouns of `lexicon.tsv` come openings for captions ("two children", "a bride"); these and what Apertium
makes of the rest give words that a caption may hold. Names give nothing: nobody is named by a model. A cue is a
question to the captioner, never an answer: how likely the whole sentence is, the cue's words included, stays the
captioner's to say, and the ranker's after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from revista.cues.lexicon import LONGEST, Entry, lexicon, number_of, phrase
from revista.programs.apertium import Translation
from revista.records import Cue, PictureContext, Quote
from revista.translation import Apertium, Pair, Translator
from revista.wording import bare, printable

Language = Literal["en", "es"]
Origin = Literal["caption", "heading", "paragraph"]

PAIR: Pair = "spa-eng"

_MOST_WORDS = 60  # of a passage that are looked at
_WORD_SIGNS = 30  # longer words come only from broken OCR
_LEAST_CONFIDENCE = 0.5  # a passage read worse than this on the whole gives no cues
_ORDER = ("people", "event", "animal", "vehicle", "picture", "place", "object")  # which kind is asked first
_SCENERY = frozenset(("place", "object"))
_NAMES_TOO = frozenset(("animal", "vehicle", "object"))  # with a capital inside a sentence these are names: "León"
_DETERMINERS = frozenset(("el", "la", "los", "las", "un", "una", "su", "sus", "con", "dos", "tres", "cuatro"))
_ABBREVIATED = {
    "sra": "señora",
    "srta": "señorita",
    "sr": "señor",
    "dr": "doctor",
    "dra": "doctora",
    "ldo": "licenciado",
    "gral": "general",
    "cnel": "coronel",
    "tte": "teniente",
}
_STOP_ENGLISH = """
a an the of in on at to with and or is are was were be been being has have had his her its their our my this that these
those it he she they we you who which what where when while by for from as than then into out up down some any each
other one not no do does did so very more most also only there here over under between through along during after before
against without within if because
"""
_STOP_SPANISH = """
a al ante aquel aquella bajo como con cual cuando de del desde donde durante e el ella ellos en entre era es esa ese
esta este está están fue ha han hasta la las le les lo los mas más mi muy no nos o para pero por que se según ser si sin
sobre son su sus también tras tu un una unas unos y ya
"""
_STOP: dict[str, frozenset[str]] = {
    "en": frozenset(_STOP_ENGLISH.split()),
    "es": frozenset(_STOP_SPANISH.split()),
}


@dataclass(frozen=True)
class Expected:
    """What the print lets one expect of a picture."""

    cues: tuple[Cue, ...] = ()  # openings, the first to be asked first
    words: Cue | None = None  # words that a caption may hold, ", " between them; None: there are none
    translation: str | None = None  # of caption or heading, without names, into the captioner's language


@dataclass(frozen=True)
class _Word:
    text: str  # without punctuation
    starts: bool  # begins a sentence


def expect(
    contexts: Sequence[PictureContext],
    language: Language,
    most: int,
    timeout: float,
    translator: Translator | None = None,
) -> list[Expected]:
    """What the print around each picture of a page lets one expect.

    Args:
        contexts: what is printed around each.
        language: of the captioner.
        most: openings a picture.
        timeout: seconds for all translations.
        translator: from Spanish into English; None: Apertium.

    Raises:
        MissingProgram: Apertium is needed and not installed.
        TimedOut, BadInput, ModelError: it did not answer in time, or with an error.
    """
    passages = [list(_passages(context)) for context in contexts]
    told = [_told(own) for own in passages]
    lines = [" ".join(_ABBREVIATED.get(bare(word.text), word.text) for word in words) for words in told]
    made: list[Translation | None] = [None] * len(lines)
    if language == "en" and any(lines):
        made = list((translator or Apertium(PAIR)).translate_lines(lines, timeout))
    found = []
    for own, words, line, translation in zip(passages, told, lines, made, strict=True):
        text = line if translation is None else translation.text
        unknown = frozenset(map(str.casefold, translation.unknown)) if translation else frozenset()
        expected = Expected(
            cues=tuple(_openings(own, language))[:most],
            words=_words(own, text, unknown, language, bool(words)),
            translation=text or None if language == "en" else None,
        )
        found.append(expected)
    return found


def without_translation(contexts: Sequence[PictureContext], language: Language, most: int) -> list[Expected]:
    """What `expect` gives where Apertium fails: by the lexicon alone."""
    found = []
    for context in contexts:
        own = list(_passages(context))
        words = _words(own, "", frozenset(), language, False)
        found.append(Expected(tuple(_openings(own, language))[:most], words))
    return found


def spoken_of(context: PictureContext) -> str | None:
    """The print that most likely tells what a picture shows: caption, heading or nearest paragraph; None without."""
    for quote in (context.caption, context.heading, *context.after[:1], *context.before[-1:]):
        if quote is not None and (text := printable(quote.text)):
            return text
    return None


# --- words of the print ---------------------------------------------------------------------------------------


def _passages(context: PictureContext) -> Iterator[tuple[Origin, list[_Word]]]:
    """The print around a picture that can be read, nearest in meaning first."""
    quotes: list[tuple[Origin, Quote | None]] = [("caption", context.caption), ("heading", context.heading)]
    near = [*context.after[:1], *context.before[-1:], *context.after[1:], *context.before[-2::-1]]
    quotes += [("paragraph", quote) for quote in near]
    for origin, quote in quotes:
        if quote is not None and quote.confidence >= _LEAST_CONFIDENCE:
            yield origin, list(_read(quote))


def _read(quote: Quote) -> Iterator[_Word]:
    """The words of a passage that were read with confidence."""
    starts = True
    for index, raw in enumerate(quote.text.split()[:_MOST_WORDS]):
        clean = printable(raw)
        text = clean.strip(".,;:!?¡¿()[]{}<>\"'«»“”‘’-–—*_/\\|·•°")
        if index not in quote.uncertain and text and len(text) <= _WORD_SIGNS and text.replace("-", "").isalpha():
            yield _Word(text, starts)
        abbreviated = bare(text) in _ABBREVIATED or len(text) < 3
        starts = clean.endswith((".", "!", "?", ":", "…")) and not abbreviated


def _shouted(words: Sequence[_Word]) -> bool:
    """Whether a passage is set in capitals, so that a name cannot be told from another word."""
    signs = "".join(word.text for word in words)
    return sum(map(str.isupper, signs)) > len(signs) / 2


def _told(passages: Sequence[tuple[Origin, list[_Word]]]) -> list[_Word]:
    """The words of caption, or else heading, without names; of a passage in capitals nothing."""
    for origin, words in passages:
        if origin != "paragraph" and words:
            return [] if _shouted(words) else [word for i, word in enumerate(words) if not _a_name(words, i)]
    return []


def _a_name(words: Sequence[_Word], at: int) -> bool:
    """Whether a word looks like a part of a name: a capital, and not that of a known noun or of a sentence's start."""
    word = words[at]
    if not word.text[:1].isupper():
        return False
    entry = lexicon().get(bare(word.text))
    if entry is not None and not (entry.kind in _NAMES_TOO and _in_a_name(words, at, 1, False)):
        return False
    following = at + 1 < len(words) and not words[at + 1].starts and words[at + 1].text[:1].isupper()
    return not word.starts or (following and bare(word.text) not in _STOP["es"])


# --- openings -------------------------------------------------------------------------------------------------


def _openings(passages: Sequence[tuple[Origin, list[_Word]]], language: Language) -> list[Cue]:
    """How a caption may begin, by each passage's nouns; no text twice."""
    unique: dict[str, Cue] = {}
    for origin in ("caption", "heading", "paragraph"):
        cues = [cue for own, words in passages if own == origin for cue in _of_passage(origin, words, language)]
        lively = [cue for cue in cues if cue.kind not in _SCENERY]  # "a forest" begins no sentence about a boy in it
        for cue in sorted(lively or cues, key=lambda cue: _ORDER.index(cue.kind)):
            unique.setdefault(cue.text, cue)
    return list(unique.values())


def _of_passage(origin: Origin, words: Sequence[_Word], language: Language) -> Iterator[Cue]:
    for entry, at, length in _nouns(words):
        number = number_of(words[at - 1].text) if at else None
        printed = " ".join(word.text for word in words[at - bool(number) : at + length])
        article = words[at - 1].text if at and not number else ""
        text = phrase(entry, number) if language == "en" else _in_spanish(printed, article, entry, number)
        yield Cue(text=text, kind=entry.kind, printed=printed, origin=origin)


def _nouns(words: Sequence[_Word]) -> Iterator[tuple[Entry, int, int]]:
    """The nouns of the lexicon in a passage: entry, index of the first word, number of words; the longest wins."""
    known, shouted = lexicon(), _shouted(words)
    at = 0
    while at < len(words):
        step = 1
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            part = words[at : at + length]
            entry = known.get(" ".join(bare(word.text) for word in part))
            if entry is None:
                continue
            if entry.kind not in _NAMES_TOO or not _in_a_name(words, at, length, shouted):
                yield entry, at, length
                step = length
                break
        at += step


def _in_a_name(words: Sequence[_Word], at: int, length: int, shouted: bool) -> bool:
    """Whether a noun that is a name too ("León", "Rosa") stands like one."""
    if shouted:  # "EL LEÓN" is none
        return not at or bare(words[at - 1].text) not in _DETERMINERS
    if not words[at].text[:1].isupper():
        return False
    after = at + length
    followed = after < len(words) and not words[after].starts and words[after].text[:1].isupper()
    return followed or not words[at].starts


_FEMININE = re.compile(r"(?:as?|dad|ción|sión|tud|umbre|triz|ed)$")


def _in_spanish(printed: str, article: str, entry: Entry, number: str | None) -> str:
    """An opening for a captioner that speaks Spanish: the printed noun with an article."""
    first, _, rest = printed.lower().partition(" ")
    text = " ".join(part for part in (_ABBREVIATED.get(bare(first), first), rest) if part)
    if number:
        return text
    feminine = bool(_FEMININE.search(text.split()[0]))
    if (before := bare(article)) in ("la", "una", "las", "unas", "el", "un", "del", "al", "los", "unos"):
        feminine = before in ("la", "una", "las", "unas")
    if entry.plural or (entry.kind == "people" and text.split()[0].endswith("s")):
        return f"{'unas' if feminine else 'unos'} {text}"
    return f"{'una' if feminine else 'un'} {text}"


# --- words ----------------------------------------------------------------------------------------------------


def _words(
    passages: Sequence[tuple[Origin, list[_Word]]], text: str, unknown: frozenset[str], language: Language, told: bool
) -> Cue | None:
    """The words that a caption may hold: of caption or heading and what their nouns look like, or else of paragraphs.

    Args:
        passages: of the print.
        text: caption or heading in the captioner's language.
        unknown: words of it, in small letters, that the translator left as they were.
        language: of the captioner.
        told: whether `text` says anything.
    """
    chosen = [passage for passage in passages if passage[0] != "paragraph"][:1] or list(passages)
    seen = [cue for origin, words in chosen for cue in _of_passage(origin, words, language)]
    if told and language == "en":  # the translation names things better than what they are worn by
        seen = [cue for cue in seen if cue.kind not in _SCENERY]
    spoken = [word for word in _content(text, language) if word not in unknown] if told else []
    found = list(dict.fromkeys([*spoken, *(w for cue in seen for w in _content(cue.text, language))]))
    if not found:
        return None
    printed = " ".join(word.text for _, words in chosen for word in words)
    return Cue(text=", ".join(found[:_MOST_WORDS]), kind="words", printed=printed[:400], origin=chosen[0][0])


def _content(text: str, language: Language) -> Iterable[str]:
    """The words of a text, in small letters, that mean something by themselves."""
    words = (word.casefold() for word in re.findall(r"[^\W\d_]{2,}", text))
    return [word for word in words if word not in _STOP[language]]


def content_words(text: str, language: Language) -> frozenset[str]:
    """The words of a text that mean something by themselves, in small letters."""
    return frozenset(_content(text, language))
