"""External programs: what somebody else ended is not taken for broken input."""

import signal
import subprocess

import pytest

from revista.errors import PASSING, TimedOut
from revista.programs.process import run_program, spared_from_interrupts


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
