"""How often the ranker tells the right kind of picture: `python benchmarks/kinds.py ../shared`.

On development pictures of Flickr8k, whose kind most of their captions say (all photographs), and on real prints in
`pages/`: album photographs of 1914-19 against drawings and engravings. Also how the share of right answers grows with
the threshold below which a kind is uncertain: the setting `ranking.min_kind_probability` was chosen by this table.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from revista import ranking
from revista.errors import ModelError
from revista.images import read_image
from revista.ranking import RankingRequest
from revista.ranking.kinds import TEXTS, judge, probabilities
from revista.records import Kind, PictureKind
from revista.settings import Settings

PHOTOGRAPHS = frozenset(Kind) - {
    *(Kind.DRAWING, Kind.CARICATURE, Kind.ORNAMENT, Kind.ADVERTISEMENT, Kind.UNCERTAIN, Kind.ARTWORK)
}
DRAWN = frozenset({Kind.DRAWING, Kind.CARICATURE, Kind.ORNAMENT})
THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def kinds(pictures: list[np.ndarray], settings: Settings) -> list[PictureKind]:
    """The guess for each picture, however unsure."""
    ranker = ranking.load(settings.ranking, settings.run.device)
    found = []
    for result in ranker.predict([RankingRequest(picture, TEXTS) for picture in pictures]):
        if isinstance(result, ModelError):
            raise result
        found.append(judge(probabilities(result.similarities, ranker.scale), 0.0))
    return found


def table(title: str, right: list[bool], guesses: list[PictureKind]) -> None:
    """Print how many guesses are certain at each threshold, and how many of those are right."""
    print(f"{title}: {len(right)} pictures")
    for least in THRESHOLDS:
        sure = [good for good, guess in zip(right, guesses, strict=True) if guess.confidence >= least]
        share = f"{np.mean(sure):.1%} right" if sure else "none"
        print(f"  from {least:.1f}: {len(sure) / len(right):6.1%} told, {share}")


def main(shared: Path) -> None:
    """Print the tables."""
    from revista.training.data import open_data
    from revista.training.kinds import kind_of

    settings = Settings()
    if not (shared / "captions").is_dir() or settings.ranking.model is None:
        print("kinds: skipped, there are no pictures in ../shared or no ranker in the settings")
        return
    data = open_data(shared / "captions")
    known = [(name, kind) for name in data.names("dev") if (kind := kind_of(data.texts[name]))]
    guesses = kinds([data.read(name) for name, _ in known], settings)
    table(
        "Flickr8k dev, kind by captions", [g.likeliest is k for g, (_, k) in zip(guesses, known, strict=True)], guesses
    )
    for kind, count in Counter(kind for _, kind in known).most_common():
        own = [guess.likeliest for guess, (_, k) in zip(guesses, known, strict=True) if k is kind]
        told = ", ".join(f"{name.value} {n}" for name, n in Counter(own).most_common(4))
        print(f"    {kind.value} ({count}): {told}")
    pictures, drawn = [], []
    for page in json.loads((shared / "pages" / "index.json").read_text("utf-8")):
        folder = page["file"].partition("/")[0]
        if folder not in ("gallica_photo", "gallica_dessins", "moreno") or not page["illustrations"]:
            continue
        image = read_image(shared / "pages" / page["file"])
        for one in page["illustrations"]:
            left, top, right, bottom = (max(0, round(n)) for n in one["bbox_xyxy"])
            if right - left > 40 and bottom - top > 40:
                pictures.append(image[top:bottom, left:right])
                drawn.append(folder != "gallica_photo")
    guesses = kinds(pictures, settings)
    good = [g.likeliest in (DRAWN if d else PHOTOGRAPHS) for g, d in zip(guesses, drawn, strict=True)]
    for title, wanted in (("album photographs: a photograph", False), ("drawings and engravings: drawn", True)):
        rows = [i for i, d in enumerate(drawn) if d == wanted]
        table(title, [good[i] for i in rows], [guesses[i] for i in rows])
        print("   ", ", ".join(f"{k.value} {n}" for k, n in Counter(guesses[i].likeliest for i in rows).most_common()))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared"))
