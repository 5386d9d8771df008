"""Pictures whose kind is known, to teach the dual encoder the kinds of `revista.ranking.kinds`.

The photographs' kinds are read off their captions: a kind counts where most captions speak of it. There are no
drawings, advertisements and ornaments among them: those are drawn here, from photographs or from nothing. They are
crude; the model card says how far they carry on real ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np

from revista.records import Kind
from revista.training.data import SIDE, random_view, squeeze

DRAWN = (Kind.DRAWING, Kind.CARICATURE, Kind.ADVERTISEMENT, Kind.ORNAMENT)

_PEOPLE = (
    r"\b(man|men|woman|women|boys?|girls?|child|children|person|people|kids?|lady|guy|players?|baby|toddler|couple)\b"
)
_RULES: tuple[tuple[Kind, str], ...] = (
    (Kind.ARTWORK, r"\b(statue|sculpture|painting|mural|graffiti)\b"),
    (Kind.PORTRAIT, r"\b(face|close ?-?up|portrait|smil\w+ (at|for) the camera|mak\w+ a face)\b"),
    (
        Kind.GROUP,
        r"\b(group|crowd|team|band|many people|several (people|men|women|children)"
        r"|(four|five|six) \w*\s?(people|men|women|children|boys|girls|kids))\b",
    ),
    (Kind.VEHICLE, r"\b(car|truck|bus|train|motorcycles?|motorbike|boat|ship|airplane|plane|jeep|race ?car|van)\b"),
    (Kind.INTERIOR, r"\b(kitchen|bedroom|living room|sofa|couch|bed|restaurant|indoors|office|room)\b"),
    (Kind.ANIMAL, r"\b(dogs?|horses?|birds?|cats?|cows?|puppy|bull|greyhounds?|elephant|sheep)\b"),
    (Kind.BUILDING, r"\b(building|house|church|tower|castle|temple|skyscraper|storefront)\b"),
    (Kind.PEOPLE, _PEOPLE),
)


def kind_of(captions: Sequence[str]) -> Kind | None:
    """The kind of a photograph of which most captions say the same; None where they do not."""
    low = [caption.lower() for caption in captions]
    most = len(low) // 2 + 1
    for kind, words in _RULES:
        if sum(bool(re.search(words, caption)) for caption in low) >= most:
            return kind
    if not any(re.search(_PEOPLE, caption) for caption in low) and any(
        re.search(r"\b(mountains?|beach|field|lake|ocean|river|forest|sky|sunset|landscape|waterfall|cliff)\b", caption)
        for caption in low
    ):
        return Kind.LANDSCAPE
    return None


def drawing(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photograph as a drawing in lines, with or without hatched shadows; (224, 224, 3) uint8."""
    view = random_view(image, rng, smallest=0.3)
    grey = cv2.bilateralFilter(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), 7, 50, 7)
    size = int(rng.choice([7, 9, 11, 15]))
    lines = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, size, float(rng.uniform(3, 9))
    )
    if rng.random() < 0.6:
        y, x = np.mgrid[:SIDE, :SIDE]
        period, slope = int(rng.integers(3, 7)), float(rng.uniform(-1.5, 1.5))
        hatch = (y + slope * x) % period < 1.3
        lines = np.where(hatch & (grey < rng.uniform(50, 120)), 0, lines).astype(np.uint8)
    if rng.random() < 0.25:  # blotted out to the paper towards the border, as vignettes are
        y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
        lines = np.where(x**2 + y**2 > rng.uniform(0.12, 0.22), 255, lines).astype(np.uint8)
    return _on_paper(lines, rng)


def caricature(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photograph of a person as a few bold lines, bulged about its middle; (224, 224, 3) uint8."""
    view = random_view(image, rng, smallest=0.3)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE - 0.5
    cx, cy = rng.uniform(-0.12, 0.12, 2)
    radius = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
    pull = 1 - rng.uniform(0.4, 0.7) * np.exp(-((radius / 0.25) ** 2))
    map_x = ((cx + (x - cx) * pull + 0.5) * SIDE).astype(np.float32)
    map_y = ((cy + (y - cy) * pull + 0.5) * SIDE).astype(np.float32)
    grey = cv2.cvtColor(cv2.remap(view, map_x, map_y, cv2.INTER_LINEAR), cv2.COLOR_RGB2GRAY)
    grey = cv2.medianBlur(cv2.bilateralFilter(grey, 9, 80, 9), 7)
    lines = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 15, 5)
    lines = cv2.erode(cv2.medianBlur(lines, 5), np.ones((2, 2), np.uint8))
    return _on_paper(lines, rng)


_FONTS = (
    *(cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX),
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_SYLLABLES = ("la", "ro", "ca", "mel", "tin", "os", "ca", "sa", "de", "pa", "ris", "ha", "ba", "na", "ex", "qui", "to")


def advertisement(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Large letters, small ones and perhaps a picture within a border; (224, 224, 3) uint8."""
    sheet = np.full((SIDE, SIDE), 255, np.uint8)
    if rng.random() < 0.7:
        edge = int(rng.integers(2, 10))
        cv2.rectangle(sheet, (edge, edge), (SIDE - edge, SIDE - edge), 0, int(rng.integers(1, 5)))
    top = 14
    if rng.random() < 0.6:
        height, width = int(rng.integers(60, 120)), int(rng.integers(70, 180))
        picture = drawing(image, rng) if rng.random() < 0.6 else squeeze(image)
        left, place = int(rng.integers(14, SIDE - 14 - width)), int(rng.integers(14, SIDE - 14 - height))
        small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA)
        sheet[place : place + height, left : left + width] = small
        top = 14 if place > 60 else place + height + 6
    while top < SIDE - 16:
        large = rng.random() < 0.4
        scale = rng.uniform(0.7, 1.6) if large else rng.uniform(0.28, 0.45)
        text = "".join(rng.choice(_SYLLABLES) for _ in range(int(rng.integers(2, 5) if large else rng.integers(8, 18))))
        text = text.upper() if large and rng.random() < 0.7 else text.capitalize()
        font = int(rng.choice(_FONTS))
        (width, height), _ = cv2.getTextSize(text, font, scale, 1)
        left = max(10, (SIDE - width) // 2) if rng.random() < 0.8 else 12
        cv2.putText(
            sheet, text, (left, top + height), font, scale, 0, int(rng.integers(1, 4)) if large else 1, cv2.LINE_AA
        )
        top += height + int(rng.integers(5, 16))
    if rng.random() < 0.15:
        sheet = 255 - sheet
    return _on_paper(sheet, rng)


def ornament(rng: np.random.Generator) -> np.ndarray:
    """A rosette, a row of repeated curls or a border, symmetric; (224, 224, 3) uint8."""
    part = np.full((SIDE // 2, SIDE // 2), 255, np.uint8)
    for _ in range(int(rng.integers(4, 12))):
        centre = tuple(int(n) for n in rng.integers(0, SIDE // 2, 2))
        axes = tuple(int(n) for n in rng.integers(6, 50, 2))
        begin = int(rng.integers(0, 360))
        thick = -1 if rng.random() < 0.2 else int(rng.integers(1, 5))
        cv2.ellipse(part, centre, axes, int(rng.integers(0, 180)), begin, begin + int(rng.integers(90, 360)), 0, thick)
    style = rng.random()
    if style < 0.5:  # a rosette: mirrored in both directions
        half = np.hstack([part, part[:, ::-1]])
        sheet = np.vstack([half, half[::-1]])
    elif style < 0.8:  # a row of repeated pieces across the sheet
        count = int(rng.integers(3, 7))
        piece = cv2.resize(
            np.hstack([part, part[:, ::-1]]), (SIDE // count, SIDE // count), interpolation=cv2.INTER_AREA
        )
        sheet = np.full((SIDE, SIDE), 255, np.uint8)
        row = np.hstack([piece] * count)
        top = (SIDE - row.shape[0]) // 2
        sheet[top : top + row.shape[0], : row.shape[1]] = row
    else:  # a border about an empty middle
        half = np.hstack([part, part[:, ::-1]])
        sheet = np.vstack([half, half[::-1]])
        edge = int(rng.integers(20, 50))
        sheet[edge:-edge, edge:-edge] = 255
    return _on_paper(sheet, rng)


def draw(kind: Kind, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture of one of the kinds in `DRAWN`, (224, 224, 3) uint8.

    Args:
        kind: which.
        image: a photograph to draw after; an ornament needs none.
        rng: what chance there is.
    """
    if kind is Kind.ORNAMENT:
        return ornament(rng)
    return {Kind.DRAWING: drawing, Kind.CARICATURE: caricature, Kind.ADVERTISEMENT: advertisement}[kind](image, rng)


def _on_paper(sheet: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black on white as a scan shows it: soft, dark grey on toned paper."""
    grey = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.3, 0.9)).astype(np.float32)
    ink, paper = rng.uniform(10, 70), rng.uniform(205, 255)
    rgb = (ink + grey[..., None] / 255 * (paper - ink)) * np.array([1.0, rng.uniform(0.95, 1), rng.uniform(0.85, 1)])
    return np.clip(rgb + rng.normal(0, rng.uniform(0, 5), (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
