"""The screenshots of docs/operations.md, taken of everything running for real: `make screenshots`.

In a temporary folder: three scans (one broken, one with a broken page) go through the inbox, a changed setting is
reprocessed, a run's process is killed. Then headless Chromium looks at it all.
"""

from __future__ import annotations

import io
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pikepdf
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.browser import chromium, text_of, wait_for_text
from tests.serving import ROOT, Stack, wait_until, webhook

SAMPLE = ROOT / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"
IMAGES = ROOT / "docs" / "images"
WIDTH = 1200  # pixels
WHOLE, TORN = "social-1916-09-v1-n9", "social-1916-10-v1-n10"


class Shot(NamedTuple):
    """A picture of a page."""

    name: str
    url: str
    height: int  # pixels
    awaited: tuple[str, ...]  # texts that are there when the page is complete
    clicks: tuple[str, ...] = ()  # the texts of tabs and buttons to press first
    seconds: float = 1.5  # what is drawn after the texts


def torn_scan(file: Path) -> None:
    """A scan of eleven pages, of which the fifth is damaged."""
    with pikepdf.open(SAMPLE) as sample, pikepdf.new() as new:
        for number in (*range(8), 1, 2, 3):
            new.pages.append(sample.pages[number])
        images = new.pages[4].Resources.XObject
        for name in list(images.keys()):
            images[name] = new.make_stream(b"no image", images[name].stream_dict)
        new.save(file)


def work(stack: Stack) -> dict[str, str]:
    """What there is to see; gives the runs by what they show."""
    (stack.inbox / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    torn_scan(stack.inbox / "ohcbh_ch_social1916_10_v1_n10.pdf")
    (stack.inbox / "ohcbh_ch_social1929_6_v14_n6.pdf").write_bytes(b"%PDF-1.4\nnothing in it\n%%EOF\n")
    (stack.inbox / "notas.txt").write_text("not a scan")
    time.sleep(2)
    runs = {"inbox": stack.begin("inbox/inbox", settle_seconds=1)}
    stack.wait_for(runs["inbox"], "Completed with problems", patience=400)
    runs["whole"] = stack.runs(name=["Social 1916-09 v1 n9"])[0]["id"]

    settings = stack.folder / "stricter.toml"
    settings.write_text("[regions]\nmin_confidence = 0.6\n[descriptions]\nmin_quote_confidence = 0.92\n")
    chosen = {"selection": {"every_issue": True}, "settings_file": str(settings)}
    runs["dry"] = stack.begin("reprocess/reprocess", **chosen)
    stack.wait_for(runs["dry"], "Completed")
    runs["plan"] = stack.artifacts("reprocess-plan")[0]["id"]
    runs["real"] = stack.begin("reprocess/reprocess", dry_run=False, **chosen)
    stack.wait_for(runs["real"], "Completed with problems", patience=400)

    slow = stack.folder / "slow.toml"
    slow.write_text("[run]\npages_per_task = 1\nworkers = 1\n")
    doomed = stack.folder / "ohcbh_ch_social1916_11_v1_n11.pdf"
    doomed.write_bytes(SAMPLE.read_bytes())
    runs["crashed"] = stack.begin("archive/archive", pdfs=[str(doomed)], settings_file=str(slow))
    wait_until("it runs", lambda: stack.state(runs["crashed"]) == "Running", 120)
    wait_until("it reads", lambda: list(stack.archive.glob("issues/social-1916-11*/text/0001.json")), 120)
    os.kill(stack.child("prefect.engine"), signal.SIGKILL)
    stack.wait_for(runs["crashed"], "Crashed", patience=150)
    wait_until(
        "its issue's run too",
        lambda: {r["state_name"] for r in stack.runs(parent_flow_run_id=[runs["crashed"]])} == {"Crashed"},
        150,
    )
    return runs


def shots(stack: Stack, runs: dict[str, str]) -> list[Shot]:
    """The pictures to take."""
    ui, reports = stack.url, f"http://127.0.0.1:{stack.reports_port}"

    def artifact(key: str) -> str:
        return f"{ui}/artifacts/artifact/{stack.artifacts(key)[0]['id']}"

    form = f"{ui}/deployments/deployment/{stack.deployment('reprocess/reprocess')['id']}/run"
    broken = stack.artifacts("problems-social-1929-06-v14-n6")
    assert broken
    return [
        Shot("dashboard", f"{ui}/dashboard", 800, ("Flow Runs", "total")),
        Shot("runs", f"{ui}/runs", 1340, ("Social 1929-06 v14 n6", "Crashed")),
        Shot("issue", f"{ui}/runs/flow-run/{runs['whole']}", 760, ("Finished in state",), seconds=5),
        Shot("inbox", artifact("inbox"), 660, ("notas.txt",)),
        Shot("problems", artifact(f"problems-{TORN}"), 480, ("what to do",)),
        Shot("pictures", artifact(f"pictures-{WHOLE}"), 900, ("Report",)),
        Shot("totals", artifact("archive-totals"), 780, ("pages a minute",)),
        Shot("form", form, 1950, ("Every issue", "Submit")),
        Shot("plan", f"{ui}/artifacts/artifact/{runs['plan']}", 700, ("descriptions",)),
        Shot("changes", artifact(f"changes-{WHOLE}"), 700, ("before",)),
        Shot(
            "crashed",
            f"{ui}/runs/flow-run/{runs['crashed']}",
            1080,
            ("Crashed",),
            clicks=("Details", "See More"),
            seconds=4,
        ),
        Shot("automations", f"{ui}/automations", 660, ("tell of trouble",)),
        Shot("reports", f"{reports}/", 260, ("Archivo",)),
    ]


def take(browser: webdriver.Chrome, shot: Shot) -> None:
    """Take one picture, in few colours."""
    metrics = {"width": WIDTH, "height": shot.height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(shot.url)
    wait_for_text(browser, *shot.awaited)
    if "Not now" in text_of(browser):  # an invitation to the UI's second version
        browser.find_element(By.XPATH, "//*[text()[normalize-space()='Not now']]").click()
    time.sleep(shot.seconds)
    for text in shot.clicks:
        wait_for_text(browser, text)
        browser.find_element(By.XPATH, f"//*[text()[normalize-space()='{text}']]").click()
        time.sleep(0.5)
    with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as image:
        few = image.convert("RGB").quantize(160, dither=Image.Dither.NONE)
    file = IMAGES / f"operations-{shot.name}.png"
    few.save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {few.width} x {few.height}, {file.stat().st_size / 1024:.0f} KB", flush=True)


def main() -> None:
    """Start everything, have it work, take the pictures, stop everything."""
    with tempfile.TemporaryDirectory(prefix="revista-") as folder, webhook() as (hook, _):
        stack = Stack(Path(folder), {}, ("--notify", hook))
        try:
            stack.start()
            todo = shots(stack, work(stack))
            with chromium(Path(folder) / "profile") as browser:
                for shot in todo:
                    take(browser, shot)
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
