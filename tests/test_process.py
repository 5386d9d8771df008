"""External programs: what somebody else ended is not taken for broken input."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from revista.errors import PASSING, TimedOut
from revista.programs.process import run_program, spared_from_interrupts


@pytest.fixture(autouse=True)
def signals_end_programs() -> Iterator[None]:
    """Programs inherit which signals are ignored, and under nohup, or in the background of a script, some are."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", "HUP"])
def test_program_that_somebody_killed_is_tried_again(name: str) -> None:
    with pytest.raises(TimedOut, match=f"SIG{name}") as caught:
        run_program(["sh", "-c", f"kill -{name} $$"], timeout=30)
    assert caught.value.category in PASSING
    assert caught.value.hint


def test_program_that_crashes_is_the_callers_to_judge() -> None:
    assert run_program(["sh", "-c", "kill -SEGV $$"], timeout=30).returncode == -signal.SIGSEGV


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_of_the_terminal_does_not_end_the_page_under_way(signum: signal.Signals) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with spared_from_interrupts():
        spared = subprocess.Popen(["sleep", "0.5"])
    bare = subprocess.Popen(["sleep", "30"])
    for process in (spared, bare):
        process.send_signal(signum)
    assert bare.wait(30) == -signum
    assert spared.wait(30) == 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
