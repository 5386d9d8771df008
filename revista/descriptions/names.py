"""Whether a model's sentence names somebody or something: nobody is named but by print.

A captioner's names are guesses, and one that is shown the print nearby may repeat a name from there as if it had seen
it. So no name is let through at all, whether it is printed nearby or not: print is quoted, in a sentence of its own.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from itertools import pairwise
from pathlib import Path

from revista.records import PictureContext

_WORDS = tomllib.loads(Path(__file__).with_name("names.toml").read_text("utf-8"))
_GIVEN = frozenset(_WORDS["given"].split())
_NO_NAME = frozenset(_WORDS["common"].split())  # what may stand behind a title
_TITLE = re.compile(  # what follows these is a name, unless it is a common word
    r"\b(?:don|doña|mrs?|ms|dra?|sra?|srta|sir|lord|monsieur|madame|mister|miss|saint|san"
    r"|(?:el|la|del|al) (?:señor|señora|señorita|doctora?|general|coronel|capitán|comandante|presidente|rey|reina"
    r"|príncipe|princesa|conde|condesa|marqués|marquesa|duque|duquesa))\.?\s+(?=([^\W\d_]+))",
    re.IGNORECASE,
)
_PRINTED_TITLE = re.compile(
    r"\b(?:Sra?|Srta|Dra?|Don|Doña|General|Miss|Mrs?)\b\.?((?:\s+[^\W\d_]+){1,3})", re.IGNORECASE
)


def named(said: str, printed: frozenset[str] = frozenset()) -> str | None:
    """The first name in a model's sentence, as far as it can be told; None where there seems to be none.

    Args:
        said: in English or Spanish, as the model wrote it or translated.
        printed: `printed_names` of what stands around the picture: a name there is one here too.
    """
    if capitals := capitalised(said):
        return capitals[0]
    words = [(word, plain(word)) for word in re.findall(r"[^\W\d_]+", said)]
    for word, bare in words:
        if bare in _GIVEN or bare in printed:
            return word
    for title in _TITLE.finditer(said):
        if plain(title[1]) not in _NO_NAME:
            return title[1]
    return None


def capitalised(said: str) -> list[str]:
    """Words with a large letter in them where none belongs: not the first letter of the text or of a sentence."""
    words = said.split()
    inner = [word for last, word in pairwise(words) if last[-1] not in ".!?:"]
    bare = [word.strip(".,;:!?¡¿()\"'«»“”") for word in inner]
    found = [word for word in bare if any(map(_large, word)) and word != "I"]
    first = [word for word in words if word not in inner and any(map(_large, word[1:].lstrip("¡¿«“(")))]
    return [*first, *found]


def _large(sign: str) -> bool:
    return sign.isupper() or sign.istitle() or unicodedata.normalize("NFKC", sign)[:1].isupper()


def printed_names(context: PictureContext) -> frozenset[str]:
    """Words that are printed near a picture as persons' names are, and nowhere in small letters.

    Those are words with a large letter that follow a title ("SRTA. EULALIA LAINÉ"), or each other ("Charlie Chaplin");
    one alone may as well be a common word ("Playa de Marianao").
    """
    large: set[str] = set()
    small: set[str] = set()
    for quote in context.print:
        words = quote.text.split()
        small |= {plain(word) for word in words if word.islower()}
        for one, two in pairwise(words):
            both = {plain(one), plain(two)}
            written = all(word[:1].isupper() and not word.isupper() for word in (one, two))
            if written and one[-1] not in ".,;:!?»”" and not both & _NO_NAME:
                large |= both
        for title in _PRINTED_TITLE.finditer(quote.text):
            large |= {plain(word) for word in title[1].split() if word[:1].isupper()}
    return frozenset(word for word in large - small - _NO_NAME if len(word) > 2)


def plain(word: str) -> str:
    """A word without accents and signs, in small letters."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "", bare).casefold()
