"""Learning how a picture is made, photograph, drawing, advertisement or ornament: after all else, in the last layer.

The photographs of generated pages are enlarged from small ones and never quite sharp, so that a network takes what is
sharp for drawn. Here half of the pages are sharpened. Only the last layer's rows of the looks learn: boxes stay as
they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from revista.regions.decoding import LOOK_LOGITS, LOOKS
from revista.training.regions_data import Sample
from revista.training.regions_network import PageNetwork, pixels_of, things

_RATE = 3e-3


def learn_looks(model: PageNetwork, drawn: Iterator[list[Sample]], steps: int, seed: int, device: str) -> None:
    """Learn `steps` batches of `drawn`, whose pictures all have their true looks; `model` is changed in place."""
    model.eval()
    out = model.out
    weight = nn.Parameter(out.weight[LOOK_LOGITS].detach().clone())
    bias = nn.Parameter(out.bias[LOOK_LOGITS].detach().clone())  # type: ignore[index]
    optimiser = torch.optim.Adam([weight, bias], _RATE)
    seen: list[torch.Tensor] = []
    hook = out.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    for number, samples in enumerate(islice(drawn, steps)):
        rng = np.random.default_rng((seed, number))
        images = [sharpened(s.image, rng) if rng.random() < 0.5 else s.image for s in samples]
        with torch.no_grad():
            model(pixels_of(images).to(device))
        made = functional.conv2d(seen.pop(), weight, bias)
        wanted = torch.from_numpy(np.stack([looks_of(s) for s in samples])).to(device)
        loss = functional.cross_entropy(made, wanted, ignore_index=-1)
        optimiser.zero_grad()
        if loss.isfinite():  # there are pictures among the samples
            loss.backward()
            optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = _RATE * (1 - number / steps)
    hook.remove()
    with torch.no_grad():
        out.weight[LOOK_LOGITS] = weight
        out.bias[LOOK_LOGITS] = bias  # type: ignore[index]


def sharpened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image with its edges raised, by chance more or less, (height, width, 3) uint8."""
    whole = image.astype(np.float32)
    blurred = cv2.GaussianBlur(whole, (0, 0), rng.uniform(0.6, 1.5))
    return np.clip(whole + rng.uniform(0.5, 2.5) * (whole - blurred), 0, 255).astype(np.uint8)


def looks_of(sample: Sample) -> np.ndarray:
    """The place in LOOKS of the picture that each cell lies in, -1 where none is: (rows, columns) int64."""
    x, _, on_page = things(sample)
    found = np.full(x.shape, -1, np.int64)
    for name, _, within in on_page:
        if name != "part":
            found[within] = LOOKS.index(name) if name in LOOKS else -1
    return found
