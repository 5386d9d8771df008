"""Where things are: archive, inbox and settings from the environment that `make serve` sets; folders or object stores.

An archive is a folder or a URL such as `s3://bucket/archive`; a scan too. Work itself is always done on files of this
machine: of an archive in an object store, on a copy under Prefect's home.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from prefect.runtime import flow_run
from prefect.settings import get_current_settings

from revista import leases, objects
from revista.errors import BadArguments
from revista.renewal import renewing
from revista.settings import Settings, load_settings
from revista.store import Archive
from revista.totals import read_summary

PATIENCE = 30.0  # seconds to wait for another run that is at work on the same issue


class Place(NamedTuple):
    """Where a run works on an issue."""

    results: Archive  # what others read
    work: Archive  # where the stages write: the same, or a copy beside it
    publish: Callable[[], object]  # to be called between two stages


def default_archive() -> str:
    """The archive: `REVISTA_ARCHIVE`, else the folder `archive`."""
    return os.environ.get("REVISTA_ARCHIVE") or "archive"


def default_inbox() -> Path:
    """The inbox folder: `REVISTA_INBOX`, else `inbox`."""
    return Path(os.environ.get("REVISTA_INBOX") or "inbox")


def default_settings_file() -> Path | None:
    """The settings file: `REVISTA_SETTINGS`, else none (then `revista.toml`, where there is one)."""
    named = os.environ.get("REVISTA_SETTINGS")
    return Path(named) if named else None


def reports_url() -> str | None:
    """The address under which `make serve` shows the issues' reports; None where it does not."""
    return os.environ.get("REVISTA_REPORTS_URL") or None


def read_settings(file: Path | None) -> tuple[Settings, Path | None]:
    """The settings, and the file that they were read from, as a run's tasks need them.

    Raises:
        BadArguments: the file cannot be read, or holds what is not a setting.
    """
    named = file or default_settings_file()
    if named is not None and not named.is_file():
        raise BadArguments(f"{named}: no such settings file", "Name another one in the run's settings_file.")
    return load_settings(named), named


def local_archive(archive: str) -> Path:
    """The archive folder on this machine: the archive itself, or where its issues are copied to."""
    if not objects.is_url(archive):
        return Path(archive)
    digest = hashlib.sha256(archive.encode()).hexdigest()[:12]
    return get_current_settings().home / "copies" / digest


@contextmanager
def place_of_work(archive: str, issue: str) -> Iterator[Place]:
    """Where to work on an issue, for this run alone: beside its results where it has been whole, else in their place.

    Raises:
        Busy, objects.InUse: another run is at work on it.
        StorageError: the archive cannot be written.
    """
    root = local_archive(archive)
    with ExitStack() as stack:
        publish: Callable[[], object] = _nothing
        if objects.is_url(archive):
            run = flow_run.name or ""
            copy = stack.enter_context(objects.workplace(archive, issue, root, run=run, wait=PATIENCE))
            results: Archive = copy
            publish = copy.publish
        else:
            results = stack.enter_context(Archive(root, create=True))
            stack.enter_context(leases.hold(results.root, issue, "issue", patience=PATIENCE))
        if read_summary(results, issue) is None:
            yield Place(results, results, publish)
        else:
            yield Place(results, stack.enter_context(renewing(results, issue)), _nothing)


def _nothing() -> None:
    """What there is to publish of a folder, or of a renewal before it is whole."""


@contextmanager
def scan_at(place: str) -> Iterator[Path]:
    """A scan as a file of this machine.

    Raises:
        BadInput: there is none.
        StorageError: the object store does not give it.
    """
    if not objects.is_url(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="revista-") as folder:  # two machines' scans may have one name
        yield objects.fetch_scan(place, Path(folder))


def all_scans(places: Sequence[str]) -> list[str]:
    """The scans that are named; for a URL that ends in `/`, all PDFs below it."""
    found: list[str] = []
    for place in places:
        if objects.is_url(place) and place.endswith("/"):
            found += [scan.url for scan in objects.list_scans(place)]
        else:
            found.append(place)
    return found
