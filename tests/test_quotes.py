"""Quotes and windows, and the measures of type."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista import context
from revista.context.quotes import quote_of, tokens_of, tokens_of_each
from revista.context.typeface import em_of
from revista.errors import BadArguments
from revista.geometry import Box, hull
from revista.records import Line, Word


def line_of(text: str, top: int) -> Line:
    words = tuple(
        Word(text=word, box=Box(100 * i, top, 100 * i + 90, top + 30), confidence=0.9)
        for i, word in enumerate(text.split(" "))
    )
    return Line(words=words, box=hull(word.box for word in words))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["una foto-", "grafía antigua"], "una fotografía antigua"),
        (["la señora Pérez-", "Chaumont de Truffin"], "la señora Pérez-Chaumont de Truffin"),
        (["entre 1916-", "1918 vivió"], "entre 1916-1918 vivió"),
        (["dijo: —No—", "y salió"], "dijo: —No— y salió"),
        (["un guión -", "suelto"], "un guión - suelto"),
        (["teórico-práctico del", "curso"], "teórico-práctico del curso"),
    ],
)
def test_words_divided_at_line_ends_are_joined(lines: list[str], text: str) -> None:
    quote = quote_of(tokens_of(line_of(line, 50 * i) for i, line in enumerate(lines)), 3, 0.6)
    assert quote is not None
    assert quote.text == text
    assert len(quote.boxes) == 2


def test_words_of_two_parts_of_a_caption_are_never_joined() -> None:
    first, second = [line_of("Una foto-", 0)], [line_of("0 de dos", 50), line_of("más", 100)]
    tokens = tokens_of_each([first, second])
    assert [token.text for token in tokens] == ["Una", "foto-", "0", "de", "dos", "más"]
    assert [token.parts[0][0] for token in tokens] == [0, 0, 1, 1, 1, 2]


def test_windows_have_ten_words_and_share_three() -> None:
    windows = context.windows_of(list(range(24)))
    assert windows == [list(range(10)), list(range(7, 17)), list(range(14, 24))]
    assert context.windows_of([1, 2]) == [[1, 2]]
    assert context.windows_of([]) == []


@given(st.lists(st.integers(), max_size=80), st.integers(1, 12), st.data())
def test_every_word_is_in_a_window(words: list[int], size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    indices = list(range(len(words)))
    windows = context.windows_of(indices, size, overlap)
    assert sorted({i for window in windows for i in window}) == indices
    assert all(len(window) == size for window in windows[:-1])
    for one, two in pairwise(windows):
        assert list(one[size - overlap :]) == list(two[:overlap])
        assert set(two) - set(one)


@given(st.integers(-3, 20), st.integers(-3, 20))
def test_windows_refuse_what_cannot_be_meant(size: int, overlap: int) -> None:
    if size >= 1 and 0 <= overlap < size:
        assert context.windows_of([1], size, overlap) == [[1]]
    else:
        with pytest.raises(BadArguments):
            context.windows_of([1], size, overlap)


@given(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)), st.integers(5, 200))
def test_em_is_never_smaller_than_the_ink(text: str, height: int) -> None:
    assert em_of(text, height) >= height


def test_accents_on_capitals_make_a_type_no_larger() -> None:
    assert em_of("SEÑORITA", 93) == pytest.approx(em_of("PRESIDENTE", 73))
