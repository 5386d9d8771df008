"""Each file of a collection that breaks readers, through the whole command: pages or a clear problem, in bounds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revista.errors import ExitCode

from .conftest import SHARED, environment

FILES = sorted((SHARED / "pages" / "bad_input").glob("*.*")) if SHARED.is_dir() else []
SECONDS = 60
GIGABYTES = 4


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="broken files lie in ../shared, which is not here")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_ends_in_pages_or_one_clear_problem(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "revista.cli", "run", str(file), "--archive", str(tmp_path / "a"), "--json"]
    started = time.monotonic()
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment())
        _, status, used = os.wait4(process.pid, 0)  # the largest of the process and its programs
    process.returncode = code = os.waitstatus_to_exitcode(status)

    assert "Traceback" not in (tmp_path / "err").read_text("utf-8")
    assert time.monotonic() - started < SECONDS
    assert used.ru_maxrss < GIGABYTES * 1024**2  # kilobytes
    result = json.loads((tmp_path / "out").read_text("utf-8"))
    if code == ExitCode.OK:
        (issue,) = result["issues"]
        assert issue["pages"] > 0
        assert issue["failed_pages"] == []
    else:
        assert code in (ExitCode.BAD_INPUT, ExitCode.TOO_MANY_PROBLEMS)
        (failure,) = result["failed"]
        assert failure["message"] and failure["hint"]
