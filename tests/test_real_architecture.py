"""BLIP-base and CLIP ViT-B/32 in their real sizes: the shapes, token ids and files of the published checkpoints, with
random weights. The same `Captioner` and `Ranker` load them as the small ones; what they say is nonsense.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from revista import captions, ranking
from revista.captions import CaptionRequest
from revista.captions.blip import Blip
from revista.errors import ModelError
from revista.ranking import RankingRequest, Scores
from revista.ranking.clip import Clip
from revista.settings import CaptionsSettings, RankingSettings

from .tiny_models import WORDS, noise

pytestmark = pytest.mark.slow  # a gigabyte of weights: half a minute, and 1 GB of disk

BERT = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, "[DEC]": 30522, "[ENC]": 30523}
CLIP_SIZE = 49408


@pytest.fixture(scope="module")
def blip_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as Salesforce/blip-image-captioning-base is, in 16-bit floats."""
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessorPil

    folder = tmp_path_factory.mktemp("blip-base")
    places = {place: token for token, place in BERT.items()}
    words = iter([*WORDS, *(f"word{i}" for i in range(30524))])
    vocabulary = {places.get(i) or next(words): i for i in range(30524)}
    torch.manual_seed(0)
    config = BlipConfig(
        text_config={"vocab_size": 30524, "num_attention_heads": 12, "encoder_hidden_size": 768,
                     "bos_token_id": 30522, "eos_token_id": 2, "sep_token_id": 102, "pad_token_id": 0},
        vision_config={"image_size": 384, "patch_size": 16},
    )  # fmt: skip
    BlipForConditionalGeneration(config).half().save_pretrained(folder)
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 384, "width": 384}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip_b32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as openai/clip-vit-base-patch32 is, its wrong `eos_token_id` of 2 included, in 16-bit floats."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip-b32")
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    pairs = [(a, b) for a in letters for b in letters][: CLIP_SIZE - len(tokens) - 2]
    tokens += ["".join(pair) for pair in pairs]
    vocabulary = {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={"vocab_size": CLIP_SIZE, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1},
        vision_config={"image_size": 224, "patch_size": 32},
        projection_dim=512,
    )
    CLIPModel(config).half().save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=pairs).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    return folder


def parameters(model: object) -> float:
    """Millions of parameters, those shared between layers once."""
    return sum(p.numel() for p in model.parameters()) / 1e6  # type: ignore[attr-defined]


def test_blip_base(blip_base: Path) -> None:
    options = CaptionsSettings(model=str(blip_base), beams=3, samples=1, max_new_tokens=6)
    model = captions.load(options, "cpu")
    assert isinstance(model, Blip)
    assert parameters(model._model) == pytest.approx(224, abs=0.5)
    asked = [CaptionRequest(noise(i, 500, 400), options.prompts, i) for i in range(2)]
    results = model.predict(asked)
    for request, result in zip(asked, results, strict=True):
        assert not isinstance(result, ModelError), result
        assert {c.prompt for c in result} == set(request.prompts) and {c.seed for c in result} > {None}
        assert all(len(c.text.split()) <= 6 and c.log_probability for c in result)

    # the first beam is what the whole model generates by itself
    import torch

    pixels = model._processor(images=[Image.fromarray(asked[0].image)], return_tensors="pt")
    assert pixels["pixel_values"].shape == (1, 3, 384, 384)
    with torch.inference_mode():
        made = model._model.generate(**pixels, num_beams=3, max_new_tokens=6)
    plain = model._tokenizer.decode(made[0].tolist(), skip_special_tokens=True).replace("[DEC]", "").strip()
    (first,) = [r[0] for r in results[:1] if not isinstance(r, ModelError)]
    assert first.text == plain and first.prompt == "" and first.seed is None


def test_clip_b32(clip_b32: Path) -> None:
    model = ranking.load(RankingSettings(model=str(clip_b32)), "cpu")
    assert isinstance(model, Clip)
    assert parameters(model._model) == pytest.approx(151.3, abs=0.5)
    texts = ("a man on a horse", "la señora de Zayas", "two dogs " * 30)
    results = model.predict([RankingRequest(noise(i, 300, 200), texts) for i in range(2)])

    import torch

    inputs = model._tokenizer(list(texts), padding=True, truncation=True, max_length=77, return_tensors="pt")
    assert (inputs["input_ids"].max(dim=1).values == CLIP_SIZE - 1).all()  # the end is the largest id: CLIP pools there
    pixels = model._processor(images=[Image.fromarray(noise(i, 300, 200)) for i in range(2)], return_tensors="pt")
    with torch.inference_mode():
        whole = model._model(**inputs, **pixels)
    for result, row in zip(results, (whole.image_embeds @ whole.text_embeds.T).tolist(), strict=True):
        assert isinstance(result, Scores)
        assert result.similarities == pytest.approx(row, abs=1e-4)


def test_both_work_in_the_registry_as_the_profile_standard(
    blip_base: Path, clip_b32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `revista models pull standard` would put them, by the settings of the profile alone."""
    import shutil
    from datetime import UTC, datetime

    from revista.registry import FOLDER_VARIABLE, Lock, ModelFile, Pulled
    from revista.settings import Settings
    from revista.store import sha256_of
    from revista.weights import files_of

    from .conftest import ROOT

    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv("REVISTA_PROFILE", raising=False)
    shutil.copy(ROOT / "models" / "registry.toml", tmp_path)
    (tmp_path / "pulled").mkdir()
    entries = {}
    for id, folder, name in (
        ("blip-base", blip_base, "Salesforce/blip-image-captioning-base"),
        ("clip-vit-b32", clip_b32, "openai/clip-vit-base-patch32"),
    ):
        (tmp_path / "pulled" / id).symlink_to(folder)
        files = {f.name: ModelFile(bytes=f.stat().st_size, sha256=sha256_of(f)) for f in files_of(folder)}
        entries[id] = Pulled(hub=name, revision="0" * 40, pulled=datetime.now(UTC), files=files)
    (tmp_path / "lock.json").write_text(Lock(models=entries).model_dump_json())
    settings = Settings(profile="standard")
    assert captions.load(settings.captions, "cpu").name == "blip-base"
    assert ranking.load(settings.ranking, "cpu").name == "clip-vit-b32"
    assert (
        captions.weights(settings.captions)["model.safetensors"]
        == entries["blip-base"].files["model.safetensors"].sha256
    )
