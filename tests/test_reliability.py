"""When the models' sentence is not told: reliability, its fit, and "Sin descripción fiable"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista import descriptions, ranking
from revista.errors import BadArguments
from revista.evaluation.reliability import THRESHOLDS, evaluate_reliability, fit
from revista.geometry import Box
from revista.ranking.reliability import NOT_PHOTOGRAPHS, chance, features
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Description,
    Kind,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    Quote,
    Ranking,
    ScoredCandidate,
    Source,
)
from revista.settings import CaptionsSettings, DescriptionsSettings, RankingSettings, Reliability, Settings
from tests.tiny_models import noise, one_thread, save_clip

SHARED = Path(__file__).parents[2] / "shared" / "captions"
WEIGHTS = Reliability(similarity=6.5, log_probability=2.7, no_photograph=-2.2, bias=1.0)
BOX = Box(0, 0, 60, 100)
UNIT = st.floats(0, 1)


def kinds(drawn: float) -> dict[Kind, float]:
    """Probabilities of kinds of which `drawn` goes to what is no photograph."""
    rest = [kind for kind in Kind if kind not in NOT_PHOTOGRAPHS and kind is not Kind.UNCERTAIN]
    return {kind: drawn / len(NOT_PHOTOGRAPHS) for kind in NOT_PHOTOGRAPHS} | {
        kind: (1 - drawn) / len(rest) for kind in rest
    }


# --- the judgement --------------------------------------------------------------------------------------------


@given(st.floats(-1, 1), st.floats(-20, 0), UNIT, st.floats(0, 0.5))
def test_a_better_fitting_surer_sentence_about_a_photograph_is_no_less_reliable(
    similarity: float, log_probability: float, drawn: float, more: float
) -> None:
    before = chance(WEIGHTS, features(similarity, log_probability, kinds(drawn)))
    assert 0 <= before <= 1
    assert chance(WEIGHTS, features(similarity + more, log_probability, kinds(drawn))) >= before
    assert chance(WEIGHTS, features(similarity, log_probability + more, kinds(drawn))) >= before
    assert chance(WEIGHTS, features(similarity, log_probability, kinds(drawn * (1 - more)))) >= before


def test_what_is_no_photograph_counts_whatever_it_is() -> None:
    for kind in NOT_PHOTOGRAPHS:
        sure = dict.fromkeys(Kind, 0.0) | {kind: 1.0}
        assert features(0.5, -1.0, sure) == (0.5, -1.0, 1.0)


def test_the_fit_finds_what_right_sentences_have() -> None:
    rng = np.random.default_rng(0)
    looked_at = np.column_stack([rng.normal(0.5, 0.1, 2000), rng.normal(-1, 0.2, 2000), rng.random(2000)])
    likely = 1 / (1 + np.exp(-(8 * looked_at[:, 0] + 3 * looked_at[:, 1] - 2 * looked_at[:, 2])))
    found = fit(looked_at, rng.random(2000) < likely)
    assert found.similarity > 3 and found.log_probability > 1 and found.no_photograph < -1
    told = [chance(found, (a, b, c)) for a, b, c in looked_at]
    assert np.mean(told) == pytest.approx(likely.mean(), abs=0.03)  # calibrated on the whole


# --- the stages -----------------------------------------------------------------------------------------------


def test_the_ranking_judges_sentences_and_no_print(tmp_path: Path) -> None:
    one_thread()
    clip = ranking.load(RankingSettings(model=str(save_clip(tmp_path / "clip"))), "cpu")
    file = tmp_path / "page.png"
    import cv2

    cv2.imwrite(str(file), noise(3, 100, 60))
    window = Quote(text="dos palabras", page=1, boxes=(BOX,), confidence=0.9)
    contexts = Contexts(pictures=(PictureContext(picture="0001-r01", box=BOX, windows=(window,)),))
    said = Candidate(text="a man on a horse", language="en", source="captioner", log_probability=-1.0)
    without = said.model_copy(update={"text": "a dog", "log_probability": None})
    candidates = Candidates(
        captioner="blip", pictures=(PictureCandidates(picture="0001-r01", candidates=(said, without)),)
    )
    (plain,) = ranking.run(file, contexts, candidates, RankingSettings(), clip, None).pictures
    assert {one.reliability for one in plain.ranked} == {None}
    (judged,) = ranking.run(file, contexts, candidates, RankingSettings(reliability=WEIGHTS), clip, None).pictures
    assert [one.candidate for one in judged.ranked] == [one.candidate for one in plain.ranked]
    known = {one.candidate.text for one in judged.ranked if one.reliability is not None}
    assert known == {"a man on a horse"}


def described(reliability: float | None, least: float) -> Description:
    said = Candidate(text="un perro negro en la playa", language="es", source="captioner", log_probability=-1.0)
    one = ScoredCandidate(candidate=said, similarity=0.3, probability=0.9, reliability=reliability)
    found = descriptions.run(
        1,
        Contexts(pictures=(PictureContext(picture="0001-r01", box=BOX),)),
        Candidates(captioner="blip", pictures=(PictureCandidates(picture="0001-r01", candidates=(said,)),)),
        Ranking(ranker="clip", pictures=(PictureRanking(picture="0001-r01", ranked=(one,), chosen=one),)),
        DescriptionsSettings(min_reliability=least),
        20,
    )
    assert not found.problems
    (picture,) = found.pictures
    return picture


@given(st.none() | UNIT, UNIT)
def test_an_unreliable_sentence_is_replaced_by_that(reliability: float | None, least: float) -> None:
    picture = described(reliability, least)
    (sentence,) = picture.sentences
    assert sentence.source is Source.SEEN and sentence.evidence.boxes == (BOX,) and sentence.evidence.model
    if reliability is None or reliability >= least:
        assert picture.undescribed is None and "un perro negro en la playa" in sentence.text
    else:
        assert sentence.text.startswith("Sin descripción fiable") and "perro" not in sentence.text
        assert picture.undescribed == descriptions.UNRELIABLE
        assert sentence.evidence.confidence == reliability and sentence.evidence.original is None


def test_a_threshold_of_zero_tells_everything() -> None:
    assert described(0.0, 0.0).undescribed is None


def test_the_shipped_weights_hold_for_the_shipped_pair_only() -> None:
    assert Settings(profile="compact").ranking.reliability is not None
    for other in (
        Settings(profile="compact", captions=CaptionsSettings(model="/some/folder")),
        Settings(profile="compact", ranking=RankingSettings(model="/some/folder")),
        Settings(profile="standard"),
        Settings(profile="none"),
    ):
        assert other.ranking.reliability is None
    by_hand = Settings(profile="compact", ranking=RankingSettings(reliability=WEIGHTS))
    assert by_hand.ranking.reliability == WEIGHTS and by_hand.ranking.model == "compact-clip"
    off = Settings(profile="compact", ranking=RankingSettings(reliability=None))
    assert off.ranking.reliability is None


# --- the fit on real photographs ------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="the photographs of ../shared/captions are not there")
def test_drawn_pictures_are_told_from_photographs() -> None:
    from revista.training.data import open_data

    one_thread()
    found = evaluate_reliability(open_data(SHARED), Settings(), limit=48)
    told = {(row.look, row.threshold): row.told for row in found.rows}
    assert told["drawn", 0.5] <= 0.1 and told["photographs", 0.5] >= 0.5
    for look in ("photographs", "prints", "drawn"):
        shares = [told[look, least] for least in THRESHOLDS]
        assert shares == sorted(shares, reverse=True)
    assert found.weights.similarity > 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the photographs of ../shared/captions are not there")
def test_too_few_pictures_are_refused() -> None:
    from revista.training.data import open_data

    one_thread()
    with pytest.raises(BadArguments, match="too few"):
        evaluate_reliability(open_data(SHARED), Settings(), limit=1)
