"""Period terms: what is flagged in print and what is not, and what a model's sentence says in their place."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista.descriptions import sensitive
from revista.descriptions.sensitive import Withheld, find, lexicon, neutral, printed_flags
from revista.records import FlagKind

FLAGGED = [
    ("El negro José María, calesero de la casa", "negro"),
    ("UN NIÑO NEGRO VENDE PERIÓDICOS", "NEGRO"),
    ("Los negros de la dotación", "negros"),
    ("los negros [?] de la dotación", "negros"),
    ("La mulata Cecilia", "mulata"),
    ("Una negrita en el ingenio", "negrita"),
    ("Batallón de pardos y morenos de La Habana", "pardos y morenos"),
    ("Sociedad para la instrucción de la gente de color", "de color"),
    ("Los indios de la misión", "indios"),
    ("Las tribus salvajes del interior", "salvajes"),
    ("Un chino vendedor de frutas", "chino"),
    ("Los culíes del ferrocarril", "culíes"),
    ("Cuatro esclavos del cafetal", "esclavos"),
    ("La escuela de anormales", "anormales"),
    ("Los inválidos de la guerra", "inválidos"),
    ("El circo de los enanos", "enanos"),
    ("El asilo de dementes de Mazorra", "dementes"),
    ("La criada y la señora", "criada"),
    ("Su criado, fiel hasta la muerte", "criado"),
    ("Un guajiro con su caballo", "guajiro"),
    ("La chusma del puerto", "chusma"),
    ("Una solterona en el balcón", "solterona"),
    ("El bello sexo en las regatas", "bello sexo"),
    ("Una real hembra", "hembra"),
    ("Los invertidos ante la ley", "invertidos"),
    ("Hijo natural del conde", "Hijo natural"),
]
NOT_FLAGGED = [
    "Vestido negro de crespón",
    "Un caballo negro",
    "La dama, de negro, y su hija",
    "El negro de sus ojos",
    "En blanco y negro",
    "La negra noche",
    "El traje es negro, el sombrero, blanco",
    "Una letra negrita",
    "La bella morena de ojos verdes",
    "El señor Moreno y la señora Pardo",
    "Fotografías de color",
    "La India y sus palacios",
    "Las Indias Occidentales",
    "Un conejillo de indias",
    "Flores salvajes",
    "China y el Japón",
    "Tinta china sobre papel",
    "Moros y cristianos",
    "El perro con su bozal",
    "Esclavo de la moda",
    "Una mujer esclava de la moda",
    "Un voto inválido",
    "Una palmera enana",
    "Blancanieves y los siete enanitos",
    "Los locos años veinte",
    "Nacida y criada en Matanzas",
    "La joven, criada en París, vuelve a La Habana",
    "Un punto guajiro",
    "La hembra del león",
    "El capital invertido",
    "Imagen invertida",
    "Los negocios de la Habana",
    "Don Inocencio Blanco",
]


@pytest.mark.parametrize(("text", "term"), FLAGGED)
def test_print_is_flagged_and_not_altered(text: str, term: str) -> None:
    (flag,) = printed_flags(text)
    assert (flag.kind, flag.term) == (FlagKind.SENSITIVE, term)
    assert flag.note[0].isupper() and ": " in flag.note


@pytest.mark.parametrize("text", NOT_FLAGGED)
def test_harmless_uses_are_not_flagged(text: str) -> None:
    assert printed_flags(text) == ()


def test_each_term_is_flagged_once() -> None:
    assert [f.term for f in printed_flags("Los negros, los negros y la mulata")] == ["negros", "mulata"]


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("two black asian women", "two women"),
        ("an asian woman in a hat", "a woman in a hat"),
        ("a black man and two white children", "a man and two children"),
        ("an african american boy", "a boy"),
        ("a midget with a dog", "a small person with a dog"),
        ("a crippled boy on a bench", "a boy on a bench"),
        ("a maid with a tray", "a woman with a tray"),
        ("a fat man and an ugly woman", "a man and a woman"),
    ],
)
def test_a_model_says_it_in_neutral_words(said: str, instead: str) -> None:
    text, flags = neutral(said, "en")
    assert text == instead
    assert flags and all(flag.kind is FlagKind.REPLACED and flag.term is None for flag in flags)


@pytest.mark.parametrize(
    "said",
    [
        "a black dog and a white horse",
        "a man in a black suit",
        "a woman with white hair",
        "a man and a woman in black and white",
        "a hot dog",
        "an oriental rug",
        "a dwarf tree",
        "a maid of honor",
        "an indian elephant",
    ],
)
def test_harmless_words_of_a_model_stay(said: str) -> None:
    assert neutral(said, "en") == (said, ())


@pytest.mark.parametrize(
    ("said", "language"),
    [("two gypsies", "en"), ("a negro with a hat", "en"), ("a lunatic", "en"), ("un negro con sombrero", "es")],
)
def test_what_has_no_neutral_word_is_withheld_and_not_named(said: str, language: str) -> None:
    with pytest.raises(Withheld) as caught:
        neutral(said, language)  # type: ignore[arg-type]
    assert not any(word in str(caught.value) for word in said.split()[-3:] if len(word) > 3)


def test_spanish_models_too() -> None:
    assert neutral("un hombre negro con sombrero", "es")[0] == "un hombre con sombrero"
    assert neutral("una criada, dos niños", "es")[0] == "una empleada, dos niños"
    assert neutral("un perro negro", "es") == ("un perro negro", ())


def test_lexicon_is_in_order() -> None:
    assert sum(map(len, lexicon().values())) >= 45
    for language, entries in lexicon().items():
        for entry in entries:
            assert entry.about in ("raza", "discapacidad", "clase", "género"), entry.term.pattern
            assert entry.note.endswith(".")
            for word in entry.say.values():  # nor is what is said instead in the lexicon itself
                assert not find(f"a {word} here", language), word  # type: ignore[arg-type]
            plain = unicodedata.normalize("NFD", entry.term.pattern)
            assert not re.search(r"[A-ZÀ-ÿ\u0300-\u036f]", plain.replace(r"\W", "").replace(r"\b", "")), plain


@given(st.text(max_size=200))
def test_anything_can_be_searched(text: str) -> None:
    assert len(sensitive._folded(text)) == len(text)
    for one in find(text, "es"):
        assert 0 <= one.start < one.end <= len(text)
    for language in ("en", "es"):
        try:
            once, _ = neutral(text, language)  # type: ignore[arg-type]
        except Withheld:
            continue
        assert find(once, language) == ()  # type: ignore[arg-type]
