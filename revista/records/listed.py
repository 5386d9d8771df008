"""What the collection's index says of a page: who wrote what stands there, by which row of which file."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pydantic import Field

from revista.geometry import Box
from revista.records.base import Confidence, Frozen


class Known(StrEnum):
    """How the printed number of a page is known."""

    READ = "read"  # read on the page, the only number that was read in the issue
    CONFIRMED = "confirmed"  # read on the page; a number on another page agrees
    INTERPOLATED = "interpolated"  # counted between two pages whose numbers agree


class PrintedNumber(Frozen):
    """The number that a page has in print, with what it rests on."""

    number: int = Field(ge=1)
    known: Known
    confidence: Confidence  # of the reading; of the less sure one of two neighbours where it is interpolated
    box: Box | None = None  # where it stands on the page; None where it is interpolated


class IndexEntry(Frozen):
    """A row of the index: what is printed on which pages of an issue."""

    row: int = Field(ge=1)  # as a spreadsheet counts: the heading is row 1
    title: str
    author: str | None = None  # as the index writes it, "Armendral, Lucila" too
    kind: str | None = None  # "retrato", "cuento": where the index has such a column
    year: int
    volume: int
    number: int  # of the issue; the first one of a double issue
    pages: tuple[int, ...]  # printed numbers, ascending


class Listed(Frozen):
    """What the index says of a page, and on page 1 also what of the issue it says in vain."""

    file: str  # name of the index's file, without its folder
    sha256: str
    number: PrintedNumber | None = None  # of this page, where it is sure
    entries: tuple[IndexEntry, ...] = ()  # on this page, in the order of the rows
    homeless: tuple[int, ...] = ()  # of page 1: rows of the issue whose pages are not among those that are sure

    def fingerprint(self) -> str:
        """Hex sha256 of all of it: the input under which a record quotes it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class IndexEvidence(Frozen):
    """Where in the index a sentence can be checked, and how its page is known."""

    file: str = Field(min_length=1)  # name, without its folder
    sha256: str = Field(min_length=64, max_length=64)
    row: int = Field(ge=1)  # as a spreadsheet counts: the heading is row 1
    number: int = Field(ge=1)  # the page's printed number
    known: Known
