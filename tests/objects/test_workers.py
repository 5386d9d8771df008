"""Several workers, each with a disk of its own, over one archive in an object store; one of them is killed."""

import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import boto3

from revista import pipeline
from revista.objects import ObjectArchive
from revista.settings import Settings
from revista.stages import STAGES
from revista.store import Archive

from ..conftest import ROOT, MakePdf
from ..test_kill import snapshot
from .server import object_server

NAMES = {number: f"muestra_social1916_{number}_v1_n{number}.pdf" for number in (1, 2, 3)}


@dataclass
class Event:
    time: int
    pid: int
    issue: str
    what: str


def events(log: Path) -> list[Event]:
    lines = log.read_text().splitlines() if log.exists() else []
    parts = [line.split(" ", 3) for line in lines]
    return sorted((Event(int(t), int(pid), issue, what) for t, pid, issue, what in parts), key=lambda e: e.time)


def spans(found: list[Event]) -> dict[str, list[tuple[int, int, int]]]:
    """For each issue when a worker had it: (first event, last event, pid), by time."""
    stays: dict[tuple[str, int, int], list[int]] = {}
    visit: dict[tuple[str, int], int] = defaultdict(int)
    for event in found:
        if event.what == "begin":
            visit[event.issue, event.pid] += 1
        stays.setdefault((event.issue, event.pid, visit[event.issue, event.pid]), []).append(event.time)
    by_issue: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for (issue, pid, _), times in stays.items():
        by_issue[issue].append((min(times), max(times), pid))
    return {issue: sorted(stay) for issue, stay in by_issue.items()}


def issues(root: Path) -> dict[str, bytes]:
    """All files of an archive's issues, but for the place of each scan, and the summary, which whole runs write."""
    return {
        name: data
        for name, data in snapshot(root / "issues").items()
        if not name.endswith(("scans.json", "summary.json"))
    }


def test_workers_without_a_shared_folder_make_one_archive(excerpt: MakePdf, tmp_path: Path) -> None:
    pdfs = [excerpt(page, name=NAMES[page]) for page in NAMES]
    with Archive(tmp_path / "plain", create=True) as archive:
        for pdf in pdfs:
            pipeline.run_issue(archive, pdf, Settings())
    log = tmp_path / "log"
    with object_server():
        client = boto3.client("s3")
        client.create_bucket(Bucket="social")
        for pdf in pdfs:
            client.upload_file(str(pdf), "social", f"inbox/{pdf.name}")

        def worker(name: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "tests.objects.worker", "s3://social/archive", "s3://social/inbox"]
            return subprocess.Popen([*command, str(tmp_path / name), str(log)], cwd=ROOT)

        victim = worker("victim")
        killed_in = kill_in_mid_work(victim, log)
        others = [worker(f"worker {number}") for number in (1, 2)]
        assert [other.wait(240) for other in others] == [0, 0]

        remote = ObjectArchive("s3://social/archive")
        assert len(remote.issues()) == len(pdfs)
        for issue in remote.issues():
            folder = remote.fetch(issue, tmp_path / "fetched")
            keys = remote.manifest(issue)[0].keys
            assert {s.path.rsplit("/", 1)[1] for s in remote.bucket.paths(f"issues/{issue}/files")} == keys
            for hidden in folder.glob(".objects*"):
                hidden.unlink()
    assert issues(tmp_path / "fetched") == issues(tmp_path / "plain")

    found = events(log)
    for issue, stays in spans(found).items():
        for (_, end, one), (start, _, other) in pairwise(stays):
            assert end < start, f"{issue}: {one} and {other} at work at the same time"
    for issue in {event.issue for event in found}:
        for stage in STAGES:
            made = sum(
                int(e.what.split()[2]) for e in found if e.issue == issue and e.what.startswith(f"made {stage} ")
            )
            assert made == 1 or (issue == killed_in and made <= 2), f"{issue}: {stage} made {made} times"
    published = [e.what.split()[1] for e in found if e.pid == victim.pid and e.what.startswith("published")]
    again = {e.what for e in found if e.issue == killed_in and e.pid != victim.pid and e.what.startswith("made")}
    assert published
    assert not again & {f"made {stage} 1" for stage in published}, "published work was done again"


def kill_in_mid_work(victim: subprocess.Popen[bytes], log: Path) -> str:
    """Kill the worker while it reads its first page's text, two stages published; return the issue it was in."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for event in events(log):
            if event.what == "start text":
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                return event.issue
        time.sleep(0.02)
    raise AssertionError("the worker never came to a page's text")
