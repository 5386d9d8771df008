"""The object stores that revista knows: how each writes on a condition, and tells an object's age.

S3-compatible stores are reached through s3fs; credentials and endpoint are those of the standard AWS variables and
files, and of fsspec's configuration. `memory://` and `file://` serve quick tests: their conditional writes hold on one
machine only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from revista.errors import BadArguments, MissingProgram
from revista.objects.bucket import UNFINISHED, Bucket, Found
from revista.objects.trouble import is_conflict, is_missing

_TIMES = {"connect_timeout": 4, "read_timeout": 20, "retries": {"total_max_attempts": 1}}  # seconds; we try again


def is_url(place: str | Path) -> bool:
    """Whether `place` names an object store (`s3://bucket/prefix`), not a folder."""
    return isinstance(place, str) and "://" in place


def open_bucket(url: str) -> Bucket:
    """The bucket (with prefix) at `url`; no request is made yet.

    Raises:
        BadArguments: the URL cannot be meant, or its store has no conditional writes that we know how to ask for.
        MissingProgram: s3fs is not installed.
    """
    protocol = url.split("://")[0] if is_url(url) else ""
    kind = {"s3": S3Bucket, "s3a": S3Bucket, "memory": MemoryBucket, "file": FolderBucket}.get(protocol)
    if kind is None or not url.split("://")[1].strip("/"):
        raise BadArguments(
            f"{url}: not the URL of an object store that revista can share work over", "Name it as s3://BUCKET/PREFIX."
        )
    return kind(url)


class S3Bucket(Bucket):
    """A bucket of an S3-compatible store, through s3fs."""

    def _file_system(self) -> Any:
        names = sorted(name for name in os.environ if name.startswith("AWS_"))
        return _s3(os.getpid(), tuple((name, os.environ[name]) for name in names))

    def _call(self, method: str, full: str, **more: Any) -> dict[str, Any]:
        bucket, key, _ = self._fs.split_path(full)
        return self._fs.call_s3(method, Bucket=bucket, Key=key, **more)

    def _read(self, full: str) -> Found:
        from fsspec.asyn import sync

        async def ask() -> tuple[bytes, dict[str, Any]]:
            bucket, key, _ = self._fs.split_path(full)
            answer = await self._fs._call_s3("get_object", Bucket=bucket, Key=key)
            async with answer["Body"] as body:
                return await body.read(), answer

        data, answer = sync(self._fs.loop, ask)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return Found(data, answer["ETag"], (now - answer["LastModified"]).total_seconds())

    def _write_if(self, full: str, data: bytes, etag: str | None) -> str | None:
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            return str(self._call("put_object", full, Body=data, **condition)["ETag"])
        except OSError as error:
            if is_conflict(error) or (etag is not None and is_missing(error)):
                return None
            raise


class MemoryBucket(Bucket):
    """Objects in this process's memory, for quick tests."""

    _guard = threading.Lock()

    def _read(self, full: str) -> Found:
        data = self._fs.cat_file(full)
        return Found(data, hashlib.sha256(data).hexdigest(), time.time() - self._fs.modified(full).timestamp())

    def _write_if(self, full: str, data: bytes, etag: str | None) -> str | None:
        with self._exclusively():
            try:
                found: str | None = self._read(full).etag
            except FileNotFoundError:
                found = None
            if found != etag:
                return None
            self._write(full, data)
            return hashlib.sha256(data).hexdigest()

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with self._guard:
            yield


class FolderBucket(MemoryBucket):
    """Objects in a folder of this machine, for quick tests: each write is a rename."""

    def _file_system(self) -> Any:
        import fsspec

        return fsspec.filesystem("file", skip_instance_cache=True, auto_mkdir=True)

    def _write(self, full: str, data: bytes) -> None:
        unfinished = f"{full}{UNFINISHED}{uuid.uuid4().hex}"
        self._fs.pipe_file(unfinished, data)
        Path(unfinished).replace(full)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        root = Path(self._root)
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@lru_cache(maxsize=4)  # opening one takes some tenths of a second
def _s3(pid: int, variables: tuple[tuple[str, str], ...]) -> Any:
    """The file system of this process and these AWS variables.

    Raises:
        MissingProgram: s3fs is not installed.
    """
    try:
        import s3fs
    except ImportError as error:
        raise MissingProgram(
            "s3://: the Python package s3fs is not installed", "Install it with: pip install 'revista[s3]'"
        ) from error
    from fsspec.config import conf

    more = conf.get("s3", {}).get("config_kwargs", {})
    found = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True, config_kwargs=_TIMES | more)
    found.retries = 1  # `again_and_again` tries again, and knows what can pass by itself
    return found
