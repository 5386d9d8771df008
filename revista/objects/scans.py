"""Scans in a folder of an object store: an inbox. A store shows an object only when it is whole."""

from __future__ import annotations

import uuid
from pathlib import Path

from revista.errors import BadInput
from revista.objects.bucket import Bucket
from revista.objects.stores import open_bucket
from revista.records import Frozen
from revista.store import storage_errors

_SIDECARS = (".toml", ".json")

_ROUNDS = 3


class Scan(Frozen):
    """A PDF in an object store: its URL, file name, size in bytes, and a version tag that changes with its content."""

    url: str
    name: str
    size: int
    etag: str


def list_scans(url: str) -> list[Scan]:
    """The PDFs directly in the folder `url`, by name; what lies in its subfolders is left out.

    Raises:
        StorageError: the store cannot be asked.
    """
    bucket = open_bucket(url)
    return [
        Scan(url=f"{bucket.url}/{found.path}", name=found.path, size=found.size, etag=found.etag)
        for found in bucket.paths(deep=False)
        if found.path.lower().endswith(".pdf")
    ]


def fetch_scan(url: str, folder: Path) -> Path:
    """Fetch a PDF, and the sidecar beside it where there is one, into `folder`; return the PDF's path.

    Raises:
        BadInput: there is no such object.
        StorageError: the store cannot be read, or the folder not written.
    """
    bucket, path = _split(url)
    place = folder / path.rsplit("/", 1)[-1]
    with storage_errors(place):
        folder.mkdir(parents=True, exist_ok=True)
    stem = path[: -len(place.suffix)] if place.suffix else path
    beside = {found.path: found for found in bucket.paths(path.rpartition("/")[0], deep=False)}
    if path not in beside:
        raise BadInput(f"{url}: no such object", "List what is there; it may have been moved meanwhile.")
    for suffix in _SIDECARS:
        if stem + suffix in beside:
            _download(bucket, stem + suffix, place.with_suffix(suffix))
        else:
            place.with_suffix(suffix).unlink(missing_ok=True)  # of an earlier scan of that name
    _download(bucket, path, place)
    return place


def move(url_from: str, url_to: str) -> None:
    """Move an object; over what is at `url_to`. Killed in between, both places have it.

    Raises:
        BadInput: there is no such object.
        StorageError: the store does not take it.
    """
    bucket, path = _split(url_from)
    to, to_path = _split(url_to)
    bucket.move(path, to, to_path)


def write_text(url: str, text: str) -> None:
    """Write an object in UTF-8, over what is there.

    Raises:
        StorageError: the store does not take it.
    """
    bucket, path = _split(url)
    bucket.put(path, text.encode("utf-8"))


def _split(url: str) -> tuple[Bucket, str]:
    """The bucket of an object's URL (without prefix), and the object's path in it."""
    protocol, _, rest = url.partition("://")
    if protocol == "file":  # a folder has no bucket: its parent will do
        head, _, path = url.rpartition("/")
        return open_bucket(head), path
    name, _, path = rest.partition("/")
    if not path:
        raise BadInput(f"{url}: names no object", "Name it as s3://BUCKET/PATH.")
    return open_bucket(f"{protocol}://{name}"), path


def _download(bucket: Bucket, path: str, place: Path) -> None:
    """Fetch an object into a file; again where another version of it came in meanwhile."""
    unfinished = place.with_name(f".{uuid.uuid4().hex}.part")
    try:
        for _ in range(_ROUNDS):
            before = bucket.version(path)
            bucket.download(path, unfinished)
            if bucket.version(path) == before:
                break
        with storage_errors(place):
            unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
