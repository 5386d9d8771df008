"""What Prefect costs: the same pages through the flow `archive` and through plain Python, in one run.

    python benchmarks/orchestration.py [PDF] [--times N]

The PDF (default: ../shared/pages/pdf/Moreno_026.pdf, else the sample issue) is taken five times: as one issue, for
several sizes of task, then as five issues. Both ways are run in turn, each on an archive of its own; a server runs
beside, as in use. Printed: seconds by the clock and of processor time (this process and its programs), the server's
apart, and what the flow takes more than plain Python.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

import pikepdf
import typer

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "pages" / "pdf" / "Moreno_026.pdf"
SAMPLE = ROOT / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"
COPIES = 5


@contextmanager
def server(home: Path) -> Iterator[int]:
    """A Prefect server of this run's own; its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "flows.server", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2)
                break
            except OSError:
                time.sleep(0.3)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def processor_seconds() -> float:
    """Processor time of this process and of the programs that it has waited for."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def seconds_of(pid: int) -> float:
    """Processor time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of processor time."""
    clock, processor = time.monotonic(), processor_seconds()
    work()
    return time.monotonic() - clock, processor_seconds() - processor


def _main(
    pdf: Annotated[Path | None, typer.Argument(help="The issue.")] = None,
    times: Annotated[int, typer.Option(help="How often each way is run.")] = 2,
    sizes: Annotated[str, typer.Option(help="Pages a task.")] = "1,5,10,40",
) -> None:
    source = pdf or (REAL if REAL.is_file() else SAMPLE)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "prefect") as server_pid:
        from flows.archive import process_archive
        from revista.pipeline import run_issue
        from revista.settings import load_settings
        from revista.store import Archive

        root = Path(folder)
        long, pdfs = root / "long.pdf", [root / f"{source.stem}-{number}.pdf" for number in range(COPIES)]
        with pikepdf.open(source) as once, pikepdf.new() as many:
            for copy in pdfs:
                shutil.copy(source, copy)
                many.pages.extend(once.pages)
            many.save(long)

        def plain(scans: list[Path]) -> None:
            with Archive(root / "plain", create=True) as archive:
                for scan in scans:
                    run_issue(archive, scan, load_settings())

        def flow(scans: list[Path], settings: Path) -> None:
            state = process_archive([str(scan) for scan in scans], str(root / "flow"), settings, return_state=True)
            assert state.is_completed(), state.message

        def compare(name: str, scans: list[Path], size: int) -> None:
            settings = root / f"{size}.toml"
            settings.write_text(f"[run]\npages_per_task = {size}\n")
            rows = []
            for _ in range(times):
                for place in ("plain", "flow"):
                    shutil.rmtree(root / place, ignore_errors=True)
                before = timed(lambda: plain(scans))
                busy = seconds_of(server_pid)
                after = timed(lambda: flow(scans, settings))
                rows.append((*before, *after, seconds_of(server_pid) - busy))
            p, pc, f, fc, s = (median(column) for column in zip(*rows, strict=True))
            more = f"{100 * (f / p - 1):+8.1f} % {100 * (fc / pc - 1):+8.1f} %"
            print(f"{name:14} {size:10} {p:9.1f} {pc:7.1f} {f:8.1f} {fc:7.1f} {s:14.1f}   {more}", flush=True)

        print(f"{source.name} x {COPIES}, {times} times, median")
        print(
            "               pages/task   plain s   (cpu)   flow s   (cpu)   server cpu s   flow over plain: clock, cpu"
        )
        plain([long])  # the first one loads what both use
        for size in (int(text) for text in sizes.split(",")):
            compare("one issue", [long], size)
        compare("five issues", pdfs, 10)


if __name__ == "__main__":
    typer.run(_main)
