"""`revista train encoder`: the image encoder learns from a teacher's maps, block by block, then as a whole.

First each block is given the teacher's map before it and learns the teacher's map behind it, all at once and none
waiting for another (Romero et al. 2015, arXiv:1412.6550; Li et al. 2020, "Blockwisely supervised neural architecture
search with knowledge distillation", arXiv:1911.13053). That needs few pictures: each has thousands of places. Then the
blocks work on one another's maps, and the last map counts most. Teacher and encoder look at the same view (Beyer et
al. 2022, "Knowledge distillation: a good teacher is patient and consistent", arXiv:2106.05237), but half of what the
encoder is shown looks printed, without the screen, as pictures are shown to the captioner: see `magazine`, `screens`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

from revista.compact.encoder import FEATURES, SIDE, Encoder
from revista.screens import descreened
from revista.training import loop
from revista.training.data import CaptionData, random_view, squeeze
from revista.training.magazine import halftone_grey, magazine_look
from revista.training.teacher import Teacher

UNIT = 3.0  # the maps between blocks are learnt as shares of this, which is about their standard deviation
WEIGHTS = "encoder.safetensors"
LOOKED_AT = (0, 3, 7, 10, 13)  # parts whose maps count while the blocks work together, besides the last
EARLY = 4  # parts before it work on large maps
LATE = 10  # from this part on, the map of what looks printed is to be that of the clean view
Scales = list[tuple[float, int]]


class EncoderConfig(BaseModel):
    """Settings of the training; the committed ones stand in `configs/encoder.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expansion: int = 8
    block_steps: int  # in which blocks learn apart
    steps: int  # in all
    batch: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.02
    early_every: int = 3  # of the steps of the whole, the early parts, which cost the most, learn in one of so many
    printed: float = 0.5  # share of views that look printed, once the blocks work together
    check_every: int = 100
    check_pictures: int = 200  # of the development split
    workers: int = 1
    seed: int = 0
    precision: str = "auto"


@dataclass(frozen=True)
class _Views(Dataset):
    """What is shown at each step: view number i is drawn from the seed and i alone."""

    data: CaptionData
    names: tuple[str, ...]
    teacher: Path
    config: EncoderConfig
    begin: int  # the first view

    def __len__(self) -> int:
        return self.config.steps * self.config.batch - self.begin

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        index += self.begin
        turn, place = divmod(index, len(self.names))
        order = np.random.default_rng((self.config.seed, turn)).permutation(len(self.names))
        rng = np.random.default_rng((self.config.seed, turn, place))
        view = random_view(self.data.read(self.names[order[place]]), rng)
        shown = view
        if index >= self.config.block_steps * self.config.batch and rng.random() < self.config.printed:
            shown = descreened(magazine_look(view, rng), SIDE)
        return view, shown, _teacher(self.teacher).look(view)


_TEACHERS: dict[Path, Teacher] = {}


def _teacher(file: Path) -> Teacher:
    """The teacher of this process."""
    if file not in _TEACHERS:
        _TEACHERS[file] = Teacher(file)
    return _TEACHERS[file]


def train(
    data: CaptionData,
    teacher: Path,
    config: EncoderConfig,
    out: Path,
    device: str,
    resume: bool,
    begin: Path | None = None,
) -> loop.History:
    """Train an encoder; its weights go to `encoder.safetensors` in `out`.

    Args:
        data: pictures; the train split is learnt from, the development split measured on.
        teacher: see `Teacher`.
        config: see there.
        out: folder of weights and checkpoint; made where there is none.
        device: a torch device.
        resume: go on from the checkpoint in `out`.
        begin: weights of an encoder to begin with; what does not fit begins at random.

    Returns:
        The `History`; a check's score is the share of the teacher's last map that the encoder explains on the
        development split, and `printed` the same for halftone versions.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = Encoder(config.expansion).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if begin is not None:
        old, new = load_file(begin), model.state_dict()
        model.load_state_dict({n: old[n] if n in old and old[n].shape == v.shape else v for n, v in new.items()})
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.weight_decay)
    scales = _teacher(teacher).scales
    batches: list[Iterator[Any]] = []

    def step(number: int) -> dict[str, float]:
        if not batches:
            views = _Views(data, tuple(data.names("train")), teacher, config, number * config.batch)
            batches.append(iter(DataLoader(views, config.batch, num_workers=config.workers, persistent_workers=False)))
        view, shown, maps = next(batches[0])
        loop.set_rate(optimiser, loop.rate(number, config.steps, config.rate, config.warmup))
        model.train()
        pixels = _pixels(shown).to(device)
        with loop.precision(device, config.precision):
            if number < config.block_steps:
                losses = _apart(model, pixels, maps, scales)
            else:
                printed = (view != shown).flatten(1).any(dim=1).to(device)
                early = number % config.early_every == 0
                losses = _together(model, pixels, maps, scales, printed, early)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        return {
            name: float(value.detach())
            for name, value in losses.items()
            if name in ("part0", "part3", "part7", "part13", "last")
        }

    def check() -> dict[str, float]:
        return measure(model, data, teacher, config, device)

    def keep() -> None:
        loop.save_weights(model, out / WEIGHTS)

    plan = loop.Plan(config.steps, config.check_every, seed=config.seed)
    return loop.fit(plan, {"model": model, "optimiser": optimiser}, step, check, keep, out, resume)


def _apart(model: Encoder, pixels: torch.Tensor, maps: list[torch.Tensor], scales: Scales) -> dict[str, torch.Tensor]:
    """Losses of the parts, each given the teacher's map: shares of what the teacher's block changes.

    Early maps have so many places that a quarter or half of a batch is enough.
    """
    losses = {}
    count = len(pixels)
    for i, part in enumerate(model.parts()):
        rows = count if i >= EARLY else max(1, count // (2 if i == 0 else 4))
        given = pixels[:rows] if i == 0 else _real(maps, scales, i - 1, pixels.device, rows)
        wanted = _real(maps, scales, i, pixels.device, rows)
        change = wanted - given if getattr(part, "residual", False) else wanted
        losses["last" if part is model.head else f"part{i}"] = _share(part(given).float(), wanted, change)
    return losses


def _together(
    model: Encoder,
    pixels: torch.Tensor,
    maps: list[torch.Tensor],
    scales: Scales,
    printed: torch.Tensor,
    early: bool,
) -> dict[str, torch.Tensor]:
    """Losses of the parts, each given the map of the part before; early maps of what looks printed do not count."""
    losses = {}
    state = pixels
    for i, part in enumerate(model.parts()):
        with torch.set_grad_enabled(early or i >= EARLY):
            state = part(state)
        if (part is not model.head and i not in LOOKED_AT) or not state.requires_grad:
            continue
        made, wanted = state.float(), _real(maps, scales, i, pixels.device, len(pixels))
        if part is model.head:
            losses["last"] = _share(made, wanted, wanted)
            means = made.mean(dim=(2, 3)), wanted.mean(dim=(2, 3))
            losses["mean"] = 0.3 * (means[0] - means[1]).pow(2).mean() / means[1].var(dim=0).mean()
        elif i >= LATE:
            losses[f"part{i}"] = 0.5 * _share(made, wanted, wanted)
        elif not printed.all():
            losses[f"part{i}"] = 0.5 * _share(made[~printed], wanted[~printed], wanted[~printed])
    return losses


def _share(made: torch.Tensor, wanted: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    """The squared error as a share of the variance of `change`, channel by channel."""
    variance = change.var(dim=(0, 2, 3))
    variance = variance + 0.1 * variance.mean() + 1e-6
    return ((made - wanted).pow(2).mean(dim=(0, 2, 3)) / variance).mean()


def _real(maps: list[torch.Tensor], scales: Scales, part: int, device: torch.device, rows: int) -> torch.Tensor:
    """The teacher's map (rows, height, width, channels) uint8 behind `part` as our encoder makes it, channels first."""
    scale, zero = scales[part]
    factor = scale if part == len(maps) - 1 else scale / UNIT
    return ((maps[part][:rows].to(device).float() - zero) * factor).permute(0, 3, 1, 2)


def _pixels(views: torch.Tensor) -> torch.Tensor:
    """(pictures, 224, 224, 3) uint8 as the encoder takes it: channels first, -1.0 to 1.0."""
    return (views.float() / 127.5 - 1).permute(0, 3, 1, 2)


def measure(model: Encoder, data: CaptionData, teacher: Path, config: EncoderConfig, device: str) -> dict[str, float]:
    """How much of the teacher's last map the encoder explains on development pictures: 1.0 is all, 0.0 the mean."""
    model.eval()
    scale = _teacher(teacher).scales[-1][0]
    made: dict[str, list[torch.Tensor]] = {"score": [], "printed": []}
    wanted = []
    names = data.names("dev")[: config.check_pictures]
    for start in range(0, len(names), 50):
        views = [squeeze(data.read(name)) for name in names[start : start + 50]]
        wanted += [torch.from_numpy(_teacher(teacher).look(view)[-1]).float() * scale for view in views]
        prints = [descreened(halftone_grey(view, start + i), SIDE) for i, view in enumerate(views)]
        for name, shown in (("score", views), ("printed", prints)):
            pixels = _pixels(torch.from_numpy(np.stack(shown))).to(device)
            with torch.inference_mode(), loop.precision(device, config.precision):
                made[name].append(model(pixels).float().permute(0, 2, 3, 1).cpu())
    target = torch.stack(wanted).reshape(-1, FEATURES)
    spread = (target - target.mean(dim=0)).pow(2).mean()
    return {
        name: 1 - float((torch.cat(found).reshape(-1, FEATURES) - target).pow(2).mean() / spread)
        for name, found in made.items()
    }
