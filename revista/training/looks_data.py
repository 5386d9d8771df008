"""Pictures to learn looks from: printed by themselves, cut out of generated pages, and cut out of real ones.

The photographs of generated pages are enlarged from small ones and soft, the drawings black and hard; a network that
sees only these takes a sharp photograph for drawn and a wash for a photograph. So single pictures are printed here as
well: small enough for a photograph to be as sharp as it is, or with its edges made hard again; with hard tones and
coarse screens; drawings with washes; all of them by the same treatments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from revista.evaluation.index import IndexPage, boxes_by_index
from revista.geometry import Box
from revista.images import read_image
from revista.records import Kind, Look
from revista.regions.decoding import LOOKS
from revista.training import kinds
from revista.training.data import random_view
from revista.training.pages import PICTURES, collages, parts, pictures
from revista.training.pages.ageing import aged
from revista.training.pages.canvas import Canvas, ItemKind
from revista.training.pages.parts import Press
from revista.training.pages.pictures import Photographs
from revista.training.pages.words import Words
from revista.training.regions_data import KINDS, generated

_SHARES = {Look.PHOTOGRAPH: 0.42, Look.DRAWING: 0.3, Look.ADVERTISEMENT: 0.14, Look.ORNAMENT: 0.14}
_NAMES: dict[Look, ItemKind] = {
    Look.PHOTOGRAPH: "photograph",
    Look.DRAWING: "drawing",
    Look.ORNAMENT: "ornament",
}
_LOOSE = 0.04  # of its sides: how far a found box may be from the true one
_TECHNIQUES = {"photographie": Look.PHOTOGRAPH} | dict.fromkeys(
    ("dessin", "carte", "plan", "schema", "moreno"), Look.DRAWING
)
"""Looks by what Gallica calls a picture's technique; the chapbooks of Moreno, which say nothing, have woodcuts."""
_AROUND = 0.08  # of its longer side: what is kept around a picture
_REAL_VIEWS = 16  # of each real picture


class Picture(NamedTuple):
    """A picture to learn from."""

    page: np.ndarray  # (height, width, 3) uint8 RGB: what it was cut out of, at least a little around it
    box: Box  # where it is there
    look: Look


def printed(seed: int, source: Photographs) -> Picture:
    """A single picture, printed and scanned; the same seed gives the same one."""
    rng = np.random.default_rng((seed, 1917))
    look = LOOKS[int(rng.choice(len(LOOKS), p=[_SHARES[look] for look in LOOKS]))]
    longer, ratio = float(np.exp(rng.uniform(np.log(90), np.log(900)))), float(np.exp(rng.uniform(-0.6, 0.6)))
    if rng.random() < 0.2:
        ratio = 1.0
    width, height = round(longer * min(1, ratio)), round(longer * min(1, 1 / ratio))
    if look is Look.ORNAMENT:
        height = max(40, round(width * rng.uniform(0.2, 1.0)))
    edge = max(6, round(0.08 * longer))
    canvas = Canvas(width + 2 * edge, height + 2 * edge, rng)
    place = Box(edge, edge, edge + width, edge + height)
    if look is Look.ADVERTISEMENT:
        canvas = Canvas(canvas.width, round(canvas.height * rng.uniform(1.0, 2.5)), rng)
    size = rng.uniform(9.5, 16)
    press = Press(canvas, Words(rng), source, rng, size, size * 1.2, bool(rng.random() < 0.4))
    washed = look is Look.DRAWING and rng.random() < 0.15
    ink, box, tint = _wash(press, place) if washed else (*_composed(press, look, place), None)
    if look in (Look.PHOTOGRAPH, Look.DRAWING):
        ink = _treated(ink, box, rng)
    scan, (found,) = aged(ink, [box], rng, low=True)
    if tint is not None:
        factors = cv2.resize(tint, (scan.shape[1], scan.shape[0]))
        scan = np.clip(scan * factors, 0, 255).astype(np.uint8)
    return _found(scan, found, look, rng)


def clean(seed: int, source: Photographs) -> Picture:
    """A picture that no press has been at: a photograph in one colour, full of contrast, or what is drawn after one."""
    rng = np.random.default_rng((seed, 1919))
    way = rng.random()
    if way < 0.55:
        image = _toned(random_view(source(rng), rng, smallest=0.15), rng)
        look = Look.PHOTOGRAPH
    elif way < 0.65:
        width, height = (int(side) for side in rng.integers(80, 500, 2))
        grey = pictures.drawing(source, width, height, rng)
        image, look = _toned(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), rng), Look.DRAWING
    else:
        kind = kinds.DRAWN[int(rng.choice(len(kinds.DRAWN), p=(0.5, 0.2, 0.15, 0.15)))]
        image = kinds.draw(kind, source(rng), rng)
        look = Look.DRAWING if kind is Kind.CARICATURE else Look(kind.value)
    height, width = image.shape[:2]
    stretch = float(np.exp(rng.uniform(-0.25, 0.25)))
    box = Box(0, 0, max(60, round(width * stretch)), max(60, round(height / stretch)))
    image = cv2.resize(image, (box.width, box.height), interpolation=cv2.INTER_LINEAR)
    return _found(image, box, look, rng)


def _toned(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture (height, width, 3) uint8 in one colour, its tones stretched to black and white, or nearly."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = np.quantile(grey, (rng.uniform(0, 0.05), rng.uniform(0.9, 1.0)))
    depth = np.clip((grey - low) / max(1.0, high - low), 0, 1) ** rng.uniform(0.6, 1.6)
    ink, paper = rng.uniform(0, 70, 3), rng.uniform(185, 255) * np.array([1, rng.uniform(0.9, 1), rng.uniform(0.7, 1)])
    return np.clip(ink + depth[..., None] * (paper - ink), 0, 255).astype(np.uint8)


def _composed(press: Press, look: Look, place: Box) -> tuple[np.ndarray, Box]:
    """The ink of a sheet with one picture on it, and the picture's box."""
    canvas = press.canvas
    if look is Look.ADVERTISEMENT:
        parts.notice(press, place, True, press.chance(0.6))
    elif look is Look.PHOTOGRAPH and press.chance(0.1):
        collages.collage(press, place)
    elif look is Look.ORNAMENT and press.chance(0.5):
        made = cv2.cvtColor(kinds.ornament(press.rng), cv2.COLOR_RGB2GRAY)
        canvas.paste(cv2.resize(made, (place.width, place.height), interpolation=cv2.INTER_AREA), place.left, place.top)
        canvas.add("ornament", place)
    else:
        parts.picture(press, place, (_NAMES[look],))
    found = [item.box for item in canvas.items if item.kind == look.value]
    return canvas.array(), found[0] if found else place


def _wash(press: Press, place: Box) -> tuple[np.ndarray, Box, np.ndarray]:
    """A drawing in washes, with lines of a pen or pencil: a few flat tones, fading into the paper, perhaps coloured.

    Returns:
        The sheet's ink, the drawing's box, and by what the colours (height, width, 3) of the scan are multiplied.
    """
    rng, canvas = press.rng, press.canvas
    image = press.source(rng)
    colours = cv2.resize(image, (place.width, place.height), interpolation=cv2.INTER_LINEAR)
    for _ in range(3):
        colours = cv2.bilateralFilter(colours, 7, rng.uniform(30, 80), 5)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    steps = int(rng.integers(3, 9))
    flat: np.ndarray = np.floor(grey / 256 * steps) / (steps - 1)
    flat = cv2.GaussianBlur(flat.astype(np.float32), (0, 0), rng.uniform(0.5, 2.5))
    light = rng.uniform(0.35, 0.75)
    tones = 255 * (1 - (1 - flat) * (1 - light))
    block = 2 * int(rng.integers(3, 9)) + 1
    lines = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, block, rng.uniform(2, 7)
    )
    depth = rng.uniform(0.2, 1.0)
    inked: np.ndarray = 255 - np.clip(tones - depth * (255.0 - cv2.GaussianBlur(lines, (0, 0), 0.6)), 0, 255)
    if rng.random() < 0.8:
        inked = inked * (pictures.blot(place.width, place.height, rng) / 255.0)
    made = 255 - inked
    canvas.paste(made.astype(np.uint8), place.left, place.top)
    tint = np.ones((canvas.height, canvas.width, 3), np.float32)
    if rng.random() < 0.7:
        soft = cv2.GaussianBlur(colours.astype(np.float32), (0, 0), 3) + 40
        tint[place.top : place.bottom, place.left : place.right] = (soft / soft.mean(axis=2, keepdims=True)) ** (
            rng.uniform(0.3, 1.2)
        )
    return canvas.array(), place, tint


def _treated(ink: np.ndarray, box: Box, rng: np.random.Generator) -> np.ndarray:
    """The sheet with its picture printed in another way: edges hard, tones hard, a coarse screen, each in some."""
    inside = box.clip(ink.shape[1], ink.shape[0])
    made = ink.copy()
    part = made[inside.top : inside.bottom, inside.left : inside.right]
    if rng.random() < 0.35:
        part = hardened(part, round(max(part.shape) / rng.uniform(150, 500)))
    if rng.random() < 0.3:
        soft = cv2.GaussianBlur(part, (0, 0), rng.uniform(0.7, 3.0)).astype(np.float32)
        part = np.clip(part + rng.uniform(0.5, 2.5) * (part - soft), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        middle, steep = float(np.quantile(part, rng.uniform(0.3, 0.6))), rng.uniform(1.2, 2.5)
        tones = np.clip((np.arange(256) - middle) * steep + 128, 0, 255)
        part = cv2.LUT(part, tones.astype(np.uint8))
    if rng.random() < 0.25:
        part = np.where(part < 250, pictures.screened(part, rng.uniform(2.5, 8.0), rng), part)
    if rng.random() < 0.25:
        part = np.clip(part + rng.normal(0, rng.uniform(3, 18), part.shape), 0, 255).astype(np.uint8)
    made[inside.top : inside.bottom, inside.left : inside.right] = part
    return made


def hardened(grey: np.ndarray, rounds: int) -> np.ndarray:
    """Grey (height, width) uint8 with hard edges: `rounds` times each pixel takes the nearer extreme around it.

    The toggle mapping of Kramer and Bruckner (1975), "Iterations of a non-linear transformation for enhancement of
    digital images".
    """
    for _ in range(max(1, rounds)):
        low, high = cv2.erode(grey, np.ones((3, 3))), cv2.dilate(grey, np.ones((3, 3)))
        grey = np.where(high - grey < grey - low, high, low)
    return grey


def _found(scan: np.ndarray, box: Box, look: Look, rng: np.random.Generator) -> Picture:
    """The picture in `box` as a detector might find it, at this resolution of the scan or a lower one."""
    loose = rng.uniform(-_LOOSE, _LOOSE, 4) * (box.width, box.height, box.width, box.height)
    found = Box(*(round(edge + away) for edge, away in zip(box, loose, strict=True)))
    found = found.clip(scan.shape[1], scan.shape[0])
    if not found.area:
        found = Box(0, 0, scan.shape[1], scan.shape[0])
    near = found.grow(round(_AROUND * max(found.width, found.height))).clip(scan.shape[1], scan.shape[0])
    part = _scanned(scan[near.top : near.bottom, near.left : near.right], rng)
    inner = Box(found.left - near.left, found.top - near.top, found.right - near.left, found.bottom - near.top)
    if rng.random() < 0.3:
        return Picture(part, inner, look)
    factor = max(float(np.exp(rng.uniform(np.log(0.3), 0.3))), 60 / max(inner.width, inner.height))
    if factor >= 1:
        return Picture(part, inner, look)
    size = max(8, round(part.shape[1] * factor)), max(8, round(part.shape[0] * factor))
    part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (int(edge * factor) for edge in inner)
    return Picture(part, Box(left, top, max(left + 1, right), max(top + 1, bottom)).clip(*size), look)


def _scanned(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What was cut out as a scanner may give it: its edges raised, its contrast, each in a third of the cases."""
    if rng.random() < 0.35:
        soft = cv2.GaussianBlur(part, (0, 0), rng.uniform(0.6, max(1.5, max(part.shape[:2]) / 150)))
        part = cv2.addWeighted(part, 1 + (more := rng.uniform(0.5, 3.0)), soft, -more, 0)
    if rng.random() < 0.35:
        middle, steep = float(np.quantile(part, rng.uniform(0.2, 0.8))), rng.uniform(0.8, 1.8)
        tones = np.clip((np.arange(256) - middle) * steep + rng.uniform(90, 160), 0, 255)
        part = cv2.LUT(np.ascontiguousarray(part), tones.astype(np.uint8))
    return part


def on_pages(count: int, seed: int, source: Photographs, folder: Path) -> Iterator[Picture]:
    """The pictures of the first `count` generated pages of a `seed`."""
    for number in range(count):
        sample = generated(number, seed, source, folder)
        rng = np.random.default_rng((seed, number, 1917))
        for corners, kind in zip(sample.boxes, sample.kinds, strict=True):
            box = Box(*(round(float(edge)) for edge in corners))
            if KINDS[kind] in PICTURES and box.area:
                yield _found(sample.image, box, Look(KINDS[kind]), rng)


def on_real(entries: Sequence[IndexPage], seed: int, times: int = _REAL_VIEWS) -> Iterator[Picture]:
    """The pictures of real pages whose technique is known, each so many times, in other sizes and parts; or once."""
    for number, entry in enumerate(entries):
        whole = read_image(entry.file)
        rng = np.random.default_rng((seed, number, 1918))
        for place, box in boxes_by_index(entry, whole.shape[1], whole.shape[0]).items():
            look = _TECHNIQUES.get(entry.illustrations[place].kind or entry.source)
            if look is None:
                continue
            for _ in range(times):
                yield Picture(whole, box, look) if times == 1 else _found(whole, _part(box, rng), look, rng)


def _part(box: Box, rng: np.random.Generator) -> Box:
    """The box, or a part of it of at least half its sides."""
    if rng.random() < 0.4:
        return box
    width, height = (round(side * rng.uniform(0.5, 1.0)) for side in (box.width, box.height))
    left = box.left + int(rng.integers(0, box.width - width + 1))
    top = box.top + int(rng.integers(0, box.height - height + 1))
    return Box(left, top, left + width, top + height)
