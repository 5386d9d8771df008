"""An issue with the records of all its stages joined: what `revista show` prints and the report draws.

Only reading: a stage that has not run is None, a record that cannot be read is a `Problem`, and what a person or a
program gets to see (JSON, console, HTML) is made from the one `IssueView`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import JsonValue

from revista.errors import Category
from revista.geometry import Box
from revista.records import (
    BODIES,
    SCHEMA_VERSION,
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
from revista.store import PAGE_IMAGES, Archive
from revista.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

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
        return getattr(self.region, "look", None)

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


# --- showing --------------------------------------------------------------------------------------------------


def show_json(view: IssueView) -> dict[str, Any]:
    """The issue as plain JSON values, for programs; its shape is stable and described in docs/formats.md.

    `{"schema_version", "issue", "totals", "pages", "problems", "provenance"}`. A page has `number`, `image` (relative
    to the archive folder), `width`, `height`, `failed`, `missing_stages`, `regions`, `text` and `pictures`; a picture
    has `id`, `box`, `file`, `look`, `detector`, `confidence`, `context`, `candidates` (best first, scored), `chosen`,
    `window`, `belonging`, `kind`, `reasons`, `alt`, `description`, `sentences` and `undescribed`. What a stage that has not run
    would have said is null; what it looked for and did not find is an empty list. Boxes are
    `[left, top, right, bottom]` in pixels.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "issue": view.issue.model_dump(mode="json", exclude={"problems"}),
        "totals": view.totals.model_dump(mode="json"),
        "pages": [_page_json(view.issue.id, page) for page in view.pages],
        "problems": [problem.model_dump(mode="json") for problem in view.problems],
        "provenance": view.provenance.model_dump(mode="json"),
    }


def _page_json(issue: str, page: PageView) -> dict[str, Any]:
    image = page.pages
    text = page.text
    return {
        "number": page.number,
        "image": f"issues/{issue}/{PAGE_IMAGES}/{image.image}" if image and image.image else None,
        "width": image.width if image else None,
        "height": image.height if image else None,
        "failed": page.failed,
        "missing_stages": list(page.missing),
        "regions": [region.model_dump(mode="json") for region in page.regions.regions] if page.regions else None,
        "text": text
        and {
            "language": text.language,
            "skew": text.skew,
            "orientation": text.orientation,
            "paragraphs": [
                {
                    "id": paragraph.id,
                    "box": list(paragraph.box),
                    "text": paragraph.text,
                    "confidence": _mean(word.confidence for word in paragraph.words),
                    "lines": [{"box": list(line.box), "text": line.text} for line in paragraph.lines],
                }
                for paragraph in text.paragraphs
            ],
        },
        "pictures": [_picture_json(picture) for picture in page.pictures],
    }


def _picture_json(picture: PictureView) -> dict[str, Any]:
    ranking, description = picture.ranking, picture.description
    return {
        "id": picture.id,
        "box": list(picture.box),
        "file": picture.file,
        "look": picture.look,
        "detector": picture.region.detector if picture.region else None,
        "confidence": picture.region.confidence if picture.region else None,
        "context": picture.context and picture.context.model_dump(mode="json", exclude={"picture", "box"}),
        "candidates": [_scored_json(scored) for scored in picture.scored] if picture.candidates or ranking else None,
        "chosen": _scored_json(ranking.chosen) if ranking and ranking.chosen else None,
        "window": _scored_json(ranking.window) if ranking and ranking.window else None,
        "belonging": ranking.belonging if ranking else None,
        "kind": ranking.kind.model_dump(mode="json") if ranking and ranking.kind else None,
        "reasons": {
            "captions": picture.candidates.reason if picture.candidates else None,
            "ranking": ranking.reason if ranking else None,
        },
        "alt": description.alt if description else None,
        "description": description.text if description else None,
        "sentences": [s.model_dump(mode="json") for s in description.sentences] if description else None,
        "undescribed": description.undescribed if description else None,
    }


def _scored_json(scored: ScoredCandidate) -> dict[str, Any]:
    return {
        **scored.candidate.model_dump(mode="json"),
        "similarity": scored.similarity,
        "probability": scored.probability,
        "agreement": scored.agreement,
        "matching": scored.matching,
        "reliability": scored.reliability,
    }


def _mean(numbers: Iterable[float]) -> float | None:
    values = list(numbers)
    return round(sum(values) / len(values), 4) if values else None


def _linked(picture: PictureView) -> Iterable[str]:
    """How the printed caption was linked, in lines: how likely, with whom it is shared, what else it might be."""
    context = picture.context
    if context is None or context.caption is None:
        return
    parts = context.caption_parts or (context.caption,)
    with_whom = f", shared with {', '.join(context.caption_shared_with)}" if context.caption_shared_with else ""
    yield f"caption ({context.caption_confidence:.2f}{with_whom}): " + " | ".join(part.text for part in parts)
    if context.caption_runner_up:
        yield f"or perhaps ({context.caption_runner_up_confidence:.2f}): {context.caption_runner_up.text}"


def show_text(view: IssueView, console: Console) -> None:
    """Print the issue for a person: the totals, each picture with its sentences and their sources, the problems."""
    from rich.padding import Padding
    from rich.text import Text

    def say(text: str, indent: int = 0, style: str = "", above: int = 0) -> None:
        # Text, not str: brackets in OCR text are no markup. Padding keeps wrapped lines indented.
        console.print(Padding(Text(printable(text), style=style), (above, 0, 0, indent)))

    issue, totals = view.issue, view.totals
    say(f"{issue.title}, {issue.id}", style="bold")
    date = "-".join(f"{part:02d}" for part in (issue.year, issue.month) if part)
    numbers = [f"{name} {value}" for name, value in (("vol.", issue.volume), ("no.", issue.number)) if value]
    say(", ".join(filter(None, [date, *numbers, f"from {issue.source_name}"])), style="dim")
    say(
        f"{totals.pages} pages ({totals.failed_pages} failed), {totals.pictures} pictures: {totals.described_by_model} "
        f"described by a model, {totals.with_printed_caption} with a printed caption; {totals.problems} problems"
    )
    for page in view.pages:
        if page.pictures or page.failed or page.missing:
            trouble = " failed" if page.failed else f" not run: {', '.join(page.missing)}" if page.missing else ""
            say(f"Page {page.number}{trouble}", style="bold", above=1)
        for picture in page.pictures:
            kind = picture.ranking.kind if picture.ranking else None
            told = f", {picture.look}" if picture.look else ""
            told += f", {kind.kind.value} ({kind.confidence:.2f})" if kind else ""
            say(f"{picture.id}, {picture.box.width} x {picture.box.height} px{told}", 2, "cyan")
            for line in _linked(picture):
                say(line, 4, "dim")
            for sentence in picture.description.sentences if picture.description else ():
                say(f"[{sentence.source.value}] {sentence.text}", 4)
                for flag in sentence.flags:
                    say(f"{flag.kind.value}: {flag.term or '-'} ({flag.note})", 6, "magenta")
            if picture.description and picture.description.undescribed:
                say(picture.description.undescribed, 4, "yellow")
    if view.problems:
        say("Problems", style="bold red", above=1)
    for problem in view.problems:
        where = f"page {problem.page}" if problem.page else "issue"
        say(f"{where}, {problem.stage}, {problem.item or '-'}: {problem.message} ({problem.category.value})", 2)
        if problem.hint:
            say(f"-> {problem.hint}", 4, "green")
