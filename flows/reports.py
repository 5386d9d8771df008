"""What an operator sees of a run in the Prefect UI: progress, a table of problems, a summary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from revista.pipeline import IssueReport
from revista.records import Issue, Problem


def artifact_key(*parts: str) -> str:
    """An artifact key from `parts`: Prefect allows lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


class Progress:
    """The progress artifact of an issue: the share of its time that is behind it."""

    def __init__(self, issue: Issue, shares: dict[str, float]) -> None:
        """Create the artifact at 0 %; `shares` says how much of a page's time each stage takes, in sum 1.0."""
        self._pages, self._shares = issue.page_count, shares
        self._done = 0.0
        key = artifact_key("progress", issue.id)
        created = create_progress_artifact(0.0, key=key, description=f"{issue.id}: {issue.page_count} pages")
        self._id = UUID(str(created))

    def advance(self, stage: str, first: int, last: int) -> None:
        """Count the pages `first` to `last` as through `stage`."""
        self._done += self._shares[stage] * (last - first + 1) / self._pages
        update_progress_artifact(
            self._id, round(100 * self._done, 1), description=f"{stage}, pages {first}-{last} done"
        )


def problems_table(issue: str, problems: Sequence[Problem]) -> None:
    """The table of an issue's problems, empty where there are none: one artifact an issue, a version each run."""
    rows = [
        {
            "page": problem.page or "",
            "stage": problem.stage,
            "item": problem.item or "",
            "category": problem.category.value,
            "what happened": problem.message,
            "what to do": problem.hint,
        }
        for problem in problems
    ]
    create_table_artifact(
        rows or [{"page": "", "what happened": "no problems"}],
        key=artifact_key("problems", issue),
        description=f"{issue}: {len(problems)} problems",
    )


def archive_table(reports: Sequence[IssueReport], failures: Sequence[tuple[str, str]]) -> None:
    """The summary of a batch: a row an issue, the failed ones with the reason."""
    rows = [
        {
            "issue": report.issue,
            "pages": report.pages,
            "failed pages": len(report.failed_pages),
            "pictures": report.pictures,
            "described": report.described,
            "problems": len(report.problems),
            "made": sum(count.made for count in report.stages),
            "fresh": sum(count.fresh for count in report.stages),
            "minutes": round(report.seconds / 60, 1),
            "state": "done",
        }
        for report in reports
    ]
    rows += [{"issue": name, "state": reason} for name, reason in failures]
    create_table_artifact(rows, key="archive-summary", description=f"{len(reports)} done, {len(failures)} failed")
