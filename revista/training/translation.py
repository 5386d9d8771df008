"""Spanish captions to learn from: the English ones through Apertium, with the rules of `revista.spanish`."""

from __future__ import annotations

import csv
from pathlib import Path

from revista.spanish import lines_to_spanish
from revista.training.data import CaptionData
from revista.training.vocabulary import plain

_LINES = 2000  # in one run of Apertium, which takes about two seconds


def translate_captions(data: CaptionData, file: Path, timeout: float = 300) -> int:
    """Write the captions of `data` in Spanish to `file`, in the same form; how many there are.

    Names keep their capitals while they are translated, and are left as they are.
    """
    rows = [(name, n, text) for name, texts in data.texts.items() for n, text in enumerate(texts)]
    beside = file.with_suffix(".part")
    beside.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow(("image", "n", "caption"))
        for start in range(0, len(rows), _LINES):
            part = rows[start : start + _LINES]
            for (name, n, _), made in zip(
                part, lines_to_spanish([_ready(t) for _, _, t in part], timeout), strict=True
            ):
                writer.writerow((name, n, made.text.replace("\t", " ") or "."))
    beside.replace(file)
    return len(rows)


def _ready(caption: str) -> str:
    """The caption as `plain` gives it, but with the capitals of names."""
    words, low = caption.split(), plain(caption)
    capitals = {word.lower(): word for word in words[1:] if word[:1].isupper() and word[1:].islower()}
    return " ".join(capitals.get(word, word) for word in low.split())
