"""The archive folder: one folder an issue, one JSON record a page and stage, page images and cut-out pictures.

Everything is written beside its place and renamed, so that a kill at any moment leaves either the old file or the
new one. Unfinished files lie under `.tmp/`, one folder a process, locked while the process lives; the next process
removes those whose owner is gone. docs/formats.md shows the layout.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from pydantic import ValidationError

from revista.errors import BadArguments, BadInput, StorageError
from revista.records import Body, Issue, Record

BodyT = TypeVar("BodyT", bound=Body)

PAGE_IMAGES = "pages"
PICTURES = "pictures"
SUMMARY = "summary"


def sha256_of(file: Path) -> str:
    """Hex sha256 of a file's content, read in blocks."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def storage_errors(what: Path | str) -> Iterator[None]:
    """Turn an operating-system error while writing `what` into a `StorageError`."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write {what}: {error.strerror or error}",
            "Free some space or mend the folder's rights, then run the same command again: it goes on.",
        ) from error


class Archive:
    """An archive folder. Use it as a context manager: leaving it removes the process's unfinished files."""

    def __init__(self, root: Path, *, create: bool = False, locks: Path | None = None) -> None:
        """Open the archive folder `root`; with `create`, make it where it does not exist.

        `locks` is the archive folder whose leases count, where it is another one (see `revista.renewal`).

        Raises:
            BadArguments: the folder does not exist (and `create` is False) or is a file.
            StorageError: it cannot be made.
        """
        self.root = root
        self.locks = locks or root
        self._scratch: Path | None = None
        self._lock: tuple[IO[bytes], Path] | None = None
        self._guard = threading.Lock()
        if root.exists() and not root.is_dir():
            raise BadArguments(f"{root} is a file, not an archive folder", "Name a folder with --archive.")
        if create:
            with storage_errors(root):
                root.mkdir(parents=True, exist_ok=True)
        elif not root.exists():
            raise BadArguments(
                f"{root}: no such archive folder",
                "Name it with --archive, or fill it with: revista run PDF --archive DIR",
            )

    def __enter__(self) -> Self:
        """The archive itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove this process's unfinished files."""
        if self._scratch is not None and self._lock is not None:
            stream, file = self._lock
            shutil.rmtree(self._scratch, ignore_errors=True)
            file.unlink(missing_ok=True)
            stream.close()
            self._scratch = self._lock = None

    # --- where things are ---

    def issue_dir(self, issue: str) -> Path:
        """The folder of an issue."""
        return self.root / "issues" / issue

    def record_file(self, issue: str, stage: str, page: int) -> Path:
        """Where the record of `stage` on `page` (1-based) stands."""
        return self.issue_dir(issue) / stage / f"{page:04d}.json"

    def page_image(self, issue: str, name: str) -> Path:
        """Where the page image `name` stands."""
        return self.issue_dir(issue) / PAGE_IMAGES / name

    def picture_file(self, issue: str, picture: str) -> Path:
        """Where the cut-out picture with the region id `picture` stands."""
        return self.issue_dir(issue) / PICTURES / f"{picture}.jpg"

    def reviews_file(self, issue: str) -> Path:
        """Where people's reviews of an issue stand: one JSON object a line, with the region id under `picture`."""
        return self.locks / "reviews" / f"{issue}.jsonl"

    def issues(self) -> list[str]:
        """The ids of all issues in the archive, sorted."""
        return sorted(f.parent.name for f in self.root.glob("issues/*/issue.json"))

    def no_such_issue(self, issue: str) -> BadArguments:
        """The error that says so; its hint leads from a mistyped id to the right one."""
        known = self.issues()
        folded = {name.casefold(): name for name in known}
        near = [folded[name] for name in difflib.get_close_matches(issue.casefold(), folded, n=5)]
        near = near or [name for name in known if issue and issue.casefold() in name.casefold()][:5]
        listed = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
        hint = (f"Did you mean: {', '.join(near)}? " if near else "") + f"The archive holds: {listed}."
        if not known:
            hint = "The archive is empty. Fill it with: revista run PDF --archive DIR"
        return BadArguments(f"{issue}: no such issue in {self.root}", hint)

    # --- reading ---

    def read_issue(self, issue: str) -> Record[Issue] | None:
        """The record of an issue, None where there is none."""
        return self.read_about(issue, "issue", Issue)

    def read_about(self, issue: str, name: str, body: type[BodyT]) -> Record[BodyT] | None:
        """The record `NAME.json` on an issue as a whole, None where there is none."""
        return _read(self.issue_dir(issue) / f"{name}.json", body)

    def require_issue(self, issue: str) -> Record[Issue]:
        """The record of an issue that must be there.

        Raises:
            BadArguments: there is no such issue; the hint names ids that look like it.
            BadInput: its record is there and cannot be read.
        """
        if Path(issue).name != issue or not (file := self.issue_dir(issue) / "issue.json").exists():
            raise self.no_such_issue(issue)
        if (record := self.read_issue(issue)) is None:
            raise BadInput(
                f"{file} cannot be read", "Run it again: revista run PDF --archive DIR makes what is missing."
            )
        return record

    def read(self, issue: str, stage: str, page: int, body: type[BodyT]) -> Record[BodyT] | None:
        """The record of `stage` on `page`, None where there is none (or one that is no longer readable)."""
        return _read(self.record_file(issue, stage, page), body)

    # --- writing ---

    def scratch(self) -> Path:
        """This process's folder for unfinished files, on the archive's own file system."""
        with self._guard:
            if self._scratch is None:
                tmp = self.root / ".tmp"
                with storage_errors(tmp):
                    tmp.mkdir(exist_ok=True)
                with storage_errors(tmp), _one_at_a_time(tmp):
                    _sweep(tmp)
                    handle, name = tempfile.mkstemp(dir=tmp, suffix=".lock")
                    self._lock = os.fdopen(handle, "wb"), Path(name)
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._scratch = Path(name).with_suffix("")
                    self._scratch.mkdir()
            return self._scratch

    def write_issue(self, record: Record[Issue]) -> None:
        """Write the record of an issue; its summary goes."""
        self._drop_summary(record.body.id)
        self.write_about(record.body.id, "issue", record)

    def write_about(self, issue: str, name: str, record: Record[BodyT]) -> None:
        """Write the record `NAME.json` on an issue as a whole."""
        self._write_json(self.issue_dir(issue) / f"{name}.json", record)

    def write(self, issue: str, stage: str, page: int, record: Record[BodyT]) -> None:
        """Write the record of `stage` on `page`; the issue's summary goes, since it speaks of another one."""
        self._drop_summary(issue)
        self._write_json(self.record_file(issue, stage, page), record)

    def put(self, unfinished: Path, place: Path) -> None:
        """Move a finished file from `scratch()` to its `place`, over what stands there."""
        with storage_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("rb") as stream:
                os.fsync(stream.fileno())
            unfinished.replace(place)

    def remove(self, issue: str, stage: str, page: int) -> None:
        """Remove the record of `stage` on `page`, where there is one; the issue's summary goes with it."""
        if (file := self.record_file(issue, stage, page)).exists():
            self._drop_summary(issue)
            file.unlink(missing_ok=True)

    def _drop_summary(self, issue: str) -> None:
        file = self.issue_dir(issue) / f"{SUMMARY}.json"
        with storage_errors(file):
            file.unlink(missing_ok=True)

    def remove_pages_after(self, issue: str, last: int) -> None:
        """Remove what an earlier, longer scan of the issue left on pages behind `last`."""
        for file in self.issue_dir(issue).glob("*/[0-9][0-9][0-9][0-9]*"):
            if int(file.name[:4]) > last:
                file.unlink(missing_ok=True)

    def _write_json(self, place: Path, record: Record[BodyT]) -> None:
        unfinished = self.scratch() / f"{uuid.uuid4().hex}.json"
        with storage_errors(place):
            unfinished.write_text(record.model_dump_json(indent=1) + "\n", "utf-8")
        self.put(unfinished, place)


def _read(file: Path, body: type[BodyT]) -> Record[BodyT] | None:
    """The record in `file`; None where it is missing, damaged, or of another schema."""
    try:
        state = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(file, error) from error
    return _parse(file, body, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=128)  # a job asks for the same record several times; it is frozen, so that one object serves
def _parse(file: Path, body: type[BodyT], inode: int, mtime: int, size: int) -> Record[BodyT] | None:
    try:
        return Record[body].model_validate_json(file.read_bytes())  # type: ignore[valid-type]
    except (FileNotFoundError, ValidationError):
        return None
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot read {file}: {error.strerror or error}", "Mend the rights of the archive folder.")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other processes waiting: they would sweep away a lock file that is made and not yet locked."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(tmp: Path) -> None:
    """Remove the scratch folders whose process is gone: nobody holds their lock any more."""
    for file in tmp.glob("*.lock"):
        try:
            with file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(file.with_suffix(""), ignore_errors=True)
                file.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # its process lives, or another one was faster
