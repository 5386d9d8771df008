"""Which issues a form means."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from revista.errors import BadArguments
from revista.pipeline import IssueReport
from revista.records import Header, Issue, Record
from revista.selection import Condition, Selection, select
from revista.settings import RegionsSettings, Settings
from revista.store import Archive
from revista.totals import write_summary
from revista.view import read_view
from tests import issue_archive

SAMPLE_ID = "social-1916-09-v1-n9"


def enter(archive: Archive, id: str, year: int | None, month: int | None = None, number: int | None = None) -> None:
    """An issue without pages."""
    body = Issue(
        id=id,
        title="Social",
        year=year,
        month=month,
        number=number,
        source_name=f"{id}.pdf",
        source_sha256="ab" * 32,
        source_bytes=1,
        page_count=0,
    )
    header = Header(stage="issue", version="1", created=datetime(2026, 11, 23, tzinfo=UTC))
    archive.write_issue(Record[Issue](header=header, body=body))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Five issues, their ids in another order than their dates."""
    with Archive(tmp_path_factory.mktemp("shelf")) as archive:
        enter(archive, "e", 1916, 9, 9)
        enter(archive, "d", 1920, 2, 2)
        enter(archive, "c", 1920, 10, 10)
        enter(archive, "b", 1938, None, 9)
        enter(archive, "a", None, None, 2)
    return archive


@pytest.fixture
def three(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    """The sample, the drawn issue with its faults, and an issue without pages that was run to its end."""
    shutil.copytree(sample_archive[0], tmp_path / "three")
    issue_archive.fill(tmp_path / "three")
    with Archive(tmp_path / "three") as archive:
        enter(archive, "empty", 1930)
        write_summary(archive, read_view(archive, "empty"))
        yield archive


def chosen(archive: Archive, **form: object) -> tuple[str, ...]:
    return select(archive, Selection.model_validate(form), Settings(profile="none"))


@pytest.mark.parametrize(
    ("form", "ids"),
    [
        ({"every_issue": True}, "edcba"),
        ({"issues": ["a", "e", " e "]}, "ea"),
        ({"from_year": 1920}, "dcb"),
        ({"to_year": 1920}, "edc"),
        ({"from_year": 1917, "to_year": 1937}, "dc"),
        ({"numbers": [9, 2]}, "edba"),
        ({"numbers": [9, 2], "to_year": 1920}, "ed"),
        ({"issues": ["a"], "from_year": 1938}, "ba"),
        ({"from_year": 1950}, ""),
    ],
)
def test_choices(shelf: Archive, form: dict[str, object], ids: str) -> None:
    assert chosen(shelf, **form) == tuple(ids)


@pytest.mark.parametrize("form", [{}, {"issues": ["", " "]}, {"only_where": "has problems"}])
def test_empty_form_chooses_nothing_and_says_what_can_be_chosen(shelf: Archive, form: dict[str, object]) -> None:
    with pytest.raises(BadArguments, match="no issues are chosen") as caught:
        chosen(shelf, **form)
    assert "Every issue" in caught.value.hint and "year" in caught.value.hint


@pytest.mark.parametrize("more", [{"issues": ["a"]}, {"from_year": 1920}, {"numbers": [1]}])
def test_every_issue_and_some_contradict_each_other(shelf: Archive, more: dict[str, object]) -> None:
    with pytest.raises(BadArguments, match="every issue is chosen"):
        chosen(shelf, every_issue=True, **more)


def test_years_the_wrong_way_round(shelf: Archive) -> None:
    with pytest.raises(BadArguments) as caught:
        chosen(shelf, from_year=1930, to_year=1920)
    assert caught.value.hint == "Did you mean from 1920 to 1930?"


def test_unknown_issue_leads_to_the_right_one(three: Archive) -> None:
    with pytest.raises(BadArguments) as caught:
        chosen(three, issues=["social-1916-9-v1-n9"])
    assert f"Did you mean: {SAMPLE_ID}" in caught.value.hint


@pytest.mark.parametrize("form", [{"yeer": 1920}, {"from_year": 3}, {"only_where": "is nice"}])
def test_misspelt_form_is_an_error(form: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Selection.model_validate(form)


PARTS = st.integers(1, 4) | st.none()


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1916, 1920) | st.none(), PARTS, PARTS), max_size=6),
    st.integers(1915, 1921) | st.none(),
    st.integers(1915, 1921) | st.none(),
    st.lists(st.integers(1, 5), max_size=3),
    st.sets(st.integers(0, 5)),
)
def test_selection_is_what_its_words_say(
    dates: list[tuple[int | None, int | None, int | None]],
    first: int | None,
    last: int | None,
    numbers: list[int],
    listed: set[int],
) -> None:
    ids = [f"issue-{at}" for at in range(len(dates))]
    listed_ids = [ids[at] for at in listed if at < len(ids)]
    form = Selection(issues=tuple(listed_ids), from_year=first, to_year=last, numbers=tuple(numbers))
    with tempfile.TemporaryDirectory() as folder, Archive(Path(folder)) as archive:
        for id, date in zip(ids, dates, strict=True):
            enter(archive, id, *date)
        if not (listed_ids or numbers or first or last) or (first and last and first > last):
            with pytest.raises(BadArguments):
                select(archive, form, Settings(profile="none"))
            return
        found = select(archive, form, Settings(profile="none"))
        everything = select(archive, Selection(every_issue=True), Settings(profile="none"))
    known = dict(zip(ids, dates, strict=True))
    for id, (year, _, number) in known.items():
        in_years = (first is None and last is None) or (year is not None and (first or 0) <= year <= (last or 9999))
        dated = bool(numbers or first or last) and in_years and (not numbers or number in numbers)
        assert (id in found) == (id in listed_ids or dated)
    assert set(everything) == set(ids) and len(everything) == len(ids)
    assert found == tuple(id for id in everything if id in found)  # a subset has the order of all
    order = [tuple(part or 10_000 for part in known[id]) for id in everything]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (Condition.ANY, {SAMPLE_ID, issue_archive.ISSUE, "empty"}),
        (Condition.PROBLEMS, {issue_archive.ISSUE}),
        (Condition.FAILED_PAGES, {issue_archive.ISSUE}),
        (Condition.UNDESCRIBED, {SAMPLE_ID, issue_archive.ISSUE}),
        (Condition.NO_PICTURES, {"empty"}),
        (Condition.UNFINISHED, {issue_archive.ISSUE}),
        (Condition.STALE, {issue_archive.ISSUE}),  # made by other settings and versions than these
    ],
)
def test_conditions(three: Archive, condition: Condition, ids: set[str]) -> None:
    files = {file: file.stat().st_mtime_ns for file in three.root.rglob("*.*")}
    assert set(chosen(three, every_issue=True, only_where=condition)) == ids
    assert {file: file.stat().st_mtime_ns for file in three.root.rglob("*.*")} == files


def test_pictures_without_a_printed_caption(three: Archive) -> None:
    expected = {
        issue
        for issue in three.issues()
        if any(picture.caption is None for picture in read_view(three, issue).pictures)
    }
    assert issue_archive.ISSUE in expected
    assert set(chosen(three, every_issue=True, only_where=Condition.NO_CAPTION)) == expected


def test_changed_setting_makes_the_sample_stale(three: Archive) -> None:
    form = Selection(issues=(SAMPLE_ID, "empty"), only_where=Condition.STALE)
    assert select(three, form, Settings(profile="none")) == ()
    assert select(three, form, Settings(profile="none", regions=RegionsSettings(min_confidence=0.9))) == (SAMPLE_ID,)


def test_issue_whose_record_is_torn_is_in_trouble_and_last(three: Archive) -> None:
    (three.issue_dir(issue_archive.ISSUE) / "issue.json").write_text("{")
    assert chosen(three, every_issue=True)[-1] == issue_archive.ISSUE
    for condition in (Condition.PROBLEMS, Condition.UNFINISHED, Condition.STALE):
        assert issue_archive.ISSUE in chosen(three, every_issue=True, only_where=condition)
    assert issue_archive.ISSUE not in chosen(three, every_issue=True, only_where=Condition.NO_PICTURES)


def test_form_is_flat_and_explains_itself() -> None:
    schema = Selection.model_json_schema()
    for name, field in schema["properties"].items():
        assert field["title"] and field["description"].endswith("."), name
        assert "anyOf" not in field and field.get("type") != "object", name
    assert schema["$defs"]["Condition"]["enum"] == [condition.value for condition in Condition]
    assert not schema.get("required")
    form = Selection(from_year=1920, only_where=Condition.STALE)
    data = json.loads(form.model_dump_json(exclude_none=True))
    jsonschema.validate(data, schema)
    assert Selection.model_validate(data) == form


def test_prefect_takes_the_form() -> None:
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.schema_tools.validation import is_valid

    def flow(selection: Selection) -> None:
        """As a deployment has it."""

    schema = parameter_schema(flow).model_dump()
    for form in ({}, {"every_issue": True}, {"from_year": None}, {"from_year": 1920, "only_where": "has problems"}):
        assert is_valid({"selection": form}, schema), form
    for form in ({"from_year": "x"}, {"only_where": "is nice"}, {"yeer": 1920}):
        assert not is_valid({"selection": form}, schema), form
