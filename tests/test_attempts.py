"""Stage 3: the ways in which a page is tried to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from revista.images import read_image
from revista.programs import tesseract
from revista.programs.tesseract import Row

from .test_text import picture, read, row, said, sheet, write

PLATE = (100, 100, 1140, 900)
FRAMED = [("El", 300), ("equ", 340), ("ipo", 420)]  # as Tesseract reads it below frames that it takes for columns
WHOLE = [("El", 300), ("equipo", 340), ("vencedor.", 480)]


def rows(words: list[tuple[str, int]], top: int, confidence: float, line: int) -> list[Row]:
    """Words of one line."""
    return [row(said, left, top, line, confidence, 24) for said, left in words]


@pytest.mark.parametrize("sure", [True, False])
def test_beside_a_large_picture_the_surer_reading_counts_with_it_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sure: bool
) -> None:
    """What is printed in the picture is known from the reading with it alone."""
    canvas = sheet(1240, 1240)
    canvas.paste((60, 60, 60), PLATE)
    write(canvas, ["El equipo vencedor."], 300, 950)

    def answers(image: Path, language: str, psm: int, dpi: int, timeout: float) -> list[Row]:
        if psm != 3:
            return []
        if (read_image(image)[110:890, 110:1130] == 255).all():  # painted over
            return rows(WHOLE, 950, 0.9 if sure else 0.4, 1)
        return rows([("BAZAR", 500)], 400, 0.95, 1) + rows(FRAMED, 950, 0.6, 2)

    monkeypatch.setattr(tesseract, "read_tsv", answers)
    page = read(canvas, tmp_path, picture(*PLATE))
    assert said(page) == ("BAZAR El equipo vencedor." if sure else "BAZAR El equ ipo")
