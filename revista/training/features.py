"""What the frozen encoder makes of each picture, kept: the text sides learn from that, many times faster.

Halftone screens are taken out before, as `captions.blip` does it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from revista.compact.encoder import FEATURES, SIDE, Encoder, fused
from revista.errors import MissingWeights
from revista.screens import descreened
from revista.store import sha256_of
from revista.training import loop
from revista.training.data import CaptionData, random_view, squeeze
from revista.training.kinds import DRAWN, draw
from revista.training.magazine import halftone_grey, magazine_look

PLACES = 49
STEP = 6 / 255  # maps end at 6.0 (ReLU6) and are kept as bytes
BATCH = 50


@dataclass(frozen=True)
class Features:
    """Maps of a split's pictures: (pictures, views, 1280, 49) uint8, in steps of 6/255."""

    names: tuple[str, ...]
    maps: np.ndarray

    def take(self, pictures: Sequence[int] | np.ndarray, views: Sequence[int] | np.ndarray | int) -> torch.Tensor:
        """The maps of these pictures in these views, (n, 1280, 7, 7) in 32-bit floats."""
        found = torch.from_numpy(np.ascontiguousarray(self.maps[pictures, views]))
        return (found.float() * STEP).unflatten(2, (7, 7))


def load_encoder(file: Path, expansion: int = 8) -> Encoder:
    """The encoder whose weights `revista train encoder` wrote.

    Raises:
        MissingWeights: there is no such file, or it holds another network.
    """
    encoder = Encoder(expansion)
    try:
        encoder.load_state_dict(load_file(file))
    except (OSError, RuntimeError) as error:
        raise MissingWeights(f"{file}: no encoder: {error}", "Train one first: revista train encoder") from error
    return encoder.eval()


def training_view(image: np.ndarray, view: int, rng: np.random.Generator) -> np.ndarray:
    """View 0 is the whole picture, view 1 most of it, perhaps mirrored; further ones look printed."""
    if view == 0:
        return squeeze(image)
    seen = random_view(image, rng, smallest=0.6)
    return seen if view == 1 else magazine_look(seen, rng)


def held_out_view(image: np.ndarray, view: int, seed: int) -> np.ndarray:
    """View 0 is the whole picture, view 1 its halftone print."""
    return squeeze(image) if view == 0 else halftone_grey(squeeze(image), seed)


def look(
    weights: Path, encoder: Encoder, data: CaptionData, split: str, views: int, seed: int, device: str
) -> Features:
    """The maps of a split's pictures; kept beside the encoder's weights, and taken from there the next time.

    Args:
        weights: the encoder's file; its sha256 is part of the name under which the maps are kept.
        encoder: what it holds.
        data: pictures.
        split: its name; only of `train` the views are drawn by chance.
        views: how many of each picture.
        seed: what chance there is.
        device: a torch device.
    """
    names = tuple(data.names(split))

    def view(image: np.ndarray, number: int, kind: int) -> np.ndarray:
        if split == "train":
            return training_view(image, kind, np.random.default_rng((seed, number, kind)))
        return held_out_view(image, kind, number)

    return _look(weights, encoder, data, names, views, f"{split} {seed}", view, device)


def look_at_drawn(weights: Path, encoder: Encoder, data: CaptionData, count: int, seed: int, device: str) -> Features:
    """The maps of pictures drawn after the first `count` photographs to learn from; a view for each kind in `DRAWN`."""
    names = tuple(data.names("train")[:count])

    def view(image: np.ndarray, number: int, kind: int) -> np.ndarray:
        return draw(DRAWN[kind], image, np.random.default_rng((seed, 7, number, kind)))

    return _look(weights, encoder, data, names, len(DRAWN), f"drawn {seed}", view, device)


def _look(
    weights: Path,
    encoder: Encoder,
    data: CaptionData,
    names: tuple[str, ...],
    views: int,
    what: str,
    view: Callable[[np.ndarray, int, int], np.ndarray],
    device: str,
) -> Features:
    """The maps of `view(image, its number, number of the view)` for all pictures `names`."""
    of = hashlib.sha256(
        f"{sha256_of(weights)} {data.images.resolve()} {names} {views} {what} descreened".encode()
    ).hexdigest()
    file = weights.with_name(f"maps-{what.partition(' ')[0]}-{of[:16]}.npy")
    if file.exists():
        return Features(names, np.lib.format.open_memmap(file, mode="r"))
    beside = file.with_suffix(".part")
    shape = (len(names), views, FEATURES, PLACES)
    maps = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
    encoder = fused(encoder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for start in range(0, len(names), BATCH):
        images = [data.read(name) for name in names[start : start + BATCH]]
        for number in range(views):
            shown = np.stack([descreened(view(image, start + i, number), SIDE) for i, image in enumerate(images)])
            pixels = torch.from_numpy(shown).to(device).float().div(127.5).sub(1).permute(0, 3, 1, 2)
            with torch.inference_mode(), loop.precision(device, "auto"):
                made = encoder(pixels).float().flatten(2).cpu()
            maps[start : start + len(images), number] = (made / STEP).round().to(torch.uint8).numpy()
    maps.flush()
    beside.replace(file)
    return Features(names, np.lib.format.open_memmap(file, mode="r"))
