"""Leases: one holder at a time over threads and processes, given back however the holder ends."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from revista import leases
from revista.errors import Busy, ExitCode, StorageError

HOLDER = """
import sys, time
from pathlib import Path
from revista import leases
with leases.hold(Path(sys.argv[1]), "social", "0001"):
    print("held", flush=True)
    time.sleep(60)
"""


def start_holder(root: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(root)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    return holder


def left(root: Path) -> list[Path]:
    return [file for file in (root / leases.LOCKS).rglob("*") if file.is_file()]


def test_second_holder_is_told_who_has_it(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    try:
        with pytest.raises(Busy) as told, leases.hold(tmp_path, "social", "0001", patience=0.1):
            pass
        assert f"process {holder.pid} on " in told.value.message
        assert told.value.exit_code is ExitCode.BUSY
        with leases.hold(tmp_path, "social", "0002", patience=0):
            pass  # another page is free
    finally:
        holder.kill()
        holder.wait()


def test_killed_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with leases.hold(tmp_path, "social", "0001", patience=0):
        assert len(left(tmp_path)) == 1
    assert left(tmp_path) == []


def test_one_at_a_time_over_many_threads_and_processes(tmp_path: Path) -> None:
    """Everyone adds one to a number in a file, reading and writing apart: a lost lease would lose a count."""
    count = tmp_path / "count"
    count.write_text("0")
    code = (
        "import sys; from pathlib import Path; from tests.test_leases import add; "
        "[add(Path(sys.argv[1]), Path(sys.argv[2])) for _ in range(40)]"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(count)]) for _ in range(2)]
    threads = [threading.Thread(target=lambda: [add(tmp_path, count) for _ in range(40)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(timeout=60) for other in others] == [0, 0]
    assert count.read_text() == "200"
    assert left(tmp_path) == []


def add(root: Path, count: Path) -> None:
    with leases.hold(root, "count"):
        value = int(count.read_text())
        time.sleep(0.0005)
        count.write_text(str(value + 1))


def test_error_inside_gives_it_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), leases.hold(tmp_path, "page"):
        raise ZeroDivisionError
    with leases.hold(tmp_path, "page", patience=0):
        pass


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / leases.LOCKS).write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"), leases.hold(tmp_path, "page"):
        pass


def test_no_room_for_a_lease(tmp_path: Path) -> None:
    """A file system of two pages, full: the error says to make room, and with room the lease is had."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    try:
        filler = tmp_path / "filler"
        filler.write_bytes(bytes(8192))
        with pytest.raises(StorageError) as told, leases.hold(tmp_path, "social", "0001"):
            pass
        assert told.value.hint.startswith("Free some space")
        filler.unlink()
        with leases.hold(tmp_path, "social", "0001"):
            pass
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
