"""Period terms that need a person's eye, and that no model may say; the lexicon is `sensitive.toml`.

Print is quoted as it is printed: its terms are only marked, with the reason. What a model says is put in neutral words,
or not told. Words that are harmless in most uses count only beside the words that make them harmful: "el negro" and
"un niño negro", not "un vestido negro". See docs/sensitive.md.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from revista.records import Flag, FlagKind

_FILE = Path(__file__).with_name("sensitive.toml")
_BEYOND = 40  # characters beside a term that its conditions see


class Withheld(Exception):
    """A model's sentence has a term for which there is no neutral one; the message says of what kind, not which."""


class Entry(NamedTuple):
    """A term of the lexicon with the conditions on which it counts."""

    term: re.Pattern[str]
    about: str  # raza, discapacidad, clase, género
    note: str  # in Spanish, for the reviewer
    after: re.Pattern[str] | None
    before: re.Pattern[str] | None
    not_after: re.Pattern[str] | None
    not_before: re.Pattern[str] | None
    lower: bool
    say: dict[str, str]
    person: re.Pattern[str]  # a person beside the term: only there it can be left out

    def counts(self, text: str, folded: str, start: int, end: int) -> bool:
        """Whether the term at `start` to `end` is meant as the lexicon means it."""
        left, right = folded[max(0, start - _BEYOND) : start], folded[end : end + _BEYOND]
        if self.lower and text[start].isupper() and text[start + 1 : end].islower() and start > 0:
            return False
        if (self.not_after and self.not_after.search(left)) or (self.not_before and self.not_before.match(right)):
            return False
        if self.after is None and self.before is None:
            return True
        return bool((self.after and self.after.search(left)) or (self.before and self.before.match(right)))

    def beside_person(self, folded: str, start: int, end: int) -> bool:
        """Whether a word for a person stands right before or after."""
        around = folded[max(0, start - _BEYOND) : start], folded[end : end + _BEYOND]
        return any(self.person.search(side) for side in around)


class Found(NamedTuple):
    """A term in a text."""

    start: int
    end: int
    entry: Entry


@lru_cache(maxsize=1)
def lexicon() -> dict[str, tuple[Entry, ...]]:
    """The entries by language, `es` and `en`."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    sets: dict[str, str] = data["sets"]
    return {
        language: tuple(_entry(entry, sets, sets["person" if language == "es" else "person_en"]) for entry in entries)
        for language, entries in data.items()
        if language != "sets"
    }


def _entry(entry: dict[str, Any], sets: dict[str, str], person: str) -> Entry:
    given = {key: _filled(value, sets) for key, value in entry.items() if isinstance(value, str)}

    def left(name: str) -> re.Pattern[str] | None:
        return re.compile(rf"\b(?:{given[name]})[ -]+$") if name in given else None

    def right(name: str) -> re.Pattern[str] | None:
        return re.compile(rf"[ -]+(?:{given[name]})(?!\w)") if name in given else None

    return Entry(
        term=re.compile(rf"\b(?:{given['term']})(?!\w)"),
        about=entry["about"],
        note=entry["note"],
        after=left("after"),
        before=right("before"),
        not_after=left("not_after"),
        not_before=right("not_before"),
        lower=entry.get("lower", False),
        say=entry.get("say", {}),
        person=re.compile(rf"\b(?:{person})[ -]+$|^[ -]+(?:{person})(?!\w)"),
    )


def _filled(expression: str, sets: dict[str, str]) -> str:
    for name, words in sets.items():
        expression = expression.replace(f"{{{name}}}", words)
    return expression


def find(text: str, language: Literal["en", "es"]) -> tuple[Found, ...]:
    """The terms in `text`, in their order, none within another."""
    folded = _folded(text)
    found: list[Found] = []
    for entry in lexicon()[language]:
        for match in entry.term.finditer(folded):
            if entry.counts(text, folded, *match.span()):
                found.append(Found(*match.span(), entry))
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def printed_flags(text: str) -> tuple[Flag, ...]:
    """What a reviewer should look at in quoted print, each term once a form."""
    flags = {
        text[one.start : one.end]: Flag(
            kind=FlagKind.SENSITIVE,
            term=text[one.start : one.end],
            note=f"{one.entry.about.capitalize()}: {_lower_first(one.entry.note)}",
        )
        for one in find(text, "es")
    }
    return tuple(flags.values())


def neutral(text: str, language: Literal["en", "es"]) -> tuple[str, tuple[Flag, ...]]:
    """What a model said in neutral words, and a flag for each term that was replaced or left out.

    Raises:
        Withheld: there is no neutral word for one of its terms.
    """
    flags: list[Flag] = []
    while found := find(text, language):  # a word that is left out may bring two others together
        folded = _folded(text)
        for one in reversed(found):
            said = one.entry.say.get(folded[one.start : one.end], one.entry.say.get("*"))
            if said is None or (not said and not one.entry.beside_person(folded, one.start, one.end)):
                raise Withheld(f"a sentence has a term that no model may say ({one.entry.about})")
            text = f"{text[: one.start]}{said}{text[one.end :]}"
            how = "cambiado" if said else "omitido"
            note = f"Se ha {how} un término del modelo ({one.entry.about}). {one.entry.note}"
            flags.append(Flag(kind=FlagKind.REPLACED, note=note))
    if flags:
        text = " ".join(text.split())
        text = re.sub(r"\ban (?=[^aeiou\W])", "a ", text) if language == "en" else text
    return text, tuple(dict.fromkeys(flags))


def _folded(text: str) -> str:
    """Small letters without accents, as long as `text`; the mark [?] of a doubtful word is blank."""
    plain = "".join(_fold(sign) for sign in text)
    return plain.replace(" [?]", "    ")


@lru_cache(maxsize=4096)
def _fold(sign: str) -> str:
    bare = unicodedata.normalize("NFD", sign)[0].lower()
    return bare if len(bare) == 1 else sign


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
