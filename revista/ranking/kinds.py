"""What kind of picture it is, by the ranker's similarities to sentences that name the kinds (zero-shot; see `clip`).

Two Spanish and two English sentences a kind; their mean similarity counts. A ranker that knows only one of the
languages sees the other's sentences all equally far, which changes little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from revista.records import Kind, PictureKind

SENTENCES: dict[Kind, tuple[str, ...]] = {
    Kind.PEOPLE: (
        "una fotografía de personas",
        "una persona haciendo algo",
        "a photograph of people",
        "a photograph of a person doing something",
    ),
    Kind.PORTRAIT: (
        "un retrato de una persona",
        "un primer plano de la cara de una persona",
        "a portrait of a person",
        "a close up of a person's face",
    ),
    Kind.GROUP: (
        "una fotografía de un grupo de personas",
        "muchas personas juntas",
        "a photograph of a group of people",
        "many people together",
    ),
    Kind.BUILDING: (
        "una fotografía de un edificio",
        "la fachada de una casa",
        "a photograph of a building",
        "the front of a house",
    ),
    Kind.LANDSCAPE: (
        "una fotografía de un paisaje",
        "montañas, campo o mar sin nadie",
        "a photograph of a landscape",
        "mountains, fields or sea without anybody",
    ),
    Kind.VEHICLE: (
        "una fotografía de un vehículo",
        "un automóvil, un barco o un avión",
        "a photograph of a vehicle",
        "a car, a boat or an aeroplane",
    ),
    Kind.ANIMAL: (
        "una fotografía de un animal",
        "un perro, un caballo o un pájaro",
        "a photograph of an animal",
        "a dog, a horse or a bird",
    ),
    Kind.INTERIOR: (
        "una fotografía de un interior",
        "una habitación con muebles",
        "a photograph of an interior",
        "a room with furniture",
    ),
    Kind.ARTWORK: (
        "una fotografía de una obra de arte",
        "una escultura o una pintura",
        "a photograph of a work of art",
        "a sculpture or a painting",
    ),
    Kind.DRAWING: (
        "un dibujo",
        "un dibujo a tinta o un grabado",
        "a drawing",
        "an ink drawing or an engraving",
    ),
    Kind.CARICATURE: (
        "una caricatura",
        "el dibujo cómico de una persona",
        "a caricature",
        "a comic drawing of a person",
    ),
    Kind.ADVERTISEMENT: (
        "un anuncio",
        "un anuncio impreso con letras grandes",
        "an advertisement",
        "a printed advertisement with large letters",
    ),
    Kind.ORNAMENT: (
        "un adorno",
        "una viñeta o una orla decorativa",
        "an ornament",
        "a vignette or a decorative border",
    ),
}
TEXTS = tuple(text for texts in SENTENCES.values() for text in texts)


def probabilities(similarities: Sequence[float], scale: float) -> dict[Kind, float]:
    """How likely each kind is, in sum 1.0.

    Args:
        similarities: of the picture to each of `TEXTS`, -1.0 to 1.0.
        scale: what the ranker's similarities are multiplied with before a softmax.
    """
    means, start = {}, 0
    for kind, texts in SENTENCES.items():
        means[kind] = sum(similarities[start : start + len(texts)]) / len(texts)
        start += len(texts)
    top = max(means.values())
    powers = {kind: math.exp(scale * (mean - top)) for kind, mean in means.items()}
    total = sum(powers.values())
    return {kind: power / total for kind, power in powers.items()}


def judge(kinds: Mapping[Kind, float], least: float) -> PictureKind:
    """The kind of a picture.

    Args:
        kinds: what `probabilities` gave.
        least: a kind with a smaller probability than this is uncertain; 0.0 to 1.0.
    """
    best = max(kinds, key=lambda kind: kinds[kind])
    probability = round(kinds[best], 4)
    return PictureKind(kind=best if probability >= least else Kind.UNCERTAIN, likeliest=best, confidence=probability)
