"""Keeping a few programs running: started in order, started again when they end, stopped in the opposite order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revista.errors import RevistaError

_POLL = 0.5  # seconds
_LONGEST_PAUSE = 30.0  # seconds before a program that keeps ending is started again
_STEADY = 60.0  # seconds after which a program counts as running well
_PATIENCE = 20.0  # seconds that a program has to stop by itself
_LOG_BYTES = 20_000_000  # a longer log is set aside at the next start
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Program:
    """A program to keep running."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool] = lambda: True
    environment: Mapping[str, str] = field(default_factory=dict)


class Stopped(BaseException):
    """A signal has asked for the end."""


class Crew:
    """The programs that run."""

    def __init__(self, log: Path, folder: Path) -> None:
        """Their output goes to files in `log`; they run in `folder`."""
        self._log, self._folder = log, folder
        self._running: dict[str, tuple[Program, subprocess.Popen[bytes], float]] = {}
        self._pauses: dict[str, float] = {}
        log.mkdir(parents=True, exist_ok=True)

    def start(self, program: Program, patience: float = 60.0) -> None:
        """Start a program and wait until it is ready.

        Raises:
            RevistaError: it ended, or was not ready in time; the hint names its log.
        """
        process = self._spawn(program)
        deadline = time.monotonic() + patience
        while not program.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                why = f"ended with {process.returncode}" if process.poll() is not None else "does not get ready"
                raise RevistaError(
                    f"the {program.name} {why}: {self._last_words(program)}", f"See {self._file(program)}"
                )
            time.sleep(_POLL / 2)

    def watch(self) -> None:
        """Start again what ends, until a signal comes."""
        while True:
            for name, (program, process, since) in list(self._running.items()):
                if process.poll() is None:
                    if time.monotonic() - since > _STEADY:
                        self._pauses.pop(name, None)
                    continue
                pause = self._pauses.get(name, 0.5)
                self._pauses[name] = min(2 * pause, _LONGEST_PAUSE)
                print(f"the {name} ended with {process.returncode}; started again in {pause:.0f} s", flush=True)
                time.sleep(pause)
                self._spawn(program)
            time.sleep(_POLL)

    def stop(self) -> None:
        """Stop all, the last one first."""
        for name in reversed(self._running):
            _, process, _ = self._running[name]
            if process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        file = self._file(program)
        if file.exists() and file.stat().st_size > _LOG_BYTES:
            file.replace(file.with_suffix(".old.log"))
        with file.open("ab") as out:
            process = subprocess.Popen(
                program.command,
                cwd=self._folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal is this process's to pass on, in order
                preexec_fn=_die_with_parent,
            )
        self._running[program.name] = program, process, time.monotonic()
        return process

    def _file(self, program: Program) -> Path:
        return self._log / f"{program.name.replace(':', '-')}.log"

    def _last_words(self, program: Program) -> str:
        lines = self._file(program).read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _die_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone, however that ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


@contextmanager
def running(log: Path, folder: Path) -> Iterator[Crew]:
    """A crew that is stopped on leaving; SIGINT and SIGTERM end the block."""

    def stop(signum: int, frame: Any) -> None:
        raise Stopped

    before = {signum: signal.signal(signum, stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    crew = Crew(log, folder)
    try:
        yield crew
    except Stopped:
        print("stopping …", flush=True)
    finally:
        for signum in before:
            signal.signal(signum, signal.SIG_IGN)  # it is being stopped
        crew.stop()
        for signum, handler in before.items():
            signal.signal(signum, handler)
