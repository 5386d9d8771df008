"""Working on an issue that is already whole: beside the old results, which stay readable until the new are whole.

The issue's folder is copied by hard links to `.next/issues/ID` (no space, no time), the stages run on that copy, and
when it is whole the two folders change places in one step. Nothing in the archive is written in place, so that the
links keep the old files as they were. Killed in the middle, the next renewal goes on with the copy.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from revista.records import BODIES
from revista.store import PAGE_IMAGES, PICTURES, Archive, storage_errors

NEXT = ".next"
_MARK = ".renewal"  # in the copy from its first moment: a folder under .next without it is an old one, swapped out
_OWN = frozenset({*BODIES, PAGE_IMAGES, PICTURES, "issue.json", "scans.json", "summary.json", _MARK})
_ASIDE = ".old"
_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100  # fcntl.h


@contextmanager
def renewing(archive: Archive, issue: str) -> Iterator[Archive]:
    """An archive in which `issue` can be worked on while its old results stay readable in `archive`.

    Leaving it without an error puts the new results in the place of the old; with an error, the old ones stay, and
    what was done is kept for the next time. Hold the issue's lease meanwhile.

    Raises:
        StorageError: the copy cannot be made, or the folders cannot change places.
    """
    copy = archive.root / NEXT / "issues" / issue
    with storage_errors(copy):
        _prepare(archive, issue, copy)
    with opened(archive.root / NEXT) as beside:
        yield beside
    with storage_errors(copy):
        _change_places(archive.issue_dir(issue), copy)


def opened(root: Path) -> Archive:
    """The archive folder `root`, which may be that of `renewing`: its leases are those of the archive it belongs to."""
    return Archive(root, locks=root.parent if root.name == NEXT else None)


def _prepare(archive: Archive, issue: str, copy: Path) -> None:
    if copy.exists() and not (copy / _MARK).exists():
        shutil.rmtree(copy)  # killed between the exchange and its removal
    if copy.exists():
        return
    unfinished = archive.scratch() / f"{issue}.next"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(archive.issue_dir(issue), unfinished, copy_function=_link)
    (unfinished / _MARK).touch()
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished.rename(copy)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        shutil.copy2(source, target)  # a file system without hard links


def mend(archive: Archive) -> None:
    """Finish exchanges that took two steps and were killed between them, so that no issue is missing."""
    for aside in (archive.root / NEXT / "issues").glob(f"*{_ASIDE}"):
        copy = aside.with_name(aside.name.removesuffix(_ASIDE))
        live = archive.issue_dir(copy.name)
        with storage_errors(live):
            if not live.exists():
                (copy if (copy / _MARK).exists() else aside).rename(live)
            shutil.rmtree(aside, ignore_errors=True)


def _change_places(live: Path, copy: Path) -> None:
    _carry(live, copy)
    for gone in {entry.name for entry in copy.iterdir()} - {entry.name for entry in live.iterdir()} - _OWN:
        _remove(copy / gone)
    _exchange(live, copy)
    _carry(copy, live)  # what came while the folders changed places
    (live / _MARK).unlink(missing_ok=True)
    shutil.rmtree(copy)


def _carry(source: Path, target: Path) -> None:
    """Bring what is not the stages' own (notes, reports, other programs' files) to `target`, as it now stands."""
    for entry in source.iterdir():
        there = target / entry.name
        if entry.name in _OWN or (there.exists() and there.samefile(entry)):
            continue
        _remove(there)
        if entry.is_dir():
            shutil.copytree(entry, there, copy_function=_link)
        else:
            _link(str(entry), str(there))


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places in one step; in two where the file system knows no such step."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(code, os.strerror(code), str(one))
    aside = other.with_name(f"{other.name}{_ASIDE}")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
