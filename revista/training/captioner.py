"""`revista train captioner`: BLIP's text decoder learns to caption what our encoder sees.

The encoder stays frozen, its maps kept (`features`), so that a step costs no more than the small decoder. A caption is
learnt as the continuation of nothing, or of one of the prompts (Li et al. 2022, BLIP, arXiv:2201.12086). After the
cross-entropy, `reward_steps` may let the model's own samples learn from their CIDEr (Rennie et al. 2017, "Self-critical
sequence training", arXiv:1612.00563; the mean of the other samples as baseline: Luo 2020, arXiv:2003.09971).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from revista.compact.encoder import SIDE
from revista.compact.models import CompactBlip, CompactBlipConfig
from revista.training import loop
from revista.training.data import CaptionData
from revista.training.features import Features, load_encoder, look
from revista.training.scoring import Cider
from revista.training.vocabulary import START, make_tokenizer, make_vocabulary, plain


class CaptionerConfig(BaseModel):
    """Settings of the training; the committed ones stand in `configs/captioner.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = "en"  # of the captions
    prompts: tuple[str, ...] = ("a photograph of",)  # what captions learn to continue, besides nothing
    prompted: float = 0.2  # share of captions that continue a prompt
    vocabulary: int = 4000
    expansion: int = 8
    width: int = 256
    layers: int = 2
    heads: int = 8
    inner: int = 768
    dropout: float = 0.25
    label_smoothing: float = 0.1
    longest: int = 24  # tokens of a caption that are learnt
    views: int = 4  # of each picture; see `features.training_view`
    steps: int
    reward_steps: int = 0  # of `steps`, the last ones
    reward_rate: float = 5e-5
    reward_pictures: int = 24
    samples: int = 5  # of each picture while rewards are learnt from
    pictures: int = 64  # a step, with all their captions
    rate: float
    warmup: int = 200
    weight_decay: float = 0.05
    check_every: int
    check_pictures: int = 500  # of the development split
    patience: int = 6
    seed: int = 0
    precision: str = "auto"


class Captions:
    """Captions as tokens."""

    def __init__(self, data: CaptionData, names: Sequence[str], config: CaptionerConfig, tokenizer: Any) -> None:
        """Tokenise the captions of the pictures `names`."""
        self.start, self.end, self.pad = tokenizer.convert_tokens_to_ids([START, "[SEP]", "[PAD]"])
        self._longest = config.longest
        self._captions = [
            [self._ids(tokenizer, plain(text)) for text in data.texts.get(name, ()) if plain(text)] for name in names
        ]
        self._prompts = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in config.prompts]
        self._prompted = config.prompted if config.prompts else 0.0

    def _ids(self, tokenizer: Any, text: str) -> list[int]:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids[: self._longest] + ([self.end] if len(ids) <= self._longest else [])

    def batch(self, pictures: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """All captions of these pictures: ids and labels (captions, longest), and each one's row in `pictures`."""
        rows, ids, labels = [], [], []
        for row, picture in enumerate(pictures):
            for caption in self._captions[picture]:
                prompt = []
                if rng.random() < self._prompted:
                    prompt = self._prompts[int(rng.integers(len(self._prompts)))]
                rows.append(row)
                ids.append([self.start, *prompt, *caption])
                labels.append([-100] * (1 + len(prompt)) + caption)
        longest = max(map(len, ids))
        padded = [one + [self.pad] * (longest - len(one)) for one in ids]
        wanted = [one + [-100] * (longest - len(one)) for one in labels]
        return torch.tensor(padded), torch.tensor(wanted), rows


def build(config: CaptionerConfig, vocabulary: dict[str, int]) -> CompactBlip:
    """A captioner with random weights."""
    return CompactBlip(
        CompactBlipConfig(
            text_config={
                "vocab_size": len(vocabulary),
                "hidden_size": config.width,
                "intermediate_size": config.inner,
                "num_hidden_layers": config.layers,
                "num_attention_heads": config.heads,
                "max_position_embeddings": 64,
                "hidden_dropout_prob": config.dropout,
                "attention_probs_dropout_prob": 0.1,
                "label_smoothing": config.label_smoothing,
                "bos_token_id": vocabulary[START],
                "eos_token_id": vocabulary["[SEP]"],
                "sep_token_id": vocabulary["[SEP]"],
                "pad_token_id": vocabulary["[PAD]"],
            },
            vision_config={
                "hidden_size": config.width,
                "expansion": config.expansion,
                "image_size": SIDE,
                "dropout": config.dropout,
            },
        )
    )


class Training:
    """A captioner, what it learns from, and one step of either kind."""

    def __init__(self, data: CaptionData, encoder: Path, config: CaptionerConfig, out: Path, device: str) -> None:
        """Build or find vocabulary, features and model."""
        self.config, self.device, self.out = config, device, out
        seeing = load_encoder(encoder, config.expansion)
        self.train = look(encoder, seeing, data, "train", config.views, config.seed, device)
        self.dev = look(encoder, seeing, data, "dev", 2, config.seed, device)
        texts = {name: [plain(text) for text in data.texts.get(name, ())] for name in self.train.names}
        vocabulary = make_vocabulary(
            (text for many in texts.values() for text in many), config.vocabulary, config.language == "es"
        )
        self.tokenizer = make_tokenizer(vocabulary, config.language == "es")
        self.captions = Captions(data, self.train.names, config, self.tokenizer)
        torch.manual_seed(config.seed)
        self.model = build(config, vocabulary)
        self.model.vision_model.encoder.load_state_dict(seeing.state_dict())
        self.model.to(device)
        learning = [p for n, p in self.model.named_parameters() if not n.startswith("vision_model.encoder.")]
        self.optimiser = torch.optim.AdamW(learning, lr=config.rate, weight_decay=config.weight_decay)
        self.judge = Cider(texts)
        looked_at = self.dev.names[: config.check_pictures]
        self.dev_judge = Cider({name: [plain(text) for text in data.texts[name]] for name in looked_at})

    def step(self, number: int) -> dict[str, float]:
        """One step: of cross-entropy, or of rewards once those begin."""
        config = self.config
        rng = np.random.default_rng((config.seed, 1, number))
        plain_steps = config.steps - config.reward_steps
        rewarded = number >= plain_steps
        if rewarded:
            value = loop.rate(number - plain_steps, config.reward_steps, config.reward_rate, 10)
        else:
            value = loop.rate(number, plain_steps, config.rate, config.warmup)
        loop.set_rate(self.optimiser, value)
        count = config.reward_pictures if rewarded else config.pictures
        pictures = rng.choice(len(self.train.names), min(count, len(self.train.names)), replace=False)
        maps = self.train.take(pictures, rng.integers(0, config.views, len(pictures))).to(self.device)
        self.model.train()
        self.model.vision_model.encoder.eval()
        with loop.precision(self.device, config.precision):
            loss, told = self._rewarded(maps, pictures) if rewarded else self._told(maps, pictures, rng)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in self.optimiser.param_groups for p in g["params"]], 1.0)
        self.optimiser.step()
        return told

    def _told(
        self, maps: torch.Tensor, pictures: np.ndarray, rng: np.random.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        ids, labels, rows = self.captions.batch(pictures, rng)
        states = self.model.vision_model.from_map(maps).last_hidden_state[rows]
        ids, labels = ids.to(self.device), labels.to(self.device)
        mask = (ids != self.captions.pad).long()
        loss = self.model.text_decoder(
            input_ids=ids, attention_mask=mask, encoder_hidden_states=states, labels=labels
        ).loss
        return loss, {"loss": float(loss.detach())}

    def _rewarded(self, maps: torch.Tensor, pictures: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """Samples of each picture become likelier by how much better they are than its others."""
        samples = self.config.samples
        states = self.model.vision_model.from_map(maps).last_hidden_state.repeat_interleave(samples, dim=0)
        said = self._write(states.detach(), do_sample=True, top_k=0)
        texts = self.tokenizer.batch_decode(said[:, 1:], skip_special_tokens=True)
        names = [self.train.names[i] for i in pictures for _ in range(samples)]
        rewards = torch.tensor([self.judge.score(n, t) for n, t in zip(names, texts, strict=True)]).view(-1, samples)
        others = (rewards.sum(dim=1, keepdim=True) - rewards) / (samples - 1)
        gain = (rewards - others).view(-1).to(self.device)
        tokens = said[:, 1:]
        written = ((tokens == self.captions.end).cumsum(dim=1) - (tokens == self.captions.end).long()) == 0
        logits = self.model.text_decoder(
            input_ids=said, attention_mask=torch.ones_like(said), encoder_hidden_states=states
        ).logits[:, :-1]
        chances = logits.float().log_softmax(dim=-1).gather(2, tokens[..., None])[..., 0]
        loss = -((chances * written).sum(dim=1) * gain).mean() / 10
        return loss, {"reward": float(rewards.mean())}

    def _write(self, states: torch.Tensor, **options: Any) -> torch.Tensor:
        config = self.model.config.text_config
        was = self.model.training
        self.model.eval()
        with torch.no_grad():
            said = self.model.text_decoder.generate(
                input_ids=torch.full((len(states), 1), config.bos_token_id, device=self.device),
                attention_mask=torch.ones(len(states), 1, dtype=torch.long, device=self.device),
                encoder_hidden_states=states,
                encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long, device=self.device),
                eos_token_id=config.sep_token_id,
                pad_token_id=config.pad_token_id,
                max_new_tokens=20,
                **options,
            )
        if was:
            self.model.train()
            self.model.vision_model.encoder.eval()
        return said

    def write(self, features: Features, view: int, count: int, beams: int = 3) -> dict[str, str]:
        """The captions of the first `count` pictures, by name."""
        self.model.eval()
        found: dict[str, str] = {}
        names = features.names[:count]
        for start in range(0, len(names), 100):
            rows = np.arange(start, min(start + 100, len(names)))
            with torch.inference_mode(), loop.precision(self.device, self.config.precision):
                states = self.model.vision_model.from_map(features.take(rows, view).to(self.device)).last_hidden_state
                said = self._write(states, num_beams=beams, do_sample=False)
            texts = self.tokenizer.batch_decode(said[:, 1:], skip_special_tokens=True)
            found.update(zip((names[i] for i in rows), texts, strict=True))
        return found

    def check(self) -> dict[str, float]:
        """CIDEr on development pictures, as they are (`score`) and as halftone prints."""
        count = self.config.check_pictures
        return {
            "score": self.dev_judge.mean(self.write(self.dev, 0, count)),
            "printed": self.dev_judge.mean(self.write(self.dev, 1, count)),
        }

    def keep(self) -> None:
        """Write the whole checkpoint, in 16-bit floats, as `revista.captions.blip.Blip` loads it."""
        save(self.model, self.tokenizer, self.out / "model", clip=False)


def save(model: Any, tokenizer: Any, folder: Path, clip: bool) -> None:
    """Write model, tokenizer and image processor of a compact model into `folder`."""
    from transformers import BlipImageProcessorPil, CLIPImageProcessorPil
    from transformers.utils import logging

    logging.disable_progress_bar()
    half = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    model.save_pretrained(folder, state_dict={name: value.cpu() for name, value in half.items()})
    tokenizer.save_pretrained(folder)
    side = {"height": SIDE, "width": SIDE}
    tones = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    processor = (
        CLIPImageProcessorPil(size=side, do_center_crop=False, **tones)
        if clip
        else BlipImageProcessorPil(size=side, **tones)
    )
    processor.save_pretrained(folder)


def train(
    data: CaptionData, encoder: Path, config: CaptionerConfig, out: Path, device: str, resume: bool
) -> tuple[Training, loop.History]:
    """Train a captioner; its checkpoint goes to `model` in `out`.

    Args:
        data: pictures and captions in the config's language.
        encoder: `encoder.safetensors` of `revista train encoder`.
        config: see there.
        out: folder of weights, kept features and checkpoint; made where there is none.
        device: a torch device.
        resume: go on from the checkpoint in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    training = Training(data, encoder, config, out, device)
    plan = loop.Plan(config.steps, config.check_every, config.patience, config.seed)
    parts = {"model": training.model, "optimiser": training.optimiser}
    history = loop.fit(plan, parts, training.step, training.check, training.keep, out, resume)
    return training, history
