"""The detector that travels with revista against rapid-layout, page by page in one run: `python benchmarks/regions.py`.

Each page is looked at by both in turn, so that both have the same noise of the machine, each with one thread, as pages
run side by side. The seconds say little on a machine that does other things; the ratio is of one run.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from revista import images
from revista.evaluation.index import open_page, read_index
from revista.regions import load
from revista.settings import RegionsSettings

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "index.json"
ROUNDS = 3


def pages(scratch: Path) -> list[np.ndarray]:
    """The pages of the sample issue, at full size and at the 480 pixels of height of poor scans."""
    whole = [images.read_image(open_page(entry, scratch)[0]) for entry in read_index(SAMPLE)]
    step = whole[0].shape[0] // 480
    return whole + [np.ascontiguousarray(page[::step, ::step]) for page in whole]


def main() -> None:
    """Print milliseconds a page and the ratio."""
    detectors = {
        name: load(RegionsSettings(detectors=(name,)), "cpu") for name in ("compact", "rapid_layout", "opencv")
    }
    spent: dict[str, list[float]] = {name: [] for name in detectors}
    with tempfile.TemporaryDirectory() as folder:
        seen = pages(Path(folder))
    for number in range(ROUNDS + 1):
        for page in seen:
            for name, detector in detectors.items():
                started = time.perf_counter()
                detector.detect([page])
                if number:  # the first round warms up
                    spent[name].append(time.perf_counter() - started)
    middle = {name: statistics.median(values) for name, values in spent.items()}
    for name, seconds in middle.items():
        print(f"{name}: {1000 * seconds:.0f} ms a page, {seconds / middle['rapid_layout']:.2f} of rapid-layout's time")


if __name__ == "__main__":
    main()
