"""The archive folder: whole files or none, in every way a process can end."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from revista.errors import BadArguments, StorageError
from revista.records import Header, Page, PageText, Record
from revista.store import Archive

RECORD = Record[Page](
    header=Header(stage="pages", version="1", inputs={"pdf": "0" * 64}, software={"b": "1", "a": "2"}),
    body=Page(number=3, dpi=174.9999999),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_round_trip_keeps_the_fingerprint(root: Path) -> None:
    with Archive(root, create=True) as archive:
        archive.write("issue", "pages", 3, RECORD)
        again = archive.read("issue", "pages", 3, Page)
    assert again == RECORD
    assert again.fingerprint() == RECORD.fingerprint()


def test_fingerprint_leaves_the_times_out_and_nothing_else() -> None:
    later = RECORD.header.model_copy(update={"created": datetime.now(UTC), "seconds": 1.5})
    assert RECORD.model_copy(update={"header": later}).fingerprint() == RECORD.fingerprint()
    assert RECORD.header.same_work(later)
    other = RECORD.header.model_copy(update={"options": {"render_dpi": 301}})
    assert RECORD.model_copy(update={"header": other}).fingerprint() != RECORD.fingerprint()
    assert not RECORD.header.same_work(other)


@pytest.mark.parametrize("content", ["", "{", '{"header": {}, "body": {}}', "\x00\xff", '{"header": 1}'])
def test_damaged_record_reads_as_none(root: Path, content: str) -> None:
    with Archive(root, create=True) as archive:
        archive.write("issue", "pages", 3, RECORD)
        archive.record_file("issue", "pages", 3).write_text(content, "latin-1")
        assert archive.read("issue", "pages", 3, Page) is None
        assert archive.read("issue", "text", 3, PageText) is None


def test_rewritten_record_is_read_anew(root: Path) -> None:
    with Archive(root, create=True) as archive:
        archive.write("issue", "pages", 3, RECORD)
        archive.read("issue", "pages", 3, Page)
        changed = RECORD.model_copy(update={"body": Page(number=3, dpi=300)})
        archive.write("issue", "pages", 3, changed)
        assert archive.read("issue", "pages", 3, Page) == changed


def test_leaving_removes_what_is_unfinished(root: Path) -> None:
    with Archive(root, create=True) as archive:
        (archive.scratch() / "half.jpg").write_bytes(b"half")
    assert list((root / ".tmp").iterdir()) == []


def test_leftovers_of_a_killed_process_are_swept_and_those_of_a_living_one_are_not(root: Path) -> None:
    code = f"""
import os, pathlib, signal
from revista.store import Archive
archive = Archive(pathlib.Path({str(root)!r}), create=True)
(archive.scratch() / "half.jpg").write_bytes(b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert list((root / ".tmp").rglob("half.jpg"))
    with Archive(root) as living:
        kept = living.scratch() / "mine.jpg"
        kept.write_bytes(b"mine")
        with Archive(root) as other:
            other.scratch()
            assert not list((root / ".tmp").rglob("half.jpg"))
            assert kept.exists()


def test_processes_that_begin_at_once_leave_each_others_lock_alone(root: Path) -> None:
    def begin(number: int) -> bool:
        with Archive(root, create=True) as archive:
            return archive.scratch().is_dir()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(begin, range(200)))
    assert list((root / ".tmp").iterdir()) == []


def test_records_follow_the_umask(root: Path) -> None:
    before = os.umask(0o022)
    try:
        with Archive(root, create=True) as archive:
            archive.write("issue", "pages", 3, RECORD)
    finally:
        os.umask(before)
    assert archive.record_file("issue", "pages", 3).stat().st_mode & 0o777 == 0o644


def test_missing_archive_names_the_option(root: Path) -> None:
    with pytest.raises(BadArguments, match="no such archive folder"):
        Archive(root)
    root.write_text("a file")
    with pytest.raises(BadArguments, match="is a file"):
        Archive(root, create=True)


def test_unreadable_place_is_a_storage_error(root: Path) -> None:
    with Archive(root, create=True) as archive:
        archive.record_file("issue", "pages", 3).mkdir(parents=True)  # as root, rights stop nobody: a folder does
        with pytest.raises(StorageError, match="cannot read"):
            archive.read("issue", "pages", 3, Page)


def test_unwritable_place_is_a_storage_error(root: Path) -> None:
    with Archive(root, create=True) as archive:
        (root / "issues").write_text("a file where a folder should be")
        with pytest.raises(StorageError, match="cannot write"):
            archive.write("issue", "pages", 3, RECORD)


def test_shorter_scan_leaves_no_pages_behind(root: Path) -> None:
    with Archive(root, create=True) as archive:
        for page in (1, 2, 12):
            archive.write("issue", "pages", page, RECORD)
        archive.picture_file("issue", "0012-r01").parent.mkdir(parents=True)
        archive.picture_file("issue", "0012-r01").write_bytes(b"")
        archive.remove_pages_after("issue", 2)
        assert sorted(f.name for f in archive.issue_dir("issue").rglob("*.*")) == ["0001.json", "0002.json"]
