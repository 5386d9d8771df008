"""`revista train refine`: where the borders of a proposed picture are is learnt, see `revista.regions.refining`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from revista.evaluation.index import IndexPage
from revista.regions.refining import CHANNELS, MARGIN, SIDE
from revista.training import loop
from revista.training.onnx_files import begin_with, write_onnx
from revista.training.pages.pictures import Photographs
from revista.training.refining_data import Drawn, RefinedPage, draw, on_generated, on_sample
from revista.training.regions_config import RegionsConfig, is_held_out
from revista.training.regions_data import CHECK_SEED, real
from revista.training.regions_network import Residual, convolution, ious
from revista.weights import REFINE_ONNX

WEIGHTS = "refine.safetensors"
WIDTHS = (16, 32, 64, 96)  # channels at a half, a quarter, ... a sixteenth of the view's sides
DEPTHS = (0, 1, 2, 1)  # residual blocks there
_NARROW = 24  # channels of what is left of the eighth before all places are weighed together
_HIDDEN = 192
_BATCH = 96
_OF_A_PAGE = 4  # boxes drawn from a page at a time
_REAL = 0.36  # share of boxes from real pages
_RATE = 2e-3
_WEIGHT_DECAY = 0.02
_AVERAGE = 0.998  # of the weights' running mean
_FAR = 0.4  # overlap below which a box is no picture's, and its score is halved
_CHECKED = 512  # boxes that are only measured on


class RefineNetwork(nn.Module):
    """Views of proposed boxes to borders and scores: plain residual stages, then all places weighed together."""

    def __init__(self) -> None:
        """Build it with random weights; at first it leaves borders where they are."""
        super().__init__()
        before = (CHANNELS, *WIDTHS)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before[i], width, 3, 2), *(Residual(width) for _ in range(DEPTHS[i])))
            for i, width in enumerate(WIDTHS)
        )
        self.fine, self.coarse = convolution(WIDTHS[2], _NARROW, 1), convolution(WIDTHS[3], 2 * _NARROW, 1)
        places = (SIDE // 8) ** 2 * _NARROW + (SIDE // 16) ** 2 * 2 * _NARROW
        self.hidden, self.drop, self.out = nn.Linear(places, _HIDDEN), nn.Dropout(0.1), nn.Linear(_HIDDEN, 5)
        edge = MARGIN / (1 + 2 * MARGIN)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.copy_(torch.tensor([edge, edge, 1 - edge, 1 - edge, -1.0]))

    def forward(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, CHANNELS, SIDE, SIDE) 0 to 255, to corners (n, 4) as shares of the view, and scores (n,) as logits."""
        state = views / 127.5 - 1.0
        maps = []
        for stage in self.stages:
            state = stage(state)
            maps.append(state)
        seen = torch.cat([self.fine(maps[2]).flatten(1), self.coarse(maps[3]).flatten(1)], dim=1)
        found = self.out(self.drop(functional.relu(self.hidden(seen))))
        return found[:, :4], found[:, 4]


class _Scored(nn.Module):
    """The network as it is run: scores from 0 to 1."""

    def __init__(self, network: RefineNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        corners, scores = self.network(views)
        return corners, scores.sigmoid()


def train(
    entries: Sequence[IndexPage],
    source: Photographs,
    config: RegionsConfig,
    out: Path,
    network: Any,
    resume: bool,
    begin: Path | None = None,
) -> loop.History:
    """Train what moves borders; it goes as `refine.onnx` to the folder `model` in `out`.

    Args:
        entries: real pages; those of `config.held_out` are measured on, the others learnt from.
        source: photographs for generated pages.
        config: see there.
        out: folder; weights, checkpoint and what is proposed go to `refine` in it, generated pages to `pages`.
        network: the page network, a session of onnxruntime.
        resume: go on from the checkpoint.
        begin: weights to begin with, instead of chance; see `begin_with`.

    Returns:
        The `History`; a check's score is the mean overlap of boxes that hold a picture with it, once moved, `before`
        the same of the boxes as drawn (both on generated pages), `held_out` the score on real pages.
    """
    own, folder = out / "refine", out / "pages"
    own.mkdir(parents=True, exist_ok=True)
    proposed = own / "proposed"
    pages = on_generated(range(config.refine_pages), config.seed, source, folder, network, proposed)
    learnt = [on_sample(s, network) for s in real([e for e in entries if not is_held_out(e, config)])]
    unseen = [on_sample(s, network) for s in real([e for e in entries if is_held_out(e, config)])]
    made = on_generated(range(config.check_pages), CHECK_SEED, source, folder, network, proposed)
    checked, held = (_drawn((part,), 0.0, _CHECKED, np.random.default_rng(config.seed)) for part in (made, unseen))
    torch.manual_seed(config.seed)
    model = RefineNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if begin is not None:
        rng = np.random.default_rng(config.seed)
        begin_with(model, begin, _views(_drawn((pages, learnt), _REAL, _BATCH, rng)))
    kept = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGE), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)

    def step(number: int) -> dict[str, float]:
        rng = np.random.default_rng((config.seed, number))
        drawn = _drawn((pages, learnt), _REAL, _BATCH, rng)
        loop.set_rate(optimiser, loop.rate(number, config.refine_steps, _RATE, 100))
        model.train()
        corners, scores = model(_views(drawn))
        found = losses(corners, scores, drawn)
        loop.descend(found, model, optimiser, 5.0)
        kept.update_parameters(model)
        return {name: float(value.detach()) for name, value in found.items()}

    def check() -> dict[str, float]:
        before, score = overlap(kept.module, checked)
        return {"score": score, "before": before, "held_out": overlap(kept.module, held)[1]}

    def keep() -> None:
        loop.save_weights(kept.module, own / WEIGHTS)

    plan = loop.Plan(config.refine_steps, config.check_every, seed=config.seed)
    history = loop.fit(plan, {"model": model, "kept": kept, "optimiser": optimiser}, step, check, keep, own, resume)
    export(own / WEIGHTS, out / "model")
    return history


def _drawn(parts: Sequence[Sequence[RefinedPage]], share: float, count: int, rng: np.random.Generator) -> list[Drawn]:
    """So many boxes, that share of them from the last of the parts; none where there are no pages."""
    found: list[Drawn] = []
    while len(found) < count and any(parts):
        part = parts[-1] if parts[-1] and (rng.random() < share or not parts[0]) else parts[0]
        page = part[int(rng.integers(len(part)))]
        found += (draw(page, rng) for _ in range(_OF_A_PAGE))
    return found[:count]


def _views(drawn: Sequence[Drawn]) -> torch.Tensor:
    stacked = torch.from_numpy(np.stack([d.view for d in drawn])).float()
    return stacked.contiguous(memory_format=torch.channels_last)


def losses(corners: torch.Tensor, scores: torch.Tensor, drawn: Sequence[Drawn]) -> dict[str, torch.Tensor]:
    """What is wrong with borders (n, 4) and scores (n,), by what it concerns.

    A score is to be the overlap of the moved box with the picture that it meets best, halved where it is no picture's.
    """
    holds = torch.tensor([d.holds for d in drawn])
    truth = torch.from_numpy(np.stack([d.truth for d in drawn])).float()[holds]
    pictures = torch.from_numpy(np.stack([d.pictures for d in drawn])).float()
    moved = corners[holds]
    with torch.no_grad():
        shared = torch.stack([ious(corners, pictures[:, k])[0] for k in range(pictures.shape[1])], dim=1)
        best = shared.amax(dim=1).clamp(0, 1)
        best = torch.where(best > _FAR, best, best / 2)
    entropy = functional.binary_cross_entropy_with_logits(scores, best)
    if not len(moved):
        return {"box": corners.sum() * 0, "edge": corners.sum() * 0, "score": 2 * entropy}
    return {
        "box": 2 * (1 - ious(moved, truth)[1]).mean(),
        "edge": 8 * functional.smooth_l1_loss(moved, truth, beta=0.02),
        "score": 2 * entropy,
    }


def overlap(model: nn.Module, drawn: Sequence[Drawn]) -> tuple[float, float]:
    """The mean overlap of boxes that hold a picture with it, as they were drawn and once moved; 0.0 without any."""
    held = [d for d in drawn if d.holds]
    if not held:
        return 0.0, 0.0
    model.eval()
    with torch.inference_mode():
        corners, _ = model(_views(held))
    truth = torch.from_numpy(np.stack([d.truth for d in held])).float()
    edge = MARGIN / (1 + 2 * MARGIN)
    before = torch.tensor([edge, edge, 1 - edge, 1 - edge]).expand_as(truth)
    return float(ious(before, truth)[0].mean()), float(ious(corners, truth)[0].mean())


def export(weights: Path, folder: Path) -> None:
    """Write the weights as `refine.onnx` to a folder, for the detector `compact`.

    It takes (n, CHANNELS, SIDE, SIDE) float32, 0 to 255, and gives corners (n, 4) as shares of the view and scores.

    Raises:
        MissingProgram: the packages that write ONNX are not installed.
    """
    folder.mkdir(exist_ok=True)
    network = RefineNetwork()
    network.load_state_dict(load_file(weights))
    free = {name: {0: "boxes"} for name in ("views", "corners", "scores")}
    views = torch.zeros(2, CHANNELS, SIDE, SIDE)
    write_onnx(_Scored(network), folder / REFINE_ONNX, {"views": views}, ("corners", "scores"), free)
