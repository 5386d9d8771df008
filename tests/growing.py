"""What a revista of several machines consists of, on this one: PostgreSQL, workers of other machines, an S3 server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from revista import pipeline, worklog
from revista.settings import Settings
from revista.stages import STAGES
from revista.store import Archive

from .serving import ROOT, Stack, free_port, wait_until
from .test_kill import snapshot


class Postgres:
    """A PostgreSQL cluster of the test's own; it refuses to run as root, and then runs as the user of Debian's."""

    def __init__(self, folder: Path) -> None:
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
        self._folder, self._data = folder, folder / "data"
        self._as_user = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        self.port = free_port()
        if self._as_user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "revista", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "revista", "prefect")

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://revista@127.0.0.1:{self.port}/prefect"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def ask(self, question: str) -> str:
        asked = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "revista", "-d", "prefect", "-Atc", question)
        return self._run("psql", *asked).strip()

    def _run(self, program: str, *arguments: str) -> str:
        command = [*self._as_user, str(self._bin / program), *arguments]
        with tempfile.TemporaryFile("w+") as out:  # no pipe: the server that pg_ctl leaves behind would hold it
            done = subprocess.run(command, cwd=self._folder, stdout=out, stderr=subprocess.STDOUT, check=False)
            out.seek(0)
            said = out.read()
        assert done.returncode == 0, said
        return said


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; skips where it is not installed."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("PostgreSQL is not installed: make test installs it")
    with tempfile.TemporaryDirectory(prefix="revista-postgres-") as folder:  # pytest's own folders are root's alone
        cluster = Postgres(Path(folder))
        try:
            yield cluster
        finally:
            with suppress(AssertionError):
                cluster.stop()


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    below: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            below += [int(child) for child in file.read_text().split()]
    return [pid, *(one for child in below for one in tree(child))]


class Machine:
    """Another machine's worker: it shares the API's address with the stack, and nothing of Prefect's home."""

    def __init__(self, stack: Stack, name: str, queue: str = "default", places: int = 1, **environment: str) -> None:
        self.name, self.home = name, stack.folder / f"machine {name}"
        self.home.mkdir(exist_ok=True)
        env = stack.env() | {
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_URL": f"{stack.url}/api",
            "REVISTA_ARCHIVE": str(stack.archive),
            "REVISTA_REPORTS_URL": f"http://{socket.getfqdn()}:{stack.reports_port}",
        }
        if stack.auth:
            del env["PREFECT_SERVER_API_AUTH_STRING"]  # the server's business
            env["PREFECT_API_AUTH_STRING"] = ":".join(stack.auth)
        env.pop("PREFECT_SERVER_DATABASE_CONNECTION_URL", None)  # too
        options = ("--pool", "revista", "--work-queue", queue, "--limit", str(places), "--name", name)
        command = [sys.executable, "-m", "flows.worker", "start", "--type", "process", *options]
        out = self.log_file.open("a")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**env, **environment}, stdout=out, stderr=out, start_new_session=True
        )

    @property
    def log_file(self) -> Path:
        return self.home / "worker.log"

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    def kill(self) -> None:
        """The power fails: the worker and all that it runs are gone."""
        pids = tree(self.process.pid)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


@contextmanager
def machines(stack: Stack, *names: str, queue: str = "default", **environment: str) -> Iterator[list[Machine]]:
    """Workers of other machines, one place each, ready; stopped in the end."""
    started = [Machine(stack, name, queue, **environment) for name in names]
    try:
        for machine in started:
            wait_until(f"the worker {machine.name} is started", lambda m=machine: "started!" in m.log(), 90)  # type: ignore[misc]
        yield started
    finally:
        for machine in started:
            machine.stop()


def worker_of(stack: Stack, run: str) -> str:
    """The name of the worker that ran a flow run."""
    return str(stack.get(f"flow_runs/{run}")["labels"]["prefect.worker.name"])


def plain_archive(folder: Path, pdfs: Sequence[Path]) -> Path:
    """The same issues by `run_issue`, one after the other, without Prefect."""
    with Archive(folder, create=True) as archive:
        for pdf in pdfs:
            pipeline.run_issue(archive, pdf, Settings(profile="none"))
    return folder


def made(archive: Path, issue: str) -> dict[str, int]:
    """How many pages each stage made of an issue, as the work log counts them."""
    counts = dict.fromkeys(STAGES, 0)
    with Archive(archive) as store:
        for entry in worklog.read(store, issue):
            counts[entry.stage] += entry.made
    return counts


def same_issues(one: Path, other: Path, but: str | None = None) -> None:
    """All files of all issues are the same, and whole; those called `but` left out."""
    found, wanted = (
        {name: content for name, content in snapshot(root / "issues").items() if Path(name).name != but}
        for root in (one, other)
    )
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if found[name] != wanted[name]] == []
