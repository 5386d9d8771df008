"""Stage 7 and Apertium: Spanish sentences, each with what it rests on."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from revista import descriptions
from revista.descriptions import names, sensitive
from revista.errors import BadInput, Category, MissingProgram, TimedOut
from revista.geometry import Box
from revista.programs import apertium
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Description,
    Descriptions,
    FlagKind,
    Header,
    IndexEntry,
    Known,
    Listed,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    PrintedNumber,
    Quote,
    Ranking,
    Record,
    ScoredCandidate,
    Source,
)
from revista.records.description import SEEN_HEAD
from revista.settings import DescriptionsSettings
from revista.wording import printable

SCHEMA_FILE = Path(__file__).parents[1] / "docs" / "schemas" / "descriptions.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))
PICTURE = "0003-r01"
BOX = Box(100, 100, 900, 900)
REASON = "not described by a model: no captioner weights"


def quote(text: str, top: int = 950, page: int = 3, confidence: float = 0.9, uncertain: tuple[int, ...] = ()) -> Quote:
    boxes = (Box(100, top, 900, top + 40),)
    return Quote(text=text, page=page, boxes=boxes, confidence=confidence, uncertain=uncertain)


def describe(
    context: PictureContext,
    *candidates: Candidate,
    window: Quote | None = None,
    ranked: bool = True,
    options: DescriptionsSettings | None = None,
    listed: Listed | None = None,
) -> Descriptions:
    proposed = PictureCandidates(picture=context.picture, candidates=candidates, reason=None if candidates else REASON)
    scored = [
        ScoredCandidate(candidate=candidate, similarity=0.3, probability=0.7 - 0.1 * i if ranked else None)
        for i, candidate in enumerate(candidates)
    ]
    chosen_window = window and ScoredCandidate(
        candidate=Candidate(text=window.text, language="es", source="window", quote=window), probability=0.8
    )
    ranking = PictureRanking(
        picture=context.picture, ranked=tuple(scored), chosen=scored[0] if scored else None, window=chosen_window
    )
    return descriptions.run(
        3,
        Contexts(pictures=(context,)),
        Candidates(captioner="blip-test" if candidates else None, pictures=(proposed,)),
        Ranking(ranker="clip-test" if ranked else None, pictures=(ranking,)),
        options or DescriptionsSettings(),
        20,
        listed=listed,
    )


def only(found: Descriptions) -> Description:
    (picture,) = found.pictures
    return picture


def english(text: str) -> Candidate:
    return Candidate(text=text, language="en", source="captioner")


def spanish(text: str) -> Candidate:
    return Candidate(text=text, language="es", source="captioner")


def bare(**fields: object) -> PictureContext:
    return PictureContext.model_validate({"picture": PICTURE, "box": BOX, **fields})


# --- without a model ------------------------------------------------------------------------------------------


def test_without_a_captioner_the_description_is_built_from_print() -> None:
    context = bare(
        caption=quote("SRTA. EULALIA LAINÉ"),
        caption_confidence=0.9,
        heading=quote("LO EN VILLA CLARA", top=20),
        after=(quote("Un texto que sigue.", top=1200),),
    )
    picture = only(describe(context))
    assert picture.text == "Pie impreso: «SRTA. EULALIA LAINÉ». Bajo el título «LO EN VILLA CLARA»."
    assert [sentence.source for sentence in picture.sentences] == [Source.CAPTION, Source.ARTICLE]
    assert picture.sentences[0].evidence.boxes == context.caption.boxes  # type: ignore[union-attr]
    assert picture.undescribed == REASON


def test_picture_with_nothing_printed_has_the_reason_and_no_sentence() -> None:
    found = describe(bare())
    assert only(found).sentences == ()
    assert only(found).undescribed == REASON
    assert found.problems == ()


def test_heading_below_a_headpiece_is_told_as_such() -> None:
    assert only(describe(bare(heading=quote("SUMARIO", top=950)))).text == "Sobre el título «SUMARIO»."


def test_missing_records_of_a_picture_still_give_a_reason() -> None:
    found = descriptions.run(3, Contexts(pictures=(bare(),)), Candidates(), Ranking(), DescriptionsSettings(), 20)
    assert only(found).undescribed == "not described by a model: no candidate"


def test_without_caption_the_nearest_paragraph_is_quoted_short() -> None:
    far, near = quote("Lejos.", top=5000), quote(" ".join(f"Palabra{i}" for i in range(60)), top=920)
    picture = only(describe(bare(before=(far,), after=(near,))))
    assert picture.text.startswith("El texto más cercano dice: «Palabra0 Palabra1")
    assert picture.text.endswith("Palabra24 […]».")
    continued = only(describe(bare(after=(quote("que venía de lejos.", top=920),))))
    assert continued.text == "El texto más cercano dice: «[…] que venía de lejos.»."


# --- print ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shared", "confidence", "head"),
    [
        ((), 0.9, "Pie impreso: «"),
        (("a", "b"), 0.9, "Pie impreso, común a 3 imágenes: «"),
        ((), 0.3, "Pie impreso cercano, quizá de esta imagen: «"),
        (("a",), 0.3, "Pie impreso cercano, quizá de estas 2 imágenes: «"),
    ],
)
def test_captions_say_how_sure_their_link_is(shared: tuple[str, ...], confidence: float, head: str) -> None:
    context = bare(caption=quote("El yate."), caption_shared_with=shared, caption_confidence=confidence)
    assert only(describe(context)).text.startswith(head)


def test_doubtful_words_are_marked() -> None:
    context = bare(caption=quote("El yate Hatney en Varadero", uncertain=(2,)), caption_confidence=1)
    assert only(describe(context)).text == "Pie impreso: «El yate Hatney [?] en Varadero»."


def test_caption_that_was_read_badly_is_told_and_not_quoted() -> None:
    context = bare(caption=quote("Ei yotc Hntucy", confidence=0.35), caption_confidence=1)
    found = describe(context)
    (sentence,) = only(found).sentences
    assert sentence.text == "Pie impreso, que no se pudo leer con seguridad."
    assert sentence.source is Source.CAPTION
    (problem,) = found.problems
    assert problem.category is Category.REDUCED
    assert (problem.page, problem.item) == (3, PICTURE)
    assert "0.35" in problem.message and problem.hint
    lowered = describe(context, options=DescriptionsSettings(min_quote_confidence=0.3))
    assert only(lowered).text == "Pie impreso: «Ei yotc Hntucy»."


def test_passage_that_the_ranker_chose_is_quoted_with_cuts() -> None:
    paragraph = quote("En Villa Clara el Regimiento de Caballería ha organizado un concurso de tiro y polo.")
    window = quote("el Regimiento de Caballería ha organizado un concurso")
    picture = only(describe(bare(after=(paragraph,)), window=window))
    expected = "El texto cercano dice: «[…] el Regimiento de Caballería ha organizado un concurso […]»."
    assert picture.text == expected
    assert picture.sentences[0].evidence.boxes == window.boxes


def test_passage_of_the_page_before_says_so() -> None:
    window = quote("Comienza el baile.", page=2)
    picture = only(describe(bare(previous_page=(window,)), window=window))
    assert picture.text == "En la página anterior se lee: «Comienza el baile.»."
    assert picture.sentences[0].evidence.page == 2


def test_passage_out_of_the_caption_is_not_said_twice() -> None:
    context = bare(caption=quote("El yate Hatuey en Varadero"), caption_confidence=1)
    assert only(describe(context, window=quote("El yate Hatuey"))).text == "Pie impreso: «El yate Hatuey en Varadero»."


def test_hostile_print_stays_one_line_in_one_pair_of_quotation_marks() -> None:
    text = "uno \u202edos\u200f\x07 «tres» <b>cuatro</b> " + "x" * 500 + " \ufeff \u2028fin"
    picture = only(describe(bare(caption=quote(text), caption_confidence=1)))
    assert picture.text.startswith("Pie impreso: «uno dos “tres” <b>cuatro</b> xxx")
    assert picture.text.endswith("x… fin».")
    assert len(picture.text) < 150


# --- what a model saw -----------------------------------------------------------------------------------------


def test_english_caption_is_translated_and_kept_as_the_original() -> None:
    (sentence,) = only(describe(bare(), english("a group of people standing in front of a house ."))).sentences
    assert sentence.text.startswith("Descripción automática: un grupo de ")
    assert sentence.text.endswith("una casa.")
    assert sentence.source is Source.SEEN
    assert sentence.evidence.boxes == (BOX,)
    assert sentence.evidence.confidence == 0.7
    assert sentence.evidence.original == "a group of people standing in front of a house ."
    assert sentence.evidence.model is not None
    assert sentence.evidence.model.startswith("blip-test + clip-test + apertium ")


def test_spanish_caption_needs_no_apertium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = only(describe(bare(), spanish("Un caballo en el campo  [UNK] ."), ranked=False))
    assert picture.text == "Descripción automática: un caballo en el campo."
    assert picture.undescribed is None
    evidence = picture.sentences[0].evidence
    assert (evidence.original, evidence.confidence, evidence.model) == (None, None, "blip-test")
    assert descriptions.software(DescriptionsSettings()) == {}


def test_missing_apertium_stops_only_where_something_has_to_be_translated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert only(describe(bare())).undescribed == REASON
    with pytest.raises(MissingProgram) as caught:
        describe(bare(), english("a dog"))
    assert "apt-get install apertium apertium-eng-spa" in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        "a portrait of charlie chaplin",
        "a portrait of Mary Pickford",
        "Mary in a hat",
        "a woman named rose",
        "a magazine cover with the words vogue on it",
        "a sign that says hotel",
        "[UNK] . .",
        "a playhouse on the lawn",
    ],
)
def test_candidates_that_name_or_read_give_way_to_the_next(said: str) -> None:
    found = describe(bare(), english(said), english("a woman in a dress"))
    assert only(found).text == "Descripción automática: una mujer con un vestido."
    assert only(found).sentences[0].evidence.confidence == 0.6
    assert [problem.category for problem in found.problems] == [Category.REDUCED]


def test_where_no_candidate_can_be_used_the_reason_is_kept() -> None:
    found = describe(bare(heading=quote("EL CINE", top=20)), english("charlie chaplin"))
    assert only(found).text == "Bajo el título «EL CINE»."
    assert "'charlie'" in (only(found).undescribed or "")
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    "said",
    [
        "retrato de Chaplin",
        "retrato de chaplin",  # small, and printed nearby as a name
        "Chaplín con sombrero",
        "un hombre con ｍａｒｙ",
        "una mujer con Ｒosa",
        "María en un jardín",
        "retrato de maría",
        "un hombre llamado pepe",
        "don tancredo con sombrero",
        "el señor lainé en su casa",
        "un retrato del general menocal",
        "UN RETRATO DE CARMEN",
        "una calle. La Habana",
        "un yate McKinley",
        "iPhone en una mesa",
    ],
)
def test_no_model_names_anybody_printed_nearby_or_not(said: str) -> None:
    context = bare(caption=quote("Charlie Chaplín en su casa"), caption_confidence=1)
    found = describe(context, spanish(said), spanish("un hombre con sombrero"))
    assert only(found).text == (
        "Pie impreso: «Charlie Chaplín en su casa». Descripción automática: un hombre con sombrero."
    )
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    "said",
    [
        "una señora mayor con sombrero",
        "Un señor con bastón",
        "un general de uniforme",
        "un rey a caballo",
        "una reina saluda a la multitud",
        "un soldado francés con un perro",
        "una rosa en un jarrón",
        "un retrato de una mujer",
        "una playa con casas",
    ],
)
def test_common_words_are_no_names(said: str) -> None:
    context = bare(caption=quote("La Playa de Marianao, vista por el Sr. Rosales"), caption_confidence=1)
    picture = only(describe(context, spanish(said)))
    assert picture.sentences[1].text == f"Descripción automática: {said[0].lower()}{said[1:]}."


def test_name_that_only_comes_with_the_translation_is_not_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "apertium"
    program.write_text(
        "#!/bin/sh\n[ $1 = -l ] && echo eng-spa && exit\n[ $1 = -V ] && echo 9.9 && exit\necho Retrato de carmen\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = describe(bare(), english("a portrait of a lady"))
    assert only(found).sentences == ()
    assert "names 'carmen'" in (only(found).undescribed or "")


# --- old-fashioned and offensive terms ------------------------------------------------------------------------


def test_period_terms_of_print_are_flagged_on_their_sentence_and_quoted_as_printed() -> None:
    context = bare(
        caption=quote("La mulata Cecilia, de vestido negro"), caption_confidence=1, heading=quote("MODAS", top=20)
    )
    caption, heading = only(describe(context)).sentences
    assert caption.text == "Pie impreso: «La mulata Cecilia, de vestido negro»."
    assert [(flag.kind, flag.term) for flag in caption.flags] == [(FlagKind.SENSITIVE, "mulata")]
    assert heading.flags == ()


def test_a_model_does_not_repeat_them() -> None:
    (sentence,) = only(describe(bare(), english("a midget and an asian woman in a garden"))).sentences
    assert sentence.text == "Descripción automática: una persona pequeña y una mujer en un jardín."
    assert [flag.kind for flag in sentence.flags] == [FlagKind.REPLACED] * 2
    assert sentence.evidence.original is None  # nor is it shown as what the sentence comes from


def test_what_has_no_neutral_word_gives_way_with_a_reason() -> None:
    found = describe(bare(), spanish("un negro con sombrero"), spanish("un hombre con sombrero"))
    assert only(found).text == "Descripción automática: un hombre con sombrero."
    assert "a term that no model may say (raza)" in found.problems[0].message
    alone = only(describe(bare(), spanish("un negro con sombrero")))
    assert alone.sentences == ()
    assert alone.undescribed == (
        "not described by a model: no candidate could be used: a sentence has a term that no model may say (raza)"
    )


# --- the alternative text -------------------------------------------------------------------------------------


def test_alternative_text_has_the_surest_sentences() -> None:
    context = bare(caption=quote("El yate Hatuey [?]"), caption_confidence=1, heading=quote("REGATAS", top=20))
    picture = only(describe(context, spanish("un barco de vela en el mar")))
    assert picture.alt == "«El yate Hatuey». Según un modelo, un barco de vela en el mar."
    doubtful = bare(caption=quote("El yate."), caption_confidence=0.2)
    assert only(describe(doubtful, spanish("un barco"))).alt == "Según un modelo, un barco. «El yate»."
    assert only(describe(bare(heading=quote("REGATAS", top=20)))).alt == "Sin descripción. Bajo el título «REGATAS»."
    assert only(describe(bare())).alt == "Sin descripción."


@pytest.mark.parametrize("said", ["una imagen de un perro", "foto de un perro", "una fotografía de un perro"])
def test_alternative_text_does_not_say_that_it_is_a_picture(said: str) -> None:
    assert only(describe(bare(), spanish(said))).alt.endswith("Según un modelo, un perro.")


def test_long_captions_are_cut_after_a_word() -> None:
    alt = only(describe(bare(caption=quote("palabra " * 40), caption_confidence=1))).alt
    assert alt == f"«{'palabra ' * 14}palabra…»"
    assert len(alt) <= 125
    assert len(only(describe(bare(caption=quote("x" * 300 + " y"), caption_confidence=1))).alt) <= 125


def test_flagged_terms_do_not_stand_in_the_alternative_text() -> None:
    context = bare(caption=quote("La mulata Cecilia"), caption_confidence=1)
    assert only(describe(context, spanish("una mujer"))).alt == "Según un modelo, una mujer."
    assert only(describe(context)).alt == "Sin descripción."


def test_failed_translation_is_a_problem_of_its_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "apertium"
    program.write_text("#!/bin/sh\n[ $1 = -l ] && echo eng-spa && exit\n[ $1 = -V ] && echo 9.9 && exit\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = describe(bare(caption=quote("El yate."), caption_confidence=1), english("a dog in a garden"))
    assert only(found).text == "Pie impreso: «El yate.»."
    assert "could not translate" in (only(found).undescribed or "")
    assert Category.BAD_INPUT in {problem.category for problem in found.problems}


# --- Apertium itself ------------------------------------------------------------------------------------------


def test_apertium_is_there() -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", apertium.probe())
    assert descriptions.software(DescriptionsSettings()) == {"apertium": apertium.probe()}
    with pytest.raises(MissingProgram, match="lacks the language pair xyz-abc"):
        apertium.probe("xyz-abc")


@pytest.mark.parametrize(
    ("said", "translated", "unknown"),
    [
        ("two women", "Dos mujeres", ()),
        ("a horse standing", "caballo", ()),
        ("a man with a frisbee", "frisbee", ("frisbee",)),
        ("a *man* @home #1 ^x/y$ [z] {w} <b>", "hombre", ("z", "w")),
        (" \n\t ", "", ()),
    ],
)
def test_translation_is_without_marks(said: str, translated: str, unknown: tuple[str, ...]) -> None:
    found = apertium.translate(said, 20)
    assert translated in found.text
    assert set(unknown) <= set(found.unknown)
    assert not set(found.text) & set("*@#^$[]{}<>\\/")
    assert apertium.translate(said, 20) == found


def test_slow_translation_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "apertium"
    program.write_text("#!/bin/sh\n[ $1 = -l ] && echo eng-spa && exit\n[ $1 = -V ] && echo 9.9 && exit\nsleep 30\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(TimedOut):
        apertium.translate("a slow dog", 0.2)


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=60))
def test_anything_can_be_translated(text: str) -> None:
    try:
        found = apertium.translate(text, 20)
    except BadInput as error:  # where nothing comes out, it says so
        assert error.hint
        return
    assert found.text == printable(found.text)
    assert not set(found.text) & set("*@#")


# --- anything at all ------------------------------------------------------------------------------------------


@given(st.text())
def test_printable_is_printable(text: str) -> None:
    clean = printable(text)
    assert printable(clean) == clean
    assert clean == " ".join(clean.split())
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") for sign in clean)


NASTY = (
    "",
    " \n\t ",
    "\x00\x07\x1b[31mrojo\x1b[0m",
    "\u202eשלום לכולם\u202c العربية",
    "👩🏽‍🚀🎩 🇨🇺",
    "<script>alert(1)</script> &amp; <img src=x onerror=y>",
    "x" * 2000,
    "palabra " * 300,
    "«»«»",
    "\ufeff\u200b\u2028",
    "ﬃ ½ Ⅷ ｆｕｌｌ",
    "La mulata y los negros",
    "María Pérez",
)
hostile = st.sampled_from(NASTY) | st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from(" «»“”\n\r\t<>&\u202e\u200b-|*@#[]")), max_size=60
)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    text = draw(hostile)
    words = len(text.split())
    uncertain = draw(st.sets(st.integers(0, words - 1), max_size=4)) if words else set()
    boxes = tuple(Box(0, i, 9, i + 9) for i in range(draw(st.integers(0, 2))))
    confidence = draw(st.floats(0, 1))
    page = draw(st.integers(2, 3))
    return Quote(text=text, page=page, boxes=boxes, confidence=confidence, uncertain=tuple(sorted(uncertain)))


@st.composite
def contexts(draw: st.DrawFn) -> PictureContext:
    optional = st.none() | quotes()
    few = st.lists(quotes(), max_size=2).map(tuple)
    return bare(
        caption=draw(optional),
        caption_confidence=draw(st.floats(0, 1)),
        caption_shared_with=tuple(draw(st.lists(st.sampled_from(["0003-r02", "0003-r03"]), unique=True))),
        heading=draw(optional),
        before=draw(few),
        after=draw(few),
        previous_page=draw(few),
    )


numbers = st.builds(
    PrintedNumber,
    number=st.integers(1, 999),
    known=st.sampled_from(Known),
    confidence=st.floats(0, 1),
    box=st.none() | st.just(Box(5, 1580, 20, 1595)),
)


@st.composite
def listings(draw: st.DrawFn) -> Listed:
    """What an index may say: its reader lets no text through that is not `printable`, and no title without a letter."""
    words = hostile.map(printable).filter(lambda text: len(text) <= 400 and re.search(r"[^\W_]", text))
    number = draw(st.none() | numbers)
    entries = st.builds(
        IndexEntry,
        row=st.integers(2, 2000),
        title=words,
        author=st.none() | words,
        kind=st.none() | words,
        year=st.just(1916),
        volume=st.just(1),
        number=st.just(9),
        pages=st.just((number.number,) if number else (1,)),
    )
    here = draw(st.lists(entries, min_size=1, max_size=12)) if number else []
    homeless = draw(st.lists(st.integers(2, 2000), max_size=12))
    return Listed(file="índice.csv", sha256="0a" * 32, number=number, entries=tuple(here), homeless=tuple(homeless))


@settings(max_examples=150, deadline=None)
@given(contexts(), st.lists(hostile, max_size=3), st.none() | quotes(), st.none() | listings())
def test_any_context_gives_sound_sentences(
    context: PictureContext, said: list[str], window: Quote | None, listed: Listed | None
) -> None:
    found = describe(context, *map(spanish, said), window=window, listed=listed)
    SCHEMA.validate(
        Record[Descriptions](header=Header(stage="descriptions", version="0"), body=found).model_dump(mode="json")
    )
    picture = only(found)
    sources = [sentence.source for sentence in picture.sentences]
    assert (Source.SEEN in sources) == (picture.undescribed is None)
    assert Source.REVIEWER not in sources
    assert (Source.INDEX in sources) == bool(listed and listed.entries)
    for sentence in picture.sentences:
        assert sentence.evidence.boxes and sentence.evidence.page in (2, 3)
        assert sentence.text == printable(sentence.text)
        assert re.search(r"\w", sentence.text) and sentence.text.endswith(".")
        index = sentence.evidence.index
        assert (index is not None) == (sentence.source is Source.INDEX)
        if index and listed and listed.number:
            entry = next(entry for entry in listed.entries if entry.row == index.row)
            assert (index.file, index.sha256, index.number) == (listed.file, listed.sha256, listed.number.number)
            assert index.known is listed.number.known and index.number in entry.pages
            assert sentence.evidence.confidence == listed.number.confidence
        if sentence.source is not Source.SEEN:
            assert sentence.text.count("«") == sentence.text.count("»") <= 1
        else:
            assert not names.capitalised(sentence.text.removeprefix(SEEN_HEAD))
            assert not sensitive.find(sentence.text, "es")
        for flag in sentence.flags:
            assert flag.term is None or flag.term in sentence.text
    assert 1 <= len(picture.alt) <= 125 and picture.alt == printable(picture.alt)
    assert len(picture.text) < 10_000
    assert found == describe(context, *map(spanish, said), window=window, listed=listed)


def test_the_schema_is_that_of_the_records() -> None:
    written = json.loads(SCHEMA_FILE.read_text("utf-8"))
    made = Record[Descriptions].model_json_schema(mode="serialization")
    assert {**written, "title": made["title"]} == {"$schema": written["$schema"], **made}, "python scripts/schemas.py"
    Draft202012Validator.check_schema(written)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("text",), ""),
        (("text",), " "),
        (("source",), "inventada"),
        (("evidence", "boxes"), []),
        (("evidence", "page"), 0),
        (("evidence", "confidence"), 1.5),
        (("flags",), [{"kind": "sensible"}]),
    ],
)
def test_the_schema_refuses_a_sentence_without_what_it_rests_on(path: tuple[str, ...], value: object) -> None:
    found = describe(bare(caption=quote("El yate."), caption_confidence=1))
    data = Record[Descriptions](header=Header(stage="descriptions", version="0"), body=found).model_dump(mode="json")
    SCHEMA.validate(data)
    place = data["body"]["pictures"][0]["sentences"][0]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not SCHEMA.is_valid(data)
    del place[path[-1]]
    assert SCHEMA.is_valid(data) == (path[-1] in ("flags", "confidence"))
