"""Quotes and windows: print taken over word for word, with its boxes and its doubtful words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from revista.errors import BadArguments
from revista.geometry import Box, hull
from revista.records import Line, Quote
from revista.wording import printable

ItemT = TypeVar("ItemT")

_HYPHENS = "-\u2010\u00ac"  # hyphen-minus, hyphen, and the not sign that OCR reads for it


@dataclass(frozen=True)
class Token:
    """A word of a quote: one printed word, or the two halves of one that was divided at a line end."""

    text: str
    parts: tuple[tuple[int, Box], ...]  # (line counted from the start of the passage, box)
    confidence: float


def tokens_of(lines: Iterable[Line]) -> list[Token]:
    """The words of a passage, with words that were divided at line ends put together again.

    A hyphen that ends a line is taken away where the next line begins with a small letter ("foto-/grafía"), and
    kept where it begins with a capital or a digit ("Pérez-/Chaumont"). A compound in small letters that was divided
    at its own hyphen cannot be told apart from a divided word, and loses the hyphen. The page text keeps what is
    printed. A joined word is as sure as its less sure half.
    """
    tokens: list[Token] = []
    for number, line in enumerate(lines):
        first = True
        for word in line.words:
            for text in printable(word.text).split():
                token = Token(text, ((number, word.box),), word.confidence)
                if first and tokens and tokens[-1].parts[-1][0] == number - 1 and _divided(tokens[-1].text, text):
                    token = _joined(tokens.pop(), token)
                tokens.append(token)
                first = False
    return tokens


def tokens_of_each(passages: Iterable[Sequence[Line]]) -> list[Token]:
    """The words of several passages one after the other, none put together across two; lines are counted through."""
    tokens: list[Token] = []
    before = 0
    for lines in passages:
        for token in tokens_of(lines):
            placed = tuple((before + number, box) for number, box in token.parts)
            tokens.append(Token(token.text, placed, token.confidence))
        before += len(lines)
    return tokens


def _divided(left: str, right: str) -> bool:
    if len(left) < 3 or left[-1] not in _HYPHENS:
        return False
    return (left[-2].isalpha() and right[0].isalnum()) or (left[-2].isdigit() and right[0].isdigit())


def _joined(left: Token, right: Token) -> Token:
    stem = left.text[:-1] if right.text[0].islower() else left.text
    return Token(stem + right.text, left.parts + right.parts, min(left.confidence, right.confidence))


def quote_of(tokens: Sequence[Token], page: int, min_confidence: float) -> Quote | None:
    """The quote of `tokens`, None where there are none.

    Args:
        tokens: words of one passage.
        page: where they are printed, 1-based.
        min_confidence: words below it are marked in `uncertain` (indices into `text.split()`), 0.0 to 1.0.

    Returns:
        A quote with one box a printed line, and the mean of the words' confidences.
    """
    if not tokens:
        return None
    by_line: dict[int, list[Box]] = {}
    for token in tokens:
        for number, box in token.parts:
            by_line.setdefault(number, []).append(box)
    return Quote(
        text=" ".join(token.text for token in tokens),
        page=page,
        boxes=tuple(hull(by_line[number]) for number in sorted(by_line)),
        confidence=round(sum(token.confidence for token in tokens) / len(tokens), 4),
        uncertain=tuple(index for index, token in enumerate(tokens) if token.confidence < min_confidence),
    )


def windows_of(words: Sequence[ItemT], size: int = 10, overlap: int = 3) -> list[Sequence[ItemT]]:
    """Windows of `size` words, each sharing its first `overlap` words with the one before.

    Every word is in at least one window. The last window ends with the last word and may be shorter; it always
    holds a word that the one before lacks.

    Raises:
        BadArguments: `size` is below 1, or `overlap` is negative or not smaller than `size`.
    """
    if size < 1 or not 0 <= overlap < size:
        raise BadArguments(
            f"windows of {size} words cannot overlap by {overlap}",
            "Set context.window_words to 1 or more, and context.window_overlap to less than that.",
        )
    step = size - overlap
    starts = range(0, max(len(words) - overlap, 1), step) if words else ()
    return [words[start : start + size] for start in starts]
