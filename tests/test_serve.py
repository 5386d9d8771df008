"""Server, worker, schedule and inbox, running for real: what the scheduler, the operator and the batch meet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from revista import scans, worklog
from revista.store import Archive

from .conftest import write_pdf
from .serving import ROOT, Stack, wait_until, webhook
from .test_kill import snapshot

ISSUE = "social-1916-10-v1-n10"
BROKEN = "ohcbh_ch_social1929_6_v14_n6.pdf"


@pytest.fixture(scope="module")
def hook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    with webhook() as opened:
        yield opened


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, hook: tuple[str, list[dict[str, str]]]) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("stack"), {}, ("--notify", hook[0]))
    running.start()
    try:
        yield running
        assert running.outside_calls == []
    finally:
        running.stop()


def one_page_a_task(folder: Path) -> str:
    """A settings file that makes runs long enough to disturb them: one page after the other."""
    file = folder / "slow.toml"
    file.write_text("[run]\npages_per_task = 1\nworkers = 1\n")
    return str(file)


def under_way(stack: Stack, archive: Path, issue: str, pages: int = 2) -> None:
    """Wait until some pages of an issue have been read."""
    text = archive / "issues" / issue / "text"
    wait_until(f"{pages} pages are read", lambda: len(list(text.glob("*.json"))) >= pages, 120, 0.1)


def made(archive: Archive, issue: str, stage: str) -> int:
    """How many records a stage has made of an issue, in all runs."""
    return sum(entry.made for entry in worklog.read(archive, issue) if entry.stage == stage)


def test_second_start_finds_it_running(stack: Stack) -> None:
    again = subprocess.run(
        stack.command(), cwd=ROOT, env=stack.env(), capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"revista runs already: {stack.url}\n"


def test_what_is_deployed(stack: Stack) -> None:
    named = {deployment["name"] for deployment in stack.post("deployments/filter")}
    assert named == {"inbox", "reprocess", "archive", "renew", "models"}
    (schedule,) = stack.deployment("inbox/inbox")["schedules"]
    assert schedule["active"] and schedule["schedule"]["cron"] == "*/5 * * * *"
    form = stack.deployment("reprocess/reprocess")["parameter_openapi_schema"]
    assert "Every issue" in json.dumps(form)
    assert form["properties"]["dry_run"]["default"] is True


def test_scheduled_inbox(stack: Stack, hook: tuple[str, list[dict[str, str]]]) -> None:
    """Two PDFs, one broken, one still being written: the schedule finds them, and each goes where it belongs."""
    write_pdf(stack.inbox / "ohcbh_ch_social1916_10_v1_n10.pdf", 2, 3)
    (stack.inbox / BROKEN).write_bytes(b"%PDF-1.4\nnothing in it\n%%EOF\n")
    half = write_pdf(stack.folder / "half.pdf", 8).read_bytes()
    (stack.inbox / "half.pdf").write_bytes(half[: len(half) // 2])
    (stack.inbox / "notas.txt").write_text("not a scan")
    deployment = stack.deployment("inbox/inbox")
    schedule = {"slug": "every-five-minutes", "schedule": {"cron": "* * * * *", "timezone": "UTC"}}
    sooner = {"schedules": [schedule], "parameters": {"settle_seconds": 1}}
    stack.patch(f"deployments/{deployment['id']}", sooner)
    done = stack.inbox / "done" / ISSUE / "v1" / "ohcbh_ch_social1916_10_v1_n10.pdf"
    wait_until("the schedule has taken the finished PDFs", lambda: done.exists(), 180)
    (run,) = wait_until(
        "the round ended",
        lambda: [r for r in stack.runs(name=["inbox"]) if r["state_name"] == "Completed with problems"],
    )
    stack.patch(
        f"deployments/{deployment['id']}", {"schedules": [schedule | {"active": False}]}
    )  # the other tests start their own rounds
    assert run["auto_scheduled"]
    assert "1 of 2 issues done" in run["state"]["message"] and BROKEN in run["state"]["message"]
    assert (stack.inbox / "half.pdf").exists() and (stack.inbox / "notas.txt").exists()

    states = {r["name"]: r["state_name"] for r in stack.runs(name=["Social 1916-10 v1 n10", "Social 1929-06 v14 n6"])}
    assert states == {"Social 1916-10 v1 n10": "Completed", "Social 1929-06 v14 n6": "Failed"}
    note = (stack.inbox / "failed" / f"{BROKEN}.txt").read_text("utf-8")
    assert "qpdf" in note and "No se ha podido procesar" in note
    assert "imágenes" in done.with_name(f"{done.name}.txt").read_text("utf-8")
    with Archive(stack.archive) as archive:
        assert scans.find_scan(archive, ISSUE) == str(done)

    fates = {row["file"]: row["what became of it"] for row in stack.rows("inbox")}
    assert fates == {done.name: "done", BROKEN: "failed", "half.pdf": "left", "notas.txt": "left"}
    (problem,) = stack.rows("problems-social-1929-06-v14-n6")
    assert "qpdf" in problem["what to do"]
    assert "data:image/jpeg;base64," in stack.artifacts(f"pictures-{ISSUE}")[0]["data"]
    totals = {row["what"]: row["count"] for row in stack.rows("archive-totals")}
    assert totals["issues"] == 1 and totals["pages"] == 2 and totals["pictures"] >= 1

    told = wait_until("the webhook was told", lambda: [p for p in hook[1] if p["run"] == "inbox"])
    assert told[0]["state"] == "Completed with problems"
    assert told[0]["url"].startswith(stack.url)


def test_known_renamed_and_corrected_scans(stack: Stack) -> None:
    same = stack.inbox / "ohcbh_ch_social1916_10_v1_n10.pdf"
    write_pdf(same, 2, 3)
    stack.wait_for(stack.begin("inbox/inbox", settle_seconds=0.5), "Completed")
    assert {row["file"]: row["what became of it"] for row in stack.rows("inbox")}[same.name] == "known"

    renamed = write_pdf(stack.inbox / "Social octubre 1916-10 v1 n10.pdf", 2, 3)
    stack.wait_for(stack.begin("inbox/inbox", settle_seconds=0.5), "Completed")
    corrected = write_pdf(stack.inbox / "Social 1916-10 v1 n10 (corregido).pdf", 2, 8)
    with Archive(stack.archive) as archive:
        before = len(worklog.read(archive, ISSUE))
        stack.wait_for(stack.begin("inbox/inbox", settle_seconds=0.5), "Completed")
        names = [(v.version, v.source_name) for v in scans.versions(archive, ISSUE)]
        assert names == [(1, same.name), (2, renamed.name), (3, corrected.name)]
        assert Path(scans.find_scan(archive, ISSUE)).parent.name == "v3"
        made = {entry.stage: entry.made for entry in worklog.read(archive, ISSUE)[before:]}
        assert made["text"] == made["regions"] == 1  # only the corrected page
    assert stack.rows(f"changes-{ISSUE}")[0]["what"] != "nothing changed"


def test_reprocess_dry_run_then_real(stack: Stack) -> None:
    settings = stack.folder / "changed.toml"
    settings.write_text("[ranking]\nmin_window_probability = 0.7\n")
    chosen: dict[str, Any] = {"selection": {"every_issue": True}, "settings_file": str(settings)}
    before = snapshot(stack.archive / "issues")
    with Archive(stack.archive) as archive:
        logged = len(worklog.read(archive, ISSUE))
        dry = stack.begin("reprocess/reprocess", **chosen)
        stack.wait_for(dry, "Completed")
        assert stack.message(dry).startswith("dry run: 1 of 1 issues")
        assert snapshot(stack.archive / "issues") == before
        cost = {row["stage"]: row.get("pages to do") for row in stack.rows("reprocess-plan")}
        assert cost["ranking"] == cost["descriptions"] == 2 and cost["text"] == cost["captions"] == 0

        stack.wait_for(stack.begin("reprocess/reprocess", dry_run=False, **chosen), "Completed")
        assert [entry.stage for entry in worklog.read(archive, ISSUE)[logged:]] == ["ranking", "descriptions"]
        again = stack.begin("reprocess/reprocess", dry_run=False, **chosen)
        stack.wait_for(again, "Completed")
        assert stack.message(again) == "nothing to do: all 1 issues are fresh"
    nothing = stack.begin("reprocess/reprocess", selection={})
    stack.wait_for(nothing, "Failed")
    assert "→ Choose" in stack.message(nothing)


def test_worker_killed_in_mid_run_and_retried(stack: Stack) -> None:
    archive, pdf = stack.folder / "killed", write_pdf(stack.folder / "long_social1917_1.pdf", *range(1, 9))
    run = stack.begin(
        "archive/archive", pdfs=[str(pdf)], archive=str(archive), settings_file=one_page_a_task(stack.folder)
    )
    under_way(stack, archive, "social-1917-01")
    os.kill(stack.child("worker", "start"), signal.SIGKILL)
    killed = time.monotonic()
    stack.wait_for(run, "Crashed", patience=120)
    wait_until(
        "its sub-run is crashed too",
        lambda: {r["state_name"] for r in stack.runs(parent_flow_run_id=[run])} == {"Crashed"},
        killed + 120 - time.monotonic(),
    )
    stack.set_state(run, "SCHEDULED", "AwaitingRetry")  # as the button Retry does
    stack.wait_for(run, "Completed", patience=240)
    with Archive(archive) as store:
        for stage in ("pages", "regions", "text"):  # the retry did what was missing, and nothing twice
            assert made(store, "social-1917-01", stage) in (7, 8)  # the kill may come between a record and the log


@pytest.mark.slow
def test_cancelled_and_suspended(stack: Stack) -> None:
    archive, pdf = stack.folder / "cancelled", write_pdf(stack.folder / "long_social1917_2.pdf", *range(1, 9))
    settings = one_page_a_task(stack.folder)
    given = {"pdfs": [str(pdf)], "archive": str(archive), "settings_file": settings}
    run = stack.begin("archive/archive", **given)
    under_way(stack, archive, "social-1917-02")
    stack.set_state(run, "CANCELLING", "Cancelling")
    stack.wait_for(run, "Cancelled", patience=90)
    wait_until(
        "its sub-run is cancelled too",
        lambda: {r["state_name"] for r in stack.runs(parent_flow_run_id=[run])} == {"Cancelled"},
        60,
    )
    wait_until("its process is gone", lambda: not stack.children("prefect.engine"), 60)

    again = stack.begin("archive/archive", **given)
    under_way(stack, archive, "social-1917-02", 4)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    stack.set_state(again, "PAUSED", "Suspended", pause_reschedule=True, pause_timeout=tomorrow)  # as the UI does
    wait_until("its process is gone", lambda: not stack.children("prefect.engine"), 90)
    assert stack.state(again) == "Suspended"
    read = len(list((archive / "issues" / "social-1917-02" / "text").glob("*.json")))
    assert read < 8
    stack.post(f"flow_runs/{again}/resume")
    stack.wait_for(again, "Completed", patience=240)
    with Archive(archive) as store:
        assert made(store, "social-1917-02", "text") in (6, 7, 8)  # stopped twice between a record and the log


@pytest.mark.slow
def test_server_restarted_in_mid_run(stack: Stack) -> None:
    archive, pdf = stack.folder / "restarted", write_pdf(stack.folder / "long_social1917_3.pdf", *range(1, 9))
    run = stack.begin(
        "archive/archive", pdfs=[str(pdf)], archive=str(archive), settings_file=one_page_a_task(stack.folder)
    )
    under_way(stack, archive, "social-1917-03")
    os.kill(stack.child("flows.server"), signal.SIGKILL)
    wait_until("the server is back", lambda: stack.log().count("the server ended with -9"), 30)
    time.sleep(3)

    def ended() -> bool:
        try:
            return stack.state(run) == "Completed"
        except Exception:
            return False

    wait_until("the run is completed", ended, 240)
    assert {r["state_name"] for r in stack.runs(parent_flow_run_id=[run])} == {"Completed"}


def test_vanished_inbox_and_no_room(stack: Stack) -> None:
    gone = stack.begin("inbox/inbox", folder=str(stack.folder / "not-there"))
    stack.wait_for(gone, "Failed")
    assert "mkdir -p" in stack.message(gone)


def test_issue_at_which_the_process_dies_is_passed_over(stack: Stack) -> None:
    archive = stack.folder / "deadly"
    pdf = write_pdf(stack.folder / "social1917_4.pdf", 8)
    attempts = archive / ".attempts" / pdf.name
    attempts.parent.mkdir(parents=True)
    attempts.write_text("1\n2\n")  # it died twice
    run = stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive))
    stack.wait_for(run, "Failed")
    assert "the process died 2 times" in stack.rows("archive-summary")[0]["what happened"]
    again = stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive))
    stack.wait_for(again, "Completed")


def test_stops_cleanly_and_starts_again(stack: Stack) -> None:
    """The last test of this file: nothing of it is left running, and a new start knows all runs."""
    known = len(stack.runs())
    before = [pid for pid in stack.children() if Path(f"/proc/{pid}").exists()]
    assert len(before) >= 3
    stop = subprocess.run(
        stack.command("--stop"), cwd=ROOT, env=stack.env(), capture_output=True, text=True, timeout=120, check=False
    )
    assert stop.stdout == "stopped\n", stop.stderr
    assert stack.process and stack.process.wait(timeout=30) == 0
    wait_until("all processes are gone", lambda: not any(Path(f"/proc/{pid}").exists() for pid in before), 30)
    (stack.folder / "serve.log").unlink()
    stack.start()
    assert len(stack.runs()) == known
