"""Stage 7: Spanish sentences about each picture, each with what it rests on.

What a model saw is said as a model's words; what is printed is quoted, never retold; nobody is named but by print.
Without a captioner the description is built from what is printed, and the reason is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from revista.errors import BadInput, Category, MissingProgram, RevistaError, TimedOut
from revista.geometry import Box
from revista.programs import apertium
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Description,
    Descriptions,
    Evidence,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    Problem,
    Quote,
    Ranking,
    ScoredCandidate,
    Sentence,
    Source,
)
from revista.settings import DescriptionsSettings
from revista.spanish import to_spanish
from revista.wording import decimal, printable

NAME = "descriptions"
VERSION = "3"

NOT_DESCRIBED = "not described by a model"
BY_PRINT = f"{NOT_DESCRIBED}: the strategy of the ranking lets the print speak"
UNRELIABLE = "no reliable description: the models do not know what is shown"

_SURE_LINK = 0.5  # a caption linked with less confidence is told as perhaps the picture's
_CAPTION_WORDS = 120
_PASSAGE_WORDS = 40
_BEGINNING_WORDS = 25
_WORD_SIGNS = 60  # longer words come only from broken OCR
_TRIES = 5  # candidates that are looked at before a picture stays undescribed

# Captioners make up what "is written" in a picture; only OCR is believed there.
_READS = re.compile(
    r"\b(?:that (?:says|reads)|(?:saying|titled|captioned|written)|the (?:words?|letters?|names?|text)|(?:named|called)"
    r"|que dice|la palabra|las palabras|titulad[oa]|llamad[oa])\b",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^[\s.,;:!?¡¿\-–—*\"'`]+")
_TRAILING = re.compile(r"[\s.,;:!?¡¿\-–—*\"'`]+$")


def software(options: DescriptionsSettings) -> dict[str, str]:
    """Versions of what the result depends on; empty where Apertium is missing, which only translations need."""
    try:
        return {"apertium": apertium.probe()}
    except MissingProgram:
        return {}


def run(
    number: int,
    contexts: Contexts,
    candidates: Candidates,
    ranking: Ranking,
    options: DescriptionsSettings,
    timeout: float,
) -> Descriptions:
    """Describe the pictures of a page in Spanish.

    Args:
        number: the page, 1-based.
        contexts: what is printed around each picture.
        candidates: what a captioner proposes; its reason where there was none.
        ranking: what a ranker chose.
        options: from which confidence on print is quoted.
        timeout: seconds that a translation may take.

    Raises:
        MissingProgram: a sentence has to be translated and Apertium is not installed.
    """
    proposed = {item.picture: item for item in candidates.pictures}
    ranked = {item.picture: item for item in ranking.pictures}
    described, problems = [], []
    for context in contexts.pictures:
        writer = _Writer(number, context, options, timeout)
        seen, undescribed = writer.seen(
            proposed.get(context.picture), ranked.get(context.picture), candidates.captioner, ranking.ranker
        )
        sentences = [*writer.caption(), *seen, *writer.article(ranked.get(context.picture))]
        described.append(
            Description(picture=context.picture, box=context.box, sentences=tuple(sentences), undescribed=undescribed)
        )
        problems += writer.problems
    return Descriptions(pictures=tuple(described), problems=tuple(problems))


class _Unusable(Exception):
    """A candidate that may not be used, and why."""


class _Writer:
    """Writes the sentences about one picture, and notes what could not be written."""

    def __init__(self, number: int, context: PictureContext, options: DescriptionsSettings, timeout: float) -> None:
        self._number = number
        self._context = context
        self._options = options
        self._timeout = timeout
        self.problems: list[Problem] = []

    def _note(self, error: RevistaError) -> None:
        self.problems.append(Problem.from_error(error, NAME, self._number, self._context.picture))

    # --- what a model saw ---------------------------------------------------------------------------------

    def seen(
        self,
        proposed: PictureCandidates | None,
        ranked: PictureRanking | None,
        captioner: str | None,
        ranker: str | None,
    ) -> tuple[list[Sentence], str | None]:
        """The model's sentence, and the reason why there is none or it tells nothing.

        A sentence that is not reliable enough is not told; what stands in its place says so. It stays a candidate.
        """
        if ranked and ranked.chosen and ranked.chosen.candidate.source == "window":
            return [], BY_PRINT  # print is no model's voice: `article` quotes it
        scored = _by_captioner(proposed, ranked)
        if not scored or (ranked and ranked.ranked and ranked.chosen is None):
            reason = (proposed.reason if proposed else None) or (ranked.reason if ranked else None)
            return [], reason or f"{NOT_DESCRIBED}: no candidate"
        dropped: list[str] = []
        for one in scored[:_TRIES]:
            try:
                text, translated = self._spanish(one.candidate)
            except _Unusable as error:
                dropped.append(str(error))
            except (BadInput, TimedOut) as error:
                self._note(error)
                dropped.append(error.message)
            else:
                self._note_dropped(dropped)
                models = (captioner, ranker if one.probability is not None else None)
                translator = f"apertium {apertium.probe()}" if translated else None
                evidence = Evidence(
                    page=self._number,
                    boxes=(self._context.box,),
                    confidence=one.probability,
                    model=" + ".join(name for name in (*models, translator) if name) or None,
                    original=one.candidate.text if translated else None,
                )
                return self._told(one, text, evidence)
        self._note_dropped(dropped)
        return [], f"{NOT_DESCRIBED}: no candidate could be used: {dropped[0]}"

    def _told(self, one: ScoredCandidate, text: str, evidence: Evidence) -> tuple[list[Sentence], str | None]:
        """What a candidate says, or that there is nothing reliable, with the reason."""
        chance, least = one.reliability, self._options.min_reliability
        if chance is None or chance >= least:
            return [Sentence(text=f"Descripción automática: {text}.", source=Source.SEEN, evidence=evidence)], None
        said = f"Sin descripción fiable: el modelo no reconoce lo que muestra la imagen (fiabilidad {decimal(chance)})."
        doubtful = evidence.model_copy(update={"confidence": chance, "original": None})
        return [Sentence(text=said, source=Source.SEEN, evidence=doubtful)], UNRELIABLE

    def _note_dropped(self, dropped: list[str]) -> None:
        if dropped:
            self._note(
                RevistaError(
                    f"{len(dropped)} of the captioner's sentences were not used: {'; '.join(dict.fromkeys(dropped))}",
                    "Nothing has to be done; where it happens often, name another captioner in captions.model.",
                    category=Category.REDUCED,
                )
            )

    def _spanish(self, candidate: Candidate) -> tuple[str, bool]:
        """The candidate as the rest of a Spanish sentence, and whether it was translated.

        Raises:
            _Unusable: it names somebody or claims to read print, or has words that cannot be translated.
        """
        said = printable(candidate.text.replace("[UNK]", " "))
        said = _TRAILING.sub("", _LEADING.sub("", said))
        if not re.search(r"[^\W\d_]{2}", said):
            raise _Unusable("a sentence has no words")
        if claim := _READS.search(said):
            raise _Unusable(f"a sentence tells what is written or who is shown ({claim[0]!r})")
        printed = _printed_words(self._context)
        if names := [name for name in _capitalised(said) if not _plain_words(name) <= printed]:
            raise _Unusable(f"a sentence names {names[0]!r}, which is not printed nearby")
        if candidate.language == "es":
            return _lower_first(said), False
        text, unknown = to_spanish(_lower_first(said), self._timeout)
        if strange := [word for word in unknown if not _plain_words(word) <= printed]:
            raise _Unusable(f"the translator does not know {strange[0]!r}, and it is not printed nearby")
        if said == said.lower():
            text = text.lower()  # Apertium writes the first word large, and may move it
        text = _TRAILING.sub("", _LEADING.sub("", text))
        if not text:
            raise _Unusable("a sentence's translation is empty")
        return _lower_first(text), True

    # --- what is printed ----------------------------------------------------------------------------------

    def caption(self) -> Iterator[Sentence]:
        """The printed caption, quoted, or that there is one which could not be read."""
        quote = self._context.caption
        if quote is None or not quote.boxes:
            return
        pictures = len(self._context.caption_shared_with) + 1
        sure = self._context.caption_confidence >= _SURE_LINK
        shared = f", común a {pictures} imágenes" if pictures > 1 else ""
        doubtful = f" cercano, quizá de estas {pictures} imágenes" if pictures > 1 else " cercano, quizá de esta imagen"
        head = f"Pie impreso{shared if sure else doubtful}"
        text = _quoted(quote, _CAPTION_WORDS)
        if text and quote.confidence >= self._options.min_quote_confidence:
            yield _sentence(f"{head}: {text}.", Source.CAPTION, quote)
            return
        yield _sentence(f"{head}, que no se pudo leer con seguridad.", Source.CAPTION, quote)
        self._note(
            RevistaError(
                f"the printed caption was read with a confidence of {quote.confidence:.2f} only and is not quoted",
                "Read it on the page and correct it by hand, or lower descriptions.min_quote_confidence.",
                category=Category.REDUCED,
            )
        )

    def article(self, ranked: PictureRanking | None) -> Iterator[Sentence]:
        """The heading and the passage that a ranker chose; where there is no caption either, the nearest text."""
        context = self._context
        heading, caption = context.heading, context.caption
        if heading and self._quotable(heading):
            place = "Sobre" if all(box.top >= context.box.bottom for box in heading.boxes) else "Bajo"
            yield _sentence(f"{place} el título {_quoted(heading, _PASSAGE_WORDS)}.", Source.ARTICLE, heading)
        window = ranked.window.candidate.quote if ranked and ranked.window else None
        known = " ".join(printable(quote.text) for quote in (caption, heading) if quote)
        if window and self._quotable(window) and printable(window.text) not in known:
            where = "El texto cercano dice" if window.page == self._number else "En la página anterior se lee"
            text = _quoted(window, _PASSAGE_WORDS, cut=_cut_marks(window, context))
            yield _sentence(f"{where}: {text}.", Source.ARTICLE, window)
        elif caption is None and (nearest := _nearest(context)) and self._quotable(nearest):
            begun = printable(nearest.text)[:1].islower()  # in the column or on the page before
            text = _quoted(nearest, _BEGINNING_WORDS, cut=(begun, False))
            yield _sentence(f"El texto más cercano dice: {text}.", Source.ARTICLE, nearest)

    def _quotable(self, quote: Quote) -> bool:
        readable = quote.confidence >= self._options.min_quote_confidence
        return readable and bool(quote.boxes) and bool(re.search(r"[^\W_]", printable(quote.text)))


def _sentence(text: str, source: Source, quote: Quote) -> Sentence:
    evidence = Evidence(page=quote.page, boxes=quote.boxes, confidence=quote.confidence)
    return Sentence(text=text, source=source, evidence=evidence)


def _by_captioner(proposed: PictureCandidates | None, ranked: PictureRanking | None) -> list[ScoredCandidate]:
    """The captioner's candidates, the chosen one first."""
    scored = [*([ranked.chosen] if ranked and ranked.chosen else []), *(ranked.ranked if ranked else ())]
    scored += [ScoredCandidate(candidate=candidate) for candidate in (proposed.candidates if proposed else ())]
    unique = {one.candidate.text: one for one in reversed(scored) if one.candidate.source == "captioner"}
    order = dict.fromkeys(one.candidate.text for one in scored if one.candidate.source == "captioner")
    return [unique[text] for text in order]


def _quoted(quote: Quote, most: int, cut: tuple[bool, bool] = (False, False)) -> str:
    """The quote in «», doubtful words marked with [?], cut after `most` words; empty where nothing is left.

    Args:
        quote: print; its `uncertain` are indices into `text.split()`.
        most: words.
        cut: whether print before and after it was left out.
    """
    words = []
    for index, raw in enumerate(quote.text.split()):
        word = printable(raw).translate(_INNER_QUOTES)
        if word:
            word = word if len(word) <= _WORD_SIGNS else f"{word[: _WORD_SIGNS - 1]}…"
            words.append(f"{word} [?]" if index in quote.uncertain else word)
    if not any(map(str.isalnum, "".join(words))):
        return ""
    before = "[…] " if cut[0] else ""
    after = " […]" if cut[1] or len(words) > most else ""
    return f"«{before}{' '.join(words[:most])}{after}»"


_INNER_QUOTES = str.maketrans("«»", "“”")


def _cut_marks(window: Quote, context: PictureContext) -> tuple[bool, bool]:
    """Whether print of the window's passage stands before and after it."""
    text = printable(window.text)
    for passage in (*context.before, *context.after, *context.previous_page):
        whole = printable(passage.text)
        if passage.page == window.page and (place := f" {whole} ".find(f" {text} ")) >= 0:
            return place > 0, place + len(text) < len(whole)
    return True, True


def _nearest(context: PictureContext) -> Quote | None:
    """The paragraph on the picture's page that stands nearest to it."""
    quotes = [quote for quote in (*context.after[:1], *context.before[-1:]) if quote.boxes]
    return min(quotes, key=lambda quote: min(_distance(context.box, box) for box in quote.boxes), default=None)


def _distance(a: Box, b: Box) -> int:
    return max(a.left - b.right, b.left - a.right, 0) + max(a.top - b.bottom, b.top - a.bottom, 0)


def _printed_words(context: PictureContext) -> set[str]:
    """The words printed around a picture, in a form in which they can be compared."""
    quotes: Iterable[Quote | None] = (
        context.caption,
        context.heading,
        *context.before,
        *context.after,
        *context.previous_page,
    )
    return set().union(*(_plain_words(quote.text) for quote in quotes if quote))


def _plain_words(text: str) -> set[str]:
    """Words without accents and in small letters."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return set(re.findall(r"[^\W_]+", bare.casefold()))


def _capitalised(said: str) -> list[str]:
    """Words with a capital that are not the first of a sentence, as names are written."""
    words = said.split()
    if said.isupper():
        return words
    inner = (word for last, word in pairwise(words) if last[-1] not in ".!?:")
    bare = (word.strip(".,;:!?¡¿()\"'«»“”") for word in inner)
    return [word for word in bare if word[:1].isupper() and word != "I"]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
