"""Who works on an issue: one object an issue, taken by a conditional write and renewed while the work lasts.

Ages are taken from the store's own clock (an answer's date less the object's), so that the machines' clocks need not
agree. A lease only keeps two machines from doing the same work; that the slower one can never spoil the faster one's
is held up by the manifest (see `archive.py`).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from revista.errors import RevistaError, StorageError
from revista.objects.bucket import Bucket, Found, only_logged
from revista.records import Frozen

log = logging.getLogger(__name__)

SECONDS = 60.0
"""How long a lease holds after its last renewal; it is renewed three times as often."""

_ROUNDED = 2.0  # the store's times are whole seconds


class Owner(Frozen):
    """The content of a lease; `renewals` makes each renewal another version of the object."""

    token: str
    host: str
    pid: int
    run: str
    taken: datetime
    seconds: float
    renewals: int = 0
    released: bool = False

    @property
    def name(self) -> str:
        """The owner, as a message names it."""
        return f"process {self.pid} on {self.host}" + (f" ({self.run})" if self.run else "")


class InUse(StorageError):
    """Another worker has the lease of the issue; nothing was done."""


class LeaseLost(StorageError):
    """Another worker may have taken the issue over meanwhile; nothing more is published."""


class Lease:
    """The lease of one issue. Use it as a context manager: entering takes it, leaving gives it back."""

    def __init__(self, bucket: Bucket, issue: str, *, run: str = "", seconds: float = SECONDS, wait: float = 0) -> None:
        """Nothing is asked yet.

        Args:
            bucket: the archive's.
            issue: the issue's id.
            run: what to call this worker's run in other workers' messages.
            seconds: how long the lease holds after each renewal.
            wait: seconds to wait for another worker to finish.
        """
        self.path = f"leases/{issue}.json"
        self._bucket, self._issue, self._wait = bucket, issue, wait
        self._owner = Owner(
            token=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            run=run,
            taken=datetime.now(UTC),
            seconds=seconds,
        )
        self._etag = ""
        self._good_until = 0.0
        self._lost = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {issue}", daemon=True)

    @property
    def token(self) -> str:
        """What tells this lease from every other one."""
        return self._owner.token

    def __enter__(self) -> Self:
        """Take the lease.

        Raises:
            InUse: another worker has it, after `wait` seconds still.
            StorageError: the store cannot be asked, or heeds no conditions.
        """
        self._bucket.require_conditional_writes()
        until = time.monotonic() + self._wait
        while not self._take():
            if time.monotonic() >= until:
                raise InUse(
                    f"{self._issue}: {self._other()} is at work on it",
                    "Let it finish; where it died, its lease ends by itself within a minute or so: try again then.",
                )
            time.sleep(min(1.0, max(0.05, until - time.monotonic())))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lease back, where it still is ours."""
        self._done.set()
        self._thread.join()
        if not self._lost:
            with only_logged(f"{self._issue}: the lease could not be given back; it ends by itself", log):
                self._bucket.put_if(self.path, self._content(released=True), self._etag)

    def check(self) -> None:
        """Make sure that the lease is still ours.

        Raises:
            LeaseLost: it is not, or could not be renewed in time.
        """
        if not self._lost and time.monotonic() > self._good_until:
            self._lost = f"it could not be renewed for {self._owner.seconds:.0f} s"
        if self._lost:
            raise LeaseLost(
                f"{self._issue}: this worker's lease is lost: {self._lost}",
                "Nothing more is published from here. Run the same command again: it goes on from what is published.",
            )

    def _take(self) -> bool:
        found = self._bucket.read(self.path)
        other = _owner(found)
        if found and other and not other.released and found.age <= other.seconds + _ROUNDED:
            return False
        if found and other is None and found.age <= SECONDS:  # unreadable: perhaps of another version
            return False
        if other and not other.released:
            log.info("%s: taken over from %s, which no longer renews its lease", self._issue, other.name)
        return self._write(self._content(), found.etag if found else None)

    def _write(self, content: bytes, etag: str | None) -> bool:
        """Write the lease over the version `etag`; False where another one has it."""
        asked = time.monotonic()
        new = self._bucket.put_if(self.path, content, etag)
        if new is None:  # or ours: an earlier write went through, and only its answer was lost
            found = self._bucket.read(self.path)
            owner = _owner(found)
            if found is None or owner is None or owner.token != self.token:
                return False
            new = found.etag if found.data == content else self._bucket.put_if(self.path, content, found.etag)
        if new is None:
            return False
        self._etag, self._good_until = new, asked + self._owner.seconds
        return True

    def _content(self, **update: object) -> bytes:
        self._owner = self._owner.model_copy(update={"renewals": self._owner.renewals + 1, **update})
        return self._owner.model_dump_json(indent=1).encode()

    def _keep(self) -> None:
        """Renew the lease until it is given back or lost."""
        while not self._done.wait(self._owner.seconds / 3):
            try:
                if not self._write(self._content(), self._etag):
                    self._lost = f"{self._other()} took it over"
                    return
            except RevistaError as error:  # tried again, as long as nobody can have taken it over
                log.warning("%s: the lease could not be renewed: %s", self._issue, error)
                if time.monotonic() > self._good_until:
                    self._lost = f"it could not be renewed: {error.message}"
                    return

    def _other(self) -> str:
        try:
            owner = _owner(self._bucket.read(self.path))
        except RevistaError:
            owner = None
        return owner.name if owner else "another worker"


def _owner(found: Found | None) -> Owner | None:
    try:
        return Owner.model_validate_json(found.data) if found else None
    except ValidationError:
        return None
