"""The one task: a stage over some pages of an issue. Only ids and paths pass through Prefect."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run, task_run
from prefect.tasks import exponential_backoff

from revista.errors import BadInput, Category, RevistaError, TimedOut
from revista.pipeline import run_stage
from revista.renewal import opened
from revista.settings import load_settings
from revista.stages import STAGES

RETRIES = 2

# What can pass by itself, within minutes and without anybody's doing.
_PASSING = frozenset({Category.TIMEOUT, Category.NO_MEMORY, Category.BUSY})
_PASSING_ERRNO = frozenset({errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETDOWN})


def passes_by_itself(error: BaseException) -> bool:
    """Whether another try in a minute may succeed: a time-out, a full memory, a network folder that went away."""
    if not isinstance(error, RevistaError):
        return False
    cause = error.__cause__
    return error.category in _PASSING or (isinstance(cause, OSError) and cause.errno in _PASSING_ERRNO)


def _may_pass(task: Any, run: Any, state: Any) -> bool:
    try:
        state.result()
    except BaseException as error:
        return passes_by_itself(error)
    return False


# Prefect's own cache sees neither a file's content nor the code that a task calls: the archive decides what is fresh.
@task(
    name="stage",
    task_run_name="{stage} {first}-{last}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(10),
    retry_jitter_factor=0.3,
    retry_condition_fn=_may_pass,
)
def stage_over_pages(
    archive: Path, issue: str, pdf: Path, stage: str, first: int, last: int, settings_file: Path | None
) -> dict[str, int | str]:
    """Run `stage` over the pages `first` to `last` (1-based, both included) of an issue that is in the archive.

    A page that ran out of time or memory is tried again with the task; after the last try its problem stands in its
    record, and the run goes on.
    """
    with opened(archive) as store:
        record = store.read_issue(issue)
        if record is None:
            raise BadInput(f"the archive has no issue {issue}", "Start the flow of the issue, not the task alone.")
        numbers = range(first, last + 1)
        settings = load_settings(settings_file)
        count = run_stage(store, record.body, pdf, stage, numbers, settings, by=str(flow_run.id))
        found = [store.read(issue, stage, number, STAGES[stage].body) for number in numbers]
    get_run_logger().info("%s: %d made, %d fresh, %d skipped", stage, count.made, count.fresh, count.skipped)
    passing = [p for body in found if body for p in body.body.problems if p.category in _PASSING]
    if passing and (task_run.run_count or 0) <= RETRIES:
        raise TimedOut(f"{len(passing)} passing problems, such as: {passing[0].message}", passing[0].hint)
    return count.model_dump()
