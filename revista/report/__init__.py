"""The report of an issue: one HTML file that needs nothing else, neither a server nor the archive nor a network.

All text in it that comes from scans or models is foreign: the template escapes it, and a Content-Security-Policy
lets the browser run and load nothing but what this module put in.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from revista import __version__
from revista.errors import BadArguments, StorageError
from revista.records import Paragraph, Problem, Quote, RegionKind, Source
from revista.report import spanish
from revista.report.drawing import Drawing, draw
from revista.report.pictures import PagePictures, page_pictures
from revista.store import Archive
from revista.view import PageView, PictureView, read_view
from revista.wording import decimal, printable

_HERE = Path(__file__).parent
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ac\u2010]$")  # after a letter, at the end of a line


@dataclass(frozen=True)
class Sheet:
    """A page as the report shows it."""

    view: PageView
    images: PagePictures
    drawing: Drawing | None
    problems: tuple[Problem, ...]  # those of this page


def write_report(archive: Archive, issue: str, out: Path) -> Path:
    """Write the report of `issue` to the file `out` and return it; the same archive gives the same bytes.

    Raises:
        BadArguments: there is no such issue, or `out` is a folder.
        BadInput: the issue's record cannot be read.
        StorageError: the file cannot be written; what stood there before still does.
    """
    view = read_view(archive, issue)
    if out.is_dir():
        raise BadArguments(f"{out} is a folder", f"Name a file, such as: {out / (issue + '.html')}")
    images = [page_pictures(archive, issue, page) for page in view.pages]
    unreadable = (problem for page in images for problem in page.problems)
    problems = sorted((*view.problems, *unreadable), key=lambda problem: problem.page or 0)
    sheets = [
        Sheet(page, shown, draw(page), tuple(problem for problem in problems if problem.page == page.number))
        for page, shown in zip(view.pages, images, strict=True)
    ]
    undescribed = Counter(
        picture.description.undescribed
        for picture in view.pictures
        if picture.description and picture.description.undescribed
    )
    css, js = ((_HERE / name).read_text("utf-8") for name in ("style.css", "script.js"))
    html = (
        _environment()
        .get_template("page.html")
        .render(
            view=view,
            issue=view.issue,
            totals=view.totals,
            sheets=sheets,
            problems=problems,
            undescribed=sorted(undescribed.items()),
            numbers={page.number for page in view.pages},
            kinds=spanish.KINDS,
            looks=spanish.LOOKS,
            sources=spanish.SOURCES,
            flags=spanish.FLAGS,
            numbered=spanish.NUMBERED,
            css=Markup(css),
            js=Markup(js),
            policy=_policy(css, js),
            version=__version__,
            RegionKind=RegionKind,
            Source=Source,
        )
    )
    _write(out, html.encode())
    return out


def _policy(css: str, js: str) -> str:
    """The Content-Security-Policy that allows exactly this inline style and script, and images in `data:` URIs."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js))
    return (
        f"default-src 'none'; base-uri 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    )


def _write(out: Path, content: bytes) -> None:
    """Write beside the place and rename, so that a kill leaves the old file or the new one."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot write {out}: {error.strerror or error}",
            "Free some space or mend the folder's rights, or name another file with --to.",
        ) from error


# --- what the template calls ----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(
        whole=spanish.whole,
        decimal=decimal,
        count=spanish.count,
        day=spanish.day,
        ranges=spanish.page_ranges,
        reason=spanish.reason,
        sentence=spanish.sentence,
        date=spanish.issue_date,
        numbers=spanish.issue_numbers,
        stage=lambda name: spanish.STAGES.get(name, name),
        picture_kind=spanish.picture_kind,
        category=lambda category: spanish.CATEGORIES.get(category, str(category)),
        words=_words,
        lines=_lines,
        doubts=_doubts,
        alt=_alt,
        state=_state,
        setting=_setting,
    )
    return environment


def _finalize(value: Any) -> Any:
    """Foreign text without control characters and marks that turn the writing direction of what stands beside it."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _words(quote: Quote) -> list[tuple[str, bool]]:
    """The words of a quote, each with whether it was read with doubt."""
    unsure = set(quote.uncertain)
    return [(word, place in unsure) for place, word in enumerate(quote.text.split())]


def _lines(paragraph: Paragraph) -> list[tuple[str, bool]]:
    """The printed lines, each with whether its last word goes on in the next; the hyphen is left out then."""
    texts = [line.text for line in paragraph.lines if line.words]
    broken = [place < len(texts) and bool(_HYPHEN.search(text)) for place, text in enumerate(texts, start=1)]
    return [(_HYPHEN.sub("", text) if on else text, on) for text, on in zip(texts, broken, strict=True)]


def _doubts(picture: PictureView) -> list[str]:
    """Why captioner and ranker did less than they might have, in so far as the description does not say so itself."""
    reasons = [record.reason for record in (picture.candidates, picture.ranking) if record and record.reason]
    clauses = dict.fromkeys(clause for reason in reasons for clause in reason.split("; "))
    told = (picture.description.undescribed or "").split("; ") if picture.description else []
    return [clause for clause in clauses if clause not in told]


def _alt(picture: PictureView) -> str:
    """The alternative text of a picture: that of its description, else where it stands."""
    if picture.description:
        return picture.description.alt
    return f"Imagen {picture.order} de la página {picture.page}, sin descripción"


def _state(picture: PictureView) -> tuple[str, str]:
    """How well a picture is described, as a CSS class and in words."""
    sources = {sentence.source for sentence in picture.description.sentences} if picture.description else set()
    if Source.REVIEWER in sources:
        return "reviewed", "revisada"
    if picture.described:
        return "seen", "descrita"
    return ("printed", "solo impreso") if sources - {Source.SEEN} else ("bare", "sin descripción")


def _setting(value: Any) -> str:
    """A setting's value in short."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_setting(item) for item in value)
    if isinstance(value, bool):
        return "sí" if value else "no"
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    return "—" if value is None else f"«{value}»" if value == "" else str(value)
