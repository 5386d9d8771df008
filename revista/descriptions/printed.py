"""What is printed about a picture, quoted: its caption, its heading, the passage that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from revista.descriptions.sensitive import printed_flags
from revista.errors import Category, RevistaError
from revista.geometry import Box
from revista.records import Evidence, PictureContext, PictureRanking, Quote, Sentence, Source
from revista.settings import DescriptionsSettings
from revista.wording import printable

_SURE_LINK = 0.5  # a caption linked with less confidence is told as perhaps the picture's
_CAPTION_WORDS = 120
_PASSAGE_WORDS = 40
_BEGINNING_WORDS = 25
_WORD_SIGNS = 60  # longer words come only from broken OCR


class Printed:
    """Quotes the print about one picture, and notes what could not be quoted."""

    def __init__(self, page: int, context: PictureContext, options: DescriptionsSettings) -> None:
        self._page = page
        self._context = context
        self._options = options
        self.errors: list[RevistaError] = []

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
        self.errors.append(
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
            where = "El texto cercano dice" if window.page == self._page else "En la página anterior se lee"
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
    confidence = min(max(quote.confidence, 0.0), 1.0)
    evidence = Evidence(page=quote.page, boxes=quote.boxes, confidence=confidence)
    return Sentence(text=text, source=source, evidence=evidence, flags=printed_flags(text))


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
