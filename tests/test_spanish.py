"""English captions in Spanish: what Apertium gets systematically wrong, and what the rules make of it."""

from __future__ import annotations

import pytest

from revista.programs.apertium import Translation
from revista.spanish import lines_to_spanish, to_spanish

SAID = {
    "a man in a red shirt is standing on a rock": "un hombre con una camisa roja está de pie en una roca",
    "a dog runs through the grass": "un perro está corriendo por la hierba",
    "two dogs are playing in the snow": "dos perros están jugando en la nieve",
    "a little girl in a pink dress is sitting on a swing": "una niña con un vestido rosa está sentada en un columpio",
    "two women are sitting on a bench": "dos mujeres están sentadas en un banco",
    "a man rides a wave on a surfboard": "un hombre está montando una ola en una tabla de surf",
    "a crowd of people watch a parade in the street": "una multitud de personas está mirando un desfile en la calle",
    "three men are playing guitar": "tres hombres están tocando guitarra",
    "a group of people are standing in front of a building": "un grupo de personas está de pie delante de un edificio",
    "a horse jumps over a fence": "un caballo está saltando una valla",
    "people walk down a city street": "unas personas están caminando por una calle de la ciudad",
    "two small brown dogs with red balls": "dos perros marrones pequeños con pelotas rojas",
    "a man skis down a hill": "un hombre está esquiando por una colina",
    "a young boy wearing a shirt is sitting on a slide": "un niño que lleva una camisa está sentado en un tobogán",
    "a man and a woman pose for a picture": "un hombre y una mujer están posando para una fotografía",
    "a man in a white t - shirt is standing in front of a": "un hombre con una camisa blanca está de pie",
    "a person in a red jacket is climbing up a rock": "una persona con una chaqueta roja está escalando una roca",
    "a white dog with a red collar runs": "un perro blanco con un collar rojo está corriendo",
    "a player in a red uniform gets ready to kick the ball": "un jugador con un uniforme rojo va a chutar la pelota",
    # number and gender of the subject, not of the nearest noun
    "a man in a hat and a lady are standing": "un hombre con un sombrero y una señora están de pie",
    "a man in a jacket and a woman are sitting": "un hombre con una chaqueta y una mujer están sentados",
    "a man in a black coat is sitting with a woman": "un hombre con un abrigo negro está sentado con una mujer",
    "a horse and rider are jumping over a fence": "un caballo y un jinete están saltando una valla",
    "a group of men in suits are seated in a row": "un grupo de hombres con trajes está sentado en fila",
    "a man and a woman in a hat sitting on a bench": "un hombre y una mujer con un sombrero sentados en un banco",
    # the wrong sense
    "people standing in front of a stone wall": "personas de pie delante de una pared de piedra",
    "men are riding horses in a race": "los hombres están montando a caballo en una carrera",
    "a boy on a concrete platform": "un niño en una plataforma de hormigón",
    "a man with his arms outstretched": "un hombre con los brazos abiertos",
    "a man is rock climbing": "un hombre está escalando una roca",
    "an engraving of a family": "un grabado de una familia",
    "a black and white photograph of an old man": "una fotografía en blanco y negro de un anciano",
    # said as nobody says it
    "a dog with a stick in its mouth": "un perro con un palo en la boca",
    "a man in a red shirt and black pants walks": "un hombre con una camisa roja y pantalones negros está caminando",
    "a woman is standing on the beach looking at the sea": "una mujer está de pie en la playa mirando al mar",
    "two dogs are playing with each other": "dos perros están jugando entre sí",
    "a man is jumping off of a dock into the water": "un hombre está saltando desde un muelle al agua",
    "a man is riding a red bike": "un hombre está montando en una bicicleta roja",
    "three women are sitting at a table": "tres mujeres están sentadas a una mesa",
    "three women are sitting on a table": "tres mujeres están sentadas en una mesa",
    "a house with mountains in the background": "una casa con montañas al fondo",
    "a woman is hugging a child": "una mujer está abrazando a un niño",
    "people are standing on the edge of a body of water": "unas personas están de pie en el borde del agua",
    # said twice
    "a black dog and a black dog are playing": "dos perros negros están jugando",
    "a man in a black coat and a black coat": "un hombre con un abrigo negro",
    "a group of people stand in front of a group of people": "un grupo de personas está de pie",
    "a man is sitting at a table in front of a table": "un hombre está sentado a una mesa",
    # a stand-in of the glossary that is in the caption itself
    "a lamp on a rock": "una lámpara en una roca",
    "a woman is praying, a man is looking at a boy": "una mujer está rogando, un hombre está mirando a un niño",
}


@pytest.fixture(scope="module")
def made() -> dict[str, Translation]:
    """All captions in one run of Apertium, which takes as long as one of them."""
    return dict(zip(SAID, lines_to_spanish(list(SAID), 120), strict=True))


@pytest.mark.parametrize(("english", "spanish"), SAID.items())
def test_captions_are_mended(english: str, spanish: str, made: dict[str, Translation]) -> None:
    assert made[english].text.lower().rstrip(" .") == spanish
    assert made[english].unknown == ()


@pytest.mark.parametrize("english", list(SAID)[::9])
def test_a_caption_is_translated_alone_as_among_many(english: str) -> None:
    assert to_spanish(english, 60).text.lower() == SAID[english]


def test_an_empty_caption_stays_empty() -> None:
    assert lines_to_spanish(["", "a dog"], 60)[0].text == ""


def test_names_are_left_alone() -> None:
    made = to_spanish("a street in Matanzas with two horses", 60)
    assert "Matanzas" in made.text and "Qx" not in made.text and made.unknown == ()
