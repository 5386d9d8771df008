"""Whether 8-bit whole numbers would serve the captioner's decoder: `python benchmarks/int8.py`.

Three ways, none of which needs another package, against bf16 (`captions.precision`): the time of layers of BLIP-base's
sizes, in processor time of one thread, and how many words of the compact captioner's first beams each keeps on real
photographs (`--data ../shared/captions`). None of them is offered: docs/measurements.md says why.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from captions import BEAMS, TOKENS, kept

from revista.captions import CaptionRequest
from revista.captions.blip import Blip
from revista.captions.decoding import halve
from revista.registry import models_folder
from revista.settings import CaptionsSettings
from revista.training.data import open_data
from revista.weights import find_weights


class Rows(torch.nn.Module):
    """A linear layer in 8 bits: weights with a scale for each output, what goes in with one for each row."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        """Round the layer's weights."""
        super().__init__()
        self.scales = layer.weight.data.abs().amax(1) / 127
        self.weights = torch.round(layer.weight.data / self.scales[:, None]).to(torch.int8).t().contiguous()
        self.bias = layer.bias.data

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(..., inputs) to (..., outputs), 32-bit floats."""
        rows = given.reshape(-1, given.shape[-1])
        scales = rows.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
        product = torch._int_mm(torch.round(rows / scales).to(torch.int8), self.weights)
        return (product.float() * scales * self.scales + self.bias).unflatten(0, given.shape[:-1])


class Weights8(torch.nn.Module):
    """A linear layer with weights of 8 bits, a scale for each output; what goes in is bf16."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        """Round the layer's weights."""
        super().__init__()
        scales = layer.weight.data.abs().amax(1) / 127
        self.weights = torch.round(layer.weight.data / scales[:, None]).to(torch.int8).contiguous()
        self.scales, self.bias = scales.bfloat16(), layer.bias.data

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(..., inputs) to (..., outputs), 32-bit floats."""
        rows = given.reshape(-1, given.shape[-1]).bfloat16()
        product = torch.ops.aten._weight_int8pack_mm(rows, self.weights, self.scales)
        return product.float().unflatten(0, given.shape[:-1]) + self.bias


def _replaced(module: torch.nn.Module, by: Callable[[torch.nn.Linear], torch.nn.Module]) -> None:
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(part, name, by(child))


def _dynamic(module: torch.nn.Module) -> None:
    from torch.ao.quantization import quantize_dynamic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        quantize_dynamic(module, {torch.nn.Linear}, torch.qint8, inplace=True)


WAYS: dict[str, Callable[[Any], None]] = {
    "fp32": lambda module: None,
    "bf16": halve,
    "int8, one scale for all that goes in (torch.ao.quantization.quantize_dynamic)": _dynamic,
    "int8, a scale for each row (torch._int_mm)": lambda module: _replaced(module, Rows),
    "int8 weights, bf16 inputs (aten::_weight_int8pack_mm)": lambda module: _replaced(module, Weights8),
}


def layers_time(rows: int, rounds: int = 30) -> dict[str, float]:
    """Milliseconds of two layers, 768 to 3072 and back, for each way: the least of some interleaved rounds."""
    parts = {}
    for name, change in WAYS.items():
        parts[name] = torch.nn.Sequential(torch.nn.Linear(768, 3072), torch.nn.GELU(), torch.nn.Linear(3072, 768))
        change(parts[name].eval())
    given = torch.randn(rows, 768)
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, part in parts.items():
            started = time.thread_time()
            part(given)
            least[name] = min(1000 * (time.thread_time() - started), least.get(name, 1e9))
    return least


def words(folder: Path, count: int) -> dict[str, float]:
    """The share of the words of first beams that each way keeps."""
    data = open_data(folder)
    requests = [CaptionRequest(data.read(name)) for name in data.names("dev")[:count]]
    place = str(models_folder() / "compact" / "captioner")
    options = CaptionsSettings(model=place, prompts=("",), beams=BEAMS, max_new_tokens=TOKENS, samples=0)
    said = {}
    for name, change in WAYS.items():
        captioner = Blip(find_weights(place), options, "cpu")
        change(captioner._model.text_decoder.bert)
        results = captioner.predict(requests)
        said[name] = [[one.text for one in result] for result in results]  # type: ignore[union-attr]
    return {name: kept(said["fp32"], texts) for name, texts in said.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="A folder as of `revista evaluate captions`.")
    parser.add_argument("--pictures", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode():
        times = {rows: layers_time(rows) for rows in (5, 16, 40)}
    shares = words(given.data, given.pictures) if given.data else {}
    for name in WAYS:
        told = ", ".join(f"{rows} rows {times[rows][name]:.2f} ms" for rows in times)
        print(f"{name}: {told}" + (f", {shares[name]:.1%} of the words kept" if shares else ""))


if __name__ == "__main__":
    main()
