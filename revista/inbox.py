"""The inbox as a folder: which PDFs are finished, which the archive knows, and where each goes afterwards.

    inbox/*.pdf  ->  inbox/done/ISSUE/vN/NAME.pdf    inbox/failed/NAME.pdf     each with NAME.pdf.txt beside it

A note is written before its file moves, and the archive is told of the new place before too: killed in between, the
next round finds the file still in the inbox, knows its content, and moves it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from revista import scans
from revista.errors import BadInput
from revista.issues import identify
from revista.store import Archive, sha256_of
from revista.totals import read_summary

SETTLE = 30.0  # seconds without a change after which a file counts as written
STALLED = 600.0  # seconds after which a PDF that has no end is taken as it is
DONE, FAILED = "done", "failed"

_TAIL = 2048  # bytes in which a whole PDF has its end mark; some programs write more behind it
_END = b"%%EOF"

Fate = Literal["done", "failed", "known", "stays"]


class Look(NamedTuple):
    """What lies in the inbox."""

    finished: tuple[Path, ...]  # PDFs to take, the oldest first
    left: dict[Path, str]  # what is left alone, and why


class Arrival(NamedTuple):
    """A PDF that is finished."""

    pdf: Path
    sha256: str
    issue: str | None = None  # the id to keep it under, where its content is known
    known: str | None = None  # in Spanish: why there is nothing to do with it
    refused: str | None = None  # in Spanish: why nothing can be done with it


class Filed(NamedTuple):
    """Where a file went."""

    file: str
    fate: Fate
    issue: str
    reason: str
    place: str  # relative to the inbox


def look(folder: Path, settle: float = SETTLE, stalled: float = STALLED) -> Look:
    """Look for finished PDFs in the inbox and its folders; `done`, `failed` and hidden files are passed over.

    A file counts as finished when it has not changed for `settle` seconds and ends as a PDF ends, or has not changed
    for `stalled` seconds. Its change time is looked at too: copying may keep an old modification time.
    """
    finished: list[tuple[float, Path]] = []
    left: dict[Path, str] = {}
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if parts[0] in (DONE, FAILED) or any(part.startswith((".", "~")) for part in parts) or file.is_dir():
            continue
        if file.suffix.lower() != ".pdf":
            if not _belongs_to_a_pdf(file):
                left[file] = "not a PDF"
            continue
        if file.is_symlink():
            left[file] = "a link: put the file itself here"
            continue
        try:
            state = file.stat()
            age = time.time() - max(state.st_mtime, state.st_ctime)
            if age < settle or (age < stalled and not _has_end(file)):
                left[file] = "still being written"
            else:
                finished.append((state.st_mtime, file))
        except OSError as error:
            left[file] = f"cannot be read: {error.strerror or error}"
    return Look(tuple(file for _, file in sorted(finished)), left)


def _belongs_to_a_pdf(file: Path) -> bool:
    """Whether it is a sidecar (`NAME.toml` beside `NAME.pdf`)."""
    return file.suffix in (".toml", ".json") and any(file.with_suffix(end).exists() for end in (".pdf", ".PDF"))


def _has_end(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL))
        return _END in stream.read()


def sort_out(archive: Archive, files: Sequence[Path]) -> list[Arrival]:
    """Say of each file whether the archive knows its content, and as what it is to be taken in."""
    arrivals: list[Arrival] = []
    by_content: dict[str, Path] = {}
    by_id: dict[str, Path] = {}
    for file in files:
        digest = sha256_of(file)
        if digest in by_content:
            same = by_content[digest].name
            arrivals.append(Arrival(file, digest, known=f"Tiene el mismo contenido que {same}, recibido a la vez."))
            continue
        by_content[digest] = file
        arrival = _recognise(archive, file, digest)
        id = arrival.issue or _id_of(file)
        if arrival.known is None and arrival.refused is None and id:
            other = by_id.setdefault(id, file)
            if other is not file:
                arrival = arrival._replace(
                    refused=f"{other.name}, recibido a la vez con otro contenido, lleva la misma identificación: {id}."
                )
        arrivals.append(arrival)
    return arrivals


def _recognise(archive: Archive, file: Path, digest: str) -> Arrival:
    met = scans.find_content(archive, digest)
    if met is None:
        return Arrival(file, digest)
    if not met.current:
        return Arrival(
            file,
            digest,
            known=f"Es la versión {met.version.version} de {met.issue}, que una posterior ya ha sustituido.",
        )
    if read_summary(archive, met.issue) is None:
        return Arrival(file, digest, issue=met.issue)  # begun and not finished: go on
    if file.name == met.version.source_name:
        return Arrival(file, digest, issue=met.issue, known=f"Ya está en el archivo como {met.issue}.")
    named = _id_of(file)
    if named and named != met.issue and archive.read_issue(named):
        return Arrival(
            file, digest, refused=f"Su contenido es el de {met.issue}, pero su nombre es el de {named}, que es otro."
        )
    return Arrival(file, digest, issue=met.issue)  # renamed: a new version, of which nothing has to be made anew


def _id_of(file: Path) -> str | None:
    try:
        return identify(file).id
    except BadInput:
        return None  # opening it will say why


def file_done(archive: Archive, folder: Path, arrival: Arrival, issue: str, note: str) -> Filed:
    """Move a file that is in the archive as `issue` to `done/`, with a note; tell the archive where it is now."""
    known = [v.version for v in scans.versions(archive, issue) if v.source_sha256 == arrival.sha256]
    number = known[-1] if known else 1
    place = _free(folder / DONE / issue / f"v{number}" / arrival.pdf.name)
    try:
        _write_note(place, arrival, note)
        scans.moved(archive, issue, arrival.sha256, place)
        return _moved(folder, arrival, place, "done" if arrival.known is None else "known", issue, note)
    except OSError as error:
        return _stuck(arrival, issue, error)


def file_failed(folder: Path, arrival: Arrival, note: str) -> Filed:
    """Move a file with which nothing can be done to `failed/`, with a note that says why."""
    place = _free(folder / FAILED / arrival.pdf.name)
    try:
        _write_note(place, arrival, note)
        return _moved(folder, arrival, place, "failed", "", note)
    except OSError as error:
        return _stuck(arrival, "", error)


def _free(place: Path) -> Path:
    """`place`, or the first of `NAME (2).pdf`, `NAME (3).pdf` ... that is free."""
    number, free = 1, place
    while free.exists():
        number += 1
        free = place.with_stem(f"{place.stem} ({number})")
    return free


def _write_note(place: Path, arrival: Arrival, note: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    text = f"{arrival.pdf.name}\n{when}\n\n{note}\n\nsha256: {arrival.sha256}\n"
    place.with_name(f"{place.name}.txt").write_text(text, "utf-8")


def _moved(folder: Path, arrival: Arrival, place: Path, fate: Fate, issue: str, note: str) -> Filed:
    for suffix in (".toml", ".json"):
        if (sidecar := arrival.pdf.with_suffix(suffix)).is_file():
            shutil.move(sidecar, place.with_suffix(suffix))
    shutil.move(arrival.pdf, place)
    return Filed(arrival.pdf.name, fate, issue, note, place.relative_to(folder).as_posix())


def _stuck(arrival: Arrival, issue: str, error: OSError) -> Filed:
    return Filed(arrival.pdf.name, "stays", issue, f"cannot be moved: {error.strerror or error}", arrival.pdf.name)
