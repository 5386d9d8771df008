"""A table file's cells: CSV as spreadsheets write it, its columns found by their names.

Which of `;`, `,` and tab parts the cells is told by the heading, the one line whose words are known: with the right
sign more of its cells are names of columns than with the others. The csv module's Sniffer guesses from how often signs
occur, and takes commas in titles for it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from revista.errors import BadArguments, BadInput
from revista.wording import bare, printable

_CALLED = {
    "author": "autor autora autores autor(es) autor/a author authors",
    "title": "titulo title",
    "volume": "volumen vol v tomo volume",
    "number": "numero num no n nro n° nº number issue",
    "pages": "paginas pagina pags pag pp p pages page",
    "year": "año anio year",
    "kind": "tipo genero clase kind type genre",
}
NAMES: Mapping[str, frozenset[str]] = {
    column: frozenset(bare(called) for called in names.split()) for column, names in _CALLED.items()
}
"""How the columns may be called, small and without accents and full stops."""

NEEDED = ("title", "volume", "number", "pages", "year")
_SIGNS = ";,\t"
_MOST_BYTES = 20_000_000
_MOST_ROWS = 100_000
HINT = "Save the table as 'CSV UTF-8' from the spreadsheet; which columns it needs stands in docs/formats.md."


class Table(NamedTuple):
    """The cells of a table under their columns' names."""

    columns: Mapping[str, int]
    width: int  # cells of the heading
    rows: tuple[tuple[int, tuple[str, ...]], ...]  # number as a spreadsheet counts, cells; without empty rows


def read_bytes(file: Path) -> bytes:
    """The content of a table file.

    Raises:
        BadArguments: it is not there, or cannot be read.
        BadInput: it is far larger than an index.
    """
    hint = "Check descriptions.index in the settings: a path from the folder in which revista is started."
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadArguments(f"{file}: no such index", hint) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or error
        raise BadArguments(f"{file}: the index cannot be read: {why}", hint) from error
    if len(data) > _MOST_BYTES:
        raise BadInput(f"{file.name}: too large for an index ({_MOST_BYTES:,} bytes at most)", HINT)
    return data


def table_of(data: bytes, name: str) -> Table:
    """The table that a file holds.

    Args:
        data: the file's content.
        name: its name, for messages.

    Raises:
        BadInput: it is no table in UTF-8, or lacks a column; the message says where, the hint what to do.
    """
    text = _text(data, name)
    headings = {sign: next(_rows(text, sign, name), (1, []))[1] for sign in _SIGNS}
    sign = max(headings, key=lambda sign: len(_columns(headings[sign])))
    heading, columns = headings[sign], _columns(headings[sign])
    twice = [cell for cell in NAMES if sum(_is(cell, called) for called in heading) > 1]
    missing = [cell for cell in NEEDED if cell not in columns]
    if missing or twice:
        said = f"no column for {', '.join(missing)}" if missing else f"two columns for {', '.join(twice)}"
        shown = ", ".join(printable(cell)[:30] for cell in heading[:12]) or "nothing"
        raise BadInput(f"{name}: {said}; its first row has: {shown}", HINT)
    _, *rows = _rows(text, sign, name)
    return Table(columns, len(heading), tuple((row, tuple(cells)) for row, cells in rows))


def _text(data: bytes, name: str) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise BadInput(f"{name}: a spreadsheet or zip file, not a table as text", HINT)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise BadInput(f"{name}: not UTF-8, but UTF-16 or no text at all", HINT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, wrong = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
        raise BadInput(f"{name}: line {line} is not UTF-8 (byte {wrong:#04x})", HINT) from error
    return re.sub(r"\Asep=.\r?\n", "", text)  # what Excel writes for itself


def _rows(text: str, sign: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, each with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    row = 0
    try:
        for row, cells in enumerate(reader, 1):
            if row > _MOST_ROWS:
                raise BadInput(f"{name}: more than {_MOST_ROWS:,} rows", HINT)
            if any(cell.strip() for cell in cells):
                yield row, cells
    except csv.Error as error:
        hint = f"Is a quotation mark not closed in that row or above it? {HINT}"
        raise BadInput(f"{name}, row {row + 1}: not a table: {error}", hint) from error


def _columns(heading: list[str]) -> dict[str, int]:
    return {name: place for place, called in enumerate(heading) for name in NAMES if _is(name, called)}


def _is(name: str, called: str) -> bool:
    return bare(called).replace(".", "").strip() in NAMES[name]
