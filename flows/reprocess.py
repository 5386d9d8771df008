"""Reprocessing: what is no longer fresh is done anew, in the issues an operator chose; first told, then done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State
from pydantic import Field

from flows.batch import Outcome, conclude, failed, one_by_one, over_workers
from flows.issue import renew_issue
from flows.places import default_archive, local_archive, read_settings
from flows.states import told
from flows.tables import batch_table, foretold, plan_of_issues_table, plan_table, totals_table
from revista import renewal
from revista.errors import RevistaError
from revista.objects import ObjectArchive, is_url
from revista.plan import plan
from revista.selection import Selection, select
from revista.store import Archive

StageName = Literal["pages", "regions", "text", "context", "captions", "ranking", "descriptions"]
"""The stages as the form of the UI offers them; a test holds them to `revista.stages.STAGES`."""


def _run_name() -> str:
    return "reprocess, dry run" if flow_run.parameters.get("dry_run", True) else "reprocess"


@flow(name="reprocess", flow_run_name=_run_name, persist_result=False)
def reprocess(
    selection: Selection,
    stages: list[StageName] = [],  # noqa: B006 - Prefect makes the form from it, and hands a new list to each run
    dry_run: bool = True,
    workers: Annotated[int, Field(ge=1)] = 1,
    archive: str = "",  # empty, not None: for a choice of types the form would draw a row of buttons
    settings_file: str = "",
) -> State[Any]:
    """Do anew what is no longer fresh, in the issues chosen.

    The plan comes first, as the artifacts `reprocess-plan` and `reprocess-issues`; a dry run ends with it. The old
    results of an issue stay readable until its new ones are whole, and what changed is the artifact `changes-ISSUE`.

    Args:
        selection: Which issues: those named in the list, and those of the years and numbers; of them only where the
            condition holds.
        stages: Only these stages, and all that hang on them. None chosen: all.
        dry_run: Only tell how many pages and minutes each stage will cost. Nothing is started.
        workers: Over how many runs the issues are spread; each needs a free place at a worker.
        archive: The archive folder, or its URL in an object store. Empty: that of `make serve`.
        settings_file: A TOML file of settings. Empty: that of `make serve`, or revista.toml.

    Returns:
        The state Completed, "Completed with problems" where an issue failed or has problems, Failed where all failed,
        nothing was chosen, or an issue is not in the archive.
    """
    settings = Path(settings_file) if settings_file else None
    return told(_reprocess, selection, stages, dry_run, workers, archive or default_archive(), settings)


def _reprocess(
    selection: Selection,
    stages: Sequence[StageName],
    dry_run: bool,
    workers: int,
    archive: str,
    settings_file: Path | None,
) -> State[Any]:
    settings, settings_file = read_settings(settings_file)
    if is_url(archive):  # its issues are copied here first, in so far as they are not yet
        remote = ObjectArchive(archive)
        for issue in remote.issues():
            remote.fetch(issue, local_archive(archive))
    with Archive(local_archive(archive)) as store:
        renewal.mend(store)
        issues = select(store, selection, settings)
        found = plan(store, issues, settings, stages)
        plan_table(found)
        plan_of_issues_table(found)
        todo = [issue.issue for issue in found.issues if not issue.nothing_to_do]
        if dry_run:
            return Completed(message=f"dry run: {len(todo)} of {len(issues)} issues, {foretold(found)}")
        outcomes = _renew(archive, todo, stages, settings_file, workers) if todo else []
        for problem in found.problems:
            error = RevistaError(problem.message, problem.hint, category=problem.category)
            outcomes.append(failed(problem.item or "", error))
        if outcomes:
            batch_table("reprocess-summary", outcomes)
            totals_table(archive)
            return conclude(outcomes)
    return Completed(message=f"nothing to do: all {len(issues)} issues are fresh")


def _name_of_share() -> str:
    count = len(flow_run.parameters["issues"])
    return f"share of {count} issue{'s' if count != 1 else ''}"


@flow(name="renew", flow_run_name=_name_of_share, persist_result=False)
def renew_issues(
    issues: list[str], archive: str, stages: list[StageName] | None = None, settings_file: Path | None = None
) -> State[Any]:
    """Do anew what is no longer fresh of some issues: a worker's share of a reprocessing.

    Args:
        issues: their ids.
        archive: the archive folder, or its URL in an object store.
        stages: only these, and all that hang on them; none named: all.
        settings_file: a TOML file of settings.

    Returns:
        As `reprocess`.
    """
    outcomes = _one_by_one(archive, issues, stages or [], settings_file)
    return conclude(outcomes) if outcomes else Failed(message="no issues were named")


def _renew(
    archive: str, issues: Sequence[str], stages: Sequence[StageName], settings_file: Path | None, workers: int
) -> list[Outcome]:
    if workers == 1:
        return _one_by_one(archive, issues, stages, settings_file)
    parameters = {"stages": list(stages), "settings_file": settings_file and str(settings_file)}
    return over_workers(archive, "renew/renew", issues, workers, parameters, "issues")


def _one_by_one(
    archive: str, issues: Sequence[str], stages: Sequence[StageName], settings_file: Path | None
) -> list[Outcome]:
    def renew(issue: str) -> State[Any]:
        return renew_issue(issue, archive, settings_file, list(stages), return_state=True)

    return one_by_one(archive, issues, renew)
