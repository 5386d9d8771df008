"""The printed numbers of pages: what counts as one, and what is sure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista.folios import Reading, numbers_of, reading_of
from revista.geometry import Box
from revista.records import Known, Line, Page, PageText, Paragraph, Word

BOX = Box(400, 950, 430, 970)


def page(number: int = 8) -> Page:
    return Page(number=number, width=800, height=1000)


def text(*lines: tuple[str, int], confidence: float = 0.95, orientation: int = 0) -> PageText:
    """Lines of 20 pixels in height with their top edge."""
    paragraphs = []
    for place, (said, top) in enumerate(lines, 1):
        box = Box(400, top, 430, top + 20)
        words = tuple(Word(text=word, box=box, confidence=confidence) for word in said.split())
        paragraphs.append(Paragraph(id=f"0008-p{place:02d}", lines=(Line(words=words, box=box),), box=box))
    return PageText(paragraphs=tuple(paragraphs), orientation=orientation)


def readings(*pairs: tuple[int, int], confidence: float = 0.95) -> list[Reading]:
    return [Reading(page, number, confidence, BOX) for page, number in pairs]


def known(*pairs: tuple[int, int]) -> dict[int, int]:
    return {page: one.number for page, one in numbers_of(readings(*pairs)).items()}


@pytest.mark.parametrize("said", ["10", "— 10 —", "10.", "(10)"])
@pytest.mark.parametrize("top", [20, 950])
def test_a_lone_number_at_the_edge_is_the_pages(said: str, top: int) -> None:
    found = reading_of(page(), text(("Prosa del artículo", 500), (said, top)))
    assert found == Reading(8, 10, 0.95, Box(400, top, 430, top + 20))
    assert found.offset == 2


@pytest.mark.parametrize(
    "lines",
    [
        [("10", 500)],  # in the middle: a price, a list
        [("10", 900), ("Imprenta de la Sirena", 960)],  # print below it
        [("SOCIAL", 5), ("10", 60)],  # print above it
        [("1916", 950)],
        [("0", 950)],
        [("NÚMERO 9", 950)],
        [("10", 20), ("12", 950)],
        [("IV", 950)],
        [],
    ],
)
def test_what_is_no_page_number(lines: list[tuple[str, int]]) -> None:
    assert reading_of(page(), text(*lines)) is None


def test_what_is_read_badly_or_stands_turned_is_not_believed() -> None:
    assert reading_of(page(), text(("10", 950), confidence=0.5)) is None
    assert reading_of(page(), text(("10", 950), orientation=90)) is None
    assert reading_of(Page(number=8), text(("10", 950))) is None  # a page that could not be had


def test_pages_between_two_that_agree_are_counted_and_none_beyond() -> None:
    found = numbers_of([Reading(3, 5, 0.9, BOX), Reading(6, 8, 0.8, BOX)])
    assert {page: (one.number, one.known) for page, one in found.items()} == {
        3: (5, Known.CONFIRMED),
        4: (6, Known.INTERPOLATED),
        5: (7, Known.INTERPOLATED),
        6: (8, Known.CONFIRMED),
    }
    assert (found[3].confidence, found[4].confidence, found[3].box, found[4].box) == (0.9, 0.8, BOX, None)


def test_a_number_alone_in_the_issue_counts_for_its_page_only_and_if_surely_read() -> None:
    (alone,) = numbers_of(readings((8, 10))).items()
    assert (alone[0], alone[1].number, alone[1].known) == (8, 10, Known.READ)
    assert numbers_of(readings((8, 10), confidence=0.8)) == {}


@pytest.mark.parametrize(
    ("pairs", "sure"),
    [
        ([(3, 5), (8, 12)], {}),  # they do not agree, and nobody knows which is right
        ([(1, 3), (2, 11), (3, 5)], {1: 3, 2: 4, 3: 5}),  # a misreading between two that agree
        ([(1, 3), (2, 4), (9, 30)], {1: 3, 2: 4}),
        ([(1, 3), (2, 4), (5, 6), (6, 7)], {1: 3, 2: 4, 5: 6, 6: 7}),  # a plate without a number among 3 and 4
        ([(8, 10), (9, 11), (10, 12), (11, 13), (13, 5), (14, 6)], {8: 10, 9: 11, 10: 12, 11: 13}),  # lost digits
        ([(1, 7), (2, 8), (3, 3), (4, 4)], {}),  # two against two
    ],
)
def test_readings_that_contradict_each_other(pairs: list[tuple[int, int]], sure: dict[int, int]) -> None:
    assert known(*pairs) == sure


@given(st.dictionaries(st.integers(1, 40), st.integers(1, 60), max_size=12))
def test_what_is_sure_rises_with_the_pages_and_was_read_or_lies_between(read: dict[int, int]) -> None:
    found = known(*read.items())
    pages = sorted(found)
    assert all(found[a] < found[b] for a, b in pairwise(pages))
    for page, number in found.items():
        agreeing = [other for other in read if read[other] - other == number - page]
        assert read.get(page) == number or min(agreeing) < page < max(agreeing)
        assert len(agreeing) > 1 or len(read) == 1
