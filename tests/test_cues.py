"""What the print lets one expect: the lexicon, openings, words, and names that stay out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.cues import content_words, expect, spoken_of, without_translation
from revista.cues.lexicon import KINDS, bare, english_plural, lexicon, phrase
from revista.geometry import Box
from revista.records import Cue, PictureContext, Quote
from revista.registry import models_folder

BOX = Box(0, 0, 60, 100)


def quote(text: str, uncertain: tuple[int, ...] = (), confidence: float = 0.9) -> Quote:
    return Quote(text=text, page=1, boxes=(BOX,), confidence=confidence, uncertain=uncertain)


def captioned(text: str, uncertain: tuple[int, ...] = (), confidence: float = 0.9) -> PictureContext:
    return PictureContext(picture="0001-r01", box=BOX, caption=quote(text, uncertain, confidence))


def openings(context: PictureContext, language: str = "en") -> list[str]:
    (found,) = without_translation([context], language, 9)  # type: ignore[arg-type]
    return [cue.text for cue in found.cues]


# --- the lexicon ----------------------------------------------------------------------------------------------


def test_the_lexicon_is_no_toy_and_each_entry_stands_once() -> None:
    lines = [line for line in _lines() if not line.startswith("#")]
    spanish = [bare(line.split("\t")[0]) for line in lines]
    assert len(lines) > 600 and len(set(spanish)) == len(spanish)
    assert {entry.kind for entry in lexicon().values()} == set(KINDS)


def test_the_shipped_captioner_knows_the_words_of_nearly_all_entries() -> None:
    tokenizer = json.loads((models_folder() / "compact/captioner/tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    english = [line.split("\t")[1].split() for line in _lines() if not line.startswith("#")]
    known = sum(all(word in vocabulary for word in words) for words in english)
    assert known / len(english) > 0.9


def _lines() -> list[str]:
    from importlib.resources import files

    return (files("revista.cues") / "lexicon.tsv").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("spanish", "english"),
    [
        ("novia", "a bride"),
        ("novias", "brides"),
        ("señores", "men"),
        ("generales", "men in uniforms"),
        ("actrices", "actresses"),
        ("clubs", "large buildings"),
        ("niños", "children"),
        ("trajes de baño", "people in bathing suits"),
    ],
)
def test_singular_and_plural(spanish: str, english: str) -> None:
    assert phrase(lexicon()[bare(spanish)]) == english


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("man in a hat", "men in hats"),
        ("young woman in a white dress", "young women in white dresses"),
        ("baby", "babies"),
        ("tennis player", "tennis players"),
        ("person riding a horse", "people riding a horse"),
    ],
)
def test_english_plurals(noun: str, plural: str) -> None:
    assert english_plural(noun) == plural


# --- openings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("La Srta. María Teresa Cabarrocas", ["a young woman"]),
        ("El Dr. Zayas y dos niños", ["a man in a suit", "two children"]),
        ("TRES NIÑAS DE LA SRA. ROSA LEÓN", ["three girls", "a woman"]),
        ("Rosa Pérez con su perro", ["a dog"]),
        ("El león del parque", ["a lion"]),
        ("Vista de la playa", ["a view of a city"]),
        ("La playa de Marianao", ["a beach"]),
        ("Los recién casados a la salida de la iglesia", ["a bride and groom"]),
        ("Aurelio Collazo", []),
        ("", []),
    ],
)
def test_openings_are_what_the_print_looks_like(printed: str, expected: list[str]) -> None:
    assert openings(captioned(printed)) == expected


def test_openings_for_a_spanish_captioner() -> None:
    assert openings(captioned("La Srta. Pérez"), "es") == ["una señorita"]
    assert openings(captioned("los novios y el general"), "es") == ["unos novios", "un general"]
    assert openings(captioned("dos niñas en la playa"), "es") == ["dos niñas"]


def test_the_caption_comes_first_then_the_heading_then_paragraphs() -> None:
    context = PictureContext(
        picture="0001-r01",
        box=BOX,
        caption=quote("La bailarina"),
        heading=quote("Los perros de la exposición"),
        after=(quote("Un caballo blanco."),),
        before=(quote("La reina."),),
    )
    (found,) = without_translation([context], "en", 9)
    assert [cue.origin for cue in found.cues][:3] == ["caption", "heading", "heading"]
    assert [cue.text for cue in found.cues][-2:] == ["a woman with a crown", "a horse"]  # people first
    assert found.words is not None and found.words.origin == "caption"
    (fewer,) = without_translation([context], "en", 1)
    assert fewer.cues == found.cues[:1]
    assert spoken_of(context) == "La bailarina"


def test_print_that_was_read_badly_gives_nothing() -> None:
    assert openings(captioned("El perro y la novia", uncertain=(1,))) == ["a bride"]
    assert openings(captioned("El perro y la novia", confidence=0.2)) == []


# --- with Apertium --------------------------------------------------------------------------------------------


def test_words_and_translation_leave_names_out() -> None:
    contexts = [
        captioned("La señorita Rosa Menocal salta con su perro sobre una cerca en Varadero."),
        captioned("LOS NIÑOS DE LA SRA. ROSA LEÓN"),
        captioned(""),
    ]
    first, shouted, empty = expect(contexts, "en", 3, 60)
    assert first.translation is not None and first.words is not None
    said = content_words(first.translation, "en")
    assert "dog" in said
    for found in (first.translation.lower(), first.words.text):
        assert not {"rosa", "menocal", "varadero", "pink"} & set(found.replace(",", "").split())
    assert shouted.translation is None  # in capitals a name cannot be told from a word
    assert shouted.words is not None and shouted.words.text == "children, woman"
    assert empty.cues == () and empty.words is None and empty.translation is None


def test_a_page_is_translated_in_one_run_and_in_order() -> None:
    texts = ["Un perro negro corre.", "Dos mujeres bailan.", "Un caballo."]
    together = expect([captioned(text) for text in texts], "en", 3, 60)
    assert together == [expect([captioned(text)], "en", 3, 60)[0] for text in texts]


hostile = st.text(alphabet=st.characters(), max_size=120) | st.lists(
    st.sampled_from(["^perro$", "[señora", "*@#", "dos", "niños", "‮", "\x00", "Dr.", "NOVIA", "a" * 200, "\\", "1916"]),
    max_size=30,
).map(" ".join)


def check(cues: tuple[Cue, ...], printed: str) -> None:
    known = {phrase(entry) for entry in lexicon().values()}
    for cue in cues:
        number, _, rest = cue.text.partition(" ")
        assert cue.text in known or (number in ("two", "three", "several") and rest in known), cue
        assert all(bare(word) in bare(printed) for word in cue.printed.split())


@settings(max_examples=150, deadline=None)
@given(hostile, hostile, st.integers(0, 5))
def test_hostile_print_gives_openings_of_the_lexicon_or_nothing(text: str, more: str, most: int) -> None:
    context = PictureContext(
        picture="0001-r01", box=BOX, caption=quote(text), after=(quote(more),), heading=quote(more, (0, 3, 900))
    )
    (english,) = without_translation([context], "en", most)
    assert len(english.cues) <= most and len({cue.text for cue in english.cues}) == len(english.cues)
    check(english.cues, f"{text} {more}")
    (spanish,) = expect([context], "es", most, 60)
    for cue in (*spanish.cues, *([spanish.words] if spanish.words else [])):
        assert cue.text.strip() and cue.text.isprintable() and len(cue.text) < 3000


@settings(max_examples=8, deadline=None)
@given(st.lists(hostile, min_size=1, max_size=4))
def test_hostile_print_is_translated_or_passed_over(texts: list[str]) -> None:
    found = expect([captioned(text) for text in texts], "en", 3, 60)
    assert len(found) == len(texts)
    for one in found:
        assert one.translation is None or (one.translation.strip() and one.translation.isprintable())
        assert one.words is None or one.words.text == one.words.text.casefold()


def test_very_long_print_is_read_to_its_sixtieth_word() -> None:
    (found,) = expect([captioned("perro " * 59 + "gato " * 5000)], "es", 9, 60)
    assert [cue.text for cue in found.cues] == ["un perro", "un gato"]
    (short,) = expect([captioned("perro " * 60 + "gato")], "es", 9, 60)
    assert [cue.text for cue in short.cues] == ["un perro"]
