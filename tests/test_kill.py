"""Killed with SIGKILL at any moment and run again, the archive ends as after one undisturbed run."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import MakePdf, environment, revista


def snapshot(root: Path) -> dict[str, bytes]:
    """All files of an archive by relative path, the times taken out of the records; not the log of what was done."""
    files = {}
    for file in sorted(root.rglob("*")):
        if not file.is_file() or file.parent == root / "log":
            continue
        content = file.read_bytes()
        if file.suffix == ".json":
            data = json.loads(content)
            data["header"]["created"] = data["header"]["seconds"] = None
            for version in data["body"].get("versions", ()):
                version["entered"] = None
            content = json.dumps(data, sort_keys=True).encode()
        files[str(file.relative_to(root))] = content
    return files


def run_and_kill(pdf: Path, archive: Path, delay: float) -> bool:
    """Start a run and kill its process after `delay` seconds; True where it had ended by itself."""
    command = [sys.executable, "-m", "revista.cli", "run", str(pdf), "--archive", str(archive)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(timeout=delay) == 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False


@pytest.mark.parametrize("seed", [1916, pytest.param(1938, marks=pytest.mark.slow)])
def test_kill_at_random_moments(excerpt: MakePdf, tmp_path: Path, seed: int) -> None:
    pdf = excerpt(2, 5, 3)
    started = time.monotonic()
    done = revista("run", pdf, "--archive", tmp_path / "calm")
    assert done.returncode == 0, done.stderr
    whole = time.monotonic() - started

    dice = random.Random(seed)
    kills = 0
    for _ in range(6):
        kills += not run_and_kill(pdf, tmp_path / "disturbed", dice.uniform(0.3, 0.6 * whole))
    assert kills >= 2, "the kills came too late to disturb anything"
    done = revista("run", pdf, "--archive", tmp_path / "disturbed")
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "disturbed") == snapshot(tmp_path / "calm")


def test_every_file_under_its_name_is_whole_after_a_kill(excerpt: MakePdf, tmp_path: Path) -> None:
    pdf = excerpt(3, 8)
    root = tmp_path / "archive"
    for delay in (1.5, 2.5, 3.5, 4.5):
        run_and_kill(pdf, root, delay)
        for file in root.glob("issues/**/*.json"):
            assert json.loads(file.read_text("utf-8"))["header"]["stage"]


def test_two_runs_at_once_do_not_spoil_each_other(excerpt: MakePdf, tmp_path: Path) -> None:
    pdf = excerpt(2, 8)
    command = [sys.executable, "-m", "revista.cli", "run", str(pdf), "--archive", str(tmp_path / "both")]
    pair = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in pair:
        _, stderr = process.communicate(timeout=200)
        assert process.returncode == 0, stderr.decode()
    assert revista("run", pdf, "--archive", tmp_path / "calm").returncode == 0
    assert snapshot(tmp_path / "both") == snapshot(tmp_path / "calm")
