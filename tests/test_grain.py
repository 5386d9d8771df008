"""Stage 3: coarse grain of card is no print."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from revista.text.attempts import _ways
from revista.text.preparation import INK, bleach, even_paper

from .test_text import NOTHING, picture, read, said, write

NAMES = {"Carlos Robledal": (300, 1110), "Julia Salvatierra": (1500, 1105)}


def card(grain: float) -> Image.Image:
    """A dark leaf of an album with names below two photographs, and grain of that standard deviation."""
    leaf = Image.new("RGB", (2400, 1700), (112, 104, 88))
    draw = ImageDraw.Draw(leaf)
    for left in (280, 1480):
        draw.rectangle((left, 400, left + 600, 1080), fill=(190, 180, 150))
    for name, (left, top) in NAMES.items():
        write(leaf, [name], left, top, 20)
    noise = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, (1700, 2400)).astype(np.float32), (0, 0), 1.1)
    noise *= grain / noise.std()
    return Image.fromarray(np.clip(np.asarray(leaf) + noise[..., None], 0, 255).astype(np.uint8))


def test_names_on_coarse_card_are_read(tmp_path: Path) -> None:
    both = picture(280, 400, 880, 1080)
    second = picture(1480, 400, 2080, 1080).regions[0].model_copy(update={"id": "0001-r02"})
    page = read(card(3.5), tmp_path, both.model_copy(update={"regions": (*both.regions, second)}))
    assert not page.problems
    for name in NAMES:
        assert name in said(page)


def test_coarse_grain_becomes_white_and_fine_print_stays() -> None:
    """Thousands of pale specks take Tesseract minutes, and then cost the page its print."""
    even = even_paper(np.asarray(card(3.5)))
    way = _ways(even, NOTHING)[0]
    grey = bleach(even, way.greys, way.print_alone)
    assert (grey < 255).mean() < 0.05
    assert (grey[1110:1135, 300:450] < INK).mean() > 0.1
