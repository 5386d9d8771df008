"""`revista train looks`: how a found picture is made is learnt from its measures, see `revista.regions.looking`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from revista.evaluation.index import IndexPage
from revista.regions.decoding import LOOKS
from revista.regions.looking import FEATURES, features
from revista.training import loop
from revista.training.looks_data import Picture, clean, on_pages, on_real, printed
from revista.training.onnx_files import write_onnx
from revista.training.pages.pictures import Photographs
from revista.training.regions_config import RegionsConfig, is_held_out
from revista.weights import LOOKS_ONNX

WEIGHTS = "looks.safetensors"
_CHECK_SEED = 1_000_000  # of the pictures that are only measured on
_CHECK_PICTURES = 500
_PAGES = 2000  # generated ones whose pictures are learnt from
_BATCH = 256
_SHARES = (0.3, 0.3, 0.2, 0.2)  # of a batch: from generated pages, printed by themselves, clean, from real pages
_RATE = 3e-3
_WEIGHT_DECAY = 0.05
_HIDDEN = 128
_DOUBT = 0.03  # labels are smoothed by it


class Measured(NamedTuple):
    """Measures of pictures, with their looks."""

    rows: np.ndarray  # (n, FEATURES) float32
    looks: np.ndarray  # (n,) int64: places in LOOKS


class LookNetwork(nn.Module):
    """Measures of pictures to a logit for each look."""

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self) -> None:
        """Build it with random weights, for measures whose mean and spread are not known yet."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.hidden, self.drop, self.out = nn.Linear(FEATURES, _HIDDEN), nn.Dropout(0.2), nn.Linear(_HIDDEN, len(LOOKS))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, FEATURES) to (n, looks)."""
        found: torch.Tensor = self.out(self.drop(functional.relu(self.hidden((rows - self.mean) / self.spread))))
        return found


def train(
    entries: Sequence[IndexPage],
    source: Photographs,
    config: RegionsConfig,
    out: Path,
    resume: bool,
) -> loop.History:
    """Train what tells looks apart; it goes as `looks.onnx` to the folder `model` in `out`.

    Args:
        entries: real pages; those of `config.held_out` are measured on, the others learnt from.
        source: photographs for generated pages and pictures.
        config: see there.
        out: folder; weights and checkpoint go to `looks` in it, generated pages to `pages`.
        resume: go on from the checkpoint.

    Returns:
        The `History`; a check's score is the share of right looks of printed pictures, `held_out` that on real pages.
    """
    own = out / "looks"
    own.mkdir(parents=True, exist_ok=True)
    count = min(_CHECK_PICTURES, config.prints)
    first, last = config.seed * _CHECK_SEED, (config.seed + 1) * _CHECK_SEED - count
    parts = [
        measured(on_pages(min(config.pages, _PAGES), config.seed, source, out / "pages")),
        *(measured(make(first + n, source) for n in range(config.prints)) for make in (printed, clean)),
        measured(on_real([e for e in entries if not is_held_out(e, config)], config.seed)),
    ]
    made = measured(printed(last + n, source) for n in range(count))
    unseen = measured(on_real([e for e in entries if is_held_out(e, config)], config.seed, 1))
    torch.manual_seed(config.seed)
    model = LookNetwork()
    rows = np.concatenate([part.rows for part in parts])
    model.mean, model.spread = torch.from_numpy(rows.mean(axis=0)), torch.from_numpy(rows.std(axis=0) + 1e-3)
    optimiser = torch.optim.AdamW(model.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)

    def step(number: int) -> dict[str, float]:
        rng = np.random.default_rng((config.seed, number))
        drawn = [_drawn(part, round(share * _BATCH), rng) for part, share in zip(parts, _SHARES, strict=True)]
        batch, wanted = (torch.from_numpy(np.concatenate(part)) for part in zip(*drawn, strict=True))
        loop.set_rate(optimiser, loop.rate(number, config.print_steps, _RATE, 50))
        model.train()
        loss = functional.cross_entropy(model(batch), wanted, label_smoothing=_DOUBT)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return {"loss": float(loss.detach())}

    def check() -> dict[str, float]:
        return {"score": right(model, made), "held_out": right(model, unseen)}

    def keep() -> None:
        loop.save_weights(model, own / WEIGHTS)

    plan = loop.Plan(config.print_steps, config.check_every, seed=config.seed)
    history = loop.fit(plan, {"model": model, "optimiser": optimiser}, step, check, keep, own, resume)
    export(own / WEIGHTS, out / "model")
    return history


def measured(pictures: Iterable[Picture]) -> Measured:
    """The measures of pictures."""
    rows, looks = [], []
    for picture in pictures:
        rows.append(features(picture.page, picture.box))
        looks.append(LOOKS.index(picture.look))
    return Measured(np.array(rows, np.float32).reshape(-1, FEATURES), np.array(looks, np.int64))


def _drawn(part: Measured, count: int, rng: np.random.Generator) -> Measured:
    """So many of them by chance; none where there are none."""
    n = len(part.looks)
    places = rng.integers(n, size=count) if n else np.zeros(0, int)
    return Measured(part.rows[places], part.looks[places])


def right(model: nn.Module, pictures: Measured) -> float:
    """The share of pictures whose look is told rightly; 0.0 where there are none."""
    model.eval()
    with torch.inference_mode():
        told = model(torch.from_numpy(pictures.rows)).argmax(dim=1).numpy()
    return float((told == pictures.looks).mean()) if len(told) else 0.0


def export(weights: Path, folder: Path) -> None:
    """Write the weights as `looks.onnx` to a folder, for the detector `compact`; it takes (n, FEATURES) float32.

    Raises:
        MissingProgram: the packages that write ONNX are not installed.
    """
    folder.mkdir(exist_ok=True)
    network = LookNetwork()
    network.load_state_dict(load_file(weights))
    free = {name: {0: "pictures"} for name in ("features", "looks")}
    write_onnx(network, folder / LOOKS_ONNX, {"features": torch.zeros(2, FEATURES)}, ("looks",), free)
