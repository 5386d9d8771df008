"""`Blip` against the plain transformers loop, BLIP-base architecture: `python benchmarks/captions.py`.

The plain loop asks `generate` for one picture and one prompt at a time in 32-bit floats, as examples do. Ours must give
the same texts in 32-bit floats, and shows what each step of it saves. The weights are random, since none can be
shipped: times do not depend on what the weights are. How many words bf16 keeps does, so that share is of the compact
captioner, which is trained, on real photographs (`--data ../shared/captions`), and so is what batches gain it and its
ranker, in processor time on one thread. Sampling is left out of both.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np

from revista.captions import CaptionRequest
from revista.captions.blip import Blip
from revista.devices import as_picture
from revista.registry import models_folder
from revista.settings import CaptionsSettings
from revista.weights import find_weights

PROMPTS = ("", "a photograph of", "a drawing of", "a portrait of")
BEAMS, TOKENS = 5, 20


def blip_base(folder: Path) -> Path:
    """A checkpoint of BLIP-base's shape with random weights and the compact captioner's words."""
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessorPil

    torch.manual_seed(0)
    words = json.loads((models_folder() / "compact/captioner/tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    listed = [*special, *(word for word in words if word not in special)]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(listed)})
    config = BlipConfig()  # its defaults are the base's: 12 layers of width 768 on both sides, 384 pixels
    config.text_config.vocab_size = 30_524
    config.vision_config.image_size = 384
    config.text_config.bos_token_id, config.text_config.eos_token_id = 30_522, 2
    config.text_config.sep_token_id, config.text_config.pad_token_id = 3, 0
    BlipForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 384, "width": 384}).save_pretrained(folder)
    return folder


def pictures(count: int) -> list[np.ndarray]:
    """Smooth noise, (384, 384, 3) uint8 each."""
    rng = np.random.default_rng(0)
    return [
        np.kron(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), np.ones((32, 32, 1), np.uint8)) for _ in range(count)
    ]


def plain(
    model: Any, processor: Any, tokenizer: Any, shown: Sequence[np.ndarray], prompts: Sequence[str]
) -> list[list[str]]:
    """All beams of each picture under each prompt, one call each, as transformers' documentation does it."""
    import torch

    text = model.config.text_config
    said: list[list[str]] = []
    for image in shown:
        texts: list[str] = []
        for prompt in prompts:
            ids = [text.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
            pixels = processor(images=as_picture(image), return_tensors="pt")["pixel_values"]
            with torch.inference_mode():
                seen = model.vision_model(pixel_values=pixels).last_hidden_state
                made = model.text_decoder.generate(
                    input_ids=torch.tensor([ids]),
                    attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                    encoder_hidden_states=seen,
                    encoder_attention_mask=torch.ones(seen.shape[:-1], dtype=torch.long),
                    eos_token_id=text.sep_token_id,
                    pad_token_id=text.pad_token_id,
                    max_new_tokens=TOKENS,
                    num_beams=BEAMS,
                    num_return_sequences=BEAMS,
                    do_sample=False,
                )
            texts += [one.strip() for one in tokenizer.batch_decode(made[:, len(ids) :], skip_special_tokens=True)]
        said.append(list(dict.fromkeys(one for one in texts if one)))
    return said


def ours(
    folder: Path,
    precision: Literal["fp32", "bf16"],
    shown: Sequence[np.ndarray],
    together: bool,
    prompts: Sequence[str],
) -> tuple[float, list[list[str]]]:
    """Seconds a picture, and the texts; all pictures in one call, or one call each."""
    options = CaptionsSettings(
        model=str(folder), prompts=tuple(prompts), beams=BEAMS, max_new_tokens=TOKENS, samples=0, precision=precision
    )
    captioner = Blip(find_weights(str(folder)), options, "cpu")
    captioner.predict([CaptionRequest(shown[0], ("",))])
    requests = [CaptionRequest(image, tuple(prompts)) for image in shown]
    started = time.perf_counter()
    results = captioner.predict(requests) if together else [captioner.predict([one])[0] for one in requests]
    seconds = (time.perf_counter() - started) / len(shown)
    return seconds, [[one.text for one in result] for result in results]  # type: ignore[union-attr]


def kept(before: list[list[str]], after: list[list[str]]) -> float:
    """Share of the first beams' words that are kept, in the same order (the longest common subsequence)."""
    from rapidfuzz.distance import LCSseq

    pairs = [(a[0].split(), b[0].split()) for a, b in zip(before, after, strict=True)]
    return sum(LCSseq.similarity(a, b) for a, b in pairs) / max(1, sum(max(len(a), len(b)) for a, b in pairs))


def words_kept(folder: Path, count: int = 200) -> None:
    """How much of what the trained compact captioner says of real photographs stays in bf16."""
    from revista.training.data import open_data

    data = open_data(folder)
    shown = [data.read(name) for name in data.names("dev")[:count]]
    compact = models_folder() / "compact" / "captioner"
    _, before = ours(compact, "fp32", shown, True, ("",))
    _, after = ours(compact, "bf16", shown, True, ("",))
    print(f"bf16 keeps {kept(before, after):.1%} of the words of {count} first beams of the compact captioner")


def batches_gain(folder: Path, count: int = 24, rounds: int = 3) -> None:
    """What the compact models gain by more pictures a call: processor time on one thread, the least of some rounds."""
    import torch

    from revista.ranking import RankingRequest
    from revista.ranking.clip import Clip
    from revista.ranking.kinds import TEXTS
    from revista.training.data import open_data

    torch.set_num_threads(1)
    data = open_data(folder)
    shown = [data.read(name) for name in data.names("dev")[:count]]
    place = models_folder() / "compact"
    options = CaptionsSettings(model=str(place / "captioner"), prompts=PROMPTS[:2], beams=BEAMS, samples=2)
    models: dict[str, tuple[Any, list[Any]]] = {
        "captioner": (
            Blip(find_weights(str(place / "captioner")), options, "cpu"),
            [CaptionRequest(image, options.prompts) for image in shown],
        ),
        "ranker": (
            Clip(find_weights(str(place / "clip")), "cpu"),
            [RankingRequest(image, tuple(TEXTS)) for image in shown],
        ),
    }
    least: dict[tuple[str, int], float] = {}
    for _ in range(rounds):  # interleaved, since what else the machine does changes
        for (name, (model, requests)), size in product(models.items(), (1, 2, 4, 8)):
            started = time.process_time()
            for start in range(0, count, size):
                model.predict(requests[start : start + size])
            seconds = (time.process_time() - started) / count
            least[name, size] = min(seconds, least.get((name, size), seconds))
    for name in models:
        told = ", ".join(f"{size}: {least[name, size]:.3f} s" for size in (1, 2, 4, 8))
        print(f"compact {name}, processor time a picture by pictures a call: {told}")


def main() -> None:
    """Measure and print."""
    from transformers import AutoTokenizer, BlipForConditionalGeneration, BlipImageProcessorPil

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument(
        "--data", type=Path, help="A folder as of `revista evaluate captions`, to see which words stay."
    )
    given = parser.parse_args()
    count = given.pictures
    shown = pictures(count)
    with tempfile.TemporaryDirectory() as scratch:
        folder = blip_base(Path(scratch))
        model = BlipForConditionalGeneration.from_pretrained(folder).eval()
        parts = BlipImageProcessorPil.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        started = time.perf_counter()
        texts = plain(model, *parts, shown, PROMPTS)
        base = (time.perf_counter() - started) / count
        del model
        print(f"plain transformers loop: {base:.2f} s a picture, {len(PROMPTS)} prompts of {BEAMS} beams")
        ways: tuple[tuple[str, Literal["fp32", "bf16"], bool], ...] = (
            ("each picture encoded once, its keys and values shared by prompts and beams, fp32", "fp32", False),
            ("and pictures in batches, fp32", "fp32", True),
            ("and the decoder's layers in bf16", "bf16", True),
        )
        for name, precision, together in ways:
            seconds, said = ours(folder, precision, shown, together, PROMPTS)
            same = "the same texts" if said == texts else "other texts"
            print(f"{name}: {seconds:.2f} s a picture, {base / seconds:.2f} times as fast, {same}")
    if given.data:
        words_kept(given.data)
        batches_gain(given.data)


if __name__ == "__main__":
    main()
