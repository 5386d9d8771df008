"""The Spanish of the report: what the archivist reads in place of the names and reasons in the records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from revista.errors import Category
from revista.records import FlagKind, Issue, Kind, Known, PictureKind, RegionKind, Source
from revista.wording import decimal

MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)

KINDS: dict[RegionKind, str] = {
    RegionKind.PICTURE: "Imagen",
    RegionKind.CAPTION: "Pie",
    RegionKind.TITLE: "Título",
    RegionKind.TEXT: "Texto",
    RegionKind.TABLE: "Tabla",
    RegionKind.FURNITURE: "Folio",
}

LOOKS: dict[str, str] = {
    "photograph": "fotografía",
    "drawing": "dibujo",
    "advertisement": "anuncio",
    "ornament": "adorno",
}
"""What a detector takes a picture for (`Region.look`)."""

PICTURE_KINDS: dict[Kind, str] = {
    Kind.PEOPLE: "fotografía de personas",
    Kind.PORTRAIT: "retrato",
    Kind.GROUP: "fotografía de grupo",
    Kind.BUILDING: "edificio",
    Kind.LANDSCAPE: "paisaje",
    Kind.VEHICLE: "vehículo",
    Kind.ANIMAL: "animal",
    Kind.INTERIOR: "interior",
    Kind.ARTWORK: "obra de arte",
    Kind.DRAWING: "dibujo",
    Kind.CARICATURE: "caricatura",
    Kind.ADVERTISEMENT: "anuncio",
    Kind.ORNAMENT: "adorno",
    Kind.UNCERTAIN: "clase dudosa",
}

SOURCES: dict[Source, tuple[str, str]] = {
    Source.SEEN: ("vista", "Lo dice un modelo que ha mirado la imagen. Puede equivocarse; nunca nombra a nadie."),
    Source.CAPTION: ("pie", "El pie impreso junto a la imagen, citado tal como se ha leído."),
    Source.ARTICLE: ("artículo", "Un pasaje del texto impreso cerca de la imagen, citado tal como se ha leído."),
    Source.INDEX: ("índice", "Lo que el índice analítico de la colección dice de la página, no de la imagen."),
    Source.REVIEWER: ("revisor", "Lo ha escrito o confirmado una persona."),
}
"""What each source is called, and what it is worth."""

NUMBERED: dict[Known, str] = {
    Known.READ: "leída en la página, sin otra que la confirme",
    Known.CONFIRMED: "leída en la página",
    Known.INTERPOLATED: "contada entre dos páginas numeradas",
}
"""How the printed number of a page is known."""

FLAGS: dict[FlagKind, str] = {FlagKind.SENSITIVE: "término sensible", FlagKind.REPLACED: "término sustituido"}

STAGES: dict[str, str] = {
    "issue": "Número",
    "pages": "Páginas",
    "regions": "Zonas",
    "text": "Texto",
    "context": "Contexto",
    "captions": "Frases propuestas",
    "ranking": "Elección",
    "descriptions": "Descripciones",
    "report": "Informe",
}

CATEGORIES: dict[Category, str] = {
    Category.BAD_ARGUMENTS: "ajuste imposible",
    Category.BAD_INPUT: "entrada ilegible",
    Category.TOO_LARGE: "demasiado grande",
    Category.REDUCED: "hecho con pérdida",
    Category.TIMEOUT: "tiempo agotado",
    Category.NO_MEMORY: "falta de memoria",
    Category.MISSING_PROGRAM: "falta un programa",
    Category.MISSING_WEIGHTS: "faltan los pesos de un modelo",
    Category.MODEL: "fallo del modelo",
    Category.TOO_MANY_PROBLEMS: "demasiadas incidencias",
    Category.STORAGE: "almacenamiento",
    Category.BUSY: "en uso por otro proceso",
    Category.INTERNAL: "error interno",
}

_REASONS = {
    "not described by a model": "sin descripción de un modelo",
    "not ranked by a model": "frases sin puntuar por un modelo",
    "no captioner weights": "faltan los pesos del modelo que describe",
    "no ranker weights": "faltan los pesos del modelo que puntúa",
    "the page image cannot be read": "no se puede leer la imagen de la página",
    "no reliable description": "sin descripción fiable",
    "the models do not know what is shown": "los modelos no reconocen lo que se ve",
    "nothing to rank": "no hay nada que puntuar",
    "no captions and no print nearby": "ni frases propuestas ni texto impreso cerca",
}


def picture_kind(kind: PictureKind) -> str:
    """`retrato (0,83)`, or `clase dudosa, quizá retrato (0,31)`."""
    likeliest = f"{PICTURE_KINDS[kind.likeliest]} ({decimal(kind.confidence)})"
    return likeliest if kind.kind is not Kind.UNCERTAIN else f"{PICTURE_KINDS[Kind.UNCERTAIN]}, quizá {likeliest}"


def reason(text: str) -> str:
    """A recorded reason in Spanish; the parts that are not known stay as they are.

    Reasons are made of parts, `what: why; what: why`, each of which is translated by itself.
    """
    return "; ".join(": ".join(_REASONS.get(part, part) for part in clause.split(": ")) for clause in text.split("; "))


def sentence(text: str) -> str:
    """`text` with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def knows_reason(text: str) -> bool:
    """Whether all parts of a recorded reason have a Spanish form."""
    return all(part in _REASONS for clause in text.split("; ") for part in clause.split(": "))


def issue_date(issue: Issue) -> str:
    """`Junio de 1929`, or as much of it as is known."""
    month = MONTHS[issue.month - 1] if issue.month and 1 <= issue.month <= 12 else ""
    parts = [part for part in (month, str(issue.year or "")) if part]
    return " de ".join(parts).capitalize()


def issue_numbers(issue: Issue) -> str:
    """`Volumen 14, número 6`, or as much of it as is known."""
    known = (("volumen", issue.volume), ("número", issue.number))
    return ", ".join(f"{name} {value}" for name, value in known if value is not None).capitalize()


def count(number: int, singular: str, plural: str) -> str:
    """`1 imagen`, `2 imágenes`."""
    return f"{whole(number)} {singular if number == 1 else plural}"


def whole(number: int) -> str:
    """A whole number as Spanish writes it: `12 345` with a thin space, `1234` without."""
    return f"{number:,}".replace(",", "\u202f") if abs(number) >= 10_000 else str(number)


def day(moment: datetime) -> str:
    """`3 de mayo de 2026`."""
    return f"{moment.day} de {MONTHS[moment.month - 1]} de {moment.year}"


def page_ranges(numbers: Sequence[int]) -> str:
    """Ascending page numbers in short: `1-4, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}\u2013{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
