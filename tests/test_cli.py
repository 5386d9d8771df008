"""The command line as a user meets it: in a process of its own, by what it prints and how it exits."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revista.errors import ExitCode
from revista.pipeline import IssueReport

from .conftest import ROOT, SAMPLE, SHARED, MakePdf, environment, revista

ISSUE = "social-1916-09-v1-n9"


def test_version_and_help() -> None:
    assert revista("--version").stdout.startswith("revista 0.")
    help_text = revista("--help").stdout
    for command in ("run", "show", "report", "doctor", "evaluate"):
        assert command in help_text


def test_answers_at_once() -> None:
    started = time.monotonic()
    assert revista("--version").returncode == 0
    assert time.monotonic() - started < 5  # torch alone would take longer on a cold machine


def test_run_json_then_fresh(excerpt: MakePdf, tmp_path: Path) -> None:
    pdf = excerpt(1)
    first = revista("run", pdf, "--archive", tmp_path / "archive", "--json")
    assert first.returncode == ExitCode.OK, first.stderr
    report = json.loads(first.stdout)["issues"][0]
    assert report["issue"] == "social-1916-10-v1-n10"
    assert report["pictures"] >= 1
    again = revista("run", pdf, "--archive", tmp_path / "archive", "--json")
    assert all(count["made"] == 0 for count in json.loads(again.stdout)["issues"][0]["stages"])


def test_options_override_the_file_name(excerpt: MakePdf, tmp_path: Path) -> None:
    pdf = excerpt(8, name="escaneo.pdf")
    done = revista(
        "run", pdf, "-a", tmp_path / "a", "--year", "1920", "--month", "2", "--id", "social-perdido", "--json"
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(revista("show", "social-perdido", "-a", tmp_path / "a", "--json").stdout)
    assert (shown["issue"]["year"], shown["issue"]["month"]) == (1920, 2)


def test_show_tells_the_whole_way(sample_archive: tuple[Path, IssueReport]) -> None:
    done = revista("show", ISSUE, "--archive", sample_archive[0], "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert len(shown["pages"]) == 8
    pictures = [picture for page in shown["pages"] for picture in page["pictures"]]
    sentences = [sentence for picture in pictures for sentence in picture["sentences"]]
    assert sentences
    assert all(s["source"] in {"vista", "pie", "articulo", "indice", "revisor"} for s in sentences)
    assert all(s["evidence"]["boxes"] for s in sentences)
    human = revista("show", ISSUE, "--archive", sample_archive[0])
    assert human.returncode == 0
    assert ISSUE in human.stdout


def test_report_is_one_file(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> None:
    done = revista("report", ISSUE, "--archive", sample_archive[0], "--to", tmp_path / "r.html")
    assert done.returncode == 0, done.stderr
    assert "<html" in (tmp_path / "r.html").read_text("utf-8")
    assert [f.name for f in tmp_path.iterdir()] == ["r.html"]


def test_doctor_finds_this_machine_well() -> None:
    done = revista("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == ExitCode.OK, done.stdout
    assert checks["Tesseract"]["status"] == "ok"
    assert "spa" in checks["Tesseract"]["found"]
    assert checks["Java (revista evaluate captions)"]["status"] == "ok"
    assert checks["captioner weights"] == {
        "name": "captioner weights",
        "status": "optional",
        "found": "none: profile none",
        "hint": checks["captioner weights"]["hint"],
        "exit_code": 0,
    }
    without = revista("doctor", "--json", env=environment(PATH="/nowhere"))
    java = next(check for check in json.loads(without.stdout) if check["name"].startswith("Java"))
    assert java["status"] == "optional" and java["hint"] == "sudo apt-get install default-jre-headless"


def test_evaluations_on_the_sample(tmp_path: Path) -> None:
    index = ROOT / "sample_pages" / "index.json"
    done = revista("evaluate", "regions", index, "--json", "--predictions", tmp_path / "p.json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert 0 < result["f1"] <= 1
    assert result["pages_without_pictures"] == 1  # page 4, in the same PDF as the others
    assert result["false_on_pages_without_pictures"] == 0
    assert len(json.loads((tmp_path / "p.json").read_text("utf-8"))) == 8


# --- how it fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run"], ExitCode.BAD_ARGUMENTS, "Missing argument"),
        (["fly"], ExitCode.BAD_ARGUMENTS, "No such command"),
        (["run", SAMPLE, SAMPLE, "-a", "a", "--year", "1916"], ExitCode.BAD_ARGUMENTS, "2 PDFs"),
        (["run", SAMPLE, "-a", "a", "--month", "13"], ExitCode.BAD_ARGUMENTS, "month"),
        (["run", SAMPLE, "-a", "a", "--settings", "none.toml"], ExitCode.BAD_ARGUMENTS, "none.toml"),
        (["run", "nowhere.pdf", "-a", "a"], ExitCode.BAD_INPUT, "nowhere.pdf"),
        (["run", Path(__file__), "-a", "a"], ExitCode.BAD_INPUT, "test_cli.py"),
        (["show", "social-1800-01", "-a", "no-such-folder"], ExitCode.BAD_ARGUMENTS, "no-such-folder"),
        (["evaluate", "regions", "nowhere.json"], ExitCode.BAD_INPUT, "nowhere.json"),
    ],
    ids=lambda value: "-".join(map(str, value))[:40] if isinstance(value, list) else None,
)
def test_exit_codes(arguments: list[str | Path], code: ExitCode, says: str, tmp_path: Path) -> None:
    done = revista(*arguments, cwd=tmp_path, env={**environment(), "PYTHONPATH": str(ROOT)})
    assert done.returncode == code, done.stderr
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_misspelt_setting(tmp_path: Path) -> None:
    (tmp_path / "revista.toml").write_text("[text]\nlanguaje = 'spa'\n")
    done = revista("run", SAMPLE, "-a", "a", cwd=tmp_path, env={**environment(), "PYTHONPATH": str(ROOT)})
    assert done.returncode == ExitCode.BAD_ARGUMENTS
    assert "text.languaje" in done.stderr


def test_missing_program_says_what_to_type(tmp_path: Path) -> None:
    env = {**environment(), "PATH": str(tmp_path)}
    done = revista("run", SAMPLE, "-a", tmp_path / "a", env=env)
    assert done.returncode == ExitCode.MISSING_PROGRAM
    assert "apt-get install" in done.stderr
    assert revista("doctor", env=env).returncode == ExitCode.MISSING_PROGRAM


def test_missing_language(tmp_path: Path) -> None:
    done = revista("run", SAMPLE, "-a", tmp_path / "a", env={**environment(), "REVISTA_TEXT__LANGUAGE": "tlh"})
    assert done.returncode == ExitCode.MISSING_PROGRAM
    assert "tesseract-ocr-tlh" in done.stderr


def test_detector_without_its_checkpoint(tmp_path: Path) -> None:
    env = {**environment(), "REVISTA_REGIONS__DETECTORS": '["transformers"]'}
    done = revista("run", SAMPLE, "-a", tmp_path / "a", env=env)
    assert done.returncode == ExitCode.BAD_ARGUMENTS
    assert "regions.transformers_model" in done.stderr


def test_missing_weights(tmp_path: Path) -> None:
    env = {**environment(), "REVISTA_CAPTIONS__MODEL": str(tmp_path / "none")}
    done = revista("run", SAMPLE, "-a", tmp_path / "a", env=env)
    assert done.returncode == ExitCode.MISSING_WEIGHTS
    assert "config.json" in done.stderr


def test_bad_issue_does_not_stop_the_good_one(excerpt: MakePdf, tmp_path: Path) -> None:
    broken = tmp_path / "roto.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    done = revista("run", broken, excerpt(8), "-a", tmp_path / "a", "--json")
    assert done.returncode == ExitCode.BAD_INPUT
    result = json.loads(done.stdout)
    assert [issue["issue"] for issue in result["issues"]] == ["social-1916-10-v1-n10"]
    assert result["failed"][0]["file"].endswith("roto.pdf")
    assert result["failed"][0]["hint"]


def test_name_that_is_not_utf8_does_not_stop_the_good_one(excerpt: MakePdf, tmp_path: Path) -> None:
    good = excerpt(8)
    latin1 = tmp_path / os.fsdecode(b"a\xf1o.pdf")
    shutil.copy(good, latin1)
    done = revista("run", latin1, good, "-a", tmp_path / "a", "--json")
    assert done.returncode == ExitCode.BAD_INPUT, done.stderr
    result = json.loads(done.stdout)
    assert len(result["issues"]) == 1
    assert "not UTF-8" in result["failed"][0]["message"]


def test_speaks_in_any_locale(sample_archive: tuple[Path, IssueReport]) -> None:
    env = {**environment(), "PYTHONIOENCODING": "ascii"}
    assert revista("doctor", env=env).returncode == 0
    plain = revista("show", ISSUE, "-a", sample_archive[0], "--json")
    assert json.loads(revista("show", ISSUE, "-a", sample_archive[0], "--json", env=env).stdout) == json.loads(
        plain.stdout
    )


def test_two_issues_of_one_name_do_not_replace_each_other(excerpt: MakePdf, tmp_path: Path) -> None:
    for folder, page in (("1916-01", 4), ("1916-02", 6)):
        (tmp_path / folder).mkdir()
        excerpt(page, name=f"{folder}/scan.pdf")
    done = revista("run", *sorted(tmp_path.glob("*/scan.pdf")), "-a", tmp_path / "a", "--json")
    assert done.returncode == ExitCode.BAD_INPUT
    result = json.loads(done.stdout)
    assert len(result["issues"]) == 1
    assert "has the same id" in result["failed"][0]["message"]


def test_full_disk(excerpt: MakePdf, tmp_path: Path) -> None:
    """The kernel refuses every file beyond 20 kB, as a full disk does; with space again, the run goes on."""
    pdf = excerpt(8)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = revista("run", pdf, "-a", tmp_path / "a", preexec_fn=small_files)
    assert done.returncode == ExitCode.STORAGE, done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert revista("run", pdf, "-a", tmp_path / "a").returncode == ExitCode.OK


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(excerpt: MakePdf, tmp_path: Path, signum: signal.Signals) -> None:
    pdf = excerpt(2, 3, 5)
    command = [sys.executable, "-m", "revista.cli", "run", str(pdf), "--archive", str(tmp_path / "a")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
    while not list((tmp_path / "a").glob("issues/*/regions/*.json")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signum)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "goes on where it stopped" in stderr
    assert "Traceback" not in stderr
    assert not list((tmp_path / "a" / ".tmp").iterdir())


@pytest.mark.skipif(not SHARED.is_dir(), reason="broken PDFs lie in ../shared, which is not here")
def test_batch_of_broken_and_good_goes_on(tmp_path: Path) -> None:
    for name in ("invalid.pdf", "trivial.pdf", "no_contents.pdf"):
        shutil.copy(SHARED / "pages" / "bad_input" / name, tmp_path)
    pdfs = sorted(tmp_path.glob("*.pdf"))
    done = revista("run", *pdfs, "-a", tmp_path / "a", "--json")
    assert done.returncode == ExitCode.BAD_INPUT
    result = json.loads(done.stdout)
    assert len(result["issues"]) == 2
    assert len(result["failed"]) == 1
