"""One flow run for one issue: a task for each stage and about ten pages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, State

from flows.reports import Progress, problems_table
from flows.tasks import stage_over_pages
from revista import checks, pipeline
from revista.errors import RevistaError
from revista.issues import issue_name
from revista.records import Problem
from revista.settings import load_settings
from revista.stages import shares_of_time
from revista.store import Archive


def _run_name() -> str:
    return issue_name(Path(flow_run.parameters["pdf"]))


@flow(name="issue", flow_run_name=_run_name, persist_result=False)
def process_issue(pdf: Path, archive: Path, settings_file: Path | None = None) -> State[Any]:
    """Take one scanned issue through all stages.

    Args:
        pdf: the scanned issue.
        archive: the archive folder; made where it does not exist.
        settings_file: a TOML file of settings, read anew by every task.

    Returns:
        The state Completed, or "Completed with problems"; its data is the issue's report.

    Raises:
        RevistaError: the issue cannot be read, something is missing, or too many pages failed (state Failed).
    """
    started = time.monotonic()
    settings = load_settings(settings_file)
    checks.require(settings)
    for said, hint in checks.notices(settings):
        get_run_logger().warning("%s → %s", said, hint)
    with Archive(archive, create=True) as store:
        try:
            issue = pipeline.open_issue(store, pdf)
        except RevistaError as error:  # there is no issue yet: the table goes by the name of the run
            problems_table(issue_name(pdf), [Problem.from_error(error, "issue")])
            raise
        progress = Progress(issue, shares_of_time(settings))
        counts = []
        for stage in pipeline.STAGES:
            count = pipeline.StageCount(stage=stage)
            for first in range(1, issue.page_count + 1, settings.run.pages_per_task):
                last = min(first + settings.run.pages_per_task - 1, issue.page_count)
                done = stage_over_pages(archive, issue.id, pdf, stage, first, last, settings_file)
                count = count.plus(pipeline.StageCount.model_validate(done))
                progress.advance(stage, first, last)
            counts.append(count)
        report = pipeline.sum_up(store, issue, tuple(counts), time.monotonic() - started)
    problems_table(issue.id, report.problems)
    pipeline.require_few_failures(report, settings)
    name = "Completed with problems" if report.problems else "Completed"
    message = f"{report.pages} pages, {report.pictures} pictures, {len(report.problems)} problems"
    return Completed(name=name, message=message, data=report.model_dump(mode="json"))
