"""An archive in an object store: workers fetch one issue, work on a local copy, and publish what they made.

An issue is published by replacing its manifest, in one conditional write, once all objects that it names are there;
objects get names that are never used twice, and go once no manifest names them. So a reader sees the state before or
the one after. A worker writes its lease's token into the manifest when it begins: whoever held the issue before has
another version in hand, and can no longer replace it, however late it wakes up. docs/formats.md shows the layout.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from revista.errors import BadArguments, BadInput, RevistaError, StorageError
from revista.objects.bucket import Bucket, only_logged, side_by_side
from revista.objects.lease import SECONDS, Lease, LeaseLost
from revista.objects.mirror import Entry, Manifest, Mirror, Stat
from revista.objects.stores import open_bucket
from revista.store import Archive

log = logging.getLogger(__name__)

_ROUNDS = 5  # how often a reader starts again because the issue was published anew while it read

_ABSENT = Manifest()


class _Vanished(Exception):
    """An object that a manifest named is gone: the manifest was replaced meanwhile."""


class ObjectArchive:
    """An archive at a URL such as `s3://bucket/prefix`; opening it asks nothing yet."""

    def __init__(self, url: str) -> None:
        """Open the archive.

        Raises:
            BadArguments: no such URL can be meant.
            MissingProgram: s3fs is not installed.
        """
        self.bucket: Bucket = open_bucket(url)
        self.url = self.bucket.url

    def issues(self) -> list[str]:
        """The ids of all issues that have been published, sorted."""
        ids = self.bucket.folders("issues")
        found = side_by_side(self.manifest, ids)
        return [id for id, (manifest, _) in zip(ids, found, strict=True) if "issue.json" in manifest.files]

    def manifest(self, issue: str) -> tuple[Manifest, str | None]:
        """What is published of an issue, and its version; an empty manifest and None where there is nothing.

        Raises:
            StorageError: it cannot be read.
        """
        found = self.bucket.read(_manifest_path(issue))
        if found is None:
            return _ABSENT, None
        try:
            return Manifest.model_validate_json(found.data), found.etag
        except ValidationError as error:
            raise StorageError(
                f"{self.url}: the manifest of {issue} cannot be read: {error.errors()[0]['msg']}",
                "It is damaged, or of a newer revista. Remove it only if the issue may be made again from its scan.",
            ) from error

    def fetch(self, issue: str, root: Path) -> Path:
        """Bring the local archive `root` to what is published of an issue, and return the issue's folder.

        Raises:
            BadInput: nothing is published of it.
            StorageError: the store cannot be read, or keeps changing.
        """
        if "issue.json" not in self.manifest(issue)[0].files:
            raise BadInput(f"{self.url}: nothing is published of {issue}", "List the issues that are there.")
        with Archive(root, create=True) as archive, Mirror(archive, issue, self.url).locked() as mirror:
            self.follow(issue, mirror)
            return mirror.folder

    def follow(self, issue: str, mirror: Mirror, *, keep: bool = False) -> None:
        """Bring a local copy to what is published; with `keep`, work done on top of just that stays.

        Raises:
            StorageError: the local folder holds the issue and is no copy of this archive's, or the store's trouble.
        """
        follows = mirror.load()
        for _ in range(_ROUNDS):
            manifest, _version = self.manifest(issue)
            has_issue = (mirror.folder / "issue.json").exists()
            if keep and ((follows == manifest.commit and has_issue) or not manifest.commit):
                mirror.remember(manifest.commit)  # an issue of which nothing is published begins with what is here
                return
            if follows is None and has_issue:
                raise StorageError(
                    f"{mirror.folder} is no copy of what {self.url} holds of this issue, and would be overwritten",
                    "Name another scratch folder, or move this one's issue away.",
                )
            if follows is None:
                mirror.remember("")  # killed in between, the next one knows that this is but a copy
                follows = ""
            try:
                mirror.follow(manifest.files, lambda entry: self._get(issue, entry))
            except _Vanished:
                if self.manifest(issue)[0].commit == manifest.commit:
                    raise StorageError(
                        f"{self.url}: objects of {issue} are missing",
                        "Somebody removed them by hand: remove the issue's manifest, and make it again from its scan.",
                    ) from None
                continue
            mirror.remember(manifest.commit)
            return
        raise StorageError(f"{self.url}: {issue} changes faster than it can be fetched", "Try again in a while.")

    def _get(self, issue: str, entry: Entry) -> bytes:
        data = self.bucket.get(_object_path(issue, entry.key))
        if data is None:
            raise _Vanished
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise StorageError(
                f"{self.url}: the object {entry.key} of {issue} is damaged",
                "Its content is not what was published: look at the store, or make the issue again from its scan.",
            )
        return data


class Workplace(Archive):
    """A local copy of one issue that this worker alone may work on and publish; otherwise a normal archive."""

    def __init__(self, remote: ObjectArchive, issue: str, scratch: Path, lease: Lease) -> None:
        """Open the local archive folder `scratch`, made where it does not exist."""
        super().__init__(scratch, create=True)
        self._remote, self._issue, self._lease = remote, issue, lease
        self._mirror = Mirror(self, issue, remote.url)
        self._base, self._version = _ABSENT, ""
        self._uploaded: dict[str, Entry] = {}  # by sha256: there, and not yet published

    def publish(self) -> bool:
        """Publish what is new; to be called while nothing is being written, such as between two stages.

        Returns:
            whether there was anything new.

        Raises:
            LeaseLost: another worker has the issue; nothing is published.
            StorageError: the store does not take it. Call again: what is there already is not sent again.
        """
        self._lease.check()
        files = self._upload()
        if files == self._base.files:
            return False
        if "issue.json" in self._base.files and "issue.json" not in files:
            raise StorageError(
                f"{self.root}: the local copy of {self._issue} has no issue.json any more",
                "Remove this scratch folder and begin anew; nothing of the published issue was touched.",
            )
        new = Manifest(owner=self._lease.token, commit=uuid.uuid4().hex, files=files)
        self._lease.check()
        dropped = self._base.keys - new.keys
        self._replace(new)
        self._uploaded.clear()
        self._mirror.remember(new.commit)
        with only_logged(f"{self._issue}: old objects stay until the issue is worked on again", log):
            self._remote.bucket.remove(_object_path(self._issue, key) for key in dropped)
        return True

    def _begin(self) -> None:
        """Shut out whoever worked on the issue before, sweep away what it did not publish, and fetch the rest."""
        bucket = self._remote.bucket
        while True:
            known, version = self._remote.manifest(self._issue)
            left = bucket.paths(f"issues/{self._issue}/files")
            mine = known.model_copy(update={"owner": self._lease.token})
            new = bucket.put_if(_manifest_path(self._issue), _json(mine), version)
            if new is None:
                new = self._ours()
            if new is not None:
                break
            self._lease.check()  # an earlier owner published at this very moment: what it published is the base
        self._base, self._version = mine, new
        with only_logged(f"{self._issue}: objects that were never published stay", log):
            # Listed before the token was written: nobody can publish them any more.
            bucket.remove(stored.path for stored in left if stored.path.rsplit("/", 1)[1] not in mine.keys)
        self._remote.follow(self._issue, self._mirror, keep=True)

    def _replace(self, new: Manifest) -> None:
        path, content = _manifest_path(self._issue), _json(new)
        version = self._remote.bucket.put_if(path, content, self._version)
        if version is None and (ours := self._ours()):  # the answer to an earlier write was lost
            version = self._remote.bucket.put_if(path, content, ours)
        if version is None:
            raise LeaseLost(
                f"{self._issue}: another worker took it over; what was made here is not published",
                "Run the same command again: it goes on from what is in the archive.",
            )
        self._base, self._version = new, version

    def _ours(self) -> str | None:
        """The version of the manifest that is there, if it carries our token; None otherwise."""
        manifest, version = self._remote.manifest(self._issue)
        return version if manifest.owner == self._lease.token else None

    def _upload(self) -> dict[str, Entry]:
        """Make sure that all local files are in the store; return the objects that hold them, by path."""
        for _ in range(3):
            found = self._mirror.scan()
            try:
                entries = side_by_side(lambda item: self._entry(*item), found.items())
            except FileNotFoundError:
                continue
            if self._mirror.scan() == found:
                return dict(zip(found, entries, strict=True))
        raise StorageError(
            f"{self.root}: files of {self._issue} change while they are published", "Publish between two stages."
        )

    def _entry(self, path: str, stat: Stat) -> Entry:
        sha256 = self._mirror.sha256(path, stat)
        known = self._base.files.get(path)
        if known and known.sha256 == sha256:
            return known
        if sha256 in self._uploaded:
            return self._uploaded[sha256]
        data = (self._mirror.folder / path).read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        entry = Entry(key=f"{sha256}-{uuid.uuid4().hex[:8]}", sha256=sha256, size=len(data))
        self._remote.bucket.put(_object_path(self._issue, entry.key), data)
        self._uploaded[sha256] = entry
        return entry


@contextmanager
def workplace(
    url: str, issue: str, scratch: Path, *, run: str = "", seconds: float = SECONDS, wait: float = 0
) -> Iterator[Workplace]:
    """Work on one issue of the archive at `url`, alone among all machines, in the local archive folder `scratch`.

    Leaving publishes, also after an error: what was done so far is kept, as in a local archive.

    Args:
        url: the archive, such as `s3://bucket/prefix`.
        issue: the issue's id.
        scratch: a folder on this machine; keep it, and only what changed is fetched the next time.
        run: what to call this run in other workers' messages.
        seconds: how long the lease outlives this process.
        wait: seconds to wait for another worker to finish.

    Raises:
        InUse: another worker has the issue.
        LeaseLost: it was taken over meanwhile; what was made since the last `publish` is not published.
        StorageError: the store or the local folder cannot be used.
    """
    remote = ObjectArchive(url)
    _manifest_path(issue)
    with (
        Lease(remote.bucket, issue, run=run, seconds=seconds, wait=wait) as lease,
        Workplace(remote, issue, scratch, lease) as archive,
        archive._mirror.locked(),
    ):
        archive._begin()
        try:
            yield archive
        except BaseException:
            try:
                archive.publish()
            except RevistaError as error:
                log.warning("%s: what was done since the last stage is not published: %s", issue, error)
            raise
        archive.publish()


def _manifest_path(issue: str) -> str:
    if not issue or "/" in issue or issue.startswith("."):
        raise BadArguments(f"{issue!r} is no issue's id", "An id is a name such as social-1929-06-v14-n6.")
    return f"issues/{issue}/manifest.json"


def _object_path(issue: str, key: str) -> str:
    return f"issues/{issue}/files/{key}"


def _json(manifest: Manifest) -> bytes:
    return manifest.model_dump_json(indent=1).encode()
