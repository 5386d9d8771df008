"""`revista train regions`: the page network learns from generated pages and from real ones, and is written as ONNX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file, save_file

from revista.evaluation.index import IndexPage
from revista.regions.decoding import CHANNELS, decode, overlaps
from revista.training import loop
from revista.training.pages.pictures import Photographs
from revista.training.regions_data import KINDS, Sample, batches, generated, real, reduced
from revista.training.regions_network import PageNetwork, losses, targets

WEIGHTS = "regions.safetensors"
ONNX = "model.onnx"
LONGEST = 576  # pixels of a page's longer side, as it is looked at
STEP = 64  # its sides are multiples of this
_CHECK_SEED = 7_000  # of the generated pages that are only measured on


class RegionsConfig(BaseModel):
    """Settings of the training; the committed ones stand in `configs/regions.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pages: int  # generated ones, each shown many times
    steps: int
    batch: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.02
    real: float = 0.15  # share of real pages in a batch
    held_out: tuple[str, ...] = ()  # documents and sources of real pages that are not learnt from
    check_every: int = 200
    check_pages: int = 150  # generated
    average: float = 0.995  # of the weights' running mean, which is what is measured and kept
    seed: int = 1
    precision: str = "auto"


def train(
    entries: Sequence[IndexPage],
    source: Photographs,
    config: RegionsConfig,
    out: Path,
    device: str,
    resume: bool,
    begin: Path | None = None,
) -> loop.History:
    """Train the page network; its weights go to `regions.safetensors` and `model.onnx` in `out`.

    Args:
        entries: real pages; those of `config.held_out` are measured on, the others learnt from.
        source: photographs for generated pages.
        config: see there.
        out: folder of weights, checkpoint and generated pages; made where there is none.
        device: a torch device.
        resume: go on from the checkpoint in `out`.
        begin: weights to begin with, instead of chance.

    Returns:
        The `History`; a check's score is F1 at IoU 0.5 of pictures on generated pages, `held_out` that on real ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = PageNetwork().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if begin is not None:
        model.load_state_dict(load_file(begin))
    kept = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.average), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.weight_decay)
    held = [e for e in entries if is_held_out(e, config)]
    learnt = real([e for e in entries if not is_held_out(e, config)])
    folder = out / "pages"
    made = [generated(n, _CHECK_SEED, source, folder) for n in range(config.check_pages)]
    unseen = real(held)
    drawn: list[Iterator[list[Sample]]] = []

    def step(number: int) -> dict[str, float]:
        if not drawn:
            drawn.append(batches(config.pages, config.seed, source, folder, learnt, config.real, config.batch, number))
        samples = next(drawn[0])
        loop.set_rate(optimiser, loop.rate(number, config.steps, config.rate, config.warmup))
        model.train()
        pixels = _pixels([s.image for s in samples]).to(device)
        with loop.precision(device, config.precision):
            maps = model(pixels)
        found = losses(maps, [targets(s) for s in samples])
        total = torch.stack(list(found.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        kept.update_parameters(model)
        return {name: float(value.detach()) for name, value in found.items()}

    def check() -> dict[str, float]:
        net = kept.module
        return {"score": f1(net, made, device), "held_out": f1(net, unseen, device) if unseen else 0.0}

    def keep() -> None:
        state = {name: value.detach().cpu().contiguous() for name, value in kept.module.state_dict().items()}
        save_file(state, out / WEIGHTS)

    plan = loop.Plan(config.steps, config.check_every, seed=config.seed)
    history = loop.fit(plan, {"model": model, "kept": kept, "optimiser": optimiser}, step, check, keep, out, resume)
    export(out / WEIGHTS, out / ONNX)
    return history


def is_held_out(entry: IndexPage, config: RegionsConfig) -> bool:
    """Whether a real page is kept for measuring: by its document, or by the whole source."""
    return entry.doc in config.held_out or entry.source in config.held_out


def _pixels(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Images of one size as (n, 3, height, width) float32, 0 to 255, channels last in memory."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.float().contiguous(memory_format=torch.channels_last)


def f1(model: torch.nn.Module, samples: Sequence[Sample], device: str, least: float = 0.4) -> float:
    """F1 of pictures at IoU 0.5 and a score of `least`, as the network's proposals stand, without any settling."""
    from revista.regions.compact import padded

    model.eval()
    right = found = true = 0
    for sample in samples:
        small, factor = reduced(sample.image, LONGEST)
        with torch.inference_mode():
            maps = model(_pixels([padded(small, STEP)]).to(device)).float().cpu().numpy()[0]
        boxes = np.array([p.box for p in decode(maps[:CHANNELS]) if p.kind == "picture" and p.score >= least]) / factor
        truth = [b for b, k in zip(sample.boxes, sample.kinds, strict=True) if KINDS[k] in KINDS[:4]]
        true, found = true + len(truth), found + len(boxes)
        for box in boxes.reshape(-1, 4):
            if truth:
                shared = overlaps(box, np.array(truth))
                best = int(shared.argmax())
                if shared[best] >= 0.5:
                    truth.pop(best)
                    right += 1
    return 2 * right / max(1, found + true)


class _Shipped(torch.nn.Module):
    """The network without what only helps in training."""

    def __init__(self, network: PageNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.network(pixels)[:, :CHANNELS]


def export(weights: Path, file: Path) -> None:
    """Write weights as an ONNX file that takes (1, 3, height, width) float32, 0 to 255, sides multiples of 64.

    Raises:
        MissingProgram: the packages that write ONNX are not installed.
    """
    from revista.errors import MissingProgram

    network = PageNetwork()
    network.load_state_dict(load_file(weights))
    dimensions = {0: "pages", 2: "height", 3: "width"}
    try:
        torch.onnx.export(
            _Shipped(network.eval()),
            (torch.zeros(1, 3, 2 * STEP, 2 * STEP),),
            str(file),
            input_names=["pixels"],
            output_names=["maps"],
            dynamic_axes={"pixels": dimensions, "maps": dict(dimensions)},
            opset_version=17,
            dynamo=False,
        )
    except ImportError:
        raise MissingProgram(
            "writing ONNX needs the package onnx", "Install it with: pip install -e '.[train]'"
        ) from None
