"""An archive of 239 issues through server and worker: what it takes of memory, disk and patience.

    python benchmarks/scale.py [--issues N]

The issues are synthetic: four trivial pages each, a task a page and stage, so that each makes as many task runs (28)
as a real issue of 84 pages does with twenty pages a task (35): about 7,000 in all, as 20,000 real pages would make
8,400. Everything runs as `make serve` starts it, without models. Printed: the server's memory, the database's size, how
long the API and the UI take to answer, at the start and while the archive grows.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import pikepdf
import typer
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
PORT, REPORTS_PORT = 4720, 4721
PAGES = 4
SETTINGS = 'profile = "none"\n[run]\npages_per_task = 1\n[regions]\ndetectors = ["opencv"]\n[text]\ndeskew = false\n'


def write_issue(file: Path, dice: random.Random) -> None:
    """A PDF of small pages, each one picture of a few strokes."""
    with pikepdf.new() as pdf:
        for _ in range(PAGES):
            image = Image.new("L", (120, 160), 235)
            pen = ImageDraw.Draw(image)
            for _ in range(3):
                pen.line([dice.randrange(120), dice.randrange(160), dice.randrange(120), dice.randrange(160)], fill=40)
            packed = io.BytesIO()
            image.save(packed, "JPEG", quality=80)
            page = pdf.add_blank_page(page_size=(120, 160))
            picture = pdf.make_stream(packed.getvalue())
            picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            picture.Width, picture.Height, picture.BitsPerComponent = 120, 160, 8
            picture.ColorSpace, picture.Filter = pikepdf.Name.DeviceGray, pikepdf.Name.DCTDecode
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
            page.Contents = pdf.make_stream(b"q 120 0 0 160 0 0 cm /Im0 Do Q")
        pdf.save(file)


@contextmanager
def serving(folder: Path, settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Everything running, in a folder of its own."""
    command = [sys.executable, "-m", "flows.serve", "--archive", str(folder / "archive")]
    command += ["--inbox", str(folder / "inbox"), "--settings", str(settings)]
    command += ["--port", str(PORT), "--reports-port", str(REPORTS_PORT)]
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect"), "PREFECT_LOGGING_LEVEL": "WARNING"}
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        while b"revista runs." not in (folder / "serve.log").read_bytes():
            assert process.poll() is None, (folder / "serve.log").read_text()
            time.sleep(0.5)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def post(path: str, data: Any) -> tuple[float, Any]:
    """Seconds that the API takes to answer, and the answer."""
    started = time.monotonic()
    answer = httpx.post(f"http://127.0.0.1:{PORT}/api/{path}", json=data, timeout=120).raise_for_status()
    return time.monotonic() - started, answer.json()


def server_pid() -> int:
    """The process id of the server."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if b"flows.server" in line and str(PORT).encode() in line:
            return int(place.name)
    raise RuntimeError("there is no server")


def megabytes(pid: int, kind: str) -> float:
    """Memory of a process: VmRSS now, VmHWM at its most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def page_seconds(path: str) -> float:
    """How long a browser takes until a page of the UI has all that it asked for."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"):
        options.add_argument(flag)
    options.add_argument("--disable-background-networking")
    options.binary_location = "/usr/bin/chromium"
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        browser.get(f"http://127.0.0.1:{PORT}{path}")
        quiet, last = 0, -1
        while quiet < 4:  # no new request for two seconds
            time.sleep(0.5)
            count = browser.execute_script("return performance.getEntriesByType('resource').length")
            quiet, last = (quiet + 1, last) if count == last else (0, count)
        ended = browser.execute_script(
            "return Math.max(...performance.getEntriesByType('resource').map(r => r.responseEnd))"
        )
        return float(ended) / 1000
    finally:
        browser.quit()


def row(folder: Path, done: int) -> str:
    """The state of things, as a row of the table."""
    database = sum(file.stat().st_size for file in (folder / "prefect").glob("prefect.db*"))
    runs, _ = post("flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 100})
    tasks, count = post("task_runs/count", {})
    artifacts, _ = post("artifacts/latest/filter", {"limit": 50})
    pid = server_pid()
    return (
        f"| {done} | {count} | {megabytes(pid, 'VmRSS'):.0f} | {megabytes(pid, 'VmHWM'):.0f} | {database / 1e6:.0f} | "
        f"{runs:.2f} | {tasks:.2f} | {artifacts:.2f} | {page_seconds('/dashboard'):.1f} | {page_seconds('/runs'):.1f} |"
    )


def _main(
    issues: Annotated[int, typer.Option(help="How many issues.")] = 239,
    rows: Annotated[int, typer.Option(help="Rows of the table.")] = 4,
) -> None:
    dice = random.Random(1916)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = folder / "scale.toml"
        settings.write_text(SETTINGS)
        pdfs = [
            folder / f"ohcbh_ch_social{1916 + n // 12}_{n % 12 + 1}_v{n // 12}_n{n % 12 + 1}.pdf" for n in range(issues)
        ]
        for pdf in pdfs:
            write_issue(pdf, dice)
        with serving(folder, settings):
            print("| issues | task runs | server MB | at most | database MB | runs s | count s | artifacts s |", end="")
            print(" dashboard s | runs page s |")
            print("|---" * 10 + "|")
            print(row(folder, 0), flush=True)
            _, deployment = 0, httpx.get(f"http://127.0.0.1:{PORT}/api/deployments/name/archive/archive").json()
            started = time.monotonic()
            step = -(-issues // rows)
            for first in range(0, issues, step):
                part = [str(pdf) for pdf in pdfs[first : first + step]]
                data = {"parameters": {"pdfs": part}, "state": {"type": "SCHEDULED"}}
                _, run = post(f"deployments/{deployment['id']}/create_flow_run", data)
                while True:
                    time.sleep(5)
                    state = httpx.get(f"http://127.0.0.1:{PORT}/api/flow_runs/{run['id']}", timeout=60).json()["state"]
                    if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                        break
                assert state["type"] == "COMPLETED", state["message"]
                print(row(folder, min(first + step, issues)), flush=True)
            print(f"{issues} issues in {(time.monotonic() - started) / 60:.1f} min")


if __name__ == "__main__":
    typer.run(_main)
