"""A captioner that the print steers without being believed: real architectures, and the shipped captioner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from revista import captions
from revista.captions import CaptionRequest
from revista.captions.blip import Blip
from revista.captions.conditioning import AT_ONCE, batches, questions
from revista.errors import ModelError, TimedOut
from revista.geometry import Box
from revista.programs.apertium import Translation
from revista.records import Candidate, Contexts, Cue, PictureContext, Quote
from revista.settings import CaptionsSettings, Settings
from revista.translation import Apertium
from tests.tiny_models import noise, one_thread, save_blip

SHARED = Path(__file__).parents[2] / "shared" / "captions"
BOX = Box(0, 0, 60, 100)


def cue(text: str, kind: str = "people") -> Cue:
    return Cue(text=text, kind=kind, printed="x", origin="caption")  # type: ignore[arg-type]


LADY, DOGS, WORDS = cue("a lady"), cue("two dog"), cue("boat, sea, garden", "words")


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Blip:
    one_thread()
    folder = save_blip(tmp_path_factory.mktemp("weights") / "tiny")
    loaded = captions.load(CaptionsSettings(model=str(folder), max_new_tokens=8, encouragement=(2.0, 6.0)), "cpu")
    assert isinstance(loaded, Blip)
    return loaded


@pytest.fixture(scope="module")
def compact() -> Blip:
    one_thread()
    loaded = captions.load(Settings().captions, "cpu")
    assert isinstance(loaded, Blip)
    return loaded


def found(result: tuple[Candidate, ...] | ModelError) -> tuple[Candidate, ...]:
    assert isinstance(result, tuple), result
    return result


def own_log_probability(blip: Blip, image: np.ndarray, text: str, ended: bool = True) -> float:
    """What the decoder gives, mean per token, when it reads the whole caption."""
    import torch

    head = blip._prompt_ids("")
    tail = blip._tokenizer(text, add_special_tokens=False)["input_ids"]
    tail += [blip._model.config.text_config.sep_token_id] if ended else []
    with torch.inference_mode():
        read = blip._model.text_decoder(
            input_ids=torch.tensor([head + tail]), encoder_hidden_states=blip._look([image])
        )
    steps = read.logits[0].log_softmax(-1)[len(head) - 1 : -1].gather(1, torch.tensor(tail)[:, None])
    return float(steps.mean())


def test_what_the_print_suggests_comes_behind_and_changes_nothing_before(blip: Blip) -> None:
    free = [CaptionRequest(noise(i), ("", "a photograph of"), i) for i in range(3)]
    asked = [CaptionRequest(one.image, one.prompts, one.seed, None, (LADY, DOGS), WORDS) for one in free]
    for without, with_cues in zip(blip.predict(free), blip.predict(asked), strict=True):
        before, both = found(without), found(with_cues)
        assert [(c.text, c.seed) for c in both[: len(before)]] == [(c.text, c.seed) for c in before]
        assert all(one.cue is None for one in before) and both[len(before) :]
        for one in both[len(before) :]:
            assert one.cue in (LADY, DOGS, WORDS) and one.seed is None and one.prompt == ""
            assert one.cue == WORDS or one.cue is None or one.text.startswith(one.cue.text)


def test_an_openings_words_count_and_a_gain_does_not(blip: Blip) -> None:
    fits = {LADY.text: 0, WORDS.text: 0}
    for i in range(4):
        image = noise(i)
        (result,) = blip.predict([CaptionRequest(image, (), i, None, (LADY,), WORDS)])
        for one in found(result):
            assert one.cue is not None and one.log_probability is not None
            options = (own_log_probability(blip, image, one.text, ended) for ended in (True, False))
            fits[one.cue.text] += any(one.log_probability == pytest.approx(own, abs=2e-3) for own in options)
    # Not each need fit: a stray "##s" does not survive being written as text.
    assert min(fits.values()) >= 4, fits


def test_encouraged_words_are_said_more(blip: Blip) -> None:
    def share(words: Cue | None) -> float:
        asked = [CaptionRequest(noise(i), () if words else ("",), i, None, (), words) for i in range(8)]
        texts = [set(one.text.split()) for result in blip.predict(asked) for one in found(result)]
        return sum(bool(text & {"boat", "sea", "garden"}) for text in texts) / len(texts)

    assert share(WORDS) > share(None) + 0.2


def test_alone_or_in_any_batch(blip: Blip) -> None:
    suggested = ((LADY,), (), (DOGS, LADY), (cue("a red car"),))
    asked = [CaptionRequest(noise(i), ("",), i, None, suggested[i % 4], WORDS if i % 3 else None) for i in range(11)]
    for request, together in zip(asked, blip.predict(asked), strict=True):
        (alone,) = blip.predict([request])
        assert [(c.text, c.cue) for c in found(alone)] == [(c.text, c.cue) for c in found(together)]


def test_cues_that_the_captioner_does_not_know_are_left_out(blip: Blip) -> None:
    options = blip._options
    strange = (cue("a zeppelin"), cue("a man " * 10), cue(""))
    request = CaptionRequest(noise(0), ("",), 0, None, strange, cue("zeppelin, globo", "words"))
    assert questions([request], blip._prompt_ids(""), blip._tokenizer, options) == []
    assert all(one.cue is None for one in found(blip.predict([request])[0]))
    (nothing,) = blip.predict([CaptionRequest(noise(0), (), 0, None, strange)])
    assert isinstance(nothing, ModelError)


def test_questions_of_equal_length_go_together(blip: Blip) -> None:
    asked = [CaptionRequest(noise(0), ("",), 0, None, (LADY, DOGS, cue("a red car")), WORDS)] * 20
    dealt = list(batches(questions(asked, blip._prompt_ids(""), blip._tokenizer, blip._options)))
    assert sum(map(len, dealt)) == 20 * 5
    for batch in dealt:
        assert 0 < len(batch) <= AT_ONCE and len({len(one.opening) for one in batch}) == 1


# --- the stage ------------------------------------------------------------------------------------------------


def page(folder: Path, printed: str) -> tuple[Path, Contexts]:
    file = folder / "0001.png"
    Image.fromarray(noise(0, 100, 60)).save(file)
    quote = Quote(text=printed, page=1, boxes=(BOX,), confidence=0.9)
    return file, Contexts(pictures=(PictureContext(picture="0001-r01", box=BOX, caption=quote),))


def test_the_stage_asks_what_the_print_suggests(tmp_path: Path, blip: Blip) -> None:
    file, contexts = page(tmp_path, "Dos damas en el jardín")
    (picture,) = captions.run(file, contexts, blip._options, blip, None).pictures
    assert picture.translation == "Two ladies in the garden"
    (seen,) = {one.cue for one in picture.candidates if one.cue}
    assert seen.kind == "words" and "garden" in seen.text and seen.printed == "Dos damas en el jardín"
    silent = blip._options.model_copy(update={"cues": 0, "encouragement": ()})
    (free,) = captions.run(file, contexts, silent, blip, None).pictures
    assert free.translation is None and all(one.cue is None for one in free.candidates)


def test_where_the_translator_fails_the_lexicon_remains(tmp_path: Path, blip: Blip) -> None:
    class Late(Apertium):
        def translate_lines(self, texts: Sequence[str], timeout: float) -> list[Translation]:
            raise TimedOut("Apertium took too long", "Try again.")

    file, contexts = page(tmp_path, "Una dama en el jardín")
    body = captions.run(file, contexts, blip._options, blip, None, translator=Late("spa-eng"))
    (problem,), (picture,) = body.problems, body.pictures
    assert problem.page == 1 and picture.translation is None
    assert {one.cue.text for one in picture.candidates if one.cue} >= {"a lady"}


# --- the shipped captioner ------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared photographs")
def test_a_cue_that_the_picture_contradicts_loses(compact: Blip) -> None:
    """The picture's own word and another's: the wrong opening costs more than the right one, nearly always."""
    from revista.training.data import open_data

    data = open_data(SHARED)
    dogs = [name for name in data.names("dev") if all(" dog" in text for text in data.texts[name])][:8]
    asked = [CaptionRequest(data.read(name), (), 0, None, (cue("a dog", "animal"), cue("a bride"))) for name in dogs]
    right = 0
    for result in compact.predict(asked):
        best = {"a dog": -99.0, "a bride": -99.0}
        for one in found(result):
            assert one.cue is not None and one.log_probability is not None
            best[one.cue.text] = max(best[one.cue.text], one.log_probability)
        right += best["a dog"] > best["a bride"]
    assert right >= 7
