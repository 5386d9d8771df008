"""One worker at a time on an issue, whatever becomes of it."""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from revista.errors import BadInput, StorageError
from revista.objects import InUse, LeaseLost, ObjectArchive, workplace
from revista.objects.stores import open_bucket

from ..conftest import ROOT
from .small import ISSUE, contents, objects, steal, work


def test_a_lease_is_exclusive_and_names_its_owner(any_url: str, tmp_path: Path) -> None:
    with workplace(any_url, ISSUE, tmp_path / "a", run="run of machine a"):
        with (
            pytest.raises(InUse, match=rf"process {os.getpid()} on .* \(run of machine a\)"),
            workplace(any_url, ISSUE, tmp_path / "b"),
        ):
            pass
        with workplace(any_url, "another-issue", tmp_path / "b"):
            pass
    with workplace(any_url, ISSUE, tmp_path / "b"):
        pass


def test_waiting_for_a_lease(url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, workplace(url, ISSUE, tmp_path / "a"):

        def other() -> None:
            with workplace(url, ISSUE, tmp_path / "b", wait=20):
                pass

        waiting = pool.submit(other)
        time.sleep(0.5)
        assert not waiting.done()
    waiting.result()


def test_of_many_takers_one_gets_the_lease(url: str, tmp_path: Path) -> None:
    open_bucket(url).require_conditional_writes()
    barrier, left = threading.Barrier(8), threading.Event()

    def take(number: int) -> bool:
        barrier.wait()
        try:
            with workplace(url, ISSUE, tmp_path / str(number)):
                left.wait(30)
                return True
        except InUse:
            return False

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(take, number) for number in range(8)]
        until = time.monotonic() + 30
        while sum(future.done() for future in futures) < 7 and time.monotonic() < until:
            time.sleep(0.05)
        left.set()
    assert sum(future.result() for future in futures) == 1


def test_a_renewed_lease_outlives_its_seconds(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a", seconds=0.9) as archive:
        time.sleep(4.5)
        with pytest.raises(InUse), workplace(url, ISSUE, tmp_path / "b"):
            pass
        work(archive.issue_dir(ISSUE), 1, "one")
    assert ObjectArchive(url).issues() == [ISSUE]


def sleeper(url: str, scratch: Path, text: str) -> subprocess.Popen[str]:
    """A worker process that takes the lease, publishes page 1, makes page 2, and waits for a line to publish it."""
    code = f"""
import sys
from pathlib import Path
from tests.objects.small import ISSUE, work
from revista.objects import workplace
with workplace({url!r}, ISSUE, Path({str(scratch)!r}), seconds=1) as archive:
    work(archive.issue_dir(ISSUE), 1, {text!r})
    archive.publish()
    work(archive.issue_dir(ISSUE), 2, {text!r})
    print("ready", flush=True)
    sys.stdin.readline()
"""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_lease(url: str, scratch: Path) -> Path:
    with workplace(url, ISSUE, scratch, wait=30) as archive:
        folder = archive.issue_dir(ISSUE)
        assert (folder / "regions" / "0001.json").read_text() == '"of the first"'
        assert not (folder / "regions" / "0002.json").exists()
        work(folder, 2, "of the second")
    return folder


def test_a_killed_workers_lease_is_taken_over_and_its_published_work_kept(url: str, tmp_path: Path) -> None:
    first = sleeper(url, tmp_path / "a", "of the first")
    assert first.stdout is not None
    assert first.stdout.readline() == "ready\n"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    folder = wait_for_lease(url, tmp_path / "b")
    assert contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "c")) == contents(folder)
    assert len(objects(url)) == 5


def test_a_worker_that_slept_through_its_lease_cannot_publish(url: str, tmp_path: Path) -> None:
    first = sleeper(url, tmp_path / "a", "of the first")
    assert first.stdout is not None
    assert first.stdout.readline() == "ready\n"
    first.send_signal(signal.SIGSTOP)  # a machine that hangs, a laptop that is closed
    folder = wait_for_lease(url, tmp_path / "b")
    first.send_signal(signal.SIGCONT)
    _, said = first.communicate("go on\n", timeout=60)
    assert first.returncode == 1
    assert "LeaseLost" in said
    assert contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "c")) == contents(folder)


def test_even_with_a_lease_that_looks_good_the_slower_one_cannot_publish(url: str, tmp_path: Path) -> None:
    """The manifest alone shuts the slower one out, from when the other one began: nothing told it of its lease."""
    with pytest.raises(LeaseLost, match="took it over"), workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "slow")
        steal(url)
        with workplace(url, ISSUE, tmp_path / "b") as other:
            work(other.issue_dir(ISSUE), 1, "fast")
            with pytest.raises(LeaseLost):
                archive.publish()
            other.publish()
        archive.publish()
    folder = ObjectArchive(url).fetch(ISSUE, tmp_path / "c")
    assert (folder / "regions" / "0001.json").read_text() == '"fast"'


def test_two_processes_do_not_share_one_copy(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a"):
        steal(url)
        with pytest.raises(StorageError, match="another process keeps its copy"), workplace(url, ISSUE, tmp_path / "a"):
            pass


def test_a_stolen_lease_is_noticed_at_the_next_renewal(url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(LeaseLost, match=r"took it over|another worker"),
        workplace(url, ISSUE, tmp_path / "a", seconds=1.5) as archive,
    ):
        work(archive.issue_dir(ISSUE), 1, "one")
        steal(url)
        time.sleep(1.5)
    assert ObjectArchive(url).issues() == []
    assert objects(url) == []


@pytest.mark.slow
def test_workers_killed_and_stopped_at_any_moment(url: str, tmp_path: Path) -> None:
    """For a minute, workers rewrite one issue and are killed or stopped for a while; readers see whole states only."""
    code = f"""
import itertools, os, sys, time
from pathlib import Path
from tests.objects.small import ISSUE, work
from revista.objects import InUse, LeaseLost, workplace
for number in itertools.count():
    try:
        with workplace({url!r}, ISSUE, Path(sys.argv[1]), seconds=1, wait=60) as archive:
            for page in (1, 2, 3):
                work(archive.issue_dir(ISSUE), page, f"{{os.getpid()}}-{{number}}")
            archive.publish()
        time.sleep(0.1)
    except (InUse, LeaseLost):
        pass
"""
    chance, names = random.Random(1), itertools.count()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", code, str(tmp_path / f"worker {next(names)}")], cwd=ROOT)

    workers, seen, killed = [start() for _ in range(3)], set(), 0
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            place = chance.randrange(3)
            if chance.random() < 0.5:
                workers[place].send_signal(signal.SIGKILL)
                workers[place].wait()
                workers[place] = start()
                killed += 1
            else:
                workers[place].send_signal(signal.SIGSTOP)
                threading.Timer(chance.uniform(0, 5), workers[place].send_signal, [signal.SIGCONT]).start()
            time.sleep(chance.uniform(0.5, 4))
            with contextlib.suppress(BadInput):  # nothing published yet
                folder = ObjectArchive(url).fetch(ISSUE, tmp_path / "reader")
                texts = {(folder / f"regions/{page:04d}.json").read_text() for page in (1, 2, 3)}
                pictures = {(folder / f"pictures/{page:04d}-r01.jpg").read_text() for page in (1, 2, 3)}
                assert len(texts) == 1
                assert pictures == {json.loads(texts.copy().pop()) * 100}
                seen.update(texts)
            assert all(worker.poll() is None for worker in workers), "a worker ended with an error"
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert killed > 3
    assert len(seen) > 3
    with workplace(url, ISSUE, tmp_path / "last", seconds=1, wait=30):
        pass
    keys = ObjectArchive(url).manifest(ISSUE)[0].keys
    assert {path.rsplit("/", 1)[1] for path in objects(url)} == keys
