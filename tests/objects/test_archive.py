"""An archive in an object store, against a real S3 server on loopback: what one publishes, another one has."""

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from revista.errors import BadInput, RevistaError, StorageError
from revista.objects import ObjectArchive, workplace
from revista.objects.mirror import Manifest
from revista.objects.stores import open_bucket
from revista.store import Archive

from .server import ObjectServer
from .small import ISSUE, contents, objects, work


def test_what_one_machine_publishes_another_one_fetches(any_url: str, tmp_path: Path) -> None:
    with workplace(any_url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
        assert archive.publish()
        assert not archive.publish()
        work(archive.issue_dir(ISSUE), 2, "two")
    remote = ObjectArchive(any_url)
    assert remote.issues() == [ISSUE]
    folder = remote.fetch(ISSUE, tmp_path / "b")
    assert contents(folder) == contents(tmp_path / "a" / "issues" / ISSUE)
    assert len(contents(folder)) == 5


def test_removed_and_changed_files_leave_no_objects_behind(any_url: str, tmp_path: Path) -> None:
    reader = tmp_path / "reader"
    with workplace(any_url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
        work(archive.issue_dir(ISSUE), 2, "two")
    ObjectArchive(any_url).fetch(ISSUE, reader)
    with workplace(any_url, ISSUE, tmp_path / "b") as archive:
        work(archive.issue_dir(ISSUE), 1, "another")
        shutil.rmtree(archive.issue_dir(ISSUE) / "pictures")
    ObjectArchive(any_url).fetch(ISSUE, reader)
    assert contents(reader / "issues" / ISSUE) == contents(tmp_path / "b" / "issues" / ISSUE)
    assert not (reader / "issues" / ISSUE / "pictures" / "0002-r01.jpg").exists()
    assert len(objects(any_url)) == 3


def test_only_what_changed_travels(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        for page in range(1, 6):
            work(archive.issue_dir(ISSUE), page, f"page {page}")
    with workplace(url, ISSUE, tmp_path / "b") as archive:
        work(archive.issue_dir(ISSUE), 3, "better")
    server.asked.clear()
    with workplace(url, ISSUE, tmp_path / "a"):
        pass
    files = [(method, path) for method, path in server.asked if f"{ISSUE}/files/" in path]
    assert [method for method, _ in files] == ["GET", "GET"]  # the page's picture and record
    server.asked.clear()
    with workplace(url, ISSUE, tmp_path / "a"):
        pass
    assert not [path for _, path in server.asked if f"{ISSUE}/files/" in path]


def test_work_that_a_kill_left_unpublished_is_kept_on_the_same_machine(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    work(tmp_path / "a" / "issues" / ISSUE, 2, "made, and killed before it was published")
    with workplace(url, ISSUE, tmp_path / "a"):
        pass
    assert "regions/0002.json" in ObjectArchive(url).manifest(ISSUE)[0].files


def test_unpublished_work_on_an_older_state_gives_way(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    with workplace(url, ISSUE, tmp_path / "b") as archive:
        work(archive.issue_dir(ISSUE), 1, "newer")
    work(tmp_path / "a" / "issues" / ISSUE, 1, "late")
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        assert (archive.issue_dir(ISSUE) / "regions" / "0001.json").read_text() == '"newer"'


def test_a_folder_that_is_no_copy_is_not_overwritten(url: str, tmp_path: Path) -> None:
    work(tmp_path / "own" / "issues" / ISSUE, 1, "precious")
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "published")
    with pytest.raises(StorageError, match="no copy"), workplace(url, ISSUE, tmp_path / "own"):
        pass
    with pytest.raises(StorageError, match="no copy"):
        ObjectArchive(url).fetch(ISSUE, tmp_path / "own")
    with pytest.raises(StorageError, match="copy of"), workplace(url + "/other", ISSUE, tmp_path / "a"):
        pass
    assert (tmp_path / "own" / "issues" / ISSUE / "regions" / "0001.json").read_text() == '"precious"'


def test_a_local_archive_can_be_brought_into_an_empty_store(url: str, tmp_path: Path) -> None:
    work(tmp_path / "own" / "issues" / ISSUE, 1, "precious")
    with workplace(url, ISSUE, tmp_path / "own"):
        pass
    assert contents(ObjectArchive(url).fetch(ISSUE, tmp_path / "b")) == contents(tmp_path / "own" / "issues" / ISSUE)


def test_an_emptied_scratch_folder_does_not_empty_the_archive(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    with pytest.raises(StorageError, match=r"no issue\.json"), workplace(url, ISSUE, tmp_path / "a") as archive:
        shutil.rmtree(archive.issue_dir(ISSUE))
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        assert (archive.issue_dir(ISSUE) / "regions" / "0001.json").exists()


def test_what_was_done_before_an_error_is_published(url: str, tmp_path: Path) -> None:
    with pytest.raises(RevistaError, match="too many"), workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
        raise RevistaError("too many problems")
    assert ObjectArchive(url).issues() == [ISSUE]


def test_a_copy_that_breaks_off_has_no_record_without_its_picture(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local folder after each single step of a fetch, as a kill would leave it."""
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "old")
        work(archive.issue_dir(ISSUE), 2, "old")
        work(archive.issue_dir(ISSUE), 4, "old")
    ObjectArchive(url).fetch(ISSUE, tmp_path / "before")
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        for page in (1, 2, 3):
            work(archive.issue_dir(ISSUE), page, "new")
        (archive.issue_dir(ISSUE) / "regions" / "0004.json").unlink()
        (archive.issue_dir(ISSUE) / "pictures" / "0004-r01.jpg").unlink()

    steps = 0
    while True:
        reader = tmp_path / f"after {steps} steps"
        shutil.copytree(tmp_path / "before", reader)
        with monkeypatch.context() as patch:
            numbers = itertools.count()
            patch.setattr(Archive, "put", breaking_off(Archive.put, numbers, steps))
            patch.setattr(Path, "unlink", breaking_off(Path.unlink, numbers, steps, "issues"))
            try:
                ObjectArchive(url).fetch(ISSUE, reader)
                broke_off = False
            except InterruptedError:
                broke_off = True
        folder = reader / "issues" / ISSUE
        for record in folder.glob("regions/*.json"):
            picture = folder / "pictures" / f"{record.stem}-r01.jpg"
            assert picture.read_text() == json.loads(record.read_text()) * 100, f"{record.name} after {steps} steps"
        if not broke_off:
            break
        assert contents(ObjectArchive(url).fetch(ISSUE, reader)) == contents(tmp_path / "a" / "issues" / ISSUE)
        steps += 1
    assert steps > 10


def breaking_off(real: Callable[..., Any], numbers: Iterator[int], last: int, below: str = "") -> Callable[..., Any]:
    """The function, which raises when the next of `numbers` is `last`; calls for paths without `below` do not count."""

    def wrapped(self: Any, *arguments: Any, **more: Any) -> Any:
        if (not below or below in str(self)) and next(numbers) == last:
            raise InterruptedError
        return real(self, *arguments, **more)

    return wrapped


def test_damaged_and_missing_objects_are_said(url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "one")
    bucket, path = open_bucket(url), objects(url)[0]
    bucket.put(path, b"rubbish")
    with pytest.raises(StorageError, match="damaged"):
        ObjectArchive(url).fetch(ISSUE, tmp_path / "b")
    bucket.remove([path])
    with pytest.raises(StorageError, match="missing"):
        ObjectArchive(url).fetch(ISSUE, tmp_path / "c")
    manifest = json.loads(bucket.get(f"issues/{ISSUE}/manifest.json") or b"")
    manifest["files"]["../../../escaped"] = manifest["files"]["issue.json"]
    bucket.put(f"issues/{ISSUE}/manifest.json", json.dumps(manifest).encode())
    with pytest.raises(StorageError, match="does not lead into the issue's folder"):
        ObjectArchive(url).fetch(ISSUE, tmp_path / "d")
    with pytest.raises(BadInput, match="nothing is published"):
        ObjectArchive(url).fetch("unknown", tmp_path / "d")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".objects.json", "a/.hidden", "a\\b"])
def test_manifests_stay_inside_the_issue(path: str) -> None:
    entry = {"key": f"{'0' * 64}-{'1' * 8}", "sha256": "0" * 64, "size": 1}
    with pytest.raises(ValueError, match="does not lead into"):
        Manifest.model_validate({"files": {path: entry}})
