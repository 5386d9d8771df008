"""What an operator sees of an issue in the Prefect UI: its progress, its problems, its pictures."""

from __future__ import annotations

import base64
import io
import re
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from PIL import Image
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.api import patiently
from flows.places import reports_url
from revista.issues import issue_name
from revista.pipeline import IssueReport
from revista.records import Issue, Problem
from revista.store import Archive
from revista.view import IssueView, PictureView
from revista.wording import printable

_THUMBNAIL = 120  # pixels, the longer side
_MOST_PICTURES = 60  # a page of thumbnails: about 4 KB each, into the server's database
_MOST_PROBLEMS = 200
_CELL = 44  # characters; the UI draws each line of a table's cell as it is, however long


def artifact_key(*parts: str) -> str:
    """An artifact key from `parts`: Prefect allows lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def counted(number: int, singular: str) -> str:
    """A number with its noun: `1 problem`, `2 problems`."""
    return f"{number} {singular}{'' if number == 1 else 's'}"


def in_short(report: IssueReport) -> str:
    """What came out of an issue: `100 pages, 57 pictures, 1 problem`."""
    counts = {"page": report.pages, "picture": report.pictures, "problem": len(report.problems)}
    return ", ".join(counted(number, noun) for noun, number in counts.items())


def wrapped(text: str, width: int = _CELL) -> str:
    """A text for a table's cell, in lines of about `width` characters; a longer word stays whole."""
    return textwrap.fill(printable(text), width, break_long_words=False, break_on_hyphens=False)


class Progress:
    """The progress artifact of an issue: the share of its time that is behind it, its speed, the time left."""

    def __init__(self, issue: Issue, shares: dict[str, float]) -> None:
        """Create the artifact at 0 %; `shares` says how much of a page's time each stage takes."""
        self._pages = issue.page_count
        total = sum(shares.values())
        self._shares = {stage: share / total for stage, share in shares.items()}
        self._done = 0.0  # 0 to 1
        self._begun = time.monotonic()
        created = patiently(
            create_progress_artifact,
            0.0,
            key=artifact_key("progress", issue.id),
            description=f"{issue.id}: {counted(issue.page_count, 'page')}",
        )
        self._id = UUID(str(created))

    def advance(self, stage: str, first: int, last: int) -> None:
        """Count the pages `first` to `last` as through `stage`."""
        self._done += self._shares[stage] * (last - first + 1) / self._pages
        seconds = max(time.monotonic() - self._begun, 0.001)
        speed = 60 * self._done * self._pages / seconds
        left = seconds * (1 - self._done) / self._done if self._done else 0.0
        patiently(
            update_progress_artifact,
            self._id,
            min(100.0, round(100 * self._done, 1)),
            description=f"{stage}: pages {first}-{last} of {self._pages} done; {speed:.0f} pages/min, "
            f"about {duration(left)} left",
        )


def duration(seconds: float) -> str:
    """A length of time as one reads it: `40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def problems_table(issue: str, problems: Sequence[Problem]) -> None:
    """The table of an issue's problems, empty where there are none: one artifact an issue, a version each run."""
    rows = [
        {
            "page": _link(issue, problem.page),
            "what happened": wrapped(problem.message),
            "what to do": wrapped(problem.hint),
            "stage": problem.stage,
            "item": problem.item or "",
            "category": problem.category.value,
        }
        for problem in problems[:_MOST_PROBLEMS]
    ]
    if len(problems) > _MOST_PROBLEMS:
        rows.append({"page": "", "what happened": f"and {len(problems) - _MOST_PROBLEMS} more", "what to do": ""})
    patiently(
        create_table_artifact,
        rows or [{"page": "", "what happened": "no problems"}],
        key=artifact_key("problems", issue),
        description=f"{issue}: {counted(len(problems), 'problem')}",
    )


def pictures_page(archive: Archive, view: IssueView) -> None:
    """A page of thumbnails with their descriptions: one artifact an issue, a version each run."""
    issue, totals = view.issue, view.totals
    lines = [
        f"## {_markdown(issue_name(Path(issue.source_name)))}",
        "",
        f"{counted(totals.pages, 'page')}, {counted(totals.pictures, 'picture')}: "
        f"{totals.described_by_model} described by a model, {totals.with_printed_caption} with a printed caption. "
        f"{_report_link(issue.id)}",
    ]
    for picture in view.pictures[:_MOST_PICTURES]:
        lines += _entry(archive, issue.id, picture)
    if len(view.pictures) > _MOST_PICTURES:
        lines += ["", f"… and {len(view.pictures) - _MOST_PICTURES} more, in the report."]
    patiently(
        create_markdown_artifact,
        "\n".join(lines),
        key=artifact_key("pictures", issue.id),
        description=f"{issue.id}: {counted(totals.pictures, 'picture')}",
    )


def _entry(archive: Archive, issue: str, picture: PictureView) -> list[str]:
    description = picture.description
    said = " ".join(sentence.text for sentence in description.sentences) if description else ""
    lacking = description.undescribed if description else None
    text = _markdown(said) or f"*{_markdown(lacking or 'no description')}*"
    where = _link(issue, picture.page)
    return ["", "---", "", _thumbnail(archive, picture), "", f"Page {where}: {text}"]


def _thumbnail(archive: Archive, picture: PictureView) -> str:
    """The picture in small as a `data:` URI: the UI has no other way to the archive's files."""
    if picture.file is None:
        return "(no file)"
    try:
        with Image.open(archive.root / picture.file) as image:
            image.draft("RGB", (2 * _THUMBNAIL, 2 * _THUMBNAIL))
            small = image.convert("RGB")
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
        packed = io.BytesIO()
        small.save(packed, "JPEG", quality=70, optimize=True)
    except OSError:
        return "(unreadable)"
    return f"![{picture.id}](data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode()})"


def _markdown(text: str) -> str:
    """Foreign text as Markdown that says just that: no markup, no HTML, no new line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~$&])", r"\\\1", printable(" ".join(text.split()))).replace("\\<", "&lt;")


def _link(issue: str, page: int | None) -> str:
    where = f"{reports_url()}/{issue}#pagina-{page}" if reports_url() and page else ""
    return f"[{page}]({where})" if where else str(page or "")


def _report_link(issue: str) -> str:
    return f"[Report]({reports_url()}/{issue})" if reports_url() else f"Report: `revista report {issue}`"
