"""Stage 5 with BLIP of the real architecture, small, with random weights."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from revista import captions
from revista.captions import Captioner, CaptionRequest
from revista.captions.blip import Blip
from revista.errors import BadArguments, MissingWeights, ModelError
from revista.geometry import Box
from revista.records import Candidate, Contexts, PictureContext
from revista.settings import CaptionsSettings
from revista.weights import find_weights
from tests.tiny_models import WORDS, noise, one_thread, save_blip, save_clip

GOLDEN = Path(__file__).parents[2] / "shared" / "golden"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one_thread()
    return save_blip(tmp_path_factory.mktemp("weights") / "tiny-blip")


@pytest.fixture(scope="module")
def options(folder: Path) -> CaptionsSettings:
    return CaptionsSettings(model=str(folder))


@pytest.fixture(scope="module")
def blip(options: CaptionsSettings) -> Blip:
    loaded = captions.load(options, "cpu")
    assert isinstance(loaded, Blip)
    return loaded


def requests(count: int, *prompts: str) -> list[CaptionRequest]:
    return [CaptionRequest(noise(i), prompts or ("", "a photograph of"), 1000 * i) for i in range(count)]


def candidates(result: tuple[Candidate, ...] | ModelError) -> tuple[Candidate, ...]:
    assert not isinstance(result, ModelError), result
    return result


def on_page(folder: Path, *boxes: Box) -> tuple[Path, Contexts]:
    """A page of four pictures side by side, and contexts for `boxes` on it."""
    file = folder / "0007.png"
    Image.fromarray(np.hstack([noise(i, 100, 60) for i in range(4)])).save(file)
    return file, Contexts(pictures=tuple(PictureContext(picture=f"0007-r{i:02d}", box=b) for i, b in enumerate(boxes)))


LEFT, RIGHT = Box(0, 0, 60, 100), Box(60, 0, 120, 100)


# --- the model ---


def test_candidates_say_where_they_come_from(blip: Blip) -> None:
    for request, result in zip(requests(3), blip.predict(requests(3)), strict=True):
        found = candidates(result)
        assert len({c.text for c in found}) == len(found)
        beams = [c for c in found if c.seed is None]
        assert {c.prompt for c in beams} == {"", "a photograph of"}
        assert {c.seed for c in found if not c.prompt} <= {None, request.seed, request.seed + 1}
        assert not {c.seed for c in found if c.prompt} & {request.seed, request.seed + 1}
        assert any(c.seed is not None for c in found)
        for candidate in found:
            assert candidate.log_probability is not None and candidate.log_probability < 0
            assert set(candidate.text.split()) <= {*WORDS, "##s"}  # no prompt's echo, no special token
            assert candidate.source == "captioner" and candidate.language == "en"


def test_the_pictures_matter(blip: Blip) -> None:
    first, second = (candidates(r)[0] for r in blip.predict(requests(2)))
    assert first.text != second.text


def test_the_same_request_gets_the_same_words_alone_and_in_any_batch(blip: Blip) -> None:
    together = blip.predict(requests(11))  # more than one batch
    alone = [blip.predict([request])[0] for request in requests(11)]
    turned = blip.predict(requests(11)[::-1])[::-1]
    assert len(together) == 11
    for one, two, three in zip(together, alone, turned, strict=True):
        assert [(c.text, c.seed) for c in candidates(one)] == [(c.text, c.seed) for c in candidates(two)]
        assert [(c.text, c.seed) for c in candidates(one)] == [(c.text, c.seed) for c in candidates(three)]
        for a, b in zip(candidates(one), candidates(two), strict=True):
            assert a.log_probability == pytest.approx(b.log_probability, abs=2e-3)


def test_a_batch_again_gives_the_same_result_to_the_last_digit(blip: Blip, options: CaptionsSettings) -> None:
    again = captions.load(options, "cpu")  # from disk
    assert blip.predict(requests(3)) == again.predict(requests(3))


def test_another_seed_draws_other_samples_and_keeps_the_beams(blip: Blip) -> None:
    one = candidates(blip.predict([CaptionRequest(noise(1), ("",), 1)])[0])
    two = candidates(blip.predict([CaptionRequest(noise(1), ("",), 77)])[0])
    assert [c for c in one if c.seed is None] == [c for c in two if c.seed is None]
    assert {c.text for c in one if c.seed is not None} != {c.text for c in two if c.seed is not None}


@pytest.mark.parametrize("prompt", ["", "a photograph of"])
def test_encoding_the_picture_once_gives_what_plain_generate_gives(blip: Blip, prompt: str) -> None:
    inputs = blip._processor(images=[Image.fromarray(noise(i)) for i in range(3)], return_tensors="pt")
    if prompt:
        inputs.update(blip._tokenizer([prompt] * 3, return_tensors="pt", return_token_type_ids=False))
    made = blip._model.generate(**inputs, num_beams=5, num_return_sequences=5, max_new_tokens=20)
    texts = [blip._tokenizer.decode(row, skip_special_tokens=True) for row in made.tolist()]
    plain = [t.replace("[DEC]", "").strip().removeprefix(prompt).strip() for t in texts]
    for i, result in enumerate(blip.predict(requests(3, prompt))):
        beams = [c.text for c in candidates(result) if c.seed is None]
        assert beams == list(dict.fromkeys(t for t in plain[5 * i : 5 * i + 5] if t))


def test_log_probability_is_what_the_decoder_gives_when_it_reads_the_caption(blip: Blip) -> None:
    import torch

    fits = {True: 0, False: 0}  # by whether the candidate is a beam
    asked = requests(8, "a photograph of")
    for request, result in zip(asked, blip.predict(asked), strict=True):
        for candidate in candidates(result):
            head = blip._prompt_ids("a photograph of")
            tail = blip._tokenizer(candidate.text, add_special_tokens=False)["input_ids"]
            if len(tail) < 20:
                tail = [*tail, blip._model.config.text_config.sep_token_id]
            with torch.inference_mode():
                logits = blip._model.text_decoder(
                    input_ids=torch.tensor([head + tail]), encoder_hidden_states=blip._look([request.image])
                ).logits[0]
            steps = logits.log_softmax(-1)[len(head) - 1 : -1].gather(1, torch.tensor(tail)[:, None])
            fits[candidate.seed is None] += candidate.log_probability == pytest.approx(float(steps.mean()), abs=2e-3)
    # Not each need fit: a start token or a stray "##s" inside a sample does not survive being written as text.
    assert fits[True] >= 10 and fits[False] >= 2, fits


def test_samples_follow_the_models_probabilities() -> None:
    import torch

    from revista.captions.sampling import gumbel

    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    drawn = (gumbel(range(6000))(None, logits.expand(6000, 3))).argmax(-1)
    shares = torch.bincount(drawn, minlength=3) / 6000
    assert shares.tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.025)  # four standard deviations


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((0, 5, 3), dtype=np.uint8),
        np.zeros((5, 5, 7), dtype=np.uint8),
        np.full((5, 5, 3), np.nan),
    ],
    ids=["empty", "seven channels", "nan"],
)
@pytest.mark.parametrize("place", [0, 5, 9])
def test_one_bad_picture_harms_no_other(blip: Blip, bad: np.ndarray, place: int) -> None:
    asked = requests(10, "")
    whole = blip.predict(asked)
    asked[place] = CaptionRequest(bad, ("",), 0)
    results = blip.predict(asked)
    assert isinstance(results[place], ModelError) and results[place].message and results[place].hint
    for i, (one, two) in enumerate(zip(results, whole, strict=True)):
        assert i == place or [c.text for c in candidates(one)] == [c.text for c in candidates(two)]


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (1, 900), (900, 2)])
def test_odd_shapes_are_pictures_too(blip: Blip, shape: tuple[int, int]) -> None:
    assert candidates(blip.predict([CaptionRequest(noise(1, *shape), ("",), 0)])[0])


def test_no_requests_no_results(blip: Blip) -> None:
    assert blip.predict([]) == []


def test_a_prompt_too_long_for_the_model_is_an_error_for_its_picture_alone(blip: Blip) -> None:
    asked = [CaptionRequest(noise(0), ("a man",)), CaptionRequest(noise(1), ("a horse " * 40,))]
    good, bad = blip.predict(asked)
    assert candidates(good)
    assert isinstance(bad, ModelError) and "80 tokens" in bad.message and "max_new_tokens" in bad.hint


def test_the_longest_prompt_that_fits_is_taken(blip: Blip) -> None:
    room = 64 - 20 - 1
    assert candidates(blip.predict([CaptionRequest(noise(0), ("a " * room,))])[0])
    assert isinstance(blip.predict([CaptionRequest(noise(0), ("a " * (room + 1),))])[0], ModelError)


def test_a_prompt_too_long_in_the_settings_is_told_before_any_page(folder: Path) -> None:
    with pytest.raises(BadArguments, match="tokens") as caught:
        captions.load(CaptionsSettings(model=str(folder), prompts=("", "the dog " * 60)), "cpu")
    assert "captions.prompts" in caught.value.hint


def test_broken_weights_are_an_error_not_a_caption(folder: Path, options: CaptionsSettings) -> None:
    broken = captions.load(options, "cpu")
    assert isinstance(broken, Blip)
    broken._model.text_decoder.cls.predictions.bias.data.fill_(float("nan"))
    for result in broken.predict(requests(2)):
        assert isinstance(result, ModelError)


def test_predict_may_be_called_from_many_threads(blip: Blip) -> None:
    expected = [blip.predict([request]) for request in requests(4)]
    found: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda i=i, r=r: found.__setitem__(i, blip.predict([r])))
        for i, r in enumerate(requests(4))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(4)] == expected


def test_one_beam_and_no_samples(folder: Path) -> None:
    plain = captions.load(CaptionsSettings(model=str(folder), beams=1, samples=0, prompts=("",), language="es"), "cpu")
    (only,) = candidates(plain.predict(requests(1, ""))[0])
    assert only.seed is None and only.language == "es" and only.log_probability is not None


# --- loading ---


def test_no_model_in_the_settings() -> None:
    with pytest.raises(MissingWeights, match="no captioner weights"):
        captions.load(CaptionsSettings(), "cpu")
    assert captions.weights(CaptionsSettings()) == {}


def test_a_checkpoint_of_another_kind(tmp_path: Path) -> None:
    clip = save_clip(tmp_path / "clip")
    with pytest.raises(MissingWeights, match=r"kind clip \(CLIPModel\).*captioner") as caught:
        captions.load(CaptionsSettings(model=str(clip)), "cpu")
    assert "BlipForConditionalGeneration" in caught.value.hint


def test_a_device_that_is_not_there(options: CaptionsSettings) -> None:
    for device in ("cuda:77", "toaster"):
        with pytest.raises(BadArguments, match=device) as caught:
            captions.load(options, device)
        assert "run.device" in caught.value.hint


@pytest.mark.parametrize(
    "name, message", [("tokenizer.json", "no tokenizer"), ("preprocessor_config.json", "cannot be loaded with")]
)
def test_a_checkpoint_without_one_of_its_files(tmp_path: Path, name: str, message: str) -> None:
    copy = save_blip(tmp_path / "blip")
    (copy / name).unlink()
    with pytest.raises(MissingWeights, match=message):
        captions.load(CaptionsSettings(model=str(copy)), "cpu")


def test_weights_that_lack_tensors_are_refused_not_filled_with_random_numbers(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = save_blip(tmp_path / "blip")
    tensors = load_file(copy / "model.safetensors")
    gone = next(key for key in tensors if "crossattention" in key)
    save_file({k: v for k, v in tensors.items() if k != gone}, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(MissingWeights, match="missing or of another shape"):
        captions.load(CaptionsSettings(model=str(copy)), "cpu")


def test_weights_of_another_size_than_the_configuration(tmp_path: Path) -> None:
    copy = save_blip(tmp_path / "blip")
    config = json.loads((copy / "config.json").read_text())
    config["vision_config"]["hidden_size"] = config["text_config"]["encoder_hidden_size"] = 64
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(MissingWeights):
        captions.load(CaptionsSettings(model=str(copy)), "cpu")


def test_the_header_names_weights_and_software(folder: Path, options: CaptionsSettings) -> None:
    hashes = captions.weights(options)
    assert {"model.safetensors", "config.json", "tokenizer.json", "preprocessor_config.json"} <= set(hashes)
    assert all(len(value) == 64 for value in hashes.values())
    assert {"torch", "transformers", "image_processor"} <= set(captions.software(CaptionsSettings(model="any")))


# --- the stage ---


def test_without_weights_every_picture_says_so(tmp_path: Path) -> None:
    _, contexts = on_page(tmp_path, LEFT, RIGHT)
    body = captions.run(tmp_path / "not-even-read.png", contexts, CaptionsSettings(), None, None)
    assert body.captioner is None and not body.problems
    assert [p.reason for p in body.pictures] == ["not described by a model: no captioner weights"] * 2


def test_a_page_with_pictures(tmp_path: Path, blip: Blip, options: CaptionsSettings) -> None:
    file, contexts = on_page(tmp_path, LEFT, RIGHT)
    body = captions.run(file, contexts, options, blip, None)
    assert body.captioner == "tiny-blip" and not body.problems
    assert [p.picture for p in body.pictures] == ["0007-r00", "0007-r01"]
    assert all(p.candidates and p.reason is None for p in body.pictures)
    assert captions.run(file, contexts, options, blip, None) == body


def test_a_pictures_samples_do_not_hang_on_its_neighbours(
    tmp_path: Path, blip: Blip, options: CaptionsSettings
) -> None:
    file, contexts = on_page(tmp_path, LEFT, RIGHT)
    both = captions.run(file, contexts, options, blip, None).pictures
    second = captions.run(file, Contexts(pictures=contexts.pictures[1:]), options, blip, None).pictures
    assert [(c.text, c.seed) for c in both[1].candidates] == [(c.text, c.seed) for c in second[0].candidates]
    other = captions.run(file, contexts, options.model_copy(update={"seed": 1}), blip, None).pictures
    assert {c.seed for c in both[0].candidates} != {c.seed for c in other[0].candidates}


def test_a_box_off_the_page_harms_no_other_picture(tmp_path: Path, blip: Blip, options: CaptionsSettings) -> None:
    file, contexts = on_page(tmp_path, LEFT, Box(5000, 5000, 5100, 5100), RIGHT)
    body = captions.run(file, contexts, options, blip, None)
    (problem,) = body.problems
    assert (problem.page, problem.item, problem.stage) == (7, "0007-r01", "captions") and problem.hint
    assert [bool(p.candidates) for p in body.pictures] == [True, False, True]
    reason = body.pictures[1].reason
    assert reason is not None and reason.startswith("not described by a model: box (5000")


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_page_image_that_cannot_be_read(
    tmp_path: Path, blip: Blip, options: CaptionsSettings, content: bytes | None
) -> None:
    file, contexts = on_page(tmp_path, LEFT, RIGHT)
    file.unlink() if content is None else file.write_bytes(content)
    body = captions.run(file, contexts, options, blip, None)
    (problem,) = body.problems
    assert problem.page == 7 and problem.item is None
    assert {p.reason for p in body.pictures} == {"not described by a model: the page image cannot be read"}


def test_a_page_without_pictures(tmp_path: Path, blip: Blip, options: CaptionsSettings) -> None:
    body = captions.run(tmp_path / "nothing.png", Contexts(), options, blip, None)
    assert body.pictures == () and not body.problems and body.captioner == "tiny-blip"


def test_a_captioner_that_runs_out_of_memory(tmp_path: Path, options: CaptionsSettings) -> None:
    """The device's memory holds one picture at a time, and not the large one."""
    import torch

    class Small(Blip):
        def _look(self, images: list[np.ndarray]) -> torch.Tensor:
            if len(images) > 1 or images[0].shape[1] > 100:
                raise torch.OutOfMemoryError("tried to allocate 20.00 GiB")
            return super()._look(images)

    assert options.model is not None
    small: Captioner = Small(find_weights(options.model), options, "cpu")
    file, contexts = on_page(tmp_path, LEFT, Box(0, 0, 240, 100), RIGHT)
    body = captions.run(file, contexts, options, small, None)
    assert [bool(p.candidates) for p in body.pictures] == [True, False, True]
    assert "no memory left" in body.problems[0].message and "run.device" in body.problems[0].hint


# --- real weights ---


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs the shared golden files")
@pytest.mark.skipif("REVISTA_BLIP_WEIGHTS" not in os.environ, reason="REVISTA_BLIP_WEIGHTS names no BLIP checkpoint")
def test_published_caption_of_the_real_checkpoint() -> None:
    """The captions that LAVIS publishes: 3 beams behind the prompt with which BLIP was fine-tuned on COCO."""
    options = CaptionsSettings(
        model=os.environ["REVISTA_BLIP_WEIGHTS"], prompts=("a picture of",), beams=3, max_new_tokens=26, samples=0
    )
    model = captions.load(options, "cpu")
    expected = json.loads((GOLDEN / "expected.json").read_text())["blip"]
    large = find_weights(str(options.model)).config()["vision_config"]["hidden_size"] > 768
    wanted = next(e for e in expected if "caption" in e and ("large" in e["checkpoint"]) == large)
    image = np.asarray(Image.open(GOLDEN / wanted["image"]).convert("RGB"))
    result = model.predict([CaptionRequest(image, options.prompts)])[0]
    assert candidates(result)[0].text == wanted["caption"]
