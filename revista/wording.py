"""Text from outside (OCR, models) made safe to print, store and compare; numbers as Spanish writes them."""

from __future__ import annotations

import re
import unicodedata

_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn")  # controls, bidirectional and zero-width marks, surrogates, unassigned
_CREDIT = re.compile(
    r"^\W*(fots?|fotos?|fotograf\w+|foto-?grabados?|phot\w*|clich[eé]s?|dibujos?|caricaturas?|apuntes?|copyright"
    r"|underwood|dib\w{2,4}(?= de\b)|fot\w{2,6} ?\w{2,6}(?= de\b)"  # small italics are easily misread
    r"|(?<=\()f[oae]\W{0,2}t(?=\.)|fo(?= (?-i:[A-ZÁÉÍÓÚÑ])\w+\W*$))\b",
    re.IGNORECASE,
)
_LIKE_A_CREDIT = re.compile(r"\W*(?:fot|dib|caric|apunt)", re.IGNORECASE)


def printable(text: str) -> str:
    """`text` in Unicode's normal form C, without invisible characters, with single spaces.

    Controls that separate (line ends, tabs) become spaces; other controls, marks that turn the writing direction,
    zero-width signs, lone surrogates and unassigned code points are dropped. What can be printed stays, HTML
    signs included: escaping them is the business of whoever writes HTML.
    """
    spaced = "".join(" " if sign.isspace() else sign for sign in text)
    kept = "".join(sign for sign in spaced if unicodedata.category(sign) not in _DROPPED)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def bare(text: str) -> str:
    """A text in small letters without accents, as words of it are compared: OCR loses both."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def plain_words(text: str) -> list[str]:
    """The words of a text in a form in which they can be compared: `bare`, without signs."""
    return re.findall(r"[^\W_]+", bare(text))


def decimal(number: float, places: int = 2) -> str:
    """A number with a decimal comma."""
    return f"{number:.{places}f}".replace(".", ",")


def is_credit(text: str, words: int = 5, *, guessed: bool = False) -> bool:
    """Whether a line of print says who photographed, drew or printed the picture.

    Args:
        text: the line.
        words: how many it has at most.
        guessed: whether it was read with little confidence: then its first letters are enough.
    """
    pattern = _LIKE_A_CREDIT if guessed else _CREDIT
    return bool(pattern.match(text)) and len(text.split()) <= words
