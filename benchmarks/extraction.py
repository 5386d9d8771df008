"""Taking the embedded scan out of a PDF page against rendering the page: `python benchmarks/extraction.py`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from pdf2image import convert_from_path

from revista import pages
from revista.settings import PagesSettings

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"
PAGES = range(1, 9)
DPI = 175  # that of the sample's scans, so that both ways give the same number of pixels


def main() -> None:
    """Time both ways over all pages of the sample, one after the other, and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        for number in PAGES:
            pages.run(SAMPLE, number, PagesSettings(), Path(folder), timeout=60)
        taken = time.perf_counter() - started
        started = time.perf_counter()
        for number in PAGES:
            convert_from_path(
                SAMPLE, dpi=DPI, first_page=number, last_page=number, output_folder=folder, fmt="ppm", paths_only=True
            )
        rendered = time.perf_counter() - started
    print(f"extraction: {taken:.2f} s, rendering {rendered:.2f} s, {rendered / taken:.1f} times faster")


if __name__ == "__main__":
    main()
