"""Marian in Apertium's place: tiny checkpoints of the real class, with sentencepiece models of their own."""

import threading
from pathlib import Path

import pytest

from revista import checks, descriptions, translation
from revista.captions import spoken
from revista.errors import BadInput, ExitCode, MissingWeights, TimedOut
from revista.geometry import Box
from revista.records import Candidate, Candidates, Contexts, PictureCandidates, PictureContext, Ranking, Source
from revista.settings import DescriptionsSettings, Settings
from revista.translation import Marian

from .tiny_eyes import save_marian
from .tiny_models import one_thread, save_clip

LESSONS = [
    ("A man rides a white horse.", "Un hombre monta un caballo blanco."),
    ("Two women in a street.", "Dos mujeres en una calle."),
    ("The house by the sea.", "La casa junto al mar de Matanzas."),
]


@pytest.fixture(scope="module", autouse=True)
def threads() -> None:
    one_thread()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_marian(tmp_path_factory.mktemp("marian") / "tiny-en-es", LESSONS, 120, ("en", "es"))


@pytest.fixture(scope="module")
def marian(folder: Path) -> Marian:
    loaded = translation.load(str(folder), "cpu")
    assert isinstance(loaded, Marian) and loaded.name == "tiny-en-es"
    return loaded


def test_what_it_has_learnt_it_translates(marian: Marian) -> None:
    assert marian.translate("a man rides a white horse", 30).text == "Un hombre monta un caballo blanco."
    both = marian.translate_lines(["two women in a street.", "", "a man rides a white horse"], 30)
    assert [one.text for one in both] == ["Dos mujeres en una calle.", "", "Un hombre monta un caballo blanco."]
    assert all(one.unknown == () for one in both)


def test_a_name_that_it_makes_up_is_told_as_unknown(marian: Marian) -> None:
    found = marian.translate("the house by the sea", 30)
    assert found.text == "La casa junto al mar de Matanzas." and found.unknown == ("Matanzas",)


def test_out_of_time(marian: Marian) -> None:
    with pytest.raises(TimedOut, match=r"0\.001 s") as caught:
        marian.translate("two women in a house by the sea", 0.001)
    assert "run.page_timeout" in caught.value.hint


def test_from_many_threads(marian: Marian) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda t=text: found.append(marian.translate(t, 60 + len(t)).text))
        for text, _ in LESSONS * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(found)) == sorted(spanish for _, spanish in LESSONS) and len(found) == 9


def test_what_runs_on_is_no_translation(tmp_path: Path) -> None:
    raw = translation.load(str(save_marian(tmp_path / "raw", LESSONS, 0, ("eng", "spa"))), "cpu")
    try:
        found = raw.translate("a dog", 30)
    except BadInput as error:
        assert "raw could not translate 'a dog'" in error.message
    else:
        assert len(found.text.split()) <= 16


def test_the_other_direction(folder: Path, tmp_path: Path) -> None:
    turned = [(spanish, english) for english, spanish in LESSONS]
    other = save_marian(tmp_path / "tiny-es-en", turned, 120, ("es", "en"))
    back = translation.load(str(other), "cpu", "spa-eng")
    assert back.translate("dos mujeres en una calle", 30).text == "Two women in a street."
    for wrong, pair in ((other, "eng-spa"), (folder, "spa-eng")):
        with pytest.raises(MissingWeights, match="translates") as caught:
            translation.load(str(wrong), "cpu", pair).translate("a man", 30)  # type: ignore[arg-type]
        assert "opus-mt" in caught.value.hint


def test_what_is_no_translator(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="the translator"):
        translation.load(str(save_clip(tmp_path / "clip")), "cpu")
    with pytest.raises(MissingWeights, match=r"no translator.*no such folder") as caught:
        translation.load("./nowhere", "cpu")
    assert 'descriptions.translator = "apertium"' in caught.value.hint


def test_apertium_is_the_default(marian: Marian) -> None:
    default = translation.load(DescriptionsSettings().translator, "cpu")
    assert isinstance(default, translation.Apertium) and default.name.startswith("apertium ")
    assert default.translate("two dogs", 30).text.lower().startswith("dos perros")
    assert translation.weights("apertium") == {} and set(translation.software("apertium")) == {"apertium"}


def test_sentences_say_who_translated_them(marian: Marian, folder: Path) -> None:
    box = Box(0, 0, 9, 9)
    context = PictureContext(picture="0001-r01", box=box)
    candidate = Candidate(text="a man rides a white horse", language="en", source="captioner", log_probability=-1.0)
    candidates = Candidates(
        captioner="blip-test", pictures=(PictureCandidates(picture="0001-r01", candidates=(candidate,)),)
    )
    options = DescriptionsSettings(translator=str(folder))
    body = descriptions.run(1, Contexts(pictures=(context,)), candidates, Ranking(), options, 30, marian)
    (sentence,) = [s for s in body.pictures[0].sentences if s.source is Source.SEEN]
    assert sentence.text == "Descripción automática: un hombre monta un caballo blanco."
    assert sentence.evidence.model == "blip-test + tiny-en-es"
    assert sentence.evidence.original == "a man rides a white horse"
    assert {"source.spm", "target.spm", "vocab.json", "model.safetensors"} <= set(descriptions.weights(options))
    assert {"sentencepiece", "transformers"} <= set(descriptions.software(options))


def test_doctor_looks_for_the_translator(folder: Path) -> None:
    def found(spec: str) -> checks.Check:
        settings = Settings.model_validate({"profile": "none", "descriptions": {"translator": spec}})
        (check,) = [c for c in checks.examine(settings) if c.name == "translator weights"]
        return check

    assert found(str(folder)).status == "ok"
    missing = found("./nowhere")
    assert missing.status == "missing" and missing.exit_code is ExitCode.MISSING_WEIGHTS and missing.hint
    english = Settings.model_validate({"captions": {"model": "blip-base"}, "descriptions": {"translator": str(folder)}})
    assert spoken(english.captions) == "en" and not checks._translates(english)


def test_the_print_is_read_by_a_marian_checkpoint_where_the_settings_name_one(tmp_path: Path) -> None:
    from revista import captions, cues
    from revista.records import Quote
    from revista.settings import CaptionsSettings

    told = "Un hombre monta un caballo blanco."
    folder = save_marian(tmp_path / "tiny-es-en", [(told, "A man rides a white horse.")], 120, ("es", "en"))
    box = Box(0, 0, 9, 9)
    caption = Quote(text=told, page=1, boxes=(box,), confidence=0.9)
    context = PictureContext(picture="0001-r01", box=box, caption=caption)
    reader = translation.load(str(folder), "cpu", cues.PAIR)
    (expected,) = cues.expect([context], "en", 3, 60, reader)
    assert expected.translation == "A man rides a white horse."
    own = Settings(captions=CaptionsSettings(translator=str(folder))).captions
    assert any(name.startswith("translator/") for name in captions.weights(own))
    assert "sentencepiece" in captions.software(own) and "apertium" not in captions.software(own)
    with pytest.raises(MissingWeights, match="nowhere"):
        captions.weights(own.model_copy(update={"translator": str(tmp_path / "nowhere")}))
