"""The collection's index: what its file may look like, what of it is believed, and to which page it belongs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista.collection_index import Index, listed, read_index
from revista.collection_index.numerals import number_of, pages_of, volume_of, year_of
from revista.errors import BadArguments, BadInput, Category
from revista.records import Issue, Known, PrintedNumber

HEADING = "Autor;Título;Volumen;Número;Páginas;Año"
ROW = "Lucila Armendral;El abanico de sándalo;1;9;5-6;1916"


def issue(**fields: object) -> Issue:
    known = {"year": 1916, "month": 9, "volume": 1, "number": 9, **fields}
    pdf = {"source_name": "s.pdf", "source_sha256": "0" * 64, "source_bytes": 1, "page_count": 8}
    return Issue.model_validate({"id": "social-1916-09-v1-n9", "title": "Social", **pdf, **known})


def written(folder: Path, *lines: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / "índice.csv"
    parts = [line if isinstance(line, bytes) else line.encode(encoding) for line in lines]
    file.write_bytes(b"\r\n".join(parts) + b"\r\n")
    return file


def index_of(folder: Path, *rows: str, heading: str = HEADING) -> Index:
    return read_index(written(folder, heading, ROW, *rows))


# --- what a table may look like -------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    "heading",
    [
        "Autor;Título;Volumen;Número;Páginas;Año",
        "AUTOR(ES);TITULO;Vol.;Núm.;Págs.;ANO",
        "author;title;volume;number;pages;year",
        "Author;Title;Tomo;N.º;pp.;Year",
    ],
)
def test_the_usual_tables_are_read(tmp_path: Path, sign: str, encoding: str, heading: str) -> None:
    row = sign.join(["Lucila Armendral", '"Abanicos, rejas; y ""más"""', "1", "9", "5-6", "1916"])
    file = written(tmp_path, heading.replace(";", sign) + "\r\n" + row, encoding=encoding)
    (entry,) = read_index(file).entries
    assert (entry.row, entry.title, entry.author) == (2, 'Abanicos, rejas; y "más"', "Lucila Armendral")
    assert (entry.year, entry.volume, entry.number, entry.pages, entry.kind) == (1916, 1, 9, (5, 6), None)


def test_columns_in_any_order_and_ones_that_nobody_asked_for(tmp_path: Path) -> None:
    file = written(
        tmp_path, "sep=;", "Tipo;año;signatura;páginas;número;volumen;título", "retrato;1916;A-1;4;9;I;Una dama"
    )
    (entry,) = read_index(file).entries
    assert (entry.kind, entry.title, entry.author, entry.volume) == ("retrato", "Una dama", None, 1)


def test_empty_rows_count_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    index = index_of(tmp_path, "", ";;;;;", "X;Otra;1;9;7;1916")
    assert [(entry.row, entry.title) for entry in index.entries] == [(2, "El abanico de sándalo"), (5, "Otra")]
    assert index.problems == ()


@pytest.mark.parametrize("nobody", ["", " ", "-", "s.a.", "S/A", "Sin autor"])
def test_entry_without_an_author(tmp_path: Path, nobody: str) -> None:
    assert index_of(tmp_path, f"{nobody};Otra;1;9;7;1916").entries[1].author is None


def test_control_characters_do_not_get_through(tmp_path: Path) -> None:
    entry = index_of(tmp_path, "A\x1b[31mna\u202e;\x07Un \u200bpaseo\u2028largo;1;9;7;1916").entries[1]
    assert (entry.author, entry.title) == ("A[31mna", "Un paseo largo")


# --- rows that cannot be used ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("A;T;1;9;12-4;1916", "the pages '12-4' end before they begin"),
        ("A;T;1;9;;1916", "the pages are missing"),
        ("A;T;1;9;s/p;1916", "the pages 's/p' cannot be read"),
        ("A;T;1;9;14-dic;1916", "the pages '14-dic' cannot be read"),
        ("A;T;1;9;1-9999;1916", "more than 150"),
        ("A;T;1;9;0;1916", "begin before page 1"),
        ("A;T;1;9;" + "9" * 5000 + ";1916", "cannot be read"),
        ("A;T;IIX;9;5;1916", "the volume 'IIX' cannot be read"),
        ("A;T;;9;5;1916", "the volume is missing"),
        ("A;T;1;;5;1916", "the number is missing"),
        ("A;T;1;nueve;5;1916", "the number 'nueve' cannot be read"),
        ("A;T;1;9;5;16", "the year '16' cannot be meant"),
        ("A;T;1;9", "is missing"),
        ("A;;1;9;5;1916", "the title is missing"),
        ("A;…;1;9;5;1916", "the title is missing"),
        ("A;=HYPERLINK(B1);1;9;5;1916", "the title is a formula"),
        ("@SUM(1);T;1;9;5;1916", "the author is a formula"),
        ("A;#¡REF!;1;9;5;1916", "the title is a formula or its error"),
        ("A;#N/A;1;9;5;1916", "the title is a formula or its error"),
        ("A;T;con;1;9;5;1916", "more cells than the heading"),
        ("A;" + "T" * 401 + ";1;9;5;1916", "is a quotation mark not closed?"),
        ('A;"T;1;9;5;1916\r\nB;U;1;9;6;1916', "a quotation mark is not closed"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_problem_with_its_number(tmp_path: Path, row: str, says: str) -> None:
    index = index_of(tmp_path, row)
    assert [entry.row for entry in index.entries] == [2]
    (problem,) = index.problems
    assert problem.message.startswith("índice.csv, row 3: ") and says in problem.message
    assert (problem.item, problem.category) == ("row 3", Category.BAD_INPUT) and problem.hint
    assert len(problem.message) < 200


# --- files that are no index ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column for title, volume, number, pages, year"),
        (b"\n\n \n", "no column for title"),
        ("Autor;Título;Volumen;Número;Año\nA;T;1;9;1916\n".encode(), "no column for pages; its first row has: Autor,"),
        ("Título;Title;Volumen;Número;Páginas;Año\n".encode(), "two columns for title"),
        (f"{HEADING}\nA;T;1;9;x;1916\n".encode(), "none of its 1 rows can be used; the first: "),
        (f"{HEADING}\n".encode(), "none of its 0 rows can be used"),
        (f"{HEADING}\n{ROW}\n".encode("latin-1"), "line 1 is not UTF-8 (byte 0xed)"),
        (f"\ufeff{HEADING}\n".encode() + b"A;T\xe9;1;9;5;1916\n", "line 2 is not UTF-8 (byte 0xe9)"),
        (f"{HEADING}\n{ROW}\n".encode("utf-16"), "UTF-16"),
        (f"{HEADING}\n{ROW}\n".encode("utf-16-le"), "UTF-16 or no text at all"),
        (f"{HEADING}\nA;T\0;1;9;5;1916\n".encode(), "no text at all"),
        (b"PK\x03\x04 and the rest of a workbook", "a spreadsheet or zip file"),
        (f'{HEADING}\n{ROW}\nA;"{"T" * 200_000};1;9;5;1916\n'.encode(), "row 3: not a table: field larger"),
        (b"%PDF-1.4\n" + b"\xff" * 50, "is not UTF-8"),
        (f"{HEADING}\n".encode() + b";;;;;x\n" * 100_001, "more than 100,000 rows"),
    ],
)
def test_a_file_that_is_no_index_is_one_error_that_says_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "índice.csv"
    file.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read_index(file)
    assert caught.value.message.startswith("índice.csv") and says in caught.value.message
    assert "CSV UTF-8" in caught.value.hint
    assert len(caught.value.message) < 400


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    for file in (tmp_path / "nada.csv", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(BadArguments) as caught:
            read_index(file)
        assert "descriptions.index" in caught.value.hint
    large = written(tmp_path, HEADING)
    os.truncate(large, 20_000_001)
    with pytest.raises(BadInput, match="too large"):
        read_index(large)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    first = index_of(tmp_path)
    second = index_of(tmp_path, "X;Otra;1;9;7;1916")
    assert (len(first.entries), len(second.entries)) == (1, 2)
    assert first.sha256 != second.sha256


# --- numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("12", (12,)),
        ("12-14", (12, 13, 14)),
        ("12 – 14", (12, 13, 14)),
        ("12, 15 y 20", (12, 15, 20)),
        ("pp. 12-13; 9", (9, 12, 13)),
        ("Págs. 5 a 7 y 10", (5, 6, 7, 10)),
        ("p.7", (7,)),
        ("12 al 13", (12, 13)),
        ("8/9", (8, 9)),
        ("5, 5-6, 6", (5, 6)),
        ("12.0", (12,)),
        ("7, y 9", (7, 9)),
    ],
)
def test_pages(text: str, pages: tuple[int, ...]) -> None:
    assert pages_of(text) == pages


spans = st.tuples(st.integers(1, 990), st.integers(0, 9)).map(lambda span: (span[0], span[0] + span[1]))


@given(
    st.lists(st.tuples(spans, st.sampled_from(["-", " - ", "–", " a ", " al "])), min_size=1, max_size=6),
    st.sampled_from([", ", ",", "; ", " y ", " Y ", " e ", " / ", " & ", " and ", ", y "]),
    st.sampled_from(["", "p. ", "pp. ", "Pág. ", "págs.", "  "]),
)
def test_pages_as_people_write_them_come_back(
    parts: list[tuple[tuple[int, int], str]], between: str, word: str
) -> None:
    text = between.join(str(a) if a == b else f"{a}{dash}{b}" for (a, b), dash in parts)
    expected = {page for (a, b), _ in parts for page in range(a, b + 1)}
    assert pages_of(word + text) == tuple(sorted(expected))


@given(spans, st.sampled_from(["-", "–", " a "]))
def test_pages_that_run_backwards_are_refused(span: tuple[int, int], dash: str) -> None:
    first, last = span
    with pytest.raises(ValueError, match="end before they begin"):
        pages_of(f"{last + 1}{dash}{first}")


@given(st.text() | st.text(alphabet="0123456789 ,-–;yap./xiv½٣２", max_size=12))
def test_any_text_is_pages_or_an_error_that_says_so(text: str) -> None:
    try:
        pages = pages_of(text)
    except ValueError as error:
        assert str(error).startswith("the pages ")
        return
    assert 1 <= len(pages) <= 150
    assert list(pages) == sorted(set(pages)) and pages[0] >= 1 and pages[-1] <= 9999
    assert str(pages[0]) in text.replace(" ", "")


@given(st.text() | st.text(alphabet="0123456789 ivxlcVOL.nº#-/", max_size=10))
def test_any_text_is_a_number_or_an_error(text: str) -> None:
    for read, what in ((volume_of, "the volume "), (number_of, "the number "), (year_of, "the year ")):
        try:
            assert 0 <= read(text) <= 9999
        except ValueError as error:
            assert str(error).startswith(what)


ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI", "XVII")


def test_volumes_in_roman_digits() -> None:
    for value, roman in enumerate(ROMANS, 1):
        assert volume_of(roman) == volume_of(f"vol. {roman.lower()}") == volume_of(f"Tomo {value}") == value
    assert (volume_of("XL"), volume_of("XCIX"), volume_of("v14")) == (40, 99, 14)


@pytest.mark.parametrize(
    ("text", "number"), [("6", 6), ("no. 6", 6), ("Nº 6", 6), ("núm. 6", 6), ("6-7", 6), ("6 y 7", 6), ("12.0", 12)]
)
def test_numbers_of_issues(text: str, number: int) -> None:
    assert number_of(text) == number


# --- to which page an entry belongs ---------------------------------------------------------------------------


def numbers(*pairs: tuple[int, int]) -> dict[int, PrintedNumber]:
    return {page: PrintedNumber(number=number, known=Known.CONFIRMED, confidence=0.9) for page, number in pairs}


def test_an_entry_belongs_to_the_page_with_its_printed_number(tmp_path: Path) -> None:
    file = written(tmp_path, HEADING, ROW)
    known = numbers((3, 5), (4, 6), (5, 7))
    for page, rows in ((3, [2]), (4, [2])):
        found = listed(file, issue(), page, lambda: known)
        assert found and [entry.row for entry in found.entries] == rows
        assert found.number == known[page] and found.homeless == ()
    assert listed(file, issue(), 5, lambda: known) is None  # printed page 7
    assert listed(file, issue(), 6, lambda: known) is None  # whose number nobody knows


@pytest.mark.parametrize("other", ["year", "volume", "number"])
@pytest.mark.parametrize("value", [None, 2, 1917])
def test_an_entry_of_another_issue_or_of_one_that_is_not_known_is_none(
    tmp_path: Path, other: str, value: int | None
) -> None:
    file = written(tmp_path, HEADING, ROW)

    def unasked() -> dict[int, PrintedNumber]:
        raise AssertionError("the pages of an issue that the index does not know need no numbers")

    assert listed(file, issue(**{other: value}), 3, unasked) is None


def test_the_first_page_tells_which_rows_found_no_page(tmp_path: Path) -> None:
    file = written(tmp_path, HEADING, ROW, "B;Fuera;1;9;80;1916", "C;Otro número;1;10;80;1916")
    known = numbers((1, 3), (3, 5))
    first = listed(file, issue(), 1, lambda: known)
    assert first and (first.entries, first.homeless) == ((), (3,))
    nothing = listed(file, issue(), 1, dict)
    assert nothing and nothing.homeless == (2, 3) and nothing.number is None
    assert listed(file, issue(), 1, lambda: numbers((1, 80), (3, 5))).homeless == ()  # type: ignore[union-attr]
