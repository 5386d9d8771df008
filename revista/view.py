"""An issue with the records of all its stages joined: what `revista show` prints and the report draws.

Only reading: a stage that has not run is None, a record that cannot be read is a `Problem`, and what a person or a
program gets to see (JSON, console, HTML) is made from the one `IssueView`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue

from revista.errors import Category
from revista.geometry import Box
from revista.records import (
    BODIES,
    Body,
    Candidates,
    Contexts,
    Description,
    Descriptions,
    Frozen,
    Header,
    Issue,
    Page,
    PageText,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    Problem,
    Quote,
    Ranking,
    Region,
    Regions,
    ScoredCandidate,
    Source,
)
from revista.store import Archive

if TYPE_CHECKING:
    pass

_RERUN = "Run it again: revista run PDF --archive DIR makes what is missing."


class PictureView(Frozen):
    """A picture with what every stage found out about it; None where the stage has not run or does not know it."""

    id: str
    page: int
    order: int  # 1-based place in the reading order of its page
    box: Box
    file: str | None = None  # the cut-out picture, relative to the archive folder; None where there is no such file
    region: Region | None = None
    context: PictureContext | None = None
    candidates: PictureCandidates | None = None
    ranking: PictureRanking | None = None
    description: Description | None = None

    @property
    def described(self) -> bool:
        """Whether a model that looked at the picture says something about it that counts as reliable."""
        said = self.description
        return said is not None and said.undescribed is None and any(s.source is Source.SEEN for s in said.sentences)

    @property
    def caption(self) -> Quote | None:
        """The printed caption, where one belongs to the picture."""
        return self.context.caption if self.context else None

    @property
    def look(self) -> str | None:
        """Photograph, drawing, advertisement or ornament, as the detector says; None where it does not."""
        return self.region.look if self.region else None

    @property
    def scored(self) -> tuple[ScoredCandidate, ...]:
        """All candidates: the ranked ones best first, then those that were proposed but never ranked."""
        ranked = self.ranking.ranked if self.ranking else ()
        known = {scored.candidate.model_dump_json() for scored in ranked}
        proposed = self.candidates.candidates if self.candidates else ()
        return ranked + tuple(ScoredCandidate(candidate=c) for c in proposed if c.model_dump_json() not in known)


class PageView(Frozen):
    """A page with the body of each stage; None where the stage has not run on it."""

    number: int  # 1-based
    failed: bool = False  # a stage could not do the page
    pages: Page | None = None
    regions: Regions | None = None
    text: PageText | None = None
    context: Contexts | None = None
    captions: Candidates | None = None
    ranking: Ranking | None = None
    descriptions: Descriptions | None = None
    pictures: tuple[PictureView, ...] = ()  # joined from the bodies

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that have not run on the page; none where they cannot, since there is no image of it."""
        if self.pages is not None and self.pages.image is None:
            return ()
        return tuple(stage for stage in BODIES if getattr(self, stage) is None)


class Work(Frozen):
    """How a stage was done on some pages: the part of their headers that those pages have in common."""

    stage: str
    version: str
    options: dict[str, JsonValue]
    weights: dict[str, str]
    software: dict[str, str]
    pages: tuple[int, ...] = ()  # ascending; none where the work was on the issue as a whole


class Provenance(Frozen):
    """Who and what speaks in an issue's records."""

    detectors: tuple[str, ...] = ()
    captioners: tuple[str, ...] = ()
    rankers: tuple[str, ...] = ()
    work: tuple[Work, ...] = ()  # in the order of the stages
    first: datetime | None = None  # when the oldest and the newest record were made, UTC
    last: datetime | None = None
    seconds: float = 0.0  # that the stages took for the records, in sum


class Totals(Frozen):
    """The issue in numbers."""

    pages: int
    failed_pages: int
    pictures: int
    described_by_model: int
    with_printed_caption: int
    problems: int


class IssueView(Frozen):
    """An issue with all that is known about it."""

    issue: Issue
    pages: tuple[PageView, ...]
    problems: tuple[Problem, ...]  # of the issue, then page by page in the order of the stages
    provenance: Provenance

    @property
    def pictures(self) -> tuple[PictureView, ...]:
        """All pictures in reading order."""
        return tuple(picture for page in self.pages for picture in page.pictures)

    @property
    def totals(self) -> Totals:
        """The issue in numbers."""
        return Totals(
            pages=len(self.pages),
            failed_pages=sum(page.failed for page in self.pages),
            pictures=len(self.pictures),
            described_by_model=sum(picture.described for picture in self.pictures),
            with_printed_caption=sum(picture.caption is not None for picture in self.pictures),
            problems=len(self.problems),
        )


# --- reading --------------------------------------------------------------------------------------------------


def read_view(archive: Archive, issue: str) -> IssueView:
    """All that the archive knows about `issue`.

    Raises:
        BadArguments: there is no such issue; the hint names ids that look like it.
        BadInput: its record is there and cannot be read.
    """
    record = archive.require_issue(issue)
    problems = list(record.body.problems)
    pages: list[PageView] = []
    headers: list[tuple[int | None, Header]] = [(None, record.header)]
    for number in range(1, record.body.page_count + 1):
        bodies: dict[str, Body] = {}
        trouble: list[Problem] = []
        for stage, body in BODIES.items():
            found = archive.read(issue, stage, number, body)
            if found is not None:
                bodies[stage] = found.body
                headers.append((number, found.header))
                trouble += [p if p.page else p.model_copy(update={"page": number}) for p in found.body.problems]
            elif archive.record_file(issue, stage, number).exists():
                message = f"the record of stage {stage} cannot be read (torn, or of another version of revista)"
                trouble.append(
                    Problem(stage=stage, category=Category.STORAGE, message=message, hint=_RERUN, page=number)
                )
        problems += trouble
        page = PageView(number=number, failed=any(problem.fails_page for problem in trouble), **bodies)
        pages.append(page.model_copy(update={"pictures": _pictures(archive, issue, page)}))
    return IssueView(
        issue=record.body, pages=tuple(pages), problems=tuple(problems), provenance=_provenance(pages, headers)
    )


_Item = TypeVar("_Item", PictureContext, PictureCandidates, PictureRanking, Description)


def _by_picture(items: Iterable[_Item]) -> dict[str, _Item]:
    return {item.picture: item for item in items}


def _pictures(archive: Archive, issue: str, page: PageView) -> tuple[PictureView, ...]:
    """The pictures of a page, joined by their ids."""
    regions = {region.id: region for region in page.regions.pictures} if page.regions else {}
    contexts = _by_picture(page.context.pictures) if page.context else {}
    candidates = _by_picture(page.captions.pictures) if page.captions else {}
    rankings = _by_picture(page.ranking.pictures) if page.ranking else {}
    descriptions = _by_picture(page.descriptions.pictures) if page.descriptions else {}
    boxes = {name: item.box for items in (descriptions, contexts, regions) for name, item in items.items()}
    views = []
    # A picture that the regions no longer name is still shown: its records stand in the archive.
    for order, name in enumerate(dict.fromkeys([*regions, *contexts, *descriptions]), start=1):
        file = archive.picture_file(issue, name)
        views.append(
            PictureView(
                id=name,
                page=page.number,
                order=order,
                box=boxes[name],
                file=file.relative_to(archive.root).as_posix() if file.is_file() else None,
                region=regions.get(name),
                context=contexts.get(name),
                candidates=candidates.get(name),
                ranking=rankings.get(name),
                description=descriptions.get(name),
            )
        )
    return tuple(views)


def _provenance(pages: list[PageView], headers: list[tuple[int | None, Header]]) -> Provenance:
    """Who speaks in `pages`, and from what their records were made; `headers` with the page, None for the issue."""
    groups: dict[str, tuple[Work, list[int]]] = {}
    for page, header in headers:
        work = Work(
            stage=header.stage if page else "issue",
            version=header.version,
            options=header.options,
            weights=header.weights,
            software=header.software,
        )
        key = json.dumps(work.model_dump(mode="json"), sort_keys=True)
        groups.setdefault(key, (work, []))[1].extend([page] if page else [])
    order = ["issue", *BODIES]
    works = [work.model_copy(update={"pages": tuple(numbers)}) for work, numbers in groups.values()]
    made = sorted(header.created for _, header in headers if header.created)
    return Provenance(
        detectors=_names(region.detector for view in pages if view.regions for region in view.regions.regions),
        captioners=_names(view.captions.captioner for view in pages if view.captions),
        rankers=_names(view.ranking.ranker for view in pages if view.ranking),
        work=tuple(sorted(works, key=lambda w: (order.index(w.stage) if w.stage in order else len(order), w.pages))),
        first=made[0] if made else None,
        last=made[-1] if made else None,
        seconds=round(sum(header.seconds or 0.0 for _, header in headers), 3),
    )


def _names(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))
