"""More than one machine: PostgreSQL, a password, several workers over a shared folder or an object store, a queue
for models; and what happens when one of them goes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from revista import scans, worklog
from revista.errors import ExitCode
from revista.objects import ObjectArchive
from revista.stages import STAGES
from revista.store import Archive
from revista.totals import archive_totals

from .conftest import write_pdf
from .growing import Machine, Postgres, machines, made, plain_archive, postgres, same_issues, worker_of
from .objects.server import ObjectServer, object_server
from .serving import ROOT, Stack, wait_until
from .test_serve import one_page_a_task, under_way
from .tiny_models import one_thread, save_blip, save_clip

LONG = 6  # pages
GOOD = ("Completed", "Completed with problems")


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectServer]:
    with object_server() as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, database: Postgres, store: ObjectServer) -> Iterator[Stack]:
    environment = {
        "REVISTA_PROFILE": "none",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.url,
        "PREFECT_SERVER_API_AUTH_STRING": "operator:secret",
    }
    running = Stack(tmp_path_factory.mktemp("stack"), environment, ("--host", "0.0.0.0"))
    running.start()
    running.post(f"deployments/{running.deployment('inbox/inbox')['id']}/pause_deployment")  # it takes a place
    try:
        yield running
        assert running.outside_calls == []
    finally:
        running.stop()


def test_password(stack: Stack) -> None:
    assert httpx.post(f"{stack.url}/api/flow_runs/filter", json={}).status_code == 401
    assert httpx.post(f"{stack.url}/api/flow_runs/filter", json={}, auth=("operator", "guess")).status_code == 401
    assert isinstance(stack.runs(), list)


def test_no_other_machine_without_a_password(tmp_path: Path) -> None:
    bare = Stack(tmp_path, {}, ("--host", "0.0.0.0"))
    done = subprocess.run(
        bare.command(), cwd=ROOT, env=bare.env(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == ExitCode.BAD_ARGUMENTS
    assert "PREFECT_SERVER_API_AUTH_STRING" in done.stderr


@pytest.mark.slow
def test_shares_go_to_several_workers(stack: Stack, database: Postgres) -> None:
    pages = {"social-1920-01": (8, 3, 2), "social-1920-02": (3,)}
    pdfs = [write_pdf(stack.folder / f"social1920_{n}.pdf", *numbers) for n, numbers in enumerate(pages.values(), 1)]
    archive = stack.folder / "shared"
    run = stack.begin("archive/archive", workers=2, pdfs=[str(pdf) for pdf in pdfs], archive=str(archive))
    wait_until("the stack's own worker has it", lambda: stack.state(run) in ("Pending", "Running"))
    with machines(stack, "second"):  # one place is left at the first worker, one is here
        state = stack.wait_for(run, *GOOD)
    shares = stack.runs(parent_flow_run_id=[run])
    assert [share["name"] for share in shares] == ["share of 1 issue"] * 2
    assert {worker_of(stack, share["id"]) for share in shares} == {f"worker on {socket.gethostname()}", "second"}
    for issue, numbers in pages.items():
        assert made(archive, issue) == dict.fromkeys(STAGES, len(numbers))
    rows = stack.rows("archive-summary")
    assert [row["made"] for row in rows] == [3 * len(STAGES), len(STAGES)]
    assert f"](http://{socket.getfqdn()}:{stack.reports_port}/social-1920-01)" in rows[0]["issue"]
    assert not list((archive / "log" / "runs").iterdir())
    assert database.ask(f"select state_name from flow_run where id = '{run}'") == state
    same_issues(archive, plain_archive(stack.folder / "shared plain", pdfs))


def test_one_issue_in_two_runs_at_once(stack: Stack) -> None:
    """One works; the other waits, and finds all done, or says who has it."""
    pdf = write_pdf(stack.folder / "social1920_7.pdf", 8)
    archive = stack.folder / "twice"
    runs = [stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive)) for _ in range(2)]
    states = [stack.wait_for(run, *GOOD, "Failed") for run in runs]
    assert states != ["Failed", "Failed"]
    for run, state in zip(runs, states, strict=True):
        assert state != "Failed" or "is being worked on by process" in reason(stack, run)
    assert made(archive, "social-1920-07") == dict.fromkeys(STAGES, 1)


def reason(stack: Stack, run: str) -> str:
    """Why the one issue of a run failed."""
    (sub,) = stack.runs(parent_flow_run_id=[run])
    return str(sub["state"]["message"])


@pytest.mark.slow
def test_worker_lost_in_mid_share(stack: Stack) -> None:
    """The machine of a share goes: its issues are told as failed, the others are done; a retry does the rest only."""
    issues = two_long_and_two_short(stack.folder / "lost scans", 1921)
    archive = stack.folder / "lost"
    pdfs = [str(pdf) for pdf in issues.values()]
    given = {"pdfs": pdfs, "archive": str(archive), "settings_file": one_page_a_task(stack.folder)}
    run = dealt_out(stack, given)
    with machines(stack, "second", "third") as both:
        victim, name = share_at(stack, run, both)
        lost = next(id for id, pdf in issues.items() if pdf.name == name)
        under_way(stack, archive, lost)
        victim.kill()
        assert stack.wait_for(run, *GOOD, "Failed", patience=240) == "Completed with problems"
        fates = {row["issue"]: (row["state"], row.get("what happened", "")) for row in stack.rows("archive-summary")}
        state, why = fates[name]
        assert state == "failed" and "its run ended as Crashed" in why
        stack.set_state(run, "SCHEDULED", "AwaitingRetry")
        stack.wait_for(run, "Completed", patience=300)
    for id, pages in zip(issues, (LONG, LONG, 1, 1), strict=True):
        for stage, count in made(archive, id).items():
            assert count == pages or (id == lost and count == pages - 1), f"{id}: {stage}"  # killed before it was noted
    same_issues(archive, plain_archive(stack.folder / "lost plain", list(issues.values())))


def two_long_and_two_short(folder: Path, year: int) -> dict[str, Path]:
    """Issues by id, so that each of two shares has a long one, to be disturbed, and a short one."""
    pages = (range(1, LONG + 1), range(2, LONG + 2), (8,), (3,))
    return {
        f"social-{year}-{n:02d}": write_pdf(folder / f"social{year}_{n}.pdf", *numbers)
        for n, numbers in enumerate(pages, start=1)
    }


def dealt_out(stack: Stack, given: dict[str, Any]) -> str:
    """A run whose two shares wait for places; it has one at the stack's own worker, which has another one left."""
    run = stack.begin("archive/archive", workers=2, **given)
    wait_until("the shares are dealt out", lambda: len(stack.runs(parent_flow_run_id=[run])) == 2)
    return run


def share_at(stack: Stack, run: str, machines: list[Machine]) -> tuple[Machine, str]:
    """One of the machines that has taken a share of the run, and the name of the long PDF in it."""
    names = {machine.name: machine for machine in machines}

    def taken() -> tuple[Machine, str] | None:
        for share in stack.runs(parent_flow_run_id=[run]):
            if (name := share["labels"].get("prefect.worker.name")) in names:
                return names[name], Path(share["parameters"]["pdfs"][0]).name
        return None

    found: tuple[Machine, str] = wait_until("a machine has taken a share", taken)
    return found


@pytest.mark.slow
def test_database_gone_for_a_while(stack: Stack, database: Postgres) -> None:
    pdf = write_pdf(stack.folder / "social1922_1.pdf", *range(1, 9))
    archive = stack.folder / "outage"
    run = stack.begin(
        "archive/archive", pdfs=[str(pdf)], archive=str(archive), settings_file=one_page_a_task(stack.folder)
    )
    under_way(stack, archive, "social-1922-01")
    database.stop()
    time.sleep(20)
    database.start()

    def ended() -> str | None:
        try:
            state = stack.state(run)
        except httpx.HTTPError:
            return None
        return state if state in {"Completed", "Completed with problems", "Failed", "Crashed"} else None

    state = wait_until("the run has ended", ended, 400)
    print("after the outage:", state, stack.message(run))
    if not state.startswith("Completed"):
        stack.set_state(run, "SCHEDULED", "AwaitingRetry")
        stack.wait_for(run, "Completed", "Completed with problems", patience=300)
    assert made(archive, "social-1922-01")["text"] == 8
    same_issues(archive, plain_archive(stack.folder / "outage plain", [pdf]))


def upload(bucket: str, *pdfs: Path) -> None:
    """Put scans into a new bucket."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for pdf in pdfs:
        client.upload_file(str(pdf), bucket, f"scans/{pdf.name}")


@pytest.mark.slow
def test_object_store_and_a_worker_lost(stack: Stack) -> None:
    """Scans and archive in a store, a disk of its own for each worker, one of which goes."""
    issues = two_long_and_two_short(stack.folder / "s3 scans", 1919)
    upload("growing", *issues.values())
    url = "s3://growing/archive"
    remote = ObjectArchive(url)
    given = {"pdfs": ["s3://growing/scans/"], "archive": url, "settings_file": one_page_a_task(stack.folder)}
    run = dealt_out(stack, given)
    with machines(stack, "second", "third") as both:
        victim, name = share_at(stack, run, both)
        lost = next(id for id, pdf in issues.items() if pdf.name == name)
        wait_until("regions are published", lambda: published(remote, lost, "regions"), 180)
        victim.kill()
        assert stack.wait_for(run, *GOOD, "Failed", patience=240) == "Completed with problems"
        assert published(remote, lost, "regions") == LONG  # what was published before stays
        stack.set_state(run, "SCHEDULED", "AwaitingRetry")
        stack.wait_for(run, "Completed", patience=300)

    assert remote.issues() == list(issues)
    fetched = stack.folder / "fetched"
    copies = [*stack.folder.glob("prefect/copies/*"), *stack.folder.glob("machine */prefect/copies/*")]
    for issue, pages in zip(issues, (LONG, LONG, 1, 1), strict=True):
        for hidden in remote.fetch(issue, fetched).glob(".objects*"):
            hidden.unlink()
        with Archive(fetched) as archive:
            assert scans.find_scan(archive, issue) == f"s3://growing/scans/{issues[issue].name}"
        counts = Counter[str]()
        for copy in copies:
            counts.update(made(copy, issue))
        for stage in STAGES:  # what the lost worker had not published yet is made again
            again = pages if issue == lost and stage not in ("pages", "regions") else 0
            assert pages <= counts[stage] <= pages + again, f"{issue}: {stage}"
    same_issues(fetched, plain_archive(stack.folder / "s3 plain", list(issues.values())), but="scans.json")


def published(remote: ObjectArchive, issue: str, stage: str) -> int:
    """How many records of a stage are published."""
    return sum(name.startswith(f"{stage}/") for name in remote.manifest(issue)[0].files)


@pytest.mark.slow
def test_reprocess_in_an_object_store(stack: Stack) -> None:
    pdf = write_pdf(stack.folder / "social1919_2.pdf", 8)
    upload("renewing", pdf)
    url = "s3://renewing/archive"
    stack.wait_for(stack.begin("archive/archive", pdfs=["s3://renewing/scans/"], archive=url), *GOOD)
    settings = stack.folder / "weight.toml"
    settings.write_text("[ranking]\nmin_window_probability = 0.7\n")
    before = ObjectArchive(url).manifest("social-1919-02")[0]
    chosen = {"selection": {"every_issue": True}, "archive": url, "settings_file": str(settings), "dry_run": False}
    stack.wait_for(stack.begin("reprocess/reprocess", **chosen), *GOOD)
    after = ObjectArchive(url).manifest("social-1919-02")[0]
    changed = {name.split("/")[0] for name, entry in after.files.items() if before.files.get(name) != entry}
    assert {"ranking", "descriptions"} <= changed <= {"ranking", "descriptions", "summary.json"}
    again = stack.begin("reprocess/reprocess", **chosen)
    stack.wait_for(again, "Completed")
    assert stack.message(again) == "nothing to do: all 1 issues are fresh"


@pytest.mark.slow
def test_models_one_at_a_time_on_their_own_queue(stack: Stack) -> None:
    one_thread()
    captioner, ranker = save_blip(stack.folder / "blip"), save_clip(stack.folder / "clip")
    settings = stack.folder / "queue.toml"
    settings.write_text(f'[run]\nmodels = "queue"\n[captions]\nmodel = "{captioner}"\n[ranking]\nmodel = "{ranker}"\n')
    archive = stack.folder / "queued"
    pdfs = [write_pdf(stack.folder / f"social1924_{n}.pdf", 8, 3) for n in (1, 2)]
    with machines(stack, "second"), machines(stack, "device", queue="models"):
        runs = [
            stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive), settings_file=str(settings))
            for pdf in pdfs
        ]
        for run in runs:
            stack.wait_for(run, *GOOD, patience=300)
    model_runs = sorted(stack.runs(work_queue_name=["models"]), key=lambda run: str(run["start_time"]))
    assert len(model_runs) == 2
    assert {run["name"] for run in model_runs} == {f"social-1924-0{n}: ['captions', 'ranking']" for n in (1, 2)}
    assert [worker_of(stack, run["id"]) for run in model_runs] == ["device"] * 2
    assert model_runs[0]["end_time"] <= model_runs[1]["start_time"]
    for run, issue in zip(runs, ("social-1924-01", "social-1924-02"), strict=True):
        assert made(archive, issue) == dict.fromkeys(STAGES, 2)
        (sub,) = stack.runs(parent_flow_run_id=[run])
        with Archive(archive) as found:
            by = {entry.stage: entry.by for entry in worklog.read(found, issue)}
            assert by["captions"] == by["ranking"] != by["text"] == sub["id"]
            assert archive_totals(found).totals.described_by_model > 0


@pytest.mark.slow
def test_no_room_in_the_archive(stack: Stack) -> None:
    """The archive's file system is full: Failed, with what to do; with space again a retry goes on."""
    small = stack.folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    try:
        filler = small / "filler"
        filler.write_bytes(b"0" * 29_500_000)
        pdf = write_pdf(stack.folder / "social1925_1.pdf", *range(1, 9))
        archive = small / "archive"
        run = stack.begin("archive/archive", pdfs=[str(pdf)], archive=str(archive))
        stack.wait_for(run, "Failed")
        (row,) = stack.rows("archive-summary")
        assert "space" in row["what happened"] and row["what to do"].startswith("Free some space"), row
        for file in archive.glob("issues/**/*.json"):
            json.loads(file.read_text("utf-8"))
        filler.unlink()
        stack.set_state(run, "SCHEDULED", "AwaitingRetry")
        stack.wait_for(run, *GOOD)
        same_issues(archive, plain_archive(stack.folder / "small plain" / "archive", [pdf]))
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


@pytest.mark.slow
def test_closed_network_and_a_locked_database(tmp_path: Path) -> None:
    apart = ["unshare", "--net", *(() if os.getuid() == 0 else ("--map-root-user",))]
    if subprocess.run([*apart, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode:
        pytest.skip("no right to a network of its own")
    done = subprocess.run(
        [*apart, sys.executable, "-m", "tests.closed_network", str(tmp_path), "--locked"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["routes"] == "" and told["outside"] == ""
    assert told["inbox"] in GOOD and "1 of 1 issues done" in told["message"]
    assert told["locked"] in GOOD
    same_issues(tmp_path / "locked", plain_archive(tmp_path / "plain", [tmp_path / "social1923_2.pdf"]))


@pytest.mark.slow
def test_retried_while_its_process_lives(stack: Stack) -> None:
    """As where a run was taken for dead: the worker and its other runs live on, and nothing is done twice."""
    pdf = write_pdf(stack.folder / "social1926_1.pdf", *range(1, LONG + 1))
    archive = stack.folder / "alive"
    given = {"pdfs": [str(pdf)], "archive": str(archive), "settings_file": one_page_a_task(stack.folder)}
    run = stack.begin("archive/archive", **given)
    under_way(stack, archive, "social-1926-01")
    worker = stack.child("flows.worker", "start")
    stack.set_state(run, "CRASHED", "Crashed")
    stack.set_state(run, "SCHEDULED", "AwaitingRetry")
    stack.wait_for(run, *GOOD, patience=240)
    assert stack.child("flows.worker", "start") == worker
    assert made(archive, "social-1926-01") == dict.fromkeys(STAGES, LONG)
