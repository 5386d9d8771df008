"""What is printed on the other side of the paper is no picture of the page."""

from __future__ import annotations

import numpy as np
import pytest

from revista.geometry import Box
from revista.records import Problem, RegionKind
from revista.regions import compact
from revista.regions.finding import Closely
from revista.regions.ink import Print, separate
from revista.regions.showthrough import believed

PLACE = Box(150, 500, 650, 900)


def page(tone: int, print_tone: int = 40) -> np.ndarray:
    """Lines of print on pale paper, and below them a picture of stripes that are as dark as `tone`."""
    image = np.full((1000, 800, 3), 235, np.uint8)
    for top in range(80, 420, 20):
        for left in range(100, 700, 12):
            image[top : top + 10, left : left + 7] = print_tone
    for x in range(PLACE.left, PLACE.right, 20):
        image[PLACE.top : PLACE.bottom, x : x + 10] = tone
    return image


def told(image: np.ndarray, box: Box = PLACE) -> float:
    printed = separate(image)
    assert printed is not None
    (sure,) = believed([box], [0.9], printed)
    return sure


@pytest.mark.parametrize("tone", [40, 100, 170])
def test_pale_pictures_are_as_sure_as_they_were(tone: int) -> None:
    assert told(page(tone)) == 0.9


@pytest.mark.parametrize("tone", [212, 225])
def test_what_shines_through_is_no_surer_than_its_ink_is_strong(tone: int) -> None:
    assert told(page(tone)) < 0.2


def test_on_a_page_in_pale_ink_and_on_one_with_nothing_else_pale_is_strong_enough() -> None:
    assert told(page(190, 170)) == 0.9
    assert told(page(205, 235)) == 0.9


def test_it_does_not_matter_how_large_the_scan_is() -> None:
    for factor in (2, 3):
        large = page(222).repeat(factor, axis=0).repeat(factor, axis=1)
        assert told(large, Box(*(edge * factor for edge in PLACE))) < 0.2


def test_nothing_is_said_of_a_place_off_the_page_or_of_a_page_without_ink() -> None:
    assert told(page(222), Box(900, 100, 950, 200)) == 0.9
    none = np.zeros((100, 100), np.float32)
    whole = Box(0, 0, 100, 100)
    empty = Print(none, none > 0, 10.0, none > 0, none > 0, none > 0, whole, 1.0, whole)
    assert believed([whole], [0.7], empty) == [0.7]


def framed(inside: int) -> np.ndarray:
    """The page with three lines around the place of the picture, and ink as dark as `inside` in its middle."""
    image = page(235)
    for edge in (0, 8, 16):
        box = PLACE.grow(-edge)
        image[box.top : box.bottom, box.left : box.right] = 40
        inner = box.grow(-4)
        image[inner.top : inner.bottom, inner.left : inner.right] = 235
    image[600:800, 300:500:10] = inside
    return image


def test_a_frame_around_nothing_is_no_picture_and_one_around_a_few_strokes_is() -> None:
    assert told(framed(235)) < 0.2
    assert told(framed(60)) == 0.9


def test_what_shines_through_takes_no_strip_of_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """However sure the networks are of it: on its place stands what they found, beside a picture that goes on there."""
    image = page(222)  # at PLACE; the picture beside it begins a little before its end
    beside = Box(610, PLACE.top, 790, PLACE.bottom)
    image[beside.top : beside.bottom, beside.left : beside.right : 10] = 40
    seen_so = Closely(
        np.array([PLACE, beside], float), np.array([0.9, 0.6]), np.array([0.9, 0.8]), (image.shape[1], image.shape[0])
    )
    monkeypatch.setattr(compact, "look_closely", lambda *_: seen_so)
    detector = compact.CompactDetector("compact-regions")
    (seen,) = detector.detect([image])
    assert not isinstance(seen, Problem)
    boxes = [(b.score, Box(*map(int, b.coordinates))) for b in seen if b.type == RegionKind.PICTURE]
    (sure, first), *others = boxes
    assert (sure, first) == (detector._curve.confidence(0.6), beside)
    assert all(score < 0.2 for score, _ in others)


def test_the_ink_of_a_surer_picture_does_not_speak_for_what_shines_through_below_it() -> None:
    image = page(40)
    below = Box(PLACE.left, PLACE.bottom, PLACE.right, 980)
    for x in range(below.left, below.right, 20):
        image[below.top : below.bottom, x : x + 10] = 222
    both = Box(PLACE.left, 820, PLACE.right, below.bottom)
    printed = separate(image)
    assert printed is not None
    assert believed([both], [0.6], printed) == [0.6]
    sure, unsure = believed([PLACE, both], [0.9, 0.6], printed)
    assert sure == 0.9 and unsure < 0.2
    assert believed([PLACE, both], [0.4, 0.3], printed) == [0.4, 0.3]  # none of them stands
    assert believed([PLACE, PLACE.grow(-20)], [0.9, 0.6], printed) == [0.9, 0.6]  # nothing is its own
