"""English captions in Spanish: Apertium, and what it gets systematically wrong with captions mended.

Captions are a small language: few verbs, in the present; clothes, animals, sport, streets. Apertium takes their verbs
for nouns ("a man skis" became "unos esquíes de hombre"), lacks words or takes the wrong sense. So verbs are put into
the form "is skiing" beforehand, and the words of a glossary are translated as a rare word of the same gender, whose
translation they then replace: articles and adjectives agree. The rules stand in tables: `english` before the
translation, `glossary` for words, `mending` after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from revista.programs import apertium
from revista.programs.apertium import Translation
from revista.spanish.english import simplify
from revista.spanish.glossary import StandIns
from revista.spanish.mending import mend

__all__ = ["lines_to_spanish", "to_spanish"]

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")


def to_spanish(text: str, timeout: float) -> Translation:
    """Translate one English caption.

    Args:
        text: in small letters but for names, which stay as they are.
        timeout: seconds.

    Raises:
        MissingProgram, TimedOut, BadInput: see `apertium.translate`.
    """
    prepared, stand_ins = _prepare(text)
    return _finish(apertium.translate(prepared, timeout), stand_ins, prepared)


def lines_to_spanish(texts: Sequence[str], timeout: float) -> list[Translation]:
    """Translate many English captions in one run; see `apertium.translate_lines`."""
    prepared = [_prepare(text) for text in texts]
    made = apertium.translate_lines([text for text, _ in prepared], timeout)
    return [_finish(one, *change) for one, change in zip(made, ((s, t) for t, s in prepared), strict=True)]


def _prepare(text: str) -> tuple[str, StandIns]:
    """The text as Apertium is to see it, and what to take out of its translation."""
    stand_ins = StandIns(text)
    ready = stand_ins.put(simplify(_NAME.sub(stand_ins.hide, text)))
    return " ".join(ready.split()), stand_ins


def _finish(made: Translation, stand_ins: StandIns, english: str) -> Translation:
    own = stand_ins.take(made)
    return own._replace(text=mend(own.text, english))
