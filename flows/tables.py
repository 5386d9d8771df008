"""What an operator sees of a batch and of the whole archive in the Prefect UI: tables, one artifact each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_table_artifact

from flows.api import patiently
from flows.batch import Outcome
from flows.places import reports_url
from flows.reports import artifact_key, counted, duration, wrapped
from revista.comparison import Comparison
from revista.inbox import Filed
from revista.objects import is_url
from revista.plan import Plan
from revista.store import Archive
from revista.totals import archive_totals

_MOST_ROWS = 500


def batch_table(key: str, outcomes: Sequence[Outcome]) -> None:
    """The summary of a batch: a row an issue, the failed ones first, with the reason and what to do."""
    failed_first = sorted(outcomes, key=lambda outcome: outcome.state != "failed")
    reasons = any(outcome.state == "failed" for outcome in outcomes)
    _table([_outcome_row(outcome, reasons) for outcome in failed_first], key, _counted(outcomes))


def _counted(outcomes: Sequence[Outcome]) -> str:
    failed = sum(outcome.state == "failed" for outcome in outcomes)
    return f"{len(outcomes) - failed} done, {failed} failed"


def _outcome_row(outcome: Outcome, reasons: bool) -> dict[str, Any]:
    """A row; `reasons` says whether the table has the columns of the failed ones."""
    report = outcome.report
    row: dict[str, Any] = {
        "issue": _report_link(report.issue) if report else outcome.name,
        "state": {"done": "done", "problems": "with problems", "failed": "failed"}[outcome.state],
    }
    if reasons:
        row |= {"what happened": wrapped(outcome.message, 36), "what to do": wrapped(outcome.hint, 36)}
    if report:
        made = sum(count.made for count in report.stages)
        row |= {
            "pages": report.pages,
            "failed pages": len(report.failed_pages),
            "pictures": report.pictures,
            "by a model": report.described_by_model,
            "problems": len(report.problems),
            "time": duration(report.seconds),
            "made": made,
            "fresh": sum(count.fresh for count in report.stages),
        }
    return row


def inbox_table(folder: Path, filed: Sequence[Filed], left: Mapping[Path, str]) -> None:
    """What became of each file in the inbox."""
    rows = [
        {
            "file": one.file,
            "what became of it": one.fate,
            "issue": _report_link(one.issue) if one.issue else "",
            "why": wrapped(one.reason),
            "where it is": one.place,
        }
        for one in filed
    ]
    rows += [
        {
            "file": file.name,
            "what became of it": "left",
            "issue": "",
            "why": wrapped(why),
            "where it is": file.relative_to(folder).as_posix(),
        }
        for file, why in left.items()
    ]
    _table(rows, "inbox", f"{len(filed)} taken, {len(left)} left")


def totals_table(archive: str) -> None:
    """The whole archive in numbers; of one in an object store nobody keeps them."""
    if is_url(archive):
        return
    found = archive_totals(Archive(Path(archive)))
    totals, speed = found.totals, found.pages_per_minute
    rows = {
        "issues": found.issues,
        "issues not finished": len(found.unfinished),
        "pages": totals.pages,
        "failed pages": totals.failed_pages,
        "pictures": totals.pictures,
        "pictures described by a model": totals.described_by_model,
        "pictures with a printed caption": totals.with_printed_caption,
        "pictures reviewed": found.reviewed,
        "problems": totals.problems,
        "pages a minute, one worker": round(speed, 1) if speed else "",
    }
    named = f"; not finished: {', '.join(found.unfinished[:10])}" if found.unfinished else ""
    _table([{"what": name, "count": count} for name, count in rows.items()], "archive-totals", f"The archive{named}")


def plan_table(plan: Plan) -> None:
    """What a reprocessing would do: a row a stage, with pages and minutes."""
    _table(plan.rows(), "reprocess-plan", f"{counted(len(plan.issues), 'issue')}: about {foretold(plan)}")


def foretold(plan: Plan) -> str:
    """How long a plan's run will take: `12 min to 3 h 05 min`."""
    least, most = duration(60 * plan.minutes), duration(60 * plan.most_minutes)
    return least if least == most else f"{least} to {most}"


def plan_of_issues_table(plan: Plan) -> None:
    """What a reprocessing would do: a row an issue that has something to do, and those that are in trouble."""
    rows: list[dict[str, Any]] = [
        {
            "issue": _report_link(issue.issue),
            "pages": issue.pages,
            "stages": ", ".join(stage.stage for stage in issue.stages if stage.stale or stage.maybe),
            "minutes": round(issue.minutes, 1),
            "at most": round(issue.most_minutes, 1),
        }
        for issue in plan.issues
        if not issue.nothing_to_do
    ]
    rows += [
        {"issue": problem.item, "what happened": wrapped(problem.message), "what to do": wrapped(problem.hint)}
        for problem in plan.problems
    ]
    _table(
        rows or [{"issue": "nothing to do"}], "reprocess-issues", f"{len(rows)} of {counted(len(plan.issues), 'issue')}"
    )


def changes_table(comparison: Comparison) -> None:
    """What changed in which pictures of an issue."""
    rows: list[dict[str, Any]] = [
        {
            "page": row["page"],
            "what": row["what"],
            "before": wrapped(str(row["before"]), 40),
            "after": wrapped(str(row["after"]), 40),
            "picture": row["picture"],
        }
        for row in comparison.rows(width=200)
    ]
    _table(
        rows or [{"page": "", "what": "nothing changed"}],
        artifact_key("changes", comparison.issue),
        f"{comparison.issue}: {comparison.summary}",
    )


def _report_link(issue: str) -> str:
    return f"[{issue}]({reports_url()}/{issue})" if reports_url() else issue


def _table(rows: Sequence[Mapping[str, Any]], key: str, description: str) -> None:
    shown = [dict(row) for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        shown.append({next(iter(shown[0])): f"… and {len(rows) - _MOST_ROWS} more"})
    patiently(create_table_artifact, shown or [{"": "nothing"}], key=key, description=description)
