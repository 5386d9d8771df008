"""Running an external program so that it can neither hang nor leave children behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from revista.errors import MissingProgram, TimedOut

_ENDED_FROM_OUTSIDE = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL})


def find_program(name: str, debian_package: str) -> str:
    """The path of the program `name`.

    Raises:
        MissingProgram: it is not on the PATH; the hint names the Debian package that holds it.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingProgram(f"the program {name} is not installed", f"sudo apt-get install {debian_package}")
    return path


@contextlib.contextmanager
def spared_from_interrupts() -> Iterator[None]:
    """Programs that a library starts within, from this thread, outlive a Ctrl-C, which reaches the whole terminal.

    Else the page under way would end as one that its program could not read. The signal still reaches this process.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_program(
    command: Sequence[str], *, timeout: float, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` and return what it printed; the exit status is the caller's to judge.

    The program runs in a process group of its own, which is killed whole when time is up: pytesseract and
    pdf2image kill only the child that they started.

    Args:
        command: program and arguments.
        timeout: seconds, after which the group is killed.
        stdin: what the program reads from standard input.
        env: variables added to the environment.

    Raises:
        TimedOut: the program did not finish in `timeout` seconds, or was killed by somebody else.
        MissingProgram: there is no such program.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise MissingProgram(f"the program {command[0]} is not installed", "Run: revista doctor") from None
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimedOut(
                f"{command[0]} did not finish in {timeout:.0f} s",
                "Run the same command again, or give it more time with the setting run.page_timeout.",
            ) from None
        raise
    if -process.returncode in _ENDED_FROM_OUTSIDE:
        raise TimedOut(
            f"{command[0]} was ended by {signal.Signals(-process.returncode).name}",
            "Run the same command again; where that happens again, memory is short: lower run.workers in the settings.",
        )
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)
