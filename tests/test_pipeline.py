"""The order of the stages and what is done again, with the real stages on real pages."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from revista import pipeline, stages
from revista.errors import BadInput, Category
from revista.pipeline import IssueReport, run_issue
from revista.records import Descriptions, Page, PageText, Regions
from revista.settings import ContextSettings, RegionsSettings, RunSettings, Settings
from revista.store import Archive

from .conftest import NO_MODELS, SAMPLE, SHARED, MakePdf


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", create=True) as opened:
        yield opened


@pytest.fixture
def filled(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    """A copy of the sample archive that a test may spoil."""
    shutil.copytree(sample_archive[0], tmp_path / "filled")
    with Archive(tmp_path / "filled") as opened:
        yield opened


def made(report: IssueReport) -> dict[str, int]:
    return {count.stage: count.made for count in report.stages if count.made}


def test_sample_goes_through_all_stages(sample_archive: tuple[Path, IssueReport]) -> None:
    root, report = sample_archive
    assert report.issue == "social-1916-09-v1-n9"
    assert report.failed_pages == ()
    assert report.pages == 8
    assert [count.made for count in report.stages] == [8] * len(pipeline.STAGES)
    assert report.pictures >= 8
    assert report.described >= report.pictures // 2
    assert report.described_by_model == 0
    archive = Archive(root)
    for number in range(1, 9):
        page = archive.read(report.issue, "pages", number, Page)
        assert page and page.body.image and archive.page_image(report.issue, page.body.image).is_file()
        found = archive.read(report.issue, "regions", number, Regions)
        assert found
        for picture in found.body.pictures:
            assert archive.picture_file(report.issue, picture.id).is_file()
        described = archive.read(report.issue, "descriptions", number, Descriptions)
        assert described
        for picture in described.body.pictures:
            assert picture.undescribed == "not described by a model: no captioner weights"


def test_nothing_unfinished_is_left_behind(sample_archive: tuple[Path, IssueReport]) -> None:
    root, _ = sample_archive
    assert [f for f in (root / ".tmp").rglob("*")] == []


def test_second_run_finds_everything_fresh(filled: Archive) -> None:
    before = {f: f.stat().st_mtime_ns for f in filled.root.rglob("*.*") if f.is_file()}
    report = run_issue(filled, SAMPLE, NO_MODELS)
    assert made(report) == {}
    assert {f: f.stat().st_mtime_ns for f in filled.root.rglob("*.*") if f.is_file()} == before


def test_changed_option_reruns_its_stage_and_what_hangs_on_it(filled: Archive) -> None:
    report = run_issue(filled, SAMPLE, Settings(profile="none", context=ContextSettings(window_words=12)))
    assert made(report) == {"context": 8, "captions": 8, "ranking": 8, "descriptions": 8}


def test_how_the_work_is_done_makes_nothing_stale(filled: Archive) -> None:
    report = run_issue(filled, SAMPLE, Settings(profile="none", run=RunSettings(workers=1, page_timeout=45)))
    assert made(report) == {}


def test_lost_and_damaged_files_are_made_again(filled: Archive) -> None:
    issue = "social-1916-09-v1-n9"
    first = filled.read(issue, "descriptions", 3, Descriptions)
    assert first
    filled.record_file(issue, "descriptions", 3).write_text('{"header": {"stage"')
    picture = first.body.pictures[0].picture
    filled.picture_file(issue, picture).unlink()
    report = run_issue(filled, SAMPLE, NO_MODELS)
    # the regions of page 3 come out as they were, so that the later stages' headers still match
    assert made(report) == {"regions": 1, "descriptions": 1}
    again = filled.read(issue, "descriptions", 3, Descriptions)
    assert again and again.body == first.body
    assert filled.picture_file(issue, picture).is_file()


@pytest.mark.parametrize("folder", ["pages", "pictures"])
def test_killed_with_a_corrected_scan_and_back_to_the_first(
    archive: Archive, excerpt: MakePdf, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Killed between a new file and its record, the old record must not stand for the new file."""

    class Killed(BaseException):
        pass

    def put_and_die(unfinished: Path, place: Path) -> None:
        put(unfinished, place)
        if place.parent.name == folder and place.suffix == ".jpg":
            raise Killed

    def images() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in archive.issue_dir(issue).glob(f"{folder}/*.jpg")}

    issue = run_issue(archive, excerpt(2), NO_MODELS).issue
    first, put = images(), archive.put
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(archive, "put", put_and_die)
        run_issue(archive, excerpt(8), NO_MODELS)
    assert images() != first
    run_issue(archive, excerpt(2), NO_MODELS)
    assert images() == first


def test_damaged_page_image_is_taken_out_again(archive: Archive, excerpt: MakePdf) -> None:
    pdf = excerpt(8)
    issue = run_issue(archive, pdf, NO_MODELS).issue
    image = archive.page_image(issue, "0001.jpg")
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    archive.remove(issue, "text", 1)
    report = run_issue(archive, pdf, NO_MODELS)
    assert made(report) == {"pages": 1, "text": 1}
    assert report.problems == ()
    assert image.read_bytes() == whole


def test_corrected_scan_takes_the_issues_place(archive: Archive, excerpt: MakePdf) -> None:
    run_issue(archive, excerpt(8, 1), NO_MODELS)
    report = run_issue(archive, excerpt(8), NO_MODELS)
    assert report.pages == 1
    assert not list(archive.issue_dir(report.issue).glob("*/0002*"))


def test_replaced_page_is_worked_on_alone(archive: Archive, excerpt: MakePdf) -> None:
    run_issue(archive, excerpt(8, 4, 3), NO_MODELS)
    report = run_issue(archive, excerpt(8, 7, 3), NO_MODELS)
    # all pages are taken out again; the third has another page before it, for its context and what hangs on that
    later = dict.fromkeys(("context", "captions", "ranking", "descriptions"), 2)
    assert made(report) == {"pages": 3, "regions": 1, "text": 1} | later


def test_other_file_with_the_same_id_is_refused(archive: Archive, excerpt: MakePdf) -> None:
    run_issue(archive, excerpt(8), NO_MODELS)
    with pytest.raises(BadInput, match="--id"):
        run_issue(archive, excerpt(1, name="otro_social1916_10_v1_n10.pdf"), NO_MODELS)


def spoil_page(pdf: Path, number: int) -> Path:
    """Cut the page's embedded JPEG off after some bytes, so that it cannot be decoded, and break its size."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as opened:
        image = next(iter(opened.pages[number - 1].get_images().values()))
        image.write(b"\xff\xd8 not a JPEG", filter=pikepdf.Name.DCTDecode)
        opened.save(pdf)
    return pdf


def test_one_broken_page_costs_only_itself(archive: Archive, excerpt: MakePdf) -> None:
    pdf = spoil_page(excerpt(8, 3, 4), 2)
    settings = Settings(profile="none", run=RunSettings(failed_pages_limit=0.5))
    report = run_issue(archive, pdf, settings)
    assert report.failed_pages == (2,)
    assert [p.stage for p in report.problems if p.page == 2] == ["pages"]
    assert all(p.message and p.hint for p in report.problems)
    for number in (1, 3):
        text = archive.read(report.issue, "text", number, PageText)
        assert text and len(text.body.words) > 100
    assert archive.read(report.issue, "text", 2, PageText) is None
    assert made(run_issue(archive, pdf, settings)) == {}  # a broken page is a result: not tried again each time


def test_page_that_broke_leaves_nothing_of_its_past(archive: Archive, excerpt: MakePdf) -> None:
    settings = Settings(profile="none", run=RunSettings(failed_pages_limit=0.5))
    issue = run_issue(archive, excerpt(8, 2), settings).issue
    assert list(archive.issue_dir(issue).glob("pictures/0002-*"))
    run_issue(archive, spoil_page(excerpt(8, 2), 2), settings)
    left = [file.relative_to(archive.issue_dir(issue)) for file in archive.issue_dir(issue).glob("*/0002*")]
    assert left == [Path("pages/0002.json")]


def test_too_many_broken_pages_fail_the_issue(archive: Archive, excerpt: MakePdf) -> None:
    pdf = spoil_page(excerpt(3, 8), 1)
    with pytest.raises(pipeline.TooManyPagesFailed) as caught:
        run_issue(archive, pdf, NO_MODELS)
    assert caught.value.report.failed_pages == (1,)
    assert archive.read(caught.value.report.issue, "descriptions", 2, Descriptions)


def test_bug_in_a_stage_is_a_problem_of_its_page(
    archive: Archive, excerpt: MakePdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stages.context.run

    def fragile(number: int, *rest: object) -> object:
        if number == 1:
            raise ZeroDivisionError("of all things")
        return real(number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(stages.context, "run", fragile)
    pdf = excerpt(8, 8)
    report = run_issue(archive, pdf, Settings(profile="none", run=RunSettings(failed_pages_limit=0.5)))
    problem = next(p for p in report.problems if p.stage == "context")
    assert problem.category is Category.INTERNAL
    assert "ZeroDivisionError: of all things" in problem.message
    monkeypatch.undo()
    again = run_issue(archive, pdf, NO_MODELS)
    assert made(again)["context"] == 1  # an internal error is tried again
    assert again.problems == ()


def test_every_record_says_where_it_comes_from(sample_archive: tuple[Path, IssueReport]) -> None:
    root, report = sample_archive
    for stage, known in pipeline.STAGES.items():
        data = json.loads(Archive(root).record_file(report.issue, stage, 3).read_text("utf-8"))
        header = data["header"]
        assert header["stage"] == stage
        assert set(known.needs) <= set(header["inputs"])
        assert all(len(value) == 64 for value in header["inputs"].values())
        assert header["created"].endswith("Z")
        assert header["options"] == json.loads(getattr(NO_MODELS, stage).model_dump_json())


def test_regions_setting_none_of_the_pictures_vanishes_silently(filled: Archive) -> None:
    strict = Settings(profile="none", regions=RegionsSettings(min_confidence=1.0))
    report = run_issue(filled, SAMPLE, strict)
    assert report.pictures == 0
    assert not list(filled.picture_file(report.issue, "").parent.glob("*.jpg"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="real pages lie in ../shared, which is not here")
@pytest.mark.slow
def test_real_chapbook_runs_to_the_end(archive: Archive) -> None:
    report = run_issue(archive, SHARED / "pages" / "pdf" / "Moreno_026.pdf", NO_MODELS)
    assert report.failed_pages == ()
    text = archive.read(report.issue, "text", 2, PageText)
    assert text and "estandarte bordado" in " ".join(word.text for word in text.body.words)
