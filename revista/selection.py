"""Which issues an operator means: a small form, and the ids it stands for in an archive.

The form's JSON schema is what the Prefect UI draws: one level, plain types, a title and a sentence for each field.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import Field

from revista.errors import BadArguments, BadInput
from revista.plan import plan
from revista.records import Frozen, Issue
from revista.settings import Settings
from revista.store import Archive
from revista.totals import IssueSummary, read_summary, summarise
from revista.view import read_view


class Condition(StrEnum):
    """What must hold of an issue; the values are what the operator reads in the form."""

    ANY = "whatever its state"
    PROBLEMS = "has problems"
    FAILED_PAGES = "has failed pages"
    UNDESCRIBED = "has pictures that no model described"
    NO_CAPTION = "has pictures without a printed caption"
    NO_PICTURES = "has no pictures"
    UNFINISHED = "was not finished"
    STALE = "is no longer fresh"


def _plain(schema: dict[str, Any]) -> None:
    """A number that may be left out, as a plain number: forms draw a choice of types for `anyOf` with null."""
    kind = next(part for part in schema.pop("anyOf") if part.get("type") != "null")
    schema.pop("default", None)
    schema.update(kind)


class Selection(Frozen):
    """The issues named in the list, and those of the years and numbers; of them only where the condition holds."""

    every_issue: bool = Field(
        False, title="Every issue", description="Take all issues of the archive. Leave the other choices empty then."
    )
    issues: tuple[str, ...] = Field(
        (), title="Issues", description="Ids of single issues, such as social-1929-06-v14-n6."
    )
    from_year: int | None = Field(
        None,
        title="From year",
        description="Take the issues of this year and later.",
        ge=1000,
        le=9999,
        json_schema_extra=_plain,
    )
    to_year: int | None = Field(
        None,
        title="To year",
        description="Take the issues of this year and earlier.",
        ge=1000,
        le=9999,
        json_schema_extra=_plain,
    )
    numbers: tuple[int, ...] = Field(
        (),
        title="Numbers",
        description="Take only these issue numbers of the years, or of all years where none is set.",
    )
    only_where: Condition = Field(
        Condition.ANY, title="Only where", description="Of the chosen issues, keep those of which this is true."
    )


def select(archive: Archive, selection: Selection, settings: Settings) -> tuple[str, ...]:
    """The ids that `selection` stands for, in the order of year, month and number; unknown ones come last.

    Args:
        archive: where the issues are; nothing is written to it.
        selection: the form.
        settings: what "no longer fresh" is judged by.

    Returns:
        Each id once; none where nothing fits.

    Raises:
        BadArguments: nothing is chosen, the choices contradict each other, or an issue of the list is unknown; the
            hint says what to choose.
        MissingProgram, MissingWeights, TimedOut: "no longer fresh" cannot be judged without what a run needs.
    """
    listed = tuple(issue.strip() for issue in selection.issues if issue.strip())
    _require_a_choice(selection, listed)
    known = set(archive.issues())
    for issue in listed:
        if issue not in known:
            raise archive.no_such_issue(issue)
    bodies = {issue: _body(archive, issue) for issue in known}
    chosen = [
        issue for issue, body in bodies.items() if selection.every_issue or issue in listed or _fits(body, selection)
    ]
    chosen.sort(key=lambda issue: (*_date(bodies[issue]), issue))
    return _where(archive, tuple(chosen), selection.only_where, settings)


def _by_date(selection: Selection) -> bool:
    return bool(selection.from_year or selection.to_year or selection.numbers)


def _require_a_choice(selection: Selection, listed: tuple[str, ...]) -> None:
    if selection.every_issue and (listed or _by_date(selection)):
        raise BadArguments(
            "every issue is chosen, and some issues too",
            "Choose “Every issue” alone, or take it away to keep the list, the years and the numbers.",
        )
    if not (selection.every_issue or listed or _by_date(selection)):
        raise BadArguments(
            "no issues are chosen", "Choose “Every issue”, or name issues, a first or last year, or issue numbers."
        )
    if selection.from_year and selection.to_year and selection.from_year > selection.to_year:
        raise BadArguments(
            f"no year is {selection.from_year} or later and {selection.to_year} or earlier",
            f"Did you mean from {selection.to_year} to {selection.from_year}?",
        )


def _body(archive: Archive, issue: str) -> Issue | None:
    record = archive.read_issue(issue)
    return record.body if record else None


def _fits(issue: Issue | None, selection: Selection) -> bool:
    """Whether the years and numbers mean the issue; one whose year is asked for and not known is not meant."""
    if issue is None or not _by_date(selection):
        return False
    if selection.numbers and issue.number not in selection.numbers:
        return False
    if selection.from_year is None and selection.to_year is None:
        return True
    return issue.year is not None and (selection.from_year or 0) <= issue.year <= (selection.to_year or issue.year)


def _date(issue: Issue | None) -> tuple[float, float, float]:
    parts = (issue.year, issue.month, issue.number) if issue else (None, None, None)
    year, month, number = (math.inf if part is None else part for part in parts)
    return year, month, number


_HOLDS: dict[Condition, Callable[[IssueSummary], bool]] = {
    Condition.PROBLEMS: lambda issue: issue.totals.problems > 0,
    Condition.FAILED_PAGES: lambda issue: issue.totals.failed_pages > 0,
    Condition.UNDESCRIBED: lambda issue: issue.totals.described_by_model < issue.totals.pictures,
    Condition.NO_CAPTION: lambda issue: issue.totals.with_printed_caption < issue.totals.pictures,
    Condition.NO_PICTURES: lambda issue: issue.totals.pictures == 0,
}


def _where(archive: Archive, issues: tuple[str, ...], condition: Condition, settings: Settings) -> tuple[str, ...]:
    """Those of the `issues` of which the condition holds; one that cannot be read is in trouble, unfinished, stale."""
    if condition is Condition.ANY:
        return issues
    if condition is Condition.STALE:
        planned = plan(archive, issues, settings)
        still = {issue.issue for issue in planned.issues if issue.nothing_to_do}
        return tuple(issue for issue in issues if issue not in still)
    kept = []
    for issue in issues:
        summary = read_summary(archive, issue)
        if condition is Condition.UNFINISHED:
            holds = summary is None or summary.finished is None
        else:
            summary = summary or _made_anew(archive, issue)
            holds = _HOLDS[condition](summary) if summary else condition is Condition.PROBLEMS
        if holds:
            kept.append(issue)
    return tuple(kept)


def _made_anew(archive: Archive, issue: str) -> IssueSummary | None:
    """The summary of an issue that has none, from its records; None where the issue cannot be read."""
    try:
        return summarise(archive, read_view(archive, issue))
    except BadInput:
        return None
