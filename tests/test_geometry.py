"""Boxes, and the order in which they are read."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revista.geometry import Box, hull, reading_order, xy_cut

boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(0, 2000),
    st.integers(0, 3000),
    st.integers(1, 900),
    st.integers(1, 900),
)


def stack(left: int, right: int, top: int, heights: list[int], gap: int = 20) -> list[Box]:
    """Paragraphs of a column, one under the other."""
    column = []
    for height in heights:
        column.append(Box(left, top, right, top + height))
        top += height + gap
    return column


def read(layout: list[Box]) -> None:
    """Check that boxes written down in their reading order are found in it, however they are shuffled."""
    for seed in range(3):
        shuffled = random.Random(seed).sample(layout, len(layout))
        assert [shuffled[i] for i in reading_order(shuffled)] == layout


@given(boxes, boxes)
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    assert a.iou(b) == b.iou(a)
    assert 0.0 <= a.iou(b) <= 1.0
    assert a.iou(a) == 1.0


@given(boxes, boxes)
def test_union_holds_both_and_intersection_lies_in_both(a: Box, b: Box) -> None:
    assert hull([a, b]) == a.union(b)
    assert a.coverage_by(a.union(b)) == 1.0
    common = a.intersect(b)
    assert not common.area or (common.coverage_by(a) == 1.0 and common.coverage_by(b) == 1.0)


def test_hull_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no boxes"):
        hull([])


def test_nothing_and_one_box_are_read() -> None:
    assert reading_order([]) == []
    assert reading_order([Box(5, 5, 9, 9)]) == [0]
    assert xy_cut([]) == []


@given(st.lists(boxes, max_size=25), st.integers(1, 30))
def test_order_is_a_permutation(items: list[Box], gap: int) -> None:
    assert sorted(reading_order(items, gap)) == list(range(len(items)))
    assert sorted(i for group in xy_cut(items, gap) for i in group) == list(range(len(items)))


@given(st.lists(boxes, max_size=15), st.integers(1, 9), st.integers(0, 500), st.integers(0, 500), st.integers(1, 20))
def test_order_does_not_hang_on_place_and_scale(items: list[Box], times: int, right: int, down: int, gap: int) -> None:
    moved = [
        Box(b.left * times + right, b.top * times + down, b.right * times + right, b.bottom * times + down)
        for b in items
    ]
    assert reading_order(moved, gap * times) == reading_order(items, gap)


heights = st.lists(st.integers(15, 400), min_size=1, max_size=6)


@given(st.lists(heights, min_size=2, max_size=4), st.booleans(), st.randoms(use_true_random=False))
def test_columns_are_read_one_after_the_other(columns: list[list[int]], heading: bool, chance: random.Random) -> None:
    width, gutter = 400, 30
    layout = [Box(60, 40, (width + gutter) * len(columns) - 40, 100)] if heading else []
    for number, column in enumerate(columns):
        left = number * (width + gutter)
        layout += stack(left, left + width, 130, column)
    shuffled = chance.sample(layout, len(layout))
    assert [shuffled[i] for i in reading_order(shuffled)] == layout


def test_aligned_paragraphs_are_not_read_across() -> None:
    read(stack(0, 400, 0, [100, 100, 100]) + stack(430, 830, 0, [100, 100, 100]))


def test_heading_over_two_columns_and_a_paragraph_under_them() -> None:
    layout = [Box(100, 0, 700, 60)]
    layout += stack(0, 400, 80, [100, 100, 100]) + stack(430, 830, 80, [100, 100, 100])
    read([*layout, Box(0, 460, 830, 600)])


def test_short_heading_in_the_middle_stands_across_the_gutter() -> None:
    read([Box(380, 0, 450, 30), *stack(0, 400, 60, [80, 90]), *stack(430, 830, 60, [120, 40])])


def test_three_columns_under_a_heading_over_two_of_them() -> None:
    layout = [*stack(0, 250, 0, [300, 300]), Box(280, 0, 810, 80)]
    read(layout + stack(280, 530, 100, [200, 290]) + stack(560, 810, 100, [250, 240]))


def test_columns_above_and_below_a_heading() -> None:
    above = stack(0, 400, 0, [100, 100]) + stack(430, 830, 0, [100, 100])
    below = stack(0, 250, 400, [90, 90]) + stack(280, 530, 400, [90, 90]) + stack(560, 830, 400, [90, 90])
    read([*above, Box(0, 300, 830, 360), *below])


def test_picture_set_into_two_columns_does_not_break_them() -> None:
    left = [Box(0, 0, 400, 200), Box(0, 220, 280, 500)]
    picture, below = Box(300, 230, 530, 490), Box(0, 520, 400, 800)
    right = [Box(430, 0, 830, 200), Box(550, 220, 830, 500), Box(430, 520, 830, 800)]
    read([*left, picture, below, *right])


def test_boxes_that_overlap_a_little_are_still_columns() -> None:
    read([Box(0, 0, 410, 300), Box(0, 290, 405, 600), Box(400, 0, 800, 310), Box(400, 300, 800, 600)])


def test_words_far_apart_in_single_lines_are_no_columns() -> None:
    lines = [Box(0, 0, 700, 20), Box(0, 30, 300, 50), Box(340, 30, 700, 50), Box(0, 60, 700, 80)]
    assert xy_cut(lines, 5, rows=2) == [[0], [1, 2], [3]]
    assert xy_cut(lines, 5, rows=2, wide=40) == [[0], [1], [2], [3]]


def test_narrow_columns_are_labels_of_their_lines() -> None:
    names = [Box(0, 30 * n, 30, 30 * n + 20) for n in range(4)]
    verses = [Box(60, 30 * n, 500, 30 * n + 20) for n in range(4)]
    assert xy_cut(names + verses, 5) == [[0], [1], [2], [3], [4], [5], [6], [7]]
    assert xy_cut(names + verses, 5, width=100) == [[0, 4], [1, 5], [2, 6], [3, 7]]
