"""One flow run for one issue: a task for each stage and about ten pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.deployments import run_deployment
from prefect.runtime import flow_run
from prefect.states import Completed, State

from flows.places import default_archive, read_settings
from flows.reports import Progress, pictures_page, problems_table
from flows.states import told
from flows.tables import changes_table
from flows.tasks import stage_over_pages
from revista import checks, leases, pipeline, scans, worklog
from revista.comparison import compare
from revista.errors import RevistaError
from revista.issues import Metadata, identify, issue_name
from revista.plan import IssuePlan, closure, plan_issue
from revista.records import Issue, Problem
from revista.renewal import opened, renewing
from revista.settings import Settings
from revista.stages import STAGES, shares_of_time
from revista.store import Archive
from revista.totals import read_summary
from revista.view import read_view
from revista.worklog import StageCount

PATIENCE = 30.0  # seconds to wait for another run that is at work on the same issue

WITH_MODELS = tuple(name for name, stage in STAGES.items() if stage.one_at_a_time)
"""The stages that need a model on a device."""


def _name_of_pdf() -> str:
    return issue_name(Path(flow_run.parameters["pdf"]))


def _name_of_issue() -> str:
    parameters = flow_run.parameters
    record = Archive(Path(parameters["archive"])).read_issue(parameters["issue"])
    return issue_name(Path(record.body.source_name)) if record else str(parameters["issue"])


@flow(name="issue", flow_run_name=_name_of_pdf, persist_result=False)
def process_issue(
    pdf: Path,
    archive: Path | None = None,
    settings_file: Path | None = None,
    issue: str | None = None,
    renamed: bool = False,
) -> State[Any]:
    """Take one scanned issue through all stages.

    Args:
        pdf: the scanned issue.
        archive: the archive folder; made where it does not exist.
        settings_file: a TOML file of settings, read anew by every task.
        issue: the id under which to keep it, where its name is not to decide.
        renamed: whether the PDF may take the place of one with another file name: a corrected scan.

    Returns:
        The state Completed or "Completed with problems", with the issue's report as its data; or Failed, where the
        issue cannot be read, something is missing, or too many pages failed: with that error.
    """
    return told(_process, pdf, archive or default_archive(), settings_file, issue, renamed)


def _process(pdf: Path, archive: Path, settings_file: Path | None, issue: str | None, renamed: bool) -> State[Any]:
    settings, settings_file = read_settings(settings_file)
    checks.require(settings)
    given = Metadata.given(id=issue) if issue else None
    with Archive(archive, create=True) as store:
        try:
            name = identify(pdf, given).id or ""
            with _place_of_work(store, name) as work:
                opened_issue = pipeline.open_issue(work, pdf, given, renamed=renamed)
                return _work_through(store, work, opened_issue, pdf, settings, settings_file, tuple(STAGES))
        except pipeline.TooManyPagesFailed:
            raise
        except RevistaError as error:  # there is perhaps no issue yet: the table goes by the name of the run
            problems_table(issue_name(pdf), [Problem.from_error(error, "issue")])
            raise


@flow(name="renew issue", flow_run_name=_name_of_issue, persist_result=False)
def renew_issue(issue: str, archive: Path, settings_file: Path | None = None, stages: Sequence[str] = ()) -> State[Any]:
    """Do anew what is no longer fresh of an issue that is in the archive.

    Args:
        issue: its id.
        archive: the archive folder.
        settings_file: a TOML file of settings.
        stages: only these, and all that hangs on them; none named: all.

    Returns:
        As `process_issue`.
    """
    return told(_renew, issue, archive, settings_file, stages)


def _renew(issue: str, archive: Path, settings_file: Path | None, stages: Sequence[str]) -> State[Any]:
    settings, settings_file = read_settings(settings_file)
    checks.require(settings)
    with Archive(archive) as store, _place_of_work(store, issue) as work:
        wanted = closure(stages)
        record = read_view(work, issue).issue
        needs_scan = _reads_the_scan(plan_issue(work, issue, settings, wanted))
        pdf = scans.find_scan(store, issue) if needs_scan else Path(record.source_name)
        return _work_through(store, work, record, pdf, settings, settings_file, wanted)


@flow(name="models", flow_run_name="{issue}: {stages}", persist_result=False)
def run_models(issue: str, archive: Path, stages: list[str], settings_file: Path | None = None) -> None:
    """Run those stages of an issue that need a model, where the device is: on the queue `models`.

    Args:
        issue: its id.
        archive: the archive folder, or the place of a renewal in it.
        stages: names of stages.
        settings_file: a TOML file of settings.
    """
    settings, settings_file = read_settings(settings_file)
    with opened(archive) as store:
        record = read_view(store, issue).issue
    for stage in stages:
        for first, last in _chunks(record, settings):
            stage_over_pages(archive, issue, Path(record.source_name), stage, first, last, settings_file)


def _reads_the_scan(plan: IssuePlan) -> bool:
    return any(stage.stage == "pages" and stage.stale for stage in plan.stages)


@contextmanager
def _place_of_work(store: Archive, issue: str) -> Iterator[Archive]:
    """Where to work on an issue, for this run alone: beside its results where it has been whole, else in their place.

    Raises:
        Busy: another run is at work on it.
    """
    with leases.hold(store.root, issue, "issue", patience=PATIENCE):
        if read_summary(store, issue) is None:
            yield store
        else:
            with renewing(store, issue) as beside:
                yield beside


def _work_through(
    store: Archive,
    work: Archive,
    issue: Issue,
    pdf: Path,
    settings: Settings,
    settings_file: Path | None,
    stages: Sequence[str],
) -> State[Any]:
    """Run `stages` over all pages of an issue in `work`, and tell what came out, and what changed against `store`."""
    started = time.monotonic()
    shares = shares_of_time(settings)
    progress = Progress(issue, {stage: shares[stage] for stage in stages})
    counts = []
    for on_queue, group in groupby(stages, lambda stage: stage in WITH_MODELS and settings.run.models == "queue"):
        if on_queue:
            counts += _on_queue(work, issue, list(group), settings_file)
            continue
        for stage in group:
            count = StageCount(stage=stage)
            for first, last in _chunks(issue, settings):
                done = stage_over_pages(work.root, issue.id, pdf, stage, first, last, settings_file)
                count = count.plus(StageCount.model_validate(done))
                progress.advance(stage, first, last)
            counts.append(count)
    report = pipeline.sum_up(work, issue, tuple(counts), time.monotonic() - started)
    problems_table(issue.id, report.problems)
    view = read_view(work, issue.id)
    pictures_page(work, view)
    pipeline.require_few_failures(report, settings)
    if work is not store:
        changes_table(compare(read_view(store, issue.id), view))
    name = "Completed with problems" if report.problems else "Completed"
    message = f"{report.pages} pages, {report.pictures} pictures, {len(report.problems)} problems"
    return Completed(name=name, message=message, data=report.model_dump(mode="json"))


def _chunks(issue: Issue, settings: Settings) -> Iterable[tuple[int, int]]:
    """First and last page of each task."""
    step = settings.run.pages_per_task
    for first in range(1, issue.page_count + 1, step):
        yield first, min(first + step - 1, issue.page_count)


def _on_queue(work: Archive, issue: Issue, stages: list[str], settings_file: Path | None) -> list[StageCount]:
    """Have `stages` run by a worker of the queue `models`, and wait for it."""
    parameters = {
        "issue": issue.id,
        "archive": str(work.root.absolute()),
        "stages": stages,
        "settings_file": str(settings_file) if settings_file else None,
    }
    run: Any = run_deployment("models/models", parameters=parameters, poll_interval=1)
    if run.state is None or not run.state.is_completed():
        message = run.state.message if run.state else "it has no state"
        raise RevistaError(f"the run of the stages {', '.join(stages)} did not complete: {message}", "See that run.")
    made = {stage: 0 for stage in stages}
    for entry in worklog.read(work, issue.id):
        if entry.by == str(run.id):
            made[entry.stage] += entry.made
    return [StageCount(stage=stage, made=made[stage], fresh=issue.page_count - made[stage]) for stage in stages]
