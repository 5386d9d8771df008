"""English captions in Spanish: what Apertium gets systematically wrong, and what the rules make of it."""

from __future__ import annotations

import pytest

from revista.spanish import lines_to_spanish, to_spanish

SAID = {
    "a man in a red shirt is standing on a rock": "un hombre con una camisa roja está de pie en una roca",
    "a dog runs through the grass": "un perro está corriendo a través de la hierba",
    "two dogs are playing in the snow": "dos perros están jugando en la nieve",
    "a little girl in a pink dress is sitting on a swing": "una niña con un vestido rosa está sentada en un columpio",
    "two women are sitting on a bench": "dos mujeres están sentadas en un banco",
    "a man rides a wave on a surfboard": "un hombre está montando una ola en una tabla de surf",
    "a crowd of people watch a parade in the street": "una multitud de personas está mirando un desfile en la calle",
    "three men are playing guitar": "tres hombres están tocando guitarra",
    "a group of people are standing in front of a building": "un grupo de personas está de pie delante de un edificio",
    "a horse jumps over a fence": "un caballo está saltando una valla",
    "people walk down a city street": "las personas están andando por una calle de la ciudad",
    "two small brown dogs with red balls": "dos perros marrones pequeños con pelotas rojas",
    "a man skis down a hill": "un hombre está esquiando por una colina",
    "a young boy wearing a shirt is sitting on a slide": "un niño que lleva una camisa está sentado en un tobogán",
    "a man and a woman pose for a picture": "un hombre y una mujer están posando para una fotografía",
    "a man in a white t - shirt is standing in front of a": "un hombre con una camisa blanca está de pie",
    "a person in a red jacket is climbing up a rock": "una persona con una chaqueta roja está escalando una roca",
    "a white dog with a red collar runs": "un perro blanco con un collar rojo está corriendo",
    "a player in a red uniform gets ready to kick the ball": "un jugador con un uniforme rojo va a chutar la pelota",
}


@pytest.mark.parametrize(("english", "spanish"), SAID.items())
def test_captions_are_mended(english: str, spanish: str) -> None:
    assert to_spanish(english, 20).text.lower() == spanish
    assert to_spanish(english, 20).unknown == ()


def test_many_captions_at_once_are_translated_as_one_by_one() -> None:
    many = [one.text.lower().rstrip(" .") for one in lines_to_spanish(list(SAID), 60)]
    assert many == list(SAID.values())
    assert lines_to_spanish(["", "a dog"], 20)[0].text == ""


def test_names_are_left_alone() -> None:
    made = to_spanish("a street in Matanzas with two horses", 20)
    assert "Matanzas" in made.text and "Qx" not in made.text and made.unknown == ()
