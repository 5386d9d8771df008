"""The collection's analytic index: a table of who wrote what on which printed pages of which issue.

It is read once a process and change. What it says of a page is looked up only where issue and page are sure: year,
volume and number agree with the issue's, and the printed number is known (`revista.folios`). A row that cannot be used
is a problem with its number; a file that cannot be is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from revista.collection_index.numerals import number_of, pages_of, volume_of, year_of
from revista.collection_index.table import HINT, Table, read_bytes, table_of
from revista.errors import BadInput, Category
from revista.records import Frozen, IndexEntry, Issue, Listed, PrintedNumber, Problem
from revista.wording import printable

__all__ = ["Index", "listed", "read_index"]

_MOST_SIGNS = 400  # of a title, an author or a kind; more is a row that a quotation mark has swallowed
_FORMULA = re.compile(r"[=+@]|#[¡¿]?[A-Z/0-9]+[!?]?$")  # what a spreadsheet would work out, or failed to
_LETTER = re.compile(r"[^\W_]")
_NOBODY = frozenset(["s.a.", "s/a", "sin autor", "n/a", "none", "null"])


class Index(Frozen):
    """An index as it was read: entries in the order of its rows, and a problem for each row that cannot be used."""

    file: str  # name, without its folder
    sha256: str
    entries: tuple[IndexEntry, ...]
    problems: tuple[Problem, ...] = ()

    def of_issue(self, issue: Issue) -> tuple[IndexEntry, ...]:
        """The entries of an issue; none where its year, volume or number is not known."""
        key = (issue.year, issue.volume, issue.number)
        return tuple(entry for entry in self.entries if (entry.year, entry.volume, entry.number) == key)


def read_index(file: Path) -> Index:
    """The index in `file`: CSV with `;`, `,` or tabs, UTF-8; see docs/formats.md.

    Raises:
        BadArguments: the file is not there, or cannot be read.
        BadInput: it is not such a table, or none of its rows can be used.
    """
    try:
        state = file.stat()
    except (OSError, ValueError):
        read_bytes(file)  # which says what is wrong
        raise
    return _read(file, state.st_ino, state.st_mtime_ns, state.st_size)


def listed(file: Path, issue: Issue, page: int, numbers: Callable[[], Mapping[int, PrintedNumber]]) -> Listed | None:
    """What the index in `file` says of a page; None where that is nothing.

    Args:
        file: the index.
        issue: the page's.
        page: of the scan, 1-based.
        numbers: asked for the printed numbers of the issue's pages where the index knows the issue.

    Raises:
        BadArguments, BadInput: as `read_index`.
    """
    index = read_index(file)
    if not (entries := index.of_issue(issue)):
        return None
    known = numbers()
    number = known.get(page)
    here = tuple(entry for entry in entries if number and number.number in entry.pages)
    sure = {one.number for one in known.values()}
    homeless = tuple(entry.row for entry in entries if page == 1 and sure.isdisjoint(entry.pages))
    if not here and not homeless:
        return None
    return Listed(file=index.file, sha256=index.sha256, number=number, entries=here, homeless=homeless)


@lru_cache(maxsize=4)  # every page asks
def _read(file: Path, inode: int, mtime: int, size: int) -> Index:
    data = read_bytes(file)
    name = printable(file.name) or "index"
    table = table_of(data, name)
    entries, problems = _entries(table, name)
    if not entries:
        first = f"; the first: {problems[0].message}" if problems else ""
        raise BadInput(f"{name}: none of its {len(table.rows)} rows can be used{first}", HINT)
    return Index(file=name, sha256=hashlib.sha256(data).hexdigest(), entries=tuple(entries), problems=tuple(problems))


def _entries(table: Table, name: str) -> tuple[list[IndexEntry], list[Problem]]:
    entries, problems = [], []
    for row, cells in table.rows:
        try:
            entries.append(_entry(row, cells, table))
        except ValueError as error:
            problems.append(
                Problem(
                    stage="index",
                    category=Category.BAD_INPUT,
                    message=f"{name}, row {row}: {error}",
                    hint="Correct the row; without it the index says nothing of those pages.",
                    item=f"row {row}",
                )
            )
    return entries, problems


def _entry(row: int, cells: Sequence[str], table: Table) -> IndexEntry:
    """The entry that a row holds; raises ValueError, with what is wrong, where it holds none."""
    if any(cell.strip() for cell in cells[table.width :]):
        raise ValueError("it has more cells than the heading: is a title with a comma or semicolon not in quotes?")
    if len(cells) < table.width and any("\n" in cell for cell in cells):
        raise ValueError("a quotation mark is not closed: the rows below are taken for its text")

    def cell(column: str) -> str:
        place = table.columns.get(column)
        return cells[place] if place is not None and place < len(cells) else ""

    title = _words("title", cell("title"))
    if not title:
        raise ValueError("the title is missing")
    return IndexEntry(
        row=row,
        title=title,
        author=_words("author", cell("author")),
        kind=_words("kind", cell("kind")),
        year=year_of(cell("year")),
        volume=volume_of(cell("volume")),
        number=number_of(cell("number")),
        pages=pages_of(cell("pages")),
    )


def _words(column: str, cell: str) -> str | None:
    """A cell's words, None where it has none; raises ValueError where they cannot be a title or a name."""
    if len(cell) > _MOST_SIGNS:
        raise ValueError(f"the {column} has {len(cell):,} characters: is a quotation mark not closed?")
    words = printable(cell)
    if _FORMULA.match(words):
        raise ValueError(f"the {column} is a formula or its error: save values")
    return words if _LETTER.search(words) and words.casefold() not in _NOBODY else None
