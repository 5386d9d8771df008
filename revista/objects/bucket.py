"""Objects of an object store by their path.

With what the rest of the package builds on: a write that only the faster of two makes (compare and swap), an age by the
store's own clock, retries, and errors that say what to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from revista.errors import BadInput, RevistaError, StorageError
from revista.objects.trouble import again_and_again

T = TypeVar("T")
D = TypeVar("D")

SIDE_BY_SIDE = 8  # requests at a time

UNFINISHED = ".unfinished-"

_PROVEN: set[tuple[str, ...]] = set()


@dataclass(frozen=True)
class Found:
    """An object as it was read: its content, its version tag, and its age in seconds by the store's own clock."""

    data: bytes
    etag: str
    age: float


@dataclass(frozen=True)
class Stored:
    """An object as a listing names it; `path` is relative to the bucket's URL, `size` in bytes."""

    path: str
    size: int
    etag: str


class Bucket:
    """The objects below a URL. Paths are relative to it; all methods may be called from several threads.

    Raises (every method that asks the store):
        StorageError: no access, no such bucket, or the store does not answer after some tries.
    """

    def __init__(self, url: str) -> None:
        """Open `url`; nothing is asked yet."""
        self.url = url.rstrip("/")
        self._fs = self._file_system()
        self._root = str(self._fs._strip_protocol(self.url)).rstrip("/")

    def _file_system(self) -> Any:
        """The fsspec file system of the URL."""
        import fsspec

        return fsspec.filesystem(self.url.split("://")[0], skip_instance_cache=True)

    def read(self, path: str) -> Found | None:
        """The object at `path`, None where there is none."""
        return self._ask_or(lambda: self._read(self._full(path)), None)

    def get(self, path: str) -> bytes | None:
        """The content at `path`, None where there is none."""
        found = self.read(path)
        return found.data if found else None

    def put(self, path: str, data: bytes) -> None:
        """Write `data` to `path`, over what is there; readers see the old content or the new one."""
        self._ask(lambda: self._write(self._full(path), data))

    def put_if(self, path: str, data: bytes, etag: str | None) -> str | None:
        """Write `data` to `path` if its version still is `etag` (None: if there is no object yet).

        Returns:
            the new version; None where someone was faster, or where an earlier try of this very call went through
            and only its answer was lost: read what is there to know which.
        """
        return self._ask(lambda: self._write_if(self._full(path), data, etag))

    def paths(self, under: str = "", *, deep: bool = True) -> list[Stored]:
        """The objects below the folder `under`, sorted by path; without `deep` only those directly in it."""
        full = self._full(under) if under else self._root

        def ask() -> list[dict[str, Any]]:
            return list(self._fs.find(full, detail=True).values()) if deep else list(self._fs.ls(full, True))

        found = [
            Stored(self._relative(info["name"]), int(info["size"]), _tag(info))
            for info in self._ask_or(ask, [])
            if info["type"] == "file" and UNFINISHED not in info["name"]
        ]
        return sorted(found, key=lambda stored: stored.path)

    def folders(self, under: str) -> list[str]:
        """The names of the folders directly below the folder `under`, sorted."""
        found: list[dict[str, Any]] = self._ask_or(lambda: list(self._fs.ls(self._full(under), True)), [])
        return sorted(info["name"].rstrip("/").rsplit("/", 1)[1] for info in found if info["type"] == "directory")

    def remove(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is already gone is no trouble."""

        def one(path: str) -> None:
            self._ask_or(lambda: self._fs.rm_file(self._full(path)), None)

        side_by_side(one, paths)

    def version(self, path: str) -> str:
        """A tag of the object at `path` that changes with its content; empty where there is none."""
        info: dict[str, Any] = self._ask_or(lambda: dict(self._fs.info(self._full(path))), {})
        return _tag(info) if info else ""

    def download(self, path: str, place: Path) -> None:
        """Write the object at `path` into the file `place` (not in one step: name an unfinished file).

        Raises:
            BadInput: there is no such object.
        """
        try:
            again_and_again(lambda: self._fs.get_file(self._full(path), str(place)), self.url)
        except FileNotFoundError as error:
            raise BadInput(
                f"{self.url}/{path}: no such object", "List what is there; it may have been moved meanwhile."
            ) from error

    def move(self, path: str, to: Bucket, to_path: str) -> None:
        """Move an object, also to another bucket of the same store. Killed in between, both places have it.

        Raises:
            BadInput: there is no such object.
        """
        try:
            again_and_again(lambda: self._fs.cp_file(self._full(path), to._full(to_path)), self.url)
        except FileNotFoundError as error:
            raise BadInput(f"{self.url}/{path}: no such object", "It may have been moved meanwhile.") from error
        self.remove([path])

    def require_conditional_writes(self) -> None:
        """Make sure, once a process and bucket, that the store heeds the conditions of `put_if`.

        Raises:
            StorageError: it writes all the same, as some S3-compatible stores do: two machines would work on one issue.
        """
        key = (self.url, os.environ.get("AWS_ENDPOINT_URL_S3", ""), os.environ.get("AWS_ENDPOINT_URL", ""))
        if key in _PROVEN:
            return
        probe, content = "leases/.probe", b"Written to see whether this store heeds conditions.\n"
        self.put_if(probe, content, None)
        heedless = self.put_if(probe, content, None) or self.put_if(probe, content, f'"{"0" * 32}"')
        if heedless:
            raise StorageError(
                f"{self.url}: this object store does not heed If-None-Match and If-Match when it writes",
                "Work on one machine only, or choose a store that does, such as Amazon S3 or MinIO.",
            )
        _PROVEN.add(key)

    # --- what differs from store to store ---

    def _read(self, full: str) -> Found:
        raise NotImplementedError

    def _write(self, full: str, data: bytes) -> None:
        self._fs.pipe_file(full, data)

    def _write_if(self, full: str, data: bytes, etag: str | None) -> str | None:
        raise NotImplementedError

    # --- asking ---

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _relative(self, name: str) -> str:
        return name.rstrip("/")[len(self._root) :].lstrip("/")

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return again_and_again(call, self.url)
        except FileNotFoundError as error:
            raise StorageError(
                f"{self.url}: {error}", "Look at the URL; it may have been removed meanwhile."
            ) from error

    def _ask_or(self, call: Callable[[], T], missing: D) -> T | D:
        """Ask the store; the answer is `missing` when there is no such object."""
        try:
            return again_and_again(call, self.url)
        except FileNotFoundError:
            return missing


def _tag(info: dict[str, Any]) -> str:
    """What changes with an object's content: its ETag; for quick tests its times and size."""
    return str(info.get("ETag") or f"{info.get('mtime') or info.get('created')} {info['size']}")


def side_by_side(work: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
    """`work` on each item, some at a time, in order; the first error stops what has not begun."""
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="objects") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def only_logged(what: str, log: Any) -> Iterator[None]:
    """Let a trouble with the store pass that costs nothing but tidiness, with a line in the log."""
    try:
        yield
    except RevistaError as error:
        log.warning("%s: %s", what, error)
