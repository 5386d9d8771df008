"""Summaries of issues, and the archive in numbers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from revista.pipeline import IssueReport, open_issue, run_issue
from revista.records import Descriptions, PageText
from revista.settings import DescriptionsSettings, Settings
from revista.store import Archive
from revista.totals import archive_totals, read_summary, summarise, write_summary
from revista.view import read_view
from tests import issue_archive

from .conftest import SAMPLE, MakePdf

ISSUE = "social-1916-09-v1-n9"


@pytest.fixture
def filled(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    """A copy of the sample archive that a test may spoil."""
    shutil.copytree(sample_archive[0], tmp_path / "filled")
    with Archive(tmp_path / "filled") as opened:
        yield opened


def test_a_run_leaves_a_summary_that_says_what_it_reported(filled: Archive) -> None:
    view, report = read_view(filled, ISSUE), run_issue(filled, SAMPLE, Settings(profile="none"))
    summary = read_summary(filled, ISSUE)
    assert summary == summarise(filled, view)
    assert summary.totals == view.totals
    assert (summary.totals.pages, summary.totals.pictures) == (report.pages, report.pictures)
    assert summary.totals.problems == len(report.problems)
    assert summary.finished == view.provenance.last
    assert summary.pages_per_minute and 1 < summary.pages_per_minute < 10_000


def test_summary_is_written_only_when_it_changes(filled: Archive) -> None:
    file = filled.issue_dir(ISSUE) / "summary.json"
    first = file.stat().st_mtime_ns, file.read_bytes()
    write_summary(filled, read_view(filled, ISSUE))
    assert (file.stat().st_mtime_ns, file.read_bytes()) == first
    run_issue(filled, SAMPLE, Settings(profile="none", descriptions=DescriptionsSettings(min_quote_confidence=0.95)))
    assert file.read_bytes() != first[1]


def test_summary_goes_as_soon_as_a_record_changes(filled: Archive) -> None:
    view, record = read_view(filled, ISSUE), filled.read(ISSUE, "text", 2, PageText)
    assert record
    filled.write(ISSUE, "text", 2, record)
    assert read_summary(filled, ISSUE) is None
    write_summary(filled, view)
    filled.remove(ISSUE, "captions", 99)  # there is none
    assert read_summary(filled, ISSUE)
    filled.remove(ISSUE, "text", 2)
    assert read_summary(filled, ISSUE) is None
    summary = write_summary(filled, read_view(filled, ISSUE))
    assert summary.finished is None and archive_totals(filled).unfinished == (ISSUE,)


def test_corrected_scan_is_unfinished_until_it_is_run(filled: Archive, excerpt: MakePdf) -> None:
    open_issue(filled, excerpt(8, name=SAMPLE.name))
    assert archive_totals(filled).unfinished == (ISSUE,)


def test_run_that_ends_in_an_error_leaves_no_summary(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> Descriptions:
        raise Killed

    monkeypatch.setattr("revista.descriptions.run", die)
    filled.remove(ISSUE, "context", 4)
    filled.remove(ISSUE, "descriptions", 4)
    with pytest.raises(Killed):
        run_issue(filled, SAMPLE, Settings(profile="none"))
    assert read_summary(filled, ISSUE) is None


def test_damaged_summary_counts_as_none(filled: Archive) -> None:
    (filled.issue_dir(ISSUE) / "summary.json").write_text('{"header"')
    assert archive_totals(filled).unfinished == (ISSUE,)
    run_issue(filled, SAMPLE, Settings(profile="none"))
    assert archive_totals(filled).unfinished == ()


def test_archive_in_numbers(filled: Archive, tmp_path: Path) -> None:
    issue_archive.fill(filled.root)  # an issue with a page on which most stages have not run
    second = read_view(filled, issue_archive.ISSUE)
    write_summary(filled, second)
    first = read_summary(filled, ISSUE)
    assert first
    totals = archive_totals(filled)
    assert totals.issues == 2 and totals.unfinished == (issue_archive.ISSUE,)
    assert totals.totals == first.totals and totals.seconds == first.seconds

    shutil.copytree(filled.issue_dir(ISSUE), filled.root / "issues" / "zwei")
    totals = archive_totals(filled)
    assert totals.issues == 3
    assert totals.totals.model_dump() == {name: 2 * value for name, value in first.totals.model_dump().items()}
    assert totals.pages_per_minute == pytest.approx(first.pages_per_minute)


def test_empty_archive(tmp_path: Path) -> None:
    totals = archive_totals(Archive(tmp_path))
    assert totals.issues == totals.totals.pages == 0 and totals.pages_per_minute is None


def test_reviews_are_counted_by_picture(filled: Archive) -> None:
    file = filled.reviews_file(ISSUE)
    file.parent.mkdir()
    lines = [json.dumps({"picture": name}) for name in ("0001-r01", "0002-r01", "0001-r01")]
    file.write_text("\n".join([*lines, "[1]", '{"other": 1}', '{"picture": "0003-']), "utf-8")
    summary = read_summary(filled, ISSUE)
    assert summary and summary.reviewed == 2 == archive_totals(filled).reviewed


def test_summary_is_a_record_as_all_are(filled: Archive) -> None:
    data = json.loads((filled.issue_dir(ISSUE) / "summary.json").read_text("utf-8"))
    assert data["header"]["stage"] == "summary" and data["header"]["created"].endswith("Z")
    assert data["body"]["totals"]["pages"] == 8
    assert len(json.dumps(data)) < 2_000
