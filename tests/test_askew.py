"""Photographs that hang askew together are one picture; upright ones beside each other are several."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.geometry import Box, hull
from revista.regions.askew import collages
from revista.regions.finding import Closely, pictures
from revista.regions.ink import Print, separate
from revista.regions.judging import Curve
from tests.test_regions import photograph

WIDE, HIGH = 800, 1000
LEFT, RIGHT = (220, 300), (490, 320)  # middles of two photographs
SIZE = (240, 180)


def sheet(placed: Sequence[tuple[tuple[int, int], float]], scale: float = 1.0) -> tuple[Print, list[Box]]:
    """A page with photographs around middles, each turned clockwise by so many degrees; and their boxes."""
    page, boxes = np.full((HIGH, WIDE), 235, np.uint8), []
    for middle, turn in placed:
        tones = np.minimum(photograph(*SIZE), 190)
        matrix = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), -turn, 1.0)
        matrix[:, 2] += np.array(middle) - np.array(SIZE) / 2
        cover = cv2.warpAffine(np.full_like(tones, 255), matrix, (WIDE, HIGH)) > 127
        page = np.where(cover, cv2.warpAffine(tones, matrix, (WIDE, HIGH), borderMode=cv2.BORDER_REPLICATE), page)
        (rows, columns) = np.nonzero(cover)
        corners = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        boxes.append(Box(*(round(scale * int(edge)) for edge in corners)))
    page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    printed = separate(np.repeat(page[..., None], 3, axis=2))
    assert printed
    return printed, boxes


def found(
    placed: Sequence[tuple[tuple[int, int], float]], scale: float = 1.0, sure: float = 0.9
) -> list[tuple[Box, list[int]]]:
    printed, boxes = sheet(placed, scale)
    return collages(boxes, [sure] * len(boxes), printed)


@settings(max_examples=20, deadline=None)
@given(st.floats(3, 10), st.floats(-10, -3), st.booleans(), st.sampled_from([0.8, 1.0, 1.7]))
def test_two_that_lean_each_another_way_are_one(one: float, other: float, first: bool, scale: float) -> None:
    leans = (one, other) if first else (other, one)
    placed = list(zip((LEFT, RIGHT), leans, strict=True))
    _, boxes = sheet(placed, scale)
    assert found(placed, scale) == [(hull(boxes), [0, 1])]


@settings(max_examples=20, deadline=None)
@given(st.floats(-10, 10))
def test_two_that_lean_alike_are_two_since_it_is_the_page_that_leans(lean: float) -> None:
    assert not found([(LEFT, lean), (RIGHT, lean)])


@pytest.mark.parametrize("leans", [(0, 0), (0, 6), (-6, 0.8)])
def test_upright_ones_are_several(leans: tuple[float, float]) -> None:
    assert not found(list(zip((LEFT, RIGHT), leans, strict=True)))


def test_an_upright_one_that_they_reach_around_keeps_them_apart() -> None:
    askew = [((180, 200), 6.0), ((180, 430), -6.0), ((460, 430), 6.0)]
    assert found(askew)
    assert not found([*askew, ((460, 200), 0.0)])


def test_far_ones_and_doubtful_ones_stay_alone() -> None:
    assert not found([((180, 200), 5.0), ((600, 700), -5.0)])
    assert not found([(LEFT, 5.0), (RIGHT, -5.0)], sure=0.4)


def test_one_whose_sides_cannot_be_seen_goes_with_those_around_it() -> None:
    printed, boxes = sheet([(LEFT, 5.0), (RIGHT, -5.0)])
    faint = Box(260, 360, 440, 480)  # of which no ink is found
    assert collages([*boxes, faint], [0.9] * 3, printed) == [(hull([*boxes, faint]), [0, 1, 2])]


def test_what_lies_off_the_page_or_is_no_picture_at_all_says_nothing() -> None:
    printed, boxes = sheet([(LEFT, 5.0), (RIGHT, -5.0)])
    off = Box(2 * WIDE, 0, 3 * WIDE, 100)
    assert collages([*boxes, off], [0.9] * 3, printed) == [(hull(boxes), [0, 1])]
    assert not collages([], [], printed)


def test_on_a_page_that_leans_those_that_lean_with_it_are_upright() -> None:
    page = [((180, 200), 2.0), ((460, 200), 2.2), ((180, 420), 2.1)]
    assert not found([*page, ((460, 430), -3.0)])


def test_ovals_are_no_rectangles_that_lean() -> None:
    page = np.full((HIGH, WIDE, 3), 235, np.uint8)
    for middle, lean in ((LEFT, 8), (RIGHT, -8)):
        cv2.ellipse(page, middle, (120, 80), lean, 0, 360, (60, 60, 60), -1)
    printed = separate(page)
    assert printed
    assert not collages([Box(95, 215, 345, 385), Box(365, 235, 615, 405)], [0.9, 0.9], printed)


def test_the_collage_stands_and_its_photographs_are_no_surer() -> None:
    printed, boxes = sheet([(LEFT, 5.0), (RIGHT, -5.0)])
    seen = Closely(np.array(boxes, float), np.array([0.9, 0.8]), np.array([0.9, 0.9]), (WIDE, HIGH))
    corners, on_page, told = pictures(seen, Curve(), printed)
    assert on_page[0] == hull(boxes)
    assert corners[0].tolist() == list(hull(boxes))
    assert set(on_page[1:]) == set(boxes)
    assert told[0] == pytest.approx(Curve().confidence(0.9))
    assert told[0] > max(told[1:])
