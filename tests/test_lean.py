"""The way from a page that leans and bends to a straight one and back, and reading such pages."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from revista import context
from revista.geometry import Box
from revista.lean import Lean
from revista.records import Regions
from revista.settings import ContextSettings
from revista.text.preparation import prepare
from tests.test_text import LEFT, RIGHT, picture, read, said, sheet, two_columns, write

quarters = st.sampled_from([0, 90, 180, 270])


@st.composite
def leans(draw: st.DrawFn) -> Lean:
    depth, length, start = draw(st.floats(0, 10)), draw(st.floats(800, 3000)), draw(st.floats(0, 6))
    places = range(-2000, 3001, 50)
    bend = tuple((x, depth * math.sin(2 * math.pi * x / length + start)) for x in places)
    return Lean(draw(quarters), draw(st.floats(-8, 8)), bend if depth > 1 else ())


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 900),
    st.integers(0, 900),
    st.integers(8, 250),
    st.integers(8, 250),
)


@given(leans(), boxes)
def test_what_leans_and_bends_is_found_again_on_the_straight_page(lean: Lean, box: Box) -> None:
    found = lean.straight(lean.around(box))
    assert all(abs(a - b) <= 4 for a, b in zip(found, box, strict=True)), found


@given(leans(), boxes)
def test_the_box_on_the_page_goes_around_the_outline(lean: Lean, box: Box) -> None:
    left, top, right, bottom = lean.around(box)
    points = lean.outline(box)
    assert (points >= np.array([left, top]) - 1).all() and (points <= np.array([right, bottom]) + 1).all()


@given(quarters, boxes)
def test_a_page_that_only_stands_turned_keeps_sizes_exactly(orientation: int, box: Box) -> None:
    there = Lean(orientation).straight(box)
    assert there.area == box.area
    assert Lean(orientation).around(there) == box
    assert Lean((360 - orientation) % 360).straight(there) == box


@given(quarters, boxes)
def test_boxes_on_the_prepared_page_find_their_way_back(orientation: int, box: Box) -> None:
    prepared = prepare(np.full((1200, 1300), 255, np.uint8), [], orientation=orientation)
    assert prepared.to_page(prepared.upright(box)) == box.clip(1300, 1200)


def bent(canvas: Image.Image, depth: float, waves: float) -> Image.Image:
    """The page with its lines hanging down and standing up by `depth` pixels, so many waves across it."""
    page = np.asarray(canvas)
    y, x = np.mgrid[: canvas.height, : canvas.width].astype(np.float32)
    y -= depth * np.sin(2 * np.pi * waves * x / canvas.width).astype(np.float32)
    return Image.fromarray(cv2.remap(page, x, y, cv2.INTER_CUBIC, borderValue=(232, 220, 190)))


def columns() -> Image.Image:
    canvas = sheet(1240, 1500)
    for top in range(80, 1300, 240):
        write(canvas, LEFT[:4], 90, top)
        write(canvas, RIGHT[:4], 650, top)
    return canvas


def test_lines_that_bend_are_found_and_read_as_if_they_did_not(tmp_path: Path) -> None:
    straight = columns()
    page = read(bent(straight, 10, 1.2), tmp_path)
    assert said(page) == said(read(straight, tmp_path))
    across = np.linspace(100, 1040, 50)
    left = Lean.of(page).hang(across) - 10 * np.sin(2 * np.pi * 1.2 * across / 1240)
    left -= np.polyval(np.polyfit(across, left, 1), across)  # the skew has what is even in it
    assert np.abs(left).max() < 3
    ink = np.asarray(bent(straight, 10, 1.2).convert("L")) < 120
    covered = np.zeros_like(ink)
    for word in page.words:
        covered[word.box.top - 2 : word.box.bottom + 2, word.box.left - 2 : word.box.right + 2] = True
    assert (ink & covered).sum() > 0.97 * ink.sum()


def test_a_straight_page_does_not_bend_nor_one_where_that_is_not_wished(tmp_path: Path) -> None:
    assert not read(columns(), tmp_path).bend
    assert not read(bent(columns(), 10, 1.2), tmp_path, deskew=False).bend
    assert not read(two_columns()[0], tmp_path).bend


def turned_box(box: Box, degrees: float, canvas: Image.Image) -> Box:
    """The upright box around a box on a page that is turned about its middle."""
    angle, middle = math.radians(degrees), (canvas.width / 2, canvas.height / 2)
    left, top, right, bottom = box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - middle
    there = corners @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) + middle
    return Box(*(int(v) for v in (*there.min(axis=0), *there.max(axis=0))))


@pytest.mark.parametrize("degrees", [-2.5, 2.5])
def test_a_caption_that_the_box_of_a_leaning_picture_covers_is_read_and_linked(tmp_path: Path, degrees: float) -> None:
    canvas = sheet(1240, 1500)
    canvas.paste(Image.effect_noise((900, 600), 90).convert("RGB"), (120, 120))
    write(canvas, ["LA SEÑORITA MARÍA VALDÉS"], 300, 728, 30)
    for top in (860, 1100):
        write(canvas, LEFT[:4], 90, top)
        write(canvas, RIGHT[:4], 650, top)
    turned = canvas.rotate(-degrees, resample=Image.Resampling.BICUBIC, fillcolor=(232, 220, 190))
    found = picture(*turned_box(Box(120, 120, 1020, 720), degrees, canvas))
    page = read(turned, tmp_path, found)
    (linked,) = context.run(3, found, page, None, ContextSettings()).pictures
    assert linked.caption is not None and linked.caption.text == "LA SEÑORITA MARÍA VALDÉS"


def test_names_that_the_boxes_of_leaning_photographs_cover_are_read(tmp_path: Path) -> None:
    canvas, names, regions = sheet(1500, 1000), ["Graciela Fontanales", "Julio Hinojares"], []
    grey = np.random.default_rng(1).normal(90, 25, (620, 560)).clip(20, 170).astype(np.uint8)
    for left, name in zip((120, 800), names, strict=True):
        canvas.paste(Image.fromarray(grey), (left, 150))
        write(canvas, [name], left + 10, 775, 24)
        (region,) = picture(*turned_box(Box(left, 150, left + 560, 770), 2.2, canvas)).regions
        regions.append(region.model_copy(update={"id": f"0003-r{len(regions) + 1:02d}"}))
    turned = canvas.rotate(-2.2, resample=Image.Resampling.BICUBIC, fillcolor=(232, 220, 190))
    found = Regions(regions=tuple(regions))
    page = read(turned, tmp_path, found)
    assert page.skew == pytest.approx(2.2, abs=0.5)
    linked = context.run(3, found, page, None, ContextSettings()).pictures
    assert [one.caption.text for one in linked if one.caption] == names


def test_grain_is_no_print_that_tells_how_a_page_leans() -> None:
    rng = np.random.default_rng(3)
    page = np.full((900, 1200), 255, np.uint8)
    for y, x in zip(rng.integers(0, 890, 3000), rng.integers(0, 1190, 3000), strict=True):
        page[y : y + 4, x : x + 3] = 30
    prepared = prepare(page, [])
    assert prepared.lean == Lean() and prepared.scale == 1.0
