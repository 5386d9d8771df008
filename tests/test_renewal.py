"""Renewal: the old results stay readable until the new are whole, whatever happens in between."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from revista import renewal, scans, worklog
from revista.errors import BadInput, StorageError
from revista.pipeline import IssueReport, open_issue, run_issue
from revista.records import Contexts
from revista.settings import ContextSettings, Settings
from revista.store import Archive

from .conftest import SAMPLE, MakePdf
from .test_kill import snapshot

ISSUE = "social-1916-09-v1-n9"
CHANGED = Settings(profile="none", context=ContextSettings(window_words=12))


@pytest.fixture
def filled(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(sample_archive[0], tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def window_words(archive: Archive) -> set[object]:
    """The setting with which each page's context was made."""
    records = [archive.read(ISSUE, "context", page, Contexts) for page in range(1, 9)]
    return {record.header.options["window_words"] if record else None for record in records}


def test_old_results_stay_until_the_new_are_whole(filled: Archive) -> None:
    before = snapshot(filled.issue_dir(ISSUE))
    with renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
        assert snapshot(filled.issue_dir(ISSUE)) == before
        assert window_words(beside) == {12}
    assert window_words(filled) == {12}
    assert not list((filled.root / renewal.NEXT).rglob("*.json"))
    assert not list(filled.root.rglob(".renewal"))
    assert run_issue(filled, SAMPLE, CHANGED).stages[0].fresh == 8
    assert [entry.stage for entry in worklog.read(filled, ISSUE)][-4:] == [
        "context",
        "captions",
        "ranking",
        "descriptions",
    ]


def test_renewed_issue_equals_one_made_in_place(filled: Archive, tmp_path: Path) -> None:
    with renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
    with Archive(tmp_path / "plain", create=True) as plain:
        run_issue(plain, SAMPLE, CHANGED)
        assert snapshot(filled.issue_dir(ISSUE)) | {"scans.json": b""} == snapshot(plain.issue_dir(ISSUE)) | {
            "scans.json": b""
        }


def test_error_keeps_the_old_and_the_next_time_goes_on(filled: Archive) -> None:
    before = snapshot(filled.issue_dir(ISSUE))
    with pytest.raises(KeyboardInterrupt), renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
        raise KeyboardInterrupt
    assert snapshot(filled.issue_dir(ISSUE)) == before
    with renewal.renewing(filled, ISSUE) as beside:
        assert sum(count.made for count in run_issue(beside, SAMPLE, CHANGED).stages) == 0
    assert window_words(filled) == {12}


def test_killed_after_the_exchange(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder left under .next is then the old one: it must not come back."""

    exchange = renewal._exchange

    def exchange_and_die(one: Path, other: Path) -> None:
        exchange(one, other)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
        patch.setattr(renewal, "_exchange", exchange_and_die)
    assert window_words(filled) == {12}
    with renewal.renewing(filled, ISSUE) as beside:
        assert window_words(beside) == {12}
    assert window_words(filled) == {12}


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_in_an_exchange_of_two_steps(filled: Archive, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Where the file system cannot exchange two folders, a kill between the renames leaves the issue to be mended."""

    class OldKernel:
        @staticmethod
        def renameat2(*_: object) -> int:
            renewal.ctypes.set_errno(errno.EINVAL)
            return -1

    calls, rename = [], Path.rename

    def rename_and_die(self: Path, target: Path) -> Path:
        done = rename(self, target)
        calls.append(target)
        if len(calls) == step:
            raise KeyboardInterrupt
        return done

    with pytest.raises(KeyboardInterrupt), renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
        monkeypatch.setattr(renewal.ctypes, "CDLL", lambda *_, **__: OldKernel)
        monkeypatch.setattr(Path, "rename", rename_and_die)
    monkeypatch.undo()
    renewal.mend(filled)
    assert filled.issues() == [ISSUE]
    assert window_words(filled) == {12}
    assert not list(filled.root.rglob(f"*{renewal._ASIDE}"))


def test_what_others_put_there_survives(filled: Archive) -> None:
    folder = filled.issue_dir(ISSUE)
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("before")
    (folder / "gone.txt").write_text("to be removed")
    with renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
        (folder / "reviews.jsonl").write_text("while it ran\n")
        (folder / "notes" / "a.txt").unlink()
        (folder / "notes" / "b.txt").write_text("while it ran")
        (folder / "gone.txt").unlink()
    assert (folder / "reviews.jsonl").read_text() == "while it ran\n"
    assert [file.name for file in (folder / "notes").iterdir()] == ["b.txt"]
    assert not (folder / "gone.txt").exists()


def test_file_system_without_hard_links(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(renewal.os, "link", refuse)
    with renewal.renewing(filled, ISSUE) as beside:
        run_issue(beside, SAMPLE, CHANGED)
    assert window_words(filled) == {12}


def test_full_disk_while_copying_keeps_the_old(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    before = snapshot(filled.issue_dir(ISSUE))
    monkeypatch.setattr(renewal.os, "link", refuse)
    with pytest.raises(StorageError, match="no space"), renewal.renewing(filled, ISSUE):
        pass
    assert snapshot(filled.issue_dir(ISSUE)) == before


def test_versions_of_a_scan(filled: Archive, excerpt: MakePdf, tmp_path: Path) -> None:
    with Archive(tmp_path / "other", create=True) as archive:
        first, corrected = excerpt(8), excerpt(3, name="Social 1916-10 v1 n10 corregido.pdf")
        issue = open_issue(archive, first)
        with pytest.raises(BadInput, match="already holds"):
            open_issue(archive, corrected)
        assert open_issue(archive, corrected, renamed=True).id == issue.id
        open_issue(archive, corrected, renamed=True)
        names = [(version.version, version.source_name) for version in scans.versions(archive, issue.id)]
        assert names == [(1, first.name), (2, corrected.name)]
        assert scans.find_scan(archive, issue.id) == str(corrected.resolve())
        old = scans.find_content(archive, issue.source_sha256)
        assert old and old.issue == issue.id and not old.current
        assert scans.find_content(archive, "0" * 64) is None

        place = tmp_path / "elsewhere" / corrected.name
        place.parent.mkdir()
        corrected.rename(place)
        with pytest.raises(BadInput, match="no longer lies at"):
            scans.find_scan(archive, issue.id)
        scans.moved(archive, issue.id, scans.versions(archive, issue.id)[-1].source_sha256, place)
        assert scans.find_scan(archive, issue.id) == str(place.resolve())
