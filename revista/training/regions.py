"""`revista train regions`: the page network learns from generated pages and from real ones, and is written as ONNX."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from revista.errors import BadArguments
from revista.evaluation.index import IndexPage
from revista.regions.decoding import CLASSES, LOOKS, decode
from revista.regions.finding import LONGEST, STEP, looked_at, propose
from revista.regions.judging import Curve, distinct, judgements
from revista.regions.looking import session
from revista.training import looks, loop, refining
from revista.training.averaging import average
from revista.training.calibrating import SAME, calibrate, hits
from revista.training.onnx_files import begin_with, write_onnx
from revista.training.pages.pictures import Photographs
from revista.training.regions_config import RegionsConfig, is_held_out
from revista.training.regions_data import (
    CHECK_SEED,
    FIT_SEED,
    SMALL,
    Sample,
    batches,
    generated,
    pictures_of,
    real,
    whole,
)
from revista.training.regions_looks import learn_looks
from revista.training.regions_network import PageNetwork, losses, pixels_of, targets
from revista.weights import ONNX, REFINE_ONNX

WEIGHTS = "regions.safetensors"
_EXAMPLES = 12  # batches of which the statistics of batch normalisation are taken anew


def train(
    entries: Sequence[IndexPage],
    source: Photographs,
    config: RegionsConfig,
    out: Path,
    device: str,
    resume: bool,
    begin: Path | None = None,
) -> loop.History:
    """Train the three networks of the detector `compact`; as ONNX they go to the folder `model` in `out`.

    The page network's weights go to `regions.safetensors`; the others' trainings are those of `looks.train` and
    `refining.train`.

    Args:
        entries: real pages; those of `config.held_out` are measured on, the others learnt from.
        source: photographs for generated pages.
        config: see there.
        out: folder of weights, checkpoint and generated pages; made where there is none.
        device: a torch device.
        resume: go on from the checkpoint in `out`.
        begin: weights to begin with, instead of chance; see `begin_with`. Of a folder with `model.onnx` and
            `refine.onnx` the closer look begins with its own.

    Returns:
        The `History`; a check's score is F1 at IoU 0.5 of pictures on generated pages, `small` the same on small
        pages, `held_out` that on real ones.

    Raises:
        BadArguments: the config mixes in weights to begin with, and there are none; `begin` lacks the closer look's.
    """
    if config.before and begin is None:
        raise BadArguments("`before` mixes in the weights begun with, and there are none", "Name them with --from.")
    closer = begin / REFINE_ONNX if begin is not None and begin.is_dir() else None
    if closer is not None and not closer.is_file():  # else only the closer look, an hour later, would miss it
        raise BadArguments(f"{begin} holds no {REFINE_ONNX}", "Name a folder with the weights of both, or one file.")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = PageNetwork().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    held = [e for e in entries if is_held_out(e, config)]
    learnt = real([e for e in entries if not is_held_out(e, config)])
    folder = out / "pages"
    if begin is not None:
        shown = next(batches(config, source, folder, learnt, config.steps))
        begin_with(model, begin / ONNX if closer else begin, pixels_of([s.image for s in shown]).to(device))
    begun = copy.deepcopy(model.state_dict()) if config.before else {}
    kept = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.average), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.weight_decay)
    made = [generated(n, CHECK_SEED, source, folder) for n in range(config.check_pages)]
    unseen = real(held)
    drawn: list[Iterator[list[Sample]]] = []

    def step(number: int) -> dict[str, float]:
        if not drawn:
            drawn.append(batches(config, source, folder, learnt, number))
        samples = next(drawn[0])
        loop.set_rate(optimiser, loop.rate(number, config.steps, config.rate, config.warmup))
        model.train()
        pixels = pixels_of([s.image for s in samples]).to(device)
        with loop.precision(device, config.precision):
            maps = model(pixels)
        found = losses(maps, [targets(s) for s in samples])
        loop.descend(found, model, optimiser, 10.0)
        kept.update_parameters(model)
        return {name: float(value.detach()) for name, value in found.items()}

    def check() -> dict[str, float]:
        net = kept.module
        found = {"score": f1(net, made, device), "held_out": f1(net, unseen, device)}
        return found | ({"small": f1(net, made, device, SMALL[0])} if config.small_steps else {})

    plan = loop.Plan(config.steps, config.check_every, seed=config.seed)
    parts = {"model": model, "kept": kept, "optimiser": optimiser}
    # the rate falls to nothing, so the last weights are the best ones; the checks' pages are too few to tell
    history = loop.fit(plan, parts, step, check, lambda: None, out, resume)
    final = PageNetwork().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    final.load_state_dict(kept.module.state_dict())
    if config.before:
        drawn_last = itertools.islice(batches(config, source, folder, learnt, config.steps), _EXAMPLES)
        average(final, begun, config.before, (pixels_of([s.image for s in some]).to(device) for some in drawn_last))
    if config.look_steps:
        known = real([e for e in entries if not is_held_out(e, config) and e.source not in config.looks_unknown])
        learn_looks(final, batches(config, source, folder, known, config.steps), config.look_steps, config.seed, device)
    loop.save_weights(final, out / WEIGHTS)
    networks = out / "model"
    export(out / WEIGHTS, networks)
    looks.train(entries, source, config, out, resume)
    refining.train(entries, source, config, out, session(networks / ONNX), resume, closer)
    describe(networks, calibrate(networks, (whole(n, FIT_SEED, source) for n in range(config.fit_pages))))
    return history


def f1(model: torch.nn.Module, samples: Sequence[Sample], device: str, longest: int = LONGEST) -> float:
    """F1 of pictures at IoU 0.5, of the network's own boxes, of pages whose longer side is `longest` pixels."""
    model.eval()

    def maps_of(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            maps: np.ndarray = model(torch.from_numpy(pixels).to(device)).float().cpu().numpy()
        return maps

    right = found = true = 0
    for sample in samples:
        looked = looked_at(maps_of, sample.image, longest)
        proposed = propose(looked, [p for p in decode(looked.maps) if p.kind == "picture"])
        judged = judgements(proposed, looked.inside_and_looks()[0])
        sure = [i for i in distinct(proposed.boxes, judged, SAME) if judged[i] >= Curve().middle]
        truth = pictures_of(sample)
        right += sum(hits(proposed.boxes[sure] / looked.scale, truth))
        true, found = true + len(truth), found + len(sure)
    return 2 * right / max(1, found + true)


def export(weights: Path, folder: Path) -> None:
    """Write the weights as `model.onnx` to a folder, for the detector `compact`.

    The network takes (pages, 3, height, width) float32, 0 to 255, RGB, sides multiples of 64.

    Raises:
        MissingProgram: the packages that write ONNX are not installed.
    """
    folder.mkdir(exist_ok=True)
    network = PageNetwork()
    network.load_state_dict(load_file(weights))
    dimensions = {0: "pages", 2: "height", 3: "width"}
    pixels = torch.zeros(1, 3, 2 * STEP, 2 * STEP)
    write_onnx(network, folder / ONNX, {"pixels": pixels}, ("maps",), {"pixels": dimensions, "maps": dimensions})


def describe(folder: Path, curve: Curve) -> None:
    """Write the `config.json` of a folder of networks: what they tell, and the curve of their confidence."""
    config = {"model_type": "revista-regions", "classes": CLASSES, "looks": LOOKS, "curve": curve._asdict()}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
