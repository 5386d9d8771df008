"""The one task: a stage over some pages of an issue. Only ids and paths pass through Prefect."""

from __future__ import annotations

from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from revista.errors import BadInput
from revista.pipeline import run_stage
from revista.settings import load_settings
from revista.store import Archive


# Prefect's own cache sees neither a file's content nor the code that a task calls: the archive decides what is fresh.
@task(name="stage", task_run_name="{stage} {first}-{last}", cache_policy=NO_CACHE, persist_result=False)
def stage_over_pages(
    archive: Path, issue: str, pdf: Path, stage: str, first: int, last: int, settings_file: Path | None
) -> dict[str, int | str]:
    """Run `stage` over the pages `first` to `last` (1-based, both included) of an issue that is in the archive."""
    with Archive(archive) as store:
        record = store.read_issue(issue)
        if record is None:
            raise BadInput(f"the archive has no issue {issue}", "Start the flow of the issue, not the task alone.")
        numbers = range(first, last + 1)
        count = run_stage(store, record.body, pdf, stage, numbers, load_settings(settings_file))
    get_run_logger().info("%s: %d made, %d fresh, %d skipped", stage, count.made, count.fresh, count.skipped)
    return count.model_dump()
