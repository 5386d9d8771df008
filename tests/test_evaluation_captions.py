"""Measures of captions: against published and hand-computed examples, and the whole command with tiny models."""

import io
import json
import math
import os
import stat
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from revista.errors import BadArguments, BadInput, ExitCode, MissingProgram, MissingWeights, RevistaError, TimedOut
from revista.evaluation import coco, joint
from revista.evaluation.captions import CaptionEvaluation, evaluate_captions
from revista.programs import java
from revista.settings import CaptionsSettings, RankingSettings, Settings
from revista.training.data import open_data

from .conftest import SHARED, environment, revista
from .tiny_models import noise, one_thread, save_blip, save_clip

# --- measures of words ----------------------------------------------------------------------------------------

pytest.importorskip("pycocoevalcap", reason='the extra "evaluation" is not installed')


def only(references: list[str], caption: str) -> dict[str, float]:
    """BLEU, ROUGE-L and CIDEr of one caption of one picture, in small letters and without punctuation."""
    return coco.overlap({"p": references}, {"p": [caption]})


def test_published_example_of_bleu() -> None:
    """Papineni et al. 2002, sections 2.1 and 2.2.2."""
    references = ["the cat is on the mat", "there is a cat on the mat"]
    assert only(references, "the the the the the the the")["bleu_1"] == pytest.approx(2 / 7, abs=1e-4)
    # "of the": all its n-grams are there, and brevity costs exp(1 - 16/2): the closest reference has 16 words
    references = [
        "it is a guide to action that ensures that the military will forever heed party commands",
        "it is the guiding principle which guarantees the military forces always being under the command of the party",
        "it is the practical guide for the army always to heed the directions of the party",
    ]
    scores = only(references, "of the")
    assert scores["bleu_1"] == scores["bleu_2"] == pytest.approx(math.exp(1 - 16 / 2), abs=1e-4)


def test_published_example_of_rouge() -> None:
    """Lin 2004, section 3: of two sentences with the same words the one that keeps the order is better."""
    references = ["police killed the gunman"]
    assert only(references, "police kill the gunman")["rouge_l"] == pytest.approx(3 / 4, abs=1e-4)
    assert only(references, "the gunman kill police")["rouge_l"] == pytest.approx(2 / 4, abs=1e-4)


def test_cider_by_hand() -> None:
    """Vedantam et al. 2015: 10 where a caption is its reference, 0 where they share no words."""
    references = {"a": ["two dogs play in snow"], "b": ["one man rides a horse"]}
    # "two dogs" has 2 of the 5 words and 1 of the 4 bigrams; all weigh log 2. Its length differs by 3 words.
    cosines = [2 / math.sqrt(2 * 5), 1 / math.sqrt(1 * 4), 0, 0]
    short = 10 * math.exp(-(3**2) / (2 * 6**2)) * sum(cosines) / 4
    swapped = {"a": references["b"], "b": references["a"]}
    for captions, expected in ((references, 10), (swapped, 0), ({**references, "a": ["two dogs"]}, (short + 10) / 2)):
        assert coco.overlap(references, captions)["cider"] == pytest.approx(expected, abs=1e-3)


REFERENCES = {
    "a": ["A child in a pink dress is climbing up a set of stairs .", "A girl going into a wooden building ."],
    "b": ['Two dogs play; they\'re on the "grass".', "A black dog and a spotted dog are fighting"],
    "c": ["a man rides\u2028a horse", "the man on horseback (in a field)"],
}
FIRST = {"a": "a girl climbing stairs .", "b": "two dogs playing on the grass", "c": "a dog"}
SECOND = {"a": "a man", "b": "dogs", "c": "."}


def test_the_same_figures_as_the_package_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tokenizer and METEOR are run by our own code; pycocoevalcap's wrappers must agree with it, in any locale."""
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    monkeypatch.setenv("LC_ALL", "C")
    plain = {name: [text.replace("\u2028", " ") for text in texts] for name, texts in REFERENCES.items()}
    tokens = PTBTokenizer().tokenize({n: [{"caption": text} for text in texts] for n, texts in plain.items()})
    assert coco.tokenize(REFERENCES) == tokens
    theirs = Meteor()
    for scores, system in zip(coco.measure(REFERENCES, [FIRST, SECOND], "en"), (FIRST, SECOND), strict=True):
        expected, _ = theirs.compute_score(tokens, coco.tokenize({name: [text] for name, text in system.items()}))
        assert scores.meteor == pytest.approx(expected, abs=1e-4)


def test_identical_captions_are_perfect_and_spanish_has_stems() -> None:
    spanish = {"p": ["un niño con su perro corre por el jardín"]}
    other = {"p": ["un niño con su perro salta por el jardín"]}
    said = {"p": "un niño corriendo por el jardín"}
    same, stem = coco.measure(spanish, [{"p": spanish["p"][0]}, said], "es")
    assert same.bleu_4 == same.rouge_l == same.meteor == 1 and same.spice is None
    assert stem.bleu_1 == pytest.approx(5 / 6 * math.exp(1 - 9 / 6), abs=1e-4)  # ñ and í arrive whole
    (without,) = coco.measure(other, [said], "es")
    assert without.meteor < stem.meteor  # "corriendo" and "corre" have one stem
    assert any("paraphrases" in note for note in coco.notes("es"))
    with pytest.raises(BadArguments, match="'fr'"):
        coco.require("fr")


def test_spice_says_what_it_lacks_and_reads_what_its_program_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parser's models are not at hand: a program in Java's place answers in SPICE's format."""
    if (lacking := coco.spice_lacks()) is not None:
        assert "stanford-corenlp-3.6.0-models.jar" in lacking and lacking in coco.notes("en")
    program = tmp_path / "java"
    program.write_text(
        f"""#!{sys.executable}
import json, sys
given = json.load(open(sys.argv[sys.argv.index("-jar") + 2]))
scores = []
for one in given:
    f = 0.5 if one["test"] in one["refs"] else 0.25
    scores.append({{"image_id": one["image_id"], "scores": {{"All": {{"f": f}}}}}})
json.dump(scores, open(sys.argv[sys.argv.index("-out") + 1], "w"))
print("progress that must not get in the way")
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert coco._spice({"a": ["x", "y"], "b": ["z"]}, {"a": ["y"], "b": ["x"]}) == 0.375


def test_a_java_program_that_hangs_or_dies_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\nread line; echo $line\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with java.dialogue(["-jar", "/x/meteor.jar"], timeout=1) as ask:
        assert ask("first") == ["first"]
        with pytest.raises(TimedOut, match=r"meteor\.jar did not finish in 1 s"):
            ask("second")
    program.write_text("#!/bin/sh\nread line\nexit 3\n")
    with java.dialogue(["-jar", "/x/meteor.jar"], timeout=60) as ask, pytest.raises(RevistaError, match="status 3"):
        ask("first")
    with pytest.raises(RevistaError, match="status 3"):
        java.run_java(["-jar", "/x/meteor.jar"], timeout=60, stdin="x\n")


def test_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="java") as caught:
        coco.require("en")
    assert caught.value.hint == "sudo apt-get install default-jre-headless"


# --- measures of vectors --------------------------------------------------------------------------------------


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    array = np.array(rows, dtype=np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def test_retrieval_by_hand() -> None:
    """Three pictures with two captions each; the second picture's captions are nearer to the third."""
    pictures = unit((1, 0, 0), (0, 1, 0), (0, 0, 1))
    texts = unit((1, 0, 0.1), (0.9, 0.2, 0), (0, 0.3, 1), (0.1, 0.4, 1), (0, 0, 1), (0, 0.5, 0.6))
    found = joint.retrieval(pictures, texts, np.array([0, 0, 1, 1, 2, 2]))
    # picture 2 sees: 0.64 (of 3), 0.37, 0.29 (own), ... its own best caption is second
    assert found.image_to_text == joint.Recall(r1=round(2 / 3, 4), r5=1, r10=1)
    assert found.text_to_image == joint.Recall(r1=round(4 / 6, 4), r5=1, r10=1)
    assert (found.pictures, found.texts) == (3, 6)


@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_retrieval_holds_together(count: int, each: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(count, 5)).astype(np.float32)
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    owners = np.repeat(np.arange(count), each)
    perfect = joint.retrieval(pictures, pictures[owners], owners)
    assert perfect.image_to_text.r1 == perfect.text_to_image.r1 == 1
    blind = joint.retrieval(pictures, np.ones((count * each, 5), np.float32), owners)
    assert blind.text_to_image.r1 <= 1 / count + 1e-4  # the picture that is nearest to all, at most
    alike = joint.retrieval(np.ones((count, 5), np.float32), np.ones((count * each, 5), np.float32), owners)
    assert alike.image_to_text.r1 == alike.text_to_image.r1 == 0  # finds everything alike, so nothing
    other = joint.retrieval(pictures, rng.normal(size=(count * each, 5)).astype(np.float32), owners)
    for way in (other.image_to_text, other.text_to_image):
        assert 0 <= way.r1 <= way.r5 <= way.r10 <= 1


def test_clip_scores_by_hand() -> None:
    """Hessel et al. 2021: 2.5 times the cosine, and its harmonic mean with the nearest reference's cosine."""
    pictures = unit((1, 0), (1, 0), (0, 1))
    captions = unit((3, 4), (-1, 0), (0, 1))  # cosines 0.6, -1, 1
    references = [unit((3, 4), (0, 1)), unit((-1, 0)), unit((0, -1), (4, 3))]  # nearest 1, 1, 0.6
    scores = joint.clip_scores(pictures, captions, references)
    assert scores.clip_score == pytest.approx((1.5 + 0 + 2.5) / 3, abs=1e-3)
    assert scores.ref_clip_score == pytest.approx((2 * 1.5 / 2.5 + 0 + 2 * 2.5 * 0.6 / 3.1) / 3, abs=1e-3)


# --- the whole ------------------------------------------------------------------------------------------------

NAMES = [f"{i:03d}.jpg" for i in range(12)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    one_thread()
    root = tmp_path_factory.mktemp("models")
    return Settings(
        profile="none",
        captions=CaptionsSettings(
            model=str(save_blip(root / "blip")), max_new_tokens=5, beams=2, samples=1, prompts=("a photograph of", "")
        ),
        ranking=RankingSettings(model=str(save_clip(root / "clip"))),
    )


def make_data(folder: Path, caption: str) -> Path:
    """A data set of 12 pictures in a zip, as ../shared/captions is one."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for i, name in enumerate(NAMES):
            archive.writestr(name, jpeg(i))
    rows = [f"{name}\t{n}\t{caption} {n} .\n" for name in NAMES for n in range(5)]
    (folder / "captions.tsv").write_text("image\tn\tcaption\n" + "".join(rows), "utf-8")
    (folder / "test.txt").write_text("\n".join(NAMES) + "\n")
    return folder


def jpeg(i: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(i, 60, 50)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with captions in English. Read it; do not change it."""
    return make_data(tmp_path_factory.mktemp("data") / "en", "A dog on the street")


@pytest.fixture(scope="module")
def first(models: Settings, data: Path, tmp_path_factory: pytest.TempPathFactory) -> CaptionEvaluation:
    """The measures over a folder in which one picture is damaged and one is missing."""
    folder = tmp_path_factory.mktemp("images")
    for i, name in enumerate(NAMES):
        (folder / name).write_bytes(jpeg(i))
    (folder / NAMES[10]).write_bytes(b"no image")
    (folder / NAMES[11]).unlink()
    return evaluate_captions(open_data(data, folder), models)


def test_what_is_measured(first: CaptionEvaluation) -> None:
    assert (first.captioner, first.ranker, first.language, first.split) == ("blip", "clip", "en", "test")
    assert first.weights["captioner"]["model.safetensors"] != first.weights["ranker"]["model.safetensors"]
    assert first.reranked and first.seconds_per_picture > 0
    for scores in (first.first_beam, first.reranked):
        for name, value in scores.model_dump(exclude={"spice"}).items():
            assert 0 <= value <= (10 if name == "cider" else 2.5 if "clip" in name else 1), name
    assert first.reranked.clip_score and first.first_beam.clip_score
    for prediction in first.predictions:
        assert len(prediction.references) == 5
        probabilities = [one.probability or 0.0 for one in prediction.candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert prediction.reranked == prediction.candidates[0].candidate.text
        beams = [one.candidate for one in prediction.candidates if one.candidate.seed is None]
        best = max(beams, key=lambda c: (c.prompt == "a photograph of", c.log_probability or -99))
        assert prediction.first_beam == best.text


def test_a_picture_that_cannot_be_read_is_left_out_and_told(first: CaptionEvaluation) -> None:
    assert (first.pictures, first.failed) == (10, 2)
    assert [problem.item for problem in first.problems] == NAMES[10:]
    assert [p.image for p in first.predictions] == NAMES[:10]
    assert first.retrieval and (first.retrieval.pictures, first.retrieval.texts) == (10, 50)


def test_the_pipelines_ranking_would_choose_the_same(
    first: CaptionEvaluation, models: Settings, tmp_path: Path
) -> None:
    from revista import ranking
    from revista.geometry import Box
    from revista.records import Candidates, Contexts, PictureCandidates, PictureContext

    ranker = ranking.load(models.ranking, "cpu")
    for i, prediction in enumerate(first.predictions[:4]):
        (tmp_path / "page.jpg").write_bytes(jpeg(i))
        contexts = Contexts(pictures=(PictureContext(picture="0001-r01", box=Box(0, 0, 50, 60)),))
        said = PictureCandidates(picture="0001-r01", candidates=tuple(c.candidate for c in prediction.candidates))
        found = ranking.run(tmp_path / "page.jpg", contexts, Candidates(pictures=(said,)), models.ranking, ranker, None)
        assert found.pictures[0].chosen and found.pictures[0].chosen.candidate.text == prediction.reranked


def test_spanish_captions_and_halftone_prints_without_a_ranker(
    first: CaptionEvaluation, models: Settings, tmp_path: Path
) -> None:
    spanish = make_data(tmp_path / "es", "Un perro en la calle")
    alone = Settings(profile="none", captions=models.captions)
    result = evaluate_captions(open_data(spanish), alone, limit=4, language="es", halftone=True)
    assert result.language == "es" and any("Spanish" in note for note in result.notes)
    assert result.ranker is None and result.reranked is None and result.retrieval is None
    assert result.first_beam.clip_score is None and result.first_beam.bleu_1 >= 0
    assert [p.image for p in result.predictions] == NAMES[:4]
    for prediction, plain in zip(result.predictions, first.predictions, strict=False):
        said = [one.candidate.text for one in prediction.candidates]
        assert prediction.first_beam not in said and prediction.reranked is None  # translated
        assert {one.similarity for one in prediction.candidates} == {None}
        assert said != [one.candidate.text for one in plain.candidates]  # a print is another sight
    speaks = Settings(profile="none", captions=models.captions.model_copy(update={"language": "es"}))
    with pytest.raises(BadArguments, match="speaks Spanish"):
        evaluate_captions(open_data(spanish), speaks, language="en")


def test_what_it_refuses(models: Settings, tmp_path: Path) -> None:
    data = make_data(tmp_path / "own", "A dog")
    with pytest.raises(MissingWeights, match="no captioner"):
        evaluate_captions(open_data(data), Settings(profile="none"))
    with pytest.raises(BadInput, match=r"dev\.txt"):
        evaluate_captions(open_data(data), models, split="dev")
    (data / "dev.txt").write_text("unknown.jpg\n001.jpg\n")
    with pytest.raises(BadInput, match=r"1 of 2 pictures .* unknown\.jpg"):
        evaluate_captions(open_data(data), models, split="dev")


def test_the_command(data: Path, models: Settings, tmp_path: Path) -> None:
    (tmp_path / "revista.toml").write_text(
        f'[captions]\nmodel = "{models.captions.model}"\nmax_new_tokens = 5\nbeams = 2\nsamples = 0\n'
        f'[ranking]\nmodel = "{models.ranking.model}"\n'
    )
    command = ["evaluate", "captions", data, "--settings", tmp_path / "revista.toml", "--limit", "5"]
    done = revista(*command, "--json", "--predictions", tmp_path / "p.json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)  # METEOR and BLEU print nothing of their own between
    assert result["pictures"] == 5 and set(result["retrieval"]["image_to_text"]) == {"r1", "r5", "r10"}
    assert {"bleu_4", "meteor", "rouge_l", "cider", "clip_score"} <= set(result["first_beam"])
    assert len(json.loads((tmp_path / "p.json").read_text("utf-8"))) == 5
    human = revista(*command, "--halftone", "--language", "es")
    assert human.returncode == 0, human.stderr
    for word in ("first beam", "reranked", "cider", "R@10", "halftone", "captioner blip"):
        assert word in human.stdout
    without = revista(*command, env=environment(PATH=str(tmp_path)))
    assert without.returncode == ExitCode.MISSING_PROGRAM
    assert "default-jre-headless" in without.stderr
    nowhere = revista("evaluate", "captions", tmp_path / "nowhere")
    assert nowhere.returncode == ExitCode.BAD_ARGUMENTS and "Traceback" not in nowhere.stderr


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the photographs lie in ../shared, which is not here")
def test_what_people_reach_on_real_photographs() -> None:
    """One person's caption of each picture against the other four: the figures in docs/measurements.md."""
    found = open_data(SHARED / "captions")
    texts = {name: found.texts[name] for name in found.names("test")}
    (scores,) = coco.measure({n: t[1:] for n, t in texts.items()}, [{n: t[0] for n, t in texts.items()}], "en")
    assert scores.bleu_1 == pytest.approx(0.6364, abs=1e-3) and scores.bleu_4 == pytest.approx(0.2095, abs=1e-3)
    assert scores.meteor == pytest.approx(0.25, abs=1e-3) and scores.rouge_l == pytest.approx(0.4875, abs=1e-3)
    assert scores.cider == pytest.approx(0.7886, abs=1e-3)
