"""Five strategies, our mix of picture, captioner and print, the matcher, and how they are compared and fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from revista import descriptions, ranking
from revista.errors import BadArguments, MissingWeights
from revista.evaluation import mixing
from revista.evaluation.ranking import PRINTS, Look, Witness, choose, evaluate_ranking, wanted
from revista.geometry import Box
from revista.ranking import RankingRequest, Scores, mix, rank
from revista.ranking.mix import Printed
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Cue,
    PictureCandidates,
    PictureContext,
    Quote,
    Source,
)
from revista.settings import DescriptionsSettings, Mix, RankingSettings, Settings, Strategy
from revista.training.data import CaptionData, open_data
from revista.training.scoring import Cider
from tests.tiny_models import noise, one_thread, save_clip, save_matcher

SHARED = Path(__file__).parents[2] / "shared" / "captions"
BOX = Box(0, 0, 60, 100)
CUE = Cue(text="a bride", kind="people", printed="novia", origin="caption")
MIX = Mix(
    similarity=2.0,
    log_probability=0.5,
    matching=0.3,
    agreement=3.0,
    shared_words=1.0,
    short=0.5,
    long=0.5,
    repetition=0.5,
    support=12.0,
    echo=3.0,
    bias=-6.0,
)


def said(text: str, log_probability: float, cue: Cue | None = None) -> Candidate:
    return Candidate(text=text, language="en", source="captioner", log_probability=log_probability, cue=cue)


def window(text: str) -> Candidate:
    quote = Quote(text=text, page=1, boxes=(BOX,), confidence=0.9)
    return Candidate(text=text, language="es", source="window", quote=quote)


MAN, DOG, BRIDE = said("a man on a horse", -1.0), said("a dog", -1.2), said("a bride", -1.1, CUE)
PARK, DANCE = window("en el parque"), window("el baile")
FOUND = (MAN, DOG, BRIDE, PARK, DANCE)


def options(strategy: Strategy, **more: object) -> RankingSettings:
    return RankingSettings(strategy=strategy, **more)  # type: ignore[arg-type]


# --- the strategies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "similarities", "expected"),
    [
        ("blip", (0.1, 0.9, 0.9, 0.9, 0.1), MAN),
        ("clip", (0.9, 0.9, 0.9, 0.1, 0.2), DANCE),
        ("pool", (0.3, 0.9, 0.9, 0.2, 0.1), MAN),
        ("pool", (0.3, 0.9, 0.9, 0.4, 0.1), PARK),
        ("threshold", (0.9, 0.9, 0.9, 0.30, 0.29), MAN),  # neither window stands out
        ("threshold", (0.9, 0.9, 0.9, 0.10, 0.50), DANCE),
        ("conditioned", (0.1, 0.1, 0.9, 0.9, 0.9), BRIDE),
    ],
)
def test_who_speaks(strategy: Strategy, similarities: tuple[float, ...], expected: Candidate) -> None:
    best = rank(FOUND, Scores(similarities), 16.0, options(strategy))
    assert best.chosen is not None and best.chosen.candidate == expected
    assert (BRIDE in [one.candidate for one in best.ordered]) == (strategy == "conditioned")
    for source in ("captioner", "window"):
        assert sum(one.probability or 0.0 for one in best.of(source)) == pytest.approx(1, abs=1e-3)


def test_without_windows_or_without_sentences() -> None:
    for strategy in ("pool", "threshold", "blip", "conditioned"):
        best = rank((MAN, DOG), Scores((0.1, 0.2)), 16.0, options(strategy))  # type: ignore[arg-type]
        assert best.chosen is not None
    assert rank((MAN, DOG), Scores((0.1, 0.2)), 16.0, options("clip")).chosen is None
    assert rank((PARK,), Scores((0.1,)), 16.0, options("conditioned")).chosen is None
    for strategy in ("pool", "threshold", "clip"):
        best = rank((PARK,), Scores((0.1,)), 16.0, options(strategy))  # type: ignore[arg-type]
        assert best.chosen is not None and best.chosen.candidate == PARK


def test_a_chosen_window_is_quoted_and_no_models_sentence_is_told(tmp_path: Path) -> None:
    one_thread()
    clip = ranking.load(RankingSettings(model=str(save_clip(tmp_path / "clip"))), "cpu")
    file = tmp_path / "0001.png"
    Image.fromarray(noise(0, 100, 60)).save(file)
    quotes = tuple(one.quote for one in (PARK, DANCE) if one.quote)
    for windows in (quotes, quotes[:1]):  # with a rival and without
        contexts = Contexts(pictures=(PictureContext(picture="0001-r01", box=BOX, windows=windows),))
        candidates = Candidates(
            captioner="c", pictures=(PictureCandidates(picture="0001-r01", candidates=(MAN, DOG, BRIDE)),)
        )
        ranked = ranking.run(file, contexts, candidates, options("clip"), clip, None)
        (picture,) = ranked.pictures
        assert picture.chosen is not None and picture.chosen == picture.window
        body = descriptions.run(1, contexts, candidates, ranked, DescriptionsSettings(), 10.0)
        (described,) = body.pictures
        assert [one.source for one in described.sentences] == [Source.ARTICLE]
        assert picture.chosen.candidate.text in described.text and described.undescribed == descriptions.BY_PRINT
    bare = Contexts(pictures=(PictureContext(picture="0001-r01", box=BOX),))
    ranked = ranking.run(file, bare, candidates, options("clip"), clip, None)
    assert ranked.pictures[0].chosen is None and ranked.pictures[0].reason == ranking.NOTHING_PRINTED
    (silent,) = descriptions.run(1, bare, candidates, ranked, DescriptionsSettings(), 10.0).pictures
    assert silent.sentences == () and silent.undescribed == ranking.NOTHING_PRINTED


# --- the mix --------------------------------------------------------------------------------------------------

UNIT = st.floats(-1, 1)


@given(UNIT, UNIT, UNIT, st.floats(0, 0.5))
def test_print_that_the_picture_bears_out_counts_more(
    support: float, echo: float, agreement: float, more: float
) -> None:
    low, high = mix.belonging(MIX, support, echo), mix.belonging(MIX, support + more, echo)
    assert 0 <= low <= high <= 1
    words = frozenset(("man", "horse"))
    worth = [mix.value(MIX, mix.features(MAN, 0.2, 0.0, abs(agreement), words, belongs)) for belongs in (low, high)]
    assert worth[0] <= worth[1] + 1e-9


def test_without_print_the_print_counts_nothing() -> None:
    similarities = (0.3, 0.2, 0.25)
    with_mix = rank(FOUND[:3], Scores(similarities), 16.0, options("conditioned", mix=MIX))
    assert with_mix.belonging is None
    assert BRIDE not in [one.candidate for one in with_mix.ordered]  # nobody knows whether its cue is about the picture
    values = [2.0 * s + 0.5 * (c.log_probability or 0) for s, c in zip(similarities, FOUND[:2], strict=False)]
    short = [0.5 * (8 - len(c.text.split())) / 8 for c in FOUND[:2]]
    repeated = [0.5 * (1 - len(set(c.text.split())) / len(c.text.split())) for c in FOUND[:2]]
    own = [value - a - b for value, a, b in zip(values, short, repeated, strict=True)]
    order = sorted(range(2), key=lambda i: -own[i])
    assert [one.candidate for one in with_mix.ordered] == [FOUND[i] for i in order]


@pytest.mark.parametrize(("support", "expected"), [(0.9, BRIDE), (-0.5, MAN)])
def test_the_picture_has_the_last_word(support: float, expected: Candidate) -> None:
    """The same candidates and print; whether the picture bears the print out decides."""
    scores = Scores((0.3, 0.1, 0.2), agreements=(0.0, 0.0, 0.8), support=support)
    printed = Printed(("la novia", "the bride"), frozenset(("bride",)))
    best = rank(FOUND[:3], scores, 16.0, options("conditioned", mix=MIX), printed)
    assert best.chosen is not None and best.chosen.candidate == expected
    assert best.belonging is not None and (best.belonging > 0.8) == (support > 0)
    assert [one.agreement for one in best.ordered].count(0.8) == (support > 0)  # else what it suggested takes no part


def test_a_matcher_counts_as_much_as_the_mix_says() -> None:
    scores = Scores((0.3, 0.3, 0.3), matching=(-3.0, 3.0, -3.0))
    best = rank(FOUND[:3], scores, 16.0, options("conditioned", mix=MIX))
    assert best.chosen is not None and best.chosen.candidate == DOG and best.chosen.matching == 3.0
    deaf = MIX.model_copy(update={"matching": 0.0})
    best = rank(FOUND[:3], scores, 16.0, options("conditioned", mix=deaf))
    assert best.chosen is not None and best.chosen.candidate == MAN


def test_a_profile_brings_its_mix_for_its_own_pair_only() -> None:
    assert Settings().ranking.mix is not None
    assert Settings(captions={"model": "none"}).ranking.mix is None  # type: ignore[arg-type]
    assert Settings(ranking={"mix": None}).ranking.mix is None  # type: ignore[arg-type]


# --- the matcher ----------------------------------------------------------------------------------------------


def test_the_matcher_says_what_the_whole_model_says(tmp_path: Path) -> None:
    import torch

    folder = save_matcher(tmp_path / "itm")
    own = RankingSettings(model=str(save_clip(tmp_path / "clip")), matcher=str(folder))
    matcher = ranking.load_matcher(own, "cpu")
    texts = ("a man on a horse", "two dog", "a lady in the garden with a red hat")
    asked = [RankingRequest(noise(i), texts[: i + 1]) for i in range(3)]
    results = matcher.predict(asked)
    for request, result in zip(asked, results, strict=True):
        assert isinstance(result, tuple)
        for text, odds in zip(request.texts, result, strict=True):
            pixels = matcher._processor(images=[Image.fromarray(request.image)], return_tensors="pt")["pixel_values"]
            inputs = matcher._tokenizer([text], return_tensors="pt")
            with torch.inference_mode():
                whole = matcher._model(
                    input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], pixel_values=pixels
                ).itm_score[0]
            assert odds == pytest.approx(float(whole[1] - whole[0]), abs=1e-3)
    hashes = ranking.weights(own)
    assert "matcher/model.safetensors" in hashes and "model.safetensors" in hashes
    with pytest.raises(MissingWeights, match="matcher"):
        ranking.load_matcher(RankingSettings(matcher=own.model), "cpu")
    with pytest.raises(MissingWeights, match="no matcher"):
        ranking.load_matcher(RankingSettings(), "cpu")


# --- compared and fitted --------------------------------------------------------------------------------------


def test_the_fit_finds_what_good_sentences_have() -> None:
    rng = np.random.default_rng(0)
    references = {f"p{i}": [f"a {colour} dog runs on the grass"] for i, colour in enumerate(["red", "black"] * 30)}
    looks = []
    for name in references:
        own = references[name][0]
        for kind in PRINTS:
            wrong = kind == "misleading"
            similarities = (0.5 + rng.normal(0, 0.05), 0.4 + rng.normal(0, 0.05), 0.2)
            looks.append(
                Look(
                    name,
                    kind,
                    (said(own, -1.5), said("a dog runs", -1.0), said("a man sits on a chair", -1.1)),
                    Scores(
                        similarities,
                        () if kind == "none" else (0.1, 0.2, 0.9) if wrong else (0.9, 0.5, 0.1),
                        None if kind == "none" else (0.0 if wrong else 0.5) + rng.normal(0, 0.05),
                    ),
                    Printed(("x",), frozenset(("man", "chair") if wrong else ("dog", "grass"))),
                )
            )
    fitted = mixing.fit(looks, Cider(references), 0.8)
    assert fitted.similarity > 0 and fitted.agreement > 0 and fitted.support > 0 and fitted.matching == 0
    said_of = [(look.picture, choose(look, options("conditioned", mix=fitted), 16.0)) for look in looks]
    right = [one is not None and one.text == references[name][0] for name, one in said_of]
    assert np.mean(right) > 0.95  # of 180, some with print as like the picture as its own by chance


@pytest.fixture(scope="module")
def data() -> CaptionData:
    if not SHARED.is_dir():
        pytest.skip("needs the shared photographs")
    one_thread()
    return open_data(SHARED)


def test_the_comparison_with_the_shipped_models(data: CaptionData) -> None:
    done: list[int] = []
    found = evaluate_ranking(data, Settings(), split="dev", limit=6, on_picture=lambda: done.append(1))
    rows = {(row.strategy, row.print): row for row in found.rows}
    assert len(done) == found.pictures == 6 and len(rows) == 15
    assert rows["clip", "none"].scores is None and rows["clip", "none"].silent == 6
    assert rows["clip", "helpful"].windows == 6
    blips = [rows["blip", kind].scores for kind in PRINTS]
    assert blips[0] is not None and blips[0] == blips[1] == blips[2]  # deaf to print
    assert rows["blip", "helpful"].against_none == 0.0 and rows["blip", "none"].against_none is None
    assert rows["conditioned", "helpful"].scores != rows["conditioned", "none"].scores
    first, second = found.predictions[:2]
    assert first.misleading == second.helpful and first.helpful != second.helpful
    assert len(first.references) == 4 and first.said["blip"]["none"] == first.said["pool"]["none"]


def test_looks_are_what_the_stages_would_see(data: CaptionData) -> None:
    own = Settings()
    names, _, printed = wanted(data, None, "dev", 2)
    witness = Witness(own)
    looks = witness.look(data, names, printed, lambda: None)
    assert [(look.picture, look.print) for look in looks] == [(n, kind) for kind in PRINTS for n in names]
    none, helpful = looks[0], looks[2]
    free = [one for one in helpful.found if one.cue is None and one.source == "captioner"]
    assert none.found == tuple(free) and none.scores.support is None
    assert any(one.cue for one in helpful.found) and helpful.found[-1].source == "window"
    from revista import cues
    from revista.captions import CaptionRequest, picture_seed
    from revista.evaluation.ranking import _context

    (expected,) = cues.expect([_context(printed[0])], "en", own.captions.cues, 60)
    request = CaptionRequest(
        data.read(names[0]),
        own.captions.prompts,
        picture_seed(own.captions.seed, names[0]),
        None,
        expected.cues,
        expected.words,
    )
    (at_once,) = witness.captioner.predict([request])
    assert isinstance(at_once, tuple)
    assert [one.text for one in at_once] == [one.text for one in helpful.found if one.source == "captioner"]


def test_too_few_pictures(data: CaptionData) -> None:
    with pytest.raises(BadArguments, match="too few pictures: 1"):
        wanted(data, None, "dev", 1)
    with pytest.raises(BadArguments, match="too few pictures: 5"):
        mixing.fit_mix(data, Settings(), limit=5)
