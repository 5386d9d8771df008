"""What an unchanged second run and the plan of one cost, as shares of the first: `python benchmarks/rerun.py`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from revista.pipeline import run_issue
from revista.plan import plan
from revista.settings import Settings
from revista.store import Archive

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"


def seconds_of_run(root: Path) -> float:
    """Seconds of one run of the sample issue into the archive at `root`."""
    started = time.perf_counter()
    with Archive(root, create=True) as archive:
        run_issue(archive, SAMPLE, Settings())
    return time.perf_counter() - started


def seconds_of_plan(root: Path) -> float:
    """Seconds that it takes to find that nothing in the archive at `root` is to be done."""
    started = time.perf_counter()
    archive = Archive(root)
    planned = plan(archive, archive.issues(), Settings())
    if not planned.nothing_to_do:
        raise RuntimeError("an unchanged archive is not fresh")
    return time.perf_counter() - started


def main() -> None:
    """Run the sample issue twice into an empty archive, plan a third run, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        first = seconds_of_run(Path(folder) / "archive")
        second = seconds_of_run(Path(folder) / "archive")
        planned = seconds_of_plan(Path(folder) / "archive")
    print(f"rerun: first {first:.1f} s, second {second:.2f} s, ratio {second / first:.2%}")
    print(f"plan: {planned:.3f} s, ratio {planned / first:.2%}")


if __name__ == "__main__":
    main()
