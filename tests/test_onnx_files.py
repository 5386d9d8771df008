"""Training goes on from weights as they ship: ONNX, with batch normalisation folded into the convolutions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from revista.errors import BadArguments
from revista.regions.refining import CHANNELS, SIDE
from revista.training import refining, regions
from revista.training.onnx_files import begin_with
from revista.training.refining import RefineNetwork
from revista.training.regions_network import PageNetwork

PAGES = (4, 3, 128, 64)
VIEWS = (4, CHANNELS, SIDE, SIDE)


def drawn(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return 255 * torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def trained(network: nn.Module) -> nn.Module:
    """The network with batch normalisation as after some training."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(values, 0.5, 1.5)  # type: ignore[arg-type]
    return network.eval()


def said(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        found = network.eval()(x)
    return found if isinstance(found, torch.Tensor) else torch.cat([part.flatten() for part in found])


@pytest.fixture
def page_network(tmp_path: Path) -> tuple[nn.Module, Path]:
    torch.manual_seed(1)
    network = trained(PageNetwork())
    save_file(network.state_dict(), tmp_path / "page.safetensors")
    regions.export(tmp_path / "page.safetensors", tmp_path / "model")
    return network, tmp_path / "model" / "model.onnx"


@pytest.fixture
def refine_network(tmp_path: Path) -> tuple[nn.Module, Path]:
    torch.manual_seed(2)
    network = trained(RefineNetwork())
    save_file(network.state_dict(), tmp_path / "refine.safetensors")
    refining.export(tmp_path / "refine.safetensors", tmp_path / "model")
    return network, tmp_path / "model" / "refine.onnx"


@pytest.mark.parametrize(("which", "shape"), [("page_network", PAGES), ("refine_network", VIEWS)])
def test_a_network_begins_as_it_was_written(which: str, shape: tuple[int, ...], request: pytest.FixtureRequest) -> None:
    network, file = request.getfixturevalue(which)
    begun = type(network)()
    begin_with(begun, file, drawn(shape, 0))
    assert begun.training
    for seed in (0, 3):  # what it was begun on, and something else
        pixels = drawn(shape, seed)
        wanted = said(network, pixels)
        assert (said(begun, pixels) - wanted).abs().max() < 0.02 * wanted.abs().max()  # numbers of 16 bits
    layers = [m for m in begun.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(not torch.equal(layer.running_mean, torch.zeros_like(layer.running_mean)) for layer in layers)  # type: ignore[arg-type]


def test_it_learns_on_as_it_looks(page_network: tuple[nn.Module, Path]) -> None:
    """Batch normalisation by the batch, as in training, changes what comes out but little."""
    network, file = page_network
    begun, pixels = PageNetwork(), drawn((16, 3, 128, 64), 0)
    begin_with(begun, file, pixels)
    wanted = said(network, pixels)
    with torch.inference_mode():
        found = begun.train()(pixels)
    assert (found - wanted).abs().max() < 0.02 * wanted.abs().max()


def test_other_weights_are_refused(page_network: tuple[nn.Module, Path], tmp_path: Path) -> None:
    _, file = page_network
    (tmp_path / "torn.onnx").write_bytes(file.read_bytes()[:5000])
    (tmp_path / "text.safetensors").write_text("no weights")
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    names = ("torn.onnx", "nowhere.onnx", "text.safetensors", "other.safetensors", "nowhere.safetensors")
    for wrong in (file, *(tmp_path / name for name in names)):
        with pytest.raises(BadArguments, match=r"^\S+ is no weights to begin with: .* → Name .* training\.$"):
            begin_with(RefineNetwork(), wrong, drawn(VIEWS, 0))
