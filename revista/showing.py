"""What a person or a program gets to see of an issue: plain JSON values, and text for the console."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from revista.records import SCHEMA_VERSION, ScoredCandidate
from revista.store import PAGE_IMAGES
from revista.view import IssueView, PageView, PictureView
from revista.wording import printable

if TYPE_CHECKING:
    from rich.console import Console


def show_json(view: IssueView) -> dict[str, Any]:
    """The issue as plain JSON values, for programs; its shape is stable and described in docs/formats.md.

    `{"schema_version", "issue", "totals", "pages", "problems", "provenance"}`. A page has `number`, `image` (relative
    to the archive folder), `width`, `height`, `failed`, `missing_stages`, `regions`, `text` and `pictures`; a picture
    has `id`, `box`, `file`, `look`, `detector`, `confidence`, `context`, `candidates` (best first, scored), `chosen`,
    `window`, `belonging`, `kind`, `reasons`, `alt`, `description`, `sentences` and `undescribed`. What a stage that has
    not run would have said is null; what it looked for and did not find is an empty list. Boxes are
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
            "bend": [list(place) for place in text.bend],
            "orientation": text.orientation,
            "paragraphs": [
                {
                    "id": paragraph.id,
                    "box": list(paragraph.box),
                    "text": paragraph.text,
                    "inset": paragraph.inset,
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
                if e := sentence.evidence.index:
                    say(f"{e.file}, row {e.row}; printed page {e.number} ({e.known.value})", 6, "dim")
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
