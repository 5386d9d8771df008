"""Pages to learn regions from: generated ones, kept on disk once made, and real ones with their pictures marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np

from revista.evaluation.index import IndexPage
from revista.images import read_image
from revista.regions.paper import scale_to
from revista.training import pages
from revista.training.pages import PICTURES
from revista.training.pages.pictures import Photographs
from revista.training.regions_config import RegionsConfig

KINDS = (*PICTURES, "part", "caption", "title", "text", "furniture")
"""What an item can be; the first four are pictures."""

SMALL, LARGE = (320, 256), (384, 320)
"""Height and width of what is learnt from, in pixels; or width and height."""

CHECK_SEED = 7_000  # of the generated pages that are only measured on
FIT_SEED = 7_001  # of those that the confidence is fitted to
STORED = 720  # pixels of the longer side of a page on disk


@dataclass(frozen=True)
class Sample:
    """A page to learn from: (height, width, 3) uint8 RGB, (n, 4) corners in its pixels, (n,) places in `KINDS`."""

    image: np.ndarray
    boxes: np.ndarray
    kinds: np.ndarray
    complete: bool  # whether print is listed too; else only pictures are


def pictures_of(sample: Sample) -> np.ndarray:
    """The true boxes (n, 4) of its pictures."""
    return sample.boxes[[KINDS[k] in PICTURES for k in sample.kinds]]


def generated(number: int, seed: int, source: Photographs, folder: Path) -> Sample:
    """Generated page `number` of a `seed`, from `folder` where it has been made before."""
    file = folder / f"{seed}_{number:06d}.npz"
    data, boxes, kinds = kept(file, ("image", "boxes", "kinds"), lambda: _make(number, seed, source))
    return Sample(cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), boxes, kinds, True)


def kept(file: Path, names: Sequence[str], make: Callable[[], Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The arrays of these names in a file; made, and written to it, where it is not there or not whole."""
    try:
        with np.load(file) as found:
            return [found[name] for name in names]
    except (OSError, ValueError, KeyError, BadZipFile):  # not made yet, or cut off while it was written
        made = list(make())
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part.npz")
        arrays: dict[str, Any] = dict(zip(names, made, strict=True))
        np.savez(beside, **arrays)
        beside.replace(file)
        return made


def whole(number: int, seed: int, source: Photographs) -> Sample:
    """The same page at the size of its scan, made anew."""
    scan, items = pages.page(seed * 1_000_003 + number, source)
    boxes = np.array([item.box for item in items], np.float32).reshape(-1, 4)
    return Sample(scan, boxes, np.array([KINDS.index(item.kind) for item in items], np.int64), True)


def _make(number: int, seed: int, source: Photographs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    page = whole(number, seed, source)
    small, factor = scale_to(page.image, STORED, most=1.0)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return data, page.boxes * factor, page.kinds


def real(entries: Sequence[IndexPage]) -> list[Sample]:
    """The pages of an index as samples; images only, no PDFs."""
    found = []
    for entry in entries:
        whole = read_image(entry.file)
        small, factor = scale_to(whole, STORED, most=1.0)
        boxes = np.array(entry.true_boxes(whole.shape[1], whole.shape[0]), np.float32).reshape(-1, 4) * factor
        kind = "photograph" if "photo" in entry.source else "drawing"
        found.append(Sample(small, boxes, np.full(len(boxes), KINDS.index(kind), np.int64), False))
    return found


def shown(sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> Sample:
    """The sample as it is learnt from: scaled, shifted, perhaps mirrored, in other tones, on (height, width) pixels."""
    height, width = size
    image, boxes = sample.image, sample.boxes.copy()
    factor = min(height / image.shape[0], width / image.shape[1]) * float(np.exp(rng.uniform(-0.25, 0.12)))
    aspect = float(np.exp(rng.uniform(-0.08, 0.08)))
    across, down = factor * aspect, factor / aspect
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image = cv2.resize(
        image, (max(8, round(image.shape[1] * across)), max(8, round(image.shape[0] * down))), interpolation=way
    )
    boxes *= (across, down, across, down)
    if rng.random() < 0.3:
        image = np.ascontiguousarray(image[:, ::-1])
        boxes = np.stack([image.shape[1] - boxes[:, 2], boxes[:, 1], image.shape[1] - boxes[:, 0], boxes[:, 3]], axis=1)
    left = round(rng.uniform(0, 1) * (width - image.shape[1]))
    top = round(rng.uniform(0, 1) * (height - image.shape[0]))
    turn = np.array([[1, 0, left], [0, 1, top]], np.float32)
    edge = tuple(int(v) for v in np.median(image[:: image.shape[0] - 1].reshape(-1, 3), axis=0))
    canvas = cv2.warpAffine(image, turn, (width, height), borderValue=edge)
    if rng.random() < 0.7:
        tones = 255 * (np.arange(256) / 255) ** float(np.exp(rng.uniform(-0.4, 0.4)))
        tones = np.clip((tones - 128) * rng.uniform(0.7, 1.15) + 128 + rng.uniform(-20, 20), 0, 255)
        canvas = cv2.LUT(canvas, tones.astype(np.uint8))
    if rng.random() < 0.25:
        canvas = _labelled(canvas, rng)
    boxes = boxes + np.array([left, top, left, top], np.float32)
    inside = np.clip(boxes, 0, (width, height, width, height))
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    seen = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])
    keep = seen > 0.4 * np.maximum(area, 1e-6)
    return Sample(canvas, inside[keep].astype(np.float32), sample.kinds[keep], sample.complete)


def _labelled(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A page over which somebody has written or painted: a file's name, a stamp's blot. That is no picture."""
    page = np.ascontiguousarray(page)
    height, width = page.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        tone = (int(rng.choice([20, 150, 200, 245])),) * 3
        x, y = int(rng.uniform(-0.1, 0.8) * width), int(rng.choice([0.03, 0.06, rng.uniform(0, 1)]) * height)
        if rng.random() < 0.6:
            text = "".join(rng.choice(list("abcehimnostu_0123456789 "), int(rng.integers(8, 40))))
            face = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
            cv2.putText(
                page, text, (x, y), face, float(rng.uniform(0.3, 0.8)), tone, int(rng.integers(1, 3)), cv2.LINE_AA
            )
        else:  # what stood there was painted over with the tone around it
            w, h = int(rng.uniform(0.05, 0.3) * width), int(rng.uniform(0.01, 0.04) * height)
            x, y = min(max(x, 0), width - 2), min(max(y, 0), height - 2)
            patch = page[y : y + h + 1, x : x + w + 1]
            patch[:] = cv2.GaussianBlur(patch, (0, 0), 6)
    return page


def batches(
    config: RegionsConfig, source: Photographs, folder: Path, own: Sequence[Sample], begin: int
) -> Iterator[list[Sample]]:
    """Endless batches from batch `begin` on, each drawn from the seed and its number alone.

    Args:
        config: how many pages, samples and small batches.
        source: photographs for the pages.
        folder: where made pages are kept.
        own: real samples.
        begin: the first batch.
    """
    number = begin
    while True:
        rng = np.random.default_rng((config.seed, number))
        high, wide = SMALL if number < config.small_steps else LARGE
        size = (high, wide) if rng.random() < 0.8 else (wide, high)
        found = []
        for _ in range(config.batch):
            if own and rng.random() < config.real:
                sample = own[int(rng.integers(len(own)))]
            else:
                sample = generated(int(rng.integers(config.pages)), config.seed, source, folder)
            found.append(shown(sample, size, rng))
        yield found
        number += 1
