"""A plan foretells what a run does, and changes nothing."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import pytest

from revista import pipeline
from revista.errors import BadArguments, BadInput, Category
from revista.pipeline import IssueReport, open_issue, run_issue
from revista.plan import IssuePlan, StagePlan, closure, plan, plan_issue
from revista.records import BODIES, Body, Descriptions, Page, PageText, Problem, Record
from revista.settings import ContextSettings, PagesSettings, RankingSettings, RegionsSettings, RunSettings, Settings
from revista.stages import STAGES, seconds_a_page
from revista.store import Archive

from .conftest import SAMPLE, MakePdf

ISSUE = "social-1916-09-v1-n9"
AFTER_TEXT = ("context", "captions", "ranking", "descriptions")


@pytest.fixture
def filled(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    """A copy of the sample archive that a test may spoil."""
    shutil.copytree(sample_archive[0], tmp_path / "filled")
    with Archive(tmp_path / "filled") as opened:
        yield opened


def stale(planned: IssuePlan) -> dict[str, int]:
    return {stage.stage: stage.stale for stage in planned.stages if stage.stale}


def maybe(planned: IssuePlan) -> dict[str, int]:
    return {stage.stage: stage.maybe for stage in planned.stages if stage.maybe}


def state(root: Path) -> dict[Path, tuple[int, bytes]]:
    return {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in root.rglob("*") if file.is_file()}


def rewrite(archive: Archive, stage: str, page: int, **changes: object) -> None:
    """Change the body of a record and leave its header, as a fault of that time would have."""
    record = archive.read(ISSUE, stage, page, BODIES[stage])
    assert record
    body = record.body.model_copy(update=changes)
    archive.write(ISSUE, stage, page, Record[type(body)](header=record.header, body=body))  # type: ignore[misc]


def problem(category: Category) -> tuple[Problem]:
    return (Problem(stage="pages", category=category, message="m", page=3),)


def lose_picture(archive: Archive) -> None:
    described = archive.read(ISSUE, "descriptions", 3, Descriptions)
    assert described
    archive.picture_file(ISSUE, described.body.pictures[0].picture).unlink()


def spoil_image(archive: Archive) -> None:
    image = archive.page_image(ISSUE, "0003.jpg")
    image.write_bytes(image.read_bytes()[:1000])


def tear_text(archive: Archive) -> None:
    archive.record_file(ISSUE, "text", 3).write_text('{"header"')


def lose_page_record(archive: Archive) -> None:
    archive.remove(ISSUE, "pages", 3)


def let_page_time_out(archive: Archive) -> None:
    rewrite(archive, "pages", 3, image=None, problems=problem(Category.TIMEOUT))


def let_page_be_broken(archive: Archive) -> None:
    rewrite(archive, "pages", 3, image=None, problems=problem(Category.BAD_INPUT))


def change_text(archive: Archive) -> None:
    rewrite(archive, "text", 3, skew=0.25)


def harm_several(archive: Archive) -> None:
    lose_picture(archive)
    archive.page_image(ISSUE, "0005.jpg").unlink()
    archive.remove(ISSUE, "descriptions", 7)


def nothing(archive: Archive) -> None:
    pass


def test_unchanged_issue_needs_nothing(filled: Archive) -> None:
    before = state(filled.root)
    planned = plan(filled, [ISSUE], Settings(profile="none"))
    assert planned.nothing_to_do and planned.issues[0].nothing_to_do
    assert planned.minutes == planned.most_minutes == 0
    assert [(s.stage, s.fresh) for s in planned.stages] == [(name, 8) for name in STAGES]
    assert state(filled.root) == before


@pytest.mark.parametrize(
    ("harm", "settings", "surely", "perhaps"),
    [
        (nothing, Settings(profile="none", context=ContextSettings(window_words=12)), dict.fromkeys(AFTER_TEXT, 8), {}),
        (nothing, Settings(profile="none", pages=PagesSettings(render_dpi=200)), dict.fromkeys(STAGES, 8), {}),
        (
            nothing,
            Settings(profile="none", ranking=RankingSettings(min_window_probability=0.9)),
            {"ranking": 8, "descriptions": 8},
            {},
        ),
        (lose_picture, Settings(profile="none"), {"regions": 1}, {"text": 1, **dict.fromkeys(AFTER_TEXT, 2)}),
        (
            spoil_image,
            Settings(profile="none"),
            {"pages": 1},
            {"regions": 1, "text": 1, **dict.fromkeys(AFTER_TEXT, 2)},
        ),
        (
            lose_page_record,
            Settings(profile="none"),
            {"pages": 1},
            {"regions": 1, "text": 1, **dict.fromkeys(AFTER_TEXT, 2)},
        ),
        (
            let_page_time_out,
            Settings(profile="none"),
            {"pages": 1},
            {"regions": 1, "text": 1, **dict.fromkeys(AFTER_TEXT, 2)},
        ),
        (tear_text, Settings(profile="none"), {"text": 1}, dict.fromkeys(AFTER_TEXT, 2)),
        (
            harm_several,
            Settings(profile="none", ranking=RankingSettings(min_window_probability=0.9)),
            {"pages": 1, "regions": 1, "ranking": 8, "descriptions": 8},
            {"regions": 1, "text": 2, "context": 4, "captions": 4},
        ),
        # the text stands and is another one: what was made from the old one is stale, and so is what hangs on that
        (change_text, Settings(profile="none"), dict.fromkeys(AFTER_TEXT, 2), {}),
        # page 3 is skipped, its text goes, and the context of page 4 with it
        (
            let_page_be_broken,
            Settings(profile="none", run=RunSettings(failed_pages_limit=1)),
            dict.fromkeys(AFTER_TEXT, 1),
            {},
        ),
    ],
)
def test_a_plan_foretells_the_run(
    filled: Archive,
    harm: Callable[[Archive], None],
    settings: Settings,
    surely: dict[str, int],
    perhaps: dict[str, int],
) -> None:
    harm(filled)
    before = state(filled.root)
    planned = plan_issue(filled, ISSUE, settings)
    assert state(filled.root) == before
    assert (stale(planned), maybe(planned)) == (surely, perhaps)
    report = run_issue(filled, SAMPLE, settings)
    for foretold, count in zip(planned.stages, report.stages, strict=True):
        assert foretold.stale <= count.made <= foretold.stale + foretold.maybe
        assert foretold.fresh <= count.fresh <= foretold.fresh + foretold.maybe
        assert foretold.skipped == count.skipped
    assert plan_issue(filled, ISSUE, settings).nothing_to_do


def test_issue_that_was_never_run_is_all_stale_and_needs_no_pdf(tmp_path: Path, excerpt: MakePdf) -> None:
    pdf = excerpt(8, 3)
    with Archive(tmp_path / "archive", create=True) as archive:
        issue = open_issue(archive, pdf).id
        pdf.unlink()
        planned = plan_issue(archive, issue, Settings(profile="none", run=RunSettings(workers=2)))
    assert stale(planned) == dict.fromkeys(STAGES, 2) and maybe(planned) == {}
    thumb = seconds_a_page(Settings(profile="none"))
    assert all(stage.measured == 0 and stage.seconds == thumb[stage.stage] for stage in planned.stages)
    by_name = {stage.stage: stage for stage in planned.stages}
    assert by_name["text"].minutes == pytest.approx(2 * thumb["text"] / 60 / 2)  # two pages at once
    assert by_name["ranking"].minutes == pytest.approx(2 * thumb["ranking"] / 60)  # one at a time


def test_minutes_come_from_the_archives_own_records(filled: Archive) -> None:
    settings = Settings(profile="none", ranking=RankingSettings(min_window_probability=0.9), run=RunSettings(workers=2))
    planned = plan(filled, [ISSUE], settings)
    for stage in planned.stages:
        headers = [filled.read(ISSUE, stage.stage, n, BODIES[stage.stage]).header for n in range(1, 9)]  # type: ignore[union-attr]
        assert stage.seconds == pytest.approx(fmean(header.seconds for header in headers))  # type: ignore[misc]
        assert stage.measured == 8
        assert stage.minutes == pytest.approx(stage.stale * stage.seconds / 60 / STAGES[stage.stage].workers(settings))
    assert planned.minutes == pytest.approx(sum(stage.minutes for stage in planned.stages))
    assert [row["stage"] for row in planned.rows()] == [*STAGES, "all"]


def test_records_of_other_weights_foretell_nothing(filled: Archive) -> None:
    for number in range(1, 9):
        record = filled.read(ISSUE, "text", number, PageText)
        assert record
        header = record.header.model_copy(update={"weights": {"spa.traineddata": "ab" * 32}, "seconds": 1000.0})
        filled.write(ISSUE, "text", number, Record[PageText](header=header, body=record.body))
    text = plan_issue(filled, ISSUE, Settings(profile="none")).stages[2]
    assert (text.stage, text.stale, text.measured) == ("text", 8, 0)
    assert text.seconds == seconds_a_page(Settings(profile="none"))["text"]


def test_stages_outside_of_those_chosen_are_neither_judged_nor_counted(filled: Archive) -> None:
    changed = Settings(
        regions=RegionsSettings(min_confidence=0.99), ranking=RankingSettings(min_window_probability=0.9)
    )
    planned = plan_issue(filled, ISSUE, changed, ["ranking"])
    assert stale(planned) == {"ranking": 8, "descriptions": 8}
    assert [stage.stage for stage in planned.stages] == ["ranking", "descriptions"]
    assert plan_issue(filled, ISSUE, changed, ["text"]).stages[0] == StagePlan(
        stage="text", fresh=8, **_cost(plan_issue(filled, ISSUE, changed).stages[2])
    )


def _cost(stage: StagePlan) -> dict[str, float]:
    return {"seconds": stage.seconds, "measured": stage.measured}


@pytest.mark.parametrize(
    ("chosen", "all_of_it"),
    [
        ((), tuple(STAGES)),
        (("pages",), tuple(STAGES)),
        (("descriptions", "text"), ("text", *AFTER_TEXT)),
        (("captions",), ("captions", "ranking", "descriptions")),
        (("descriptions",), ("descriptions",)),
    ],
)
def test_closure(chosen: tuple[str, ...], all_of_it: tuple[str, ...]) -> None:
    assert closure(chosen) == all_of_it
    assert closure(all_of_it) == all_of_it


def test_unknown_stage_is_refused(filled: Archive) -> None:
    with pytest.raises(BadArguments, match="reagions") as caught:
        plan(filled, [ISSUE], Settings(profile="none"), ["reagions"])
    assert "regions" in caught.value.hint


def test_unknown_issue_is_refused(filled: Archive) -> None:
    with pytest.raises(BadArguments) as caught:
        plan(filled, [ISSUE, "social-1916-9-v1-n9"], Settings(profile="none"))
    assert f"Did you mean: {ISSUE}?" in caught.value.hint


def test_what_a_run_of_the_chosen_stages_would_miss_is_said_before(filled: Archive) -> None:
    filled.remove(ISSUE, "text", 5)
    with pytest.raises(BadInput, match="page 5 has no readable record of the stage text") as caught:
        plan_issue(filled, ISSUE, Settings(profile="none"), ["context"])
    assert "Take the stage text too" in caught.value.hint
    assert stale(plan_issue(filled, ISSUE, Settings(profile="none"), ["text"])) == {"text": 1}
    issue = filled.require_issue(ISSUE).body
    with pytest.raises(BadInput, match="page 5 has no readable record"):
        pipeline.run_stage(filled, issue, SAMPLE, "context", range(1, 9), Settings(profile="none"))


def test_issue_that_cannot_be_read_does_not_stop_the_plan(filled: Archive) -> None:
    broken = filled.root / "issues" / "social-1917-01" / "issue.json"
    broken.parent.mkdir()
    broken.write_text("{")
    planned = plan(filled, ["social-1917-01", ISSUE], Settings(profile="none"))
    assert [issue.issue for issue in planned.issues] == [ISSUE]
    (trouble,) = planned.problems
    assert trouble.item == "social-1917-01" and trouble.hint
    assert planned.issues[0].nothing_to_do and not planned.nothing_to_do


def test_broken_page_that_stays_broken_is_nothing_to_do(filled: Archive) -> None:
    let_page_be_broken(filled)
    settings = Settings(profile="none", run=RunSettings(failed_pages_limit=1))
    run_issue(filled, SAMPLE, settings)
    planned = plan_issue(filled, ISSUE, settings)
    assert planned.nothing_to_do
    assert [stage.skipped for stage in planned.stages] == [0, *[1] * 6]
    assert filled.read(ISSUE, "pages", 3, Page)


def test_plan_loads_no_model(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> Body:
        raise AssertionError("a plan loads no model")

    monkeypatch.setattr("revista.regions.load", load)
    pipeline.models_for.cache_clear()
    plan_issue(filled, ISSUE, Settings(profile="none", regions=RegionsSettings(min_confidence=0.9)))
