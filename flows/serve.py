"""Everything running with one command: `python -m flows.serve`, which `make serve` calls.

It starts a Prefect server, makes the work pool, deploys what prefect.yaml declares, sets the automations up, and
starts workers and the web server of the reports; it starts again what ends by itself. Ctrl-C or `--stop` stops all.
Where it runs already, a second start says so.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Annotated, Any, NoReturn
from urllib.error import URLError

import typer

from flows import supervision
from flows.supervision import Program
from revista.errors import BadArguments, ExitCode, RevistaError
from revista.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
POOL = "revista"

_PREFECT = (sys.executable, "-m", "prefect")
_START_SECONDS = 180.0  # a first start makes the database


class Running(RuntimeError):
    """It runs already; `state` is what its lock file says."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        """Keep what the lock file says."""
        self.state = state
        super().__init__("it runs already")


def home() -> Path:
    """Where Prefect keeps its database: `PREFECT_HOME`, else the folder `.prefect` of the project."""
    return Path(os.environ.get("PREFECT_HOME") or ROOT / ".prefect").absolute()


def _lock() -> IO[str]:
    """The lock file, held by this process from now on.

    Raises:
        Running: another process holds it.
    """
    home().mkdir(parents=True, exist_ok=True)
    stream = (home() / "serve.lock").open("a+")
    stream.seek(0)
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = stream.read()
        raise Running(json.loads(text) if text.strip() else {}) from None
    return stream


def _say(stream: IO[str], **state: Any) -> None:
    stream.seek(0)
    stream.truncate()
    stream.write(json.dumps(state))
    stream.flush()


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadArguments(
                f"port {port} is taken by another program ({error.strerror})", f"Name another one: {option} {port + 10}"
            ) from error


def environment(host: str, port: int, reports_port: int, archive: Path, inbox: Path, settings: Path | None) -> None:
    """Set this process's environment, and with it that of all programs it starts."""
    shown = socket.getfqdn() if host in ("0.0.0.0", "::") else host  # in links, for other machines' browsers
    os.environ |= {
        "PREFECT_HOME": str(home()),
        "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_UI_URL": f"http://{shown}:{port}",
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        "DO_NOT_TRACK": "1",
        "REVISTA_ARCHIVE": str(archive.absolute()),
        "REVISTA_INBOX": str(inbox.absolute()),
        "REVISTA_REPORTS_URL": f"http://{shown}:{reports_port}",
    }
    if settings:
        os.environ["REVISTA_SETTINGS"] = str(settings.absolute())
    if password := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):  # the server's; its clients need the same
        os.environ.setdefault("PREFECT_API_AUTH_STRING", password)


def programs(host: str, port: int, reports_port: int, places: int, devices: list[str]) -> list[Program]:
    """What has to run, in the order of starting; they are stopped in the opposite order."""
    server = Program(
        "server",
        (sys.executable, "-m", "flows.server", "--host", host, "--port", str(port)),
        ready=lambda: _answers(f"http://{host}:{port}/api/health"),
    )
    reports = Program(
        "reports", (sys.executable, "-m", "revista.report.web", "--host", host, "--port", str(reports_port))
    )
    worker = Program("worker", _worker("default", places, f"worker on {socket.gethostname()}"))
    models = [
        Program(
            f"models-{device}",
            _worker("models", 1, f"{device} on {socket.gethostname()}"),
            environment={"REVISTA_RUN__DEVICE": device},
        )
        for device in devices
    ]
    return [server, reports, worker, *models]


def _worker(queue: str, places: int, name: str) -> tuple[str, ...]:
    options = ("--pool", POOL, "--work-queue", queue, "--limit", str(places), "--name", name)
    return (sys.executable, "-m", "flows.worker", "start", "--type", "process", "--install-policy", "never", *options)


def _answers(url: str) -> bool:
    request = urllib.request.Request(url)
    try:
        with urllib.request.urlopen(request, timeout=2) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 401  # it asks for the password: it is up
    except (URLError, OSError):
        return False


def deploy(notify: str | None) -> None:
    """Make the work pool with its queues, deploy what prefect.yaml declares, set the automations up."""
    from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    from flows import automations
    from flows.api import patiently, sync_client

    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["working_dir"]["default"] = str(ROOT)  # where prefect.toml is
    with sync_client() as client:
        try:
            patiently(client.read_work_pool, POOL)
            patiently(client.update_work_pool, POOL, WorkPoolUpdate(base_job_template=template))
        except ObjectNotFound:
            pool = WorkPoolCreate(name=POOL, type="process", base_job_template=template)
            patiently(client.create_work_pool, pool)
    done = subprocess.run(
        (*_PREFECT, "--no-prompt", "deploy", "--all"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RevistaError(f"cannot deploy: {(done.stderr or done.stdout).strip()[-500:]}", "See prefect.yaml.")
    automations.set_up(notify)


def _devices(settings: Path | None, named: str | None) -> list[str]:
    """The devices for which a worker of the queue `models` is started."""
    if named:
        return [device.strip() for device in named.split(",") if device.strip()]
    if load_settings(settings).run.models != "queue":
        return []
    from revista.devices import all_devices

    return all_devices()


def _stop(wait: float = 90.0) -> None:
    try:
        _lock().close()
        print("revista does not run here")
        return
    except Running as running:
        pid = int(running.state.get("pid", 0))
        if not pid:
            raise RevistaError("it is just starting", "Try again in a moment.") from None
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        try:
            _lock().close()
            print("stopped")
            return
        except Running:
            time.sleep(0.2)
    raise RevistaError(f"process {pid} did not stop within {wait:.0f} s", f"End it by force: kill -9 {pid}")


def serve(
    archive: Annotated[
        Path, typer.Option("--archive", "-a", help="The archive folder.", envvar="REVISTA_ARCHIVE")
    ] = Path("archive"),
    inbox: Annotated[
        Path, typer.Option(help="The folder into which scans are dropped.", envvar="REVISTA_INBOX")
    ] = Path("inbox"),
    settings: Annotated[
        Path | None, typer.Option("--settings", "-s", help="A TOML file of settings.", envvar="REVISTA_SETTINGS")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Beyond this machine: set a password first.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the Prefect server and its UI.")] = 4200,
    reports_port: Annotated[int, typer.Option(help="Port of the reports.")] = 4201,
    places: Annotated[int, typer.Option(min=2, help="Runs that the worker takes at once.")] = 2,
    devices: Annotated[
        str | None, typer.Option(help="Devices with a worker of their own for models: cuda:0,cuda:1")
    ] = None,
    notify: Annotated[
        str | None, typer.Option(help="Webhook to which trouble is posted.", envvar="REVISTA_NOTIFY_URL")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop what runs.")] = False,
) -> None:
    """Start server, workers and schedules, and keep them running until Ctrl-C."""
    if stop:
        _stop()
        return
    if settings and not settings.is_file():
        raise BadArguments(f"{settings}: no such settings file", "Check the path given to --settings.")
    if host not in ("127.0.0.1", "localhost") and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise BadArguments(
            f"{host} can be reached from other machines, and the API has no password",
            "Set one first: export PREFECT_SERVER_API_AUTH_STRING=operator:PASSWORD",
        )
    try:
        lock = _lock()
    except Running as running:
        print(f"revista runs already: {running.state.get('url', 'it is just starting')}")
        return
    with lock:
        url = f"http://{host}:{port}"
        _require_free(port, "--port")
        _require_free(reports_port, "--reports-port")
        _say(lock, pid=os.getpid(), url=url)
        inbox.mkdir(parents=True, exist_ok=True)
        environment(host, port, reports_port, archive, inbox, settings)
        log = home() / "log"
        with supervision.running(log, ROOT) as crew:
            server, *others = programs(host, port, reports_port, places, _devices(settings, devices))
            crew.start(server, _START_SECONDS)
            deploy(notify)
            for program in others:
                crew.start(program)
            print(f"revista runs.\n  UI       {url}\n  reports  http://{host}:{reports_port}")
            print(f"  inbox    {inbox.absolute()}\n  archive  {archive.absolute()}\n  logs     {log}")
            print(f"  in another shell: export PREFECT_API_URL={url}/api\nCtrl-C stops it.", flush=True)
            crew.watch()
        print("stopped", flush=True)


def main() -> NoReturn:
    """Run the command; an error says what to do."""
    try:
        typer.run(serve)
    except RevistaError as error:
        print(f"error: {error.message}\n  → {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    sys.exit(ExitCode.OK)


if __name__ == "__main__":
    main()
