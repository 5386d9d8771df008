"""An issue in one small file, and the archive in numbers, without reading a record for each page and stage.

Whoever ends a run writes `issues/ID/summary.json` (`write_summary`). The archive drops it as soon as a record of the
issue changes (`Archive.write`), so that a summary that stands is true, and an issue without one is unfinished: it was
never run to its end, or a run over it was killed. Everything in it comes from the records, the times too: an
unchanged second run writes the same bytes, that is, nothing. What people reviewed is counted when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from revista.records import Body, Frozen, Header, Record
from revista.store import SUMMARY, Archive
from revista.view import IssueView, Totals

VERSION = "1"


class SummaryBody(Body):
    """What `summary.json` says of an issue; when it was finished and what it took stand in the header."""

    issue: str
    totals: Totals
    unfinished_pages: int  # pages on which a stage has not run


class IssueSummary(Frozen):
    """An issue in numbers, with what people made of it."""

    issue: str
    totals: Totals
    reviewed: int  # pictures that a person reviewed
    finished: datetime | None  # when its newest record was made, UTC; None where a stage has not run on some page
    seconds: float  # that the stages took for its records, in sum

    @property
    def pages_per_minute(self) -> float | None:
        """Pages that one worker takes through all stages in a minute; None where no time was measured."""
        return 60 * self.totals.pages / self.seconds if self.seconds else None


class ArchiveTotals(Frozen):
    """The archive in numbers; all of them but `issues` and `unfinished` are sums over the finished issues."""

    issues: int
    unfinished: tuple[str, ...]  # ids, sorted
    totals: Totals
    reviewed: int
    seconds: float

    @property
    def pages_per_minute(self) -> float | None:
        """Pages that one worker takes through all stages in a minute; None where no time was measured."""
        return 60 * self.totals.pages / self.seconds if self.seconds else None


def summarise(archive: Archive, view: IssueView) -> IssueSummary:
    """The summary of what `view` shows; nothing is written."""
    return _joined(archive, _record(view))


def write_summary(archive: Archive, view: IssueView) -> IssueSummary:
    """Write the summary of `view` where another one (or none) stands, and return it.

    Raises:
        StorageError: it cannot be written.
    """
    record = _record(view)
    if archive.read_about(view.issue.id, SUMMARY, SummaryBody) != record:
        archive.write_about(view.issue.id, SUMMARY, record)
    return _joined(archive, record)


def read_summary(archive: Archive, issue: str) -> IssueSummary | None:
    """The summary of `issue`; None where none was written since its records last changed."""
    record = archive.read_about(issue, SUMMARY, SummaryBody)
    return _joined(archive, record) if record else None


def archive_totals(archive: Archive) -> ArchiveTotals:
    """The archive in numbers, from one or two small files an issue."""
    summaries = {issue: read_summary(archive, issue) for issue in archive.issues()}
    finished = [summary for summary in summaries.values() if summary and summary.finished]
    return ArchiveTotals(
        issues=len(summaries),
        unfinished=tuple(issue for issue, summary in summaries.items() if not summary or not summary.finished),
        totals=_sum(summary.totals for summary in finished),
        reviewed=sum(summary.reviewed for summary in finished),
        seconds=round(sum(summary.seconds for summary in finished), 3),
    )


def _sum(parts: Iterable[Totals]) -> Totals:
    items = tuple(parts)
    return Totals(**{name: sum(getattr(item, name) for item in items) for name in Totals.model_fields})


def _record(view: IssueView) -> Record[SummaryBody]:
    made = view.provenance
    header = Header(
        stage="summary",
        version=VERSION,
        inputs={"pdf": view.issue.source_sha256},
        created=made.last,
        seconds=made.seconds,
    )
    missing = sum(bool(page.missing) for page in view.pages)
    body = SummaryBody(issue=view.issue.id, totals=view.totals, unfinished_pages=missing)
    return Record[SummaryBody](header=header, body=body)


def _joined(archive: Archive, record: Record[SummaryBody]) -> IssueSummary:
    body, header = record.body, record.header
    return IssueSummary(
        issue=body.issue,
        totals=body.totals,
        reviewed=_reviewed(archive, body.issue),
        finished=None if body.unfinished_pages else header.created,
        seconds=header.seconds or 0.0,
    )


def _reviewed(archive: Archive, issue: str) -> int:
    """Distinct pictures in the reviews of an issue; a torn line (the last one after a kill) counts for nothing."""
    try:
        lines = archive.reviews_file(issue).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return 0
    return len({picture for line in lines if (picture := _picture(line))})


def _picture(line: str) -> str | None:
    try:
        review = json.loads(line)
    except ValueError:
        return None
    picture = review.get("picture") if isinstance(review, dict) else None
    return picture if isinstance(picture, str) else None
