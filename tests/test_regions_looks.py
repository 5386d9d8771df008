"""The second look at found pictures: what is measured, what the shipped weights tell, how they are learnt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.errors import MissingWeights
from revista.geometry import Box
from revista.records import Look
from revista.regions.decoding import LOOKS
from revista.regions.ink import separate
from revista.regions.looking import FEATURES, SecondLook, features, settled
from revista.training.looks_data import Picture, clean, printed
from revista.training.pages.pictures import Photographs
from revista.weights import LOOKS_ONNX, find_weights

PAPER = 232
PLACE = Box(60, 60, 560, 460)


def on_paper(grey: np.ndarray) -> np.ndarray:
    """A picture of PLACE's size on a sheet of paper, (520, 620, 3) uint8."""
    sheet = np.full((520, 620), PAPER, np.uint8)
    sheet[PLACE.top : PLACE.bottom, PLACE.left : PLACE.right] = grey
    return np.repeat(sheet[..., None], 3, axis=2)


def sharp_photograph(seed: int) -> np.ndarray:
    """Lit balls in a hall of clouds, with hard edges, deep shadows and grain: continuous tones, (400, 500) uint8."""
    rng = np.random.default_rng(seed)
    tones = sum(
        cv2.resize(rng.normal(0, 30 / 2**k, (3 * 2**k, 4 * 2**k)), (500, 400), interpolation=cv2.INTER_CUBIC)
        for k in range(6)
    )
    scene = 120 + np.asarray(tones)
    y, x = np.mgrid[:400, :500]
    for _ in range(7):
        cx, cy, radius = rng.uniform(50, 450), rng.uniform(50, 350), rng.uniform(25, 90)
        u, v = (x - cx) / radius, (y - cy) / radius
        inside = u**2 + v**2 < 1
        light = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1)) * 0.7 - 0.5 * u - 0.4 * v
        scene[inside] = (20 + 190 * np.clip(light, 0, 1) ** 0.8)[inside] + np.asarray(tones)[inside] * 0.3
    return np.clip(scene + rng.normal(0, 4, scene.shape), 0, PAPER).astype(np.uint8)


def line_drawing(seed: int) -> np.ndarray:
    """A pen's rings, polygons and hatching on bare paper, (400, 500) uint8."""
    rng = np.random.default_rng(seed)
    sheet = np.full((400, 500), PAPER, np.uint8)
    for _ in range(14):
        at, size = (int(rng.integers(60, 440)), int(rng.integers(60, 340))), int(rng.integers(15, 70))
        cv2.ellipse(
            sheet, at, (size, int(rng.integers(10, 60))), float(rng.uniform(0, 180)), 0, 360, 30, 2, cv2.LINE_AA
        )
        corners = np.array(at) + rng.integers(-size, size, (5, 2))
        cv2.polylines(sheet, [corners.astype(np.int32)], True, 30, 2, cv2.LINE_AA)
        for k in range(0, size, 6):
            cv2.line(sheet, (at[0] + k, at[1]), (at[0] + k - 20, at[1] + size), 30, 1, cv2.LINE_AA)
    return sheet


@pytest.fixture(scope="module")
def shipped() -> SecondLook:
    return SecondLook(find_weights("compact-regions").folder / LOOKS_ONNX)


def told(
    second: SecondLook, grey: np.ndarray, place: Box = PLACE, shares: tuple[float, ...] = (0.4, 0.5, 0.06, 0.04)
) -> Look:
    page = on_paper(grey)
    (look,) = second.looks(page, [place], [np.array(shares)], separate(page))
    return look


@pytest.mark.parametrize("seed", range(4))
def test_a_sharp_photograph_and_a_pen_drawing_are_told_apart(shipped: SecondLook, seed: int) -> None:
    for shares in ((0.9, 0.05, 0.03, 0.02), (0.02, 0.93, 0.03, 0.02)):  # whatever the page network takes them for
        assert told(shipped, sharp_photograph(seed), shares=shares) is Look.PHOTOGRAPH
        assert told(shipped, line_drawing(seed), shares=shares) is Look.DRAWING


def test_a_round_photograph_is_one(shipped: SecondLook) -> None:
    y, x = np.mgrid[:400, :500]
    for seed in range(4):
        grey = sharp_photograph(seed)
        grey[(x - 250) ** 2 + (y - 200) ** 2 > 195**2] = PAPER
        assert told(shipped, grey, Box(PLACE.left + 50, PLACE.top, PLACE.right - 50, PLACE.bottom)) is Look.PHOTOGRAPH


@pytest.mark.parametrize("seed", range(4))
def test_a_frame_and_the_paper_in_it_do_not_hide_a_photograph(shipped: SecondLook, seed: int) -> None:
    grey = np.full((400, 500), PAPER, np.uint8)
    for inset, ink in ((4, 25), (8, PAPER), (11, 25), (13, PAPER)):
        grey[inset:-inset, inset:-inset] = ink
    grey[26:-26, 26:-26] = cv2.resize(sharp_photograph(seed), (448, 348), interpolation=cv2.INTER_AREA)
    assert told(shipped, grey) is Look.PHOTOGRAPH


def test_a_drawing_in_a_notice_is_an_advertisement_since_the_page_says_so(shipped: SecondLook) -> None:
    assert told(shipped, line_drawing(0), shares=(0.01, 0.02, 0.96, 0.01)) is Look.ADVERTISEMENT


def test_the_page_tells_notices_but_not_photographs_from_drawings() -> None:
    by_itself = np.array([0.6, 0.37, 0.02, 0.01])
    for on_page in ((0.8, 0.1, 0.07, 0.03), (0.1, 0.8, 0.07, 0.03)):
        assert settled(by_itself, np.array(on_page), 0.0) is Look.PHOTOGRAPH
    assert settled(by_itself, np.array([0.05, 0.02, 0.93, 0.0]), 0.0) is Look.ADVERTISEMENT
    assert settled(np.array([0.97, 0.03, 0.0, 0.0]), np.array([0.05, 0.02, 0.93, 0.0]), 0.0) is Look.ADVERTISEMENT
    assert settled(np.array([0.97, 0.03, 0.0, 0.0]), np.array([0.35, 0.35, 0.3, 0.0]), 0.0) is Look.PHOTOGRAPH


def test_what_looks_like_an_advertisement_is_one_where_there_is_print_in_it_or_the_page_says_so() -> None:
    crowded, somewhere, in_a_notice = (
        np.array(shares) for shares in ((0.0, 0.02, 0.97, 0.01), (0.02, 0.73, 0.2, 0.05), (0.0, 0.01, 0.98, 0.01))
    )
    assert settled(crowded, somewhere, 0.0) is Look.DRAWING
    assert settled(crowded, somewhere, 0.2) is Look.ADVERTISEMENT
    assert settled(crowded, in_a_notice, 0.0) is Look.ADVERTISEMENT


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**32 - 1))
def test_any_picture_can_be_measured(width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    page = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if rng.random() < 0.3:
        page[:] = int(rng.integers(0, 256))
    left, top = int(rng.integers(width)), int(rng.integers(height))
    box = Box(left, top, int(rng.integers(left + 1, width + 1)), int(rng.integers(top + 1, height + 1)))
    found = features(page, box)
    assert found.shape == (FEATURES,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_torn_and_foreign_networks_are_refused(tmp_path: Path) -> None:
    shipped = find_weights("compact-regions").folder
    with pytest.raises(MissingWeights, match="ONNX"):
        SecondLook(tmp_path / LOOKS_ONNX)
    (tmp_path / LOOKS_ONNX).write_bytes((shipped / LOOKS_ONNX).read_bytes()[:900])
    with pytest.raises(MissingWeights, match="ONNX"):
        SecondLook(tmp_path / LOOKS_ONNX)
    with pytest.raises(MissingWeights, match="train looks"):
        SecondLook(shipped / "model.onnx")


def photographs(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (7, 7, 3), dtype=np.uint8).repeat(32, axis=0).repeat(32, axis=1)


@pytest.mark.parametrize("make", [printed, clean])
def test_pictures_to_learn_from_are_of_all_looks_and_the_same_for_a_seed(
    make: Callable[[int, Photographs], Picture],
) -> None:
    made = [make(seed, photographs) for seed in range(60)]
    assert {picture.look for picture in made} == set(LOOKS)
    for picture in made:
        height, width = picture.page.shape[:2]
        assert picture.box.area
        assert picture.box == picture.box.clip(width, height)
    again = make(7, photographs)
    assert np.array_equal(again.page, made[7].page)
    assert again[1:] == made[7][1:]
