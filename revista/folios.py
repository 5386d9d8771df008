"""The printed numbers of an issue's pages, as far as they are sure.

A scan's page 8 may be printed page 10. The number is taken from what was read on the pages: a line that is nothing but
a number, the outermost print at the top or the bottom. Tesseract misreads such lines, and other numbers may stand
there, so that a reading counts only where another page's agrees with it: as far apart as the pages are the numbers.
A page between two that agree is counted from them. What lies outside is not guessed: plates and covers have no number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from revista.geometry import Box
from revista.records import Issue, Known, Page, PageText, PrintedNumber
from revista.store import Archive

_ALONE = re.compile(r"[^\w]*([0-9]{1,3})[^\w]*")  # three digits at most: four are a year
_MARGIN = 0.12  # share of the page's height, at the top and at the bottom, where its number can stand
_READ = 0.6  # confidence below which a number is not believed
_READ_ALONE = 0.9  # the same where no other page's number can confirm it


class Reading(NamedTuple):
    """A number read where a page's number stands."""

    page: int  # 1-based, of the scan
    number: int
    confidence: float
    box: Box

    @property
    def offset(self) -> int:
        """How far printed numbers are ahead of the scan's."""
        return self.number - self.page


def reading_of(page: Page, text: PageText) -> Reading | None:
    """The number printed at the top or the bottom of a page; None where none was read, or two different ones."""
    if text.orientation or not page.height:
        return None
    lines = [line for paragraph in text.paragraphs for line in paragraph.lines]
    found = []
    for line in lines:
        alone, middle = _ALONE.fullmatch(line.text), line.box.centre[1] / page.height
        if alone is None or int(alone[1]) == 0 or _MARGIN < middle < 1 - _MARGIN:
            continue
        beyond = [other.box for other in lines if other is not line]
        inner = any(box.bottom <= line.box.top if middle <= _MARGIN else box.top >= line.box.bottom for box in beyond)
        confidence = min(word.confidence for word in line.words if alone[1] in word.text)
        if not inner and confidence >= _READ:
            found.append(Reading(page.number, int(alone[1]), confidence, line.box))
    surest = max(found, key=lambda reading: reading.confidence, default=None)
    return surest if len({reading.number for reading in found}) == 1 else None


def sure_of(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """The readings that count, in the order of the pages.

    Those with which others agree, and more of them than contradict it (a later page with no greater number). A number
    that is the only one in the issue counts where it was read very surely.
    """
    if len(readings) == 1:
        return tuple(reading for reading in readings if reading.confidence >= _READ_ALONE)

    def agreeing(one: Reading) -> int:
        return sum(other.offset == one.offset for other in readings) - 1

    confirmed = sorted(reading for reading in readings if agreeing(reading))

    def against(one: Reading) -> int:
        others = [other for other in confirmed if other.page != one.page]
        return sum((other.page - one.page) * (other.number - one.number) <= 0 for other in others)

    return tuple(reading for reading in confirmed if agreeing(reading) > against(reading))


def numbers_of(readings: Sequence[Reading]) -> dict[int, PrintedNumber]:
    """The printed numbers of an issue's pages, by the scan's page (1-based), as far as they are sure.

    Args:
        readings: all of the issue, at most one a page.
    """
    sure = sure_of(readings)
    known = Known.READ if len(readings) == 1 else Known.CONFIRMED
    numbers = {
        one.page: PrintedNumber(number=one.number, known=known, confidence=one.confidence, box=one.box) for one in sure
    }
    for before, after in pairwise(sure):
        if before.offset == after.offset:
            confidence = min(before.confidence, after.confidence)
            for page in range(before.page + 1, after.page):
                number = page + before.offset
                numbers[page] = PrintedNumber(number=number, known=Known.INTERPOLATED, confidence=confidence)
    return numbers


def numbers_in(archive: Archive, issue: Issue) -> dict[int, PrintedNumber]:
    """The printed numbers of an issue in the archive, by the records of all its pages."""
    return numbers_of(readings_in(archive, issue.id, issue.page_count))


def readings_in(archive: Archive, issue: str, pages: int) -> tuple[Reading, ...]:
    """The numbers read on the pages of an issue in the archive, at most one a page."""
    found = []
    for page in range(1, pages + 1):
        stamps = tuple(_stamp(archive.record_file(issue, stage, page)) for stage in ("pages", "text"))
        if None not in stamps and (reading := _reading(archive.root, issue, page, stamps)):
            found.append(reading)
    return tuple(found)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        state = file.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=4096)  # each page of an issue asks for the readings of all of them
def _reading(root: Path, issue: str, page: int, stamps: object) -> Reading | None:
    archive = Archive(root)
    image, text = archive.read(issue, "pages", page, Page), archive.read(issue, "text", page, PageText)
    return reading_of(image.body, text.body) if image and text else None
