"""What an unchanged second run costs, as a share of the first: `python benchmarks/rerun.py`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from revista.pipeline import run_issue
from revista.settings import Settings
from revista.store import Archive

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"


def seconds_of_run(root: Path) -> float:
    """Seconds of one run of the sample issue into the archive at `root`."""
    started = time.perf_counter()
    with Archive(root, create=True) as archive:
        run_issue(archive, SAMPLE, Settings())
    return time.perf_counter() - started


def main() -> None:
    """Run the sample issue twice into an empty archive and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        first = seconds_of_run(Path(folder) / "archive")
        second = seconds_of_run(Path(folder) / "archive")
    print(f"rerun: first {first:.1f} s, second {second:.2f} s, ratio {second / first:.2%}")


if __name__ == "__main__":
    main()
