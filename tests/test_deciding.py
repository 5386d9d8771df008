"""Which boxes stand once the closer look has been heard: where it is sure, and only there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.regions.deciding import decide
from revista.regions.decoding import overlaps

AROUND, LEFT, RIGHT = (0, 0, 210, 100), (0, 0, 100, 100), (112, 0, 210, 100)
ELSEWHERE = (300, 300, 400, 400)


def decided(*found: tuple[tuple[int, int, int, int], float, float]) -> dict[tuple[int, ...], float]:
    """Confidences by box, from boxes with their confidence by judgement and their fit."""
    boxes, confidences, fits = zip(*found, strict=True)
    corners = np.array(boxes, float)
    places, told = decide(corners, np.array(confidences), np.array(fits))
    assert told.tolist() == sorted(told.tolist(), reverse=True)
    return {boxes[i]: float(value) for i, value in zip(places, told, strict=True)}


def test_two_photographs_win_over_the_box_around_both() -> None:
    found = decided((AROUND, 0.9, 0.6), (LEFT, 0.2, 0.93), (RIGHT, 0.1, 0.9))
    assert found[LEFT] == 0.93
    assert found[RIGHT] == 0.9
    assert 0.5 < found[AROUND] < 0.9  # it is still told, as less sure: the record says what it lost against


def test_parts_win_if_they_are_worth_more() -> None:
    parts = (LEFT, 0.2, 0.83), (RIGHT, 0.1, 0.81)
    assert decided((AROUND, 0.9, 0.55), *parts)[RIGHT] == 0.81
    assert decided((AROUND, 0.9, 0.83), *parts)[RIGHT] == 0.1
    unsure = (LEFT, 0.2, 0.79), (RIGHT, 0.1, 0.79)
    assert decided((AROUND, 0.9, 0.55), *unsure)[RIGHT] == 0.1


def test_of_a_part_only_what_lies_in_the_whole_counts() -> None:
    """Halves of a framed picture, each reaching beyond the frame, are together larger than it, but worth less."""
    whole, left, right = (0, 0, 200, 100), (-20, 0, 104, 100), (96, 0, 220, 100)
    found = decided((whole, 0.9, 0.97), (left, 0.2, 0.95), (right, 0.1, 0.95))
    assert found[whole] == 0.9
    assert found[left] == 0.2
    assert decided((whole, 0.9, 0.9), (left, 0.2, 0.95), (right, 0.1, 0.95))[left] == 0.95


def test_a_picture_wins_over_the_pieces_that_its_ink_falls_into() -> None:
    pieces = (LEFT, 0.97, 0.8), (RIGHT, 0.9, 0.5)
    found = decided((AROUND, 0.8, 0.94), *pieces)
    assert found[AROUND] == 0.94
    assert found[LEFT] < 0.94
    assert found[RIGHT] < 0.94
    assert decided((AROUND, 0.6, 0.94), *pieces)[LEFT] == 0.97  # the page network does not think so
    by_far = decided((AROUND, 0.2, 0.94), (LEFT, 0.97, 0.7), (RIGHT, 0.9, 0.3))  # however little it thinks so
    assert by_far[AROUND] == 0.94
    assert by_far[LEFT] < 0.94
    assert decided((AROUND, 0.2, 0.94), (LEFT, 0.97, 0.45))[AROUND] == 0.94  # a single piece of it
    unsure = decided((AROUND, 0.8, 0.84), (LEFT, 0.97, 0.7), (RIGHT, 0.9, 0.3))
    assert unsure[LEFT] == 0.97  # one of the pieces may be something else
    rows = decided((AROUND, 0.8, 0.94), (LEFT, 0.97, 0.92), (RIGHT, 0.9, 0.93))
    assert rows[LEFT] == 0.97  # two that hold a picture each are not one


@pytest.mark.parametrize("clear", [(LEFT,), (LEFT, (120, 10, 160, 40))])
def test_a_collage_wins_over_what_is_clear_in_it(clear: tuple[tuple[int, int, int, int], ...]) -> None:
    found = decided((AROUND, 0.9, 0.88), *((box, 0.1, 0.9) for box in clear))
    assert found[AROUND] == 0.9
    assert all(found[box] == 0.1 for box in clear)


def test_what_is_surely_no_picture_goes_and_what_was_overlooked_comes() -> None:
    found = decided((LEFT, 0.8, 0.1), (ELSEWHERE, 0.1, 0.95))
    assert found == {LEFT: 0.1, ELSEWHERE: 0.95}
    assert decided((ELSEWHERE, 0.001, 0.85)) == {ELSEWHERE: 0.001}  # nothing spoke for it before
    assert decided((ELSEWHERE, 0.001, 0.95)) == {ELSEWHERE: 0.95}  # plain enough without
    assert decided((ELSEWHERE, 0.1, 0.79)) == {ELSEWHERE: 0.1}  # not sure enough


def test_an_overlooked_picture_stands_beside_the_others_not_on_them() -> None:
    across = (60, 0, 160, 100)
    assert decided((LEFT, 0.9, 0.7), (across, 0.1, 0.95))[across] == 0.1


def test_of_boxes_that_mean_the_same_one_stays() -> None:
    assert decided((LEFT, 0.9, 0.9), ((2, 2, 102, 98), 0.8, 0.95)) == {LEFT: 0.9}
    places, told = decide(np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    assert not len(places)
    assert not len(told)


corner = st.integers(0, 60).map(lambda n: 5.0 * n)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(corner, corner, corner, corner, st.floats(0, 1), st.floats(0, 1)), max_size=9))
def test_any_boxes_are_decided(found: list[tuple[float, ...]]) -> None:
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d, *_ in found], float).reshape(-1, 4)
    confidences, fits = (np.array([one[k] for one in found], float) for k in (4, 5))
    places, told = decide(boxes, confidences, fits)
    assert len(set(places.tolist())) == len(places)
    assert ((told >= 0) & (told <= 1)).all()
    assert (told[:-1] >= told[1:]).all()
    assert all(overlaps(boxes[a], boxes[[b]])[0] < 0.8 for a, b in itertools.combinations(places, 2))
    for place, value in zip(places.tolist(), told.tolist(), strict=True):
        assert value <= max(confidences[place], fits[place]) + 1e-12
