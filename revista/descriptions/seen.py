"""What a model saw in a picture, as a Spanish sentence: without names, without claims to read, in neutral words."""

from __future__ import annotations

import re

from revista.descriptions import names, sensitive
from revista.errors import BadInput, Category, ModelError, RevistaError, TimedOut
from revista.records import (
    Candidate,
    Evidence,
    Flag,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    ScoredCandidate,
    Sentence,
    Source,
)
from revista.records.description import SEEN_HEAD
from revista.settings import DescriptionsSettings
from revista.translation import Translator
from revista.wording import decimal, printable

NOT_DESCRIBED = "not described by a model"
BY_PRINT = f"{NOT_DESCRIBED}: the strategy of the ranking lets the print speak"
UNRELIABLE = "no reliable description: the models do not know what is shown"

_LENGTH = 400  # characters that a model's sentence may have
_TRIES = 5  # candidates that are looked at before a picture stays undescribed

# Captioners make up what "is written" in a picture; only OCR is believed there.
_READS = re.compile(
    r"\b(?:that (?:says|reads)|(?:saying|titled|captioned|written)|the (?:words?|letters?|names?|text)|(?:named|called)"
    r"|que dice|la palabra|las palabras|titulad[oa]|llamad[oa])\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2}")
_LEADING = re.compile(r"^[\s.,;:!?¡¿\-–—*\"'`]+")
_TRAILING = re.compile(r"[\s.,;:!?¡¿\-–—*\"'`]+$")


class _Unusable(Exception):
    """A candidate that may not be used, and why."""


class Seen:
    """Says what a model saw in one picture, and notes what could not be said."""

    def __init__(
        self,
        page: int,
        context: PictureContext,
        options: DescriptionsSettings,
        timeout: float,
        translator: Translator,
    ) -> None:
        self._translator = translator
        self._page = page
        self._context = context
        self._options = options
        self._timeout = timeout
        self._printed = names.printed_names(context)
        self.errors: list[RevistaError] = []

    def sentences(
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
            return [], BY_PRINT  # print is no model's voice: `Printed.article` quotes it
        scored = _by_captioner(proposed, ranked)
        if not scored or (ranked and ranked.ranked and ranked.chosen is None):
            reason = (proposed.reason if proposed else None) or (ranked.reason if ranked else None)
            return [], reason or f"{NOT_DESCRIBED}: no candidate"
        dropped: list[str] = []
        for one in scored[:_TRIES]:
            try:
                text, translated, flags = self._spanish(one.candidate)
            except (_Unusable, sensitive.Withheld) as error:
                dropped.append(str(error))
            except (BadInput, TimedOut, ModelError) as error:
                self.errors.append(error)
                dropped.append(error.message)
            else:
                self._note_dropped(dropped)
                models = (captioner, ranker if one.probability is not None else None)
                translator = self._translator.name if translated else None
                evidence = Evidence(
                    page=self._page,
                    boxes=(self._context.box,),
                    confidence=one.probability,
                    model=" + ".join(name for name in (*models, translator) if name) or None,
                    original=one.candidate.text if translated and not flags else None,
                )
                return self._told(one, text, evidence, flags)
        self._note_dropped(dropped)
        return [], f"{NOT_DESCRIBED}: no candidate could be used: {dropped[0]}"

    def _told(
        self, one: ScoredCandidate, text: str, evidence: Evidence, flags: tuple[Flag, ...]
    ) -> tuple[list[Sentence], str | None]:
        """What a candidate says, or that there is nothing reliable, with the reason."""
        chance, least = one.reliability, self._options.min_reliability
        if chance is None or chance >= least:
            return [Sentence(text=f"{SEEN_HEAD}{text}.", source=Source.SEEN, evidence=evidence, flags=flags)], None
        said = f"Sin descripción fiable: el modelo no reconoce lo que muestra la imagen (fiabilidad {decimal(chance)})."
        doubtful = evidence.model_copy(update={"confidence": chance, "original": None})
        return [Sentence(text=said, source=Source.SEEN, evidence=doubtful)], UNRELIABLE

    def _note_dropped(self, dropped: list[str]) -> None:
        if dropped:
            self.errors.append(
                RevistaError(
                    f"{len(dropped)} of the captioner's sentences were not used: {'; '.join(dict.fromkeys(dropped))}",
                    "Nothing has to be done; where it happens often, name another captioner in captions.model.",
                    category=Category.REDUCED,
                )
            )

    def _spanish(self, candidate: Candidate) -> tuple[str, bool, tuple[Flag, ...]]:
        """The candidate as the rest of a Spanish sentence, whether it was translated, and what in it was replaced.

        Raises:
            _Unusable: it names somebody, claims to read print, or has words that cannot be translated.
            Withheld: it has a term for which there is no neutral one.
        """
        said = _stripped(printable(candidate.text.replace("[UNK]", " ")))
        self._check(said)
        said, flags = sensitive.neutral(said, candidate.language)
        if candidate.language == "es":
            text = _stripped(said)
        else:
            text = self._translated(said)
            self._check(text)
            text, more = sensitive.neutral(text, "es")
            flags += more
        if not _WORD.search(text):
            raise _Unusable("a sentence is empty once it is translated")
        return _lower_first(text), candidate.language != "es", flags

    def _check(self, said: str) -> None:
        """Raise `_Unusable` for a sentence without words or end, with a name, or that claims to read print."""
        if not _WORD.search(said):
            raise _Unusable("a sentence has no words")
        if len(said) > _LENGTH:
            raise _Unusable(f"a sentence is longer than {_LENGTH} characters")
        if claim := _READS.search(said):
            raise _Unusable(f"a sentence tells what is written or who is shown ({claim[0]!r})")
        if name := names.named(said, self._printed):
            raise _Unusable(f"a sentence names {name!r}")

    def _translated(self, said: str) -> str:
        """An English sentence in Spanish; raises `_Unusable` where a word is not known, as names are not."""
        made, unknown = self._translator.translate(_lower_first(said), self._timeout)
        if unknown:
            raise _Unusable(f"the translator does not know {unknown[0]!r}")
        if said[1:] == said[1:].lower():
            made = made.lower()  # Apertium writes the first word large, and may move it
        return _lower_first(_stripped(made))


def _stripped(text: str) -> str:
    return _TRAILING.sub("", _LEADING.sub("", text))


def _by_captioner(proposed: PictureCandidates | None, ranked: PictureRanking | None) -> list[ScoredCandidate]:
    """The captioner's candidates, the chosen one first."""
    scored = [*([ranked.chosen] if ranked and ranked.chosen else []), *(ranked.ranked if ranked else ())]
    scored += [ScoredCandidate(candidate=candidate) for candidate in (proposed.candidates if proposed else ())]
    unique = {one.candidate.text: one for one in reversed(scored) if one.candidate.source == "captioner"}
    order = dict.fromkeys(one.candidate.text for one in scored if one.candidate.source == "captioner")
    return [unique[text] for text in order]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
