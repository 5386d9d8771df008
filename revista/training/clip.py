"""`revista train clip`: pictures and their captions, Spanish and English, learn to lie close together.

Contrastive learning with a symmetric cross-entropy (Radford et al. 2021, CLIP, arXiv:2103.00020), on kept maps of the
frozen encoder. In each step every picture comes with one English and one Spanish caption; both are compared with all
pictures of the step, and with each other. Captions of the same picture never count as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch.nn import functional

from revista.compact.encoder import SIDE
from revista.compact.models import CompactClip, CompactClipConfig
from revista.ranking.kinds import SENTENCES
from revista.training import loop
from revista.training.captioner import save
from revista.training.data import CaptionData
from revista.training.features import Features, load_encoder, look, look_at_drawn
from revista.training.kinds import DRAWN, kind_of
from revista.training.vocabulary import make_tokenizer, make_vocabulary, plain


class ClipConfig(BaseModel):
    """Settings of the training; the committed ones stand in `configs/clip.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: int = 6000
    expansion: int = 8
    width: int = 256  # of the text side
    layers: int = 2
    heads: int = 4
    inner: int = 512
    seen: int = 512  # width of the vision side's hidden layer
    common: int = 256  # of the space that both share
    dropout: float = 0.3
    longest: int = 40  # tokens of a text
    dropped_words: float = 0.1  # share of words that a caption loses while it is learnt from
    views: int = 4
    pictures: int = 384  # a step
    steps: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.1
    label_smoothing: float = 0.05
    kinds: float = 0.3  # weight of the loss over pictures whose kind is known (`training.kinds`)
    kind_pictures: int = 78  # a step
    drawn: int = 250  # pictures of each kind that is drawn, not photographed
    check_every: int
    patience: int = 6
    seed: int = 0
    precision: str = "auto"


def build(config: ClipConfig, vocabulary: dict[str, int]) -> CompactClip:
    """A dual encoder with random weights."""
    return CompactClip(
        CompactClipConfig(
            text_config={
                "vocab_size": len(vocabulary),
                "hidden_size": config.width,
                "intermediate_size": config.inner,
                "num_hidden_layers": config.layers,
                "num_attention_heads": config.heads,
                "max_position_embeddings": config.longest,
                "hidden_act": "gelu",
                "attention_dropout": 0.1,
                "bos_token_id": vocabulary["[CLS]"],
                "eos_token_id": vocabulary["[SEP]"],
                "pad_token_id": vocabulary["[PAD]"],
            },
            vision_config={
                "hidden_size": config.seen,
                "expansion": config.expansion,
                "image_size": SIDE,
                "dropout": config.dropout,
            },
            projection_dim=config.common,
            logit_scale_init_value=2.6592,
        )
    )


class Training:
    """A dual encoder, what it learns from, and one step."""

    def __init__(
        self, english: CaptionData, spanish: CaptionData, encoder: Path, config: ClipConfig, out: Path, device: str
    ) -> None:
        """Build or find vocabulary, features and model."""
        self.config, self.device, self.out = config, device, out
        seeing = load_encoder(encoder, config.expansion)
        self.train = look(encoder, seeing, english, "train", config.views, config.seed, device)
        self.dev = look(encoder, seeing, english, "dev", 2, config.seed, device)
        self.known = kinds_of(self.train, english)
        self.drawn = (
            look_at_drawn(encoder, seeing, english, config.drawn, config.seed, device) if config.kinds else None
        )
        self.texts = [_plain_texts(data, self.train.names) for data in (english, spanish)]
        self.dev_texts = [_plain_texts(data, self.dev.names) for data in (english, spanish)]
        everything = (text for texts in self.texts for many in texts for text in many)
        vocabulary = make_vocabulary(everything, config.vocabulary, accents=False)
        self.tokenizer = make_tokenizer(vocabulary, accents=False)
        self.tokenizer.model_max_length = config.longest
        torch.manual_seed(config.seed)
        self.model = build(config, vocabulary)
        self.model.vision_model.encoder.load_state_dict(seeing.state_dict())
        self.model.to(device)
        learning = [(n, p) for n, p in self.model.named_parameters() if not n.startswith("vision_model.encoder.")]
        groups = [
            {"params": [p for _, p in learning if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for _, p in learning if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate)

    def step(self, number: int) -> dict[str, float]:
        """One step over pictures with an English and a Spanish caption each."""
        config = self.config
        rng = np.random.default_rng((config.seed, 2, number))
        loop.set_rate(self.optimiser, loop.rate(number, config.steps, config.rate, config.warmup))
        count = min(config.pictures, len(self.train.names))
        pictures = rng.choice(len(self.train.names), count, replace=False)
        maps = self.train.take(pictures, rng.integers(0, config.views, count)).to(self.device)
        self.model.train()
        self.model.vision_model.encoder.eval()
        with loop.precision(self.device, config.precision):
            seen = self._see(maps).float()
            english, spanish = (
                self._read([self._drawn(texts[i], rng) for i in pictures]).float() for texts in self.texts
            )
        scale = self.model.logit_scale.exp().clamp(max=100)
        losses = {
            "english": self._contrast(seen, english, scale),
            "spanish": self._contrast(seen, spanish, scale),
            "both": 0.3 * self._contrast(english, spanish, scale),
        }
        if self.drawn is not None:
            with loop.precision(self.device, config.precision):
                losses["kinds"] = config.kinds * self._tell_kinds(rng, scale)
        loss = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in self.optimiser.param_groups for p in g["params"]], 1.0)
        self.optimiser.step()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _tell_kinds(self, rng: np.random.Generator, scale: torch.Tensor) -> torch.Tensor:
        """The loss over pictures of all kinds, equally many of each, judged as `ranking.kinds.judge` does it."""
        assert self.drawn is not None
        maps, wanted = [], []
        each = max(1, self.config.kind_pictures // len(SENTENCES))
        for number, kind in enumerate(SENTENCES):
            if kind in DRAWN:
                rows, views = rng.integers(0, self.drawn.maps.shape[0], each), np.full(each, DRAWN.index(kind))
                maps.append(self.drawn.take(rows, views))
            elif self.known.get(kind):
                rows = rng.choice(self.known[kind], each)
                maps.append(self.train.take(rows, rng.integers(0, self.config.views, each)))
            else:
                continue
            wanted += [number] * each
        seen = self._see(torch.cat(maps).to(self.device)).float()
        read = self._read([text for texts in SENTENCES.values() for text in texts]).float()
        means = (seen @ read.T).unflatten(1, (len(SENTENCES), -1)).mean(dim=2)
        return functional.cross_entropy(scale * means, torch.tensor(wanted, device=self.device), label_smoothing=0.1)

    def _contrast(self, a: torch.Tensor, b: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        right = torch.arange(len(a), device=a.device)
        logits = scale * a @ b.T
        smooth = self.config.label_smoothing
        return (
            functional.cross_entropy(logits, right, label_smoothing=smooth)
            + functional.cross_entropy(logits.T, right, label_smoothing=smooth)
        ) / 2

    def _drawn(self, texts: Sequence[str], rng: np.random.Generator) -> str:
        """One of the captions, without some of its words."""
        words = texts[int(rng.integers(len(texts)))].split()
        kept = [word for word in words if rng.random() >= self.config.dropped_words]
        return " ".join(kept or words)

    def _see(self, maps: torch.Tensor) -> torch.Tensor:
        vectors = self.model.visual_projection(self.model.vision_model.from_map(maps).pooler_output)
        return functional.normalize(vectors, dim=-1)

    def _read(self, texts: list[str]) -> torch.Tensor:
        inputs = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.config.longest, return_tensors="pt"
        ).to(self.device)
        found = self.model.get_text_features(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        ).pooler_output
        return functional.normalize(found, dim=-1)

    def vectors(self, features: Features, view: int, texts: list[list[str]]) -> tuple[torch.Tensor, torch.Tensor, Any]:
        """Unit vectors of pictures and of all their texts, and the picture of each text."""
        self.model.eval()
        seen, read = [], []
        flat = [text for many in texts for text in many]
        with torch.inference_mode():
            for start in range(0, len(features.names), 200):
                rows = np.arange(start, min(start + 200, len(features.names)))
                seen.append(self._see(features.take(rows, view).to(self.device)))
            for start in range(0, len(flat), 500):
                read.append(self._read(flat[start : start + 500]))
        owners = torch.tensor([i for i, many in enumerate(texts) for _ in many])
        return torch.cat(seen).cpu(), torch.cat(read).cpu(), owners

    def check(self) -> dict[str, float]:
        """Recall at 10, of captions given pictures, on development pictures: of both languages and of prints."""
        english, spanish = (recall(*self.vectors(self.dev, 0, texts), 10) for texts in self.dev_texts)
        printed = recall(*self.vectors(self.dev, 1, self.dev_texts[0]), 10)
        return {"score": (english + spanish) / 2, "r10_en": english, "r10_es": spanish, "printed": printed}

    def keep(self) -> None:
        """Write the whole checkpoint, in 16-bit floats, as `revista.ranking.clip.Clip` loads it."""
        save(self.model, self.tokenizer, self.out / "model", clip=True)


def kinds_of(features: Features, data: CaptionData) -> dict[Any, list[int]]:
    """The pictures of each kind, by their captions."""
    found: dict[Any, list[int]] = {}
    for row, name in enumerate(features.names):
        if kind := kind_of(data.texts.get(name, ())):
            found.setdefault(kind, []).append(row)
    return found


def _plain_texts(data: CaptionData, names: Sequence[str]) -> list[list[str]]:
    return [[plain(text) for text in data.texts[name]] for name in names]


def recall(seen: torch.Tensor, read: torch.Tensor, owners: torch.Tensor, first: int) -> float:
    """The share of pictures that have one of their own texts among the `first` nearest, 0.0 to 1.0."""
    nearest = (seen @ read.T).topk(min(first, len(read)), dim=1).indices
    return float((owners[nearest] == torch.arange(len(seen))[:, None]).any(dim=1).float().mean())


def train(
    english: CaptionData,
    spanish: CaptionData,
    encoder: Path,
    config: ClipConfig,
    out: Path,
    device: str,
    resume: bool,
) -> tuple[Training, loop.History]:
    """Train a dual encoder; its checkpoint goes to `model` in `out`.

    Args:
        english: pictures and English captions.
        spanish: the same pictures with Spanish captions.
        encoder: `encoder.safetensors` of `revista train encoder`.
        config: see there.
        out: folder of weights, kept features and checkpoint; made where there is none.
        device: a torch device.
        resume: go on from the checkpoint in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    training = Training(english, spanish, encoder, config, out, device)
    plan = loop.Plan(config.steps, config.check_every, config.patience, config.seed)
    parts = {"model": training.model, "optimiser": training.optimiser}
    history = loop.fit(plan, parts, training.step, training.check, training.keep, out, resume)
    return training, history
