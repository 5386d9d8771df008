"""What an unchanged second run and the plan of one cost, as shares of the first: `python benchmarks/rerun.py`.

Also in processor time, that of Tesseract and poppler included, which a busy machine changes less than the wall's clock.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from revista.pipeline import run_issue
from revista.plan import plan
from revista.settings import Settings
from revista.store import Archive

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"


def run(root: Path) -> None:
    """Run the sample issue into the archive at `root`."""
    with Archive(root, create=True) as archive:
        run_issue(archive, SAMPLE, Settings())


def plan_a_run(root: Path) -> None:
    """Find that nothing in the archive at `root` is to be done."""
    archive = Archive(root)
    if not plan(archive, archive.issues(), Settings()).nothing_to_do:
        raise RuntimeError("an unchanged archive is not fresh")


def seconds_of(work: Callable[[Path], None], root: Path) -> tuple[float, float]:
    """Seconds by the clock and of processor time (all threads and child processes) that `work` takes on `root`."""
    clock, processor = time.perf_counter(), sum(os.times()[:4])
    work(root)
    return time.perf_counter() - clock, sum(os.times()[:4]) - processor


def main() -> None:
    """Run the sample issue twice into an empty archive, plan a third run, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        root, copy = Path(folder) / "archive", Path(folder) / "copy"
        first, work = seconds_of(run, root)
        second, again = seconds_of(run, root)
        shutil.copytree(root, copy)  # whose records this process has not parsed yet
        planned, looked = seconds_of(plan_a_run, copy)
    print(
        f"rerun: first {first:.1f} s, second {second:.2f} s, ratio {second / first:.2%} (processor {again / work:.2%})"
    )
    print(f"plan: {planned:.3f} s, ratio {planned / first:.2%} (processor {looked / work:.2%})")


if __name__ == "__main__":
    main()
