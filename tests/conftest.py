"""Fixtures that several test files share: the sample issue, parts of it, and an archive made from it.

Tests that are not about models say so with the profile `none`: the shipped ones would cost each a quarter of a minute.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from revista import pipeline
from revista.settings import Settings
from revista.store import Archive

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SAMPLE = ROOT / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"

NO_MODELS = Settings(profile="none")

MakePdf = Callable[..., Path]


def environment(**variables: str) -> dict[str, str]:
    """The environment for the command line: without a tester's own settings and without models, plus `variables`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("REVISTA_")}
    return {**inherited, "REVISTA_PROFILE": "none", **variables}


def revista(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a user does; in `environment()` where `env` is not given."""
    command = [sys.executable, "-m", "revista.cli", *map(str, arguments)]
    options = {"env": environment(), **options}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload, no-any-return]


def write_pdf(file: Path, *numbers: int) -> Path:
    """Write a PDF with some of the sample's pages (1-based), and give its path."""
    with pikepdf.open(SAMPLE) as sample, pikepdf.new() as new:
        for number in numbers:
            new.pages.append(sample.pages[number - 1])
        file.parent.mkdir(parents=True, exist_ok=True)
        new.save(file, deterministic_id=True)
    return file


@pytest.fixture
def excerpt(tmp_path: Path) -> MakePdf:
    """A function that writes a PDF with some of the sample's pages (1-based) and returns its path."""

    def make(*numbers: int, name: str = "muestra_social1916_10_v1_n10.pdf") -> Path:
        return write_pdf(tmp_path / name, *numbers)

    return make


@pytest.fixture(scope="session")
def sample_archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pipeline.IssueReport]:
    """An archive that holds the whole sample issue, and what the run reported. Read it; do not change it."""
    root = tmp_path_factory.mktemp("sample") / "archive"
    with Archive(root, create=True) as archive:
        report = pipeline.run_issue(archive, SAMPLE, NO_MODELS)
    return root, report
