"""Stores that stop, throttle, refuse, answer nonsense or not at all."""

import errno
import json
import socket
import sys
import threading
import time
from pathlib import Path

import boto3
import pytest

from revista.errors import BadArguments, MissingProgram, StorageError
from revista.objects import LeaseLost, ObjectArchive, is_url, list_scans, workplace
from revista.objects.stores import S3Bucket, open_bucket
from revista.objects.trouble import PAUSES

from .server import ObjectServer
from .small import ISSUE, contents, objects, work


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stops_in_mid_publish(server: ObjectServer, url: str, tmp_path: Path) -> None:
    """Down: an error after some seconds, and readers later see the state before. Back: the rest is published."""
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "before")
        archive.publish()
        for page in range(2, 12):
            work(archive.issue_dir(ISSUE), page, f"page {page}")
        server.asked.clear()
        stopper = threading.Thread(target=stop_after, args=(server, 8))
        stopper.start()
        started = time.monotonic()
        with pytest.raises(StorageError, match="does not answer"):
            archive.publish()
        assert time.monotonic() - started < 30
        stopper.join()
        server.start()
        assert "regions/0002.json" not in ObjectArchive(url).manifest(ISSUE)[0].files
        there = len(objects(url))
        assert 3 < there < 23
        server.asked.clear()
        archive.publish()
        assert sum(method == "PUT" and "/files/" in path for method, path in server.asked) == 23 - there
    assert len(contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "b"))) == 23


def stop_after(server: ObjectServer, puts: int) -> None:
    while sum(method == "PUT" for method, _ in server.asked) < puts:
        time.sleep(0.001)
    server.stop()


def test_a_short_outage_is_ridden_out(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        for page in range(1, 6):
            work(archive.issue_dir(ISSUE), page, f"page {page}")
        server.stop()
        threading.Timer(1.5, server.start).start()
        archive.publish()
    assert len(ObjectArchive(url).manifest(ISSUE)[0].files) == 11


@pytest.mark.parametrize("kind", ["slow down", "error"])
@pytest.mark.usefixtures("impatient")
def test_throttling_and_server_errors_are_tried_again(
    server: ObjectServer, url: str, tmp_path: Path, kind: str
) -> None:
    failed = set()

    def fault(method: str, path: str) -> str | None:
        """Each request fails when it is first made."""
        if (method, path) in failed:
            return None
        failed.add((method, path))
        return kind

    with server.failing(fault), workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    assert len(failed) > 8
    assert len(ObjectArchive(url).manifest(ISSUE)[0].files) == 3


def test_lost_answers_to_conditional_writes(server: ObjectServer, url: str, tmp_path: Path) -> None:
    """The write went through, the answer did not: the second try finds its own write, not another worker's."""
    lost: set[str] = set()
    open_bucket(url).require_conditional_writes()

    def fault(method: str, path: str) -> str | None:
        what = next((what for what in ("/leases/", "manifest.json") if what in path), None)
        if method != "PUT" or what is None or (method + what) in lost:
            return None
        lost.add(method + what)
        return "lost"

    with server.failing(fault), workplace(url, ISSUE, tmp_path / "a", seconds=1.5) as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
        assert len(lost) == 2
        lost.clear()
        time.sleep(1.2)  # a renewal's answer is lost
        archive.publish()  # and a publication's
        assert len(lost) == 2
        work(archive.issue_dir(ISSUE), 1, "two")
    folder = ObjectArchive(url).fetch(ISSUE, tmp_path / "b")
    assert (folder / "regions" / "0001.json").read_text() == '"two"'


def test_permission_denied_is_said_at_once(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    name = url.split("/")[2]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*Object", "Resource": f"arn:aws:s3:::{name}/*"}
    client = boto3.client("s3")
    client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    server.asked.clear()
    with pytest.raises(StorageError, match="no access") as caught, workplace(url, ISSUE, tmp_path / "a"):
        pass
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    with pytest.raises(StorageError, match="no access"):
        ObjectArchive(url).fetch(ISSUE, tmp_path / "b")
    assert len(server.asked) == 2
    client.delete_bucket_policy(Bucket=name)
    assert len(contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "b"))) == 3


def test_a_missing_bucket_is_said_at_once(server: ObjectServer, tmp_path: Path) -> None:
    server.asked.clear()
    with pytest.raises(StorageError, match="no such bucket"), workplace("s3://nobodys/a", ISSUE, tmp_path / "a"):
        pass
    assert len(server.asked) == 1
    for call in (ObjectArchive("s3://nobodys/a").issues, lambda: list_scans("s3://nobodys/a")):
        with pytest.raises(StorageError, match="no such bucket"):
            call()


@pytest.mark.parametrize("mute", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_dead_endpoints_fail_in_seconds(url: str, monkeypatch: pytest.MonkeyPatch, mute: bool) -> None:
    """Nobody listens there; or one does, takes the connection and never answers (20 s, the read time-out)."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if mute:
            taken.listen()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(StorageError, match="does not answer") as caught:
            ObjectArchive(url).issues()
        assert time.monotonic() - started < (30 if mute else 2 * sum(PAUSES) + 3)
        assert "AWS_ENDPOINT_URL" in caught.value.hint


@pytest.mark.usefixtures("impatient")
def test_what_was_uploaded_and_never_published_is_swept_away(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="does not answer"),
        workplace(url, ISSUE, tmp_path / "a") as archive,
        server.failing(lambda method, path: "error" if method == "PUT" and "manifest" in path else None),
    ):
        work(archive.issue_dir(ISSUE), 1, "one")
        archive.publish()
    # leaving tried once more, and published
    assert len(objects(url)) == 3
    bucket = open_bucket(url)
    bucket.put(
        f"issues/{ISSUE}/files/{'0' * 64}-{'1' * 8}", b"by a worker that was killed before its manifest was in place"
    )
    with workplace(url, ISSUE, tmp_path / "b"):
        pass
    keys = ObjectArchive(url).manifest(ISSUE)[0].keys
    assert {path.rsplit("/", 1)[1] for path in objects(url)} == keys


@pytest.mark.usefixtures("impatient")
def test_a_lease_that_cannot_be_renewed_is_lost(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(LeaseLost, match="could not be renewed"),
        workplace(url, ISSUE, tmp_path / "a", seconds=1.5),
        server.failing(lambda method, path: "error" if method == "PUT" else None),
    ):
        time.sleep(2)
    assert ObjectArchive(url).issues() == []


def test_a_store_that_heeds_no_conditions_is_refused(
    server: ObjectServer, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heedless(self: S3Bucket, full: str, data: bytes, etag: str | None) -> str:
        return str(self._call("put_object", full, Body=data)["ETag"])

    monkeypatch.setattr(S3Bucket, "_write_if", heedless)
    with pytest.raises(StorageError, match="does not heed"), workplace(url, ISSUE, tmp_path / "a"):
        pass


def test_a_full_disk_while_fetching(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(StorageError, match="No space left"):
            ObjectArchive(url).fetch(ISSUE, tmp_path / "b")
    assert len(contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "b"))) == 3


def test_without_s3fs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setenv("AWS_PROFILE", "none that was opened before")
    with pytest.raises(MissingProgram, match="s3fs") as caught:
        ObjectArchive("s3://bucket/a")
    assert "revista[s3]" in caught.value.hint


def test_urls() -> None:
    assert is_url("s3://bucket/prefix")
    assert not is_url("an archive")
    assert not is_url(Path("s3:/bucket"))
    for url in ("gs://bucket/a", "https://example.org/a", "s3://", "archive"):
        with pytest.raises(BadArguments, match="object store"):
            ObjectArchive(url)
    with pytest.raises(BadArguments, match="no issue's id"):
        ObjectArchive("memory://a").manifest("../up")
