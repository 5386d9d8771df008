"""Java: only the measures of `revista evaluate captions` need it; the published ones are Java programs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from revista.errors import MissingProgram, RevistaError, TimedOut
from revista.programs.process import find_program, run_program

PACKAGE = "default-jre-headless"
INSTALL = f"sudo apt-get install {PACKAGE}"

_UTF8 = ("-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8")  # Java before 18 reads in the locale's encoding


def probe() -> str:
    """The version of the installed Java.

    Raises:
        MissingProgram: it is not installed, or does not start.
    """
    return _probe(find_program("java", PACKAGE))


@lru_cache
def _probe(program: str) -> str:
    done = run_program([program, "-version"], timeout=60)
    found = re.search(rb'version "([^"]+)"', done.stdout + done.stderr)
    if done.returncode or not found:
        raise MissingProgram(f"{program} does not start: exit status {done.returncode}", INSTALL)
    return found[1].decode()


def run_java(arguments: Sequence[str], *, timeout: float, stdin: str = "") -> str:
    """What a Java program printed on standard output, both ways in UTF-8.

    Args:
        arguments: of `java`, from `-cp` or `-jar` on.
        timeout: seconds, after which it is killed.
        stdin: what it reads.

    Raises:
        MissingProgram: Java is not installed.
        TimedOut: it did not finish in time.
        RevistaError: it ended with an error.
    """
    command = [find_program("java", PACKAGE), *_UTF8, *arguments]
    done = run_program(command, timeout=timeout, stdin=stdin.encode(), env={"LC_ALL": "C.UTF-8"})
    if done.returncode:
        raise _failed(arguments, done.returncode, done.stderr)
    return done.stdout.decode("utf-8", "replace")


@contextlib.contextmanager
def dialogue(arguments: Sequence[str], *, timeout: float) -> Iterator[Callable[..., list[str]]]:
    """A Java program that answers line by line: a function that sends a line and returns the lines of the answer.

    The function takes the line and how many lines are expected (one if not given). The program ends with the context.

    Args:
        arguments: as for `run_java`.
        timeout: seconds for the whole dialogue.

    Raises:
        MissingProgram: Java is not installed.
        TimedOut: the dialogue took longer.
        RevistaError: the program ended before it had answered.
    """
    process = subprocess.Popen(
        [find_program("java", PACKAGE), *_UTF8, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout, late = process.stdin, process.stdout, threading.Event()

    def end() -> None:
        late.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def ask(line: str, answers: int = 1) -> list[str]:
        try:
            stdin.write(f"{line}\n".encode())
            stdin.flush()
        except BrokenPipeError:
            pass  # its answer will be lacking
        said = [stdout.readline().decode("utf-8", "replace") for _ in range(answers)]
        if not said[-1].endswith("\n"):
            if late.is_set():
                raise TimedOut(
                    f"{_program(arguments)} did not finish in {timeout:.0f} s", "Run the same command again."
                )
            raise _failed(arguments, process.wait(), b"")
        return [one.rstrip("\n") for one in said]

    clock = threading.Timer(timeout, end)
    clock.start()
    try:
        yield ask
    finally:
        clock.cancel()
        if process.poll() is None:
            end()
        process.wait()
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        stdout.close()


def _program(arguments: Sequence[str]) -> str:
    return next((Path(argument).name for argument in arguments if argument.endswith(".jar")), "java")


def _failed(arguments: Sequence[str], status: int, stderr: bytes) -> RevistaError:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return RevistaError(
        f"{_program(arguments)} ended with status {status}: {lines[0] if lines else 'it said nothing'}",
        f"See whether Java works: java -version; install it again with: {INSTALL}",
    )
