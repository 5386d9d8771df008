"""What changed between two states of an issue."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from revista.comparison import Comparison, What, compare
from revista.errors import BadArguments, Category
from revista.geometry import Box
from revista.pipeline import IssueReport, run_issue
from revista.records import (
    Description,
    Evidence,
    Issue,
    PictureContext,
    Problem,
    Quote,
    Region,
    RegionKind,
    Regions,
    Sentence,
    Source,
)
from revista.settings import ContextSettings, RegionsSettings, Settings
from revista.store import Archive
from revista.view import IssueView, PageView, PictureView, Provenance, read_view
from tests import issue_archive

from .conftest import SAMPLE

ID = "social-1916-09-v1-n9"


def issue(**changes: object) -> Issue:
    known = Issue(id=ID, title="Social", source_name="a.pdf", source_sha256="ab" * 32, source_bytes=1, page_count=2)
    return known.model_copy(update=changes)


def picture(id: str, box: Box, page: int = 1, caption: str = "", **sentences: str) -> PictureView:
    """A picture with a printed caption and, by the name of its source, what is said of it."""
    evidence = Evidence(page=page, boxes=(box,))
    said = tuple(Sentence(text=text, source=Source[name], evidence=evidence) for name, text in sentences.items())
    quote = Quote(text=caption, page=page, boxes=(box,), confidence=0.9) if caption else None
    return PictureView(
        id=id,
        page=page,
        order=1,
        box=box,
        context=PictureContext(picture=id, box=box, caption=quote),
        description=Description(picture=id, box=box, sentences=said, undescribed=None if said else "no words"),
    )


def view(*pictures: PictureView, problems: tuple[Problem, ...] = (), regions: tuple[Region, ...] = ()) -> IssueView:
    numbers = sorted({1, 2} | {p.page for p in pictures})
    pages = tuple(
        PageView(
            number=n,
            regions=Regions(regions=regions) if n == 1 else None,
            pictures=tuple(p for p in pictures if p.page == n),
        )
        for n in numbers
    )
    return IssueView(issue=issue(), pages=pages, problems=problems, provenance=Provenance())


def counts(found: Comparison) -> tuple[int, int, int, int]:
    return found.same, found.changed, found.new, found.gone


A, A_SHIFTED, B = Box(0, 0, 100, 100), Box(10, 0, 110, 100), Box(200, 0, 300, 100)


def test_nothing_changed() -> None:
    state = view(picture("0001-r01", A, caption="Pie"), picture("0001-r02", B))
    found = compare(state, state)
    assert found.nothing_changed and counts(found) == (2, 0, 0, 0) and found.rows() == []
    assert found.summary == "2 pictures the same, 0 changed, 0 new, 0 gone"


def test_what_is_said_of_a_picture() -> None:
    old = view(picture("0001-r01", A, caption="Rosa Güell", SEEN="Una mujer.", CAPTION="El pie dice: «Rosa Güell»"))
    new = view(picture("0001-r01", A, caption="Rosa Guell", SEEN="Una niña.", CAPTION="El pie dice: «Rosa Guell»"))
    found = compare(old, new)
    assert counts(found) == (0, 1, 0, 0)
    assert [(c.what, c.before, c.after) for c in found.changes] == [
        (What.CAPTION, "Rosa Güell", "Rosa Guell"),
        (What.SEEN, "Una mujer.", "Una niña."),
        (What.SAID, "El pie dice: «Rosa Güell»", "El pie dice: «Rosa Guell»"),
    ]
    assert {(c.page, c.picture) for c in found.changes} == {(1, "0001-r01")}


def test_reason_for_no_description_gives_way_to_a_sentence() -> None:
    found = compare(view(picture("p", A)), view(picture("p", A, SEEN="Una mujer.")))
    assert {c.what: (c.before, c.after) for c in found.changes} == {
        What.SEEN: ("", "Una mujer."),
        What.UNDESCRIBED: ("no words", ""),
    }


def test_pictures_are_found_again_by_their_place() -> None:
    found = compare(view(picture("0001-r01", A)), view(picture("0001-r02", A_SHIFTED)))
    assert counts(found) == (0, 1, 0, 0)
    assert [(c.what, c.before, c.after) for c in found.changes] == [
        (What.ID, "0001-r01", "0001-r02"),
        (What.BOX, "0,0 to 100,100", "10,0 to 110,100"),
    ]


def test_ids_alone_make_no_pair() -> None:
    found = compare(view(picture("0001-r01", A)), view(picture("0001-r01", B)))
    assert counts(found) == (0, 0, 1, 1)


def test_same_place_on_another_page_makes_no_pair() -> None:
    found = compare(view(picture("0001-r01", A, 1)), view(picture("0001-r01", A, 2)))
    assert counts(found) == (0, 0, 1, 1)
    assert [(c.page, c.what) for c in found.changes] == [(1, What.GONE), (2, What.NEW)]


def test_best_overlap_wins_and_each_picture_has_one_partner() -> None:
    old = view(picture("x", A))
    new = view(picture("far", Box(30, 0, 130, 100)), picture("near", A_SHIFTED))
    found = compare(old, new)
    assert counts(found) == (0, 1, 1, 0)
    assert {c.picture: c.what for c in found.changes if c.what in (What.NEW, What.ID)} == {
        "far": What.NEW,
        "near": What.ID,
    }


def test_what_stands_in_the_place_of_a_picture_that_is_gone() -> None:
    text = Region(id="0001-r01", kind=RegionKind.TEXT, box=A, confidence=1, detector="opencv")
    (change,) = compare(view(picture("0001-r01", A, SEEN="Una mujer.")), view(regions=(text,))).changes
    assert (change.what, change.before, change.after) == (What.GONE, "0,0 to 100,100 Una mujer.", "text")
    (change,) = compare(view(regions=(text,)), view(picture("0001-r01", A))).changes
    assert (change.what, change.before) == (What.NEW, "text")


def test_problems_come_and_go() -> None:
    first, second = (Problem(stage="text", category=Category.MODEL, message=m, page=7) for m in ("uno", "dos"))
    whole = Problem(stage="issue", category=Category.REDUCED, message="mended", item="a.pdf")
    found = compare(view(problems=(first, second)), view(problems=(second, second, whole)))
    assert [(c.page, c.before, c.after) for c in found.changes] == [
        (None, "", "issue, a.pdf: mended"),
        (7, "text: uno", ""),
        (7, "", "text: dos"),
    ]
    assert found.summary.endswith("; 2 problems appeared, 1 vanished")


def test_different_issues_are_not_compared() -> None:
    other = view().model_copy(update={"issue": issue(id="other")})
    with pytest.raises(BadArguments):
        compare(view(), other)


BOXES = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from((0, 40, 60, 80)),
    st.sampled_from((0, 40, 60, 80)),
)
PICTURES = st.lists(
    st.builds(
        picture,
        st.sampled_from([f"r{n}" for n in range(8)]),
        BOXES,
        st.sampled_from((1, 2)),
        st.sampled_from(("", "Pie")),
    ),
    max_size=7,
    unique_by=lambda p: (p.page, p.id),
)
PROBLEMS = st.lists(
    st.builds(
        Problem,
        stage=st.just("text"),
        category=st.just(Category.MODEL),
        message=st.sampled_from(("a", "b")),
        page=st.sampled_from((None, 1, 3)),
    ),
    max_size=3,
)
VIEWS = st.builds(lambda pictures, problems: view(*pictures, problems=tuple(problems)), PICTURES, PROBLEMS)


@hypothesis_settings(deadline=None)
@given(VIEWS)
def test_a_state_is_like_itself(state: IssueView) -> None:
    found = compare(state, state)
    assert found.nothing_changed and counts(found) == (len(state.pictures), 0, 0, 0)


@hypothesis_settings(deadline=None, max_examples=300)
@given(VIEWS, VIEWS)
def test_comparing_the_other_way_round_mirrors_everything(old: IssueView, new: IssueView) -> None:
    there, back = compare(old, new), compare(new, old)
    assert (there.same, there.changed, there.new, there.gone) == (back.same, back.changed, back.gone, back.new)
    assert there.same + there.changed + there.new == len(new.pictures)
    assert there.same + there.changed + there.gone == len(old.pictures)
    mirrored = {What.NEW: What.GONE, What.GONE: What.NEW}
    assert Counter((c.page, c.what, c.before, c.after) for c in there.changes) == Counter(
        (c.page, mirrored.get(c.what, c.what), c.after, c.before) for c in back.changes
    )
    assert there.nothing_changed == (there.changed == there.new == there.gone == 0 and not _problems(there))
    assert len(there.rows()) == len(there.changes)


def _problems(found: Comparison) -> list[object]:
    return [change for change in found.changes if change.what is What.PROBLEM]


def test_rows_are_short_and_printable(tmp_path: Path) -> None:
    full = read_view(issue_archive.fill(tmp_path), issue_archive.ISSUE)
    bare = full.model_copy(update={"pages": tuple(PageView(number=page.number) for page in full.pages)})
    found = compare(bare, full)
    assert counts(found) == (0, 0, 4, 0)
    for row in found.rows(40):
        assert set(row) == {"page", "picture", "what", "before", "after"}
        assert all(len(str(row[side])) <= 40 and str(row[side]).isprintable() for side in ("before", "after"))
    assert any(str(row["what"]).startswith("text of the page (100.0%)") for row in found.rows())


def test_real_pages_after_a_changed_setting(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> None:
    old = read_view(Archive(sample_archive[0]), ID)
    shutil.copytree(sample_archive[0], tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        run_issue(archive, SAMPLE, Settings(profile="none", context=ContextSettings(min_word_confidence=0.9)))
        new = read_view(archive, ID)
        found = compare(old, new)
        assert {change.what for change in found.changes} <= {What.SAID, What.NEARBY}  # more words left out of quotes
        others = [p.id for p, q in zip(old.pictures, new.pictures, strict=True) if p.description != q.description]
        assert others and counts(found) == (len(old.pictures) - len(others), len(others), 0, 0)
        run_issue(archive, SAMPLE, Settings(profile="none", regions=RegionsSettings(min_confidence=1.0)))
        found = compare(old, read_view(archive, ID))
    assert counts(found) == (0, 0, 0, len(old.pictures))
    texts = [change for change in found.changes if change.what is What.TEXT]
    assert texts  # the pictures are no longer painted over
    assert all(change.share and 0 < change.share < 0.5 for change in texts)
