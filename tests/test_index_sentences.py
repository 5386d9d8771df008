"""Sentences from the collection's index: how they read, and the whole way from a table file to the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from revista import checks
from revista.errors import BadArguments, BadInput, Category, ExitCode
from revista.geometry import Box
from revista.pipeline import IssueReport, run_issue
from revista.plan import plan_issue
from revista.records import (
    Description,
    Descriptions,
    FlagKind,
    IndexEntry,
    Known,
    Line,
    Listed,
    PageText,
    Paragraph,
    PrintedNumber,
    Record,
    Sentence,
    Source,
    Word,
)
from revista.report import write_report
from revista.settings import DescriptionsSettings, Settings
from revista.store import Archive, sha256_of

from .conftest import SAMPLE, environment, revista
from .test_descriptions import BOX, bare, describe, only, quote, spanish

ISSUE = "social-1916-09-v1-n9"
FOLIO = Box(5, 1580, 20, 1595)
HEAD = "Según el índice de la colección, "


def entry(title: str, author: str | None = None, kind: str | None = None, row: int = 2) -> IndexEntry:
    return IndexEntry(row=row, title=title, author=author, kind=kind, year=1916, volume=1, number=9, pages=(5,))


def page(*entries: IndexEntry, known: Known = Known.CONFIRMED, **more: tuple[int, ...]) -> Listed:
    box = None if known is Known.INTERPOLATED else FOLIO
    number = PrintedNumber(number=5, known=known, confidence=0.83, box=box)
    return Listed(file="índice.csv", sha256="0a" * 32, number=number, entries=entries, **more)


def said(*entries: IndexEntry) -> list[str]:
    return [sentence.text for sentence in only(describe(bare(), listed=page(*entries))).sentences]


# --- how they read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            entry("EL ABANICO DE SÁNDALO", "Lucila Armendral"),
            "la página pertenece a «EL ABANICO DE SÁNDALO», de Lucila Armendral.",
        ),
        (entry("Crónica del mes"), "la página pertenece a «Crónica del mes»."),
        (entry("¡Oh!", kind="poema"), "la página pertenece a «¡Oh!» (poema)."),
        (entry("El «Alma»", "Ana «Nita»"), "la página pertenece a «El “Alma”», de Ana “Nita”."),
        # a name as catalogues have it is not turned about: nobody knows whether its comma parts one name or two
        (entry("Rejas", "Armendral, Lucila"), "la página pertenece a «Rejas» (autoría: Armendral, Lucila)."),
        (entry("Rejas", "Anónimo"), "la página pertenece a «Rejas» (autoría: Anónimo)."),
        # pictures stand on a page
        (entry("LA INTRÉPIDA AVIADORA", kind="Retrato"), "en la página figura «LA INTRÉPIDA AVIADORA» (Retrato)."),
        (entry("Retrato de Lila", "Massaguer"), "en la página figura «Retrato de Lila», de Massaguer."),
        (entry("Ilustración: Una dama"), "en la página figura «Ilustración: Una dama»."),
    ],
)
def test_an_entry_is_quoted(one: IndexEntry, text: str) -> None:
    assert said(one) == [HEAD + text]


def test_several_entries_are_told_one_by_one_and_the_same_once() -> None:
    assert said(entry("Uno", "Ana"), entry("Dos", row=3), entry("Uno", "Ana", row=4)) == [
        f"{HEAD}en la página figura «Uno», de Ana.",
        f"{HEAD}en la página figura también «Dos».",
    ]
    assert said(entry("Uno"), entry("Uno", row=4)) == [f"{HEAD}la página pertenece a «Uno»."]


def test_more_entries_than_can_be_told_are_a_problem() -> None:
    found = describe(bare(), listed=page(*(entry(f"Título {row}", row=row) for row in range(2, 12))))
    assert len(only(found).sentences) == 8
    (problem,) = found.problems
    assert problem.category is Category.REDUCED and "2 more entries" in problem.message and not problem.fails_page


@pytest.mark.parametrize("known", Known)
def test_its_evidence_says_row_number_and_how_that_is_known(known: Known) -> None:
    (sentence,) = only(describe(bare(), listed=page(entry("Uno", row=17), known=known))).sentences
    evidence, index = sentence.evidence, sentence.evidence.index
    assert (sentence.source, evidence.page, evidence.confidence, evidence.model) == (Source.INDEX, 3, 0.83, None)
    assert evidence.boxes == ((BOX,) if known is Known.INTERPOLATED else (FOLIO,))
    assert index and (index.file, index.sha256, index.row, index.number) == ("índice.csv", "0a" * 32, 17, 5)
    assert index.known is known


def test_period_terms_are_flagged_as_those_of_print_are() -> None:
    picture = only(describe(bare(), listed=page(entry("La mulata Cecilia"))))
    (sentence,) = picture.sentences
    assert "«La mulata Cecilia»" in sentence.text
    assert [(flag.kind, flag.term) for flag in sentence.flags] == [(FlagKind.SENSITIVE, "mulata")]
    assert picture.alt == "Sin descripción."


def test_the_alternative_text_has_the_index_only_where_nothing_is_known_of_the_picture() -> None:
    listed = page(entry("Crónica del mes"))
    caption = bare(caption=quote("El yate."), caption_confidence=1)
    assert only(describe(caption, listed=listed)).alt == "«El yate»."
    assert only(describe(bare(), spanish("un barco"), listed=listed)).alt == "Según un modelo, un barco."
    alone = "Sin descripción. Según el índice de la colección, la página pertenece a «Crónica del mes»."
    assert only(describe(bare(), listed=listed)).alt == alone
    heading = bare(heading=quote("REGATAS", top=20))
    assert only(describe(heading, listed=listed)).alt == f"{alone} Bajo el título «REGATAS»."
    assert len(only(describe(bare(), listed=page(entry("palabra " * 40)))).alt) <= 125


# --- the whole way --------------------------------------------------------------------------------------------


@pytest.fixture
def filled(sample_archive: tuple[Path, IssueReport], tmp_path: Path) -> Iterator[Archive]:
    """A copy of the sample archive that a test may change."""
    shutil.copytree(sample_archive[0], tmp_path / "filled")
    with Archive(tmp_path / "filled") as opened:
        yield opened


def table(folder: Path, *rows: str) -> Path:
    file = folder / "índice.csv"
    file.write_text("\n".join(["Autor;Título;Volumen;Número;Páginas;Año", *rows]) + "\n", "utf-8-sig")
    return file


def using(file: Path | None) -> Settings:
    index = str(file) if file else None
    return Settings(profile="none", descriptions=DescriptionsSettings(index=index))


def print_number(archive: Archive, number: int, printed: str) -> None:
    """Enter a page number where the sample has it: Tesseract reads no single digits there, only the 10 of page 8."""
    record = archive.read(ISSUE, "text", number, PageText)
    assert record
    box = Box(840, 2130, 860, 2155)
    line = Line(words=(Word(text=printed, box=box, confidence=0.95),), box=box)
    folio = Paragraph(id=f"{number:04d}-p99", lines=(line,), box=box)
    body = record.body.model_copy(update={"paragraphs": (*record.body.paragraphs, folio)})
    archive.write(ISSUE, "text", number, Record[PageText](header=record.header, body=body))


def made(report: IssueReport) -> dict[str, int]:
    return {count.stage: count.made for count in report.stages if count.made}


def told(archive: Archive) -> dict[int, list[Sentence]]:
    """What the index says, by page."""
    found: dict[int, list[Sentence]] = {}
    for number in range(1, 9):
        record = archive.read(ISSUE, "descriptions", number, Descriptions)
        assert record
        pictures: tuple[Description, ...] = record.body.pictures
        sentences = [one for picture in pictures for one in picture.sentences if one.source is Source.INDEX]
        if sentences:
            found[number] = sentences
    return found


STORY = "Lucila Armendral;EL ABANICO DE SÁNDALO;1;9;5-6;1916"
CURIO = ";La colección de un curioso;I;9;10;1916"
OTHER = ";De otro número;1;10;10;1916"


def test_a_page_whose_number_was_read_gets_what_the_index_says(filled: Archive, tmp_path: Path) -> None:
    file = table(tmp_path, CURIO, STORY, OTHER)
    report = run_issue(filled, SAMPLE, using(file))
    assert made(report) == {"descriptions": 8}  # the setting is new to all of them
    found = told(filled)
    assert list(found) == [8]
    assert {one.text for one in found[8]} == {f"{HEAD}la página pertenece a «La colección de un curioso»."}
    index = found[8][0].evidence.index
    assert index and (index.sha256, index.row, index.number, index.known) == (sha256_of(file), 2, 10, Known.READ)
    (problem,) = report.problems
    assert (problem.page, problem.category) == (1, Category.REDUCED)
    assert "rows of índice.csv that are of this issue and told of no page: 3 (1 in all)" in problem.message
    assert report.failed_pages == ()


def test_pages_between_two_numbered_ones_get_it_too_and_show_and_report_tell(filled: Archive, tmp_path: Path) -> None:
    file = table(tmp_path, STORY, CURIO)
    print_number(filled, 2, "4")
    report = run_issue(filled, SAMPLE, using(file))
    assert report.problems == ()
    found = told(filled)
    assert list(found) == [3, 8]  # page 4 is the second page of the story, and has no picture
    (sentence,) = found[3]
    assert sentence.text == f"{HEAD}la página pertenece a «EL ABANICO DE SÁNDALO», de Lucila Armendral."
    assert sentence.evidence.index and sentence.evidence.index.known is Known.INTERPOLATED
    assert found[8][0].evidence.index and found[8][0].evidence.index.known is Known.CONFIRMED
    shown = revista("show", ISSUE, "--archive", filled.root).stdout
    assert f"[indice] {HEAD}la página" in shown and "índice.csv, row 2; printed page 5 (interpolated)" in shown
    data = json.loads(revista("show", ISSUE, "--archive", filled.root, "--json").stdout)
    (picture,) = data["pages"][2]["pictures"]
    assert picture["sentences"][-1]["evidence"]["index"]["row"] == 2
    page = write_report(filled, ISSUE, tmp_path / "report.html").read_text("utf-8")
    assert "índice.csv, fila 2 · página impresa 5 (contada entre dos páginas numeradas)" in page


def test_only_descriptions_of_pages_that_the_index_knows_hang_on_it(filled: Archive, tmp_path: Path) -> None:
    print_number(filled, 2, "4")
    settings = using(table(tmp_path, STORY, CURIO))
    run_issue(filled, SAMPLE, settings)
    before = told(filled)
    assert made(run_issue(filled, SAMPLE, settings)) == {}
    assert plan_issue(filled, ISSUE, settings).nothing_to_do
    table(tmp_path, STORY.replace("Lucila", "L."), CURIO)
    assert {s.stage: s.stale for s in plan_issue(filled, ISSUE, settings).stages if s.stale} == {"descriptions": 3}
    assert made(run_issue(filled, SAMPLE, settings)) == {"descriptions": 3}  # pages 3, 4 and 8: another file's rows
    assert told(filled)[3][0].text.endswith("de L. Armendral.")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(tmp_path / "índice.csv", moved)
    assert made(run_issue(filled, SAMPLE, using(moved / "índice.csv"))) == {}
    assert made(run_issue(filled, SAMPLE, using(None))) == {"descriptions": 8}
    assert told(filled) == {} != before


def test_a_page_that_is_read_anew_may_number_others_and_the_plan_knows(filled: Archive, tmp_path: Path) -> None:
    settings = using(table(tmp_path, STORY, CURIO))
    run_issue(filled, SAMPLE, settings)
    assert list(told(filled)) == [8]
    filled.remove(ISSUE, "text", 7)
    planned = {stage.stage: stage for stage in plan_issue(filled, ISSUE, settings).stages}
    assert (planned["text"].stale, planned["descriptions"].stale, planned["descriptions"].maybe) == (1, 0, 8)
    assert made(run_issue(filled, SAMPLE, settings)) == {"text": 1}  # it comes out as it was
    print_number(filled, 2, "4")
    planned = {stage.stage: stage for stage in plan_issue(filled, ISSUE, settings).stages}
    report = run_issue(filled, SAMPLE, settings)
    # contexts of pages 2 and 3 rest on that text; page 1 tells no loss any more, page 8 is confirmed, 4 is numbered
    assert made(report) == {"context": 2, "captions": 2, "ranking": 2, "descriptions": 5}
    count = planned["descriptions"]
    assert count.stale <= 5 <= count.stale + count.maybe
    assert list(told(filled)) == [3, 8]


# --- how it fails ---------------------------------------------------------------------------------------------


def test_an_index_that_cannot_be_read_stops_a_run_before_it_starts(tmp_path: Path) -> None:
    nowhere, bad = tmp_path / "nada.csv", table(tmp_path, "A;T;1;9;x;1916")
    with pytest.raises(BadArguments, match=r"nada\.csv"):
        checks.require(using(nowhere))
    with pytest.raises(BadInput, match="none of its 1 rows"):
        checks.require(using(bad))
    for file, code in ((nowhere, ExitCode.BAD_ARGUMENTS), (bad, ExitCode.BAD_INPUT)):
        env = environment(REVISTA_DESCRIPTIONS__INDEX=str(file))
        done = revista("run", SAMPLE, "--archive", tmp_path / "archive", env=env)
        assert done.returncode == code and file.name in done.stderr
        assert not (tmp_path / "archive").exists()
        (check,) = [check for check in checks.examine(using(file)) if check.name == "collection index"]
        assert (check.status, check.exit_code) == ("missing", code) and check.hint


def test_doctor_and_a_note_tell_which_rows_cannot_be_used(tmp_path: Path) -> None:
    whole = using(table(tmp_path, STORY, CURIO, OTHER))
    (check,) = [check for check in checks.examine(whole) if check.name == "collection index"]
    assert (check.status, check.found) == ("ok", "índice.csv: 3 entries of 2 issues")
    assert checks.notices(whole) == ()
    partly = using(table(tmp_path, STORY, "A;T;1;9;12-4;1916", "B;=1;1;9;3;1916"))
    (check,) = [check for check in checks.examine(partly) if check.name == "collection index"]
    assert check.status == "optional" and "row 3: the pages '12-4'" in check.found and "row 4: " in check.found
    ((note, hint),) = checks.notices(partly)
    assert "2 rows of the index" in note and "row 3" in note and "revista doctor" in hint


def test_no_index_is_named_where_the_setting_is_empty() -> None:
    assert DescriptionsSettings(index="").index is None
    assert not any(check.name == "collection index" for check in checks.examine(using(None)))
