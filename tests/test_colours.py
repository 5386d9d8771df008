"""No colours are claimed of pictures without colour."""

from __future__ import annotations

import numpy as np
import pytest

from revista.captions.colours import has_colour, without_colours
from revista.records import Candidate


def said(text: str, language: str = "en") -> Candidate:
    return Candidate.model_validate({"text": text, "language": language, "source": "captioner"})


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("en", "a man in a red shirt is sitting on a bench", "a man in a shirt is sitting on a bench"),
        ("en", "a girl in a red and blue dress", "a girl in a dress"),
        ("en", "a brown and white dog", "a white dog"),
        ("en", "a black and white dog in a covered wagon", "a black and white dog in a covered wagon"),
        ("es", "un hombre con una camisa roja y azul", "un hombre con una camisa"),
        ("es", "dos perros negros en la rosaleda", "dos perros negros en la rosaleda"),
    ],
)
def test_colours_are_left_out(language: str, text: str, left: str) -> None:
    assert [one.text for one in without_colours((said(text, language),))] == [left]


def test_what_is_then_the_same_is_said_once() -> None:
    found = without_colours((said("a man in a red shirt"), said("a man in a blue shirt"), said("a dog")))
    assert [one.text for one in found] == ["a man in a shirt", "a dog"]


def test_yellow_paper_is_no_colour() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (90, 70, 1)).repeat(3, axis=2).astype(np.float32)
    paper = (grey * np.array([1.0, 0.95, 0.82])).astype(np.uint8)
    assert not has_colour(grey.astype(np.uint8)) and not has_colour(paper)
    paper[:40, :40] = (200, 30, 30)
    assert has_colour(paper)
