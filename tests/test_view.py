"""The joined view of an issue, as JSON for programs and as text for people."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from revista.errors import BadArguments, BadInput, Category
from revista.geometry import Box
from revista.records import (
    BODIES,
    Candidate,
    Header,
    Issue,
    Kind,
    Look,
    Page,
    Problem,
    Record,
    RegionKind,
    Regions,
    ScoredCandidate,
)
from revista.showing import show_json, show_text
from revista.store import Archive
from revista.view import IssueView, PictureView, read_view
from tests import issue_archive
from tests.issue_archive import ESCAPE, ISSUE, LEFT, LONG, NO_WEIGHTS, RIGHT, SCRIPT, fill


def nullable(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "null"}]}


def closed(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def items(schema: object) -> dict[str, object]:
    return {"type": "array", "items": schema}


TEXT, INTEGER, NUMBER, FLAG = ({"type": name} for name in ("string", "integer", "number", "boolean"))
BOX = {"type": "array", "items": INTEGER, "minItems": 4, "maxItems": 4}
QUOTE = closed(text=TEXT, page=INTEGER, boxes=items(BOX), confidence=NUMBER, uncertain=items(INTEGER))
CANDIDATE = closed(
    text=TEXT,
    language={"enum": ["en", "es"]},
    source={"enum": ["captioner", "window"]},
    prompt=TEXT,
    cue=nullable(closed(text=TEXT, kind=TEXT, printed=TEXT, origin={"enum": ["caption", "heading", "paragraph"]})),
    seed=nullable(INTEGER),
    log_probability=nullable(NUMBER),
    quote=nullable(QUOTE),
    kind=nullable(TEXT),
    confidence=nullable(NUMBER),
    withheld=items(TEXT),
    similarity=nullable(NUMBER),
    probability=nullable(NUMBER),
    agreement=nullable(NUMBER),
    matching=nullable(NUMBER),
    reliability=nullable(NUMBER),
)
PICTURE_KIND = {"enum": [kind.value for kind in Kind]}
INDEX_EVIDENCE = closed(
    file=TEXT, sha256=TEXT, row=INTEGER, number=INTEGER, known={"enum": ["read", "confirmed", "interpolated"]}
)
SENTENCE = closed(
    text=TEXT,
    source={"enum": ["vista", "pie", "articulo", "indice", "revisor"]},
    evidence=closed(
        page=INTEGER,
        boxes=items(BOX),
        confidence=nullable(NUMBER),
        model=nullable(TEXT),
        original=nullable(TEXT),
        index=nullable(INDEX_EVIDENCE),
    ),
    flags=items(closed(kind={"enum": ["sensible", "sustituido"]}, term=nullable(TEXT), note=TEXT)),
)
CONTEXT = closed(
    caption=nullable(QUOTE),
    caption_parts=items(QUOTE),
    caption_confidence=NUMBER,
    caption_shared_with=items(TEXT),
    caption_runner_up=nullable(QUOTE),
    caption_runner_up_confidence=NUMBER,
    heading=nullable(QUOTE),
    before=items(QUOTE),
    after=items(QUOTE),
    previous_page=items(QUOTE),
    windows=items(QUOTE),
)
PICTURE = closed(
    id=TEXT,
    box=BOX,
    file=nullable(TEXT),
    look=nullable({"enum": ["photograph", "drawing", "advertisement", "ornament"]}),
    detector=nullable(TEXT),
    confidence=nullable(NUMBER),
    context=nullable(CONTEXT),
    candidates=nullable(items(CANDIDATE)),
    chosen=nullable(CANDIDATE),
    window=nullable(CANDIDATE),
    belonging=nullable(NUMBER),
    kind=nullable(closed(kind=PICTURE_KIND, likeliest=PICTURE_KIND, confidence=NUMBER)),
    reasons=closed(captions=nullable(TEXT), ranking=nullable(TEXT)),
    alt=nullable({"type": "string", "minLength": 1, "maxLength": 125}),
    description=nullable(TEXT),
    sentences=nullable(items(SENTENCE)),
    undescribed=nullable(TEXT),
)
REGION = closed(
    id=TEXT,
    kind={"enum": [kind.value for kind in RegionKind]},
    box=BOX,
    confidence=NUMBER,
    detector=TEXT,
    look=nullable({"enum": [look.value for look in Look]}),
    parts=items(BOX),
)
LINE = closed(box=BOX, text=TEXT)
PARAGRAPH = closed(id=TEXT, box=BOX, text=TEXT, inset=FLAG, confidence=nullable(NUMBER), lines=items(LINE))
PAGE = closed(
    number=INTEGER,
    image=nullable(TEXT),
    width=nullable(INTEGER),
    height=nullable(INTEGER),
    failed=FLAG,
    missing_stages=items({"enum": list(BODIES)}),
    regions=nullable(items(REGION)),
    text=nullable(
        closed(
            language=TEXT, skew=NUMBER, bend=items({"type": "array"}), orientation=INTEGER, paragraphs=items(PARAGRAPH)
        )
    ),
    pictures=items(PICTURE),
)
PROBLEM = closed(
    stage=TEXT,
    category={"enum": [category.value for category in Category]},
    message=TEXT,
    hint=TEXT,
    page=nullable(INTEGER),
    item=nullable(TEXT),
)
TOTALS = closed(
    pages=INTEGER,
    failed_pages=INTEGER,
    pictures=INTEGER,
    described_by_model=INTEGER,
    with_printed_caption=INTEGER,
    problems=INTEGER,
)
WORK = closed(
    stage=TEXT,
    version=TEXT,
    options={"type": "object"},
    weights={"type": "object"},
    software={"type": "object"},
    pages=items(INTEGER),
)
PROVENANCE = closed(
    detectors=items(TEXT),
    captioners=items(TEXT),
    rankers=items(TEXT),
    work=items(WORK),
    first=nullable(TEXT),
    last=nullable(TEXT),
    seconds=NUMBER,
)
ISSUE_FIELDS = closed(**{name: {} for name in Issue.model_fields if name != "problems"})
SHOWN = closed(
    schema_version=INTEGER,
    issue=ISSUE_FIELDS,
    totals=TOTALS,
    pages=items(PAGE),
    problems=items(PROBLEM),
    provenance=PROVENANCE,
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return fill(tmp_path_factory.mktemp("view"))


@pytest.fixture(scope="module")
def view(archive: Archive) -> IssueView:
    return read_view(archive, ISSUE)


def printed(view: IssueView, width: int = 200) -> str:
    stream = io.StringIO()
    show_text(view, Console(file=stream, width=width, force_terminal=False))
    return stream.getvalue()


def test_pictures_are_joined_over_the_stages(view: IssueView) -> None:
    first = view.pictures[0]
    assert first.id == "0001-r01" and first.box == LEFT and first.order == 1 and first.page == 1
    assert first.region and first.region.detector == "opencv"
    assert first.caption and first.caption.text.startswith("La señorita")
    assert first.description and len(first.description.sentences) == 3
    assert first.described and not view.pictures[2].described
    assert [s.similarity for s in first.scored] == [0.271, 0.244, 0.19]


def test_totals(view: IssueView) -> None:
    assert view.totals.model_dump() == {
        "pages": 5,
        "failed_pages": 1,
        "pictures": 4,
        "described_by_model": 2,
        "with_printed_caption": 3,
        "problems": 2,
    }


def test_stages_that_have_not_run_are_none(view: IssueView) -> None:
    lost, unfinished = view.pages[2], view.pages[4]
    assert lost.failed and not lost.missing and lost.regions is None
    assert unfinished.missing == ("text", "context", "captions", "ranking", "descriptions")
    assert not unfinished.failed
    picture = unfinished.pictures[0]
    assert picture.box == RIGHT and picture.description is None and not picture.scored


def test_problems_come_in_page_order(view: IssueView) -> None:
    assert [(p.page, p.stage, p.category) for p in view.problems] == [
        (2, "regions", Category.REDUCED),
        (3, "pages", Category.TIMEOUT),
    ]


def test_unranked_candidates_follow_the_ranked_ones() -> None:
    texts = [Candidate(text=text, language="es", source="captioner") for text in ("uno", "dos", "tres")]
    picture = PictureView(
        id="p",
        page=1,
        order=1,
        box=Box(0, 0, 1, 1),
        candidates=issue_archive.PictureCandidates(picture="p", candidates=tuple(texts)),
        ranking=issue_archive.PictureRanking(
            picture="p", ranked=(ScoredCandidate(candidate=texts[1], similarity=0.3),)
        ),
    )
    assert [(s.candidate.text, s.similarity) for s in picture.scored] == [("dos", 0.3), ("uno", None), ("tres", None)]


def test_provenance_names_models_and_groups_pages_of_the_same_work(view: IssueView) -> None:
    assert view.provenance.captioners == ("blip-base",)
    assert view.provenance.rankers == ("clip-base",)
    assert view.provenance.detectors == ("opencv",)
    work = {(w.stage, w.pages): w for w in view.provenance.work}
    assert work["regions", (1,)].weights == {"layout_cdla.onnx": "cd" * 32}
    assert work["regions", (2, 4, 5)].weights == {}
    assert work["text", (1,)].software == {"tesseract": "5.3.0"}
    assert [w.stage for w in view.provenance.work][:2] == ["issue", "pages"]
    assert view.provenance.first == view.provenance.last is not None
    assert view.provenance.seconds == 1.5 * sum(len(w.pages) or 1 for w in view.provenance.work)


def test_json_has_its_documented_shape(view: IssueView) -> None:
    shown = json.loads(json.dumps(show_json(view)))
    jsonschema.Draft202012Validator(SHOWN).validate(shown)


def test_json_tells_not_run_from_not_found(view: IssueView) -> None:
    pages = show_json(view)["pages"]
    assert pages[2]["regions"] is None and pages[2]["image"] is None and pages[2]["failed"]
    assert pages[3]["pictures"] == [] and pages[3]["regions"]
    assert pages[4]["pictures"][0]["sentences"] is None and pages[4]["pictures"][0]["candidates"] is None
    assert pages[4]["text"] is None
    hostile = pages[1]["pictures"][0]
    assert hostile["candidates"] == [] and hostile["undescribed"] == hostile["reasons"]["captions"] == NO_WEIGHTS
    assert pages[0]["pictures"][0]["chosen"]["similarity"] == 0.271


def test_json_names_files_of_the_archive(archive: Archive, view: IssueView) -> None:
    for page in show_json(view)["pages"]:
        for name in [page["image"], *(picture["file"] for picture in page["pictures"])]:
            assert name is None or (archive.root / name).is_file()


def test_json_keeps_foreign_text_as_it_is(view: IssueView) -> None:
    texts = [paragraph["text"] for paragraph in show_json(view)["pages"][1]["text"]["paragraphs"]]
    assert SCRIPT in texts and LONG in texts and ESCAPE in texts


def test_text_says_what_matters_and_sends_no_control_codes(view: IssueView) -> None:
    text = printed(view)
    assert "5 pages (1 failed), 4 pictures: 2 described by a model" in text
    assert "[vista] Una mujer con un vestido blanco" in text
    assert NO_WEIGHTS in text and "page 3, pages, -: pdftoppm did not finish" in text
    assert "not run: text, context" in text
    assert not any(sign in text for sign in "\x1b\x07\u202e")


def test_text_takes_brackets_in_print_for_print(archive: Archive, view: IssueView) -> None:
    marked = view.model_copy(update={"issue": view.issue.model_copy(update={"title": "[bold]Social[/nada]"})})
    assert "[bold]Social[/nada]" in printed(marked)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("social-1916-9", f"Did you mean: {ISSUE}?"),
        ("SOCIAL-1916-09", f"Did you mean: {ISSUE}?"),
        ("zzz", f"The archive holds: {ISSUE}."),
        ("../../etc", f"The archive holds: {ISSUE}."),
        ("", f"The archive holds: {ISSUE}."),
    ],
)
def test_unknown_issue_leads_to_the_right_one(archive: Archive, asked: str, hint: str) -> None:
    with pytest.raises(BadArguments) as caught:
        read_view(archive, asked)
    assert hint in caught.value.hint


def test_empty_archive_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="no such issue") as caught:
        read_view(Archive(tmp_path), ISSUE)
    assert "revista run" in caught.value.hint


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\xff\xfe{}"])
def test_a_torn_record_is_a_problem_not_a_gap(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    archive = fill(tmp_path)
    file = archive.record_file(ISSUE, "text", 1)
    file.write_bytes(damage(file.read_bytes()))
    view = read_view(archive, ISSUE)
    assert view.pages[0].text is None and view.pages[0].failed
    problem = next(p for p in view.problems if p.page == 1)
    assert problem.stage == "text" and problem.category is Category.STORAGE and "revista run" in problem.hint
    assert view.pages[0].pictures[0].described


def test_a_torn_issue_record_is_an_error_with_a_hint(tmp_path: Path) -> None:
    archive = fill(tmp_path)
    (archive.issue_dir(ISSUE) / "issue.json").write_text("{")
    with pytest.raises(BadInput) as caught:
        read_view(archive, ISSUE)
    assert "revista run" in caught.value.hint


def test_a_problem_without_a_page_gets_the_page_of_its_record(tmp_path: Path) -> None:
    archive = fill(tmp_path)
    problem = Problem(stage="regions", category=Category.MODEL, message="m")
    body = Regions(problems=(problem,))
    archive.write(ISSUE, "regions", 4, Record[Regions](header=Header(stage="regions", version="1"), body=body))
    view = read_view(archive, ISSUE)
    assert (4, "m") in [(p.page, p.message) for p in view.problems]
    assert view.pages[3].failed


def test_a_picture_that_only_later_stages_know_is_still_shown(tmp_path: Path) -> None:
    archive = fill(tmp_path)
    archive.record_file(ISSUE, "regions", 1).unlink()
    archive.picture_file(ISSUE, "0001-r01").unlink()
    first = read_view(archive, ISSUE).pages[0].pictures[0]
    assert first.id == "0001-r01" and first.box == LEFT and first.region is None and first.file is None


def test_an_issue_without_pages(tmp_path: Path) -> None:
    archive = fill(tmp_path)
    record = archive.read_issue(ISSUE)
    assert record
    archive.write_issue(record.model_copy(update={"body": record.body.model_copy(update={"page_count": 0})}))
    shown = show_json(read_view(archive, ISSUE))
    assert shown["pages"] == [] and shown["totals"]["pictures"] == 0


def test_a_page_of_no_size_is_shown(tmp_path: Path) -> None:
    archive = fill(tmp_path)
    body = Page(number=4, image="0004.jpg")
    archive.write(ISSUE, "pages", 4, Record[Page](header=Header(stage="pages", version="1"), body=body))
    assert show_json(read_view(archive, ISSUE))["pages"][3]["width"] == 0
