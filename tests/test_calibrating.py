"""The confidence in boxes, fitted to what the networks find together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.geometry import Box
from revista.regions.finding import Closely, pictures
from revista.regions.judging import Curve
from revista.training.calibrating import Seen, f1, fitted, hits

SIZE = (800, 1100)


def page(*found: tuple[Box, float, float], truth: tuple[Box, ...] = ()) -> Seen:
    """A page on which boxes were seen: each with its judgement and the overlap to be expected of it."""
    boxes, judged, fits = zip(*found, strict=True) if found else ((), (), ())
    closely = Closely(np.array(boxes, float).reshape(-1, 4), np.array(judged, float), np.array(fits, float), SIZE)
    return Seen(closely, None, np.array(truth, float).reshape(-1, 4))


def at(place: int, side: int = 200) -> Box:
    left, top = 20 + 260 * (place % 3), 20 + 260 * (place // 3)
    return Box(left, top, left + side, top + side)


@settings(deadline=None)
@given(st.floats(0.3, 0.5), st.lists(st.floats(0.06, 0.15), min_size=3, max_size=12))
def test_boxes_stand_from_where_they_are_right(between: float, away: list[float]) -> None:
    right = [page((at(i % 9), between + d, 0.6), truth=(at(i % 9),)) for i, d in enumerate(away)]
    wrong = [page((at(i % 9), between - d, 0.6)) for i, d in enumerate(away)]
    curve = fitted(right + wrong)
    assert f1(right + wrong, curve) == 1.0
    for d in away:
        assert curve.confidence(between + d) > 0.5 > curve.confidence(between - d)


def test_the_surer_the_judgement_tells_the_steeper_the_curve() -> None:
    clear = [page((at(0), 0.7, 0.6), truth=(at(0),)), page((at(0), 0.1, 0.6))] * 10
    doubtful = [page((at(0), 0.45, 0.6), truth=(at(0),)), page((at(0), 0.35, 0.6))] * 10
    doubtful += [page((at(0), 0.35, 0.6), truth=(at(0),)), page((at(0), 0.45, 0.6))] * 4
    assert fitted(clear).steep > 2 * fitted(doubtful).steep


def test_what_the_closer_look_mends_is_no_reason_to_doubt() -> None:
    """The page network thinks much of a box that holds nothing; the closer look knows better."""
    true = [page((at(0), 0.3, 0.6), truth=(at(0),))] * 6
    mended, wrong = [page((at(1), 0.4, 0.05))] * 8, [page((at(1), 0.4, 0.6))] * 8
    assert f1(true + mended, fitted(true + mended)) == 1.0
    assert f1(true + wrong, fitted(true + wrong)) < 0.7


def test_what_a_surer_picture_covers_does_not_count() -> None:
    whole, inside = at(0), Box(40, 40, 180, 180)
    alone, both = page((whole, 0.6, 0.7), truth=(whole,)), page((whole, 0.6, 0.7), (inside, 0.5, 0.6), truth=(whole,))
    assert f1([alone], Curve()) == f1([both], Curve()) == 1.0


@pytest.mark.parametrize("pages", [[], [page()], [page((at(0), 0.9, 0.9))], [page(truth=(at(0),))]])
def test_where_nothing_is_right_the_curve_is_the_default_one(pages: list[Seen]) -> None:
    assert fitted(pages) == Curve()


def test_a_true_box_is_meant_once() -> None:
    truth = np.array([at(0), at(1)], float)
    boxes = np.array([at(0), at(0, 190), at(1), at(2)], float)
    assert hits(boxes, truth) == [True, False, True, False]
    assert hits(boxes, truth[:0]) == [False] * 4


def test_boxes_beyond_the_page_are_told_on_it() -> None:
    closely = page((Box(-40, -30, 300, 200), 0.9, 0.9), (Box(790, 1090, 900, 1200), 0.8, 0.9)).closely
    corners, boxes, told = pictures(closely, Curve(), None)
    assert boxes == [Box(0, 0, 300, 200), Box(790, 1090, 800, 1100)]
    assert corners[0].tolist() == [-40, -30, 300, 200]
    assert told == sorted(told, reverse=True)
