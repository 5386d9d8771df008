"""Stage 2: print that the box of a picture has caught."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from revista.geometry import Box
from revista.regions.ink import Print, separate
from revista.regions.trimming import without_foot, without_strips
from tests.test_regions import photograph

PHOTO = Box(150, 200, 650, 560)
LINES = (575, 593)  # tops of the lines of a caption below it, and of one above it and within its width
WIDE, HIGH = 800, 1100


def sheet(scale: float = 1.0, framed: bool = False) -> Print:
    """A photograph with two lines of print under it, perhaps all in a frame, then a column of print."""
    image = Image.new("L", (WIDE, HIGH), 235)
    draw = ImageDraw.Draw(image)
    for top in (*LINES, 160, *range(680, 1000, 18)):
        for x in range(PHOTO.left + 10, PHOTO.right - 10, 9):
            draw.rectangle((x, top, x + 5, top + 9), outline=40)
    image.paste(Image.fromarray(photograph(PHOTO.width, PHOTO.height)), (PHOTO.left, PHOTO.top))
    if framed:
        draw.rectangle((PHOTO.left - 8, PHOTO.top - 8, PHOTO.right + 8, 615), outline=20, width=2)
    return printed_on(image.resize((round(WIDE * scale), round(HIGH * scale))))


def printed_on(image: Image.Image) -> Print:
    """What is printed on a grey page."""
    printed = separate(np.repeat(np.asarray(image)[..., None], 3, axis=2))
    assert printed
    return printed


def test_a_caption_that_was_caught_whole_or_in_part_is_let_go() -> None:
    for scale in (0.7, 1.0, 2.0):
        printed = sheet(scale)
        for foot in (LINES[0] + 5, LINES[0] + 12, LINES[1] + 12):
            caught = Box(*(round(edge * scale) for edge in PHOTO._replace(bottom=foot)))
            left = without_foot(caught, printed)
            assert left == caught._replace(bottom=left.bottom)
            assert abs(left.bottom - PHOTO.bottom * scale) <= 3 * scale


def test_what_is_no_line_under_the_picture_stays() -> None:
    printed = sheet()
    assert without_foot(PHOTO, printed) == PHOTO
    above = PHOTO._replace(top=150)  # a title is part of many a drawing
    assert without_foot(above, printed) == above
    paper = PHOTO._replace(bottom=568)  # only white was caught: nothing is to be read there
    assert without_foot(paper, printed) == paper
    deep = PHOTO._replace(bottom=990)  # mostly print: that is no border gone astray
    assert without_foot(deep, printed) == deep
    inside = PHOTO._replace(bottom=616)
    assert without_foot(inside, sheet(framed=True)) == inside  # the frame holds picture and print together
    beyond = Box(5000, 5000, 5100, 5100)
    assert without_foot(beyond, printed) == beyond


def test_a_word_or_two_at_the_very_foot_are_let_go_though_nothing_knows_them_for_print() -> None:
    image = Image.new("L", (WIDE, HIGH), 235)
    draw = ImageDraw.Draw(image)
    for top in range(700, 1000, 18):
        for x in range(PHOTO.left + 10, PHOTO.right - 10, 9):
            draw.rectangle((x, top, x + 5, top + 9), outline=40)
    image.paste(Image.fromarray(photograph(PHOTO.width, PHOTO.height)), (PHOTO.left, PHOTO.top))
    bare = image.copy()
    for x in range(PHOTO.left + 200, PHOTO.left + 260, 9):  # a name of seven letters
        draw.rectangle((x, LINES[0], x + 5, LINES[0] + 9), outline=40)
    for foot in (LINES[0] + 5, LINES[0] + 10):  # through its letters, and below them
        caught = PHOTO._replace(bottom=foot)
        assert abs(without_foot(caught, printed_on(image)).bottom - PHOTO.bottom) <= 17
        assert without_foot(caught, printed_on(bare)) == caught
    under = bare.copy()  # the line of a frame is no print
    ImageDraw.Draw(under).rectangle((PHOTO.left, LINES[0], PHOTO.right, LINES[0] + 4), fill=40)
    framed = PHOTO._replace(bottom=LINES[0] + 5)
    assert without_foot(framed, printed_on(under)) == framed
    strip = Box(PHOTO.left, PHOTO.bottom - 20, PHOTO.right, LINES[0] + 10)  # of which they are more than a quarter
    named = image.copy()
    named.paste(235, (PHOTO.left, PHOTO.top, PHOTO.right, strip.top))
    low = without_foot(strip._replace(top=strip.top + 8), printed_on(named))
    assert low.bottom == strip.bottom


def test_a_credit_line_below_a_name_is_let_go_with_it() -> None:
    image = Image.new("L", (WIDE, HIGH), 235)
    draw = ImageDraw.Draw(image)
    for x in range(PHOTO.left + 10, PHOTO.right - 150, 9):
        draw.rectangle((x, LINES[0], x + 5, LINES[0] + 9), outline=40)
    draw.rectangle((PHOTO.right - 60, 606, PHOTO.right - 20, 612), fill=60)  # too short to be known as a line
    image.paste(Image.fromarray(photograph(PHOTO.width, PHOTO.height)), (PHOTO.left, PHOTO.top))
    left = without_foot(PHOTO._replace(bottom=616), printed_on(image))
    assert abs(left.bottom - PHOTO.bottom) <= 3


@settings(max_examples=60)
@given(corners=st.tuples(*(st.integers(-50, 1200) for _ in range(4))))
def test_only_the_foot_is_ever_taken_and_a_quarter_at_most(corners: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = corners
    box = Box(min(left, right), min(top, bottom), max(left, right), max(top, bottom))
    printed = SHEET
    kept = without_foot(box, printed)
    assert kept == box._replace(bottom=kept.bottom)
    clipped = box.clip(WIDE, HIGH)
    assert clipped.height * 0.74 - 3 <= kept.clip(WIDE, HIGH).height <= clipped.height


SHEET = sheet()


def test_a_box_lets_go_of_a_strip_of_its_surer_neighbour() -> None:
    oval, photograph = Box(200, 100, 460, 360), Box(420, 90, 700, 380)  # the oval's box reaches into the photograph
    assert without_strips([photograph, oval]) == [photograph, Box(200, 100, 420, 360)]
    assert without_strips([oval, photograph]) == [oval, Box(460, 90, 700, 380)]
    below = Box(430, 350, 690, 600)
    assert without_strips([photograph, below]) == [photograph, Box(430, 380, 690, 600)]
    part = Box(450, 120, 600, 300)  # of a collage
    assert without_strips([photograph, part]) == [photograph, part]
    corner = Box(600, 300, 900, 600)  # that leans over it
    assert without_strips([photograph, corner]) == [photograph, corner]


sides = st.integers(1, 60)
somewhere = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), st.integers(0, 50), st.integers(0, 50), sides, sides)


@given(st.lists(somewhere, max_size=6))
def test_letting_go_of_strips_leaves_most_of_each_box(boxes: list[Box]) -> None:
    left = without_strips(boxes)
    assert len(left) == len(boxes)
    assert left[:1] == boxes[:1]
    for box, rest in zip(boxes, left, strict=True):
        assert rest.area > 0
        assert rest.intersect(box) == rest
    assert without_strips(left[:2]) == left[:2]
