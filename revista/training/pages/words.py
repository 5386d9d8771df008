"""Spanish to set in type: sentences, titles, captions and names by chance. All names are invented.

The words need not make sense; they must look, wrap and read like the print of a magazine of 1916, accents included, so
that a page can be typeset, looked at by a detector, and read by an OCR program whose dictionary knows them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_NOUNS = (
    *("la tarde", "la noche", "la casa", "la calle", "la fiesta", "la orquesta", "la señora", "la playa", "la ciudad"),
    *("la primavera", "la música", "la lluvia", "la escalera", "la carta", "la novela", "la moda", "la sociedad"),
    *("el jardín", "el salón", "el teatro", "el baile", "el automóvil", "el balcón", "el sombrero", "el silencio"),
    *("el paseo", "el retrato", "el poeta", "el doctor", "el vapor", "el invierno", "el público", "el cuento"),
    *("el corazón", "el camino", "el espejo", "el concurso", "el edificio", "el señor", "el abanico", "el violín"),
)
_ADJECTIVES = (
    *("elegante", "brillante", "alegre", "triste", "grande", "amable", "suave", "inolvidable", "admirable", "feliz"),
    *("reciente", "cordial", "galante", "solemne", "excelente", "principal", "célebre", "humilde", "invisible"),
)
_VERBS = (
    *("recorría", "esperaba", "anunciaba", "recordaba", "llenaba", "contemplaba", "visitaba", "celebraba"),
    *("encontró", "describió", "adornó", "olvidó", "escuchó", "perdió", "saludó", "cruzó", "presentó", "iluminó"),
)
_LINKS = (*("mientras", "porque", "cuando", "aunque", "y después", "donde", "pero", "sin que", "desde que", "como si"),)
_PLACES = (
    *("en el jardín", "en el salón", "junto al mar", "en la terraza", "a bordo", "en la quinta", "en el club"),
    *("durante la fiesta", "en la playa", "ante la iglesia", "en su residencia", "en el teatro", "en la capital"),
)
_FIRST = (
    *("Amelia", "Beatriz", "Carmen", "Dolores", "Elvira", "Graciela", "Julia", "Lucila", "Mercedes", "Rosa", "Teresa"),
    *("Alberto", "Carlos", "Eduardo", "Enrique", "Federico", "Gonzalo", "Julio", "Manuel", "Rafael", "Tomás"),
)
_LAST = (
    *("Armendral", "Belmira", "Castroverde", "Dalmares", "Espinar", "Fontanales", "Galarreta", "Hinojares"),
    *("Lozamar", "Montalbo", "Navales", "Olivarte", "Peralvillo", "Quintanar", "Robledal", "Salvatierra", "Valdoro"),
)
_TITLED = ("La señorita", "La señora", "El doctor", "Don", "Doña", "El señor", "La niña", "El niño")
_SEEN = (
    *("Un grupo de concurrentes", "Los novios", "La familia", "El equipo vencedor", "Los alumnos", "La presidencia"),
    *("Vista general del edificio", "La entrada del parque", "El nuevo muelle", "Una escena del baile"),
)
_WARES = ("CHOCOLATE", "CAFÉ", "JABÓN", "PERFUMES", "SOMBREROS", "CIGARROS", "PIANOS", "RELOJES", "CERVEZA", "MUEBLES")
_CLAIMS = ("EL MEJOR", "DE VENTA EN TODAS PARTES", "PÍDALO SIEMPRE", "CASA FUNDADA EN 1887", "PRECIOS MÓDICOS")
_CREDITS = ("Fot. {0}.", "Foto {0}.", "(Fot. {0})", "Dibujo de {0}.", "Fotografía de {0}")


class Words:
    """Text by chance; the same generator state gives the same text."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw from `rng`."""
        self._rng = rng

    def _one(self, choices: Sequence[str]) -> str:
        return choices[int(self._rng.integers(len(choices)))]

    def sentence(self) -> str:
        """A sentence of about five to twenty words."""
        parts = [self._clause()]
        for _ in range(int(self._rng.integers(0, 3))):
            parts.append(f"{self._one(_LINKS)} {self._clause()}")
        text = " ".join(parts)
        return text[0].upper() + text[1:] + self._one((".", ".", ".", ";", "!", "..."))

    def _clause(self) -> str:
        noun, thing = self._one(_NOUNS), self._one(_NOUNS)
        adjective = f" {self._one(_ADJECTIVES)}" if self._rng.random() < 0.6 else ""
        place = f" {self._one(_PLACES)}" if self._rng.random() < 0.5 else ""
        return f"{noun}{adjective} {self._one(_VERBS)} {thing}{place}"

    def paragraph(self, words: int) -> str:
        """Sentences of about `words` words in all."""
        text = ""
        while text.count(" ") < words:
            text = f"{text} {self.sentence()}".strip()
        return text

    def name(self) -> str:
        """A person of whom nobody has heard."""
        return f"{self._one(_FIRST)} {self._one(_LAST)}"

    def title(self) -> str:
        """A heading of two to six words, in capitals or not."""
        text = self._one((self._clause(), self._one(_NOUNS), f"{self._one(_NOUNS)} y {self._one(_NOUNS)}"))
        text = " ".join(text.split()[:6])
        return text.upper() if self._rng.random() < 0.7 else text[0].upper() + text[1:]

    def caption(self, long: bool = False) -> str:
        """What is printed under a picture: whom or what it shows; a second sentence where `long`."""
        who = f"{self._one(_TITLED)} {self.name()}" if self._rng.random() < 0.6 else self._one(_SEEN)
        text = f"{who} {self._one(_PLACES)}" if self._rng.random() < 0.7 else who
        if self._rng.random() < 0.2:
            text = text.upper()
        return f"{text}. {self.sentence()}" if long else f"{text}."

    def credit(self) -> str:
        """Who took the photograph or made the drawing."""
        return self._one(_CREDITS).format(self._one(_LAST))

    def numbered(self, count: int) -> list[str]:
        """Captions that begin with a number, 1 to `count`."""
        form = self._one(("{}. {}", "{}.—{}", "{}) {}", "Núm. {}. {}"))
        return [form.format(i + 1, self.caption()) for i in range(count)]

    def sides(self, above: bool) -> str:
        """One caption for two pictures, which tells them apart by where they stand."""
        first, second = ("Arriba", "Abajo") if above else ("A la izquierda", "A la derecha")
        return f"{first}, {self._lower()}; {second.lower()}, {self._lower()}."

    def _lower(self) -> str:
        text = self.caption().rstrip(".")
        return text[0].lower() + text[1:] if not text.isupper() else text.capitalize()

    def ware(self) -> str:
        """What an advertisement sells, in capitals."""
        return f"{self._one(_WARES)} {self._one(_LAST).upper()}" if self._rng.random() < 0.7 else self._one(_WARES)

    def claim(self) -> str:
        """What it says of it."""
        return self._one((*_CLAIMS, self.sentence(), f"Calle {self._one(_LAST)} {self._rng.integers(1, 200)}"))
