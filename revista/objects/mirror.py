"""The local copy of one issue: what it holds, by content, and how it is brought to the state of a manifest."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError

from revista.errors import StorageError
from revista.objects.bucket import side_by_side
from revista.records import Frozen
from revista.store import Archive, storage_errors

STATE = ".objects.json"
LOCK = ".objects.lock"

Stat = tuple[int, int, int, int]
"""Size, times of change of content and of inode in nanoseconds, inode: another one for another content."""


def _inside(path: str) -> str:
    if not path or any(not part or part.startswith(".") for part in path.split("/")) or "\\" in path:
        raise ValueError(f"{path!r} does not lead into the issue's folder")
    return path


class Entry(Frozen):
    """A file of an issue: the object that holds it, its sha256 (hex) and its size in bytes."""

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}-[0-9a-f]{8}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class Manifest(Frozen):
    """All files of an issue by their path in its folder; replaced as a whole, which is what publishes them."""

    schema_version: Literal[1] = 1
    owner: str = ""  # the token of the lease under which alone it may be replaced
    commit: str = ""  # another one with each change of the files
    files: dict[Annotated[str, AfterValidator(_inside)], Entry] = Field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """The names of all objects that it needs."""
        return {entry.key for entry in self.files.values()}


class _Known(Frozen):
    """What is remembered of the local copy: the commit that it follows, and the hash of each file as last seen."""

    url: str
    commit: str
    files: dict[str, tuple[Stat, str]]


class Mirror:
    """The folder of one issue in a local archive."""

    def __init__(self, archive: Archive, issue: str, url: str) -> None:
        """Remember where the folder is, and of which archive's issue it is the copy; nothing is read yet."""
        self._archive = archive
        self._url = url
        self._issue = issue
        self.folder = archive.issue_dir(issue)
        self._hashes: dict[str, tuple[Stat, str]] = {}

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """Keep other processes of this machine from mirroring the same issue into the same folder.

        Raises:
            StorageError: one is at it.
        """
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            stream = (self.folder / LOCK).open("wb")
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StorageError(
                    f"{self._archive.root}: another process keeps its copy of {self._issue} there",
                    "Give each worker a scratch folder of its own, or let the other one finish.",
                ) from error
            yield self

    def scan(self) -> dict[str, Stat]:
        """All files by their path in the issue's folder; hidden ones are nobody's business."""
        found = {}
        for file in self.folder.rglob("*"):
            path = file.relative_to(self.folder).as_posix()
            if any(part.startswith(".") for part in path.split("/")) or not file.is_file():
                continue
            found[path] = _stat(file)
        return found

    def sha256(self, path: str, stat: Stat) -> str:
        """The hash of a file, read only where its `stat` is another one than when it was last hashed."""
        known = self._hashes.get(path)
        if known is None or known[0] != stat:
            with (self.folder / path).open("rb") as stream:
                known = stat, hashlib.file_digest(stream, "sha256").hexdigest()
            self._hashes[path] = known
        return known[1]

    def load(self) -> str | None:
        """The commit that this copy was made from, perhaps with work done on top of it; None where it is no copy.

        Raises:
            StorageError: the folder is a copy of another archive's issue.
        """
        try:
            known = _Known.model_validate_json((self.folder / STATE).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if known.url != self._url:
            raise StorageError(
                f"{self.folder} is a copy of {known.url}, not of {self._url}",
                "Name another scratch folder, or remove this copy.",
            )
        self._hashes = dict(known.files)
        return known.commit

    def remember(self, commit: str) -> None:
        """Remember that this copy now follows `commit`."""
        here = self.scan()
        hashes = {path: known for path, known in self._hashes.items() if path in here}
        unfinished = self._archive.scratch() / f"{self._issue}{STATE}"
        with storage_errors(self.folder):
            unfinished.write_text(_Known(url=self._url, commit=commit, files=hashes).model_dump_json(), "utf-8")
        self._archive.put(unfinished, self.folder / STATE)

    def follow(self, files: Mapping[str, Entry], get: Callable[[Entry], bytes]) -> None:
        """Bring the folder to the state of `files`, fetching what it lacks or has otherwise.

        All is fetched before anything changes; then records go before the files that they name, and come after
        them, `issue.json` last: whoever reads meanwhile, or after a kill, meets no record without its files.
        """
        here = self.scan()
        changed = [
            path
            for path, entry in files.items()
            if path not in here or here[path][0] != entry.size or self.sha256(path, here[path]) != entry.sha256
        ]
        with storage_errors(self._archive.scratch()):
            side_by_side(lambda entry: self._stage(entry, get), {files[p].sha256: files[p] for p in changed}.values())
        gone = [path for path in here if path not in files]
        for path in (*gone, *(path for path in changed if _rank(path)[0])):
            if _rank(path)[0]:
                (self.folder / path).unlink(missing_ok=True)
        for path in gone:
            (self.folder / path).unlink(missing_ok=True)
        for path in sorted(changed, key=_rank):
            unfinished = self._archive.scratch() / "fetched"
            with storage_errors(self.folder / path):
                shutil.copyfile(self._staged(files[path].sha256), unfinished)
            self._archive.put(unfinished, self.folder / path)
            self._hashes[path] = _stat(self.folder / path), files[path].sha256
        for path in changed:
            self._staged(files[path].sha256).unlink(missing_ok=True)

    def _staged(self, sha256: str) -> Path:
        return self._archive.scratch() / f"fetched-{sha256}"

    def _stage(self, entry: Entry, get: Callable[[Entry], bytes]) -> None:
        place = self._staged(entry.sha256)
        if not (place.is_file() and place.stat().st_size == entry.size):  # fetched before the manifest changed
            unfinished = place.with_suffix(".part")
            unfinished.write_bytes(get(entry))
            unfinished.replace(place)


def _stat(file: Path) -> Stat:
    state = file.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _rank(path: str) -> tuple[int, str]:
    """The order in which files become visible: pictures and page images, then records, the issue's record last."""
    return (2 if path == "issue.json" else 1 if path.endswith(".json") else 0), path
