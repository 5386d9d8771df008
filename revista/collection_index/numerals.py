"""Numbers as an index writes them: pages ("12, 15 y 20"), volumes ("XIV"), double issues ("6-7"), years."""

from __future__ import annotations

import re

from revista.wording import bare

_MOST_PAGES = 150  # in one entry; more is a slip
_MOST_NUMBERS = 4  # in one issue
_DASH = "[-\u2010-\u2015\u2212]"
_WORD_PAGE = re.compile(r"(?:p|pp|pags?|paginas?|pages?)(?:\.\s*|\s+|(?=[0-9]))")
_WORD_VOLUME = re.compile(r"(?:v|vol|volumen|volume|t|tomo)(?:\.\s*|\s+|(?=[0-9]))")
_WORD_NUMBER = re.compile(r"(?:n|no|nro|num|numero|number)(?:[.º°]+\s*|\s+|(?=[0-9]))|[nº°#]+\s*")
_BETWEEN = re.compile(r"\s*[,;/&]\s*(?:[ye]\s+)?|\s+(?:y|e|and)\s+")
_SPAN = re.compile(rf"([0-9]{{1,4}})(?:\.0)?(?:\s*(?:{_DASH}|\b(?:a|al|to)\b)\s*([0-9]{{1,4}}))?")
_WHOLE = re.compile(r"([0-9]{1,4})(?:\.0)?")
_ROMAN = re.compile(r"(?=.)(c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


def pages_of(text: str) -> tuple[int, ...]:
    """The pages that a cell names, ascending: `12`, `12-14`, `pp. 12, 15 y 20`.

    Raises:
        ValueError: it names none, or may be meant in more than one way; the message says why.
    """
    if not text.strip():
        raise ValueError("the pages are missing")
    pages: set[int] = set()
    for part in _BETWEEN.split(_without(_WORD_PAGE, text)):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise ValueError(f"the pages {_shown(text)} cannot be read")
        first, last = int(span[1]), int(span[2] or span[1])
        if first < 1:
            raise ValueError(f"the pages {_shown(text)} begin before page 1")
        if last < first:  # 12-4 may be 12 to 14, or a slip
            raise ValueError(f"the pages {_shown(text)} end before they begin")
        if last - first >= _MOST_PAGES:
            raise ValueError(f"the pages {_shown(text)} are more than {_MOST_PAGES}")
        pages |= set(range(first, last + 1))
    if len(pages) > _MOST_PAGES:
        raise ValueError(f"the pages {_shown(text)} are more than {_MOST_PAGES}")
    return tuple(sorted(pages))


def volume_of(text: str) -> int:
    """A volume, in Arabic or Roman digits: `14`, `XIV`, `vol. 14`.

    Raises:
        ValueError: it is none.
    """
    said = bare(text).strip()
    plain = said if _ROMAN.fullmatch(said) else _without(_WORD_VOLUME, text)
    if _ROMAN.fullmatch(plain):
        digits = [_VALUES[sign] for sign in plain]
        return sum(-one if one < after else one for one, after in zip(digits, [*digits[1:], 0], strict=True))
    return _whole(plain, text, "volume")


def number_of(text: str) -> int:
    """An issue's number, the first one of a double issue: `6`, `no. 6`, `6-7`, `6 y 7`.

    Raises:
        ValueError: it is none.
    """
    if not text.strip():
        raise ValueError("the number is missing")
    try:
        numbers = pages_of(_without(_WORD_NUMBER, text))
    except ValueError:
        numbers = ()
    if not numbers or numbers[-1] - numbers[0] >= _MOST_NUMBERS:
        raise ValueError(f"the number {_shown(text)} cannot be read")
    return numbers[0]


def year_of(text: str) -> int:
    """A year, 1800 to 2100.

    Raises:
        ValueError: it is none.
    """
    year = _whole(text.strip(), text, "year")
    if not 1800 <= year <= 2100:
        raise ValueError(f"the year {_shown(text)} cannot be meant")
    return year


def _whole(plain: str, text: str, what: str) -> int:
    if found := _WHOLE.fullmatch(plain):
        return int(found[1])
    raise ValueError(f"the {what} {_shown(text)} cannot be read" if text.strip() else f"the {what} is missing")


def _without(word: re.Pattern[str], text: str) -> str:
    """`text` in small letters, without the word (or its abbreviation) before the number."""
    said = bare(text).strip()
    found = word.match(said)
    return said[found.end() :].strip() if found else said


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
