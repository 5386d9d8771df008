"""Apertium: rule-based translation that works offline (Forcada et al. 2011, doi:10.1007/s10590-011-9090-0)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from revista.errors import BadInput, MissingProgram
from revista.programs.process import find_program, run_program
from revista.wording import printable

_PAIR = "eng-spa"
_MARKS = "*@#"  # before words not in the dictionary, not in the bilingual one, and those it could not inflect
_STREAM_SIGNS = re.compile(r"[*@#^$/\\\[\]{}<>~|_+]")  # signs of Apertium's own stream format

# The English tagger takes "horse" and "car" before another word for adjectives ("horse race"), and the dictionary
# then gives the Spanish adjective even where it stands for the noun.
_NOUNS = {"caballar": "caballo", "automovilístico": "automóvil"}
_ADJECTIVE_AS_NOUN = re.compile(rf"\b(un|el|del|al|este|ese|su|otro) ({'|'.join(_NOUNS)})\b", re.IGNORECASE)


class Translation(NamedTuple):
    """A translated text, and the words in it that Apertium does not know and left as they were."""

    text: str
    unknown: tuple[str, ...] = ()


def probe(pair: str = _PAIR) -> str:
    """The version of Apertium.

    Raises:
        MissingProgram: it is not installed, or lacks the language pair.
    """
    return _probe(find_program("apertium", _packages(pair)), pair)


@lru_cache
def _probe(program: str, pair: str) -> str:
    listed = run_program([program, "-l"], timeout=30).stdout.decode("utf-8", "replace").split()
    if pair not in listed:
        raise MissingProgram(f"Apertium lacks the language pair {pair}", f"sudo apt-get install {_packages(pair)}")
    said = run_program([program, "-V"], timeout=30)
    found = re.search(rb"(\d+(?:\.\d+)+)", said.stdout + said.stderr)
    return found[1].decode() if found else "unknown"


def translate(text: str, timeout: float, pair: str = _PAIR) -> Translation:
    """Translate one sentence or caption.

    The same text gives the same translation, and is translated once a process. Signs that mean something to
    Apertium's stream format are taken out beforehand.

    Args:
        text: in the first language of `pair`.
        timeout: seconds.
        pair: as `apertium -l` lists it.

    Returns:
        The translation on one line, without marks; empty where there is nothing to translate.

    Raises:
        MissingProgram: Apertium or the pair is not installed.
        TimedOut: it did not finish in time.
        BadInput: it ended with an error, or without a translation.
    """
    plain = " ".join(_STREAM_SIGNS.sub(" ", printable(text)).split())
    if not plain:
        return Translation("")
    probe(pair)
    return _translate(find_program("apertium", _packages(pair)), plain, timeout, pair)


@lru_cache(maxsize=4096)
def _translate(program: str, text: str, timeout: float, pair: str) -> Translation:
    done = run_program([program, "-n", pair], timeout=timeout, stdin=f"{text}\n".encode(), env={"LC_ALL": "C.UTF-8"})
    marked = printable(done.stdout.decode("utf-8", "replace"))
    if done.returncode or not marked:
        said = printable(done.stderr.decode("utf-8", "replace"))[:200] or f"exit status {done.returncode}"
        raise BadInput(
            f"Apertium could not translate {text[:80]!r}: {said}",
            f"Try it by hand: echo {text[:20]!r} | apertium {pair}; reinstall with: "
            f"sudo apt-get install --reinstall {_packages(pair)}",
        )
    return _without_marks(marked)


def translate_lines(texts: Sequence[str], timeout: float, pair: str = _PAIR) -> list[Translation]:
    """Translate many sentences in one run of the program: a hundred times faster than one by one.

    Args:
        texts: in the first language of `pair`, a sentence each.
        timeout: seconds, for all.
        pair: as `apertium -l` lists it.

    Returns:
        A translation of each, in order.

    Raises:
        MissingProgram: Apertium or the pair is not installed.
        TimedOut: it did not finish in time.
        BadInput: it ended with an error, or with another number of lines.
    """
    plain = [" ".join(_STREAM_SIGNS.sub(" ", printable(text)).split()) for text in texts]
    probe(pair)
    # A full stop each, or words of one line change the next one's translation.
    lines = "".join(f"{text} .\n" if text else ".\n" for text in plain)
    program = find_program("apertium", _packages(pair))
    done = run_program([program, "-n", pair], timeout=timeout, stdin=lines.encode(), env={"LC_ALL": "C.UTF-8"})
    marked = done.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if done.returncode or len(marked) != len(plain):
        raise BadInput(
            f"Apertium gave {len(marked)} lines for {len(plain)} sentences",
            f"Reinstall it with: sudo apt-get install --reinstall {_packages(pair)}",
        )
    return [_without_marks(printable(line).removesuffix(".").rstrip()) for line in marked]


def _without_marks(marked: str) -> Translation:
    words, unknown = [], []
    for word in marked.split():
        bare = word
        while bare[:1] and bare[0] in _MARKS:
            bare = bare[1:]
        # Marks also stand inside of hyphenated words and behind opening brackets.
        clean = "".join(sign for sign in bare if sign not in _MARKS)
        if clean != word:
            unknown.append(clean.strip(".,;:!?¡¿()\"'«»“”"))
        if clean:
            words.append(clean)
    spanish = _ADJECTIVE_AS_NOUN.sub(lambda m: f"{m[1]} {_NOUNS[m[2].lower()]}", " ".join(words))
    return Translation(spanish, tuple(word for word in unknown if word))


def _packages(pair: str) -> str:
    """Debian's packages: one holds both directions, with the languages in the order of the alphabet."""
    return f"apertium apertium-{'-'.join(sorted(pair.partition('_')[0].split('-')))}"
