"""What a run would do, before anything starts: pages and minutes a stage. Nothing is written, no PDF is needed.

A page of a stage is *stale* where the record is surely made anew, *maybe* where an earlier record of the page (or of
the page before, for context; with an index, of any page, for descriptions) is made anew and it depends on what comes
out, *fresh* where it stays. Both are judged by the function by which a run decides (`freshness.judge`).

Minutes are pages times the mean of the seconds that the chosen issues' records of that stage took, divided by the
pages that are worked on at once. The mean, since the sum is wanted: most pages have no picture and cost a captioner
nothing, so that their median would foretell an hour as a second. Records made with other weights than the settings
name are not counted in; where none are left, the figures of `stages.seconds_a_page` stand in. Loading models, looking
at what is fresh and writing records are not part of it: a run of cheap stages alone takes longer than foretold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revista.errors import BadInput
from revista.freshness import Verdict, judge
from revista.records import Frozen, Header, Issue, Problem
from revista.settings import Settings
from revista.stages import STAGES, Job, closure, models_for, seconds_a_page
from revista.store import Archive

__all__ = ["IssuePlan", "Plan", "StagePlan", "closure", "plan", "plan_issue"]


class StagePlan(Frozen):
    """What a stage would do, in pages, and what it would cost."""

    stage: str
    stale: int = 0  # pages whose record is surely made anew
    maybe: int = 0  # pages of which an earlier record is made anew, and may come out as it was
    fresh: int = 0
    skipped: int = 0  # pages that could not be had
    seconds: float = 0.0  # a page
    measured: int = 0  # records of which `seconds` is the mean; 0 where it is the figure of docs/measurements.md
    minutes: float = 0.0  # for the stale pages
    most_minutes: float = 0.0  # for the stale pages and those that may be


class IssuePlan(Frozen):
    """What a run would do with one issue."""

    issue: str
    pages: int
    stages: tuple[StagePlan, ...]  # those of the closure, in their order

    @property
    def nothing_to_do(self) -> bool:
        """Whether a run would leave every record as it is."""
        return not any(stage.stale or stage.maybe for stage in self.stages)

    @property
    def minutes(self) -> float:
        """What the run would take at least."""
        return sum(stage.minutes for stage in self.stages)

    @property
    def most_minutes(self) -> float:
        """What it would take if nothing came out as it was."""
        return sum(stage.most_minutes for stage in self.stages)


class Plan(Frozen):
    """What a run would do with some issues."""

    issues: tuple[IssuePlan, ...]
    stages: tuple[StagePlan, ...]  # sums over the issues
    problems: tuple[Problem, ...] = ()  # issues that cannot be planned, nor run; `item` is their id

    @property
    def nothing_to_do(self) -> bool:
        """Whether a run would leave every record as it is, and no issue is in trouble."""
        return not self.problems and all(issue.nothing_to_do for issue in self.issues)

    @property
    def minutes(self) -> float:
        """What the run would take at least, the issues one after the other."""
        return sum(stage.minutes for stage in self.stages)

    @property
    def most_minutes(self) -> float:
        """What it would take if nothing came out as it was."""
        return sum(stage.most_minutes for stage in self.stages)

    def rows(self) -> list[dict[str, Any]]:
        """A table: a row a stage, then one of totals."""
        rows: list[dict[str, Any]] = [
            {
                "stage": stage.stage,
                "pages to do": stage.stale,
                "perhaps": stage.maybe,
                "fresh": stage.fresh,
                "seconds a page": round(stage.seconds, 2),
                "from": f"{stage.measured} records" if stage.measured else "rule of thumb",
                "minutes": round(stage.minutes, 1),
                "at most": round(stage.most_minutes, 1),
            }
            for stage in self.stages
        ]
        total = {"stage": "all", "minutes": round(self.minutes, 1), "at most": round(self.most_minutes, 1)}
        return [*rows, total]


@dataclass
class _Tally:
    """What was found of one stage of one issue."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of records made with the weights of the settings


@dataclass(frozen=True)
class _Survey:
    """What was found of one issue, by stage."""

    issue: Issue
    tallies: Mapping[str, _Tally]


def plan_issue(archive: Archive, issue: str, settings: Settings, stages: Collection[str] = ()) -> IssuePlan:
    """What a run of `stages` and of all that hang on them would do with one issue; all stages where none is named.

    Raises:
        BadArguments: there is no such issue, or no such stage.
        BadInput: the issue's record cannot be read, or one is missing that a stage needs and no chosen one makes.
        MissingProgram, MissingWeights, TimedOut: as a run would end with.
    """
    works = _works(settings, stages)
    survey = _survey(archive, archive.require_issue(issue).body, settings, works)
    return _issue_plan(survey, settings, _costs([survey], settings, works))


def plan(archive: Archive, issues: Iterable[str], settings: Settings, stages: Collection[str] = ()) -> Plan:
    """What a run would do with some issues: `plan_issue` for each; one that cannot be read does not stop the others.

    Raises:
        BadArguments: there is no such issue, or no such stage.
        MissingProgram, MissingWeights, TimedOut: as a run would end with.
    """
    works = _works(settings, stages)
    surveys, problems = [], []
    for issue in issues:
        try:
            surveys.append(_survey(archive, archive.require_issue(issue).body, settings, works))
        except BadInput as error:
            problems.append(Problem.from_error(error, "issue", item=issue))
    costs = _costs(surveys, settings, works)
    plans = tuple(_issue_plan(survey, settings, costs) for survey in surveys)
    sums = tuple(
        _sum(StagePlan(stage=name, seconds=seconds, measured=measured), [plan.stages[at] for plan in plans])
        for at, (name, (seconds, measured)) in enumerate(costs.items())
    )
    return Plan(issues=plans, stages=sums, problems=tuple(problems))


def _works(settings: Settings, stages: Collection[str]) -> dict[str, Header]:
    """What the stages of the closure would write into their headers."""
    return {name: STAGES[name].made_by(settings) for name in closure(stages)}


def _survey(archive: Archive, issue: Issue, settings: Settings, works: Mapping[str, Header]) -> _Survey:
    """Judge each page of an issue in the order of the stages, which is also that of their needs."""
    tallies = {name: _Tally() for name in works}
    models = models_for(settings)  # none of them is loaded
    gone: defaultdict[int, dict[str, str | None]] = defaultdict(dict)  # what is pending: page -> stage -> fingerprint
    for names in _rounds(works, settings):
        everywhere = {
            name: None
            for stage in map(STAGES.__getitem__, names)
            for name, origins in stage.issue_wide(settings).items()
            if any(origin in here for here in gone.values() for origin in origins)
        }
        for number in range(1, issue.page_count + 1):
            here, before = gone[number], gone[number - 1]
            for name in names:
                stage, tally, made_by = STAGES[name], tallies[name], works[name]
                job = Job(archive, issue, Path(issue.source_name), number, settings, models, made_by)
                pending = {need: here[need] for need in ("pages", *stage.needs) if need in here} | everywhere
                pending |= {f"{need}_before": before[need] for need in stage.before if need in before}
                found = judge(stage, job, pending)
                tally.verdicts[found.verdict] += 1
                if found.pending:
                    here[name] = found.gone
                known = found.known.header if found.known else None
                if known and known.seconds is not None and known.weights == made_by.weights:
                    tally.seconds.append(known.seconds)
    return _Survey(issue, tallies)


def _rounds(works: Mapping[str, Header], settings: Settings) -> tuple[list[str], list[str]]:
    """The stages that can be judged page by page, then those with an input that rests on all pages of the issue."""
    wide = [name for name in works if STAGES[name].issue_wide(settings)]
    return [name for name in works if name not in wide], wide


def _costs(surveys: Sequence[_Survey], settings: Settings, works: Mapping[str, Header]) -> dict[str, tuple[float, int]]:
    """For each stage the seconds a page, and of how many records they are the mean (0: a rule of thumb)."""
    costs = {}
    for name in works:
        seconds = [second for survey in surveys for second in survey.tallies[name].seconds]
        mean = sum(seconds) / len(seconds) if seconds else seconds_a_page(settings)[name]
        costs[name] = mean, len(seconds)
    return costs


def _issue_plan(survey: _Survey, settings: Settings, costs: Mapping[str, tuple[float, int]]) -> IssuePlan:
    plans = []
    for name, (seconds, measured) in costs.items():
        verdicts = survey.tallies[name].verdicts
        stale, maybe = verdicts[Verdict.STALE], verdicts[Verdict.MAYBE]
        minutes = seconds / 60 / STAGES[name].workers(settings)
        plans.append(
            StagePlan(
                stage=name,
                stale=stale,
                maybe=maybe,
                fresh=verdicts[Verdict.FRESH],
                skipped=verdicts[Verdict.SKIPPED],
                seconds=seconds,
                measured=measured,
                minutes=stale * minutes,
                most_minutes=(stale + maybe) * minutes,
            )
        )
    return IssuePlan(issue=survey.issue.id, pages=survey.issue.page_count, stages=tuple(plans))


def _sum(empty: StagePlan, parts: Sequence[StagePlan]) -> StagePlan:
    names = ("stale", "maybe", "fresh", "skipped", "minutes", "most_minutes")
    return empty.model_copy(update={name: sum(getattr(part, name) for part in parts) for name in names})
