"""A picture captioned and ranked by the compact models, against a page read by Tesseract: `python benchmarks/eyes.py`.

Also what it costs to load both models in a fresh process, Python's start and torch's import included. On a machine
that does other things the seconds say little; the ratio is of one run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from revista import captions, images, ranking
from revista.captions import CaptionRequest
from revista.errors import ModelError
from revista.evaluation.index import open_page, read_index
from revista.programs import tesseract
from revista.ranking import RankingRequest
from revista.registry import not_shipped
from revista.settings import Settings

INDEX = Path(__file__).parents[1] / "sample_pages" / "index.json"
DPI = 175  # of the sample's scans
LOAD = """
from revista import captions, ranking
from revista.settings import Settings
settings = Settings(profile="compact")
captions.load(settings.captions, settings.run.device)
ranking.load(settings.ranking, settings.run.device)
"""


def seconds_to_load() -> float:
    """Wall-clock seconds of a process that loads both models and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", LOAD], check=True)
    return time.perf_counter() - started


def sample(scratch: Path) -> tuple[list[Path], list[np.ndarray]]:
    """The pages of the sample issue, and the pictures on them as people marked them."""
    pages, pictures = [], []
    for entry in read_index(INDEX):
        file, page = open_page(entry, scratch)
        pages.append(file)
        if page.width and page.height:
            whole = images.read_image(file)
            pictures += [images.crop(whole, box) for box in entry.true_boxes(page.width, page.height)]
    return pages, pictures


def seconds_to_see(pictures: list[np.ndarray], settings: Settings) -> float:
    """Seconds a picture for captions and their ranking, after one picture to warm up."""
    captioner = captions.load(settings.captions, settings.run.device)
    ranker = ranking.load(settings.ranking, settings.run.device)
    started = 0.0
    for batch in (pictures[:1], pictures):
        started = time.perf_counter()
        said = captioner.predict([CaptionRequest(picture, settings.captions.prompts) for picture in batch])
        failed = [result for result in said if isinstance(result, ModelError)]
        if failed:
            raise failed[0]
        texts = [tuple(c.text for c in found) for found in said if not isinstance(found, ModelError)]
        ranker.predict([RankingRequest(picture, own) for picture, own in zip(batch, texts, strict=True)])
    return (time.perf_counter() - started) / len(pictures)


def main() -> None:
    """Print seconds and ratio; where no weights are shipped, only that."""
    settings = Settings(profile="compact")
    if settings.captions.model is None or settings.ranking.model is None:
        lacking = ", ".join(not_shipped("compact"))
        print(f"eyes: skipped, this version ships no weights of the profile compact ({lacking})")
        return
    load = seconds_to_load()
    with tempfile.TemporaryDirectory() as folder:
        pages, pictures = sample(Path(folder))
        started = time.perf_counter()
        for page in pages:
            tesseract.read_tsv(page, settings.text.language, psm=3, dpi=DPI, timeout=300)
        read = (time.perf_counter() - started) / len(pages)
        seen = seconds_to_see(pictures, settings)
    print(
        f"eyes: {settings.captions.model} and {settings.ranking.model}: {seen:.2f} s a picture, Tesseract {read:.2f} s "
        f"a page, ratio {seen / read:.2f}; both models loaded in a fresh process in {load:.1f} s"
    )


if __name__ == "__main__":
    main()
