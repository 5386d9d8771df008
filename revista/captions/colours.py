"""Colours that a captioner claims to see in a picture without colour: they are left out.

Captioners learn from colour photographs and name the colours of clothes also where they see a grey print.
"""

from __future__ import annotations

import re

import numpy as np

from revista.records import Candidate

GREY = 12.0  # mean distance of the channels, 0 to 255, below which a picture has no colour once its paper is left out

_COLOURS = {
    "en": r"(?:red|blue|green|yellow|orange|pink|purple|brown|tan|colou?red|colou?rful)",
    "es": r"(?:roj|azul|verde|amarill|naranja|ros|morad|marr[oó]n)(?:o|a|os|as|es|s)?",
}
_CLAIMS = {
    "en": re.compile(
        rf"\b{_COLOURS['en']}(?:(?:,| and|,? or) {_COLOURS['en']})*(?: and(?= (?:white|black|gr[ea]y)))? "
    ),
    "es": re.compile(rf" {_COLOURS['es']}(?:(?:,| y) {_COLOURS['es']})*\b"),
}


def has_colour(image: np.ndarray) -> bool:
    """Whether a picture has colours besides the one tone of its paper.

    Args:
        image: (height, width, 3) uint8, RGB.
    """
    small = image[:: max(1, image.shape[0] // 200), :: max(1, image.shape[1] // 200)].astype(np.float32)
    cast = small.reshape(-1, 3).mean(axis=0)
    grey = small - (cast - cast.mean()) * (small.mean(axis=2, keepdims=True) / max(1.0, float(cast.mean())))
    return float((grey.max(axis=2) - grey.min(axis=2)).mean()) > GREY


def without_colours(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The candidates without their claims of colour; what is then said twice is said once."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        text = " ".join(_CLAIMS[candidate.language].sub("", candidate.text).split())
        found.setdefault(text, candidate.model_copy(update={"text": text}))
    return tuple(found.values())
