"""Which PDFs an issue was made from: found by content, kept as versions, found again when they are needed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from revista.errors import BadInput
from revista.objects import is_url
from revista.records import Body, Frozen, Header, Issue, Record
from revista.store import Archive

_NAME = "scans"


class ScanVersion(Frozen):
    """A PDF that an issue was made from, at one time."""

    version: int  # from 1
    source_name: str
    source_sha256: str
    source_bytes: int
    page_count: int
    entered: datetime  # UTC
    place: str  # where the file lay when last seen: its path from the archive folder, or its URL


class Scans(Body):
    """All the PDFs that an issue was made from, the oldest first: the last one is the one that counts."""

    versions: tuple[ScanVersion, ...] = ()


class Known(NamedTuple):
    """A scan that the archive has met before."""

    issue: str
    version: ScanVersion
    current: bool  # whether it is the version that counts


def enter(archive: Archive, issue: Issue, pdf: Path, url: str | None = None) -> None:
    """Note that `issue` is now made from `pdf`: a new version where content or file name is new, else its place.

    `url` says where it lies, where `pdf` is only a copy of an object in a store.
    """
    known = versions(archive, issue.id)
    last = known[-1] if known else None
    place = url or _from(archive, pdf)
    if last and (last.source_sha256, last.source_name) == (issue.source_sha256, issue.source_name):
        if last.place != place:
            _write(archive, issue.id, (*known[:-1], last.model_copy(update={"place": place})))
        return
    new = ScanVersion(
        version=len(known) + 1,
        source_name=issue.source_name,
        source_sha256=issue.source_sha256,
        source_bytes=issue.source_bytes,
        page_count=issue.page_count,
        entered=datetime.now(UTC),
        place=place,
    )
    _write(archive, issue.id, (*known, new))


def moved(archive: Archive, issue: str, sha256: str, to: Path) -> None:
    """Note that the scan with this content now lies at `to`."""
    place = _from(archive, to)
    known = versions(archive, issue)
    changed = tuple(v.model_copy(update={"place": place}) if v.source_sha256 == sha256 else v for v in known)
    if changed != known:
        _write(archive, issue, changed)


def versions(archive: Archive, issue: str) -> tuple[ScanVersion, ...]:
    """The scans that an issue was made from, the oldest first."""
    record = archive.read_about(issue, _NAME, Scans)
    return record.body.versions if record else ()


def find_content(archive: Archive, sha256: str) -> Known | None:
    """The issue that was made from a PDF with this content, at any time; None where the archive has not met it."""
    for issue in archive.issues():
        known = versions(archive, issue)
        for version in reversed(known):
            if version.source_sha256 == sha256:
                return Known(issue, version, current=version.source_sha256 == known[-1].source_sha256)
    return None


def find_scan(archive: Archive, issue: str) -> str:
    """Where the PDF is that the issue is made from: a path, or the URL of an object in a store.

    Raises:
        BadInput: it is not where it lay when last seen, or has another size.
    """
    known = versions(archive, issue)
    if not known:
        raise BadInput(
            f"{issue}: the archive does not say where its scan is",
            "Run it once by its file: revista run PDF --archive DIR",
        )
    last = known[-1]
    if is_url(last.place):
        return last.place
    pdf = Path(os.path.normpath(archive.locks / last.place))
    if not pdf.is_file() or pdf.stat().st_size != last.source_bytes:
        raise BadInput(
            f"{issue}: its scan {last.source_name} no longer lies at {pdf}",
            "Put it back there, or drop it into the inbox again.",
        )
    return str(pdf)


def _from(archive: Archive, file: Path) -> str:
    """The way to a file from the archive folder: it stays true when both are moved together."""
    return os.path.relpath(file.resolve(), archive.locks.resolve())


def _write(archive: Archive, issue: str, known: tuple[ScanVersion, ...]) -> None:
    record = Record[Scans](header=Header(stage=_NAME, version="1"), body=Scans(versions=known))
    archive.write_about(issue, _NAME, record)
