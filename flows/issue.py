"""One flow run for one issue: a task for each stage and about twenty pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, State

from flows.api import start, wait_for
from flows.places import Place, default_archive, local_archive, place_of_work, read_settings, scan_at
from flows.reports import Progress, in_short, pictures_page, problems_table
from flows.states import told
from flows.tables import changes_table
from flows.tasks import stage_over_pages
from revista import checks, pipeline, scans, worklog
from revista.comparison import compare
from revista.devices import alone_on
from revista.errors import RevistaError
from revista.issues import Metadata, identify, issue_name
from revista.objects import is_url
from revista.plan import closure, plan_issue
from revista.records import Issue, Problem
from revista.renewal import opened
from revista.settings import Settings
from revista.stages import STAGES, shares_of_time
from revista.store import Archive
from revista.view import read_view
from revista.worklog import StageCount

WITH_MODELS = tuple(name for name, stage in STAGES.items() if stage.in_batches)
"""The stages that need a model on a device."""


def _name_of_pdf() -> str:
    return issue_name(Path(flow_run.parameters["pdf"]))


def _name_of_issue() -> str:
    parameters = flow_run.parameters
    root = local_archive(parameters["archive"])
    record = Archive(root).read_issue(parameters["issue"]) if root.is_dir() else None
    return issue_name(Path(record.body.source_name)) if record else str(parameters["issue"])


@flow(name="issue", flow_run_name=_name_of_pdf, persist_result=False)
def process_issue(
    pdf: str,
    archive: str | None = None,
    settings_file: Path | None = None,
    issue: str | None = None,
    renamed: bool = False,
) -> State[Any]:
    """Take one scanned issue through all stages.

    Args:
        pdf: the scanned issue: a path, or the URL of an object in a store.
        archive: the archive folder, made where it does not exist; or an archive's URL in an object store.
        settings_file: a TOML file of settings, read anew by every task.
        issue: the id under which to keep it, where its name is not to decide.
        renamed: whether the PDF may take the place of one with another file name: a corrected scan.

    Returns:
        The state Completed or "Completed with problems", with the issue's report as its data; or Failed, where the
        issue cannot be read, something is missing, or too many pages failed: with that error.
    """
    return told(_process, pdf, archive or default_archive(), settings_file, issue, renamed)


def _process(pdf: str, archive: str, settings_file: Path | None, issue: str | None, renamed: bool) -> State[Any]:
    settings, settings_file = read_settings(settings_file)
    checks.require(settings)
    _notice(settings)
    given = Metadata.given(id=issue) if issue else None
    try:
        with scan_at(pdf) as file, place_of_work(archive, identify(file, given).id or "") as place:
            url = pdf if is_url(pdf) else None
            opened_issue = pipeline.open_issue(place.work, file, given, renamed=renamed, url=url)
            return _work_through(place, opened_issue, file, settings, settings_file, tuple(STAGES))
    except pipeline.TooManyPagesFailed:
        raise
    except RevistaError as error:  # there is perhaps no issue yet: the table goes by the name of the run
        problems_table(issue_name(Path(pdf)), [Problem.from_error(error, "issue")])
        raise


@flow(name="renew issue", flow_run_name=_name_of_issue, persist_result=False)
def renew_issue(issue: str, archive: str, settings_file: Path | None = None, stages: Sequence[str] = ()) -> State[Any]:
    """Do anew what is no longer fresh of an issue that is in the archive.

    Args:
        issue: its id.
        archive: the archive folder, or its URL in an object store.
        settings_file: a TOML file of settings.
        stages: only these, and all that hangs on them; none named: all.

    Returns:
        As `process_issue`.
    """
    return told(_renew, issue, archive, settings_file, stages)


def _renew(issue: str, archive: str, settings_file: Path | None, stages: Sequence[str]) -> State[Any]:
    settings, settings_file = read_settings(settings_file)
    checks.require(settings)
    _notice(settings)
    with place_of_work(archive, issue) as place:
        record = read_view(place.work, issue).issue
        plan = plan_issue(place.work, issue, settings, closure(stages))
        stale = tuple(stage.stage for stage in plan.stages if stage.stale or stage.maybe) or closure(stages)
        if "pages" not in stale:
            return _work_through(place, record, Path(record.source_name), settings, settings_file, stale)
        with scan_at(scans.find_scan(place.results, issue)) as pdf:
            return _work_through(place, record, pdf, settings, settings_file, stale)


@flow(name="models", flow_run_name="{issue}: {stages}", persist_result=False)
def run_models(issue: str, archive: Path, stages: list[str], settings_file: Path | None = None) -> None:
    """Run those stages of an issue that need a model, where the device is: on the queue `models`.

    The run's process is the only one of its queue with models on the device: it waits while another one is.

    Args:
        issue: its id.
        archive: the archive folder, or the place of a renewal in it.
        stages: names of stages.
        settings_file: a TOML file of settings.
    """
    settings, settings_file = read_settings(settings_file)
    with opened(archive) as store:
        record = read_view(store, issue).issue
    with alone_on(settings.run.device):
        for stage in stages:
            for first, last in _chunks(record, settings):
                stage_over_pages(archive, issue, Path(record.source_name), stage, first, last, settings_file)


def _notice(settings: Settings) -> None:
    """Say in the run's log what will be left out, and why."""
    for said, hint in checks.notices(settings):
        get_run_logger().warning("%s → %s", said, hint)


def _work_through(
    place: Place,
    issue: Issue,
    pdf: Path,
    settings: Settings,
    settings_file: Path | None,
    stages: Sequence[str],
) -> State[Any]:
    """Run `stages` over all pages of an issue, and tell what came out, and what changed against the old results."""
    work = place.work
    started = time.monotonic()
    shares = shares_of_time(settings)
    progress = Progress(issue, {stage: shares[stage] for stage in stages})
    counts = []
    for on_queue, group in groupby(stages, lambda stage: stage in WITH_MODELS and settings.run.models == "queue"):
        if on_queue:
            counts += _on_queue(work, issue, list(group), settings_file)
            place.publish()
            continue
        for stage in group:
            count = StageCount(stage=stage)
            for first, last in _chunks(issue, settings):
                done = stage_over_pages(work.root, issue.id, pdf, stage, first, last, settings_file)
                count = count.plus(StageCount.model_validate(done))
                progress.advance(stage, first, last)
            counts.append(count)
            place.publish()
    view = read_view(work, issue.id)
    report = pipeline.sum_up(work, view, tuple(counts), time.monotonic() - started)
    problems_table(issue.id, report.problems)
    pictures_page(work, view)
    pipeline.require_few_failures(report, settings)
    if work is not place.results:
        changes_table(compare(read_view(place.results, issue.id), view))
    name = "Completed with problems" if report.problems else "Completed"
    return Completed(name=name, message=in_short(report), data=report.model_dump(mode="json"))


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
    run = start("models/models", parameters, "-".join(stages))
    state = wait_for(run)
    if not state.is_completed():
        why = state.message or "no reason given"
        raise RevistaError(f"the run of the stages {', '.join(stages)} ended as {state.name}: {why}", "See that run.")
    made = {stage: 0 for stage in stages}
    for entry in worklog.read(work, issue.id):
        if entry.by == str(run):
            made[entry.stage] += entry.made
    return [StageCount(stage=stage, made=made[stage], fresh=issue.page_count - made[stage]) for stage in stages]
