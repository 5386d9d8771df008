"""Running an external program so that it can neither hang nor leave children behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence

from revista.errors import MissingProgram, TimedOut


def find_program(name: str, debian_package: str) -> str:
    """The path of the program `name`.

    Raises:
        MissingProgram: it is not on the PATH; the hint names the Debian package that holds it.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingProgram(f"the program {name} is not installed", f"sudo apt-get install {debian_package}")
    return path


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
        TimedOut: the program did not finish in `timeout` seconds.
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
                f"{command[0]} did not finish in {timeout:g} s",
                "Run the same command again, or give it more time with the setting run.page_timeout.",
            ) from None
        raise
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)
