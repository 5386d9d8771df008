"""The detector that travels with revista against rapid-layout, page by page in one run: `python benchmarks/regions.py`.

Each detector looks at the same pages in turn, so that all have the same noise of the machine: one page at a time, and
pages side by side, a thread for each core, as a run looks at them. There the clock's time is shared by the pages. The
seconds say little on a machine that does other things; the ratio is of one run.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from revista import images
from revista.evaluation.index import open_page, read_index
from revista.regions import load
from revista.settings import RegionsSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from revista.regions import Detector

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "index.json"
ROUNDS = 3


def pages(scratch: Path) -> list[np.ndarray]:
    """The pages of the sample issue, at full size and at the 480 pixels of height of poor scans."""
    whole = [images.read_image(open_page(entry, scratch)[0]) for entry in read_index(SAMPLE)]
    step = whole[0].shape[0] // 480
    return whole + [np.ascontiguousarray(page[::step, ::step]) for page in whole]


def one_by_one(detector: Detector, seen: Sequence[np.ndarray]) -> float:
    """Seconds a page, the middle one."""
    spent = []
    for page in seen:
        started = time.perf_counter()
        detector.detect([page])
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def side_by_side(detector: Detector, seen: Sequence[np.ndarray]) -> float:
    """Seconds by the clock for all pages together, by their number."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        started = time.perf_counter()
        list(pool.map(lambda page: detector.detect([page]), seen))
        return (time.perf_counter() - started) / len(seen)


def main() -> None:
    """Print milliseconds a page and the ratio."""
    detectors = {
        name: load(RegionsSettings(detectors=(name,)), "cpu") for name in ("compact", "rapid_layout", "opencv")
    }
    with tempfile.TemporaryDirectory() as folder:
        seen = pages(Path(folder))
    for detector in detectors.values():
        detector.detect(seen)  # warms up
    for way in (one_by_one, side_by_side):
        spent: dict[str, list[float]] = {name: [] for name in detectors}
        for _ in range(ROUNDS):
            for name, detector in detectors.items():
                spent[name].append(way(detector, seen))
        middle = {name: statistics.median(values) for name, values in spent.items()}
        for name, seconds in middle.items():
            share = seconds / middle["rapid_layout"]
            print(f"{way.__name__}: {name} {1000 * seconds:.0f} ms a page, {share:.2f} of rapid-layout's time")


if __name__ == "__main__":
    main()
