"""The flows on a real Prefect server, which Prefect's own test harness starts with a database of its own."""

import asyncio
import errno
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact, FlowRun, TaskRun
from prefect.testing.utilities import prefect_test_harness

from flows.archive import process_archive
from flows.issue import process_issue, run_models
from flows.reports import artifact_key
from flows.reprocess import StageName
from revista import pipeline
from revista.devices import alone_on
from revista.errors import StorageError
from revista.store import Archive

from .conftest import NO_MODELS, MakePdf
from .test_kill import snapshot
from .test_pipeline import spoil_page

ISSUE = "social-1916-10-v1-n10"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVISTA_PROFILE", "none")  # the flows read settings from a file and the environment


def artifacts(key: str) -> list[Artifact]:
    async def read() -> list[Artifact]:
        async with get_client() as client:
            return await client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))

    return asyncio.run(read())


def runs() -> tuple[list[FlowRun], list[TaskRun]]:
    async def read() -> tuple[list[FlowRun], list[TaskRun]]:
        async with get_client() as client:
            return await client.read_flow_runs(), await client.read_task_runs()

    return asyncio.run(read())


def rows(key: str) -> list[dict[str, Any]]:
    """The rows of the newest table under `key`."""
    newest = max(artifacts(key), key=lambda artifact: artifact.created)  # type: ignore[arg-type,return-value]
    return json.loads(str(newest.data))  # type: ignore[no-any-return]


def test_issue_flow(excerpt: MakePdf, tmp_path: Path) -> None:
    pdf = excerpt(1, 8)
    settings = tmp_path / "revista.toml"
    settings.write_text("[run]\npages_per_task = 1\n")
    state = process_issue(str(pdf), str(tmp_path / "archive"), settings, return_state=True)
    assert state.is_completed()
    report = pipeline.IssueReport.model_validate(state.result())
    assert report.issue == ISSUE
    assert [count.made for count in report.stages] == [2] * len(pipeline.STAGES)

    flow_runs, task_runs = runs()
    assert "Social 1916-10 v1 n10" in {run.name for run in flow_runs}
    assert {run.name for run in task_runs} >= {f"{stage} {n}-{n}" for stage in pipeline.STAGES for n in (1, 2)}
    assert all(run.state and run.state.is_completed() for run in task_runs)
    for run in flow_runs:  # ids and paths only
        assert len(json.dumps(run.parameters, default=str)) < 2_000

    progress = artifacts(artifact_key("progress", ISSUE))
    assert [float(str(artifact.data)) for artifact in progress] == [100.0]
    assert len(rows(artifact_key("problems", ISSUE))) >= 1

    again = process_issue(str(pdf), str(tmp_path / "archive"), settings, return_state=True)
    assert [count["made"] for count in again.result()["stages"]] == [0] * len(pipeline.STAGES)


def test_flow_and_plain_python_make_the_same_archive(excerpt: MakePdf, tmp_path: Path) -> None:
    from revista.store import Archive

    pdf = excerpt(8)
    process_issue(str(pdf), str(tmp_path / "flow"))
    with Archive(tmp_path / "plain", create=True) as archive:
        pipeline.run_issue(archive, pdf, NO_MODELS)
    assert snapshot(tmp_path / "flow") == snapshot(tmp_path / "plain")


def test_archive_flow_keeps_rivals_apart(excerpt: MakePdf, tmp_path: Path) -> None:
    first = excerpt(8)
    second = tmp_path / "again" / first.name
    second.parent.mkdir()
    second.write_bytes(excerpt(3).read_bytes())
    excerpt(8)
    state = process_archive([str(first), str(second)], str(tmp_path / "archive"), return_state=True)
    assert state.name == "Completed with problems"
    refused, done = rows("archive-summary")
    assert done["pages"] == 1
    assert "has the same id" in refused["what happened"]


def test_archive_flow_goes_on_after_a_bad_issue(excerpt: MakePdf, tmp_path: Path) -> None:
    broken = tmp_path / "ohcbh_ch_social1929_6_v14_n6.pdf"
    broken.write_bytes(b"%PDF-1.4\n")
    state = process_archive([str(broken), str(excerpt(8))], str(tmp_path / "archive"), return_state=True)
    assert state.name == "Completed with problems"
    assert broken.name in str(state.message)
    summary = rows("archive-summary")
    assert [(row["issue"], row["state"]) for row in summary] == [(broken.name, "failed"), (ISSUE, "done")]
    assert "qpdf" in summary[0]["what to do"]
    failed = [run for run in runs()[0] if run.name == "Social 1929-06 v14 n6"]
    assert failed and failed[0].state and failed[0].state.is_failed()
    (problem,) = rows(artifact_key("problems", "Social 1929-06 v14 n6"))
    assert "qpdf" in problem["what to do"]
    assert "archive, 2 issues" in {run.name for run in runs()[0]}


def test_archive_flow_fails_where_nothing_came_out(tmp_path: Path) -> None:
    broken = tmp_path / "ohcbh_ch_social1929_7_v14_n7.pdf"
    broken.write_bytes(b"%PDF-1.4\n")
    state = process_archive([str(broken)], str(tmp_path / "archive"), return_state=True)
    assert state.is_failed()


def test_stages_of_the_form_are_the_stages() -> None:
    assert get_args(StageName) == tuple(pipeline.STAGES)


def test_corrected_scan_is_renewed_beside_and_compared(excerpt: MakePdf, tmp_path: Path) -> None:
    archive = str(tmp_path / "archive")
    assert process_issue(str(excerpt(8, 2)), archive, return_state=True).is_completed()
    state = process_issue(str(excerpt(8, 3)), archive, return_state=True)
    assert {count["stage"]: count["made"] for count in state.result()["stages"]}["text"] == 1
    assert {row["page"] for row in rows(artifact_key("changes", ISSUE))} == {2}
    assert not list((tmp_path / "archive" / ".next").rglob("*.json"))


def test_worse_scan_does_not_take_the_place_of_good_results(excerpt: MakePdf, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    assert process_issue(str(excerpt(8, 2)), str(archive), return_state=True).is_completed()
    before = snapshot(archive / "issues")
    state = process_issue(str(spoil_page(excerpt(8, 2), 2)), str(archive), return_state=True)
    assert state.is_failed() and "pages failed" in str(state.message)
    assert snapshot(archive / "issues") == before


def test_passing_trouble_is_tried_again_with_pauses(
    excerpt: MakePdf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network folder that goes away for a moment: the task is retried, and the run completes."""
    calls, real = [], pipeline.run_stage

    def flaky(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[3])
        if calls.count("text") == 1 and args[3] == "text":
            raise StorageError("the folder is gone", "Mount it.") from OSError(errno.ESTALE, "stale file handle")
        return real(*args, **kwargs)

    monkeypatch.setattr("flows.tasks.run_stage", flaky)
    monkeypatch.setattr("flows.tasks.stage_over_pages.retry_delay_seconds", [0.1, 0.1])
    state = process_issue(str(excerpt(8)), str(tmp_path / "archive"), return_state=True)
    assert state.is_completed()
    assert calls.count("text") == 2


def test_full_disk_fails_at_once_and_says_so(excerpt: MakePdf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def full(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[3])
        raise StorageError("page 1: no space left", "Free some space.") from OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("flows.tasks.run_stage", full)
    state = process_issue(str(excerpt(8)), str(tmp_path / "archive"), return_state=True)
    assert state.is_failed() and "→ Free some space." in str(state.message)
    assert calls == ["pages"]  # it cannot pass by itself: not tried again


def test_models_wait_for_their_device(excerpt: MakePdf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where two workers of the queue serve one device: the second run waits for the first, then does its work."""
    archive = tmp_path / "archive"
    with Archive(archive, create=True) as opened:
        pipeline.run_issue(opened, excerpt(8), NO_MODELS)
        opened.remove(ISSUE, "captions", 1)
    monkeypatch.setenv("REVISTA_RUN__DEVICE", "cpu")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ThreadPoolExecutor(1) as pool:
        with alone_on("cpu"):
            run = pool.submit(run_models, ISSUE, archive, ["captions"], None)
            with pytest.raises(TimeoutError):
                run.result(timeout=6)
            assert not opened.record_file(ISSUE, "captions", 1).exists()
        run.result(timeout=120)
    assert opened.record_file(ISSUE, "captions", 1).exists()
