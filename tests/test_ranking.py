"""Stage 6 with CLIP, MetaCLIP 2 and SigLIP 2 of the real architectures, small, with random weights."""

import json
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from revista import ranking
from revista.errors import BadArguments, MissingWeights, ModelError
from revista.geometry import Box
from revista.ranking import RankingRequest, Scores
from revista.ranking.clip import Clip
from revista.ranking.kinds import SENTENCES, judge, probabilities
from revista.ranking.kinds import TEXTS as KIND_TEXTS
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Kind,
    PictureCandidates,
    PictureContext,
    Quote,
    ScoredCandidate,
)
from revista.settings import RankingSettings
from tests.tiny_models import noise, one_thread, save_blip, save_clip, save_metaclip, save_siglip

GOLDEN = Path(__file__).parents[2] / "shared" / "golden"
TEXTS = ("a man on a horse", "two dogs", "la señora de Zayas en el baile", "")
LONG = "una fiesta en el Habana Yacht Club " * 20
BOX = Box(0, 0, 60, 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one_thread()
    return save_clip(tmp_path_factory.mktemp("weights") / "tiny-clip")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    loaded = ranking.load(RankingSettings(model=str(folder)), "cpu")
    assert isinstance(loaded, Clip)
    return loaded


@pytest.fixture(scope="module")
def metaclip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = save_metaclip(tmp_path_factory.mktemp("weights") / "tiny-metaclip")
    loaded = ranking.load(RankingSettings(model=str(folder)), "cpu")
    assert isinstance(loaded, Clip)
    return loaded


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = save_siglip(tmp_path_factory.mktemp("weights") / "tiny-siglip")
    loaded = ranking.load(RankingSettings(model=str(folder)), "cpu")
    assert isinstance(loaded, Clip)
    return loaded


def similarities(result: Scores | ModelError) -> tuple[float, ...]:
    assert isinstance(result, Scores), result
    return result.similarities


# --- the model ---


def test_siglip_scores_are_what_the_whole_model_gives(siglip: Clip) -> None:
    import torch

    results = siglip.predict([RankingRequest(noise(i), TEXTS) for i in range(3)])
    ids = siglip._tokenizer(list(TEXTS), padding="max_length", max_length=64, return_tensors="pt")["input_ids"]
    pixels = siglip._processor(images=[Image.fromarray(noise(i)) for i in range(3)], return_tensors="pt")
    with torch.inference_mode():
        whole = siglip._model(input_ids=ids, pixel_values=pixels["pixel_values"])
    for result, logits in zip(results, whole.logits_per_image.tolist(), strict=True):
        scaled = [siglip.scale * similarity - 3.0 for similarity in similarities(result)]
        assert scaled == pytest.approx(logits, abs=1e-3)


def test_a_text_longer_than_siglip_reads_is_read_in_pieces(siglip: Clip) -> None:
    assert len(siglip._pieces(LONG)) > 1 and " ".join(siglip._pieces(LONG)) == LONG.strip()
    short, long = similarities(siglip.predict([RankingRequest(noise(0), ("two dogs", LONG))])[0])
    assert short == similarities(siglip.predict([RankingRequest(noise(0), ("two dogs",))])[0])[0] and -1 <= long <= 1


def test_the_header_names_the_image_processor_in_use(siglip: Clip, folder: Path, tmp_path: Path) -> None:
    own = save_siglip(tmp_path / "siglip")
    assert ranking.software(RankingSettings(model=str(own)))["image_processor"] == type(siglip._processor).__name__
    assert ranking.software(RankingSettings(model=str(folder)))["image_processor"] == "CLIPImageProcessorPil"


@pytest.mark.parametrize("which", ["clip", "metaclip"])
def test_scores_are_what_the_whole_model_gives(request: pytest.FixtureRequest, which: str) -> None:
    import torch

    model: Clip = request.getfixturevalue(which)
    results = model.predict([RankingRequest(noise(i), TEXTS) for i in range(3)])
    inputs = model._tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    pixels = model._processor(images=[Image.fromarray(noise(i)) for i in range(3)], return_tensors="pt")
    with torch.inference_mode():
        whole = model._model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], pixel_values=pixels["pixel_values"]
        )
    expected = (whole.image_embeds @ whole.text_embeds.T).tolist()
    for result, row, logits in zip(results, expected, whole.logits_per_image.tolist(), strict=True):
        assert similarities(result) == pytest.approx(row, abs=1e-4)
        assert [model.scale * s for s in similarities(result)] == pytest.approx(logits, abs=1e-2)


def test_each_picture_is_scored_for_its_own_texts_in_any_batch(clip: Clip) -> None:
    asked = [RankingRequest(noise(i), tuple(TEXTS[j % 4] for j in range(i % 5))) for i in range(19)]
    together = clip.predict(asked)
    assert len(together) == 19
    for request, result in zip(asked, together, strict=True):
        (alone,) = clip.predict([request])
        assert len(similarities(result)) == len(request.texts)
        assert similarities(result) == pytest.approx(similarities(alone), abs=2e-4)
    assert clip.predict([]) == []


def test_the_same_on_the_second_day(clip: Clip, folder: Path) -> None:
    again = ranking.load(RankingSettings(model=str(folder)), "cpu")  # from disk
    asked = [RankingRequest(noise(i), TEXTS) for i in range(4)]
    assert clip.predict(asked) == again.predict(asked)


@pytest.mark.parametrize("which", ["clip", "metaclip"])
def test_a_text_longer_than_the_model_reads_is_read_in_pieces(request: pytest.FixtureRequest, which: str) -> None:
    import torch

    model: Clip = request.getfixturevalue(which)
    pieces = model._pieces(LONG)
    assert len(pieces) > 1 and " ".join(pieces) == LONG.strip()
    with torch.inference_mode():
        whole, *parts = model._encode_texts([LONG, *pieces])
    mean = torch.stack(parts).mean(dim=0)
    assert torch.allclose(whole, mean / mean.norm(), atol=1e-5)
    ends = (LONG + "y la señora", LONG + "y el perro")  # what a cut text would lose
    (result,) = model.predict([RankingRequest(noise(0), ("a dog", *ends, "a horse"))])
    assert isinstance(result, Scores) and result.similarities[1] != result.similarities[2]
    assert similarities(model.predict([RankingRequest(noise(0), ("a dog",))])[0])[0] == pytest.approx(
        result.similarities[0], abs=2e-4
    )


def test_exactly_as_long_as_the_model_reads_is_whole(clip: Clip) -> None:
    assert clip._pieces("7 " * 75) == ["7 " * 75]  # a digit is a token; the start and the end take one each
    assert len(clip._pieces("7 " * 76)) == 2
    assert len(clip._pieces("7" * 500)) == 1  # an endless word: its beginning is read


def test_agreement_with_the_print_and_its_support(clip: Clip) -> None:
    import torch

    printed = ("dos perros", "two dogs")
    (result,) = clip.predict([RankingRequest(noise(0), TEXTS, printed)])
    assert isinstance(result, Scores) and result.support is not None
    with torch.inference_mode():
        texts, prints = clip._encode_texts(list(TEXTS)), clip._encode_texts(list(printed))
    assert result.agreements == pytest.approx((texts @ prints.T).mean(dim=1).tolist(), abs=1e-4)
    (seen,) = clip.predict([RankingRequest(noise(0), printed)])
    assert result.support == pytest.approx(max(similarities(seen)), abs=1e-4)
    (without,) = clip.predict([RankingRequest(noise(0), TEXTS)])
    assert isinstance(without, Scores) and without.agreements == () and without.support is None


def test_more_texts_than_a_batch_holds(clip: Clip) -> None:
    texts = tuple(f"window {i} of the print" for i in range(150))
    (result,) = clip.predict([RankingRequest(noise(0), texts)])
    for i in (0, 63, 64, 149):
        assert similarities(clip.predict([RankingRequest(noise(0), (texts[i],))])[0])[0] == pytest.approx(
            similarities(result)[i], abs=2e-4
        )


@pytest.mark.parametrize("bad", [np.zeros((0, 5, 3), dtype=np.uint8), np.zeros((5, 5), dtype=np.uint8)])
@pytest.mark.parametrize("place", [0, 5, 9])
def test_one_bad_picture_harms_no_other(clip: Clip, bad: np.ndarray, place: int) -> None:
    asked = [RankingRequest(noise(i), TEXTS) for i in range(10)]
    whole = clip.predict(asked)
    asked[place] = RankingRequest(bad, TEXTS)
    results = clip.predict(asked)
    assert isinstance(results[place], ModelError)
    for i, (one, two) in enumerate(zip(results, whole, strict=True)):
        assert i == place or similarities(one) == pytest.approx(similarities(two), abs=2e-4)


def test_broken_weights_are_an_error_not_a_score(folder: Path) -> None:
    broken = ranking.load(RankingSettings(model=str(folder)), "cpu")
    assert isinstance(broken, Clip)
    broken._model.visual_projection.weight.data.fill_(float("nan"))
    (result,) = broken.predict([RankingRequest(noise(0), TEXTS)])
    assert isinstance(result, ModelError) and "not finite" in result.message


def test_loading_what_is_no_ranker(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(MissingWeights, match="no ranker weights"):
        ranking.load(RankingSettings(), "cpu")
    with pytest.raises(MissingWeights, match=r"kind blip .*the ranker") as caught:
        ranking.load(RankingSettings(model=str(save_blip(tmp_path / "blip"))), "cpu")
    assert "CLIPModel" in caught.value.hint
    with pytest.raises(BadArguments, match="toaster"):
        ranking.load(RankingSettings(model=str(folder)), "toaster")
    assert ranking.weights(RankingSettings()) == {}
    assert "model.safetensors" in ranking.weights(RankingSettings(model=str(folder)))


# --- the stage ---


def quote(text: str) -> Quote:
    return Quote(text=text, page=3, boxes=(BOX,), confidence=0.9)


def said(text: str, log_probability: float | None = None) -> Candidate:
    return Candidate(text=text, language="en", source="captioner", log_probability=log_probability)


def page(folder: Path, *windows: str, box: Box = BOX) -> tuple[Path, Contexts]:
    file = folder / "0003.png"
    Image.fromarray(noise(0, 100, 60)).save(file)
    context = PictureContext(picture="0003-r01", box=box, windows=tuple(quote(text) for text in windows))
    return file, Contexts(pictures=(context,))


def captioned(*candidates: Candidate, reason: str | None = None) -> Candidates:
    return Candidates(pictures=(PictureCandidates(picture="0003-r01", candidates=candidates, reason=reason),))


THREE = (said("a dog", -2.0), said("a man", -1.0), said("a horse", None))
WINDOWS = ("la señora de Zayas", "el Yacht Club de la Habana", "las regatas de Varadero")


def test_with_a_ranker(tmp_path: Path, clip: Clip) -> None:
    file, contexts = page(tmp_path, *WINDOWS, WINDOWS[0], " ")
    body = ranking.run(
        file, contexts, captioned(*THREE), RankingSettings(min_window_probability=0.1, captioner_trust=0), clip, None
    )
    (picture,) = body.pictures
    assert body.ranker == "tiny-clip" and not body.problems and picture.reason is None
    assert len(picture.ranked) == 6  # the window that stands twice counts once, the blank one not at all
    for source in ("captioner", "window"):
        group = [one for one in picture.ranked if one.candidate.source == source]
        scores = [one.similarity or -2.0 for one in group]
        assert scores == sorted(scores, reverse=True)
        powers = [math.exp(clip.scale * (one.similarity or 0)) for one in group]
        for one, power in zip(group, powers, strict=True):
            assert one.probability == pytest.approx(power / sum(powers), abs=1e-3)
        best = picture.chosen if source == "captioner" else picture.window
        assert best == group[0]
    assert picture.window is not None and picture.window.candidate.quote == quote(picture.window.candidate.text)
    assert ranking.run(file, contexts, captioned(*THREE), RankingSettings(), clip, None).pictures[0].chosen


def test_a_window_must_stand_out(tmp_path: Path, clip: Clip) -> None:
    file, contexts = page(tmp_path, *WINDOWS)
    best = max(
        one.probability or 0
        for one in ranking.run(file, contexts, captioned(*THREE), RankingSettings(), clip, None).pictures[0].ranked
        if one.candidate.source == "window"
    )
    for least, taken in ((best, True), (min(1.0, best + 0.001), False)):
        options = RankingSettings(min_window_probability=least)
        body = ranking.run(file, contexts, captioned(*THREE), options, clip, None)
        assert (body.pictures[0].window is not None) is taken


def test_a_window_without_a_rival_is_not_taken(tmp_path: Path, clip: Clip) -> None:
    file, contexts = page(tmp_path, WINDOWS[0])
    (picture,) = ranking.run(file, contexts, captioned(), RankingSettings(), clip, None).pictures
    assert picture.ranked[0].probability == 1.0 and picture.window is None


def test_without_a_ranker_the_captioner_decides(tmp_path: Path) -> None:
    _, contexts = page(tmp_path, *WINDOWS)
    body = ranking.run(tmp_path / "not-even-read", contexts, captioned(*THREE), RankingSettings(), None, None)
    (picture,) = body.pictures
    assert body.ranker is None and not body.problems
    assert picture.reason == "not ranked by a model: no ranker weights"
    assert [one.candidate.text for one in picture.ranked] == ["a man", "a dog", "a horse", *WINDOWS]
    assert all(one.probability is None and one.similarity is None for one in picture.ranked)
    assert picture.chosen == ScoredCandidate(candidate=THREE[1]) and picture.window is None


def test_without_captions(tmp_path: Path, clip: Clip) -> None:
    reason = "not described by a model: no captioner weights"
    file, contexts = page(tmp_path, *WINDOWS)
    (ranked,) = ranking.run(file, contexts, captioned(reason=reason), RankingSettings(), clip, None).pictures
    assert ranked.chosen is None and ranked.reason == reason and len(ranked.ranked) == 3
    (neither,) = ranking.run(file, contexts, captioned(reason=reason), RankingSettings(), None, None).pictures
    assert neither.reason == f"{reason}; not ranked by a model: no ranker weights"


@pytest.mark.parametrize("with_ranker", [True, False])
def test_nothing_to_rank(tmp_path: Path, clip: Clip, with_ranker: bool) -> None:
    _, contexts = page(tmp_path)
    unread = tmp_path / "not-even-read"
    ranker = clip if with_ranker else None
    (silent,) = ranking.run(unread, contexts, captioned(reason="why"), RankingSettings(), ranker, None).pictures
    assert silent.reason == "why" and silent.ranked == () and silent.chosen is None
    (unknown,) = ranking.run(unread, contexts, Candidates(), RankingSettings(), ranker, None).pictures
    assert unknown.reason == "nothing to rank: no captions and no print nearby"
    assert ranking.run(unread, Contexts(), Candidates(), RankingSettings(), ranker, None).pictures == ()


def test_trouble_with_a_picture_leaves_it_to_the_captioner(tmp_path: Path, clip: Clip) -> None:
    file, contexts = page(tmp_path, *WINDOWS, box=Box(900, 900, 950, 950))
    body = ranking.run(file, contexts, captioned(*THREE), RankingSettings(), clip, None)
    (problem,), (picture,) = body.problems, body.pictures
    assert (problem.page, problem.item) == (3, "0003-r01")
    assert picture.reason is not None and picture.reason.startswith("not ranked by a model: box")
    assert picture.chosen == ScoredCandidate(candidate=THREE[1]) and picture.window is None
    file.write_bytes(b"no image")
    body = ranking.run(file, contexts, captioned(*THREE), RankingSettings(), clip, None)
    assert [p.item for p in body.problems] == [None]
    assert body.pictures[0].reason == "not ranked by a model: the page image cannot be read"
    assert body.pictures[0].chosen == ScoredCandidate(candidate=THREE[1])


@given(st.lists(st.floats(-200, 200), max_size=20))
def test_softmax(values: list[float]) -> None:
    shares = ranking.softmax(values)
    assert len(shares) == len(values) and all(0 <= share <= 1 for share in shares)
    assert not values or sum(shares) == pytest.approx(1)
    order = sorted(range(len(values)), key=lambda i: values[i])
    assert all(shares[a] <= shares[b] for a, b in pairwise(order))


# --- real weights ---


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs the shared golden files")
@pytest.mark.skipif("REVISTA_CLIP_WEIGHTS" not in os.environ, reason="REVISTA_CLIP_WEIGHTS names no CLIP checkpoint")
def test_published_logits_of_the_real_checkpoint() -> None:
    model = ranking.load(RankingSettings(model=os.environ["REVISTA_CLIP_WEIGHTS"]), "cpu")
    (wanted,) = json.loads((GOLDEN / "expected.json").read_text())["clip"]
    image = np.asarray(Image.open(GOLDEN / wanted["image"]).convert("RGB"))
    (result,) = model.predict([RankingRequest(image, tuple(wanted["texts"]))])
    # Four digits of the cosine are 0.01 of the logit; the PIL processor's pixels give the rest.
    assert [model.scale * s for s in similarities(result)] == pytest.approx(wanted["logits_per_image"], abs=0.1)


def test_each_picture_has_a_kind_with_a_ranker_and_none_without(tmp_path: Path, clip: Clip) -> None:
    file, contexts = page(tmp_path)
    for least, uncertain in ((0.0, False), (1.0, True)):
        options = RankingSettings(min_kind_probability=least)
        (ranked,) = ranking.run(file, contexts, captioned(), options, clip, None).pictures
        assert ranked.kind is not None and 1 / len(SENTENCES) <= ranked.kind.confidence <= 1
        assert (ranked.kind.kind is Kind.UNCERTAIN) == uncertain
        assert uncertain or ranked.kind.kind is ranked.kind.likeliest
    (unranked,) = ranking.run(file, contexts, captioned(), RankingSettings(), None, None).pictures
    assert unranked.kind is None


def test_the_kind_is_the_one_whose_sentences_are_nearest() -> None:
    for place, kind in enumerate(SENTENCES):
        similarities = [0.1] * len(KIND_TEXTS)
        similarities[4 * place : 4 * place + 4] = [0.3, 0.2, 0.4, 0.3]
        found = judge(probabilities(similarities, 50.0), 0.5)
        assert found.kind is found.likeliest is kind and found.confidence > 0.9
    assert judge(probabilities([0.2] * len(KIND_TEXTS), 50.0), 0.5).kind is Kind.UNCERTAIN


def test_a_strange_sentence_needs_much_similarity() -> None:
    def said(text: str, log_probability: float) -> Candidate:
        return Candidate(text=text, language="en", source="captioner", log_probability=log_probability)

    found = [said("a man on a horse", -1.0), said("a horse eats the man its hat", -3.5)]
    scores = Scores((0.30, 0.45, 0.9))  # the last is of a sentence that names a kind
    alone = ranking.rank(found, scores, 16.0, RankingSettings(captioner_trust=0.0)).ordered
    assert [one.candidate for one in alone] == [found[1], found[0]]
    both = ranking.rank(found, scores, 16.0, RankingSettings(captioner_trust=8.0)).ordered
    assert [one.candidate for one in both] == found
    assert sum(one.probability or 0.0 for one in both) == pytest.approx(1, abs=1e-3)
    assert [one.similarity for one in both] == [0.30, 0.45]
