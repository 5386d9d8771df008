"""The nouns of `lexicon.tsv`: what a captioner can see of what the print names, in any number.

Words are compared without accents and in small letters, since OCR loses both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from revista.spanish.english import plural
from revista.wording import bare

Kind = Literal["picture", "people", "animal", "vehicle", "place", "event", "object"]
KINDS: tuple[Kind, ...] = get_args(Kind)

LONGEST = 3  # words of an entry

_ARTICLE = re.compile(r"^(?:an?|the) ")
_MANY = frozenset(("people", "children", "girls", "ladies"))
_NUMBERS = {
    "dos": "two",
    "ambos": "two",
    "ambas": "two",
    "tres": "three",
    "cuatro": "four",
    "cinco": "five",
    "seis": "six",
    "siete": "seven",
    "ocho": "eight",
    "varios": "several",
    "varias": "several",
    "unos": "several",
    "unas": "several",
}


@dataclass(frozen=True)
class Entry:
    """A noun as the print has it, and what it looks like."""

    spanish: str  # small letters, without accents
    english: str  # with its article where it can be counted
    kind: Kind
    plural: bool  # whether `spanish` is a plural that the code made


def number_of(word: str) -> str | None:
    """How many the print says there are: "two" for "dos"; None for other words and numbers above eight."""
    return _NUMBERS.get(bare(word))


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Entry]:
    """All entries, singular and plural, by their Spanish."""
    found: dict[str, Entry] = {}
    lines = Path(__file__).with_name("lexicon.tsv").read_text("utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        spanish, english, kind = line.split("\t")
        if kind not in KINDS or len(spanish.split()) > LONGEST:
            raise ValueError(f"lexicon.tsv, line {number}: {line!r}")
        found[bare(spanish)] = Entry(bare(spanish), english, kind, False)
    for entry in list(found.values()):
        for form in _spanish_plurals(entry.spanish):
            found.setdefault(form, Entry(form, entry.english, entry.kind, True))
    return found


def _spanish_plurals(noun: str) -> tuple[str, ...]:
    """The plural, made at the first word as the head of the phrase is."""
    head, _, rest = noun.partition(" ")
    if head.endswith("s"):
        return ()
    plural = head[:-1] + "ces" if head.endswith("z") else head + ("s" if head[-1] in "aeiou" else "es")
    rest = f" {rest}" if rest else ""
    foreign = (f"{head}s{rest}",) if head[-1] not in "aeiouz" else ()  # "los clubs"
    return (plural + rest, *foreign)


def phrase(entry: Entry, number: str | None = None) -> str:
    """How an English caption may begin that shows what the print names.

    Args:
        entry: of the lexicon.
        number: how many, as `number_of` says; None: one, or an unknown number of a plural.
    """
    if number and entry.english.split()[-1] in _MANY and len(entry.english.split()) <= 2:
        return f"{number} {entry.english}"
    if not _ARTICLE.match(entry.english) or entry.english.startswith("the ") or not (entry.plural or number):
        return entry.english
    noun = _ARTICLE.sub("", entry.english)
    if noun.startswith(("group of", "crowd of", "couple")):
        return entry.english
    several = english_plural(noun)
    return f"{number} {several}" if number else several


def english_plural(noun: str) -> str:
    """The plural of a noun phrase without article: "young man in a hat" becomes "young men in hats"."""
    words = noun.split()
    head = next((i for i, word in enumerate(words) if word in _AFTER_HEAD), len(words)) - 1
    words[head] = plural(words[head])
    after = " ".join(words[head + 1 :])
    own = re.sub(r"\b(?:an?) ((?:\w+ )?)(hat|suit|uniform|robe|costume|dress|crown)$", r"\1\2s", after)
    own = own.replace("dresss", "dresses")
    return " ".join([*words[: head + 1], own]).strip()


_FOLLOWING = """
in of with on at by from riding playing singing painting cooking driving smoking drawing speaking rowing selling dancing
walking sitting swimming fishing fencing
"""
_AFTER_HEAD = frozenset(_FOLLOWING.split())
