"""Leases in the archive folder: who works on a page or an issue just now, so that two never do so at once.

A lease is a lock (`flock`) on a file under `.locks/`. The kernel gives it back when its process ends, however it
ends, so that none is ever left over; over NFS (version 4, or 3 with lockd) it holds between machines too. The file
names the holder, for those who find it taken, and goes when the lease goes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from revista.errors import Busy, StorageError

LOCKS = ".locks"
PATIENCE = 600.0  # seconds; a page takes a few, and at the worst what its external programs are given together
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS})


@contextmanager
def hold(root: Path, *name: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lease called `name` of the archive folder `root`, one at a time over all threads and processes.

    Args:
        root: the archive folder.
        name: the parts of its name, such as the issue's id and a page: names of files.
        patience: how many seconds to wait for another holder; 0 asks once.

    Raises:
        Busy: another one held it all the while; the message names it.
        StorageError: the folder cannot be written, or its file system has no locks.
    """
    place = root.joinpath(LOCKS, *name[:-1], f"{name[-1]}.lock")
    handle = _take(place, "/".join(name), patience)
    try:
        yield
    finally:
        place.unlink(missing_ok=True)  # before the lock goes: whoever waits for it sees that the file is another's
        os.close(handle)


def _take(place: Path, name: str, patience: float) -> int:
    deadline, pause = time.monotonic() + patience, 0.01
    while True:
        handle = _try(place)
        if handle is not None:
            return handle
        if time.monotonic() >= deadline:
            raise Busy(
                f"{name} is being worked on by {_holder(place)}",
                "Wait until it is done, or end that process; then the same command goes on.",
            )
        time.sleep(pause)
        pause = min(2 * pause, 0.5)


def _try(place: Path) -> int | None:
    """An open file that holds the lock at `place`, None where another one has it."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o664)
    except OSError as error:
        raise StorageError(
            f"cannot write {place}: {error.strerror or error}", "Mend the rights of the archive folder."
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(handle, place):
            os.truncate(handle, 0)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode())
            return handle
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            os.close(handle)
            raise StorageError(
                f"the file system of {place.parent} has no locks",
                "Put the archive on one that has (a local disk, NFS with lockd), or use an object store.",
            ) from error
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.ESTALE):
            os.close(handle)
            hint = "Free some space, then go on." if error.errno in _NO_ROOM else "See: revista doctor"
            raise StorageError(f"cannot lock {place}: {error.strerror or error}", hint) from error
    os.close(handle)
    return None


def _is_at(handle: int, place: Path) -> bool:
    """Whether the open file still stands at `place`: its last holder has removed it where it does not."""
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except FileNotFoundError:
        return False


def _holder(place: Path) -> str:
    try:
        return place.read_text("utf-8").strip() or "another process"
    except OSError:
        return "another process"
