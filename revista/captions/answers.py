"""What a model answers that was asked about a picture: by a schema, and only as much of it as may be told.

An answer is somebody else's text, even where the model is ours: it may be no answer, a refusal, in another language, a
copy of the print, or what the print told the model to say. It is refused as a whole, with the reason, where it is not
what was asked for; sentences in it are withheld where they name what is not printed, repeat print, or hold what no
description holds. What is withheld is noted with the candidate.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from revista.records import Candidate, Kind, PictureContext
from revista.wording import plain_words, printable

MOST_SENTENCES = 4
MOST_SIGNS = 300  # of a sentence
_COPIED_WORDS = 8  # one after the other as they are printed: a quotation, not a description

KINDS: dict[str, Kind] = {
    "personas": Kind.PEOPLE,
    "retrato": Kind.PORTRAIT,
    "grupo": Kind.GROUP,
    "edificio": Kind.BUILDING,
    "paisaje": Kind.LANDSCAPE,
    "vehículo": Kind.VEHICLE,
    "animal": Kind.ANIMAL,
    "interior": Kind.INTERIOR,
    "obra de arte": Kind.ARTWORK,
    "dibujo": Kind.DRAWING,
    "caricatura": Kind.CARICATURE,
    "anuncio": Kind.ADVERTISEMENT,
    "adorno": Kind.ORNAMENT,
    "otro": Kind.UNCERTAIN,
}
"""What an answer may call a picture, and what it means."""

_KindName = Literal[
    "personas", "retrato", "grupo", "edificio", "paisaje", "vehículo", "animal", "interior", "obra de arte", "dibujo",
    "caricatura", "anuncio", "adorno", "otro",
]  # fmt: skip
assert get_args(_KindName) == tuple(KINDS)

_REFUSAL = re.compile(
    r"\b(?:lo siento|lo lamento|disculp[ae]|no (?:puedo|podemos|me es posible|es posible)\b.{0,40}"
    r"\b(?:ayudar|describir|identificar|procesar|ver|analizar|responder|cumplir)|(?:soy|como) (?:un|una|modelo) .{0,20}"
    r"(?:inteligencia artificial|lenguaje|ia\b)|i(?:'m| am) sorry|i (?:can(?:no|')t|am unable)|as an ai)",
    re.IGNORECASE,
)
_READS = re.compile(
    r"\b(?:(?:se|puede) lee(?:r|rse)?|que (?:dice|reza)|con (?:el texto|la inscripción|la leyenda)|las? palabras?"
    r"|titulad[oa]s?|llamad[oa]s?|identificad[oa]s? como|firmad[oa]s? por)\b",
    re.IGNORECASE,
)
_NO_PROSE = re.compile(r"https?:|www\.|\w@\w|[<>{}\[\]|`\\_=#*]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])")

_FUNCTION_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "Spanish": "un una unos unas el la los las de del con en que y se por para al lo su esta estan es sobre hay",
        "English": "the an of with and in on is are at his her their to by that this there front next",
        "Portuguese": "um uma uns umas com nao em sao o os do da dos das ao no na pela pelo sobre de que e",
        "French": "le les une des du et est dans avec sur au aux qui sont deux de la",
        "Italian": "il gli della dello di che e sono nel nella con una uno alla un la",
        "German": "der die das ein eine und mit ist auf im den dem",
        "Catalan": "amb els dels es un una i de la el les",
    }.items()
}
"""Small words of languages, as `plain_words` writes them."""

_OPENING = """
    a al alrededor algunas algunos ambas ambos ante aparece aparecen arriba abajo bajo cada cerca cinco con cuatro
    de debajo del delante dentro desde detras diez doce dos el ella ellas ellos en encima entre es esta este estan estas
    estos frente fuera ha hay hacia junto la las le les lleva llevan lo los mas mientras mira miran muchas muchos
    muestra no nueve numerosas numerosos ocho otra otras otro otros para parece parecen por se seis sentada sentadas
    sentado sentados siete sin sobre su sus tambien tienen tiene todas todos tras tres un una uno unas unos varias
    varios viste visten y
    adorno anuncio arbol arboles automovil autorretrato banda barco busto caballo caballos cabeza calle campo caricatura
    carta cartel casa composicion cuadro cubierta detalle dibujo edificio escena escultura estatua fachada figura
    figuras flores foto fotografia fotografias fragmento gente grabado grupo habitacion hombre hombres ilustracion
    imagen interior jardin joven jovenes jinete letra letras lugar mano manos mapa marco montaje mujer mujeres
    nina ninas nino ninos novia novios obra orla paisaje palmeras pareja parte perfil perro persona personas personaje
    personajes pintura plano portada primer publico puente puerta retrato retratos rostro sala salon senor senora
    senoras senores senorita senoritas silueta soldados vehiculo vestida vestidas vestido vestidos vineta vista
"""
_OPENERS = frozenset(_OPENING.split())
"""Words that begin a sentence, and with their capital are no names; as `plain_words` writes them."""


class Answer(BaseModel):
    """What a model is to answer, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    descripcion: tuple[str, ...]
    tipo: _KindName
    confianza: float | None = Field(None, allow_inf_nan=False)


SCHEMA: dict[str, JsonValue] = Answer.model_json_schema(mode="serialization")
"""The JSON Schema of `Answer`. Lengths are not in it, since not all servers take them; `judged` looks at them."""


class BadAnswer(Exception):
    """An answer that cannot be used; the text says why, and quotes little of it."""


def judged(text: str, context: PictureContext | None, seed: int | None, log_probability: float | None) -> Candidate:
    """The candidate that an answer gives.

    Args:
        text: the answer: JSON by `SCHEMA`, perhaps within a fence of Markdown.
        context: what is printed around the picture.
        seed: with which it was drawn; None where it was not.
        log_probability: mean over the answer's tokens, where known.

    Raises:
        BadAnswer: it is not by the schema, refuses, is too long, not in Spanish, or nothing of it may be told.
    """
    answer = _parsed(text)
    said = [printable(part) for whole in answer.descripcion for part in _SENTENCE.split(printable(whole))]
    said = [sentence for sentence in said if re.search(r"[^\W\d_]{2}", sentence)]
    if not said:
        raise BadAnswer("the answer describes nothing")
    whole = " ".join(said)
    if refusal := _REFUSAL.search(whole):
        raise BadAnswer(f"the model refuses ({printable(refusal[0])[:40]!r})")
    if len(said) > 2 * MOST_SENTENCES or max(map(len, said)) > MOST_SIGNS:
        longest = max(map(len, said))
        raise BadAnswer(f"the description is too long ({len(said)} sentences, the longest of {longest} signs)")
    if other := _other_language(whole):
        raise BadAnswer(f"the description is not in Spanish but looks like {other}")
    printed = [plain_words(quote.text) for quote in context.print] if context is not None else []
    nearest = (context.caption, context.heading) if context is not None else ()
    own = {word for quote in nearest if quote for word in plain_words(quote.text)}
    withheld: dict[str, None] = {}
    kept = []
    for sentence in dict.fromkeys(said):
        if reason := _not_to_be_told(sentence, printed, own):
            withheld[reason] = None
        else:
            kept.append(sentence if sentence[-1] in ".!?…" else f"{sentence}.")
    if not kept:
        raise BadAnswer(f"nothing of the description may be told: {'; '.join(withheld)}")
    sure = answer.confianza
    return Candidate(
        text=" ".join(kept[:MOST_SENTENCES]),
        language="es",
        source="captioner",
        seed=seed,
        log_probability=log_probability,
        kind=KINDS[answer.tipo],
        confidence=sure if sure is not None and 0 <= sure <= 1 else None,
        withheld=tuple(withheld),
    )


def _parsed(text: str) -> Answer:
    bare = text.strip()
    if fenced := re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", bare, re.DOTALL):
        bare = fenced[1]
    if not bare:
        raise BadAnswer("the answer is empty")
    try:
        return Answer.model_validate_json(bare)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BadAnswer(f"the answer is not by the schema: {place[:60]}: {printable(first['msg'])[:120]}") from None


def _other_language(text: str) -> str | None:
    """The language in which a text obviously is, where that is not Spanish."""
    letters = [sign for sign in text if sign.isalpha()]
    if sum(sign > "\u024f" for sign in letters) > len(letters) / 10:
        return "one with other letters"
    words = plain_words(text)
    counts = {name: sum(word in small for word in words) for name, small in _FUNCTION_WORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["Spanish"] + (best != "English") else None


def _not_to_be_told(sentence: str, printed: list[list[str]], own: set[str]) -> str | None:
    """Why a sentence must not be told; None where it may. The reason does not repeat a name.

    Args:
        sentence: of an answer.
        printed: the words of each passage around the picture.
        own: the words of its caption and heading: a name that stands only in other print belongs to something else.
    """
    if _NO_PROSE.search(sentence):
        return "a sentence holds signs or addresses that no description holds"
    if _READS.search(sentence):
        return "a sentence tells what is written or who is shown"
    if any(not set(plain_words(name)) <= own for name in _names(sentence)):
        return "a sentence names somebody or something that its caption and heading do not name"
    words = plain_words(sentence)
    for passage in printed:
        runs = {tuple(passage[i : i + _COPIED_WORDS]) for i in range(len(passage) - _COPIED_WORDS + 1)}
        if any(tuple(words[i : i + _COPIED_WORDS]) in runs for i in range(len(words) - _COPIED_WORDS + 1)):
            return "a sentence repeats the print"
    return None


def _names(sentence: str) -> list[str]:
    """Words written as names are: with a capital within the sentence, or at its beginning in an opener's place."""
    words = [word.strip(".,;:!?¡¿()\"'«»“”—–-…") for word in sentence.split()]
    words = [word for word in words if word]
    first = [word for word in words[:1] if word[:1].isupper() and not set(plain_words(word)) <= _OPENERS]
    return [*first, *(word for _, word in pairwise(words) if word[:1].isupper())]
