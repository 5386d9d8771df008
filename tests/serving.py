"""All of revista running as `make serve` starts it, in a folder of the test's own, on ports of its own.

Every Python process of it is watched: a connection or a name look-up that leaves this machine is written down.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]

_WATCH = """
import os, sys

def _watch(event, args):
    if event == "socket.connect":
        address = args[1]
        if not isinstance(address, tuple):
            return
        host = str(address[0])
    elif event == "socket.getaddrinfo":
        host = args[0].decode() if isinstance(args[0], bytes) else str(args[0])
    else:
        return
    here = ("None", "", "localhost", "0.0.0.0", "::", "::1", os.uname().nodename)
    if host not in here and not host.startswith("127."):
        with open(os.environ["OUTSIDE_CALLS"], "a") as file:
            file.write(f"{sys.argv} {event} {args[1:] if event == 'socket.connect' else args}\\n")

sys.addaudithook(_watch)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what is posted to it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A local HTTP server: its address, and the list that fills with what it is told."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    posted: list[dict[str, str]] = []
    server.posted = posted  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/revista", posted
    finally:
        server.shutdown()


def wait_until(what: str, holds: Callable[[], Any], patience: float = 90.0, pause: float = 0.5) -> Any:
    """What `holds` gives as soon as it is true."""
    deadline = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain until {what}"
        time.sleep(pause)
    return found


@dataclass
class Stack:
    """Server, worker and reports, running."""

    folder: Path
    environment: dict[str, str]
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    reports_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def outside_calls(self) -> list[str]:
        file = self.folder / "outside-calls"
        return file.read_text().splitlines() if file.exists() else []

    def command(self, *more: str) -> list[str]:
        return [
            *(sys.executable, "-m", "flows.serve", "--archive", str(self.archive), "--inbox", str(self.inbox)),
            *("--port", str(self.port), "--reports-port", str(self.reports_port), *self.options, *more),
        ]

    def env(self) -> dict[str, str]:
        watch = self.folder / "watch"
        watch.mkdir(parents=True, exist_ok=True)
        (watch / "sitecustomize.py").write_text(_WATCH)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REVISTA_"))},
            "PREFECT_HOME": str(self.folder / "prefect"),
            "REVISTA_PROFILE": "none",  # each run is a process of its own, and would load models
            "PYTHONPATH": str(watch),
            "OUTSIDE_CALLS": str(self.folder / "outside-calls"),
            **self.environment,
        }

    def start(self) -> None:
        out = (self.folder / "serve.log").open("a")
        self.process = subprocess.Popen(self.command(), cwd=ROOT, env=self.env(), stdout=out, stderr=out, text=True)

        def running() -> bool:
            assert self.process and self.process.poll() is None, self.log()
            return "revista runs." in self.log()

        wait_until("revista runs", running, 240)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=90)

    def log(self) -> str:
        return (self.folder / "serve.log").read_text("utf-8", "replace")

    def child(self, *words: str) -> int:
        """The process id of the one program of this stack whose command line holds all `words`."""
        (found,) = self.children(*words)
        return found

    def children(self, *words: str) -> list[int]:
        """The process ids of the programs below this stack whose command lines hold all `words`."""
        assert self.process
        below, found = {self.process.pid}, []
        parents = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
                parents[int(place.name)] = int(fields[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
        while more := {pid for pid, parent in parents.items() if parent in below} - below:
            below |= more
        for pid in sorted(below - {self.process.pid}):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if all(word in line for word in words):
                found.append(pid)
        return found

    # --- the API, as the UI uses it ---

    @property
    def auth(self) -> tuple[str, str] | None:
        """User and password, where the API wants them."""
        user, _, password = self.environment.get("PREFECT_SERVER_API_AUTH_STRING", "").partition(":")
        return (user, password) if user else None

    def post(self, path: str, data: Any = None) -> Any:
        for _ in range(20):
            answer = httpx.post(f"{self.url}/api/{path}", json=data or {}, timeout=60, auth=self.auth)
            if answer.status_code != 503:  # the database was locked for a moment: the UI's user presses again
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def patch(self, path: str, data: Any) -> None:
        httpx.patch(f"{self.url}/api/{path}", json=data, timeout=60, auth=self.auth).raise_for_status()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}/api/{path}", timeout=60, auth=self.auth).raise_for_status().json()

    def runs(self, **by: list[str]) -> list[dict[str, Any]]:
        """The flow runs, the newest first; `by` are Prefect's filters such as name, with the values allowed."""
        filters = {name: {"any_": values} for name, values in by.items()}
        found: list[dict[str, Any]] = self.post(
            "flow_runs/filter", {"flow_runs": filters, "sort": "EXPECTED_START_TIME_DESC", "limit": 200}
        )
        return found

    def deployment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"deployments/name/{name}")
        return found

    def begin(self, deployment: str, **parameters: Any) -> str:
        """Start a run of a deployment, and give its id."""
        made = self.post(
            f"deployments/{self.deployment(deployment)['id']}/create_flow_run",
            {"parameters": parameters, "state": {"type": "SCHEDULED"}},
        )
        return str(made["id"])

    def state(self, run: str) -> str:
        return str(self.get(f"flow_runs/{run}")["state"]["name"])

    def message(self, run: str) -> str:
        return str(self.get(f"flow_runs/{run}")["state"]["message"] or "")

    def set_state(self, run: str, kind: str, name: str, **details: Any) -> None:
        self.post(f"flow_runs/{run}/set_state", {"state": {"type": kind, "name": name, "state_details": details}})

    def wait_for(self, run: str, *names: str, patience: float = 180.0) -> str:
        """Wait until a run is in one of the states `names`, and give it; fail at once where it ended in another."""
        final = {"Completed", "Completed with problems", "Failed", "Crashed", "Cancelled"}

        def there() -> str | None:
            state = self.state(run)
            assert state in names or state not in final, f"{state}: {self.message(run)}"
            return state if state in names else None

        return str(wait_until(f"the run is {' or '.join(names)}", there, patience))

    def artifacts(self, key: str) -> list[dict[str, Any]]:
        """The versions of an artifact, the newest first."""
        data = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
        found: list[dict[str, Any]] = self.post("artifacts/filter", data)
        return found

    def rows(self, key: str) -> list[dict[str, Any]]:
        """The rows of the newest table under `key`."""
        rows: list[dict[str, Any]] = json.loads(self.artifacts(key)[0]["data"])
        return rows
